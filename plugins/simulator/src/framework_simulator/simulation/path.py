"""How prices move in a run: a random walk of each market, and leaps."""

from __future__ import annotations

import random
from decimal import Decimal

from attrs import define, field

from framework import nearest_to

from ..emulator.clock import NS_PER_MS
from ..emulator.prices import first_price
from ..emulator.world import World
from .deployment import SYMBOLS, VENUES
from .schedule import Item, Schedule

LOWEST = Decimal("0.2")
HIGHEST = Decimal(5)

QUIET_MS = 20_000
"""Prices stand still before the end: what is still to be done at the end is nobody's fault but ours."""


@define(eq=False)
class PricePath:
    """Moves every market that is to be traded, each by its own chance."""

    world: World
    schedule: Schedule
    _prices: dict[tuple[str, str], Decimal] = field(factory=dict, init=False)

    def begin(self) -> None:
        """Set first prices of the markets that are traded, and go on by timers."""
        for venue in VENUES:
            for symbol in SYMBOLS:
                self._set(venue, symbol, first_price(self.world.markets(venue)[symbol].rules))
        for venue, symbol in sorted({(item.venue, item.own["symbol"]) for item in self.schedule.of("signal")}):
            self._step(venue, symbol, self.schedule.chance(f"prices of {venue} {symbol}"))
        for item in self.schedule.of("jump"):
            self.world.schedule(item.at_ms * NS_PER_MS, lambda item=item: self._leap(item))  # type: ignore[misc]

    def _step(self, venue: str, symbol: str, chance: random.Random) -> None:
        quiet_ms = self.schedule.end_ms - QUIET_MS if self.schedule.rest_ms is None else self.schedule.calm_ms
        quiet_ns = self.world.now_ns() + quiet_ms * NS_PER_MS

        def go() -> None:
            if self.world.now_ns() > quiet_ns:
                return
            change = Decimal(round(chance.gauss(0, self.schedule.volatility), 4)) / 100
            self._move(venue, symbol, change)
            self.world.schedule(self.schedule.step_ms * NS_PER_MS, go)

        self.world.schedule(self.schedule.step_ms * NS_PER_MS, go)

    def _leap(self, item: Item) -> None:
        self._move(item.venue, item.own["symbol"], Decimal(item.own["percent"]) / 100)

    def _move(self, venue: str, symbol: str, change: Decimal) -> None:
        first = first_price(self.world.markets(venue)[symbol].rules)
        moved = self._prices[venue, symbol] * (1 + change)
        self._set(venue, symbol, min(max(moved, first * LOWEST), first * HIGHEST))

    def _set(self, venue: str, symbol: str, price: Decimal) -> None:
        tick = self.world.markets(venue)[symbol].rules.tick_size
        price = max(nearest_to(price, tick), tick)
        self._prices[venue, symbol] = price
        self.world.price(venue, symbol, price, price + tick, last=price, mark=price)
