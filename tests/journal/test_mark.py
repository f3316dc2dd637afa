"""The mark never claims more than what is on the disk, and what it says can't be mistaken."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.core.records import Event
from framework.errors import JournalError
from framework.journal.mark import SYNC_EVERY, Mark, MarkWriter, TornMarkError, create_mark, mark_path, read_mark
from framework.journal.store import Store
from tests.journal import history as h
from tests.journal.test_writer import UNWRITABLE

MARK = Mark("0123456789abcdef0123456789abcdef", 42, bytes(range(32)))

marks = st.builds(
    Mark,
    st.text("0123456789abcdef", min_size=32, max_size=32),
    st.integers(0, 2**63),
    st.binary(min_size=32, max_size=32),
)


def event(number: int) -> Event:
    return Event(number, "info", f"number {number}", "")


def open_store(path: Path) -> Store:
    store = Store(path)
    store.prepare()
    store.connect()
    return store


def committed(path: Path) -> int:
    """How many facts another process would see."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    (count,) = connection.execute("SELECT count(*) FROM facts").fetchone()
    connection.close()
    return int(count)


def seq_of(path: Path) -> int:
    mark = read_mark(path)
    assert mark is not None
    return mark.seq


def test_without_a_mark_there_is_none(path: Path) -> None:
    assert read_mark(path) is None


@given(marks)
def test_all_marks_are_of_one_length(mark: Mark) -> None:
    assert len(mark.line()) == len(MARK.line())


def test_a_mark_is_read_as_it_was_written(path: Path) -> None:
    create_mark(path, MARK)

    assert read_mark(path) == MARK


def test_every_single_flipped_bit_is_found(path: Path) -> None:
    line = MARK.line()
    for bit in range(8 * len(line)):
        torn = bytearray(line)
        torn[bit // 8] ^= 1 << bit % 8
        mark_path(path).write_bytes(torn)

        with pytest.raises(TornMarkError):
            read_mark(path)


def test_every_cut_is_found(path: Path) -> None:
    for length in range(len(MARK.line())):
        mark_path(path).write_bytes(MARK.line()[:length])

        with pytest.raises(TornMarkError):
            read_mark(path)


def test_each_commit_is_there_before_the_mark_tells_of_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    original = MarkWriter.advance

    def advance(writer: MarkWriter, mark: Mark) -> None:
        seen.append((mark.seq, committed(path)))
        original(writer, mark)

    monkeypatch.setattr(MarkWriter, "advance", advance)
    store = open_store(path)

    store.write([event(1), event(2)])
    store.write([event(3)])

    assert seen == [(2, 2), (3, 3)]
    assert seq_of(path) == 3
    store.close()


def test_what_was_not_committed_is_not_told_of(path: Path) -> None:
    store = open_store(path)
    store.write([event(1)])

    with pytest.raises(TypeError):
        store.write([event(2), UNWRITABLE])

    assert seq_of(path) == 1
    store.write([event(3)])
    assert seq_of(path) == 2
    store.close()


def test_the_mark_is_made_durable_now_and_then_and_at_the_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(path)
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: synced.append(seq_of(path)))

    for number in range(SYNC_EVERY + 1):
        store.write([event(number)])
    assert synced == [SYNC_EVERY]
    store.close()

    assert synced == [SYNC_EVERY, SYNC_EVERY + 1]


def test_opening_a_journal_does_not_move_its_mark(path: Path) -> None:
    h.write(path, event(1))
    create_mark(path, Mark(_id_of(path), 0, bytes(32)))  # as after a power cut

    open_store(path).close()

    assert seq_of(path) == 0


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda path: mark_path(path).unlink(), "journal.sqlite.mark is missing"),
        (lambda path: mark_path(path).write_text("torn"), "journal.sqlite.mark can't be read"),
        (lambda path: create_mark(path, MARK), "is not the journal that journal.sqlite.mark tells of"),
        (
            lambda path: create_mark(path, Mark(_id_of(path), 1, bytes(range(32)))),
            "is not the journal that journal.sqlite.mark tells of",
        ),
        (
            lambda path: create_mark(path, Mark(_id_of(path), 2, bytes(range(32)))),
            "is not the journal that journal.sqlite.mark tells of",
        ),
    ],
)
def test_a_journal_that_does_not_fit_its_mark_is_not_written(path: Path, spoil: object, what: str) -> None:
    h.write(path, event(1))
    assert callable(spoil)
    spoil(path)

    with pytest.raises(JournalError, match=f"{what}; `framework journal verify` says more"):
        Store(path).prepare()
    with pytest.raises(JournalError, match=what):
        Store(path).connect()


def test_a_mark_that_cannot_be_written_breaks_the_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(path)

    def fail(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pwrite", fail)
    with pytest.raises(OSError, match="Input/output error"):
        store.write([event(1)])

    assert (committed(path), seq_of(path)) == (1, 0)
    store.close()


def test_a_creation_that_was_interrupted_before_the_identity_keeps_its_mark(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("framework.journal.store.write_identity", None)
        with pytest.raises(TypeError):
            Store(path).prepare()
    made = read_mark(path)

    open_store(path).close()

    assert made is not None
    assert _id_of(path) == made.journal_id


def _id_of(path: Path) -> str:
    connection = sqlite3.connect(path)
    ((journal_id,),) = connection.execute("SELECT journal_id FROM identity").fetchall()
    connection.close()
    return str(journal_id)
