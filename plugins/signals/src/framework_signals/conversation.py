"""One conversation with a wave server, from its greeting to the end of the connection.

The server greets, we say the token, it lets us in; then lists come, pushed or asked for. A list is asked for at once,
because what was pushed while nobody listened is in it, and again every so often, because a push may be lost without
the connection being so. Quiet is told from dead by pings: a server that has nothing to say still answers them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
from attrs import define, field, frozen

from .json_values import ValueRefusedError, decode, shown

MAX_FRAME = 8 * 1024 * 1024
"""The largest message that is received at all, in bytes: eight times what is read of one."""
MAX_UNREADABLE = 100
"""After so many messages that make no sense a connection is given up: whoever is there does not speak the protocol."""
GOODBYE_S = 0.5

FRAMES = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)


class LostError(Exception):
    """The conversation is over; the text says why."""


class TurnedAwayError(LostError):
    """The server does not let us in with this token."""


@frozen
class Timing:
    """Seconds: how long connecting and logging in may take together, how often to ping, how long an answer to that
    may take, and how often to ask for the list."""

    connect_s: float
    ping_s: float
    answer_s: float
    ask_s: float


@define(eq=False)
class Conversation:
    """`greeted` is called once the server has let us in, `heard` with every message after that, in order.

    `heard` answers whether the message made sense; its awaiting is what keeps a flood from filling the memory.
    """

    url: str
    token: str
    timing: Timing
    greeted: Callable[[], None]
    heard: Callable[[str | bytes, object], Awaitable[bool]]
    _ping_due: float = field(default=0.0, init=False)
    _ask_due: float = field(default=0.0, init=False)
    _dead_at: float | None = field(default=None, init=False)

    async def hold(self) -> None:
        """Connect, log in and listen. Ends by raising `LostError`, or by being cancelled."""
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            ws = await self._logged_in(session)
            try:
                self.greeted()
                await self._listen(ws)
            finally:
                await _goodbye(ws)

    async def try_login(self) -> None:
        """Connect, log in and leave. Raises `LostError`."""
        async with aiohttp.ClientSession() as session:
            await _goodbye(await self._logged_in(session))

    async def _logged_in(self, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        ws: aiohttp.ClientWebSocketResponse | None = None
        try:
            async with asyncio.timeout(self.timing.connect_s):
                ws = await session.ws_connect(
                    self.url, max_msg_size=MAX_FRAME, timeout=aiohttp.ClientWSTimeout(ws_close=GOODBYE_S)
                )
                await self._log_in(ws)
        except BaseException as error:
            if ws is not None:
                await _goodbye(ws)
            if isinstance(error, TimeoutError):
                what = "no connection" if ws is None else "connected, but not let in"
                raise LostError(f"{what} within {self.timing.connect_s:g} s") from None
            if isinstance(error, aiohttp.ClientError | OSError):
                raise LostError(f"no connection: {' '.join(str(error).split()) or type(error).__name__}") from None
            raise
        return ws

    async def _log_in(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        kind, message = await self._expected(ws)
        if kind != "auth_required":
            raise LostError(f"the server greets with {shown(kind)}, not auth_required: is it a wave server?")
        await _say(ws, {"type": "auth", "token": self.token})
        kind, message = await self._expected(ws)
        if kind == "auth_failed":
            raise TurnedAwayError(f"the server refuses our token: {self._said(message)}; see to `token`")
        if kind != "auth_success":
            raise LostError(f"the server answers our token with {shown(kind)}: {self._said(message)}")

    async def _expected(self, ws: aiohttp.ClientWebSocketResponse) -> tuple[str, Mapping[str, object]]:
        """The next message of the login."""
        raw = _content(await ws.receive())
        try:
            value = decode(raw)
        except ValueRefusedError as refused:
            raise LostError(f"the server does not speak the protocol: {refused.message}") from None
        if not isinstance(value, Mapping):
            raise LostError(f"the server does not speak the protocol: {shown(value)}")
        return str(value.get("type")), value

    async def _listen(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        loop = asyncio.get_running_loop()
        unreadable = 0
        await self._ask(ws)
        self._ping_due = loop.time() + self.timing.ping_s
        while True:
            raw = await self._next(ws)
            if raw is None:
                await self._on_time(ws)
                continue
            self._dead_at = None
            try:
                value: object = decode(raw)
            except ValueRefusedError:
                value = None
            self._check_end(value)
            if not await self.heard(raw, value):
                unreadable += 1
                if unreadable >= MAX_UNREADABLE:
                    raise LostError(f"{unreadable} messages made no sense; the connection is given up")

    async def _next(self, ws: aiohttp.ClientWebSocketResponse) -> str | bytes | None:
        """The next message; None: it is time to say something, or to give up."""
        due = min(self._ping_due, self._ask_due, self._dead_at or self._ask_due)
        try:
            async with asyncio.timeout_at(due):
                return _content(await ws.receive())
        except TimeoutError:
            return None

    async def _on_time(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        now = asyncio.get_running_loop().time()
        if self._dead_at is not None and now >= self._dead_at:
            raise LostError(f"no answer to a ping within {self.timing.answer_s:g} s: the connection is dead")
        if now >= self._ping_due:
            await _say(ws, {"type": "ping"})
            self._ping_due = now + self.timing.ping_s
            self._dead_at = self._dead_at or now + self.timing.answer_s
        if now >= self._ask_due:
            await self._ask(ws)

    async def _ask(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        await _say(ws, {"type": "get_signals"})
        self._ask_due = asyncio.get_running_loop().time() + self.timing.ask_s

    def _check_end(self, value: object) -> None:
        """What only stands at the beginning or the end of a conversation ends it."""
        kind = value.get("type") if isinstance(value, Mapping) else None
        if kind == "auth_failed":
            raise TurnedAwayError("the server has withdrawn its permission; see to `token`")
        if kind == "auth_required":
            raise LostError("the server asks for the token again")

    def _said(self, message: Mapping[str, object]) -> str:
        """What the server says, without our token, should it repeat that."""
        return shown(str(message.get("message", "")).replace(self.token, "***"))


async def _say(ws: aiohttp.ClientWebSocketResponse, message: Mapping[str, object]) -> None:
    try:
        await ws.send_str(json.dumps(message))
    except (aiohttp.ClientError, ConnectionError) as error:
        raise LostError(f"the connection is gone: {error}") from None


def _content(message: aiohttp.WSMessage) -> str | bytes:
    """The content of a frame. Raises `LostError` where there is none and will be none."""
    if message.type in FRAMES:
        content: str | bytes = message.data
        return content
    if message.type is aiohttp.WSMsgType.CLOSE:
        reason: Any = message.extra
        raise LostError(f"the server closed the connection ({message.data}{f', {reason}' if reason else ''})")
    if message.type is aiohttp.WSMsgType.ERROR:
        raise LostError(f"the connection broke: {message.data}")
    raise LostError("the connection is gone")


async def _goodbye(ws: aiohttp.ClientWebSocketResponse) -> None:
    """Close, without waiting long for a server that never answers."""
    try:
        async with asyncio.timeout(2 * GOODBYE_S):
            await ws.close()
    except (TimeoutError, aiohttp.ClientError, OSError):
        return
