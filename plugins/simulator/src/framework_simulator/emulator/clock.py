"""Emulator time: the clock that venues sign by, and the timers that run on it.

Two kinds with one face. `RealClock` follows the machine's clock and an asyncio loop; `ManualClock` stands still until
it is advanced, and then runs the timers that fall due, in order.

Time may also leap, in a rehearsal: from one instant of a recording to the next. Nobody was there to live the time in
between, so what waits for clients (pings, listenKeys, connections) goes on waiting as long as before; what stands in
the calendar (funding, the way of a price) happens.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Protocol

from attrs import define, evolve, field, frozen

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

    def at(self, due_ns: int, callback: Callable[[], object]) -> Cancel:
        """Run a callback once, at an instant of the calendar: a leap of time does not put it off."""
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

    def next_due_ns(self) -> int | None:
        """When the next timer is due; None: there is none."""
        while self._timers and self._timers[0][1] in self._cancelled:
            self._cancelled.discard(heapq.heappop(self._timers)[1])
        return self._timers[0][0] if self._timers else None

    def advance(self, delta_ns: int) -> None:
        """Go ahead by `delta_ns`, halting at every timer."""
        end_ns, timers, cancelled = self._now_ns + delta_ns, self._timers, self._cancelled
        while timers and timers[0][0] <= end_ns:
            due_ns, number, callback = heapq.heappop(timers)
            if due_ns > self._now_ns:
                self._now_ns = due_ns
            if number in cancelled:
                cancelled.discard(number)
            else:
                callback()
        if end_ns > self._now_ns:
            self._now_ns = end_ns

    def schedule(self, delay_ns: int, callback: Callable[[], object]) -> Cancel:
        """Run a callback when time has been advanced so far."""
        number = next(self._numbers)
        heapq.heappush(self._timers, (self._now_ns + max(0, delay_ns), number, callback))
        return lambda: self._cancelled.add(number)

    def at(self, due_ns: int, callback: Callable[[], object]) -> Cancel:
        """Run a callback when time has been advanced to an instant."""
        return self.schedule(due_ns - self._now_ns, callback)


@frozen
class _Timer:
    due_ns: int
    delay_ns: int
    callback: Callable[[], object]
    of_calendar: bool
    handle: Handle


@define
class RealClock:
    """Follows `source` (ns UTC), plus what it was advanced by. Timers run on `loop`, or early when time jumps."""

    source: Callable[[], int]
    loop: TimerLoop
    _ahead_ns: int = field(default=0, init=False)
    _last_ns: int = field(default=0, init=False)
    _timers: dict[int, _Timer] = field(factory=dict, init=False)
    _numbers: itertools.count[int] = field(factory=itertools.count, init=False)

    def now_ns(self) -> int:
        """The instant."""
        self._last_ns = max(self._last_ns, self.source() + self._ahead_ns)
        return self._last_ns

    def advance(self, delta_ns: int) -> None:
        """Jump ahead: timers that fall due in between run now, each at its instant."""
        end_ns = self.now_ns() + delta_ns
        while (due := self._first(lambda timer: timer.due_ns <= end_ns)) is not None:
            self._ahead_ns += max(0, self._timers[due].due_ns - self.now_ns())
            self._run(due)
        self._ahead_ns += max(0, end_ns - self.now_ns())
        self._arm_anew(lambda timer: True)

    def leap(self, to_ns: int) -> None:
        """`source` is about to jump ahead to `to_ns`. The calendar's timers on the way run now, each at its instant."""
        delta_ns, fresh = max(0, to_ns - self.now_ns()), next(self._numbers)
        while (due := self._first(lambda timer: timer.of_calendar and timer.due_ns <= to_ns)) is not None:
            self._last_ns = max(self._last_ns, self._timers[due].due_ns)
            self._run(due)
        self._last_ns = max(self._last_ns, to_ns)
        self._arm_anew(lambda timer: timer.of_calendar)
        for number, timer in self._timers.items():
            if not timer.of_calendar:  # it is due as much later; its handle knows no clock but the loop's
                later_ns = timer.due_ns + delta_ns if number < fresh else to_ns + timer.delay_ns
                self._timers[number] = evolve(timer, due_ns=later_ns)

    def awaits_within(self, delay_ns: int) -> bool:
        """Whether a timer runs that was set for no longer than `delay_ns`: something is only about to take effect."""
        return any(timer.delay_ns <= delay_ns for timer in self._timers.values() if not timer.of_calendar)

    def schedule(self, delay_ns: int, callback: Callable[[], object]) -> Cancel:
        """Run a callback on the loop."""
        delay_ns = max(0, delay_ns)
        return self._new(self.now_ns() + delay_ns, delay_ns, callback, of_calendar=False)

    def at(self, due_ns: int, callback: Callable[[], object]) -> Cancel:
        """Run a callback on the loop, at once if the instant is over."""
        return self._new(due_ns, due_ns - self.now_ns(), callback, of_calendar=True)

    def _new(self, due_ns: int, delay_ns: int, callback: Callable[[], object], *, of_calendar: bool) -> Cancel:
        number = next(self._numbers)
        self._timers[number] = _Timer(due_ns, delay_ns, callback, of_calendar, self._handle(number, due_ns))

        def cancel() -> None:
            timer = self._timers.pop(number, None)
            if timer is not None:
                timer.handle.cancel()

        return cancel

    def _first(self, chosen: Callable[[_Timer], bool]) -> int | None:
        """The number of the earliest of the chosen timers."""
        return min((n for n, timer in self._timers.items() if chosen(timer)), default=None, key=self._order)

    def _order(self, number: int) -> tuple[int, int]:
        return self._timers[number].due_ns, number

    def _handle(self, number: int, due_ns: int) -> Handle:
        delay_s = max(0, due_ns - self.now_ns()) / NS_PER_S
        return self.loop.call_later(delay_s, lambda: self._run(number))

    def _arm_anew(self, chosen: Callable[[_Timer], bool]) -> None:
        """The loop has to wait for these timers less long than it was told."""
        for number, timer in tuple(self._timers.items()):
            if chosen(timer):
                timer.handle.cancel()
                self._timers[number] = evolve(timer, handle=self._handle(number, timer.due_ns))

    def _run(self, number: int) -> None:
        timer = self._timers.pop(number, None)
        if timer is not None:
            timer.handle.cancel()
            timer.callback()
