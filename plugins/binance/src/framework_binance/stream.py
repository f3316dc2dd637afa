"""The streams of one account: what happens on it, best prices, trades and mark prices; each kept up and told from dead.

Source: "Binance USD-M Futures, Websocket Market Streams" and "User Data Streams". Best prices are below /public, trades
and mark prices below /market, the account below /private.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from attrs import define, field

from framework import ExchangeError, Health, PositionSeen
from framework_venue.answers import Hint
from framework_venue.budget import Purpose
from framework_venue.stream import Stream
from framework_venue.watching import PositionWatch

from . import limits, reads
from .session import Session
from .strange import StrangeAnswerError
from .translate import NS_PER_MS

KEEP_KEY_S = 25 * 60.0
"""A listen key lives for an hour; the venue wants to hear of it every 30 minutes."""

KEEP_KEY_AGAIN_S = 60.0
RENEW_S = 23 * 3600.0
"""The venue closes every connection after 24 hours."""

POLL_S = 5.0
"""How often the prices of watched markets are read while a price stream is down."""

TOPICS_PER_FRAME = 200

TRADES_PROVE = 3
"""So many trades at other prices, and no news of the best prices in between: that stream is dead, not quiet."""


@define(eq=False)
class Streams:
    """The three streams of a session, and what is known of their health."""

    session: Session
    user: Stream = field(init=False)
    book: Stream = field(init=False)
    trades: Stream = field(init=False)
    watch_over: PositionWatch = field(init=False)
    watched: frozenset[str] = field(default=frozenset(), init=False)
    _key: str = field(default="", init=False)
    _was_up: bool = field(default=False, init=False)
    _numbers: itertools.count[int] = field(factory=lambda: itertools.count(1), init=False)
    _unanswered: dict[str, tuple[float, int]] = field(factory=dict, init=False)
    _last_trade: dict[str, str] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        line, silence_s = self.session.line, float(self.session.settings.stream_silence_s)
        self.user = Stream(
            name="user",
            api=line.client.api,
            address=self._user_address,
            on_frame=self.on_user_frame,
            on_up=self._user_up,
            on_down=self._user_down,
            silence_s=silence_s,
            random=line.link.random,
        )
        self.watch_over = PositionWatch(self._held, self.user.renew, silence_s, line.budget.time_s)
        self.book = self._price_stream("book", "public", silence_s)
        self.trades = self._price_stream("prices", "market", silence_s)
        self.trades.heartbeat = lambda frame: isinstance(frame, dict) and frame.get("e") == "markPriceUpdate"

    @property
    def all(self) -> tuple[Stream, ...]:
        """The user stream first: it is the one that trading needs."""
        return (self.user, self.book, self.trades)

    def start(self) -> None:
        """Begin what goes on beside the streams: the key's life, the connections' age, prices while one is down."""
        background = self.session.line.background
        background.start("listen key", self._keep_key)
        background.every("stream age", RENEW_S, self._renew_all)
        background.every("prices by request", POLL_S, self._poll)
        background.every("position watch", float(self.session.settings.stream_silence_s) / 2, self._look)

    def watch(self, symbols: frozenset[str]) -> None:
        """Keep the subscriptions in step. New markets are read at once: a first trade may be long in coming."""
        new = symbols - self.watched
        self.watched = symbols
        names = [symbol.lower() for symbol in symbols]
        self.book.want(frozenset(f"{name}@bookTicker" for name in names))
        self.trades.want(frozenset(topic for name in names for topic in (f"{name}@aggTrade", f"{name}@markPrice@1s")))
        self._unanswered = {symbol: since for symbol, since in self._unanswered.items() if symbol in symbols}
        if new:
            self._read_soon()

    async def ask_topics(self, stream: Stream) -> None:
        """Ask a price stream what it is subscribed to; the answer is a frame with the list as its `result`."""
        await stream.send({"method": "LIST_SUBSCRIPTIONS", "id": next(self._numbers)})

    def expect(self, client_id: str) -> None:
        """An answer told of a fill: the user stream has to speak of that order too, or it is dead."""
        if client_id not in self.session.news.seen:
            within_s = float(self.session.settings.stream_silence_s) / 4
            self.session.line.background.start(f"event of {client_id}", lambda: self._await(client_id, within_s))

    # ── the account ─────────────────────────────────────────────────────────────────────────────────────────

    def on_user_frame(self, frame: Any) -> None:
        """One frame of the user stream. What can't be understood makes the kernel read."""
        line = self.session.line
        if not isinstance(frame, dict):
            return
        try:
            for event in self.session.news.events(frame):
                if isinstance(event, PositionSeen):
                    self.watch_over.told(event.position.symbol, event.position.quantity)
                line.link.emit(event)
        except StrangeAnswerError as error:
            text = f"{self.session.account}: a frame of the user stream was not understood: {error}"
            line.notice("error", "strange_frame", text)
            line.lost(text)
            line.restored()
        if frame.get("e") == "listenKeyExpired" and frame.get("listenKey") in (None, self._key):
            self.user.renew("the listen key has expired")
        elif frame.get("e") in ("ACCOUNT_CONFIG_UPDATE", "ACCOUNT_UPDATE"):
            self._settings_seen(frame)

    async def _user_address(self) -> str:
        # Asked again when the answer is lost: the venue tells the same key as long as it is valid.
        answer = await self.session.line.client.ask(limits.OPEN_STREAM, {}, Purpose.PROTECT)
        key = answer.body.get("listenKey") if answer.accepted and isinstance(answer.body, dict) else None
        if not isinstance(key, str) or not key:
            raise ConnectionError(f"the venue gives no listen key: {answer.code} {answer.message}".rstrip())
        self._key = key
        return f"{self.session.settings.streams}/private/ws?listenKey={key}"

    def _user_up(self) -> None:
        # Nothing was missed before the first connection.
        if self._was_up:
            self.session.line.restored()
        self._was_up = True

    def _user_down(self, why: str) -> None:
        self.watch_over.forget()
        self.session.line.lost(f"the user stream: {why}")

    async def _look(self) -> None:
        """The stream answers pings even when it is dead: what positions it does not tell of gives it away."""
        if self.watched and self.user.is_up:
            await self.watch_over.look()
        else:
            self.watch_over.forget()

    async def _held(self) -> Mapping[str, Decimal]:
        return {held.symbol: held.quantity for held in await reads.positions(self.session)}

    async def _keep_key(self) -> None:
        pause_s = KEEP_KEY_S
        while True:
            await asyncio.sleep(pause_s)
            answer = await self.session.call(limits.KEEP_STREAM, {}, Purpose.PROTECT)
            pause_s = KEEP_KEY_S if answer.accepted else KEEP_KEY_AGAIN_S
            told = answer.body.get("listenKey") if answer.accepted and isinstance(answer.body, dict) else None
            if answer.hint is Hint.GONE or told not in (None, self._key):
                self.user.renew("the listen key is not valid any more")
                pause_s = KEEP_KEY_S

    async def _await(self, client_id: str, within_s: float) -> None:
        await asyncio.sleep(within_s)
        if client_id not in self.session.news.seen and self.user.is_up:
            self.user.renew(f"{client_id} was filled, and the stream did not say so within {within_s:g} s")

    def _settings_seen(self, frame: Mapping[str, Any]) -> None:
        """Somebody may have changed a market's settings: it is brought in order again."""
        settings, preparing = self.session.settings, self.session.line.preparing
        for symbol, leverage, mode in _settings_in(frame):
            if leverage not in (None, settings.leverage) or mode not in (None, settings.margin_mode):
                preparing.changed(symbol)
                self.session.soon_in_order(symbol)

    # ── prices ──────────────────────────────────────────────────────────────────────────────────────────────

    def on_price_frame(self, frame: Any) -> None:
        """One frame of a price stream."""
        if not isinstance(frame, dict):
            return
        match frame.get("e"):
            case "bookTicker":
                symbol = str(frame.get("s"))
                self._unanswered.pop(symbol, None)
                self._tell(symbol, frame, bid=frame.get("b"), ask=frame.get("a"))
            case "aggTrade":
                self._traded(str(frame.get("s")), str(frame.get("p")))
                self._tell(str(frame.get("s")), frame, last=frame.get("p"))
            case "markPriceUpdate":
                self._tell(str(frame.get("s")), frame, mark=frame.get("p"))

    def _price_stream(self, name: str, root: str, silence_s: float) -> Stream:
        line = self.session.line

        async def address() -> str:
            return f"{self.session.settings.streams}/{root}/ws"

        def on_frame(frame: Any) -> None:
            if isinstance(frame, dict) and "error" in frame:
                text = f"the venue refused a subscription: {frame['error']}"
                line.notice("warning", "subscription_refused", f"{self.session.account}: {text}")
                stream.renew(text)
            self.on_price_frame(frame)

        stream = Stream(
            name=name,
            api=line.client.api,
            address=address,
            on_frame=on_frame,
            on_up=lambda: self._prices_up(name),
            on_down=lambda why: self._prices_down(name, why),
            silence_s=silence_s,
            subscribe=lambda topics: self._frames("SUBSCRIBE", topics),
            unsubscribe=lambda topics: self._frames("UNSUBSCRIBE", topics),
            answered=lambda frame: isinstance(frame, dict) and "result" in frame and frame["result"] is None,
            random=line.link.random,
        )
        return stream

    def _prices_up(self, name: str) -> None:
        self.session.line.report(f"stream {name}", Health.HEALTHY)
        self._read_soon()

    def _prices_down(self, name: str, why: str) -> None:
        self.session.line.report(f"stream {name}", Health.DEGRADED, why)
        self.session.line.board.stale()

    def _frames(self, method: str, topics: Sequence[str]) -> Sequence[Any]:
        parts = [topics[start : start + TOPICS_PER_FRAME] for start in range(0, len(topics), TOPICS_PER_FRAME)]
        return [{"method": method, "params": list(part), "id": next(self._numbers)} for part in parts]

    def _tell(self, symbol: str, frame: Mapping[str, Any], **prices: Any) -> None:
        at = frame.get("E")
        if not isinstance(at, int):
            return
        time_ns = (at - self.session.line.clock.skew_ms) * NS_PER_MS
        told = {name: price for name, price in prices.items() if isinstance(price, str)}
        self.session.line.board.update(symbol, time_ns, **told)

    def _traded(self, symbol: str, price: str) -> None:
        """A trade at another price moves the best prices: if they stay silent again and again, their stream is dead."""
        if self._last_trade.get(symbol) == price or symbol not in self.watched:
            return
        self._last_trade[symbol] = price
        now = asyncio.get_running_loop().time()
        since, count = self._unanswered.get(symbol, (now, 0))
        self._unanswered[symbol] = (since, count + 1)
        silence_s = float(self.session.settings.stream_silence_s)
        if count + 1 >= TRADES_PROVE and now - since >= silence_s:
            self._unanswered.clear()
            self.book.renew(f"{symbol} is traded, and its best prices were not told for {silence_s:g} s")

    def _read_soon(self) -> None:
        if self.watched:
            self.session.line.background.start("prices by request", self._read)

    async def _poll(self) -> None:
        if self.watched and not (self.book.is_up and self.trades.is_up):
            await self._read()

    async def _read(self) -> None:
        """Prices of the watched markets by request. What fails is asked again: the streams may bring it before."""
        try:
            best, last, mark = await self.session.prices.get()
        except ExchangeError as error:
            self.session.line.notice("warning", "prices_not_read", str(error))
            return
        clock = self.session.line.clock
        # The request was answered just now: it is as new as what a stream says now.
        now_ns = clock.ours.now_ns()
        for symbol in self.watched:
            for row, names in ((best, ("bid", "ask")), (last, ("last",)), (mark, ("mark",))):
                self._read_one(symbol, row.get(symbol), names, now_ns)

    def _read_one(self, symbol: str, row: Mapping[str, Any] | None, names: Iterable[str], now_ns: int) -> None:
        if row is None:
            return
        at = row.get("time")
        time_ns = (at - self.session.line.clock.skew_ms) * NS_PER_MS if isinstance(at, int) and at else now_ns
        keys = {"bid": "bidPrice", "ask": "askPrice", "last": "price", "mark": "markPrice"}
        told = {name: row[keys[name]] for name in names if isinstance(row.get(keys[name]), str)}
        self.session.line.board.update(symbol, min(time_ns, now_ns), **told)

    # ── age ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _renew_all(self) -> None:
        for stream in self.all:
            stream.renew("its connection is almost a day old")


def _settings_in(frame: Mapping[str, Any]) -> Iterable[tuple[str, int | None, str | None]]:
    """Symbol, leverage and margin mode, as far as a frame tells them."""
    changed = frame.get("ac")
    if isinstance(changed, dict):
        yield str(changed.get("s")), changed.get("l"), None
    account = frame.get("a")
    if isinstance(account, dict) and account.get("m") == "MARGIN_TYPE_CHANGE":
        for row in account.get("P") or ():
            if isinstance(row, dict):
                yield str(row.get("s")), None, row.get("mt")
