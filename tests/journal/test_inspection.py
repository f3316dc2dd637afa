"""What is wrong with a journal is recognised, and told in one clear line."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings

from framework.core.records import Event
from framework.errors import JournalError
from framework.journal import Journal, Trouble, WriterKind, consistency, inspect, verify
from framework.journal.identity import Identity, write_identity
from framework.journal.mark import mark_path
from framework.journal.store import Store
from tests.journal import damage, strategies
from tests.journal import history as h
from tests.journal.loop import in_loop

COUNT = len(damage.LIVE)


@pytest.fixture
def journal(path: Path) -> Path:
    """A live journal as a crash leaves it."""
    damage.write_and_die(path, *damage.groups())
    return path


def without_database(path: Path) -> None:
    for suffix in ("", "-wal"):
        path.with_name(path.name + suffix).unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def overwritten(path: Path) -> None:
    path.with_name(path.name + "-wal").unlink(missing_ok=True)
    path.write_bytes(b"something else" * 1000)


def replaced_by_a_foreign_database(path: Path) -> None:
    without_database(path)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE trades (id)")
    connection.commit()
    connection.close()


def body_changed(path: Path) -> None:
    damage.execute(path, "UPDATE facts SET body = replace(body, '\"', '') WHERE seq = 18")


def time_changed(path: Path) -> None:
    damage.execute(path, "UPDATE facts SET time_ns = time_ns + 1 WHERE seq = 5")


def id_changed(path: Path) -> None:
    damage.execute(path, "UPDATE facts SET signal_id = NULL WHERE seq = 5")


def hash_changed(path: Path) -> None:
    damage.execute(path, "UPDATE facts SET hash = randomblob(32) WHERE seq = 5")


def fact_removed(path: Path) -> None:
    damage.execute(path, "DELETE FROM facts WHERE seq = 5")


def tail_removed(path: Path) -> None:
    damage.execute(path, f"DELETE FROM facts WHERE seq > {COUNT - 3}")  # noqa: S608


def write_ahead_log_removed(path: Path) -> None:
    path.with_name(path.name + "-wal").unlink()


def write_ahead_log_flipped(path: Path) -> None:
    damage.Blow("-wal", "flip", 8 * 5000).strike(path)


def old_copy_restored(path: Path) -> None:
    without_database(path)
    mark = mark_path(path).read_bytes()
    mark_path(path).unlink()
    h.write(path, *damage.LIVE[:10])
    damage.execute(path, f"UPDATE identity SET journal_id = '{mark.split()[2].decode()}', hash = x''")  # noqa: S608
    _sign(path)
    mark_path(path).write_bytes(mark)


def old_copy_written_on(path: Path) -> None:
    without_database(path)
    mark = mark_path(path).read_bytes()
    mark_path(path).unlink()
    h.write(path, *damage.LIVE[:10], *(Event(number, "info", "other", "") for number in range(COUNT)))
    damage.execute(path, f"UPDATE identity SET journal_id = '{mark.split()[2].decode()}', hash = x''")  # noqa: S608
    _sign(path)
    mark_path(path).write_bytes(mark)


def _sign(path: Path) -> None:
    connection = sqlite3.connect(path)
    ((journal_id,),) = connection.execute("SELECT journal_id FROM identity").fetchall()
    with connection:
        write_identity(connection, Identity(journal_id))
    connection.close()


def foreign(path: Path) -> None:
    without_database(path)
    mark = mark_path(path).read_bytes()
    mark_path(path).unlink()
    h.write(path, *damage.LIVE)
    mark_path(path).write_bytes(mark)


def identity_changed(path: Path) -> None:
    damage.execute(path, "UPDATE identity SET accounts = replace(accounts, 'bybit', 'other')")


def without_mark(path: Path) -> None:
    mark_path(path).unlink()


def mark_torn(path: Path) -> None:
    mark_path(path).write_bytes(mark_path(path).read_bytes()[:40])


def last_body_undecodable(path: Path) -> None:
    damage.execute(path, f"UPDATE facts SET body = CAST(x'ff' AS TEXT) || body WHERE seq = {COUNT}")  # noqa: S608


def index_incomplete(path: Path) -> None:
    damage.execute(
        path,
        "DROP INDEX facts_of_position",
        "CREATE INDEX facts_of_position ON facts (position_id) WHERE position_id IS NOT NULL AND seq > 20",
        "PRAGMA writable_schema = on",
        "UPDATE sqlite_master SET sql = replace(sql, ' AND seq > 20', '') WHERE name = 'facts_of_position'",
    )


def signals_index_incomplete(path: Path) -> None:
    damage.execute(
        path,
        "DROP INDEX signals_once",
        "CREATE UNIQUE INDEX signals_once ON signals (signal_id) WHERE outcome <> 'refused' AND seq > 8",
        "PRAGMA writable_schema = on",
        "UPDATE sqlite_master SET sql = replace(sql, ' AND seq > 8', '') WHERE name = 'signals_once'",
    )


def read_model_changed(path: Path) -> None:
    damage.execute(path, "UPDATE orders SET message = 'changed' WHERE result = 'refused'")


def signal_forgotten(path: Path) -> None:
    damage.execute(path, "DELETE FROM signals WHERE signal_id = '1' AND outcome <> 'refused'")


def position_closed(path: Path) -> None:
    damage.execute(path, "UPDATE positions SET status = 'closed'")


def column_missing(path: Path) -> None:
    damage.execute(path, "ALTER TABLE sessions RENAME COLUMN mode TO mood")


def migration_forgotten(path: Path) -> None:
    damage.execute(path, "UPDATE schema_migration SET name = '0003_chaim' WHERE name = '0003_chain'")


SPOILED: list[tuple[Callable[[Path], None], Trouble, str]] = [
    (without_database, Trouble.LOST, f"is missing or empty, but journal.sqlite.mark tells of {COUNT} facts"),
    (emptied, Trouble.LOST, f"is missing or empty, but journal.sqlite.mark tells of {COUNT} facts"),
    (overwritten, Trouble.UNREADABLE, "can't be read (file is not a database)"),
    (replaced_by_a_foreign_database, Trouble.UNREADABLE, "can't be read (is a database, but no journal; "),
    (body_changed, Trouble.CHANGED, f"1 of {COUNT} facts are not as they were written (18)"),
    (time_changed, Trouble.CHANGED, f"1 of {COUNT} facts are not as they were written (5)"),
    (id_changed, Trouble.CHANGED, f"1 of {COUNT} facts are not as they were written (5)"),
    (hash_changed, Trouble.CHANGED, f"2 of {COUNT} facts are not as they were written (5, 6)"),
    (fact_removed, Trouble.CHANGED, f"2 of {COUNT} facts are not as they were written (5, 6)"),
    (tail_removed, Trouble.BEHIND, f"ends at fact {COUNT - 3}, but journal.sqlite.mark tells of {COUNT}: "),
    (write_ahead_log_removed, Trouble.BEHIND, f"but journal.sqlite.mark tells of {COUNT}: the last were lost, or"),
    (write_ahead_log_flipped, Trouble.BEHIND, f"but journal.sqlite.mark tells of {COUNT}: the last were lost, or"),
    (old_copy_restored, Trouble.BEHIND, f"ends at fact 10, but journal.sqlite.mark tells of {COUNT}: the last were"),
    (old_copy_written_on, Trouble.REPLACED, f"fact {COUNT} is not the one that journal.sqlite.mark tells of"),
    (foreign, Trouble.FOREIGN, "is another journal than the one that journal.sqlite.mark tells of"),
    (identity_changed, Trouble.UNREADABLE, "its identity is not as it was written"),
    (without_mark, Trouble.MARK_MISSING, "journal.sqlite.mark is missing"),
    (mark_torn, Trouble.MARK_TORN, "journal.sqlite.mark can't be read: it is torn, or was changed"),
    (last_body_undecodable, Trouble.UNREADABLE, f"what follows fact {COUNT - 1} can't be read"),
    (index_incomplete, Trouble.DISAGREES, "the database is not sound (row "),
    (read_model_changed, Trouble.DISAGREES, "orders do not follow from the facts"),
    (signal_forgotten, Trouble.DISAGREES, "signals do not follow from the facts"),
    (position_closed, Trouble.DISAGREES, "positions do not follow from the facts"),
    (column_missing, Trouble.UNREADABLE, "its schema lacks sessions.mode"),
    (migration_forgotten, Trouble.UNREADABLE, "the list of its migrations is not as it was written"),
]

each_damage = pytest.mark.parametrize(
    ("spoil", "trouble", "message"), SPOILED, ids=lambda value: getattr(value, "__name__", "")
)


def test_a_journal_that_nothing_happened_to_is_whole(journal: Path) -> None:
    for finding in (inspect(journal), verify(journal)):
        assert (finding.facts, finding.checked, finding.damages) == (COUNT, COUNT, ())


def test_what_a_long_journal_says_is_compared_in_a_file_and_found_the_same(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consistency, "_MOST_IN_MEMORY", COUNT - 1)
    assert verify(journal).damages == ()

    read_model_changed(journal)

    assert "orders do not follow from the facts" in verify(journal).message()


@each_damage
def test_damage_is_recognised_and_named(
    journal: Path, spoil: Callable[[Path], None], trouble: Trouble, message: str
) -> None:
    spoil(journal)

    for finding in (inspect(journal), verify(journal)):
        assert [damage.trouble for damage in finding.damages] == [trouble]
        assert message in finding.damages[0].message
        assert finding.message().startswith(f"{journal}: ")
        assert "\n" not in finding.message()


RESTART = (
    last_body_undecodable,
    signals_index_incomplete,
    body_changed,
    hash_changed,
    fact_removed,
    tail_removed,
    signal_forgotten,
    position_closed,
)


@pytest.mark.parametrize("spoil", RESTART)
def test_of_a_long_journal_the_start_looks_at_what_a_restart_goes_on_from(
    journal: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], None]
) -> None:
    monkeypatch.setattr("framework.journal.inspection.REPLAYED_FACTS", 0)
    assert inspect(journal).damages == ()
    spoil(journal)

    assert inspect(journal).damages != ()


def test_of_a_long_journal_the_start_goes_through_the_newest_facts_and_those_of_open_positions(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("framework.journal.inspection.REPLAYED_FACTS", 0)
    monkeypatch.setattr("framework.journal.inspection.NEWEST_FACTS", 10)
    assert (inspect(journal).checked, verify(journal).checked) == (10, COUNT)
    with_open_position = next(
        seq for seq, record in enumerate(damage.LIVE, 1) if getattr(record, "position_id", "") == h.place(h.NAKED)
        and getattr(record, "event", "") == "filled"
    )  # fmt: skip
    assert with_open_position < COUNT - 10

    damage.execute(journal, "UPDATE facts SET body = replace(body, 'e', 'E') WHERE seq = 2")
    assert inspect(journal).damages == ()  # left to `verify`
    assert verify(journal).damages != ()
    damage.execute(journal, f"UPDATE facts SET account = 'other' WHERE seq = {with_open_position}")  # noqa: S608
    assert f"fact {with_open_position} is not as it was written" in inspect(journal).message()


@settings(deadline=None, max_examples=30)
@given(strategies.sequences)
def test_any_sequence_of_records_is_found_to_be_whole_by_the_start_of_a_long_journal(sequence: list[Any]) -> None:
    with TemporaryDirectory() as directory, patch("framework.journal.inspection.REPLAYED_FACTS", -1):
        path = Path(directory) / "journal.sqlite"
        h.write(path, *sequence)

        assert inspect(path).damages == ()


def test_nothing_at_all_is_fine_at_the_start_and_an_error_for_who_wants_to_verify(path: Path) -> None:
    assert inspect(path).damages == ()

    with pytest.raises(JournalError, match="there is no journal yet"):
        verify(path)


def test_what_has_never_had_a_mark_may_be_no_journal_and_is_refused(path: Path) -> None:
    overwritten(path)

    with pytest.raises(JournalError, match="is no journal, or a damaged one"):
        inspect(path)


def test_what_has_lost_its_mark_but_has_our_header_is_a_damaged_journal(journal: Path) -> None:
    damage.fold_in(journal)
    without_mark(journal)
    data = journal.read_bytes()
    journal.write_bytes(data[: len(data) // 2])

    assert inspect(journal).damages[0].trouble is Trouble.UNREADABLE


def test_a_newer_journal_is_no_damage(journal: Path) -> None:
    damage.execute(journal, "INSERT INTO schema_migration (name, applied) VALUES ('0999_next', '2030-01-01')")

    with pytest.raises(JournalError, match="was written by a newer version"):
        inspect(journal)


def test_a_locked_journal_is_no_damage(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework.journal.schema.BUSY_TIMEOUT_S", 0.01)
    damage.fold_in(journal)
    connection = sqlite3.connect(journal, isolation_level=None)
    connection.execute("PRAGMA journal_mode = delete")
    connection.execute("BEGIN EXCLUSIVE")

    with pytest.raises(JournalError, match="is locked by another process"):
        inspect(journal)
    connection.close()


def test_looking_changes_nothing(journal: Path) -> None:
    before = {suffix: journal.with_name(journal.name + suffix).read_bytes() for suffix in damage.FILES}

    inspect(journal)
    verify(journal)

    assert {suffix: journal.with_name(journal.name + suffix).read_bytes() for suffix in damage.FILES} == before


@in_loop
async def test_a_journal_that_is_being_written_is_whole_at_any_moment(path: Path) -> None:
    journal = Journal.open(path, writer=WriterKind.THREAD)
    for number in range(40):
        journal.append(*(Event(number, "info", f"{number} {each}", "") for each in range(50)))
        finding = verify(path)
        assert finding.damages == ()
        assert finding.facts == finding.checked
    await journal.aclose()
    assert verify(path).facts == 40 * 50


def test_facts_that_cannot_be_read_do_not_hide_those_after_them(path: Path) -> None:
    store = Store(path)
    store.prepare()
    store.connect()
    store.write([Event(number, "info", "x" * 300, "") for number in range(2000)])
    store.checkpoint()
    store.close()
    data = path.read_bytes()
    pages = [at for at in range(0, len(data), 4096) if data[at] == 13 and b'"code":"xxx' in data[at : at + 4096]]
    at = pages[len(pages) // 2]
    path.write_bytes(data[:at] + bytes(4096) + data[at + 4096 :])

    finding = inspect(path)

    assert 1950 < finding.checked < 2000
    assert finding.facts == 2000
