"""Bybit's streams: what is sent, what arrives, and how a price stream that died is told from a quiet market.

Source: "Bybit v5, WebSocket Stream, Connect", "Order", "Execution", "Position", "Ticker".
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any

from attrs import define, field

from framework import Secret
from framework_venue.clock import VenueClock
from framework_venue.prices import PriceBoard
from framework_venue.stream import Stream

from .data import Tickers
from .strange import Row, number_or_none
from .translate import Translator

PRIVATE_TOPICS = ("order", "execution", "position")
EXPIRES_MS = 10_000
ANSWER_S = 3.0
"""How long the venue may take to answer a greeting."""

ALREADY = "already subscribed"
TICKERS = "tickers."
MOST_ARGS_CHARS = 20_000
"""One connection takes topics of 21,000 characters in all."""


# ── frames that are sent ────────────────────────────────────────────────────────────────────────────────────


def auth(key: Secret, secret: Secret, now_ms: int) -> dict[str, Any]:
    """Say who we are. It expires in the venue's time, so `now_ms` is the venue's."""
    expires = now_ms + EXPIRES_MS
    signed = hmac.new(secret.reveal().encode(), f"GET/realtime{expires}".encode(), hashlib.sha256).hexdigest()
    return {"req_id": "auth", "op": "auth", "args": [key.reveal(), expires, signed]}


def ping() -> dict[str, Any]:
    """What the venue wants to hear every twenty seconds. A protocol ping keeps nothing alive there."""
    return {"req_id": "ping", "op": "ping"}


def subscribe(topics: Sequence[str]) -> list[dict[str, Any]]:
    """Subscribe to topics."""
    return _change("subscribe", topics)


def unsubscribe(topics: Sequence[str]) -> list[dict[str, Any]]:
    """Unsubscribe from topics."""
    return _change("unsubscribe", topics)


def topics_of(symbols: frozenset[str]) -> frozenset[str]:
    """The topics that tell the prices of markets: bid, ask, last and mark are all in the ticker."""
    return frozenset(f"{TICKERS}{symbol}" for symbol in symbols)


def _change(op: str, topics: Sequence[str]) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = []
    part: list[str] = []
    for topic in topics:
        if sum(map(len, part)) + len(topic) > MOST_ARGS_CHARS:
            frames.append({"req_id": op, "op": op, "args": part})
            part = []
        part.append(topic)
    return [*frames, {"req_id": op, "op": op, "args": part}] if part else frames


def refusal(frame: Any) -> str | None:
    """Why the venue refused something that we sent; None for all other frames. "Already subscribed" is no refusal."""
    if not isinstance(frame, dict) or frame.get("success") is not False:
        return None
    why = str(frame.get("ret_msg") or "no reason")
    return None if ALREADY in why else f"{frame.get('op') or 'request'}: {why}"


# ── the private stream ──────────────────────────────────────────────────────────────────────────────────────


@define(eq=False)
class Greeting:
    """Authenticates, then subscribes, each answered before the next: events flow for certain once it is over."""

    key: Secret
    secret: Secret
    clock: VenueClock
    _answers: dict[str, asyncio.Future[str]] = field(factory=dict, init=False)

    async def __call__(self, stream: Stream) -> None:
        """Greet. Raises ConnectionError when the venue says no, or nothing."""
        await self._ask(stream, auth(self.key, self.secret, self.clock.now_ms()))
        for frame in subscribe(PRIVATE_TOPICS):
            await self._ask(stream, frame)

    def heard(self, frame: Any) -> None:
        """A frame that may be an answer."""
        if isinstance(frame, dict) and "success" in frame:
            waiting = self._answers.get(str(frame.get("op")))
            if waiting is not None and not waiting.done():
                waiting.set_result(refusal(frame) or "")

    async def _ask(self, stream: Stream, frame: dict[str, Any]) -> None:
        op = frame["op"]
        answer = self._answers[op] = asyncio.get_running_loop().create_future()
        try:
            await stream.send(frame)
            async with asyncio.timeout(ANSWER_S):
                why = await answer
        except TimeoutError:
            raise ConnectionError(f"no answer to {op} within {ANSWER_S:g} s") from None
        finally:
            self._answers.pop(op, None)
        if why:
            raise ConnectionError(why)


# ── the price stream ────────────────────────────────────────────────────────────────────────────────────────

_FIELDS = (("bid1Price", "bid"), ("ask1Price", "ask"), ("lastPrice", "last"), ("markPrice", "mark"))


@define(eq=False)
class _Heard:
    at_s: float
    prices: dict[str, Decimal] = field(factory=dict)


@define(eq=False)
class Prices:
    """Frames of the tickers as prices, and a watch over every wanted market of its own.

    A ticker is told when something in it has changed, so a quiet market tells nothing: silence alone proves nothing.
    But when the venue's own query shows another price than the stream has told, and the stream is still silent a while
    later, its subscription has died. `time_s` is the loop's clock.
    """

    words: Translator
    board: PriceBoard
    time_s: Callable[[], float]
    refused: Callable[[str], None]
    _heard: dict[str, _Heard] = field(factory=dict, init=False)

    @property
    def wanted(self) -> frozenset[str]:
        """The markets whose prices are wanted."""
        return frozenset(self._heard)

    def has_heard(self, symbol: str) -> bool:
        """Whether the stream has told anything of a market."""
        heard = self._heard.get(symbol)
        return heard is not None and bool(heard.prices)

    def want(self, symbols: frozenset[str]) -> None:
        """These are the markets that are wanted from now on."""
        now_s = self.time_s()
        self._heard = {symbol: self._heard.get(symbol) or _Heard(now_s) for symbol in symbols}

    def forget(self) -> None:
        """The stream was lost: what it told is old, and the wait for its news begins anew."""
        self.board.stale()
        now_s = self.time_s()
        self._heard = {symbol: _Heard(now_s) for symbol in self._heard}

    def take(self, frame: Any) -> None:
        """A frame has arrived: a whole ticker, or what has changed in one."""
        if not isinstance(frame, dict):
            return
        topic, row = frame.get("topic"), frame.get("data")
        if not isinstance(topic, str) or not topic.startswith(TICKERS):
            why = refusal(frame)
            if why is not None:
                self.refused(why)
            return
        told_ms = frame.get("ts")
        if isinstance(row, dict) and isinstance(told_ms, int):
            self._tell(topic.removeprefix(TICKERS), told_ms, row)

    def tell(self, tickers: Tickers) -> None:
        """Take over what a query told, in place of the stream."""
        time_ns = self.words.our_ns(tickers.time_ms)
        for symbol in self._heard.keys() & tickers.rows.keys():
            row = tickers.rows[symbol]
            self.board.update(symbol, time_ns, **{what: row[name] for name, what in _FIELDS if row.get(name)})

    def quiet(self, for_s: float) -> frozenset[str]:
        """The wanted markets of which the stream has told nothing for so long."""
        now_s = self.time_s()
        return frozenset(symbol for symbol, heard in self._heard.items() if now_s - heard.at_s >= for_s)

    def differs(self, symbol: str, row: Row) -> bool:
        """Whether a whole ticker that was read shows another price than the stream has told last."""
        heard = self._heard.get(symbol)
        return heard is not None and any(
            (told := number_or_none(row, name)) is not None and told != heard.prices.get(what) for name, what in _FIELDS
        )

    def _tell(self, symbol: str, told_ms: int, row: Row) -> None:
        parts = {what: row[name] for name, what in _FIELDS if name in row}
        heard = self._heard.get(symbol)
        if heard is not None:
            heard.at_s = self.time_s()
            for what, price in parts.items():
                try:
                    heard.prices[what] = Decimal(price)
                except (ArithmeticError, TypeError, ValueError):
                    parts = {name: value for name, value in parts.items() if name != what}
        if parts:
            self.board.update(symbol, self.words.our_ns(told_ms), **parts)


async def look_after(stream: Stream, prices: Prices, read: Callable[[], Awaitable[Tickers]], silence_s: float) -> None:
    """One look at the price stream. While it is down, the venue's own query tells the prices instead.

    While it is up it is renewed if that query shows prices which it does not tell; they are told at once, because the
    new connection may be as silent as the old one. Raises `ExchangeError`.
    """
    if not stream.is_up:
        if prices.wanted:
            prices.tell(await read())
        return
    quiet = prices.quiet(silence_s)
    if not quiet:
        return
    tickers = await read()
    suspects = {symbol for symbol in quiet if symbol in tickers.rows and prices.differs(symbol, tickers.rows[symbol])}
    if not suspects:
        return
    # The news may be on its way.
    await asyncio.sleep(min(1.0, silence_s / 4))
    dead = sorted(suspects & prices.quiet(silence_s))
    if dead:
        prices.tell(tickers)
        stream.renew(f"no news of {', '.join(dead)} for {silence_s:g} s, while the venue shows other prices")
