"""WebSockets of a simulated process: used like aiohttp's, in virtual time, with the venue's wire at the far end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
from attrs import define, field

from ..emulator.transport import GuardedSocket, open_socket
from ..emulator.wire import HttpResponse
from .points import SEND, for_ever

if TYPE_CHECKING:
    from .transport import Carrier

GREETING_NS = 1_000_000
"""How long the last step of a handshake or a goodbye takes."""


@define(eq=False)
class Dialling:
    """Opens a WebSocket, as a context manager."""

    carrier: Carrier
    url: str

    async def __aenter__(self) -> SimulatedSocket:
        carrier = self.carrier
        if not carrier.survives(SEND):
            await for_ever()
        address = urlsplit(self.url)
        venue = carrier.venue_of(address.path)
        future: asyncio.Future[SimulatedSocket] = asyncio.get_running_loop().create_future()
        if carrier.roads.is_cut(venue):
            await for_ever()  # whoever dials has a time limit of their own
        (there_ns,) = carrier.roads.frame(venue, outward=True)[:1] or (GREETING_NS,)
        carrier.world.schedule(there_ns, lambda: self._shake(future, venue, address))
        return await future

    async def __aexit__(self, *exception: object) -> None:
        return None

    def _shake(self, future: asyncio.Future[SimulatedSocket], venue: str, address: Any) -> None:
        """The handshake at the venue's end."""
        carrier = self.carrier
        if carrier.is_dead or future.done():
            return
        socket = SimulatedSocket(carrier, venue)
        opened = open_socket(carrier.world, address.path, address.query, {}, _VenueEnd(socket))
        if isinstance(opened, HttpResponse):
            status, headers = opened.status, opened.headers
            error = aiohttp.WSServerHandshakeError(None, (), status=status, message="", headers=headers)  # type: ignore[arg-type]
            carrier.world.schedule(GREETING_NS, lambda: None if future.done() else future.set_exception(error))
            return
        socket.far_end = opened
        carrier.sockets[id(socket)] = socket
        carrier.world.schedule(GREETING_NS, lambda: None if future.done() else future.set_result(socket))


@define(eq=False)
class SimulatedSocket:
    """A WebSocket as aiohttp's client sees it. `far_end` is the venue's."""

    carrier: Carrier
    venue: str
    far_end: GuardedSocket | None = field(default=None, init=False)
    closed: bool = field(default=False, init=False)
    close_code: int | None = field(default=None, init=False)
    _conn: None = field(default=None, init=False)
    _inbox: deque[aiohttp.WSMessage] = field(factory=deque, init=False)
    _waiting: asyncio.Future[None] | None = field(default=None, init=False)
    _arrives_ns: int = field(default=0, init=False)
    _leaves_ns: int = field(default=0, init=False)

    async def receive(self) -> aiohttp.WSMessage:
        """The next message; for ever CLOSED after the end."""
        while not self._inbox:
            if self.closed:
                return aiohttp.WSMessage(aiohttp.WSMsgType.CLOSED, None, None)
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        return self._inbox.popleft()

    async def send_str(self, text: str) -> None:
        """Send a text frame."""
        self._outward(lambda: self.far_end.receive(text) if self.far_end is not None else None)

    async def ping(self, data: bytes = b"") -> None:
        """Send a ping; what answers is the venue's machine, whatever its streams do."""
        self._outward(lambda: self.arrives(aiohttp.WSMessage(aiohttp.WSMsgType.PONG, data, None)))

    async def pong(self, data: bytes = b"") -> None:
        """Answer a ping."""
        self._outward(lambda: self.far_end.pong() if self.far_end is not None else None)

    async def close(self, *, code: int = 1000, message: bytes = b"") -> bool:
        """Close from our side."""
        if not self.closed:
            self.close_code = code
            self.drop()
        return True

    # ── the way ─────────────────────────────────────────────────────────────────────────────────────────────

    def drop(self) -> None:
        """The connection is gone; the other side learns of it in a moment."""
        if self.closed and self.far_end is None:
            return
        self.closed = True
        self.carrier.sockets.pop(id(self), None)
        far_end, self.far_end = self.far_end, None
        if far_end is not None:
            self.carrier.world.schedule(GREETING_NS, far_end.closed)
        self._wake()

    def breaks(self) -> None:
        """The network breaks the connection: the client learns of it with the next it does."""
        self._inbox.clear()
        self.drop()

    def _outward(self, do: Callable[[], object]) -> None:
        if self.closed or self.carrier.is_dead:
            raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")
        world = self.carrier.world
        for delay_ns in self.carrier.roads.frame(self.venue, outward=True)[:1]:
            self._leaves_ns = max(self._leaves_ns, world.now_ns() + delay_ns)
            world.schedule(self._leaves_ns - world.now_ns(), lambda: None if self.closed else do())

    def arrives(self, message: aiohttp.WSMessage) -> None:
        """A message leaves the venue, and arrives when and as often as the network has it."""
        world = self.carrier.world
        for number, delay_ns in enumerate(self.carrier.roads.frame(self.venue, outward=False)):
            due_ns = world.now_ns() + delay_ns
            if not number:  # frames of one connection keep their order, but for a copy that comes once more
                due_ns = self._arrives_ns = max(self._arrives_ns, due_ns)
            world.schedule(due_ns - world.now_ns(), lambda: self._put(message))

    def _put(self, message: aiohttp.WSMessage) -> None:
        if not self.closed and not self.carrier.is_dead:
            self._inbox.append(message)
            self._wake()

    def _wake(self) -> None:
        waiting = self._waiting
        if waiting is not None and not waiting.done() and not self.carrier.is_dead:
            waiting.set_result(None)


@define(eq=False)
class _VenueEnd:
    """A `Peer` to the venue's wire: what it says sets out for the client."""

    socket: SimulatedSocket

    def send(self, text: str) -> None:
        self.socket.arrives(aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, text, None))

    def close(self, code: int, reason: str) -> None:
        self.socket.arrives(aiohttp.WSMessage(aiohttp.WSMsgType.CLOSE, code, reason))

    def ping(self) -> None:
        self.socket.arrives(aiohttp.WSMessage(aiohttp.WSMsgType.PING, b"", None))
