"""The journal's one writing connection: facts and read models change together, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from peewee import SqliteDatabase

from ..core.records import Record
from ..errors import JournalError
from . import codec, schema
from .models import READ_MODELS
from .projection import Change, fact_of, project
from .statements import INSERT_FACT

# FULL: a commit is on the disk when it returns, and that is what an intent waits for.
PRAGMAS: dict[str, Any] = {"journal_mode": "wal", "synchronous": "full", "foreign_keys": "on"}

BUSY_TIMEOUT_S = 5.0

_REBUILD_PAGE = 1000


class Store:
    """Synchronous; used by one thread between `connect` and `close`. Writing raises the database's own errors."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = SqliteDatabase(str(path), pragmas=dict(PRAGMAS), timeout=BUSY_TIMEOUT_S)
        self._last_seq = 0

    def prepare(self) -> None:
        """Create the journal or bring it to this version's schema. Raises `JournalError`."""
        # Without pragmas: what turns out to be somebody else's database must not be changed, not even its mode.
        database = SqliteDatabase(str(self._path), timeout=BUSY_TIMEOUT_S)
        try:
            with database.connection_context():
                schema.migrate(database, self._path)
        except schema.DATABASE_ERRORS as error:
            raise schema.error_of(self._path, error) from error

    def connect(self) -> None:
        """Open the connection of the calling thread. Raises `JournalError`."""
        try:
            self._database.connect()
            (self._last_seq,) = self._connection.execute("SELECT coalesce(max(seq), 0) FROM facts").fetchone()
        except schema.DATABASE_ERRORS as error:
            raise schema.error_of(self._path, error) from error

    def close(self) -> None:
        """Close the connection of the calling thread."""
        self._database.close()

    def write(self, records: Sequence[Record]) -> None:
        """Append the records as one transaction. Once this returns they are on the disk; if it raises, none is."""
        if not records:
            return
        first = self._last_seq + 1
        facts = [fact_of(seq, record) for seq, record in enumerate(records, first)]
        changes = [change for seq, record in enumerate(records, first) for change in project(seq, record)]
        with self._database.atomic("IMMEDIATE"):
            self._connection.executemany(INSERT_FACT.sql, facts)
            self._apply(changes)
        self._last_seq += len(records)

    def rebuild(self) -> int:
        """Empty the read models and fill them from the facts, as one transaction. Returns the number of facts.

        Raises `JournalError` at a fact that can't be read; the read models then stay as they were.
        """
        replayed = 0
        with self._database.atomic("IMMEDIATE"):
            for model in READ_MODELS:
                model.delete().execute(self._database)
            while page := self._page(after_seq=replayed):
                for seq, kind, body in page:
                    self._apply(project(seq, self._decode(seq, kind, body)))
                replayed = page[-1][0]
        return replayed

    def checkpoint(self) -> bool:
        """Move everything from the write-ahead log into the database file. False: a reader is in the way."""
        busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    @property
    def _connection(self) -> sqlite3.Connection:
        return schema.connection_of(self._database)

    def _apply(self, changes: Iterable[Change]) -> None:
        for statement, group in groupby(changes, key=lambda change: change.statement):
            self._connection.executemany(statement.sql, [change.values for change in group])

    def _decode(self, seq: int, kind: str, body: str) -> Record:
        try:
            return codec.decode(kind, body)
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise JournalError(
                f"{self._path}: fact {seq} ({kind}) can't be read; restore a copy of the file"
            ) from error

    def _page(self, after_seq: int) -> list[tuple[int, str, str]]:
        query = "SELECT seq, kind, body FROM facts WHERE seq > ? ORDER BY seq LIMIT ?"
        page: list[tuple[int, str, str]] = self._connection.execute(query, (after_seq, _REBUILD_PAGE)).fetchall()
        return page
