"""Walks the simulated market through recorded bars: the only part that waits."""

from __future__ import annotations

import asyncio
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

    def begin(self, symbol: str, bar: Candle) -> None:
        """The market jumps to the bar's open now, and goes on from there on the running loop."""
        running = self._tasks.pop(symbol, None)
        if running is not None:
            running.cancel()
        first = opening(bar)
        self.jump(symbol, first.price, first.at_ns)
        points = after_opening(bar, self.holding(symbol), self.order)
        task = asyncio.get_running_loop().create_task(self._go(symbol, points))
        self._tasks[symbol] = task
        task.add_done_callback(lambda done: self._ended(symbol, done))

    async def stop(self) -> None:
        """Leave every market where it is."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _go(self, symbol: str, points: tuple[Point, ...]) -> None:
        for point in points:
            delay_ns = point.at_ns - self.clock.now_ns()
            if delay_ns > 0:
                await asyncio.sleep(delay_ns / NS_PER_S)
            self.walk(symbol, point.price, point.at_ns)

    def _ended(self, symbol: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(symbol) is task:
            del self._tasks[symbol]
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed(symbol, error)
