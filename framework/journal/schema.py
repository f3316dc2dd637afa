"""Whether a file is a journal, and bringing it to the schema of this version."""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import peewee

from ..errors import JournalError

if TYPE_CHECKING:
    from peewee import SqliteDatabase

APPLICATION_ID = 0x66776A31
"""The mark in the header of every journal ("fwj1"): what lacks it is somebody else's database."""

DATABASE_ERRORS = (peewee.PeeweeException, sqlite3.Error)

BUSY_TIMEOUT_S = 5.0

_HISTORY = "schema_migration"
_MIGRATIONS = Path(__file__).parent / "migrations"


class NoJournalError(JournalError):
    """A database, but somebody else's."""


class DamagedJournalError(JournalError):
    """A journal that is not as it was written."""

    def __init__(self, path: Path, what: str) -> None:
        self.what = what
        super().__init__(f"{path}: {what}; `framework journal verify` says more")


class NewerJournalError(JournalError):
    """A later version has written it."""


def error_of(path: Path, error: Exception) -> JournalError:
    """What went wrong, as one line that names the file and the mend."""
    if isinstance(error, JournalError):
        return error
    said = " ".join(str(_first(error)).split())
    if "not a database" in said or "malformed" in said:
        return JournalError(f"{path}: is no journal, or a damaged one ({said}); move it away, or choose another state")
    if "locked" in said:
        return JournalError(f"{path}: is locked by another process ({said}); end that process and start again")
    if "full" in said or "No space left" in said:
        return JournalError(f"{path}: the disk is full ({said}); make room and start again")
    if isinstance(error, (*DATABASE_ERRORS, OSError)):
        return JournalError(f"{path}: can't be used ({said}); see to the file and its directory, and start again")
    return JournalError(f"{path}: a record can't be written down ({said}); this is a defect, please report it")


def _first(error: BaseException) -> BaseException:
    """What the database said first: SQLite may roll back by itself, and refuses to be asked for it once more."""
    while isinstance(error.__context__, DATABASE_ERRORS):
        error = error.__context__
    return error


def connection_of(database: SqliteDatabase) -> sqlite3.Connection:
    """The connection of the calling thread."""
    connection: sqlite3.Connection = database.connection()  # type: ignore[no-untyped-call]
    return connection


def open_to_read(path: Path) -> SqliteDatabase:
    """A read-only connection. It never changes the file, nor empties the write-ahead log. Raises `DATABASE_ERRORS`."""
    from peewee import SqliteDatabase

    database = SqliteDatabase(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)
    database.connect()
    return database


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """One state of a journal, whatever is written meanwhile, on a connection of its own. Raises `DATABASE_ERRORS`."""
    database = open_to_read(path)
    try:
        connection = connection_of(database)
        connection.execute("BEGIN")
        yield connection
    finally:
        database.close()


def check(database: SqliteDatabase, path: Path) -> None:
    """Raise `JournalError` unless this version can read the journal as it is."""
    if missing := missing_steps(connection_of(database), path):
        raise JournalError(f"{path}: was written by an older version (lacks {', '.join(sorted(missing))}); run it once")


def missing_steps(connection: sqlite3.Connection, path: Path) -> frozenset[str]:
    """The migrations that the journal lacks. Raises `NoJournalError`, and `NewerJournalError`.

    Raises `DamagedJournalError` for a history that no version has written: unknown steps, while known ones are missing.
    """
    applied = _applied(connection, path)
    missing = _known() - applied
    if missing and applied - _known():
        raise DamagedJournalError(path, "the list of its migrations is not as it was written")
    _refuse_newer(applied, path)
    return missing


def migrate(database: SqliteDatabase, path: Path) -> None:
    """Create or update the schema, each step in a transaction of its own. Raises `JournalError`."""
    connection = connection_of(database)
    if connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' LIMIT 1").fetchone():
        applied = _applied(connection, path)
        _refuse_newer(applied, path)
        if applied == _known():
            return
    else:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    # Loaded here: whoever has nothing to update pays nothing for it.
    from playhouse.migrations import Runner

    Runner(database, str(_MIGRATIONS), table_name=_HISTORY).up()


@functools.cache
def _known() -> frozenset[str]:
    return frozenset(path.stem for path in _MIGRATIONS.glob("[0-9]*.py"))


def _applied(connection: sqlite3.Connection, path: Path) -> frozenset[str]:
    if connection.execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
        raise NoJournalError(f"{path}: is a database, but no journal; move it away, or choose another state")
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (_HISTORY,)).fetchone():
        return frozenset()
    return frozenset(name for (name,) in connection.execute(f"SELECT name FROM {_HISTORY}"))  # noqa: S608


def _refuse_newer(applied: frozenset[str], path: Path) -> None:
    if newer := applied - _known():
        raise NewerJournalError(
            f"{path}: was written by a newer version (it has {', '.join(sorted(newer))}); update the framework"
        )
