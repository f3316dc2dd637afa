"""What decisions need to know of a market: prices, open interest, candles. A wave reads all tickers at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import define, field, frozen

from framework import Candle, MarketData, Need, Quote
from framework_venue.budget import Purpose
from framework_venue.client import Client
from framework_venue.shared import Shared

from . import limits, requests
from .reads import Reads
from .strange import Row, StrangeAnswerError, price_or_none, result, rows, text, whole
from .translate import Translator

MOST_CANDLES = 1000


@frozen
class Tickers:
    """The tickers of all markets, by symbol, as they were at `time_ms` of the venue's clock."""

    rows: Mapping[str, Row]
    time_ms: int


@define(eq=False)
class Data:
    """Market data of one account's connection."""

    client: Client
    reads: Reads
    words: Translator
    tickers: Shared[Tickers] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.tickers = Shared(self._read_tickers)

    async def market_data(self, symbol: str, needs: frozenset[Need]) -> MarketData:
        """Only what is needed, all of it at the same time. Missing is None or absent; a failed read raises."""
        if needs == {Need.BOOK_TOP}:  # most waves: no task for each of what nobody asks for
            return MarketData(symbol, (await self._ticker(symbol, needs))[0])
        (quote, interest), candles = await asyncio.gather(self._ticker(symbol, needs), self._all_candles(symbol, needs))
        return MarketData(symbol, quote, interest, candles)

    async def _ticker(self, symbol: str, needs: frozenset[Need]) -> tuple[Quote | None, Decimal | None]:
        if needs.isdisjoint({Need.BOOK_TOP, Need.OPEN_INTEREST}):
            return None, None
        tickers = await self.tickers.get()
        row = tickers.rows.get(symbol)
        if row is None:
            return None, None
        understood = self.reads.understood
        return (
            understood(limits.TICKERS, self.words.quote, row, tickers.time_ms) if Need.BOOK_TOP in needs else None,
            understood(limits.TICKERS, price_or_none, row, "openInterestValue")
            if Need.OPEN_INTEREST in needs
            else None,
        )

    async def _all_candles(self, symbol: str, needs: frozenset[Need]) -> dict[str, tuple[Candle, ...]]:
        intervals = {need.interval: need.count for need in needs if need.interval}
        found = await asyncio.gather(*(self._candles(symbol, each, count) for each, count in intervals.items()))
        return dict(zip(intervals, found, strict=True))

    async def _candles(self, symbol: str, interval: str, count: int) -> tuple[Candle, ...]:
        """The last closed candles: the open one is asked for too, and one more should it close on the way."""
        limit = min(count + 2, MOST_CANDLES)
        params = requests.linear(symbol=symbol, interval=requests.INTERVALS[interval], limit=limit)
        body = await self.client.read(limits.CANDLES, params)
        # A candle counts as closed once both clocks say so: the kernel knows no candle of the future.
        now_ms = min(self.client.clock.now_ms(), self.client.clock.ours.now_ns() // 1_000_000)
        found = self.reads.understood(limits.CANDLES, _candle_rows, body)
        return self.reads.understood(limits.CANDLES, self.words.candles, found, interval, count, now_ms)

    async def _read_tickers(self) -> Tickers:
        body = await self.client.read(limits.TICKERS, requests.linear(), Purpose.READ)
        return self.reads.understood(limits.TICKERS, _tickers, body)


def _tickers(body: Any) -> Tickers:
    return Tickers({text(row, "symbol"): row for row in rows(body)}, whole(body, "time"))


def _candle_rows(body: object) -> list[list[str]]:
    found = result(body).get("list")
    if not isinstance(found, list) or not all(isinstance(row, list) for row in found):
        raise StrangeAnswerError("the result has no list of candles")
    return found
