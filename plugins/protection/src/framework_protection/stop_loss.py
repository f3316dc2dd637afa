"""The protection `stop-loss`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from attrs import field, frozen

from framework import (
    Ask,
    Guard,
    Holding,
    MarketSnapshot,
    Need,
    NoState,
    Percent,
    PriceSource,
    Side,
    Signal,
    positive,
)

from .atr import Atr
from .settings import below_hundred, require_distance


@frozen
class StopLoss:
    """Keep the stop at a fixed distance from the entry, or at a fixed price; the last or the mark price triggers it.

    `percent` is measured from the average entry price, `atr` is a multiple of the average true range before the entry;
    a stop that the signal carries wins over all of them where the deployment lets signals set `stop`. Set exactly one
    of `percent`, `price` and `atr`.
    """

    name: ClassVar[str] = "stop-loss"
    state_type: ClassVar[type] = NoState

    percent: Percent | None = field(default=None, validator=[positive, below_hundred])
    price: Decimal | None = field(default=None, validator=positive)
    trigger: PriceSource = PriceSource.LAST
    atr: Atr | None = None

    def __attrs_post_init__(self) -> None:
        if sum(each is not None for each in (self.percent, self.price, self.atr)) != 1:
            raise ValueError("set exactly one of percent, price and atr")

    @property
    def needs(self) -> frozenset[Need]:
        """The candles of `atr`."""
        return frozenset() if self.atr is None else self.atr.needs

    def measure(self, signal: Signal, market: MarketSnapshot) -> dict[str, Decimal]:
        """The average true range, unless the signal brings a stop along."""
        return {} if self.atr is None or signal.settings.stop_percent is not None else self.atr.measure(market)

    def start(self, holding: Holding) -> Guard:
        """The stop, unrounded.

        Raises `ValueError` when a fixed price is not on the losing side of the entry, when the average true range is
        not known, and when its distance leaves no price.
        """
        percent = self.percent
        if holding.settings.stop_percent is not None:
            percent = require_distance("stop", holding.settings.stop_percent)
        if percent is not None:
            entry = holding.entry_price
            stop = percent.below(entry) if holding.side is Side.LONG else percent.above(entry)
            return Guard(NoState(), stop, Ask(), numbers={"stop_percent": percent.value}, trigger_by=self.trigger)
        if self.atr is not None:
            return self._measured(holding, self.atr)
        return Guard(NoState(), self._fixed_price(holding), Ask(), trigger_by=self.trigger)

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        """The same stop; it never asks to be asked."""
        return self.start(holding)

    def _measured(self, holding: Holding, atr: Atr) -> Guard:
        distance, entry = atr.distance(holding), holding.entry_price
        if distance >= entry:
            raise ValueError(f"the distance of {distance} must be below the entry price of {entry}")
        numbers = {"atr": atr.range_of(holding), "atr_multiple": atr.multiple}
        return Guard(NoState(), entry - holding.side.sign * distance, Ask(), numbers=numbers, trigger_by=self.trigger)

    def _fixed_price(self, holding: Holding) -> Decimal | None:
        stop, entry = self.price, holding.entry_price
        if stop is not None and (entry - stop) * holding.side.sign <= 0:
            where = "below" if holding.side is Side.LONG else "above"
            raise ValueError(
                f"the stop at {stop} must be {where} the entry price of {entry} for a {holding.side.value} position"
            )
        return stop
