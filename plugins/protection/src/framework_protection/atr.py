"""A distance that follows from how much the market has moved: a multiple of the average true range."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal
from itertools import pairwise
from math import lcm
from typing import Any, Literal

from attrs import Attribute, field, frozen

from framework import Candle, Holding, MarketSnapshot, Need, positive

MOST_CANDLES = 999
"""Bybit answers at most 1000 rows in one request ("Get Kline", `limit`), and the newest one is not closed yet."""

_SHOWN = Context(prec=12)
_HISTORY = 6
"""So many times `periods` true ranges: the mean that the smoothing begins with counts for less than 1 % then."""

_Interval = Literal["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "12h", "1d"]


def _enough_for(instance: Any, attribute: Attribute[Any], value: int | None) -> None:
    if value is not None and not instance.periods < value <= MOST_CANDLES:
        raise ValueError(
            f"must be above periods ({instance.periods}), for each true range needs the close before it, "
            f"and at most {MOST_CANDLES}, got {value}"
        )


def _within_reach(instance: object, attribute: Attribute[Any], value: int) -> None:
    if value >= MOST_CANDLES:
        raise ValueError(f"must be below {MOST_CANDLES}, got {value}")


@frozen
class Atr:
    """`multiple` times the average true range of the last closed candles of `interval`, with Wilder's smoothing.

    `candles` is how many of them it is reckoned over; without it 6 · `periods` + 1, at most 999. With `periods` + 1 it
    is the plain mean of the true ranges.
    """

    multiple: Decimal = field(validator=positive)
    periods: int = field(default=14, validator=[positive, _within_reach])
    interval: _Interval = "15m"
    candles: int | None = field(default=None, validator=_enough_for)

    @property
    def needs(self) -> frozenset[Need]:
        """The candles that it is reckoned over."""
        return frozenset({Need.candles(self.interval, self._count)})

    def measure(self, market: MarketSnapshot) -> dict[str, Decimal]:
        """The average true range under its own name. Raises `MissingDataError` when there are too few candles."""
        return {self._key: average_true_range(market.candles(self.interval, self._count), self.periods)}

    def distance(self, holding: Holding) -> Decimal:
        """The distance in USD, as it was measured at the decision. Raises `ValueError` when it was not."""
        return self.multiple * self.range_of(holding)

    def range_of(self, holding: Holding) -> Decimal:
        """The average true range that was measured at the decision. Raises `ValueError` when none was."""
        found = holding.measured.get(self._key)
        if found is None:
            raise ValueError(f"no average true range ({self._key}) was measured when this position was decided on")
        return found

    @property
    def _count(self) -> int:
        return min(_HISTORY * self.periods + 1, MOST_CANDLES) if self.candles is None else self.candles

    @property
    def _key(self) -> str:
        return f"atr_{self.periods}_of_{self._count}_{self.interval}"


def average_true_range(candles: Sequence[Candle], periods: int) -> Decimal:
    """Wilder's average true range over `candles`, oldest first, at least `periods` + 1 of them.

    The true range of a candle is the largest of high − low, |high − the close before| and |low − the close before|;
    the first candle has none. The first average is the mean of the first `periods` true ranges; each further one is
    (average · (`periods` − 1) + true range) / `periods`. Exact, and rounded once: to twelve digits, a tie to even
    (J. Welles Wilder, "New Concepts in Technical Trading Systems", 1978).
    """
    ratios = [_true_range(before, candle).as_integer_ratio() for before, candle in pairwise(candles)]
    unit = lcm(*(below for _, below in ratios))
    ranges = [above * (unit // below) for above, below in ratios]
    # The average is total / weight: whole numbers alone, so nothing is rounded on the way.
    total, weight = sum(ranges[:periods]), periods
    for each in ranges[periods:]:
        total, weight = total * (periods - 1) + each * weight, weight * periods
    return _SHOWN.divide(Decimal(total), Decimal(weight * unit))


def _true_range(before: Candle, candle: Candle) -> Decimal:
    return max(candle.high, before.close) - min(candle.low, before.close)
