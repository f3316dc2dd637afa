"""Market data by request: rules, tickers, books, candles, mark prices and funding.

Source: "Binance USD-M Futures, Market Data".
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from framework import ceil_to

from ...engine.money import ZERO
from ..tape import Bar, PublicTrade, Tape, shown_best, shown_depth
from .call import VENUE, Call
from .errors import VenueError
from .limits import RATE_LIMITS
from .params import Params
from .words import ASSET, ms, shown, text

DEPTHS = (5, 10, 20, 50, 100, 500, 1000)
SHOWN_LEVELS = 20
"""How deep the shown book is: what lies below would be as made up as this."""
ORDER_TYPES = ("LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
TIMES_IN_FORCE = ("GTC", "IOC", "FOK", "GTX", "GTD")
NS_PER_HOUR = 3_600_000_000_000
PERPETUAL_UNTIL_MS = 4_133_404_800_000
FUNDING_CAP = Decimal("0.02")
INTEREST_RATE = Decimal("0.0001")


def ping(call: Call) -> dict[str, Any]:
    """GET ping."""
    return {}


def time(call: Call) -> dict[str, Any]:
    """GET time."""
    return {"serverTime": call.world.told_ms("binance")}


def exchange_info(call: Call) -> dict[str, Any]:
    """GET exchangeInfo: the rows of the market file, with what clients insist on."""
    symbols = [symbol_row(call, symbol) for symbol in call.engine.markets]
    assets = sorted({row["marginAsset"] for row in symbols} | {ASSET})
    return {
        "timezone": "UTC",
        "serverTime": call.world.told_ms("binance"),
        "futuresType": "U_MARGINED",
        "rateLimits": [dict(row) for row in RATE_LIMITS],
        "exchangeFilters": [],
        "assets": [{"asset": asset, "marginAvailable": True, "autoAssetExchange": "-10000"} for asset in assets],
        "symbols": symbols,
    }


def symbol_row(call: Call, symbol: str) -> dict[str, Any]:
    """One symbol's rules. What a client would miss in an older market file is filled in."""
    row = call.world.rows[VENUE][symbol]
    filled = {
        "deliveryDate": PERPETUAL_UNTIL_MS,
        "settlePlan": 0,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        **row,
        "orderTypes": list(ORDER_TYPES),
        "timeInForce": list(dict.fromkeys((*row.get("timeInForce", ()), *TIMES_IN_FORCE))),
    }
    # The filter on conditional orders of a market was taken away on 2025-12-29.
    filters = [one for one in row["filters"] if one["filterType"] != "MAX_NUM_ALGO_ORDERS"]
    return {**filled, "filters": filters}


def ticker(call: Call) -> Any:
    """GET ticker/24hr: of one market, or of all that were quoted."""
    symbol = call.some_symbol()
    if symbol is not None:
        return day_row(call, symbol)
    return [day_row(call, one) for one in quoted(call)]


def day_row(call: Call, symbol: str) -> dict[str, Any]:
    """The last 24 hours. There is no bid and no ask in it."""
    now_ns, tape = call.world.now_ns(), tape_of(call, symbol)
    day, trade = tape.day(now_ns), tape.last_trade()
    if day is None:
        day = Bar(now_ns, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, 0)
    change = day.close - day.open
    average = day.turnover / day.volume if day.volume else ZERO
    last = 0 if trade is None else trade.number
    return {
        "symbol": symbol,
        "priceChange": text(change),
        "priceChangePercent": text(percent(change, day.open)),
        "weightedAvgPrice": shown(average.quantize(tape.tick), tape.tick),
        "lastPrice": shown(day.close, tape.tick),
        "lastQty": shown(ZERO if trade is None else trade.quantity, tape.step),
        "openPrice": shown(day.open, tape.tick),
        "highPrice": shown(day.high, tape.tick),
        "lowPrice": shown(day.low, tape.tick),
        "volume": shown(day.volume, tape.step),
        "quoteVolume": text(day.turnover),
        "openTime": ms(now_ns) - 86_400_000,
        "closeTime": ms(now_ns),
        "firstId": max(0, last - day.trades + 1),
        "lastId": last,
        "count": day.trades,
    }


def percent(change: Decimal, base: Decimal) -> Decimal:
    """A change in percent, to three digits."""
    return (change / base * 100).quantize(Decimal("0.001")) if base else ZERO


def price_row(call: Call, symbol: str) -> dict[str, Any]:
    """The last price."""
    book = call.book(symbol)
    last = ZERO if book is None else book.quote.last
    at_ns = 0 if book is None else book.quote.time_ns
    return {"symbol": symbol, "price": shown(last, tape_of(call, symbol).tick), "time": ms(at_ns)}


def price(call: Call) -> Any:
    """GET ticker/price (v1 and v2)."""
    symbol = call.some_symbol()
    return price_row(call, symbol) if symbol is not None else [price_row(call, one) for one in quoted(call)]


def best_row(call: Call, symbol: str) -> dict[str, Any]:
    """Best bid and ask."""
    book, tape = call.book(symbol), tape_of(call, symbol)
    if book is None:
        return {"symbol": symbol, "bidPrice": "0", "bidQty": "0", "askPrice": "0", "askQty": "0", "time": 0,
                "lastUpdateId": 0}  # fmt: skip
    bid, ask = shown_best(book, tape.step)
    return {
        "symbol": symbol,
        "bidPrice": shown(bid[0], tape.tick),
        "bidQty": shown(bid[1], tape.step),
        "askPrice": shown(ask[0], tape.tick),
        "askQty": shown(ask[1], tape.step),
        "time": ms(book.quote.time_ns),
        "lastUpdateId": tape.update,
    }


def best(call: Call) -> Any:
    """GET ticker/bookTicker."""
    symbol = call.some_symbol()
    return best_row(call, symbol) if symbol is not None else [best_row(call, one) for one in quoted(call)]


def depth(call: Call) -> dict[str, Any]:
    """GET depth."""
    symbol, limit = call.symbol(), call.params.whole("limit")
    if limit is not None and limit not in DEPTHS:
        raise VenueError(-4021, message=f"{limit} is not valid depth limit.")
    book, tape = call.book(symbol), tape_of(call, symbol)
    bids, asks = ([], []) if book is None else shown_depth(book, tape.tick, tape.step, min(limit or 500, SHOWN_LEVELS))
    now_ms = call.world.told_ms("binance")
    return {
        "lastUpdateId": tape.update,
        "E": now_ms,
        "T": now_ms if book is None else ms(book.quote.time_ns),
        "bids": [[shown(at, tape.tick), shown(quantity, tape.step)] for at, quantity in bids],
        "asks": [[shown(at, tape.tick), shown(quantity, tape.step)] for at, quantity in asks],
    }


def premium_row(call: Call, symbol: str) -> dict[str, Any]:
    """Mark price and funding. The index price is the mark price."""
    book, tape = call.book(symbol), tape_of(call, symbol)
    mark = text(ZERO if book is None else book.quote.mark)
    return {
        "symbol": symbol,
        "markPrice": mark,
        "indexPrice": mark,
        "estimatedSettlePrice": mark,
        "lastFundingRate": text(tape.funding_rate),
        "interestRate": text(INTEREST_RATE),
        "nextFundingTime": next_funding_ms(tape, call.world.now_ns()),
        "time": call.world.told_ms("binance"),
    }


def next_funding_ms(tape: Tape, now_ns: int) -> int:
    """The next whole interval since midnight."""
    interval_ns = tape.funding_hours * NS_PER_HOUR
    return ms((now_ns // interval_ns + 1) * interval_ns)


def premium(call: Call) -> Any:
    """GET premiumIndex."""
    symbol = call.some_symbol()
    return premium_row(call, symbol) if symbol is not None else [premium_row(call, one) for one in quoted(call)]


def funding_history(call: Call) -> list[dict[str, Any]]:
    """GET fundingRate: what was settled, oldest first."""
    symbol, limit = call.some_symbol(), call.params.limit(100, 1000)
    start, end = call.params.whole("startTime"), call.params.whole("endTime")
    rows = [
        {"symbol": one, "fundingRate": text(rate), "fundingTime": ms(at_ns), "markPrice": text(mark)}
        for one in ([symbol] if symbol is not None else call.engine.markets)
        for at_ns, rate, mark in tape_of(call, one).funding_history
        if (start is None or ms(at_ns) >= start) and (end is None or ms(at_ns) <= end)
    ]
    rows.sort(key=lambda row: (row["fundingTime"], row["symbol"]))
    return rows[:limit] if start is not None else rows[-limit:]


def funding_info(call: Call) -> list[dict[str, Any]]:
    """GET fundingInfo."""
    return [
        {
            "symbol": symbol,
            "adjustedFundingRateCap": text(FUNDING_CAP),
            "adjustedFundingRateFloor": f"-{text(FUNDING_CAP)}",
            "fundingIntervalHours": tape_of(call, symbol).funding_hours,
            "disclaimer": False,
        }
        for symbol in call.engine.markets
    ]


def trades(call: Call) -> list[dict[str, Any]]:
    """GET trades and historicalTrades: the newest, oldest of them first."""
    symbol, limit = call.symbol(), call.params.limit(500, 1000)
    first = call.params.whole("fromId")
    tape = tape_of(call, symbol)
    rows = [trade_row(tape, one) for one in tape.trades(1000)]
    return rows[-limit:] if first is None else [row for row in rows if row["id"] >= first][:limit]


def trade_row(tape: Tape, trade: PublicTrade) -> dict[str, Any]:
    """A public trade."""
    return {
        "id": trade.number,
        "price": shown(trade.price, tape.tick),
        "qty": shown(trade.quantity, tape.step),
        "quoteQty": text(trade.price * trade.quantity),
        "time": ms(trade.time_ns),
        "isBuyerMaker": not trade.buyer_took,
        "isRPITrade": False,
    }


def aggregated_trades(call: Call) -> list[dict[str, Any]]:
    """GET aggTrades: every trade is one of its own."""
    symbol, limit = call.symbol(), call.params.limit(500, 1000)
    first = call.params.whole("fromId")
    start, end = call.params.whole("startTime"), call.params.whole("endTime")
    tape = tape_of(call, symbol)
    rows = [
        aggregated_row(tape, one)
        for one in tape.trades(1000)
        if (start is None or ms(one.time_ns) >= start) and (end is None or ms(one.time_ns) <= end)
    ]
    return rows[-limit:] if first is None else [row for row in rows if row["a"] >= first][:limit]


def aggregated_row(tape: Tape, trade: PublicTrade) -> dict[str, Any]:
    """A public trade as an aggregated one."""
    return {
        "a": trade.number,
        "p": shown(trade.price, tape.tick),
        "q": shown(trade.quantity, tape.step),
        "nq": shown(trade.quantity, tape.step),
        "f": trade.number,
        "l": trade.number,
        "T": ms(trade.time_ns),
        "m": not trade.buyer_took,
    }


def adl_risk(call: Call) -> Any:
    """GET symbolAdlRisk."""
    symbol, now_ms = call.some_symbol(), call.world.told_ms("binance")
    if symbol is not None:
        return {"symbol": symbol, "adlRisk": "low", "updateTime": now_ms}
    return [{"symbol": one, "adlRisk": "low", "updateTime": now_ms} for one in call.engine.markets]


def nothing(call: Call) -> list[Any]:
    """A list that is always empty: statistics and indices that are not modelled."""
    return []


def open_interest(call: Call) -> dict[str, Any]:
    """GET openInterest, in the base asset: as recorded, else what the accounts of the emulator hold."""
    symbol = call.symbol()
    book, tape = call.book(symbol), tape_of(call, symbol)
    if tape.open_interest_usd is not None and book is not None:
        held = ceil_to(tape.open_interest_usd / book.quote.mark, tape.step)
    else:
        held = sum((call.engine.position(name, symbol).size for name in call.engine.accounts), ZERO)
    return {"symbol": symbol, "openInterest": text(held), "time": call.world.told_ms("binance")}


def constituents(call: Call) -> dict[str, Any]:
    """GET constituents: the index is made of one market."""
    symbol = call.symbol()
    part = {"exchange": "binance", "symbol": symbol, "price": price_row(call, symbol)["price"], "weight": "1"}
    return {"symbol": symbol, "time": call.world.told_ms("binance"), "constituents": [part]}


def quoted(call: Call) -> list[str]:
    """The markets that have a price."""
    return [symbol for symbol in call.engine.markets if call.book(symbol) is not None]


def tape_of(call: Call, symbol: str) -> Tape:
    """What was seen of a market."""
    return call.world.tape(VENUE, symbol)


def depth_weight(params: Params) -> int:
    """By the number of levels."""
    return stepped(params, ((50, 2), (100, 5), (500, 10)), 20, 500)


def stepped(params: Params, steps: tuple[tuple[int, int], ...], beyond: int, default: int) -> int:
    """A weight by the limit that is asked for."""
    raw = params.text("limit")
    limit = int(raw) if raw is not None and raw.isascii() and raw.isdigit() and len(raw) < 9 else default
    return next((weight for most, weight in steps if limit <= most), beyond)
