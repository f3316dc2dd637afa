"""Plain lines of a run: one for what people want to see go by, none for the rest."""

from __future__ import annotations

from decimal import Decimal

from framework.cli.run_lines import line_of
from framework.cli.run_view import RunView
from framework.core.records import Event, Outcome, PositionChanged
from tests.journal.history import BAR, HISTORY, TRAILED, S, decision, place, step


def lines_of(*records: object) -> list[str]:
    view, lines = RunView(), []
    for record in records:
        before = view.positions.get(record.position_id) if isinstance(record, PositionChanged) else None
        view.apply(record)  # type: ignore[arg-type]
        line = line_of(record, before)  # type: ignore[arg-type]
        if line is not None:
            lines.append(line)
    return lines


def test_a_whole_history_in_lines() -> None:
    assert lines_of(*HISTORY) == [
        "2025-10-31 22:30:10.000Z  signal 0 from recording is refused: not JSON (no_json)",
        "2025-10-31 22:30:10.000Z  a signal without an id from recording is refused: not JSON (no_json)",
        "2025-10-31 22:30:10.000Z  wave 2025-10-31T22:30Z: its first signals arrived",
        "2025-10-31 22:30:10.000Z  signal 1 from recording is refused: not JSON (no_json)",
        "2025-10-31 22:30:11.000Z  binance LEVERUSDT: signal 3 rejected by filter volume-1h: volume 1h",
        "2025-10-31 22:30:11.000Z  binance AVAXUSDT: signal 4 rejected by sizing fixed-usd: too small",
        "2025-10-31 22:30:15.500Z  bybit DOGUSDT: stop refused by the venue: price out of range",
        "2025-10-31 22:30:11.000Z  bybit CROUSDT: signal 6 rejected by execution: entry failed",
        "2025-10-31 22:30:15.000Z  binance HFTUSDT: opened long 134 at 0.04458, protected by a stop at 0.04191",
        "2025-10-31 22:30:20.000Z  wave 2025-10-31T22:30Z decided: opened binance 1 of 1, bybit 1 of 2",
        "2025-10-31 22:31:10.000Z  warning: slow (slow)",
        "2025-10-31 22:31:11.000Z  error: no stop (naked)",
        "2025-10-31 22:31:12.000Z  error: lost (stream_lost)",
        "2025-10-31 22:31:40.000Z  binance HFTUSDT: closed at 0.04499 by trailing-stop, PnL +0.0500 USD",
        "2025-10-31 22:45:10.000Z  wave 2025-10-31T22:45Z: its first signals arrived",
    ]


def test_a_stop_that_rests_elsewhere_is_a_line() -> None:
    resting = {"status": "open", "opened_ns": BAR, "protected_ns": BAR}
    first = step(TRAILED, 1, "stop", ("unprotected", "protected"), **resting, stop_price=Decimal("0.10"))
    moved = step(TRAILED, 2, "stop", ("protected", "protected"), **resting, stop_price=Decimal("0.20"))

    assert lines_of(first, moved, moved)[1:] == [
        "2025-10-31 22:30:02.000Z  binance HFTUSDT: stop moved from 0.10 to 0.20"
    ]


def test_what_is_as_it_should_be_is_no_line() -> None:
    accepted = Outcome(BAR, place(TRAILED), "binance", "HFTUSDT", "entry", "fw-x", "accepted", S)

    assert lines_of(decision(TRAILED, "planned"), accepted, Event(BAR, "info", "fine", "all is well")) == []


def test_what_a_sender_wrote_cannot_command_the_terminal() -> None:
    (line,) = lines_of(Event(BAR, "error", "bad", "a\x1b]0;title\x07\nb"))

    assert line.endswith("error: a\\x1b]0;title\\x07\\nb (bad)")


def test_the_end_of_a_halt_and_of_a_flatten_are_told_although_nothing_is_wrong() -> None:
    for code in ("resumed", "flattened"):
        (line,) = lines_of(Event(BAR, "info", code, "all is well"))
        assert line.endswith("Z  all is well")
    assert lines_of(Event(BAR, "info", "stream_restored", "reading back")) == []
