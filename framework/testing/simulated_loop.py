"""An event loop for simulations: virtual time, a seeded order of what is ready, and a process that can be killed.

Whatever asyncio code runs on it is the real code. Nothing ever waits for the machine: there are no sockets, no signals
and no threads. Where several callbacks are ready in one turn, chance from the seed decides which runs first, because
on a machine the order of what the network brings is nobody's choice either. The same seed gives the same run.

Time belongs to an `Outside`: what the process does not control, and what goes on when the process is dead.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import heapq
import math
import random
import sys
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any, Protocol, TypeVarTuple
from weakref import WeakKeyDictionary

NS = 1_000_000_000

Ts = TypeVarTuple("Ts")

CLOSING_TRIES = 20
"""How often a task that awaits something while it is being buried is closed again."""


class Outside(Protocol):
    """Time, and all that happens in it outside the process."""

    def now_ns(self) -> int:
        """The instant, ns UTC."""

    def next_due_ns(self) -> int | None:
        """When something next happens by itself; None: nothing will."""

    def advance(self, delta_ns: int) -> None:
        """Let so much time pass; what falls due on the way happens, each at its instant."""


class KilledError(SystemExit):
    """The process was killed. Not an `Exception`, so that no code of the process survives it."""


class StandstillError(RuntimeError):
    """Nothing is ready, and nothing will ever happen: the process waits for ever."""


class SimulatedLoop(asyncio.BaseEventLoop):
    """An asyncio loop on the time of an `Outside`. Its own time is the seconds since it was made."""

    # What `asyncio.BaseEventLoop` keeps; it is not in its type.
    _ready: deque[asyncio.Handle]
    _stopping: bool
    _closed: bool

    def __init__(self, outside: Outside, chance: random.Random) -> None:
        super().__init__()
        self.outside = outside
        self.is_killed = False
        self._chance = chance
        self._began_ns = outside.now_ns()
        self._timers: list[tuple[float, _Timer]] = []  # with their time, so that a heap compares floats
        self._first: asyncio.Task[Any] | None = None  # nobody else may hold it while it is yet to be buried
        self._contexts: WeakKeyDictionary[asyncio.Task[Any], contextvars.Context] = WeakKeyDictionary()

    def time(self) -> float:
        """Seconds since the loop was made, virtual."""
        return (self.outside.now_ns() - self._began_ns) / NS

    def kill(self) -> None:
        """End the process after the callback that runs now: `run_until_complete` raises `KilledError`."""
        self.is_killed = True

    def bury(self) -> None:
        """Let go of all that the loop was about to do, without letting any of it happen.

        Coroutines are closed where they stand. What they do while they are being closed meets a dead process: it must
        not reach the outside.
        """
        self.is_killed = True
        self.set_exception_handler(lambda loop, context: None)
        buried: set[asyncio.Task[Any]] = set()
        hook, sys.unraisablehook = sys.unraisablehook, lambda unraisable: None  # what awaits while it ends is dropped
        asyncio._set_running_loop(self)  # what is begun while it is closed becomes a task, and is buried too
        while left := [each for each in self._contexts.items() if each[0] not in buried and not each[0].done()]:
            for task, context in left:  # closing one may make another
                buried.add(task)
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                _close(task.get_coro(), context)
        self._drop_what_waits()
        asyncio._set_running_loop(None)
        sys.unraisablehook = hook
        for task in list(self._contexts):
            if task.done() and not task.cancelled():
                task.exception()  # nobody asks any more, and asyncio must not complain of that
        self._first = None
        self.close()

    def _drop_what_waits(self) -> None:
        """Let go of what waits for a turn.

        An asynchronous generator that nobody asks any more waits there for a task that would end it. What it awaits
        ends as it is let go of: on this loop, as all the others.
        """
        while self._ready or self._timers:
            self._ready.clear()
            self._timers.clear()

    def create_task(
        self, coro: Any, *, name: object = None, context: contextvars.Context | None = None
    ) -> asyncio.Task[Any]:
        """As every loop does; the context is kept, to bury the task in."""
        context = contextvars.copy_context() if context is None else context
        task: asyncio.Task[Any] = asyncio.Task(
            coro, loop=self, name=None if name is None else str(name), context=context
        )
        self._contexts[task] = context
        if self._first is None:
            self._first = task
        return task

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """As every loop does, without what only a loop with threads and a debugger has to look at."""
        if self._closed:
            raise RuntimeError("Event loop is closed")
        handle = _Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """As every loop does."""
        if self._closed:
            raise RuntimeError("Event loop is closed")
        timer = _Timer(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, timer))
        return timer

    def _write_to_self(self) -> None:
        """Nobody calls from another thread."""

    def _process_events(self, event_list: Any) -> None:
        """There is no I/O."""

    def _run_once(self) -> None:
        ready, timers = self._ready, self._timers
        if not ready:
            self._pass_time()
        if timers and (timers[0][1]._cancelled or timers[0][0] <= self.time()):
            self._take_due()
        batch = list(ready)
        ready.clear()
        if len(batch) > 1:
            self._chance.shuffle(batch)
        try:
            for handle in batch:
                if not handle._cancelled:
                    handle._run()
                    if self.is_killed:
                        raise KilledError
        except KilledError:
            ready.extend(batch)  # perhaps nobody else holds on to their tasks, which are yet to be buried
            raise

    def _pass_time(self) -> None:
        """Nothing is ready: let time pass until something is due here or outside."""
        timers, outside = self._timers, self.outside
        while timers and timers[0][1]._cancelled:
            heapq.heappop(timers)
        outside_ns = outside.next_due_ns()
        due_ns = self._due_ns(timers[0][0]) if timers else outside_ns
        if due_ns is None:
            raise StandstillError(f"nothing is ready and nothing will ever happen: {self}")
        if outside_ns is not None and outside_ns < due_ns:
            due_ns = outside_ns
        outside.advance(max(0, due_ns - outside.now_ns()))

    def _due_ns(self, when_s: float) -> int:
        """When a timer is due: never before the loop's time, a float, shows it, or it would wait for ever."""
        elapsed_ns = math.ceil(when_s * NS)
        return self._began_ns + elapsed_ns + (elapsed_ns / NS < when_s)

    def _take_due(self) -> None:
        now_s, timers = self.time(), self._timers
        while timers and (timers[0][0] <= now_s or timers[0][1]._cancelled):
            timer = heapq.heappop(timers)[1]
            if not timer._cancelled:
                self._ready.append(timer)


class _Handle(asyncio.Handle):
    """As asyncio makes them, without what only its debugging needs: half of all that is made in a run."""

    __slots__ = ()

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], loop: SimulatedLoop, context: Context | None
    ) -> None:
        self._context = contextvars.copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None

    def cancel(self) -> None:
        """Never run it."""
        self._cancelled = True
        self._callback = self._args = None  # type: ignore[assignment]


class _Timer(_Handle, asyncio.TimerHandle):
    """The same, at a time of the loop."""

    __slots__ = ()

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: SimulatedLoop,
        context: Context | None,
    ) -> None:
        _Handle.__init__(self, callback, args, loop, context)
        self._when = when
        self._scheduled = True


def _close(coroutine: Any, context: contextvars.Context) -> None:
    """End a coroutine that waits; one that awaits something while it ends is told again."""
    for _ in range(CLOSING_TRIES):
        with contextlib.suppress(BaseException):
            context.run(coroutine.close)
            return
