"""Appending without waiting, and knowing when it is on the disk.

In real time one thread owns the connection: it takes all that is queued as one transaction (group commit), so the
more is going on, the less each record costs. After a small one it rests as long as that took: the event loop, which
shares the interpreter with it, goes on meanwhile, and what it makes is the next transaction. Under virtual time the
same happens inside the event loop, one commit for each turn of it, with no thread: a recorded session runs the same
way every time.
"""

from __future__ import annotations

import asyncio
import enum
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from ..core.records import Record
from ..errors import JournalError
from . import schema
from .lock import WriterLock
from .store import Store

if TYPE_CHECKING:
    from .reader import JournalReader

T = TypeVar("T")

MAX_RECORDS_PER_COMMIT = 2000
"""Bounds how long the first of a queue waits for its commit. The records of one call always stay together."""

SMALL = 20
"""Fewer records than this are a small transaction: it costs more for itself than for what is in it."""

LONGEST_REST_S = 0.005
"""Bounds how long the next transaction waits because the one before took its time: a slow disk adds no more to it."""


class WriterKind(enum.Enum):
    """Who writes: a thread of its own (real time), or the event loop itself (virtual time)."""

    THREAD = "thread"
    INLINE = "inline"


class _Ticket:
    """The records of one call, and the future that its caller may wait for."""

    __slots__ = ("future", "records")

    def __init__(self, records: tuple[Record, ...], future: asyncio.Future[None]) -> None:
        self.records = records
        self.future = future


_Settle = Callable[[Sequence[_Ticket], Exception | None], None]


class _Writer(Protocol):
    def submit(self, ticket: _Ticket) -> None:
        """Take over a ticket; never blocks."""

    async def close(self) -> None:
        """Write what is left and let go of the connection."""


class Journal:
    """The journal, open for writing. Belongs to one event loop, whose thread makes all calls.

    `found_ns` is the time of the newest record that an earlier run left in it; 0: there was none.
    `on_durable` is called with each record after its commit, in order; `on_failed` once, when a write has failed.
    From then on nothing is written any more: every later `append` fails too, and entries must stop.
    """

    def __init__(self, path: Path, store: Store, lock: WriterLock, kind: WriterKind) -> None:
        self.path = path
        self.found_ns = store.found_ns
        self.on_durable: list[Callable[[Record], None]] = []
        self.on_failed: list[Callable[[JournalError], None]] = []
        self._lock = lock
        self._failure: JournalError | None = None
        self._closed = False
        writer_type = _ThreadWriter if kind is WriterKind.THREAD else _InlineWriter
        self._writer: _Writer = writer_type(store, self._settle)

    @classmethod
    def open(cls, path: Path, *, writer: WriterKind, accounts: Mapping[str, str] | None = None) -> Journal:
        """Create the journal or open it, bring it to this version's schema, and keep other writers out.

        `accounts`: the name of each account, and what it is traded with. Raises `ConfigError` when one of them was
        another one before. Raises `JournalError`: unwritable, in use, locked, no database, no journal, of a newer
        version, or not the one that its mark tells of.
        """
        lock = WriterLock.acquire(path)
        try:
            store = Store(path)
            store.prepare(accounts)
            return cls(path, store, lock, writer)
        except BaseException:
            lock.release()
            raise

    @property
    def failure(self) -> JournalError | None:
        """Why the journal is broken; None while it is not."""
        return self._failure

    def lease_trouble(self) -> str:
        """Why others may be writing this journal as well; empty: nobody can."""
        return self._lock.trouble()

    def append(self, *records: Record) -> asyncio.Future[None]:
        """Take records over, in the order of the calls. Never blocks; nobody has to wait for the answer.

        Once awaited, the records of this call are committed together and on the disk, or `JournalError` is raised.
        """
        future = asyncio.get_running_loop().create_future()
        if self._failure is not None:
            _fail(future, str(self._failure))
        elif self._closed:
            _fail(future, f"{self.path}: the journal has been closed")
        else:
            self._writer.submit(_Ticket(records, future))
        return future

    def flushed(self) -> asyncio.Future[None]:
        """Once awaited, everything that was appended before is on the disk, or `JournalError` is raised."""
        return self.append()

    async def aclose(self) -> None:
        """Write what is left and let go of the file. Raises `JournalError` if the journal broke on the way."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._writer.close()
        finally:
            # Not before the connection is closed: the next writer must be alone.
            self._lock.release()
        if self._failure is not None:
            raise JournalError(str(self._failure))

    def reader(self) -> JournalReader:
        """A reader with a connection of its own. It sees what has been committed."""
        from .reader import JournalReader

        return JournalReader.open(self.path)

    def _settle(self, tickets: Sequence[_Ticket], error: Exception | None) -> None:
        """In the event loop: tell everybody what came of a transaction."""
        if error is not None:
            self._break(error)
        for ticket in tickets:
            if self._failure is not None:
                _fail(ticket.future, str(self._failure))
                continue
            for record in ticket.records:
                self._tell(self.on_durable, record)
            _resolve(ticket.future)

    def _break(self, error: Exception) -> None:
        if self._failure is None:
            self._failure = schema.error_of(self.path, error)
            self._tell(self.on_failed, self._failure)

    def _tell(self, listeners: list[Callable[[T], None]], what: T) -> None:
        for listener in listeners:
            try:
                listener(what)
            except Exception as error:
                # Who listens can't stop the journal; the loop's handler makes it visible.
                context = {"message": "a listener of the journal failed", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)


def _fail(future: asyncio.Future[None], message: str) -> None:
    if not future.done():
        future.set_exception(JournalError(message))
        # Nobody has to wait for an append: a failure is told by `on_failed`, not by a warning of the event loop.
        future.exception()


class _InlineWriter:
    """Commits in the event loop, once for each turn of it."""

    def __init__(self, store: Store, settle: _Settle) -> None:
        self._store = store
        self._settle = settle
        self._pending: list[_Ticket] = []
        store.connect()

    def submit(self, ticket: _Ticket) -> None:
        if not self._pending:
            asyncio.get_running_loop().call_soon(self._flush)
        self._pending.append(ticket)

    async def close(self) -> None:
        self._flush()
        self._store.close()

    def _flush(self) -> None:
        tickets, self._pending = self._pending, []
        if not tickets:
            return
        failure: Exception | None = None
        try:
            self._store.write([record for ticket in tickets for record in ticket.records])
        except Exception as error:
            failure = error
        self._settle(tickets, failure)


class _ThreadWriter:
    """Commits in a thread of its own, which alone uses the connection."""

    def __init__(self, store: Store, settle: _Settle) -> None:
        self._store = store
        self._settle = settle
        self._queue: queue.SimpleQueue[_Ticket | None] = queue.SimpleQueue()
        self._failure: Exception | None = None
        # A daemon: after a crash of the event loop nothing waits for it. In order, `close` does.
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._drained: asyncio.Future[None] | None = None
        self._thread.start()

    def submit(self, ticket: _Ticket) -> None:
        self._queue.put(ticket)

    async def close(self) -> None:
        self._drained = asyncio.get_running_loop().create_future()
        self._queue.put(None)
        try:
            await self._drained
        finally:
            # A moment only; when the wait was cancelled, as long as writing what is queued takes.
            self._thread.join()

    def _run(self) -> None:
        try:
            self._store.connect()
        except Exception as error:
            self._failure = error
        more = True
        while more:
            tickets, more = self._take()
            if tickets:
                began_s = time.perf_counter()
                self._write(tickets)
                took_s = time.perf_counter() - began_s
                _call_in(tickets[0].future.get_loop(), self._settle, tickets, self._failure)
                if more and sum(len(ticket.records) for ticket in tickets) < SMALL:
                    time.sleep(min(took_s, LONGEST_REST_S))
        self._store.close()
        if self._drained is not None:
            _call_in(self._drained.get_loop(), _resolve, self._drained)

    def _take(self) -> tuple[list[_Ticket], bool]:
        """All that is queued, up to the bound; waits for the first. False: nothing will follow."""
        tickets: list[_Ticket] = []
        count = 0
        try:
            ticket = self._queue.get()
            while ticket is not None:
                tickets.append(ticket)
                count += len(ticket.records)
                if count >= MAX_RECORDS_PER_COMMIT:
                    return tickets, True
                ticket = self._queue.get_nowait()
        except queue.Empty:
            return tickets, True
        return tickets, False

    def _write(self, tickets: Sequence[_Ticket]) -> None:
        if self._failure is not None:
            return
        try:
            self._store.write([record for ticket in tickets for record in ticket.records])
        except Exception as error:
            self._failure = error


def _call_in(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *arguments: object) -> None:
    try:
        loop.call_soon_threadsafe(function, *arguments)
    except RuntimeError:
        # The loop is closed, and with it everybody who waited is gone; what was written stays written.
        return


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
