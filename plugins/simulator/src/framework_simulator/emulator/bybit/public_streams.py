"""Market streams: tickers, books, trades, candles. Source: "Bybit v5, WebSocket Stream, Public"."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from attrs import define, field

from ..clock import NS_PER_S
from ..compact import dump_own
from ..wire import Peer
from ..world import World
from . import market
from .notes import VENUE
from .shapes import execution_id
from .sockets import Connection, StreamSocket
from .words import INTERVALS_MINUTES, text

BOOK_LEVELS = frozenset({1, 50, 200, 500, 1000})
DAY_STATS_NS = 10 * NS_PER_S
CANDLE_NS = NS_PER_S
FIRST_UPDATE = 1_000_000
"""`u` 1 means that the venue has restarted: numbers begin far above it."""


class Feed(Protocol):
    """One topic: what a newcomer is told, and what everybody is told when the market has changed."""

    def snapshot(self) -> str | None:
        """The frame for a newcomer; None before the first price."""
        ...

    def update(self) -> str | None:
        """The frame for everybody; None if nothing has changed."""
        ...


@define
class Source:
    """What feeds are made from."""

    world: World
    topic: str
    symbol: str

    def frame(self, kind: str, data: Any, **more: Any) -> str:
        """A frame of the topic."""
        return dump_own({"topic": self.topic, "type": kind, "ts": self.world.told_ms("bybit"), "data": data, **more})


@define
class TickerFeed:
    """The ticker: whole once, then what has changed. The day's figures are counted anew every ten seconds."""

    source: Source
    _told: dict[str, str] = field(factory=dict, init=False)
    _day_ns: int = field(default=0, init=False)

    def snapshot(self) -> str | None:
        """The ticker as everybody knows it."""
        if not self._told:
            self._told = self._whole()
        return self._frame("snapshot", self._told) if self._told else None

    def update(self) -> str | None:
        """What has changed."""
        if not self._told:
            return self.snapshot()
        now_ns = self.source.world.now_ns()
        row = self._whole() if now_ns - self._day_ns >= DAY_STATS_NS else self._prices()
        changed = {name: value for name, value in row.items() if self._told.get(name) != value}
        if not changed:
            return None
        self._told.update(changed)
        return self._frame("delta", {"symbol": self.source.symbol, **changed})

    def _whole(self) -> dict[str, str]:
        world, symbol = self.source.world, self.source.symbol
        book = world.book(VENUE, symbol)
        if book is None:
            return {}
        self._day_ns = world.now_ns()
        return market.ticker_row(world, symbol, book)

    def _prices(self) -> dict[str, str]:
        world, symbol = self.source.world, self.source.symbol
        book = world.book(VENUE, symbol)
        if book is None:
            return {}
        quote = book.quote
        (bid, bid_size), (ask, ask_size) = market.best(book, world.tape(VENUE, symbol))
        mark = text(quote.mark)
        return {
            "lastPrice": text(quote.last),
            "markPrice": mark,
            "indexPrice": mark,
            "bid1Price": text(bid),
            "bid1Size": text(bid_size),
            "ask1Price": text(ask),
            "ask1Size": text(ask_size),
        }

    def _frame(self, kind: str, data: Mapping[str, str]) -> str:
        return self.source.frame(kind, data, cs=self.source.world.tape(VENUE, self.source.symbol).update)


@define
class BookFeed:
    """A book of some levels: whole once, then what has changed; the one of a single level always whole."""

    source: Source
    levels: int
    _told: tuple[dict[str, str], dict[str, str]] | None = field(default=None, init=False)
    _update: int = field(default=FIRST_UPDATE, init=False)

    def snapshot(self) -> str | None:
        """The book as everybody knows it."""
        if self._told is None:
            self._told = self._now()
        return None if self._told is None else self._frame("snapshot", *(_rows(side) for side in self._told))

    def update(self) -> str | None:
        """What has changed."""
        if self._told is None or self.levels == 1:
            self._told = self._now()
            self._update += 1
            return self.snapshot()
        before, now = self._told, self._now()
        if now is None or now == before:
            return None
        self._told = now
        self._update += 1
        return self._frame("delta", *(_changes(old, new) for old, new in zip(before, now, strict=True)))

    def _now(self) -> tuple[dict[str, str], dict[str, str]] | None:
        world, symbol = self.source.world, self.source.symbol
        book = world.book(VENUE, symbol)
        if book is None:
            return None
        bids, asks = market.depth(book, world.tape(VENUE, symbol), self.levels)
        return dict(_pairs(bids)), dict(_pairs(asks))

    def _frame(self, kind: str, bids: list[list[str]], asks: list[list[str]]) -> str:
        seq = self.source.world.tape(VENUE, self.source.symbol).update
        data = {"s": self.source.symbol, "b": bids, "a": asks, "u": self._update, "seq": seq}
        return self.source.frame(kind, data, cts=self.source.world.told_ms("bybit"))


def _pairs(levels: list[list[str]]) -> Iterator[tuple[str, str]]:
    return ((price, size) for price, size in levels)


def _rows(side: Mapping[str, str]) -> list[list[str]]:
    return [[price, size] for price, size in side.items()]


def _changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[list[str]]:
    """New and changed levels, and those that are gone with a size of 0."""
    gone = [[price, "0"] for price in old if price not in new]
    return gone + [[price, size] for price, size in new.items() if old.get(price) != size]


@define
class TradeFeed:
    """Public trades, from now on."""

    source: Source
    _told: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        last = self.source.world.tape(VENUE, self.source.symbol).last_trade()
        self._told = 0 if last is None else last.number

    def snapshot(self) -> str | None:
        """Newcomers are told nothing."""
        return None

    def update(self) -> str | None:
        """The trades since the last time."""
        tape, symbol = self.source.world.tape(VENUE, self.source.symbol), self.source.symbol
        last = tape.last_trade()
        if last is None or last.number == self._told:
            return None
        fresh = [trade for trade in tape.trades(last.number - self._told) if trade.number > self._told]
        self._told = last.number
        rows = [
            {
                "T": trade.time_ns // 1_000_000,
                "s": symbol,
                "S": "Buy" if trade.buyer_took else "Sell",
                "v": text(trade.quantity),
                "p": text(trade.price),
                "L": "PlusTick" if trade.buyer_took else "MinusTick",
                "i": execution_id(f"{symbol} {trade.number}"),
                "BT": False,
                "RPI": False,
                "seq": trade.number,
            }
            for trade in fresh
        ]
        return self.source.frame("snapshot", rows)


@define
class CandleFeed:
    """Candles: the open one at most once a second, and each once more when it is closed."""

    source: Source
    interval: str
    _open_ns: int = field(default=-1, init=False)
    _told_ns: int = field(default=-CANDLE_NS, init=False)

    def snapshot(self) -> str | None:
        """The open candle."""
        return self._frame()

    def update(self) -> str | None:
        """The open candle, after the one that has just been closed."""
        now_ns, length_ns = self.source.world.now_ns(), self._length_ns()
        rolled = now_ns - now_ns % length_ns != self._open_ns
        return self._frame() if rolled or now_ns - self._told_ns >= CANDLE_NS else None

    def _length_ns(self) -> int:
        return INTERVALS_MINUTES[self.interval] * market.NS_PER_MINUTE

    def _frame(self) -> str | None:
        world, length_ns = self.source.world, self._length_ns()
        bars = world.tape(VENUE, self.source.symbol).bars(INTERVALS_MINUTES[self.interval])[-2:]
        if not bars:
            return None
        told_ms, newest = world.told_ms("bybit"), bars[-1].open_ns
        shown = [bar for bar in bars if bar.open_ns == newest or bar.open_ns == self._open_ns]
        self._open_ns, self._told_ns = newest, world.now_ns()
        rows = [
            {
                "start": bar.open_ns // 1_000_000,
                "end": (bar.open_ns + length_ns) // 1_000_000 - 1,
                "interval": self.interval,
                "open": text(bar.open),
                "close": text(bar.close),
                "high": text(bar.high),
                "low": text(bar.low),
                "volume": text(bar.volume),
                "turnover": text(bar.turnover),
                "confirm": bar.open_ns != newest,
                "timestamp": told_ms,
            }
            for bar in shown
        ]
        return self.source.frame("snapshot", rows)


def feed_for(world: World, topic: str) -> tuple[str, Callable[[], Feed]] | None:
    """The symbol of a topic, and how to make its feed; None for a topic that is not there."""
    name, _, rest = topic.partition(".")
    detail, _, symbol = rest.rpartition(".")
    if symbol not in world.markets(VENUE):
        return None
    source = Source(world, topic, symbol)
    if name == "tickers" and not detail:
        return symbol, lambda: TickerFeed(source)
    if name == "publicTrade" and not detail:
        return symbol, lambda: TradeFeed(source)
    if name == "kline" and detail in INTERVALS_MINUTES:
        return symbol, lambda: CandleFeed(source, detail)
    if name == "orderbook" and detail in {str(one) for one in BOOK_LEVELS}:
        return symbol, lambda: BookFeed(source, int(detail))
    return None


@define
class _Topic:
    feed: Feed
    sockets: dict[PublicSocket, None] = field(factory=dict)


@define
class PublicHub:
    """Who hears what. A frame is made once, however many hear it."""

    world: World
    _topics: dict[str, dict[str, _Topic]] = field(factory=dict, init=False)

    def knows(self, topic: str) -> bool:
        """Whether there is such a topic."""
        return feed_for(self.world, topic) is not None

    def join(self, topic: str, socket: PublicSocket) -> None:
        """A subscriber more."""
        found = feed_for(self.world, topic)
        if found is None:
            return
        symbol, make = found
        topics = self._topics.setdefault(symbol, {})
        if topic not in topics:
            topics[topic] = _Topic(make())
        topics[topic].sockets[socket] = None
        first = topics[topic].feed.snapshot()
        if first is not None:
            socket.connection.peer.send(first)

    def leave(self, topic: str, socket: PublicSocket) -> None:
        """A subscriber less. A topic without any is forgotten."""
        topics = self._topics.get(topic.rpartition(".")[2], {})
        entry = topics.get(topic)
        if entry is not None:
            entry.sockets.pop(socket, None)
            if not entry.sockets:
                del topics[topic]

    def tell(self, symbol: str) -> None:
        """The market of a symbol has changed."""
        for entry in tuple(self._topics.get(symbol, {}).values()):
            frame = entry.feed.update()
            if frame is not None:
                for socket in tuple(entry.sockets):
                    socket.connection.peer.send(frame)


@define(eq=False)
class PublicSocket(StreamSocket):
    """The venue's end of a market stream."""

    hub: PublicHub

    @classmethod
    def open(cls, world: World, peer: Peer, hub: PublicHub) -> PublicSocket:
        """A client has connected."""
        return cls(Connection(world, peer), hub)

    def _ping(self, frame: dict[str, Any]) -> None:
        named = {"req_id": frame["req_id"]} if "req_id" in frame else {}
        pong = {"success": True, "ret_msg": "pong", "conn_id": self.connection.id, **named, "op": "ping"}
        self.connection.send(pong)

    def _auth(self, frame: dict[str, Any]) -> None:
        self._answer(frame, "auth", "error:invalid op")

    def _may_join(self, topic: str) -> str:
        return "" if self.hub.knows(topic) else f"error:handler not found,topic:{topic}"

    def _join(self, topic: str) -> None:
        self.hub.join(topic, self)

    def _leave(self, topic: str) -> None:
        self.hub.leave(topic, self)
