"""Prices that move while the product lives and dies: small steps all the time, a leap now and then."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from random import Random

from attrs import define, field

from .house import SYMBOLS, VENUES, House

STEP_PERCENT = 0.25
LEAP_PERCENT = (1.2, 2.6)
LEAPS = 0.1
FURTHEST_PERCENT = 12
"""A market that is so far from where it began turns back."""

PAUSE_S = (0.02, 0.06)


@define(eq=False)
class Market:
    """Moves one market after another, until it is stopped."""

    house: House
    chance: Random
    _first: dict[tuple[str, str], Decimal] = field(factory=dict, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def begin(self) -> None:
        """From now on prices move."""
        self._first = {(venue, symbol): self.house.bid(venue, symbol) for venue in VENUES for symbol in SYMBOLS}
        self._task = asyncio.get_running_loop().create_task(self._move())

    async def stop(self) -> None:
        """Let them stand still."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _move(self) -> None:
        markets = [*self._first]
        while True:
            venue, symbol = self.chance.choice(markets)
            away = (self.house.bid(venue, symbol) / self._first[venue, symbol] - 1) * 100
            percent = self.chance.gauss(0, STEP_PERCENT)
            if self.chance.random() < LEAPS:
                percent = self.chance.choice((-1, 1)) * self.chance.uniform(*LEAP_PERCENT)
            if abs(away) > FURTHEST_PERCENT:
                percent = abs(percent) * (-1 if away > 0 else 1)
            self.house.move(venue, symbol, Decimal(f"{percent:.3f}"))
            await asyncio.sleep(self.chance.uniform(*PAUSE_S))
