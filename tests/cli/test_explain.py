"""``framework explain``: why a signal ended the way it did."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from framework.core.records import WaveOpened
from framework.core.verdict import Check, Rejection
from framework.journal import journal_path
from tests.cli.shell import Shell
from tests.journal.history import BAR, SESSION, TOO_SMALL, WAVE, S, decision, received, write

ARITHMETIC = {
    "budget_usd": Decimal("6.60"),
    "minimum": Decimal(1),
    "position_usd": Decimal(6),
    "price": Decimal("18.190"),
    "quantity": Decimal("0.329"),
    "required_usd": Decimal("18.19"),
}


def test_the_story_of_a_refused_signal_shows_each_verdict_and_the_arithmetic_of_the_size(tmp_path: Path) -> None:
    refusal = Rejection("quantity_below_minimum", "too small for this market", ARITHMETIC)
    write(
        journal_path(tmp_path),
        SESSION,
        WaveOpened(BAR + 10 * S, WAVE, BAR),
        received(TOO_SMALL),
        decision(
            TOO_SMALL, "rejected", "sizing", component="fixed-usd", code=refusal.code, message=refusal.message,
            numbers=refusal.numbers, checks=(Check("sizing", "fixed-usd", refusal),),
        ),
    )  # fmt: skip

    assert Shell(tmp_path).lines("explain", "4") == [
        "signal 4: long AVAXUSDT on binance, score 71.5, from recording",
        "  bar 2025-10-31 22:30:00.000Z, made 2025-10-31 22:30:05.000Z, received 2025-10-31 22:30:10.000Z, "
        "wave 2025-10-31T22:30Z",
        "checks",
        "  ✗ sizing fixed-usd: too small for this market",
        "      quantity 0.329, minimum 1, required 18.19 USD, budget 6.60 USD, position 6 USD, price 18.190",
        "outcome: rejected (sizing fixed-usd): too small for this market",
    ]


def test_the_story_of_a_position_goes_from_the_signal_to_the_exit(shell: Shell) -> None:
    story = shell.lines("explain", "1")

    assert story[0] == "signal 1: long HFTUSDT on binance, score 71.5, from recording"
    assert "  also arrived 2025-10-31 22:30:10.000Z and was refused: not JSON" in story
    assert "  ✓ filter spread: spread 0.05 %" in story
    assert "requests, from the decision at 2025-10-31 22:30:11.000Z" in story
    assert any(
        line.startswith("  +1000.0 ms  entry fw-") and line.endswith(" (quantity 134): accepted after 500.0 ms")
        for line in story
    )
    assert "  2025-10-31 22:30:13.000Z  buy 134 at 0.04458, fee 0.003 USD (order)" in story
    assert "  2025-10-31 22:31:00.000Z  0.04191 to 0.04500 by trailing-stop" in story
    assert (
        "  opened 2025-10-31 22:30:13.000Z: long 134 at 0.04458, first stop 0.04191, protected 2025-10-31 22:30:15.000Z"
    ) in story
    assert (
        "  exit 2025-10-31 22:31:40.000Z: trailing-stop at 0.04499, PnL +0.0500 USD after fees of 0.006 USD"
    ) in story
    assert story[-1] == "outcome: opened"


def test_an_open_position_shows_its_stop_its_refused_requests_and_its_events(shell: Shell) -> None:
    story = shell.lines("explain", "2")

    assert "  stop now -" in story
    assert any(line.endswith("refused after 500.0 ms: price out of range") for line in story)
    assert "  2025-10-31 22:31:11.000Z  error: no stop" in story


def test_what_was_no_signal_can_be_explained_too(shell: Shell) -> None:
    story = shell.lines("explain", "0")

    assert story[0] == "signal 0: of no market on -, score -, from recording"
    assert story[-1] == "outcome: refused: not JSON"


def test_json_has_the_whole_chain(shell: Shell) -> None:
    found = shell.json("explain", "4")

    assert set(found) == {
        "signal", "refusals", "checks", "decisions", "position", "steps", "orders", "fills", "stop_moves", "events",
    }  # fmt: skip
    assert [check["verdict"] for check in found["checks"]] == ["passed", "rejected"]
    assert found["checks"][1]["numbers"] == {"minimum": "1", "quantity": "0.329"}


def test_an_unknown_signal_is_one_line_and_status_one(shell: Shell) -> None:
    result = shell("explain", "99")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: the journal knows no signal '99'; `framework signals` shows all\n"
