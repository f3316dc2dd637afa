"""After damage a person has to look: until then no position is opened, because a signal could be taken twice."""

from __future__ import annotations

from pathlib import Path

from ..core.records import Event
from .inspection import inspect
from .lock import WriterLock
from .reader import JournalReader
from .schema import DamagedJournalError
from .store import Store

DAMAGED = "journal_damaged"
"""The code of the event with which a journal begins after damage in which something may have been lost."""

MENDED = "journal_mended"
"""The same, where it is proven that nothing was."""

ACCEPTED = "journal_accepted"


def unaccepted(path: Path) -> str:
    """What was found about a journal and nobody has accepted yet; empty: nothing. Raises `JournalError`."""
    with JournalReader.open(path) as reader:
        return unaccepted_in(reader)


def unaccepted_in(reader: JournalReader) -> str:
    """The same, of a journal that is open."""
    newest = reader.newest_event((DAMAGED, ACCEPTED))
    return newest.message if newest is not None and newest.code == DAMAGED else ""


def accept(path: Path, now_ns: int) -> str:
    """Write down that a person has looked. Returns what was accepted; empty when there was nothing to accept.

    Raises `JournalError`: in use, no journal, or damaged: then a run has to recover it first.
    """
    lock = WriterLock.acquire(path)
    try:
        finding = inspect(path)
        if finding.damages:
            what = "; ".join(damage.message for damage in finding.damages)
            raise DamagedJournalError(path, f"{what}; `framework run` has to recover it first")
        found = unaccepted(path)
        if found:
            _write(path, Event(now_ns, "info", ACCEPTED, "a person has looked at the journal and accepts it as it is"))
        return found
    finally:
        lock.release()


def _write(path: Path, event: Event) -> None:
    store = Store(path)
    store.prepare()
    store.connect()
    try:
        store.write([event])
    finally:
        store.close()
