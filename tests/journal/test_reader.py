"""The read models answer what people and a restart ask for."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve

from framework.core.ids import Leg, client_id
from framework.core.records import FillRecorded, SessionEnded, SessionMode, SignalReceived
from framework.errors import JournalError
from framework.journal import JournalReader
from tests.journal import history as h


def test_a_session_knows_its_end(reader: JournalReader) -> None:
    (session,) = reader.sessions()

    assert (session.accounts, session.recorded, session.mode) == (("binance", "bybit"), True, SessionMode.PAPER)
    assert (session.ended_ns, session.reason, session.open_positions) == (h.NEXT_BAR + 20 * h.S, "recording ended", 1)


def test_a_session_that_died_has_no_end_when_the_next_one_starts(path: Path) -> None:
    h.write(path, h.SESSION, h.SESSION)

    with JournalReader.open(path) as reader:
        assert [session.ended_ns for session in reader.sessions()] == [None, None]


def test_an_end_belongs_to_the_newest_session(path: Path) -> None:
    h.write(path, h.SESSION, h.SESSION, SessionEnded(h.BAR + h.S, "interrupted", 0))

    with JournalReader.open(path) as reader:
        assert [session.reason for session in reader.sessions()] == [None, "interrupted"]


def test_waves_come_in_the_order_of_their_bars_and_know_their_targets(reader: JournalReader) -> None:
    first, second = reader.waves()

    assert (first.wave_id, first.targets, first.opened) == (
        h.WAVE,
        {"binance": 1, "bybit": 2},
        {"binance": 1, "bybit": 1},
    )
    assert (second.decided_ns, second.targets) == (None, {})


def test_a_signal_row_says_what_became_of_it_and_why(reader: JournalReader) -> None:
    signal = reader.signal("4")

    assert signal is not None
    assert (signal.outcome, signal.stage, signal.component, signal.code) == (
        "rejected", "sizing", "fixed-usd", "below_minimum",
    )  # fmt: skip
    assert signal.numbers == h.TOO_SMALL_NUMBERS
    assert (signal.score, signal.side) == (Decimal("71.5"), "long")


def test_the_newest_decision_is_the_outcome_and_the_position_is_remembered(reader: JournalReader) -> None:
    outcomes = {row.signal_id: row.outcome for row in reader.signals() if row.outcome != "refused"}

    assert outcomes == {
        "1": "opened",
        "2": "planned",
        "3": "rejected",
        "4": "rejected",
        "5": "not_attempted",
        "6": "rejected",
        "7": "received",
    }
    trailed = reader.signal("1")
    assert trailed is not None
    assert trailed.position_id == h.place(h.TRAILED)


def test_a_refused_signal_belongs_to_the_wave_of_its_bar_whether_it_came_before_or_after(reader: JournalReader) -> None:
    refused = reader.signals(outcome="refused")

    assert [(row.signal_id, row.wave_id) for row in refused] == [("0", h.WAVE), (None, None), ("1", h.WAVE)]
    assert [row for row in reader.signals() if row.outcome == "refused"] == list(refused)
    assert [row for row in reader.signals(wave_id=h.WAVE) if row.outcome == "refused"] == [refused[0], refused[2]]


def test_a_refused_repetition_does_not_touch_the_good_signal(reader: JournalReader) -> None:
    signal = reader.signal("1")

    assert signal is not None
    assert signal.outcome == "opened"
    assert [row.code for row in reader.refusals("1")] == ["no_json"]


def test_a_signal_that_was_only_refused_is_found_and_its_raw_text_is_in_the_facts(reader: JournalReader) -> None:
    signal = reader.signal("0")

    assert signal is not None
    assert signal.outcome == "refused"
    (fact,) = reader.facts(signal_id="0")
    assert '"raw":"{"' in fact.body
    assert fact.seq == signal.seq


def test_known_ids_are_those_that_were_taken_in(reader: JournalReader) -> None:
    assert reader.known_signal_ids() == {"1", "2", "3", "4", "5", "6", "7"}


def test_the_same_signal_taken_in_twice_stays_one_row(path: Path) -> None:
    again = SignalReceived(h.BAR + 20 * h.S, h.WAVE, evolve(h.TRAILED, score=Decimal(1)))
    h.write(path, h.received(h.TRAILED), again)

    with JournalReader.open(path) as reader:
        assert [row.score for row in reader.signals()] == [Decimal("71.5")]


def test_decisions_keep_every_verdict(reader: JournalReader) -> None:
    (decision,) = reader.decisions("4")

    assert decision.checks == (h.PASSED_CHECK, h.SIZING_CHECK)
    assert len(reader.decisions()) == 8


def test_a_position_row_is_its_newest_summary(reader: JournalReader) -> None:
    position = reader.position(h.place(h.TRAILED))

    assert position is not None
    assert (position.state, position.status, position.exit_reason) == ("closed", "closed", "trailing-stop")
    assert (position.initial_stop_price, position.stop_price) == (Decimal("0.04191"), Decimal("0.04500"))
    assert str(position.stop_price) == "0.04500"
    assert reader.position("nobody") is None


def test_open_positions_leave_out_the_closed_and_the_failed(reader: JournalReader) -> None:
    assert len(reader.positions()) == 3
    assert [row.signal_id for row in reader.positions(open_only=True)] == ["2"]


def test_a_restart_gets_the_newest_snapshot_of_what_is_open(reader: JournalReader) -> None:
    (found,) = reader.open_snapshots()

    assert found.snapshot == {"state": "unprotected", "second": 14}
    assert found.position == reader.position(h.place(h.NAKED))


def test_a_restart_gets_what_was_closed_lately_too_if_it_asks(reader: JournalReader) -> None:
    last_ns = max(row.changed_ns for row in reader.positions() if row.status == "closed")

    found = reader.open_snapshots(changed_since_ns=last_ns)
    later = reader.open_snapshots(changed_since_ns=last_ns + 10**12)

    assert {row.position.status for row in found} == {"open", "closed"}
    assert {row.position.status for row in later} == {"open"}


def test_an_order_row_joins_intent_and_outcome(reader: JournalReader) -> None:
    entry, stop, move = reader.orders(h.place(h.TRAILED))

    assert [(row.action, row.leg, row.result) for row in (entry, stop, move)] == [
        ("entry", "entry", "accepted"), ("stop", "stop", "accepted"), ("move-stop", "stop", "accepted"),
    ]  # fmt: skip
    assert entry.client_id == client_id(h.place(h.TRAILED), Leg.ENTRY, 0)
    assert (entry.sent_ns, entry.took_ns) == (h.BAR + 12 * h.S, h.S // 2)
    assert entry.request == {"quantity": Decimal(134)}


def test_an_intent_without_an_outcome_has_no_result(path: Path) -> None:
    intent, _ = h.request(h.TRAILED, 12, "entry", Leg.ENTRY, "accepted")
    h.write(path, intent)

    with JournalReader.open(path) as reader:
        (order,) = reader.orders()
    assert (order.result, order.took_ns) == (None, None)


def test_an_outcome_answers_the_newest_request_of_its_action(path: Path) -> None:
    lost, _ = h.request(h.TRAILED, 12, "move-stop", Leg.STOP, "accepted")
    h.write(path, lost, *h.request(h.TRAILED, 13, "move-stop", Leg.STOP, "accepted"))

    with JournalReader.open(path) as reader:
        assert [order.result for order in reader.orders()] == [None, "accepted"]


def test_a_fill_that_is_told_twice_is_kept_once(path: Path) -> None:
    fill = FillRecorded(h.BAR, h.place(h.TRAILED), "binance", h.ENTRY_FILL)
    h.write(path, fill, evolve(fill, time_ns=h.BAR + 1), evolve(fill, account="bybit"))

    with JournalReader.open(path) as reader:
        assert [row.account for row in reader.fills(h.place(h.TRAILED))] == ["binance", "bybit"]
        assert len(reader.facts()) == 3


def test_stop_moves_are_kept_by_position(reader: JournalReader) -> None:
    (move,) = reader.stop_moves(h.place(h.TRAILED))

    assert (move.from_price, move.to_price, move.component) == (Decimal("0.04191"), Decimal("0.04500"), "trailing-stop")
    assert reader.stop_moves(h.place(h.NAKED)) == ()


def test_events_of_at_least_a_level_the_newest_ones_in_order(reader: JournalReader) -> None:
    assert [event.code for event in reader.events()] == ["slow", "naked", "stream_lost"]
    assert [event.code for event in reader.events("error")] == ["naked", "stream_lost"]
    assert [event.code for event in reader.events("warning", limit=2)] == ["naked", "stream_lost"]


def test_facts_of_a_signal_include_those_of_its_position(reader: JournalReader) -> None:
    kinds = [fact.kind for fact in reader.facts(signal_id="1")]

    assert {"signal_received", "decision", "intent", "outcome", "fill_recorded", "stop_moved"} < set(kinds)
    assert [fact.kind for fact in reader.facts(position_id=h.place(h.BROKEN))] == [
        "decision", "intent", "outcome", "position_changed", "decision",
    ]  # fmt: skip


def test_facts_are_numbered_without_gaps_and_give_the_records_back(reader: JournalReader) -> None:
    facts = reader.facts()

    assert [fact.seq for fact in facts] == list(range(1, len(h.HISTORY) + 1))
    assert tuple(fact.record() for fact in facts) == h.HISTORY
    assert reader.facts(after_seq=len(facts) - 1) == facts[-1:]
    assert reader.facts(after_seq=2, limit=2) == facts[2:4]


def test_hostile_text_and_numbers_are_stored_and_kept_in_the_fact(path: Path) -> None:
    bad = evolve(h.refused("\ud800").bad, symbol="\udfff\x00", raw="\ud800", bar_time_ns=10**30)
    record = evolve(h.refused(), bad=bad)
    h.write(path, record)

    with JournalReader.open(path) as reader:
        (row,) = reader.signals()
        (fact,) = reader.facts()
    assert (row.signal_id, row.symbol, row.bar_time_ns) == ("\\ud800", "\\udfff\x00", 2**63 - 1)
    assert fact.record() == record


def test_a_missing_journal_is_named(path: Path) -> None:
    with pytest.raises(JournalError, match=r"journal\.sqlite: there is no journal yet"):
        JournalReader.open(path)
