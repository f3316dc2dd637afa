"""What each market stream says: its name read, its rhythm, its events.

Source: "Binance USD-M Futures, Websocket Market Streams". Rhythms are the venue's; an event goes out at once when the
stream has been quiet for its interval, else when the interval is over.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from attrs import define, field, frozen

from ...engine.orders import Order
from ..clock import NS_PER_MS, Cancel
from ..tape import Bar, Level, PublicTrade, shown_depth
from . import market
from .call import VENUE, Call
from .words import INTERVALS_MINUTES, ms, text

NS_PER_MINUTE = 60_000 * NS_PER_MS
EVERY_SYMBOL = ""

Event = dict[str, Any] | list[dict[str, Any]]


class Source:
    """Makes a stream's events. `steady`: it speaks at every interval, whether the market moved or not."""

    interval_ns = 0
    steady = False

    def on_quote(self, symbol: str) -> None:
        """The market moved."""

    def take(self) -> list[Event]:
        """What there is to say now."""
        return []

    def first(self) -> list[Event]:
        """What a new subscriber hears at once: the state of things, so that nobody waits for a market at rest."""
        return []

    def end(self) -> None:
        """Nobody listens any more."""


@define
class Shown(Source):
    """A stream that says how things are."""

    make: Callable[[], Event | None]
    interval_ns: int = 0
    steady: bool = False

    def take(self) -> list[Event]:
        """The state."""
        event = self.make()
        return [] if event is None else [event]

    def first(self) -> list[Event]:
        """The state."""
        return self.take()


@define
class ForAll(Source):
    """A stream over all symbols: what has changed since it spoke last, in one list, or one by one."""

    symbols: Callable[[], list[str]]
    make: Callable[[str], dict[str, Any] | None]
    interval_ns: int = 0
    one_by_one: bool = False
    steady: bool = False
    _changed: dict[str, None] = field(factory=dict, init=False)

    def on_quote(self, symbol: str) -> None:
        """Remember it."""
        self._changed[symbol] = None

    def take(self) -> list[Event]:
        """What has changed; of a steady stream everything."""
        symbols = self.symbols() if self.steady else list(self._changed)
        self._changed.clear()
        return self._events(symbols)

    def first(self) -> list[Event]:
        """All of it."""
        return self._events(self.symbols())

    def _events(self, symbols: list[str]) -> list[Event]:
        rows = [row for row in map(self.make, symbols) if row is not None]
        if self.one_by_one:
            return list(rows)
        return [rows] if rows else []


@define
class Trades(Source):
    """Every public trade once."""

    call: Call
    symbol: str
    make: Callable[[str, PublicTrade], dict[str, Any]]
    interval_ns: int = 0
    _last: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        newest = market.tape_of(self.call, self.symbol).last_trade()
        self._last = 0 if newest is None else newest.number

    def take(self) -> list[Event]:
        """The trades since the last call."""
        trades = [one for one in market.tape_of(self.call, self.symbol).trades(1000) if one.number > self._last]
        if trades:
            self._last = trades[-1].number
        return [self.make(self.symbol, one) for one in trades]


@define
class Depth(Source):
    """Changes of the shown book: `U` to `u`, after `pu`."""

    call: Call
    symbol: str
    interval_ns: int
    _update: int = field(init=False)
    _bids: dict[Decimal, Decimal] = field(init=False)
    _asks: dict[Decimal, Decimal] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._update = market.tape_of(self.call, self.symbol).update
        self._bids, self._asks = self._shown()

    def take(self) -> list[Event]:
        """What changed; nothing if nothing did."""
        update = market.tape_of(self.call, self.symbol).update
        if update == self._update:
            return []
        bids, asks = self._shown()
        event = depth_event(self.call, self.symbol, _changes(self._bids, bids), _changes(self._asks, asks))
        event.update(U=self._update + 1, u=update, pu=self._update)
        self._update, self._bids, self._asks = update, bids, asks
        return [event]

    def _shown(self) -> tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]:
        bids, asks = _levels(self.call, self.symbol, market.SHOWN_LEVELS)
        return dict(bids), dict(asks)


@define
class Candle(Source):
    """The candle that is open, and once more when it is closed."""

    call: Call
    symbol: str
    name: str
    minutes: int
    shape: Callable[[dict[str, Any]], dict[str, Any]]
    interval_ns: int = 250 * NS_PER_MS
    _bar: Bar | None = field(init=False)
    _closed: list[Bar] = field(factory=list, init=False)
    _told_closed: bool = field(default=False, init=False)
    _timer: Cancel | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        bars = market.tape_of(self.call, self.symbol).bars(self.minutes)
        self._bar = bars[-1] if bars else None
        self._wait()

    def on_quote(self, symbol: str) -> None:
        """Count the last price in."""
        book = self.call.book(self.symbol)
        if book is None:
            return
        length_ns, now_ns = self.minutes * NS_PER_MINUTE, self.call.world.now_ns()
        open_ns, step = now_ns - now_ns % length_ns, market.tape_of(self.call, self.symbol).step
        bar, last = self._bar, book.quote.last
        if bar is None or bar.open_ns < open_ns:
            self._close()
            self._bar, self._told_closed = Bar(open_ns, last, last, last, last, step, step * last, 1), False
            return
        volume = bar.volume + step
        high, low = max(bar.high, last), min(bar.low, last)
        self._bar = Bar(bar.open_ns, bar.open, high, low, last, volume, volume * last, bar.trades + 1)

    def take(self) -> list[Event]:
        """Candles that were closed, then the one that is open."""
        closed = [self._event(bar, closed=True) for bar in self._closed]
        self._closed.clear()
        return [*closed, *self.first()]

    def first(self) -> list[Event]:
        """The candle that is open."""
        return [] if self._bar is None or self._told_closed else [self._event(self._bar, closed=False)]

    def end(self) -> None:
        """Close no more candles."""
        if self._timer is not None:
            self._timer()

    def _close(self) -> None:
        if self._bar is not None and not self._told_closed:
            self._closed.append(self._bar)
            self._told_closed = True

    def _wait(self) -> None:
        """A candle is closed on time, even if nobody trades then. What it says goes out with the next event."""
        length_ns, now_ns = self.minutes * NS_PER_MINUTE, self.call.world.now_ns()
        self._timer = self.call.world.schedule(length_ns - now_ns % length_ns, self._on_time)

    def _on_time(self) -> None:
        if self._bar is not None and self._bar.open_ns + self.minutes * NS_PER_MINUTE <= self.call.world.now_ns():
            self._close()
        self._wait()

    def _event(self, bar: Bar, *, closed: bool) -> dict[str, Any]:
        return self.shape(
            {
                "t": ms(bar.open_ns),
                "T": ms(bar.open_ns) + self.minutes * 60_000 - 1,
                "s": self.symbol,
                "i": self.name,
                "f": 0,
                "L": bar.trades,
                "o": text(bar.open),
                "c": text(bar.close),
                "h": text(bar.high),
                "l": text(bar.low),
                "v": text(bar.volume),
                "n": bar.trades,
                "x": closed,
                "q": text(bar.turnover),
                "V": text(bar.volume / 2),
                "Q": text(bar.turnover / 2),
                "B": "0",
            }
        )


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
        bids, asks = shown_depth(book, tape.tick, tape.step, 1)
        return {
            "e": "bookTicker",
            "u": tape.update,
            "s": symbol,
            "b": text(bids[0][0]),
            "B": text(bids[0][1]),
            "a": text(asks[0][0]),
            "A": text(asks[0][1]),
            "T": ms(book.quote.time_ns),
            "E": self.call.world.told_ms(),
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
            "E": self.call.world.told_ms(),
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
        at = ms(trade.time_ns)
        return {"e": "trade", "E": self.call.world.told_ms(), "T": at, "s": symbol, "t": trade.number,
                "p": text(trade.price), "q": text(trade.quantity), "X": "MARKET",
                "m": not trade.buyer_took}  # fmt: skip

    def aggregated(self, symbol: str, trade: PublicTrade) -> dict[str, Any]:
        """The same as an aggregated one."""
        row = market.aggregated_row(trade)
        return {"e": "aggTrade", "E": self.call.world.told_ms(), "s": symbol, **row, "nq": row["q"]}

    def partial_depth(self, symbol: str, levels: int) -> dict[str, Any] | None:
        """The best levels."""
        if self.call.book(symbol) is None:
            return None
        bids, asks = _levels(self.call, symbol, levels)
        update = market.tape_of(self.call, symbol).update
        return {**depth_event(self.call, symbol, bids, asks), "U": update, "u": update, "pu": max(0, update - 1)}


def depth_event(call: Call, symbol: str, bids: list[Level], asks: list[Level]) -> dict[str, Any]:
    """A depthUpdate without its numbers."""
    book = call.book(symbol)
    return {
        "e": "depthUpdate",
        "E": call.world.told_ms(),
        "T": 0 if book is None else ms(book.quote.time_ns),
        "s": symbol,
        "U": 0,
        "u": 0,
        "pu": 0,
        "b": [[text(at), text(quantity)] for at, quantity in bids],
        "a": [[text(at), text(quantity)] for at, quantity in asks],
    }


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
    levels = int(found[1])
    return Shown(lambda: Told(call).partial_depth(symbol, levels), interval_ns)


def _candle(call: Call, symbol: str, interval: str) -> Source | None:
    minutes = INTERVALS_MINUTES.get(interval)
    if minutes is None:
        return None

    def shape(candle: dict[str, Any]) -> dict[str, Any]:
        return {"e": "kline", "E": call.world.told_ms(), "s": symbol, "k": candle}

    return Candle(call, symbol, interval, minutes, shape)


def _continuous(call: Call, place: str, interval: str) -> tuple[str, Source] | None:
    pair, _, contract = place.partition("_")
    symbol, minutes = pair.upper(), INTERVALS_MINUTES.get(interval)
    if contract != "perpetual" or symbol not in call.engine.markets or minutes is None:
        return None

    def shape(candle: dict[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in candle.items() if key != "s"}
        return {"e": "continuous_kline", "E": call.world.told_ms(), "ps": symbol, "ct": "PERPETUAL", "k": kept}

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
    return {"e": "forceOrder", "E": call.world.told_ms(), "o": told}


def _levels(call: Call, symbol: str, count: int) -> tuple[list[Level], list[Level]]:
    book, tape = call.world.book(VENUE, symbol), market.tape_of(call, symbol)
    return ([], []) if book is None else shown_depth(book, tape.tick, tape.step, count)


def _changes(before: dict[Decimal, Decimal], after: dict[Decimal, Decimal]) -> list[Level]:
    gone = [(at, Decimal(0)) for at in before if at not in after]
    return [*gone, *((at, quantity) for at, quantity in after.items() if before.get(at) != quantity)]
