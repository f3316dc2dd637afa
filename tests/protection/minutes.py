"""Files of one-minute candles: for each market a heading, then a line for each minute, in ticks.

The heading reads ``# SYMBOL TICK_SIZE START`` (START is the first open in ms UTC). A line holds four whole numbers: the
open less the close before it, high less open, open less low, close less open.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

from attrs import define, field

MONTH = Path(__file__).parents[1] / "data" / "candles" / "binance_usdm_1m_2025-05.csv.xz"


@define
class Market:
    """One market's candles as columns of whole ticks; `tick` in USD."""

    symbol: str
    tick: Decimal
    start_ms: int
    opens: list[int] = field(factory=list)
    highs: list[int] = field(factory=list)
    lows: list[int] = field(factory=list)
    closes: list[int] = field(factory=list)

    def candle(self, minute: int) -> tuple[int, Decimal, Decimal, Decimal, Decimal]:
        """One candle as (nanoseconds, open, high, low, close)."""
        columns = (self.opens, self.highs, self.lows, self.closes)
        opened, high, low, closed = (column[minute] * self.tick for column in columns)
        return (self.start_ms + minute * 60_000) * 1_000_000, opened, high, low, closed


def read(path: Path) -> list[Market]:
    """The markets of a file, compressed or not."""
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "rt", encoding="ascii") as lines:
        return list(_markets(lines))


def _markets(lines: Iterable[str]) -> Iterator[Market]:
    market: Market | None = None
    for line in lines:
        if line.startswith("#"):
            if market is not None:
                yield market
            _, symbol, tick, start_ms = line.split()
            market, last = Market(symbol, Decimal(tick), int(start_ms)), 0
            continue
        if market is None:
            raise ValueError("candles without a heading")
        jump, up, down, change = map(int, line.split(","))
        opened = last + jump
        last = opened + change
        market.opens.append(opened)
        market.highs.append(opened + up)
        market.lows.append(opened - down)
        market.closes.append(last)
    if market is not None:
        yield market
