"""Opening a journal: it is created, brought to this version's schema, or refused with one clear line."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from framework.errors import JournalError
from framework.journal import Journal, JournalReader, WriterKind
from framework.journal.schema import APPLICATION_ID
from tests.journal import history as h
from tests.journal.loop import in_loop

pytestmark = pytest.mark.parametrize("kind", list(WriterKind))


async def _touch(path: Path, kind: WriterKind) -> None:
    await Journal.open(path, writer=kind).aclose()


@in_loop
async def test_a_journal_is_created_with_its_directory(tmp_path: Path, kind: WriterKind) -> None:
    path = tmp_path / "deep" / "down" / "journal.sqlite"

    await _touch(path, kind)

    with JournalReader.open(path) as reader:
        assert reader.facts() == ()


@in_loop
async def test_opening_again_goes_on_where_it_ended(path: Path, kind: WriterKind) -> None:
    for _ in range(2):
        journal = Journal.open(path, writer=kind)
        await journal.append(h.SESSION)
        await journal.aclose()

    with JournalReader.open(path) as reader:
        assert [fact.seq for fact in reader.facts()] == [1, 2]


def _text(path: Path) -> None:
    path.write_text("this is no database, and long enough to be one" * 100)


def _other_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE trades (id)")
    connection.commit()
    connection.close()


def _newer(path: Path) -> None:
    h.write(path)
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO schema_migration (name, applied) VALUES ('0999_next', '2030-01-01')")
    connection.commit()
    connection.close()


def _directory(path: Path) -> None:
    path.mkdir()


WRONG: list[tuple[Callable[[Path], None], str]] = [
    (_text, "is no journal, or a damaged one"),
    (_other_database, "is a database, but no journal"),
    (_newer, r"was written by a newer version \(it has 0999_next\)"),
    (_directory, "can't be used"),
]


@pytest.mark.parametrize(("spoil", "message"), WRONG)
def test_what_is_no_journal_of_ours_is_refused_and_left_alone(
    path: Path, kind: WriterKind, spoil: Callable[[Path], None], message: str
) -> None:
    spoil(path)
    before = path.read_bytes() if path.is_file() else b""

    for _ in range(2):  # the second time shows that the lock was let go
        with pytest.raises(JournalError, match=message) as caught:
            Journal.open(path, writer=kind)

    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert (path.read_bytes() if path.is_file() else b"") == before


@pytest.mark.parametrize(("spoil", "message"), WRONG[:3])
def test_a_reader_refuses_the_same(path: Path, kind: WriterKind, spoil: Callable[[Path], None], message: str) -> None:
    spoil(path)

    with pytest.raises(JournalError, match=message):
        JournalReader.open(path)


def test_a_reader_says_when_the_journal_still_has_to_be_brought_up_to_date(path: Path, kind: WriterKind) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.commit()
    connection.close()

    with pytest.raises(JournalError, match=r"older version \(lacks 0001_journal, 0002_session_mode, 0003_chain\)"):
        JournalReader.open(path)


@in_loop
async def test_a_creation_that_was_interrupted_is_finished(path: Path, kind: WriterKind) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("CREATE TABLE schema_migration (id INTEGER PRIMARY KEY, name TEXT, applied TEXT)")
    connection.commit()
    connection.close()

    await _touch(path, kind)

    with JournalReader.open(path) as reader:
        assert reader.sessions() == ()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path, kind: WriterKind) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(JournalError, match=r"can't be written.*make .*file writable"):
        Journal.open(tmp_path / "file" / "journal.sqlite", writer=kind)


def test_a_database_that_another_process_locked_is_refused(
    path: Path, kind: WriterKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("framework.journal.store.BUSY_TIMEOUT_S", 0.01)
    connection = sqlite3.connect(path)
    connection.execute("BEGIN EXCLUSIVE")

    with pytest.raises(JournalError, match="is locked by another process"):
        Journal.open(path, writer=kind)
    connection.close()


@in_loop
async def test_a_second_writer_is_told_who_holds_the_journal(path: Path, kind: WriterKind) -> None:
    first = Journal.open(path, writer=kind)

    with pytest.raises(JournalError, match=r"is in use by process \d+, running since \d{4}-\d\d-\d\dT"):
        Journal.open(path, writer=kind)

    await first.aclose()
    await _touch(path, kind)
