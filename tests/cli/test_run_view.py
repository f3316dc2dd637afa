"""The view of a run follows from its records alone, and counts as the journal's report does."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from framework.cli.run_view import RunView
from framework.core.records import Record, SessionMode
from framework.journal import Counts, JournalReader, journal_path, report
from tests.hooks.stage import Stage
from tests.journal.history import HISTORY, NAKED, NEXT_WAVE, TRAILED, WAVE, place, received, step, write


def viewed(records: Iterable[Record]) -> RunView:
    view = RunView()
    for record in records:
        view.apply(record)
    return view


def reported(state: Path) -> dict[tuple[str, str], Counts]:
    with JournalReader.open(journal_path(state)) as reader:
        return {(wave.wave_id, name): each for wave in report(reader).waves for name, each in wave.accounts.items()}


def test_the_view_counts_as_the_report_does(tmp_path: Path) -> None:
    write(journal_path(tmp_path), *HISTORY)

    counts = viewed(HISTORY).counts

    assert {key: each for key, each in counts.items() if all(key)} == reported(tmp_path)


def test_the_view_of_a_played_session_counts_as_its_report_does(stage: Stage) -> None:
    records = stage.play(plugins='[plugins]\nload = ["base"]').everything

    counts = viewed(records).counts

    assert counts == reported(stage.directory / "var")
    assert sum(each.opened for each in counts.values()) == 1


def test_what_was_no_signal_is_counted_where_its_bar_says_or_apart() -> None:
    counts = viewed(HISTORY).counts

    assert (counts[WAVE, ""].received, counts[WAVE, ""].refused) == (2, 2)
    assert counts["", ""].refused == 1


def test_a_signal_is_undecided_until_it_has_an_outcome() -> None:
    assert viewed([received(TRAILED)]).counts[WAVE, "binance"].undecided == 1
    assert viewed(HISTORY).counts[WAVE, "binance"].undecided == 0
    assert viewed(HISTORY).counts[NEXT_WAVE, "binance"].undecided == 1


def test_a_position_is_shown_as_its_newest_record_says() -> None:
    line = viewed(HISTORY).positions[place(TRAILED)]

    assert (line.state, line.status, line.exit_reason) == ("closed", "closed", "trailing-stop")
    assert (line.stop_price, line.exit_price) == (Decimal("0.04500"), Decimal("0.04499"))


def test_what_stays_open_is_what_is_neither_closed_nor_failed() -> None:
    assert [line.symbol for line in viewed(HISTORY).open_positions()] == [NAKED.symbol]


def test_a_position_of_an_earlier_run_is_shown_but_not_counted(tmp_path: Path) -> None:
    write(journal_path(tmp_path), *HISTORY)
    view = RunView()
    with JournalReader.open(journal_path(tmp_path)) as reader:
        (row,) = reader.positions(open_only=True)
        view.seed(row)

    view.apply(step(NAKED, 200, "stop rests", ("unprotected", "protected"), status="open", opened_ns=1, protected_ns=2))

    assert view.positions[place(NAKED)].state == "protected"
    assert view.counts == {}


def test_seeding_never_takes_back_what_a_record_has_said(tmp_path: Path) -> None:
    write(journal_path(tmp_path), *HISTORY)
    view = viewed([step(NAKED, 300, "flat", ("unprotected", "closed"), status="closed")])

    with JournalReader.open(journal_path(tmp_path)) as reader:
        for row in reader.positions(open_only=True):
            view.seed(row)

    assert view.positions[place(NAKED)].status == "closed"


def test_a_snapshot_is_not_changed_by_later_records() -> None:
    view = viewed(HISTORY)
    snapshot = view.snapshot()
    counts = dict(snapshot.counts)

    view.apply(step(NAKED, 300, "flat", ("unprotected", "closed"), status="closed", protected_ns=1))

    assert {line.symbol: line.status for line in snapshot.positions}["DOGUSDT"] == "open"
    assert snapshot.counts == counts != view.counts


def test_a_snapshot_names_the_session_and_its_time() -> None:
    snapshot = viewed(HISTORY).snapshot()

    assert (snapshot.mode, snapshot.accounts, snapshot.recorded) == (SessionMode.PAPER, ("binance", "bybit"), True)
    assert snapshot.now_ns == HISTORY[-1].time_ns
