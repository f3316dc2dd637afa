"""The live view draws a snapshot: the session, its waves, its positions, its newest lines."""

from __future__ import annotations

import io

from attrs import evolve
from rich.console import Console

from framework.cli.run_screen import MOST_LINES, MOST_POSITIONS, MOST_WAVES, draw, position_rows, wave_rows
from framework.cli.run_view import NOTHING, RunView, Snapshot
from framework.core.records import Event
from tests.journal.history import HISTORY


def snapshot() -> Snapshot:
    view = RunView()
    for record in HISTORY:
        view.apply(record)
    return view.snapshot()


def drawn(of: Snapshot, latest: list[str], width: int = 160) -> list[str]:
    screen = Console(file=io.StringIO(), width=width, markup=False, highlight=False)
    with screen.capture() as captured:
        screen.print(draw(of, "var/journal.sqlite", latest))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_the_screen_shows_session_waves_positions_and_the_newest_lines() -> None:
    lines = drawn(snapshot(), ["something happened"])
    words = [line.split() for line in lines]

    assert lines[0] == (
        "paper · accounts binance, bybit · journal var/journal.sqlite · virtual time 2025-10-31 22:45:20.000Z"
    )
    assert ["2025-10-31T22:30Z", "binance", "4", "4", "2", "1", "1", "1", "1", "0", "0", "1"] in words
    assert ["2025-10-31T22:30Z", "bybit", "2", "2", "2", "1", "0", "0", "0", "0", "1", "0"] in words
    assert ["bybit", "DOGUSDT", "long", "134", "0.04458", "-", "unprotected", "-", "-"] in words
    assert ["binance", "HFTUSDT", "long", "134", "0.04458", "0.04500", "closed", "trailing-stop", "+0.0500"] in words
    assert lines[-1] == "something happened"


def test_before_the_first_record_there_is_only_the_header() -> None:
    assert drawn(RunView().snapshot(), []) == ["accounts - · journal var/journal.sqlite · real time -"]


def test_open_positions_come_first_and_no_more_than_fit_are_shown() -> None:
    of = snapshot()
    closed = next(line for line in of.positions if line.status == "closed")
    still_open = next(line for line in of.positions if line.status == "open")
    many = (*[closed] * MOST_POSITIONS, still_open)

    rows = position_rows(many)

    assert len(rows) == MOST_POSITIONS
    assert rows[0][1] == still_open.symbol
    assert "… and 1 more" in drawn(evolve(of, positions=many), [])


def test_only_the_newest_waves_and_lines_are_shown() -> None:
    counts = {(f"wave-{number}", "binance"): NOTHING for number in range(MOST_WAVES + 1)}

    assert [row[0] for row in wave_rows(evolve(snapshot(), counts=counts))] == [
        f"wave-{number}" for number in range(1, MOST_WAVES + 1)
    ]
    assert drawn(snapshot(), [f"line {number}" for number in range(20)])[-MOST_LINES:] == [
        f"line {number}" for number in range(20 - MOST_LINES, 20)
    ]


def test_a_long_line_does_not_push_the_positions_off_the_screen() -> None:
    assert len(drawn(snapshot(), ["x " * 250])) == len(drawn(snapshot(), ["x"]))


def test_a_halt_is_shown_until_it_is_taken_back() -> None:
    view = RunView()
    view.apply(Event(0, "warning", "halted", "halted: news; what is open stays protected"))
    assert drawn(view.snapshot(), [])[1] == "halted: news; what is open stays protected"
    view.apply(Event(1, "info", "resumed", "positions may be opened again"))
    assert len(drawn(view.snapshot(), [])) == 1


def test_an_account_that_is_down_is_shown_until_it_is_up() -> None:
    view = RunView()
    view.apply(Event(0, "error", "account_down", "one: no route to host; trying again", "one"))
    assert drawn(view.snapshot(), [])[1] == "one: no route to host; trying again"
    view.apply(Event(1, "info", "account_up", "one: connected", "one"))
    assert len(drawn(view.snapshot(), [])) == 1
