"""A protection that measures the market before the entry, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from attrs import frozen

from framework import Guard, Holding, MarketSnapshot, Need, NoState, Signal


@frozen
class Measures:
    """A stop as far away as the newest of so many hourly candles was high; `number` instead, where it is given."""

    name: ClassVar[str] = "measures"
    state_type: ClassVar[type] = NoState

    count: int = 2
    key: str = "height"
    number: Any = None

    @property
    def needs(self) -> frozenset[Need]:
        return frozenset({Need.candles("1h", self.count)})

    def measure(self, signal: Signal, market: MarketSnapshot) -> Mapping[str, Decimal]:
        newest = market.candles("1h", self.count)[-1]
        return {self.key: newest.high - newest.low if self.number is None else self.number}

    def start(self, holding: Holding) -> Guard:
        return Guard(NoState(), holding.entry_price - holding.side.sign * holding.measured[self.key])

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        return self.start(holding)
