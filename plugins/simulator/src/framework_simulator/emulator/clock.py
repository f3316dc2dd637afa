"""Emulator time: the clock that venues sign by, and the timers that run on it.

Two kinds with one face. `RealClock` follows the machine's clock and an asyncio loop; `ManualClock` stands still until
it is advanced, and then runs the timers that fall due, in order.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Protocol

from attrs import define, field

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

Cancel = Callable[[], None]


class TimerLoop(Protocol):
    """What `RealClock` needs of an asyncio event loop."""

    def call_later(self, delay: float, callback: Callable[[], object]) -> Handle:
        """Run a callback after `delay` seconds."""
        ...


class Handle(Protocol):
    """A timer that can be called off."""

    def cancel(self) -> None:
        """Call it off."""
        ...


class EmulatorClock(Protocol):
    """Emulator time."""

    def now_ns(self) -> int:
        """The instant, ns UTC. Never runs backwards."""
        ...

    def advance(self, delta_ns: int) -> None:
        """Jump ahead, running the timers that fall due on the way."""
        ...

    def schedule(self, delay_ns: int, callback: Callable[[], object]) -> Cancel:
        """Run a callback once, after `delay_ns` of emulator time; answers what calls it off."""
        ...


@define
class ManualClock:
    """Time stands still until somebody advances it. Timers of one instant run in the order they were made."""

    _now_ns: int = 1_700_000_000 * NS_PER_S
    _timers: list[tuple[int, int, Callable[[], object]]] = field(factory=list, init=False)
    _numbers: itertools.count[int] = field(factory=itertools.count, init=False)
    _cancelled: set[int] = field(factory=set, init=False)

    def now_ns(self) -> int:
        """The instant."""
        return self._now_ns

    def advance(self, delta_ns: int) -> None:
        """Go ahead by `delta_ns`, halting at every timer."""
        end_ns = self._now_ns + delta_ns
        while self._timers and self._timers[0][0] <= end_ns:
            due_ns, number, callback = heapq.heappop(self._timers)
            self._now_ns = max(self._now_ns, due_ns)
            if number in self._cancelled:
                self._cancelled.discard(number)
            else:
                callback()
        self._now_ns = max(self._now_ns, end_ns)

    def schedule(self, delay_ns: int, callback: Callable[[], object]) -> Cancel:
        """Run a callback when time has been advanced so far."""
        number = next(self._numbers)
        heapq.heappush(self._timers, (self._now_ns + max(0, delay_ns), number, callback))
        return lambda: self._cancelled.add(number)


@define
class RealClock:
    """Follows `source` (ns UTC), plus what it was advanced by. Timers run on `loop`, or early when time jumps."""

    source: Callable[[], int]
    loop: TimerLoop
    _ahead_ns: int = field(default=0, init=False)
    _last_ns: int = field(default=0, init=False)
    _timers: dict[int, tuple[int, Callable[[], object], Handle]] = field(factory=dict, init=False)
    _numbers: itertools.count[int] = field(factory=itertools.count, init=False)

    def now_ns(self) -> int:
        """The instant."""
        self._last_ns = max(self._last_ns, self.source() + self._ahead_ns)
        return self._last_ns

    def advance(self, delta_ns: int) -> None:
        """Jump ahead: timers that fall due in between run now, each at its instant."""
        end_ns = self.now_ns() + delta_ns
        while (due := min(((due, n) for n, (due, _, _) in self._timers.items()), default=None)) is not None:
            due_ns, number = due
            if due_ns > end_ns:
                break
            self._ahead_ns += max(0, due_ns - self.now_ns())
            self._run(number)
        self._ahead_ns += max(0, end_ns - self.now_ns())
        for number, (due_ns, callback, handle) in tuple(self._timers.items()):
            handle.cancel()
            self._arm(number, due_ns, callback)

    def schedule(self, delay_ns: int, callback: Callable[[], object]) -> Cancel:
        """Run a callback on the loop."""
        number = next(self._numbers)
        self._arm(number, self.now_ns() + max(0, delay_ns), callback)

        def cancel() -> None:
            timer = self._timers.pop(number, None)
            if timer is not None:
                timer[2].cancel()

        return cancel

    def _arm(self, number: int, due_ns: int, callback: Callable[[], object]) -> None:
        delay_s = max(0, due_ns - self.now_ns()) / NS_PER_S
        self._timers[number] = (due_ns, callback, self.loop.call_later(delay_s, lambda: self._run(number)))

    def _run(self, number: int) -> None:
        timer = self._timers.pop(number, None)
        if timer is not None:
            timer[2].cancel()
            timer[1]()
