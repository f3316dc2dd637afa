"""Whether a file is a journal, and bringing it to the schema of this version."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import peewee

from ..errors import JournalError

if TYPE_CHECKING:
    from peewee import SqliteDatabase

APPLICATION_ID = 0x66776A31
"""The mark in the header of every journal ("fwj1"): what lacks it is somebody else's database."""

DATABASE_ERRORS = (peewee.PeeweeException, sqlite3.Error)

_HISTORY = "schema_migration"
_MIGRATIONS = Path(__file__).parent / "migrations"


def error_of(path: Path, error: Exception) -> JournalError:
    """What went wrong, as one line that names the file and the mend."""
    if isinstance(error, JournalError):
        return error
    said = " ".join(str(error).split())
    if "not a database" in said or "malformed" in said:
        return JournalError(f"{path}: is no journal, or a damaged one ({said}); move it away, or choose another state")
    if "locked" in said:
        return JournalError(f"{path}: is locked by another process ({said}); end that process and start again")
    if "full" in said:
        return JournalError(f"{path}: the disk is full ({said}); make room and start again")
    if isinstance(error, DATABASE_ERRORS):
        return JournalError(f"{path}: can't be used ({said}); see to the file and its directory, and start again")
    return JournalError(f"{path}: a record can't be written down ({said}); this is a defect, please report it")


def connection_of(database: SqliteDatabase) -> sqlite3.Connection:
    """The connection of the calling thread."""
    connection: sqlite3.Connection = database.connection()  # type: ignore[no-untyped-call]
    return connection


def check(database: SqliteDatabase, path: Path) -> None:
    """Raise `JournalError` unless this version can read the journal as it is."""
    applied = _applied(database, path)
    _refuse_newer(applied, path)
    if missing := _known() - applied:
        raise JournalError(f"{path}: was written by an older version (lacks {', '.join(sorted(missing))}); run it once")


def migrate(database: SqliteDatabase, path: Path) -> None:
    """Create or update the schema, each step in a transaction of its own. Raises `JournalError`."""
    # Loaded here: a command that only reads pays nothing for it.
    from playhouse.migrations import Runner

    if database.get_tables():
        _refuse_newer(_applied(database, path), path)
    else:
        database.pragma("application_id", APPLICATION_ID)
    Runner(database, str(_MIGRATIONS), table_name=_HISTORY).up()


def _known() -> frozenset[str]:
    return frozenset(path.stem for path in _MIGRATIONS.glob("[0-9]*.py"))


def _applied(database: SqliteDatabase, path: Path) -> frozenset[str]:
    if database.pragma("application_id") != APPLICATION_ID:
        raise JournalError(f"{path}: is a database, but no journal; move it away, or choose another state")
    if not database.table_exists(_HISTORY):
        return frozenset()
    return frozenset(name for (name,) in connection_of(database).execute(f"SELECT name FROM {_HISTORY}"))  # noqa: S608


def _refuse_newer(applied: frozenset[str], path: Path) -> None:
    if newer := applied - _known():
        raise JournalError(
            f"{path}: was written by a newer version (it has {', '.join(sorted(newer))}); update the framework"
        )
