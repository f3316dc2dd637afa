"""Whether the read models are what the facts say, and the database is sound."""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from peewee import Model, SqliteDatabase

from . import codec, schema
from .models import READ_MODELS, FactTable, columns_of
from .projection import apply, project
from .queries import OVER
from .scan import is_intact

_SCRATCH = {"journal_mode": "off", "synchronous": "off"}
_PAGE = 1000

_MOST_IN_MEMORY = 20_000
"""So many facts take about twenty megabytes."""

_OF_A_RESTART = (
    (
        "signals",
        "SELECT signal_id FROM facts WHERE kind = 'signal_received'",
        "SELECT nullif(signal_id, '') FROM signals WHERE outcome <> 'refused'",
    ),
    (
        "waves",
        "SELECT wave_id FROM facts WHERE kind = 'wave_opened'",
        "SELECT nullif(wave_id, '') FROM waves",
    ),
    (
        "positions",
        "SELECT position_id, seq, json_extract(body, '$.summary.status') FROM facts WHERE seq IN"
        " (SELECT max(seq) FROM facts WHERE kind = 'position_changed' GROUP BY position_id)",
        "SELECT nullif(position_id, ''), seq, status FROM positions",
    ),
)
"""What a restart reads: the table, what the facts say of it, and what it says itself."""


def missing_columns(connection: sqlite3.Connection) -> str:
    """The first column that should be there and isn't, as ``table.column``; empty when all are."""
    models: tuple[type[Model], ...] = (FactTable, *READ_MODELS)
    for model in models:
        table = model._meta.table_name
        there = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        for column in columns_of(model):
            if column not in there:
                return f"{table}.{column}"
    return ""


def restart_disagreements(connection: sqlite3.Connection, since_seq: int) -> list[str]:
    """In what the database is not sound, or the tables that a restart reads differ from the facts.

    `since_seq`: the facts up to this one have not been verified; those that a restart goes on from are, here.
    """
    found = _unsound(connection, "quick_check")  # of pages; that of all indexes takes long
    for table, told, kept in _OF_A_RESTART:
        found += _unsound(connection, f"integrity_check({table})")
        for one, other in ((told, kept), (kept, told)):
            if connection.execute(f"SELECT * FROM ({one} EXCEPT {other}) LIMIT 1").fetchone():  # noqa: S608
                found.append(f"{table} do not follow from the facts")
                break
    over = ", ".join(f"'{status}'" for status in OVER)
    old = f"SELECT seq FROM positions WHERE status NOT IN ({over}) AND seq <= ?"  # noqa: S608 - our own words
    for (seq,) in connection.execute(old, (since_seq,)).fetchall():
        if not is_intact(connection, seq):
            found.append(f"fact {seq} is not as it was written")
    return found


def disagreements(connection: sqlite3.Connection) -> list[str]:
    """In what the database is not sound, and which read models differ from what the facts make of them.

    Replays all facts, into a database of its own: about half a minute for a million.
    """
    found = _unsound(connection, "integrity_check")
    with _scratch(connection) as replayed:
        replayed.execute("BEGIN")
        if unreadable := _replay(connection, replayed):
            return [*found, f"fact {unreadable} can't be read"]
        return found + [text for model in READ_MODELS if (text := _difference(model, connection, replayed))]


@contextlib.contextmanager
def _scratch(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """An empty journal to replay the facts of another into: in memory, or in a file where there are many."""
    (newest,) = connection.execute("SELECT coalesce(max(seq), 0) FROM facts").fetchone()
    if newest <= _MOST_IN_MEMORY:
        with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as replayed:
            replayed.deserialize(_empty_journal())
            yield replayed
        return
    with TemporaryDirectory() as directory:
        path = Path(directory) / "replayed.sqlite"
        path.write_bytes(_empty_journal())
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as replayed:
            for name, value in _SCRATCH.items():
                replayed.execute(f"PRAGMA {name} = {value}")
            yield replayed


@functools.cache
def _empty_journal() -> bytes:
    """The content of a database with the schema of this version and nothing in it."""
    database = SqliteDatabase(":memory:")
    with database.connection_context():
        schema.migrate(database, Path(":memory:"))
        return schema.connection_of(database).serialize()


def _unsound(connection: sqlite3.Connection, check: str) -> list[str]:
    said = [text for (text,) in connection.execute(f"PRAGMA {check}") if text != "ok"]
    return [f"the database is not sound ({' '.join(said[0].split())})"] if said else []


def _replay(facts: sqlite3.Connection, into: sqlite3.Connection) -> int:
    """Carry out what the facts change. Returns the number of one that is no record; 0: all are."""
    for seq, kind, body in facts.execute("SELECT seq, kind, body FROM facts ORDER BY seq"):
        try:
            record = codec.decode(kind, body)
        except codec.DECODE_ERRORS:
            return int(seq)
        apply(into, project(seq, record))
    return 0


def _difference(model: type[Model], kept: sqlite3.Connection, replayed: sqlite3.Connection) -> str:
    table, columns = model._meta.table_name, ", ".join(columns_of(model))
    # Not by an index, which may say something else than the table.
    query = f"SELECT {columns} FROM {table} NOT INDEXED ORDER BY {columns}"  # noqa: S608 - our own names
    one, other = kept.execute(query), replayed.execute(query)
    while True:
        page, same = one.fetchmany(_PAGE), other.fetchmany(_PAGE)
        if page != same:
            return f"{table} do not follow from the facts"
        if not page:
            return ""
