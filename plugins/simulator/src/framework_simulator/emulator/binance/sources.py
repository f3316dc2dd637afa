"""What makes the events of market streams: states, trades, changes of the book, candles. And how often they speak."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from attrs import define, field

from ..clock import NS_PER_MS, Cancel
from ..tape import Bar, Level, PublicTrade, shown_depth
from . import market
from .call import VENUE, Call
from .words import ms, shown, text

NS_PER_MINUTE = 60_000 * NS_PER_MS

Event = dict[str, Any] | list[dict[str, Any]]


class Source:
    """Makes a stream's events. `steady`: it speaks at every interval, whether the market moved or not."""

    interval_ns = 0
    steady = False
    poke: Callable[[], None] = staticmethod(lambda: None)
    """Set by the feed: to be called when there is something to say though the market did not move."""

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
        bids, asks = levels(self.call, self.symbol, market.SHOWN_LEVELS)
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
        """A candle is closed on time, even if nobody trades then."""
        length_ns, now_ns = self.minutes * NS_PER_MINUTE, self.call.world.now_ns()
        self._timer = self.call.world.at(now_ns - now_ns % length_ns + length_ns, self._on_time)

    def _on_time(self) -> None:
        if self._bar is not None and self._bar.open_ns + self.minutes * NS_PER_MINUTE <= self.call.world.now_ns():
            self._close()
            self.poke()
        self._wait()

    def _event(self, bar: Bar, *, closed: bool) -> dict[str, Any]:
        tape = market.tape_of(self.call, self.symbol)
        tick = tape.tick
        return self.shape(
            {
                "t": ms(bar.open_ns),
                "T": ms(bar.open_ns) + self.minutes * 60_000 - 1,
                "s": self.symbol,
                "i": self.name,
                "f": 0,
                "L": bar.trades,
                "o": shown(bar.open, tick),
                "c": shown(bar.close, tick),
                "h": shown(bar.high, tick),
                "l": shown(bar.low, tick),
                "v": shown(bar.volume, tape.step),
                "n": bar.trades,
                "x": closed,
                "q": text(bar.turnover),
                "V": text(bar.volume / 2),
                "Q": text(bar.turnover / 2),
                "B": "0",
            }
        )


def depth_event(call: Call, symbol: str, bids: list[Level], asks: list[Level]) -> dict[str, Any]:
    """A depthUpdate without its numbers."""
    book, tape = call.book(symbol), market.tape_of(call, symbol)
    return {
        "e": "depthUpdate",
        "E": call.world.told_ms("binance"),
        "T": 0 if book is None else ms(book.quote.time_ns),
        "s": symbol,
        "U": 0,
        "u": 0,
        "pu": 0,
        "b": [[shown(at, tape.tick), shown(quantity, tape.step)] for at, quantity in bids],
        "a": [[shown(at, tape.tick), shown(quantity, tape.step)] for at, quantity in asks],
    }


def levels(call: Call, symbol: str, count: int) -> tuple[list[Level], list[Level]]:
    """The best bids and asks that are shown; none before the first quote."""
    book, tape = call.world.book(VENUE, symbol), market.tape_of(call, symbol)
    return ([], []) if book is None else shown_depth(book, tape.tick, tape.step, count)


def _changes(before: dict[Decimal, Decimal], after: dict[Decimal, Decimal]) -> list[Level]:
    gone = [(at, Decimal(0)) for at in before if at not in after]
    return [*gone, *((at, quantity) for at, quantity in after.items() if before.get(at) != quantity)]
