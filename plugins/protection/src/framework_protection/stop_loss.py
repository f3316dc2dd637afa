"""The protection `stop-loss`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from attrs import field, frozen

from framework import Ask, Guard, Holding, NoState, Percent, PriceSource, Side, positive

from .settings import below_hundred, require_distance


@frozen
class StopLoss:
    """Keep the stop at a fixed distance from the entry, or at a fixed price; the last or the mark price triggers it.

    `percent` is measured from the average entry price; a stop that the signal carries wins over both settings where
    the deployment lets signals set `stop`. Set exactly one of `percent` and `price`.
    """

    name: ClassVar[str] = "stop-loss"
    state_type: ClassVar[type] = NoState

    percent: Percent | None = field(default=None, validator=[positive, below_hundred])
    price: Decimal | None = field(default=None, validator=positive)
    trigger: PriceSource = PriceSource.LAST

    def __attrs_post_init__(self) -> None:
        if (self.percent is None) == (self.price is None):
            raise ValueError("set exactly one of percent and price")

    def start(self, holding: Holding) -> Guard:
        """The stop, unrounded. Raises `ValueError` when a fixed price is not on the losing side of the entry."""
        percent = self.percent
        if holding.settings.stop_percent is not None:
            percent = require_distance("stop", holding.settings.stop_percent)
        if percent is not None:
            entry = holding.entry_price
            stop = percent.below(entry) if holding.side is Side.LONG else percent.above(entry)
            return Guard(NoState(), stop, Ask(), numbers={"stop_percent": percent.value}, trigger_by=self.trigger)
        return Guard(NoState(), self._fixed_price(holding), Ask(), trigger_by=self.trigger)

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        """The same stop; it never asks to be asked."""
        return self.start(holding)

    def _fixed_price(self, holding: Holding) -> Decimal | None:
        stop, entry = self.price, holding.entry_price
        if stop is not None and (entry - stop) * holding.side.sign <= 0:
            where = "below" if holding.side is Side.LONG else "above"
            raise ValueError(
                f"the stop at {stop} must be {where} the entry price of {entry} for a {holding.side.value} position"
            )
        return stop
