"""Finished journals are put aside, each under a name of its own."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from framework.core.records import Event
from framework.errors import JournalError
from framework.journal import Journal, JournalReader, WriterKind, rotate
from tests.journal import history as h
from tests.journal.loop import in_loop


def test_a_journal_moves_to_the_start_of_its_first_session(path: Path, tmp_path: Path) -> None:
    h.write(path, *h.HISTORY)

    moved = rotate(path, tmp_path / "sessions")

    assert moved == tmp_path / "sessions" / "20251031T223000Z-1.sqlite"
    assert not path.exists()
    with JournalReader.open(moved) as reader:
        assert len(reader.facts()) == len(h.HISTORY)


def test_nothing_is_ever_overwritten(path: Path, tmp_path: Path) -> None:
    moved = []
    for _ in range(3):
        h.write(path, h.SESSION)
        moved.append(rotate(path, tmp_path / "sessions"))

    assert [target.name for target in moved if target] == [f"20251031T223000Z-{number}.sqlite" for number in (1, 2, 3)]


def test_without_a_journal_or_with_an_empty_one_there_is_nothing_to_move(path: Path, tmp_path: Path) -> None:
    assert rotate(path, tmp_path / "sessions") is None
    h.write(path)

    assert rotate(path, tmp_path / "sessions") is None
    assert path.exists()
    assert not (tmp_path / "sessions").exists()


def test_without_a_session_the_first_fact_gives_the_name(path: Path, tmp_path: Path) -> None:
    h.write(path, Event(h.BAR + h.S, "info", "c", "m"))

    moved = rotate(path, tmp_path / "sessions")

    assert moved is not None
    assert moved.name == "20251031T223001Z-1.sqlite"


def test_what_only_the_write_ahead_log_held_moves_along(path: Path, tmp_path: Path) -> None:
    h.write(path, h.SESSION)
    reader = JournalReader.open(path)  # keeps the log from being folded in when the writer closes
    h.write(path, *h.HISTORY[1:])
    assert path.with_name(path.name + "-wal").exists()

    moved = rotate(path, tmp_path / "sessions")

    reader.close()
    assert moved is not None
    assert not path.with_name(path.name + "-wal").exists()
    connection = sqlite3.connect(f"file:{moved}?immutable=1", uri=True)  # looks at the main file alone
    assert connection.execute("SELECT count(*) FROM facts").fetchone() == (len(h.HISTORY),)
    connection.close()


@in_loop
async def test_a_journal_that_is_being_written_stays(path: Path, tmp_path: Path) -> None:
    journal = Journal.open(path, writer=WriterKind.INLINE)
    await journal.append(h.SESSION)

    with pytest.raises(JournalError, match="is in use by process"):
        rotate(path, tmp_path / "sessions")

    await journal.aclose()
    assert rotate(path, tmp_path / "sessions") is not None


def test_a_journal_that_is_being_read_at_this_moment_stays(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("framework.journal.store.BUSY_TIMEOUT_S", 0.01)
    h.write(path, h.SESSION)
    keeper = JournalReader.open(path)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM facts").fetchone()
    h.write(path, *h.HISTORY[1:])

    with pytest.raises(JournalError, match="is being read by another process"):
        rotate(path, tmp_path / "sessions")

    connection.close()
    keeper.close()
    assert rotate(path, tmp_path / "sessions") is not None


def test_a_directory_that_cannot_be_made_is_named(path: Path, tmp_path: Path) -> None:
    h.write(path, h.SESSION)
    (tmp_path / "sessions").touch()

    with pytest.raises(JournalError, match=r"can't be moved to .*sessions"):
        rotate(path, tmp_path / "sessions")

    assert path.exists()


def test_what_is_no_journal_is_not_moved(path: Path, tmp_path: Path) -> None:
    path.write_text("no database at all, but long enough to look like one" * 40)

    with pytest.raises(JournalError, match="is no journal"):
        rotate(path, tmp_path / "sessions")

    assert path.exists()
