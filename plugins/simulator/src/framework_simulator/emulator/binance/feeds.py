"""What each market stream says: its name read, its rhythm, its events.

Source: "Binance USD-M Futures, Websocket Market Streams". Rhythms are the venue's; an event goes out at once when the
stream has been quiet for its interval, else when the interval is over.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from attrs import frozen

from ...engine.orders import Order
from ..clock import NS_PER_MS
from ..tape import PublicTrade, shown_best
from . import market
from .call import Call
from .sources import Candle, Depth, ForAll, Shown, Source, Trades, depth_event, levels
from .words import INTERVALS_MINUTES, ms, shown, text

EVERY_SYMBOL = ""


@frozen
class Told:
    """Events of one symbol."""

    call: Call

    def best(self, symbol: str) -> dict[str, Any] | None:
        """bookTicker."""
        book = self.call.book(symbol)
        if book is None:
            return None
        tape = market.tape_of(self.call, symbol)
        bid, ask = shown_best(book, tape.step)
        tick, step = tape.tick, tape.step
        return {
            "e": "bookTicker",
            "u": tape.update,
            "s": symbol,
            "b": shown(bid[0], tick),
            "B": shown(bid[1], step),
            "a": shown(ask[0], tick),
            "A": shown(ask[1], step),
            "T": ms(book.quote.time_ns),
            "E": self.call.world.told_ms("binance"),
        }

    def mark(self, symbol: str) -> dict[str, Any] | None:
        """markPriceUpdate."""
        if self.call.book(symbol) is None:
            return None
        row = market.premium_row(self.call, symbol)
        return {
            "e": "markPriceUpdate",
            "E": row["time"],
            "s": symbol,
            "p": row["markPrice"],
            "ap": row["markPrice"],
            "P": row["estimatedSettlePrice"],
            "i": row["indexPrice"],
            "r": row["lastFundingRate"],
            "T": row["nextFundingTime"],
        }

    def mini(self, symbol: str) -> dict[str, Any] | None:
        """24hrMiniTicker."""
        if self.call.book(symbol) is None:
            return None
        row = market.day_row(self.call, symbol)
        return {
            "e": "24hrMiniTicker",
            "E": self.call.world.told_ms("binance"),
            "s": symbol,
            "c": row["lastPrice"],
            "o": row["openPrice"],
            "h": row["highPrice"],
            "l": row["lowPrice"],
            "v": row["volume"],
            "q": row["quoteVolume"],
        }

    def day(self, symbol: str) -> dict[str, Any] | None:
        """24hrTicker: no bid and no ask."""
        short = self.mini(symbol)
        if short is None:
            return None
        row = market.day_row(self.call, symbol)
        return {
            **short,
            "e": "24hrTicker",
            "p": row["priceChange"],
            "P": row["priceChangePercent"],
            "w": row["weightedAvgPrice"],
            "Q": row["lastQty"],
            "O": row["openTime"],
            "C": row["closeTime"],
            "F": row["firstId"],
            "L": row["lastId"],
            "n": row["count"],
        }

    def trade(self, symbol: str, trade: PublicTrade) -> dict[str, Any]:
        """A public trade."""
        at, tape = ms(trade.time_ns), market.tape_of(self.call, symbol)
        return {"e": "trade", "E": self.call.world.told_ms("binance"), "T": at, "s": symbol, "t": trade.number,
                "p": shown(trade.price, tape.tick), "q": shown(trade.quantity, tape.step), "X": "MARKET",
                "m": not trade.buyer_took}  # fmt: skip

    def aggregated(self, symbol: str, trade: PublicTrade) -> dict[str, Any]:
        """The same as an aggregated one."""
        row = market.aggregated_row(market.tape_of(self.call, symbol), trade)
        return {"e": "aggTrade", "E": self.call.world.told_ms("binance"), "s": symbol, **row}

    def partial_depth(self, symbol: str, count: int) -> dict[str, Any] | None:
        """The best levels."""
        if self.call.book(symbol) is None:
            return None
        bids, asks = levels(self.call, symbol, count)
        update = market.tape_of(self.call, symbol).update
        return {**depth_event(self.call, symbol, bids, asks), "U": update, "u": update, "pu": max(0, update - 1)}


def source_for(call: Call, name: str) -> tuple[str, Source] | None:
    """The symbol that a stream looks at (`EVERY_SYMBOL`: all of them) and what makes its events.

    None for a name that says nothing here: not a stream, not a listed symbol, or one that never has anything to say.
    """
    if name.startswith("!"):
        source = _for_all(call, name)
        return None if source is None else (EVERY_SYMBOL, source)
    place, _, kind = name.partition("@")
    if kind.startswith("continuousKline_"):
        return _continuous(call, place, kind.removeprefix("continuousKline_"))
    symbol = place.upper()
    if place != place.lower() or symbol not in call.engine.markets:
        return None
    source = _for_one(call, symbol, kind)
    return None if source is None else (symbol, source)


def _for_one(call: Call, symbol: str, kind: str) -> Source | None:
    told = Told(call)
    if (depth := _DEPTH.fullmatch(kind)) is not None:
        return _depth(call, symbol, depth)
    if kind.startswith("kline_"):
        return _candle(call, symbol, kind.removeprefix("kline_"))
    makers: dict[str, Callable[[], Source]] = {
        "bookTicker": lambda: Shown(lambda: told.best(symbol)),
        "miniTicker": lambda: Shown(lambda: told.mini(symbol), 2000 * NS_PER_MS),
        "ticker": lambda: Shown(lambda: told.day(symbol), 2000 * NS_PER_MS),
        "markPrice": lambda: Shown(lambda: told.mark(symbol), 3000 * NS_PER_MS, steady=True),
        "markPrice@1s": lambda: Shown(lambda: told.mark(symbol), 1000 * NS_PER_MS, steady=True),
        "trade": lambda: Trades(call, symbol, told.trade),
        "aggTrade": lambda: Trades(call, symbol, told.aggregated, 100 * NS_PER_MS),
        "forceOrder": lambda: Source(),
    }
    maker = makers.get(kind)
    return None if maker is None else maker()


def _for_all(call: Call, name: str) -> Source | None:
    told = Told(call)

    def symbols() -> list[str]:
        return market.quoted(call)

    makers: dict[str, Callable[[], Source]] = {
        "!bookTicker": lambda: ForAll(symbols, told.best, one_by_one=True),
        "!miniTicker@arr": lambda: ForAll(symbols, told.mini, 1000 * NS_PER_MS),
        "!ticker@arr": lambda: ForAll(symbols, told.day, 1000 * NS_PER_MS),
        "!markPrice@arr": lambda: ForAll(symbols, told.mark, 3000 * NS_PER_MS, steady=True),
        "!markPrice@arr@1s": lambda: ForAll(symbols, told.mark, 1000 * NS_PER_MS, steady=True),
        "!forceOrder@arr": lambda: Source(),
    }
    maker = makers.get(name)
    return None if maker is None else maker()


_DEPTH = re.compile(r"(?:rpiD|d)epth(5|10|20)?(?:@(100|250|500)ms)?")


def _depth(call: Call, symbol: str, found: re.Match[str]) -> Source:
    interval_ns = int(found[2] or 250) * NS_PER_MS
    if found[1] is None:
        return Depth(call, symbol, interval_ns)
    count = int(found[1])
    return Shown(lambda: Told(call).partial_depth(symbol, count), interval_ns)


def _candle(call: Call, symbol: str, interval: str) -> Source | None:
    minutes = INTERVALS_MINUTES.get(interval)
    if minutes is None:
        return None

    def shape(candle: dict[str, Any]) -> dict[str, Any]:
        return {"e": "kline", "E": call.world.told_ms("binance"), "s": symbol, "k": candle}

    return Candle(call, symbol, interval, minutes, shape)


def _continuous(call: Call, place: str, interval: str) -> tuple[str, Source] | None:
    pair, _, contract = place.partition("_")
    symbol, minutes = pair.upper(), INTERVALS_MINUTES.get(interval)
    if contract != "perpetual" or symbol not in call.engine.markets or minutes is None:
        return None

    def shape(candle: dict[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in candle.items() if key != "s"}
        return {"e": "continuous_kline", "E": call.world.told_ms("binance"), "ps": symbol, "ct": "PERPETUAL", "k": kept}

    return symbol, Candle(call, symbol, interval, minutes, shape)


def force_order_event(call: Call, order: Order) -> dict[str, Any]:
    """A liquidation, as everybody sees it."""
    filled = text(order.filled)
    told = {
        "s": order.symbol,
        "S": order.side.value.upper(),
        "o": "LIMIT",
        "f": "IOC",
        "q": text(order.quantity),
        "p": text(order.price),
        "ap": text(order.average_price),
        "X": "FILLED",
        "l": filled,
        "z": filled,
        "T": ms(order.updated_ns),
    }
    return {"e": "forceOrder", "E": call.world.told_ms("binance"), "o": told}
