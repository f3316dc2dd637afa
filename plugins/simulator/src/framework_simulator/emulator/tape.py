"""What was seen of one market: candles of a minute, the last trades, a book to show, funding.

A recording may add what the feed can't know: candles of the time before it, and open interest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from decimal import Decimal

from attrs import define, field, frozen

from framework import Quote

from ..engine.book import Book
from ..engine.money import ZERO

NS_PER_MINUTE = 60 * 1_000_000_000
KEPT_MINUTES = 3000
KEPT_TRADES = 1000
KEPT_BARS = 1500
"""Recorded candles kept of each length: as many as Binance answers at most in one request."""
SHOWN_USD = Decimal(100_000)
"""What a level of the shown book is worth where the engine has unlimited depth."""


@frozen
class Bar:
    """A candle: `volume` in the base asset, `turnover` in USD."""

    open_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    turnover: Decimal
    trades: int


@frozen
class PublicTrade:
    """A trade that everybody sees."""

    number: int
    time_ns: int
    price: Decimal
    quantity: Decimal
    buyer_took: bool


@define
class _Minute:
    open_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    trades: int = 1


@define
class Tape:
    """One market's past. `step` is its quantity step, `tick` its price step; `update` counts changes of the market."""

    symbol: str
    tick: Decimal
    step: Decimal
    update: int = field(default=0, init=False)
    funding_rate: Decimal = Decimal("0.0001")
    funding_hours: int = 8
    funding_history: list[tuple[int, Decimal, Decimal]] = field(factory=list, init=False)
    _last: deque[_Minute] = field(init=False)
    _marks: deque[_Minute] = field(init=False)
    _trades: deque[PublicTrade] = field(init=False)
    _trade_number: int = field(default=0, init=False)
    open_interest_usd: Decimal | None = field(default=None, init=False)
    _told: dict[int, dict[int, Bar]] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._last = deque(maxlen=KEPT_MINUTES)
        self._marks = deque(maxlen=KEPT_MINUTES)
        self._trades = deque(maxlen=KEPT_TRADES)

    def saw(self, quote: Quote, time_ns: int) -> None:
        """The market changed. A last price other than the one before is a trade of one step."""
        self.update += 1
        before = self._last[-1].close if self._last else None
        _add(self._last, time_ns, quote.last)
        _add(self._marks, time_ns, quote.mark)
        if before != quote.last:
            self._trade_number += 1
            rose = before is not None and quote.last > before
            self._trades.append(PublicTrade(self._trade_number, time_ns, quote.last, self.step, rose))

    def trades(self, count: int) -> tuple[PublicTrade, ...]:
        """The newest `count` public trades, oldest first."""
        return tuple(self._trades)[-count:]

    def last_trade(self) -> PublicTrade | None:
        """The newest public trade."""
        return self._trades[-1] if self._trades else None

    def put_bar(self, minutes: int, bar: Bar) -> None:
        """A recorded candle of `minutes` that has closed. It counts, whatever the feed made of its time."""
        told = self._told.setdefault(minutes, {})
        told[bar.open_ns] = bar
        if len(told) > KEPT_BARS:
            del told[min(told)]

    def bars(self, minutes: int, *, of_mark: bool = False) -> tuple[Bar, ...]:
        """Candles of `minutes`, oldest first; the last one may still be open. Mark prices have no recorded ones."""
        made = _bars(self._marks if of_mark else self._last, minutes * NS_PER_MINUTE, self.step)
        told = {} if of_mark else self._told.get(minutes, {})
        if not told:
            return made
        by_open = {bar.open_ns: bar for bar in made} | told
        return tuple(by_open[open_ns] for open_ns in sorted(by_open))

    def day(self, now_ns: int) -> Bar | None:
        """One candle over the last 24 hours; None before the first quote."""
        since_ns = now_ns - 24 * 60 * NS_PER_MINUTE
        recent = [one for one in self._last if one.open_ns >= since_ns]
        if not recent:
            return None
        return _merged(since_ns, recent, self.step)


def shown_depth(book: Book, tick: Decimal, step: Decimal, levels: int) -> tuple[list[Level], list[Level]]:
    """Bids and asks to show, best first: the engine's best prices, and below them the same amount at every tick.

    A side that is used up shows nothing.
    """
    (bid, bid_quantity), (ask, ask_quantity) = shown_best(book, step)
    bids = [(bid - tick * n, bid_quantity) for n in range(levels if bid_quantity else 0) if bid - tick * n > ZERO]
    asks = [(ask + tick * n, ask_quantity) for n in range(levels if ask_quantity else 0)]
    return bids, asks


def shown_best(book: Book, step: Decimal) -> tuple[Level, Level]:
    """Best bid and ask with their amounts, which may be used up."""
    bid, ask = book.quote.bid, book.quote.ask
    return (bid, _shown(book.bid_quantity, bid, step)), (ask, _shown(book.ask_quantity, ask, step))


Level = tuple[Decimal, Decimal]


def _shown(depth: Decimal | None, price: Decimal, step: Decimal) -> Decimal:
    return max(step, (SHOWN_USD / price) // step * step) if depth is None else depth


def _add(minutes: deque[_Minute], time_ns: int, price: Decimal) -> None:
    open_ns = time_ns - time_ns % NS_PER_MINUTE
    if not minutes or minutes[-1].open_ns < open_ns:
        minutes.append(_Minute(open_ns, price, price, price, price))
        return
    minute = minutes[-1]
    minute.close = price
    minute.trades += 1
    if price > minute.high:
        minute.high = price
    elif price < minute.low:
        minute.low = price


def _bars(minutes: Iterable[_Minute], length_ns: int, step: Decimal) -> tuple[Bar, ...]:
    grouped: dict[int, list[_Minute]] = {}
    for minute in minutes:
        grouped.setdefault(minute.open_ns - minute.open_ns % length_ns, []).append(minute)
    return tuple(_merged(open_ns, parts, step) for open_ns, parts in grouped.items())


def _merged(open_ns: int, parts: list[_Minute], step: Decimal) -> Bar:
    trades = sum(one.trades for one in parts)
    volume = step * trades
    close = parts[-1].close
    return Bar(
        open_ns=open_ns,
        open=parts[0].open,
        high=max(one.high for one in parts),
        low=min(one.low for one in parts),
        close=close,
        volume=volume,
        turnover=volume * close,
        trades=trades,
    )
