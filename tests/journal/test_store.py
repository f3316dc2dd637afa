"""Facts can only be added, and the read models follow from them alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from peewee import Model

from framework.core.records import PositionChanged, PositionSummary
from framework.errors import JournalError
from framework.journal import JournalReader, rebuild
from framework.journal.models import READ_MODELS, FactTable, PositionTable, columns_of
from framework.journal.store import Store
from tests.journal import history as h
from tests.journal import strategies


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    """A plain connection that may write, as a stranger's tool would open it."""
    h.write(path, *h.HISTORY)
    connection = sqlite3.connect(path)
    yield connection
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE facts SET body = '{}' WHERE seq = 1",
        "DELETE FROM facts WHERE seq = 1",
        "DELETE FROM facts",
        "INSERT OR REPLACE INTO facts (seq, time_ns, kind, body) VALUES (1, 1, 'event', '{}')",
    ],
)
def test_the_database_itself_refuses_to_change_a_fact(connection: sqlite3.Connection, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="facts are"):
        connection.execute(statement)


def test_the_database_itself_refuses_a_gap(connection: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="without gaps"):
        connection.execute("INSERT INTO facts (seq, time_ns, kind, body) VALUES (1000, 1, 'event', '{}')")


def test_a_commit_is_written_ahead_and_synced_in_full(path: Path) -> None:
    store = Store(path)
    store.prepare()
    store.connect()

    assert store._database.pragma("journal_mode") == "wal"
    assert store._database.pragma("synchronous") == 2
    store.close()


def test_records_of_one_write_are_all_there_or_none(path: Path) -> None:
    h.write(path, h.SESSION)
    unwritable = attrs.evolve(h.step(h.TRAILED, 12, "e", ("a", "b")), snapshot={"bad": object()})

    with pytest.raises(TypeError):
        h.write(path, h.received(h.TRAILED), unwritable)

    with JournalReader.open(path) as reader:
        assert [fact.kind for fact in reader.facts()] == ["session_started"]
        assert reader.signals() == ()


def test_the_columns_of_the_models_are_those_that_the_migrations_made(connection: sqlite3.Connection) -> None:
    models: tuple[type[Model], ...] = (FactTable, *READ_MODELS)
    for model in models:
        info = connection.execute(f"PRAGMA table_info({model._meta.table_name})")
        made = [(name, kind, not required) for _, name, kind, required, *_ in info]
        declared = [(field.column_name, field.field_type, field.null) for field in model._meta.sorted_fields]
        assert made == [(name, _sql_type(kind), null) for name, kind, null in declared]


def _sql_type(field_type: str) -> str:
    return {"INT": "INTEGER", "BOOL": "INTEGER"}.get(field_type, field_type)


def test_every_field_of_a_position_summary_has_a_column() -> None:
    assert {attribute.name for attribute in attrs.fields(PositionSummary)} < set(columns_of(PositionTable))


def _read_models(path: Path) -> dict[str, list[Any]]:
    connection = sqlite3.connect(path)
    tables = [model._meta.table_name for model in READ_MODELS]
    query = "SELECT * FROM {} ORDER BY 1, 2, 3"
    content = {table: connection.execute(query.format(table)).fetchall() for table in tables}
    connection.close()
    return content


@settings(deadline=None, max_examples=40)
@given(strategies.sequences)
def test_rebuilding_from_the_facts_gives_the_same_read_models(sequence: list[Any]) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "journal.sqlite"
        h.write(path, *sequence)
        live = _read_models(path)

        assert rebuild(path) == len(sequence)

        assert _read_models(path) == live


def test_rebuilding_mends_a_read_model_that_was_tampered_with(connection: sqlite3.Connection, path: Path) -> None:
    honest = _read_models(path)
    connection.execute("UPDATE positions SET status = 'open'")
    connection.execute("DELETE FROM fills")
    connection.commit()
    assert _read_models(path) != honest

    rebuild(path)

    assert _read_models(path) == honest


def test_rebuilding_goes_through_more_facts_than_one_page(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework.journal.store._REBUILD_PAGE", 7)
    h.write(path, *h.HISTORY)
    live = _read_models(path)

    assert rebuild(path) == len(h.HISTORY)

    assert _read_models(path) == live


def test_a_fact_that_cannot_be_read_stops_the_rebuilding_and_leaves_the_read_models(path: Path) -> None:
    h.write(path, *h.HISTORY)
    honest = _read_models(path)
    connection = sqlite3.connect(path)
    insert = "INSERT INTO facts (seq, time_ns, kind, body) VALUES (?, 1, 'event', 'torn')"
    connection.execute(insert, (len(h.HISTORY) + 1,))
    connection.commit()
    connection.close()

    with pytest.raises(JournalError, match=rf"{path}: fact {len(h.HISTORY) + 1} \(event\) can't be read"):
        rebuild(path)

    assert _read_models(path) == honest


def test_the_newest_step_of_a_position_wins(path: Path) -> None:
    steps: list[PositionChanged] = [h.step(h.TRAILED, 12, "e", ("a", "b")), h.step(h.TRAILED, 13, "e", ("b", "c"))]
    h.write(path, *steps)

    with JournalReader.open(path) as reader:
        (position,) = reader.positions()
    assert (position.state, position.changed_ns) == ("c", h.BAR + 13 * h.S)
