"""What decisions need to know of a market: prices, open interest, candles. Bulk requests are shared by a wave."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from framework import Candle, MarketData, Need, Quote

from . import limits
from .session import Session
from .strange import StrangeAnswerError, mapping, milliseconds, number
from .translate import NS_PER_MS, closed_candles

Row = Mapping[str, Any]


async def market_data(session: Session, symbol: str, needs: frozenset[Need]) -> MarketData:
    """Only what is needed, all of it at the same time. Missing is None or absent; a failed read raises."""
    session.soon_in_order(symbol)
    if needs == {Need.BOOK_TOP}:  # most waves: no task for each of what nobody asks for
        return MarketData(symbol, await _quote(session, symbol))
    prices = _quote(session, symbol) if Need.BOOK_TOP in needs else _nothing()
    interest = _open_interest(session, symbol) if Need.OPEN_INTEREST in needs else _nothing()
    intervals = {need.interval: need.count for need in needs if need.interval}
    candles = asyncio.gather(*(_candles(session, symbol, *one) for one in intervals.items()))
    quote, open_interest_usd, found = await asyncio.gather(prices, interest, candles)
    return MarketData(symbol, quote, open_interest_usd, dict(zip(intervals, found, strict=True)))


async def _nothing() -> None:
    return None


async def _quote(session: Session, symbol: str) -> Quote | None:
    best, last, mark = (rows.get(symbol) for rows in await session.prices.get())
    if best is None or last is None or mark is None:
        return None
    try:
        venue_ms = max(milliseconds(best, "time"), milliseconds(mark, "time"))
        quote = Quote(
            bid=number(best, "bidPrice"),
            ask=number(best, "askPrice"),
            last=number(last, "price"),
            mark=number(mark, "markPrice"),
            time_ns=(venue_ms - session.line.clock.skew_ms) * NS_PER_MS,
        )
    except StrangeAnswerError as error:
        raise session.strange(limits.BEST_PRICES, error) from None
    # The venue writes zeros for a side that is empty: that is no price.
    return quote if quote.is_sane else None


async def _open_interest(session: Session, symbol: str) -> Decimal | None:
    """Open contracts, of one coin each, times the mark price."""
    body, marks = await asyncio.gather(
        session.line.client.read(limits.OPEN_INTEREST, {"symbol": symbol}), session.mark_prices.get()
    )
    mark = marks.get(symbol)
    if mark is None:
        return None
    try:
        return number(mapping(body, "the open interest"), "openInterest") * number(mark, "markPrice")
    except StrangeAnswerError as error:
        raise session.strange(limits.OPEN_INTEREST, error) from None


async def _candles(session: Session, symbol: str, interval: str, count: int) -> tuple[Candle, ...]:
    # The newest row is the candle that is not closed yet.
    limit = min(count + 1, limits.MOST_CANDLES)
    route = limits.candles(limit)
    body = await session.line.client.read(route, {"symbol": symbol, "interval": interval, "limit": limit})
    try:
        return closed_candles(body, interval, count, session.line.clock.now_ms())
    except StrangeAnswerError as error:
        raise session.strange(route, error) from None
