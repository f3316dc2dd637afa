"""Funding: every market settles at the full hours of its interval, UTC."""

from __future__ import annotations

from decimal import Decimal

from attrs import define

from .build import VENUES
from .clock import NS_PER_S
from .world import World

NS_PER_HOUR = 3600 * NS_PER_S


@define
class FundingClock:
    """Settles funding as time passes, at the rate that each market's tape says."""

    world: World

    def begin(self) -> None:
        """Take the intervals from the market rows, and wait for the next hour."""
        for symbol, row in self.world.rows["bybit"].items():
            self.world.tape("bybit", symbol).funding_hours = max(1, int(row["fundingInterval"]) // 60)
        self._wait()

    def _wait(self) -> None:
        now_ns = self.world.now_ns()
        self.world.at(now_ns - now_ns % NS_PER_HOUR + NS_PER_HOUR, self._settle)

    def _settle(self) -> None:
        hour = self.world.now_ns() // NS_PER_HOUR
        for venue in VENUES:
            for symbol in self.world.markets(venue):
                if hour % self.world.tape(venue, symbol).funding_hours == 0:
                    settle(self.world, venue, symbol)
        self._wait()


def settle(world: World, venue: str, symbol: str, rate: Decimal | None = None) -> None:
    """Settle funding in one market now, at its own rate or another. A market without a price has none."""
    book = world.book(venue, symbol)
    if book is None:
        return
    tape = world.tape(venue, symbol)
    at = tape.funding_rate if rate is None else rate
    tape.funding_history.append((world.now_ns(), at, book.quote.mark))
    world.act(venue, lambda engine, now_ns: engine.settle_funding(symbol, at, now_ns))


def next_funding_ns(world: World, venue: str, symbol: str) -> int:
    """When a market settles next."""
    length_ns = world.tape(venue, symbol).funding_hours * NS_PER_HOUR
    now_ns = world.now_ns()
    return now_ns - now_ns % length_ns + length_ns
