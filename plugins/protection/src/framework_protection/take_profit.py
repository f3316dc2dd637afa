"""The protection `take-profit`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from attrs import Attribute, field, frozen

from framework import Guard, Holding, NoState, Percent, Target, positive


def _a_fraction(instance: object, attribute: Attribute[Any], value: Decimal) -> None:
    if value > 1:
        raise ValueError(f"is a fraction of the position: write 0.5 for one half, got {value}")


@frozen
class TakeLevel:
    """Close `share` of all that was entered (a fraction: 0.5 is one half) at `percent` of profit from the entry."""

    percent: Percent = field(validator=positive)
    share: Decimal = field(validator=[positive, _a_fraction])


@frozen
class TakeProfit:
    """Close the position in parts: at each of `levels` a share of what was entered.

    A level lies `percent` beyond the average entry price. What all shares together leave goes on with its stop.
    With `resting` each level is a reduce-only limit order at the venue, where that takes such; without it, and where
    the venue refuses one, the share is closed at the market once the price is there.
    """

    name: ClassVar[str] = "take-profit"
    state_type: ClassVar[type] = NoState

    levels: tuple[TakeLevel, ...]
    resting: bool = True

    def __attrs_post_init__(self) -> None:
        if not self.levels:
            raise ValueError('levels must hold at least one level, like [{ percent = "2", share = "0.5" }]')
        total = sum(level.share for level in self.levels)
        if total > 1:
            raise ValueError(f"the shares of all levels together must not exceed 1, got {total}")

    def start(self, holding: Holding) -> Guard:
        """No stop, but the levels, nearest first."""
        entry, sign = holding.entry_price, holding.side.sign
        nearest_first = sorted(self.levels, key=lambda level: level.percent)
        targets = [Target(entry + sign * level.percent.of(entry), level.share, self.resting) for level in nearest_first]
        # No price falls by a hundred percent: a short never gets there.
        return Guard(NoState(), None, targets=tuple(target for target in targets if target.price > 0))

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        """The same levels; it never asks to be asked."""
        return self.start(holding)
