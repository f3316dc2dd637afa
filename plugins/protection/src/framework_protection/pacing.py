"""How often a stop that follows the price may be moved at the venue, and which moves do not wait."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from attrs import evolve, frozen

from framework import Ask, Holding, Percent, Side, nearest_to, tighter

SECOND_NS = 1_000_000_000

REACHED = "trailing_stop_reached"
"""The price has met the stop that was still waiting to be placed."""


class Trailing(Protocol):
    """What a pace has to know: the stop as it should be, and the one that was given out last, both unrounded."""

    @property
    def stop(self) -> Decimal | None: ...

    @property
    def placed(self) -> Decimal | None: ...

    @property
    def placed_ns(self) -> int | None: ...


@frozen
class Pace:
    """A stop is placed again after `interval_s`; sooner when it would move by `urgent` of its own price, or more."""

    interval_s: int
    urgent: Percent | None

    def kept(
        self, holding: Holding, trail: Trailing, ask: Ask, price: Decimal, time_ns: int
    ) -> tuple[Decimal | None, int, str | None, Ask]:
        """The stop to be placed now and since when it is, whether to close, and when to ask for all that.

        `ask` is when the stop itself wants to be followed. A stop that waits is asked about when its time has come,
        and at its own price: what it would have done at the venue is done by a close.
        """
        stop, placed, placed_ns = trail.stop, trail.placed, trail.placed_ns
        if stop is None or placed is None or placed_ns is None:
            return stop, time_ns, None, ask
        tick = holding.rules.tick_size
        wanted, resting = nearest_to(stop, tick), nearest_to(placed, tick)
        if wanted == resting:
            return placed, placed_ns, None, ask
        if not tighter(holding.side, price, wanted):
            return placed, placed_ns, REACHED, Ask()
        due_ns = placed_ns + self.interval_s * SECOND_NS
        urgent = self.urgent is not None and abs(wanted - resting) >= self.urgent.of(resting)
        if time_ns >= due_ns or urgent:
            return stop, time_ns, None, ask
        if holding.side is Side.LONG:
            return placed, placed_ns, None, evolve(ask, below=wanted, at_ns=due_ns)
        return placed, placed_ns, None, evolve(ask, above=wanted, at_ns=due_ns)
