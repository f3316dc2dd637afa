"""Making room for the journal of a session that is about to start.

One journal holds sessions of one kind alone, and a session goes on only in one that can be trusted.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from attrs import frozen

from ..core.records import SessionMode
from ..errors import ConfigError, JournalError, Problem
from .acceptance import unaccepted_in
from .inspection import Finding, inspect
from .lock import WriterLock
from .mark import mark_path
from .reader import JournalReader
from .recovery import Recovered, put_in_place, recover
from .rotation import rotate
from .rows import SessionRow
from .schema import DamagedJournalError
from .store import Store

SESSIONS_DIR = "sessions"
"""Where journals are put aside, in the directory of the journal."""


@frozen
class Preparation:
    """Room for the journal of a session.

    `set_aside`: where an earlier session's journal is now. `damage`: what was wrong with the journal that was there,
    and what was done about it. `entries_stopped`: why this session must open no position; empty when it may.
    """

    set_aside: Path | None = None
    damage: str = ""
    entries_stopped: str = ""


def prepare_journal(
    path: Path, mode: SessionMode, *, recorded: bool, now_ns: Callable[[], int] = time.time_ns
) -> Preparation:
    """Make room for the journal of a session.

    A recorded session and a rehearsal start with an empty journal; other sessions go on in the one that is there. One
    that can't be trusted is recovered first, see `recover`: the session goes on, and opens no position until a person
    has accepted what may be lost.
    `now_ns` is asked when there is damage to write down; without it the machine's clock.
    Raises `ConfigError` if the directory can't be made, or the journal is one of another kind of session: paper,
    recorded, live and rehearsal never share one. Raises `JournalError` if it is in use or can't be read.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError([Problem(str(path.parent), f"cannot be made: {error.strerror}")]) from error
    if not path.exists() and not mark_path(path).exists():
        return Preparation()
    recovered = _made_trustworthy(path, now_ns)
    damage = "" if recovered is None else recovered.message
    found = _read_before(path, _kind(mode, recorded=recorded)) if path.exists() else ""
    if recorded or mode is SessionMode.REHEARSAL:
        return Preparation(rotate(path, path.parent / SESSIONS_DIR), damage)
    return Preparation(None, damage, found)


def _made_trustworthy(path: Path, now_ns: Callable[[], int]) -> Recovered | None:
    """Bring a journal to this version's schema, and recover it if it is damaged."""
    lock = WriterLock.acquire(path)
    try:
        put_in_place(path)
        finding = _up_to_date(path)
        return recover(finding, now_ns()) if finding.damages else None
    except OSError as error:
        raise JournalError(f"{path}: can't be recovered: {error.strerror}; make {path.parent} writable") from error
    finally:
        lock.release()


def _up_to_date(path: Path) -> Finding:
    finding = inspect(path)
    if finding.damages or not finding.outdated:
        return finding
    with contextlib.suppress(DamagedJournalError):  # it does not fit its mark: told by the next look
        Store(path).prepare()
    return inspect(path)


def _read_before(path: Path, now: str) -> str:
    """What of a journal nobody has accepted yet. Raises `ConfigError` if it is one of another kind of session."""
    with JournalReader.open(path) as reader:
        was = {_kind_of(row) for row in reader.sessions()} - {now}
        found = unaccepted_in(reader)
    if was:
        text = f"is the journal of {min(was)}; {now} needs a state directory of its own (--state DIR)"
        raise ConfigError([Problem(str(path), text)])
    return found


def _kind_of(row: SessionRow) -> str:
    return _kind(row.mode, recorded=row.recorded)


def _kind(mode: SessionMode, *, recorded: bool) -> str:
    """What people call such a session. A rehearsal is one, with a recording or without."""
    if mode is SessionMode.PAPER:
        return "a recorded session" if recorded else "a paper session"
    return {SessionMode.LIVE: "a live session", SessionMode.REHEARSAL: "a rehearsal"}[mode]
