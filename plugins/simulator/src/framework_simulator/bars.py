"""Walks the simulated market through recorded bars: the only part that waits.

In a rehearsal the clock jumps while the loop's time does not: `next_ns` and `advance` take it along.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from decimal import Decimal

from attrs import define, field

from framework import Candle, Clock, Side

from .engine.path import BarPath, Point, after_opening, opening

NS_PER_S = 1_000_000_000


@define
class BarWalker:
    """One walk per market at a time: a bar that begins takes over from the one before.

    `jump` and `walk` move the market of a symbol to a price at an instant; `holding` tells the side of the
    position there.
    """

    clock: Clock
    order: BarPath
    jump: Callable[[str, Decimal, int], None]
    walk: Callable[[str, Decimal, int], None]
    holding: Callable[[str], Side | None]
    failed: Callable[[str, BaseException], None]
    _tasks: dict[str, asyncio.Task[None]] = field(factory=dict, init=False)
    _points: dict[str, deque[Point]] = field(factory=dict, init=False)

    def begin(self, symbol: str, bar: Candle) -> None:
        """The market jumps to the bar's open now, and goes on from there on the running loop."""
        running = self._tasks.pop(symbol, None)
        if running is not None:
            running.cancel()
        first = opening(bar)
        self.jump(symbol, first.price, first.at_ns)
        self._points[symbol] = deque(after_opening(bar, self.holding(symbol), self.order))
        self._start(symbol)

    def next_ns(self) -> int | None:
        """When a market next moves on its way; None: no bar is under way."""
        return min((points[0].at_ns for points in self._points.values() if points), default=None)

    def advance(self, to_ns: int) -> None:
        """The clock is about to jump to `to_ns`: the markets go there now, in the order of their instants."""
        while (due := min(self._firsts(to_ns), default=None)) is not None:
            symbol = due[1]
            try:
                self._walk_on(symbol)
            except Exception as error:
                self._points.pop(symbol)
                self.failed(symbol, error)
        for symbol in tuple(self._tasks):
            self._tasks.pop(symbol).cancel()  # it sleeps until an instant that comes earlier now
            if self._points.get(symbol):
                self._start(symbol)

    def _firsts(self, to_ns: int) -> list[tuple[int, str]]:
        firsts = [(points[0].at_ns, symbol) for symbol, points in self._points.items() if points]
        return [first for first in firsts if first[0] <= to_ns]

    def _walk_on(self, symbol: str) -> None:
        point = self._points[symbol].popleft()
        self.walk(symbol, point.price, point.at_ns)

    def _start(self, symbol: str) -> None:
        task = asyncio.get_running_loop().create_task(self._go(symbol))
        self._tasks[symbol] = task
        task.add_done_callback(lambda done: self._ended(symbol, done))

    async def stop(self) -> None:
        """Leave every market where it is."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _go(self, symbol: str) -> None:
        points = self._points.get(symbol, ())
        while points:
            delay_ns = points[0].at_ns - self.clock.now_ns()
            if delay_ns > 0:
                await asyncio.sleep(delay_ns / NS_PER_S)
            self._walk_on(symbol)

    def _ended(self, symbol: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(symbol) is task:
            del self._tasks[symbol]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._points.pop(symbol, None)
            self.failed(symbol, error)
