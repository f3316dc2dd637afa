"""The journal's one writing connection: facts and read models change together, in one transaction.

Each fact is chained to the one before it, and after each commit the mark beside the journal moves on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any

from attrs import evolve
from peewee import SqliteDatabase

from ..core.records import Record
from ..errors import JournalError
from . import codec, schema
from .chain import COLUMNS, GENESIS, link
from .identity import claimed, new_identity, read_identity, write_identity
from .mark import Mark, MarkWriter, TornMarkError, create_mark, mark_path, read_mark
from .models import READ_MODELS
from .projection import apply, fact_of, project
from .statements import INSERT_FACT

# FULL: a commit is on the disk when it returns, and that is what an intent waits for.
PRAGMAS: dict[str, Any] = {"journal_mode": "wal", "synchronous": "full", "foreign_keys": "on"}

BUSY_TIMEOUT_S = 5.0

_REBUILD_PAGE = 1000

_NEWEST_NS = "SELECT time_ns FROM facts ORDER BY seq DESC LIMIT 1"

_hashed = itemgetter(*COLUMNS)


class Store:
    """Synchronous; used by one thread between `connect` and `close`. Writing raises the database's own errors."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = SqliteDatabase(str(path), pragmas=dict(PRAGMAS), timeout=BUSY_TIMEOUT_S)
        self._last_seq = 0
        self._last_hash = GENESIS
        self._journal_id = ""
        self._mark: MarkWriter | None = None
        self.found_ns = 0

    def prepare(self, accounts: Mapping[str, str] | None = None) -> None:
        """Create the journal or bring it to this version's schema, and write down whose it is.

        `found_ns` is the time of its newest fact afterwards; 0: it has none.

        `accounts`: what each account is traded with. Raises `ConfigError` when one of them was another one before,
        `JournalError` when the journal can't be used, or is not the one that its mark tells of.
        """
        # Without pragmas: what turns out to be somebody else's database must not be changed, not even its mode.
        database = SqliteDatabase(str(self._path), timeout=BUSY_TIMEOUT_S)
        try:
            with database.connection_context():
                schema.migrate(database, self._path)
                self._identify(database, accounts or {})
                newest = schema.connection_of(database).execute(_NEWEST_NS).fetchone()
                self.found_ns = 0 if newest is None else int(newest[0])
        except schema.DATABASE_ERRORS as error:
            raise schema.error_of(self._path, error) from error

    def connect(self) -> None:
        """Open the connection of the calling thread. Raises `JournalError`."""
        try:
            self._database.connect()
            self._last_seq, self._last_hash = _end(self._connection)
            self._journal_id = self._matching_mark(self._connection).journal_id
            self._mark = MarkWriter(self._path)
        except (*schema.DATABASE_ERRORS, OSError, JournalError) as error:
            self._database.close()
            raise schema.error_of(self._path, error) from error

    def close(self) -> None:
        """Close the connection of the calling thread."""
        self._database.close()
        if self._mark is not None:
            self._mark.close()
            self._mark = None

    def write(self, records: Sequence[Record]) -> None:
        """Append the records as one transaction. Once this returns they are on the disk, and the mark tells of them.

        If it raises, none is there; but for an `OSError` of the mark, after which all are.
        """
        if not records:
            return
        first, previous = self._last_seq + 1, self._last_hash
        facts = [fact_of(seq, record) for seq, record in enumerate(records, first)]
        for fact in facts:
            fact["hash"] = previous = link(previous, _hashed(fact))
        changes = [change for seq, record in enumerate(records, first) for change in project(seq, record)]
        connection = self._connection
        with transaction(connection):
            connection.executemany(INSERT_FACT.sql, facts)
            apply(connection, changes)
        self._last_seq, self._last_hash = self._last_seq + len(records), previous
        if self._mark is not None:
            self._mark.advance(Mark(self._journal_id, self._last_seq, self._last_hash))

    def rebuild(self) -> int:
        """Empty the read models and fill them from the facts, as one transaction. Returns the number of facts.

        Raises `JournalError` at a fact that can't be read; the read models then stay as they were.
        """
        replayed = 0
        with transaction(self._connection):
            for model in READ_MODELS:
                model.delete().execute(self._database)
            while page := self._page(after_seq=replayed):
                for seq, kind, body in page:
                    apply(self._connection, project(seq, self._decode(seq, kind, body)))
                replayed = page[-1][0]
        return replayed

    def checkpoint(self) -> bool:
        """Move everything from the write-ahead log into the database file. False: a reader is in the way."""
        busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def _identify(self, database: SqliteDatabase, accounts: Mapping[str, str]) -> None:
        """Give a journal that has none its mark, then its identity: what has an identity always had a mark."""
        connection = schema.connection_of(database)
        identity = known = read_identity(connection, self._path)
        if identity is None:
            identity = new_identity()
            if mark_path(self._path).exists():  # a creation that was interrupted, or an old copy of what was there
                identity = evolve(identity, journal_id=self._matching_mark(connection).journal_id)
            else:
                create_mark(self._path, Mark(identity.journal_id, *_end(connection)))
        else:
            self._matching_mark(connection)
        identity = claimed(identity, accounts, self._path)
        if identity != known:
            with transaction(connection):
                write_identity(connection, identity)

    def _matching_mark(self, connection: sqlite3.Connection) -> Mark:
        """The mark, which must be this journal's and tell of a fact that is there."""
        try:
            mark = read_mark(self._path)
        except TornMarkError as error:
            raise schema.DamagedJournalError(self._path, f"{mark_path(self._path).name} can't be read") from error
        if mark is None:
            raise schema.DamagedJournalError(self._path, f"{mark_path(self._path).name} is missing")
        row = connection.execute("SELECT hash FROM facts WHERE seq = ?", (mark.seq,)).fetchone()
        identity = read_identity(connection, self._path)
        is_other = identity is not None and identity.journal_id != mark.journal_id
        if is_other or (GENESIS if mark.seq == 0 else row and row[0]) != mark.hash:
            raise schema.DamagedJournalError(
                self._path, f"is not the journal that {mark_path(self._path).name} tells of"
            )
        return mark

    @property
    def _connection(self) -> sqlite3.Connection:
        return schema.connection_of(self._database)

    def _decode(self, seq: int, kind: str, body: str) -> Record:
        try:
            return codec.decode(kind, body)
        except codec.DECODE_ERRORS as error:
            raise JournalError(
                f"{self._path}: fact {seq} ({kind}) can't be read; restore a copy of the file"
            ) from error

    def _page(self, after_seq: int) -> list[tuple[int, str, str]]:
        query = "SELECT seq, kind, body FROM facts WHERE seq > ? ORDER BY seq LIMIT ?"
        page: list[tuple[int, str, str]] = self._connection.execute(query, (after_seq, _REBUILD_PAGE)).fetchall()
        return page


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """What is done within is committed, or none of it is there. Raises what the database raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite may have rolled back by itself
            connection.execute("ROLLBACK")
        raise


def _end(connection: sqlite3.Connection) -> tuple[int, bytes]:
    """The number and the hash of the newest fact."""
    row: tuple[int, bytes] | None = connection.execute(
        "SELECT seq, hash FROM facts ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    return row or (0, GENESIS)
