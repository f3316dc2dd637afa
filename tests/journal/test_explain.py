"""The whole chain of one signal can be told."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from framework.journal import JournalReader, as_json, explain
from tests.journal import history as h


def test_a_trade_is_told_from_the_signal_to_the_exit(reader: JournalReader) -> None:
    told = explain(reader, "1")

    assert told is not None
    assert (told.signal.outcome, told.signal.symbol) == ("opened", "HFTUSDT")
    assert [(check.component, check.verdict) for check in told.checks] == [("spread", "passed")]
    assert [decision.outcome for decision in told.decisions] == ["planned", "opened"]
    assert [order.action for order in told.orders] == ["entry", "stop", "move-stop"]
    assert [fill.price for fill in told.fills] == [Decimal("0.04458")]
    assert [move.to_price for move in told.stop_moves] == [Decimal("0.04500")]
    assert [(step.event, step.to_state) for step in told.steps] == [
        ("entry sent", "entering"), ("filled", "unprotected"), ("stop rests", "protected"), ("flat", "closed"),
    ]  # fmt: skip
    assert told.position is not None
    assert (told.position.exit_reason, told.position.exit_price) == ("trailing-stop", Decimal("0.04499"))
    assert [refusal.code for refusal in told.refusals] == ["no_json"]


def test_a_refusal_shows_every_verdict_in_order_and_the_arithmetic(reader: JournalReader) -> None:
    told = explain(reader, "4")

    assert told is not None
    assert [(check.kind, check.verdict, check.code) for check in told.checks] == [
        ("filter", "passed", ""), ("sizing", "rejected", "below_minimum"),
    ]  # fmt: skip
    assert told.checks[1].numbers == h.TOO_SMALL_NUMBERS
    assert (told.position, told.orders, told.fills, told.steps) == (None, (), (), ())


def test_the_verdicts_are_those_of_the_newest_decision_that_brought_any(path: Path) -> None:
    planned = h.decision(h.TOO_SMALL, "planned", checks=(h.PASSED_CHECK,))
    rejected = h.decision(h.TOO_SMALL, "rejected", "sizing", checks=(h.PASSED_CHECK, h.SIZING_CHECK))
    ended = h.decision(h.TOO_SMALL, "rejected", "execution")
    h.write(path, h.received(h.TOO_SMALL), planned, rejected, ended)

    with JournalReader.open(path) as reader:
        told = explain(reader, "4")

    assert told is not None
    assert [check.verdict for check in told.checks] == ["passed", "rejected"]


def test_a_position_that_failed_shows_its_requests_and_what_came_of_them(reader: JournalReader) -> None:
    told = explain(reader, "6")

    assert told is not None
    assert [(order.result, order.message) for order in told.orders] == [("unknown", "timed out")]
    assert [step.to_state for step in told.steps] == ["failed"]


def test_events_about_the_signal_or_its_position_are_part_of_it(reader: JournalReader) -> None:
    naked, other = explain(reader, "2"), explain(reader, "1")

    assert naked is not None
    assert other is not None
    assert [event.code for event in naked.events] == ["naked"]
    assert other.events == ()


def test_a_signal_that_was_refused_is_told_as_such(reader: JournalReader) -> None:
    told = explain(reader, "0")

    assert told is not None
    assert (told.signal.outcome, told.signal.message, told.refusals) == ("refused", "not JSON", ())


def test_an_unknown_signal_has_no_story(reader: JournalReader) -> None:
    assert explain(reader, "nobody") is None


def test_an_explanation_is_json(reader: JournalReader) -> None:
    told = explain(reader, "4")

    assert told is not None
    data = json.loads(json.dumps(as_json(told)))
    assert data["checks"][1]["numbers"] == {"quantity": "0.329", "minimum": "1"}
    assert data["signal"]["received"] == "2025-10-31T22:30:10.000000Z"
    assert data["decisions"][0]["checks"][1]["verdict"]["code"] == "below_minimum"
