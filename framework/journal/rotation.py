"""Where journals live, and putting a finished one aside, so that the next recorded session starts with an empty one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ..errors import JournalError
from . import schema
from .lock import WriterLock
from .reader import JournalReader
from .store import Store

COMPANIONS = ("-wal", "-shm", ".mark")
"""What belongs to a journal, by what follows its name: SQLite's own files, if it is open or died, and the mark."""


def journal_path(state: Path) -> Path:
    """Where the journal of a state directory lives."""
    return state / "journal.sqlite"


def rotate(path: Path, sessions_dir: Path) -> Path | None:
    """Move an existing journal to ``<sessions_dir>/<UTC start of its first session>-<n>.sqlite``; never overwrites.

    Returns where it is now; None when there is no journal or it is empty. Raises `JournalError`: in use, being read
    at this moment, no journal, or the directory can't be written.
    """
    if not path.exists():
        return None
    lock = WriterLock.acquire(path)
    try:
        start_ns = _first_instant(path)
        if start_ns is None:
            return None
        return _move(path, sessions_dir, datetime.fromtimestamp(start_ns // 1_000_000_000, UTC))
    except schema.DATABASE_ERRORS as error:
        raise schema.error_of(path, error) from error
    finally:
        lock.release()


def rebuild(path: Path) -> int:
    """Empty the read models of a journal and fill them again from its facts. Returns the number of facts.

    Raises `JournalError`: in use, no journal, unreadable.
    """
    lock = WriterLock.acquire(path)
    store = Store(path)
    try:
        store.prepare()
        store.connect()
        return store.rebuild()
    except schema.DATABASE_ERRORS as error:
        raise schema.error_of(path, error) from error
    finally:
        store.close()
        lock.release()


def _first_instant(path: Path) -> int | None:
    """When the first session started, or, without one, the first fact was recorded."""
    store = Store(path)
    store.prepare()
    with JournalReader.open(path) as reader:
        sessions, facts = reader.sessions(), reader.facts(limit=1)
    if sessions:
        return sessions[0].started_ns
    return facts[0].time_ns if facts else None


def _move(path: Path, sessions_dir: Path, start: datetime) -> Path:
    _checkpoint(path)
    try:
        sessions_dir.mkdir(parents=True, exist_ok=True)
        target = _free_name(sessions_dir, f"{start:%Y%m%dT%H%M%SZ}")
        # The journal goes last: what is interrupted here is a journal without its mark, and can be recovered whole.
        for suffix in COMPANIONS:
            companion = path.with_name(path.name + suffix)
            # SQLite's are left, and empty, only while somebody still has the journal open.
            if companion.exists():
                companion.rename(target.with_name(target.name + suffix))
        path.rename(target)
    except OSError as error:
        raise JournalError(f"{path}: can't be moved to {sessions_dir}: {error.strerror}; make it writable") from error
    return target


def _checkpoint(path: Path) -> None:
    store = Store(path)
    try:
        store.connect()
        if not store.checkpoint():
            raise JournalError(f"{path}: is being read by another process; end that and start again")
    finally:
        store.close()


def _free_name(sessions_dir: Path, stem: str) -> Path:
    number = 1
    while (target := sessions_dir / f"{stem}-{number}.sqlite").exists():
        number += 1
    return target
