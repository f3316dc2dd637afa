"""The process dies as it recovers, or its journal breaks, is damaged or gone: what is open stays protected."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import peewee
import pytest

from framework import Intent, Outcome, Record, SessionStarted, SignalReceived, WaveDecided
from framework.journal import journal_path
from framework.journal.store import Store
from framework_simulator.simulation import Laboratory
from framework_simulator.simulation.crashes import CASES, Case, crash_points
from tests.faults.scene import (
    OTHER,
    RISE_MS,
    STOP,
    Seen,
    Theatre,
    rises,
    signal,
    turn,
)
from tests.simulation.judging import judge
from tests.survival import ledger

UNWRITTEN = ("left before its intent was durable", "fills that the journal lacks")
"""What can't be otherwise while the journal is broken: stops go on, entries do not. Fills are read again later."""

COMPANIONS = ("", "-wal", "-shm", ".mark")


def lives(seen: Seen) -> list[bool]:
    """Which of the lives were killed."""
    return [life.end.killed for life in seen.outcome.lives]


# ── deaths ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def laboratory() -> Iterator[Laboratory]:
    """Where crashes are run and judged by the oracle."""
    with Laboratory((judge,)) as made:
        yield made


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.phase}-{case.venue}")
def test_a_death_in_the_middle_of_a_recovery_is_recovered_from(laboratory: Laboratory, case: Case) -> None:
    """First in the middle of the phase, then at a few points of the life that follows. `make simulate` has them all."""
    first = crash_points(laboratory, case) // 2

    found = [laboratory.run(case.schedule(first, first + more)) for more in (1, 3, 8, 20)]

    assert [problem for trial in found for problem in trial.problems] == []
    killed = [len(trial.outcome.lives) - 1 for trial in found if trial.outcome is not None]
    assert max(killed) == 2


# ── the journal breaks ──────────────────────────────────────────────────────────────────────────────────────────

BREAKS: dict[str, Callable[[], Exception]] = {
    "disk full": lambda: peewee.OperationalError("database or disk is full"),
    "I/O error": lambda: peewee.OperationalError("disk I/O error"),
    "I/O error of the mark": lambda: OSError(5, "Input/output error"),
    "database locked": lambda: peewee.OperationalError("database is locked"),
    "out of memory": MemoryError,
}

Breaks = Callable[[Exception, type[Record]], None]


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Breaks:
    """Lets every commit fail that comes after the first one with a record of this kind."""
    write = Store.write

    def begin(error: Exception, after: type[Record]) -> None:
        is_broken = False

        def fails(store: Store, records: Sequence[Record]) -> None:
            nonlocal is_broken
            if is_broken:
                raise error
            write(store, records)
            is_broken = any(isinstance(record, after) for record in records)

        monkeypatch.setattr(Store, "write", fails)

    return begin


@pytest.mark.parametrize(
    "after", [Intent, Outcome, WaveDecided], ids=["with the entry", "with its fill", "while it is open"]
)
@pytest.mark.parametrize("how", BREAKS)
def test_a_journal_that_breaks_stops_entries_and_no_stop(
    stage: Theatre, venue: str, how: str, after: type[Record], breaks: Breaks
) -> None:
    """The stop is placed, and follows the price; a later signal opens nothing, and the end says what to do."""
    breaks(BREAKS[how](), after)
    later = signal(venue, symbol=OTHER, at_ms=RISE_MS + 20_000)

    seen = stage.play(venue, signal(venue), rises(venue), later)

    assert [problem for problem in seen.problems if not any(known in problem for known in UNWRITTEN)] == []
    assert len(seen.entries) == 1
    assert ledger.fills(seen.lines, OTHER) == []
    assert len(seen.triggers) == 1
    assert seen.triggers[0] > seen.stops[0]
    assert "journal.sqlite" in seen.outcome.lives[-1].end.error


@pytest.mark.parametrize("after", [SessionStarted, SignalReceived], ids=["with the signal", "with the decision"])
def test_without_a_journal_that_works_nothing_is_opened(
    stage: Theatre, venue: str, after: type[Record], breaks: Breaks
) -> None:
    breaks(BREAKS["disk full"](), after)

    seen = stage.play(venue, signal(venue))

    assert not seen.problems, "\n".join(seen.problems)
    assert (seen.entries, seen.fills) == ([], [])
    assert "make room" in seen.outcome.lives[-1].end.error


# ── the journal is damaged, or gone ─────────────────────────────────────────────────────────────────────────────


def deleted(directory: Path) -> None:
    """All of it."""
    for suffix in COMPANIONS:
        path = journal_path(directory)
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def an_old_copy(directory: Path) -> None:
    """The facts of the position are not in it; the mark says that there were more."""
    path = journal_path(directory)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for name in ("facts_refuse_update", "facts_refuse_delete", "facts_without_gaps"):
            connection.execute(f"DROP TRIGGER IF EXISTS {name}")
        connection.execute("DELETE FROM facts WHERE seq > 3")
    connection.close()


def flipped(directory: Path) -> None:
    """One bit in the middle of the newest of its files that holds facts."""
    path = journal_path(directory)
    wal = path.with_name(path.name + "-wal")
    target = wal if wal.exists() and wal.stat().st_size else path
    data = bytearray(target.read_bytes())
    data[len(data) // 2] ^= 0x10
    target.write_bytes(data)


def torn(directory: Path) -> None:
    """The last third of its newest file is gone."""
    path = journal_path(directory)
    wal = path.with_name(path.name + "-wal")
    target = wal if wal.exists() and wal.stat().st_size else path
    target.write_bytes(target.read_bytes()[: -target.stat().st_size // 3])


@pytest.mark.parametrize("damage", [deleted, an_old_copy, flipped, torn], ids=lambda damage: damage.__name__)
def test_a_journal_that_was_damaged_while_the_product_was_down_ends_with_the_position_protected(
    stage: Theatre, venue: str, damage: Callable[[Path], None]
) -> None:
    """It dies as the stop is moved; what it finds when it is back is not what it wrote. The venue knows better."""
    dies = turn(venue, STOP[venue], after=1 if venue == "binance" else 0, dies=True)

    seen = stage.play(venue, signal(venue), rises(venue), dies, between=damage)

    assert lives(seen)[0]
    assert len(seen.entries) == 1
    assert seen.fills == ["buy"]
    assert len(seen.triggers) == 1
    assert seen.triggers[0] == max(seen.stops)
    open_lines = seen.outcome.lives[-1].end.end
    assert open_lines is not None
    assert [line.stop_price for line in open_lines.open_positions] == seen.triggers
