"""What was recorded of markets besides prices: candles and open interest."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from attrs import define, field

from framework import Candle

KEPT_CANDLES = 1500
"""Candles kept per market and interval: as many as Binance answers at most in one request."""


@define
class History:
    """Candles and open interest by symbol. A candle is told only once it has closed."""

    _candles: dict[tuple[str, str], deque[Candle]] = field(factory=dict, init=False)
    _open_interest: dict[str, Decimal] = field(factory=dict, init=False)

    def add_candle(self, symbol: str, interval: str, candle: Candle) -> None:
        """Keep a candle. One that opened at the same instant is replaced; the order of arrival does not matter."""
        kept = self._candles.setdefault((symbol, interval), deque(maxlen=KEPT_CANDLES))
        if not kept or candle.open_ns > kept[-1].open_ns:
            kept.append(candle)
            return
        by_open = {one.open_ns: one for one in kept} | {candle.open_ns: candle}
        self._candles[symbol, interval] = deque((by_open[open_ns] for open_ns in sorted(by_open)), maxlen=KEPT_CANDLES)

    def candles(self, symbol: str, interval: str, count: int, now_ns: int) -> tuple[Candle, ...]:
        """The last `count` candles that are closed at `now_ns`, oldest first; fewer if there are fewer."""
        closed = [one for one in self._candles.get((symbol, interval), ()) if one.close_ns <= now_ns]
        return tuple(closed[-count:])

    def set_open_interest(self, symbol: str, usd: Decimal) -> None:
        """Keep the newest open interest of a market."""
        self._open_interest[symbol] = usd

    def open_interest(self, symbol: str) -> Decimal | None:
        """The newest open interest in USD; None if none was recorded."""
        return self._open_interest.get(symbol)
