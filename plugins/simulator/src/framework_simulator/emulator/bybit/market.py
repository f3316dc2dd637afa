"""Public market data: time, instruments, tickers, books, candles, funding, risk limits. Source: "Bybit v5, Market"."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from framework import ceil_to, trimmed

from ...engine.book import Book
from ...engine.rules import Market
from ..funding import next_funding_ns
from ..tape import Bar, PublicTrade, Tape, shown_best, shown_depth
from ..world import World
from .call import Call, Handler, page
from .errors import VenueError, bad_param
from .notes import VENUE
from .shapes import execution_id
from .words import INTERVALS_MINUTES, ms, text

NS_PER_MINUTE = 60 * 1_000_000_000
# The emulator knows of no other traders: what they would hold open is made up.
OPEN_INTEREST = Decimal(1000)
LARGEST_BOOK = 1000


def time(call: Call) -> dict[str, Any]:
    """GET market/time."""
    told_ms = call.world.told_ms("bybit")
    return {"timeSecond": str(told_ms // 1000), "timeNano": str(told_ms * 1_000_000)}


def instruments(call: Call) -> dict[str, Any]:
    """GET market/instruments-info. Markets that are not being traded are not emulated."""
    call.params.linear()
    symbol, status = call.some_symbol(), call.params.text("status")
    base = call.params.text("baseCoin")
    rows = [instrument_row(call.world, market) for market in call.engine.markets.values()]
    rows = [row for row in rows if symbol in (None, row["symbol"]) and base in (None, row["baseCoin"])]
    shown = rows if status in (None, "Trading") else []
    return page(call, shown, "symbol", default=500, largest=1000)


def instrument_row(world: World, market: Market) -> dict[str, Any]:
    """The venue's own row of a market, with the rules that are in force now."""
    rules = market.rules
    row = {"symbolType": "", **world.rows[VENUE][rules.symbol]}
    price, lot = dict(row["priceFilter"]), dict(row["lotSizeFilter"])
    _renew(price, {"tickSize": rules.tick_size, "minPrice": rules.min_price, "maxPrice": rules.max_price})
    now = {
        "qtyStep": rules.step_size,
        "minOrderQty": rules.min_quantity,
        "maxMktOrderQty": rules.max_quantity,
        "maxOrderQty": market.max_limit_quantity,
        "minNotionalValue": rules.min_notional,
    }
    _renew(lot, now)
    leverage = dict(row["leverageFilter"])
    if rules.max_leverage is not None:
        _renew(leverage, {"maxLeverage": rules.max_leverage})
    return {**row, "priceFilter": price, "lotSizeFilter": lot, "leverageFilter": leverage}


def _renew(told: dict[str, Any], rules: Mapping[str, Decimal]) -> None:
    for name, value in rules.items():
        if Decimal(told[name]) != value:
            told[name] = trimmed(value)


def tickers(call: Call) -> dict[str, Any]:
    """GET market/tickers. A market without a price has no ticker."""
    call.params.linear()
    symbol = call.some_symbol()
    symbols = call.engine.markets if symbol is None else (symbol,)
    rows = [ticker_row(call.world, one, book) for one in symbols if (book := call.book(one)) is not None]
    return {"category": "linear", "list": rows}


def ticker_row(world: World, symbol: str, book: Book) -> dict[str, str]:
    """The ticker of a market, as the route and the topic tell it."""
    tape, quote = world.tape(VENUE, symbol), book.quote
    day = tape.day(world.now_ns())
    before = quote.last if day is None else day.open
    (bid, bid_size), (ask, ask_size) = best(book, tape)
    held = open_interest_of(tape, book)
    return {
        "symbol": symbol,
        "lastPrice": text(quote.last),
        "indexPrice": text(quote.mark),
        "markPrice": text(quote.mark),
        "prevPrice24h": text(before),
        "price24hPcnt": trimmed(((quote.last - before) / before).quantize(Decimal("0.000001"))),
        "highPrice24h": text(quote.last if day is None else day.high),
        "lowPrice24h": text(quote.last if day is None else day.low),
        "prevPrice1h": text(before),
        "openInterest": text(held),
        "openInterestValue": text(held * quote.mark if tape.open_interest_usd is None else tape.open_interest_usd),
        "turnover24h": text(None if day is None else day.turnover),
        "volume24h": text(None if day is None else day.volume),
        "fundingRate": text(tape.funding_rate),
        "nextFundingTime": ms(next_funding_ns(world, VENUE, symbol)),
        "predictedDeliveryPrice": "",
        "basisRate": "",
        "basis": "",
        "deliveryFeeRate": "",
        "deliveryTime": "0",
        "ask1Size": text(ask_size),
        "bid1Price": text(bid),
        "ask1Price": text(ask),
        "bid1Size": text(bid_size),
        "preOpenPrice": "",
        "preQty": "",
        "curPreListingPhase": "",
        "fundingIntervalHour": str(tape.funding_hours),
        "fundingCap": "0.00375",
        "basisRateYear": "",
    }


def open_interest_of(tape: Tape, book: Book | None) -> Decimal:
    """Open interest in the base asset: as recorded, else a made-up figure."""
    if tape.open_interest_usd is None or book is None:
        return OPEN_INTEREST
    return ceil_to(tape.open_interest_usd / book.quote.mark, tape.step)


def best(book: Book, tape: Tape) -> tuple[tuple[Decimal, Decimal], tuple[Decimal, Decimal]]:
    """Best bid and ask with their sizes."""
    return shown_best(book, tape.step)


def depth(book: Book, tape: Tape, levels: int) -> tuple[list[list[str]], list[list[str]]]:
    """Bids and asks, best first."""
    bids, asks = shown_depth(book, tape.tick, tape.step, levels)
    return [[text(p), text(q)] for p, q in bids], [[text(p), text(q)] for p, q in asks]


def order_book(call: Call) -> dict[str, Any]:
    """GET market/orderbook."""
    call.params.linear()
    symbol = call.symbol()
    book = priced(call, symbol)
    tape = call.world.tape(VENUE, symbol)
    bids, asks = depth(book, tape, call.params.limit(25, LARGEST_BOOK))
    told_ms = call.world.told_ms("bybit")
    return {"s": symbol, "b": bids, "a": asks, "ts": told_ms, "u": tape.update, "seq": tape.update, "cts": told_ms}


def priced(call: Call, symbol: str) -> Book:
    """The market of a symbol. Raises 110118 before its first price."""
    book = call.book(symbol)
    if book is None:
        raise VenueError(110118)
    return book


def candles(call: Call) -> dict[str, Any]:
    """GET market/kline."""
    return _candles(call, of_mark=False)


def mark_candles(call: Call) -> dict[str, Any]:
    """GET market/mark-price-kline, market/index-price-kline: rows without volume."""
    answer = _candles(call, of_mark=True)
    return {**answer, "list": [row[:5] for row in answer["list"]]}


def premium_candles(call: Call) -> dict[str, Any]:
    """GET market/premium-index-price-kline: mark and index are one price here, so the premium is 0."""
    answer = _candles(call, of_mark=True)
    return {**answer, "list": [[row[0], "0", "0", "0", "0"] for row in answer["list"]]}


def _candles(call: Call, *, of_mark: bool) -> dict[str, Any]:
    call.params.linear()
    symbol = call.symbol()
    minutes = INTERVALS_MINUTES[call.params.one_of("interval", INTERVALS_MINUTES, "")]
    start, end = call.params.whole("start"), call.params.whole("end")
    bars = [
        bar
        for bar in call.world.tape(VENUE, symbol).bars(minutes, of_mark=of_mark)
        if (start is None or bar.open_ns // 1_000_000 >= start) and (end is None or bar.open_ns // 1_000_000 <= end)
    ]
    newest = bars[-call.params.limit(200, 1000) :][::-1]
    return {"category": "linear", "symbol": symbol, "list": [candle_row(bar) for bar in newest]}


def candle_row(bar: Bar) -> list[str]:
    """A candle: start, open, high, low, close, volume, turnover."""
    prices = (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.turnover)
    return [ms(bar.open_ns), *(text(one) for one in prices)]


def recent_trades(call: Call) -> dict[str, Any]:
    """GET market/recent-trade, newest first."""
    call.params.linear()
    symbol = call.symbol()
    trades = call.world.tape(VENUE, symbol).trades(call.params.limit(500, 1000))
    return {"category": "linear", "list": [_trade_row(symbol, trade) for trade in reversed(trades)]}


def _trade_row(symbol: str, trade: PublicTrade) -> dict[str, Any]:
    return {
        "execId": execution_id(f"{symbol} {trade.number}"),
        "symbol": symbol,
        "price": text(trade.price),
        "size": text(trade.quantity),
        "side": "Buy" if trade.buyer_took else "Sell",
        "time": ms(trade.time_ns),
        "isBlockTrade": False,
        "isRPITrade": False,
        "seq": str(trade.number),
    }


def funding_history(call: Call) -> dict[str, Any]:
    """GET market/funding/history, newest first."""
    call.params.linear()
    symbol = call.symbol()
    seen = call.window(lambda one: one[0], call.world.tape(VENUE, symbol).funding_history)
    newest = seen[-call.params.limit(200, 200) :][::-1]
    rows = [
        {"symbol": symbol, "fundingRate": text(rate), "fundingRateTimestamp": ms(at_ns)} for at_ns, rate, _ in newest
    ]
    return {"category": "linear", "list": rows}


def risk_limits(call: Call) -> dict[str, Any]:
    """GET market/risk-limit."""
    call.params.linear()
    symbol = call.some_symbol()
    markets = call.engine.markets.values() if symbol is None else (call.market(symbol),)
    rows = [row for market in markets for row in _tier_rows(market)]
    return {"category": "linear", "list": rows, "nextPageCursor": ""}


def _tier_rows(market: Market) -> list[dict[str, Any]]:
    allowed = market.rules.max_leverage
    rows: list[dict[str, Any]] = []
    for number, tier in enumerate(market.tiers, start=1):
        leverage = tier.max_leverage if allowed is None else min(allowed, tier.max_leverage)
        rows.append(
            {
                "id": number,
                "symbol": market.rules.symbol,
                "riskLimitValue": text(tier.cap),
                "maintenanceMargin": text(tier.maintenance_rate),
                "initialMargin": text((1 / leverage).quantize(Decimal("0.0001"))),
                "isLowestRisk": 1 if number == 1 else 0,
                "maxLeverage": text(leverage),
                "mmDeduction": text(tier.deduction),
            }
        )
    return rows


def open_interest(call: Call) -> dict[str, Any]:
    """GET market/open-interest: one figure, recorded or made up, for each interval that was asked for."""
    call.params.linear()
    symbol = call.symbol()
    names = {"5min": 5, "15min": 15, "30min": 30, "1h": 60, "4h": 240, "1d": 1440}
    minutes = names.get(call.params.need("intervalTime"))
    if minutes is None:
        raise bad_param("intervalTime")
    length_ns = minutes * NS_PER_MINUTE
    newest_ns = call.world.now_ns() // length_ns * length_ns
    count = call.params.limit(50, 200)
    held = open_interest_of(call.world.tape(VENUE, symbol), call.book(symbol))
    rows = [{"openInterest": text(held), "timestamp": ms(newest_ns - n * length_ns)} for n in range(count)]
    return {"symbol": symbol, "category": "linear", "list": rows, "nextPageCursor": ""}


def account_ratio(call: Call) -> dict[str, Any]:
    """GET market/account-ratio: how many hold long and short is not modelled."""
    call.params.linear()
    call.symbol()
    return {"list": [], "nextPageCursor": ""}


ROUTES: Mapping[str, Handler] = {
    "/v5/market/time": time,
    "/v5/market/account-ratio": account_ratio,
    "/v5/market/instruments-info": instruments,
    "/v5/market/tickers": tickers,
    "/v5/market/orderbook": order_book,
    "/v5/market/kline": candles,
    "/v5/market/mark-price-kline": mark_candles,
    "/v5/market/index-price-kline": mark_candles,
    "/v5/market/premium-index-price-kline": premium_candles,
    "/v5/market/recent-trade": recent_trades,
    "/v5/market/funding/history": funding_history,
    "/v5/market/risk-limit": risk_limits,
    "/v5/market/open-interest": open_interest,
}
