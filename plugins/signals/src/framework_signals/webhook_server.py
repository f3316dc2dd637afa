"""The HTTP side of the webhook: sockets, limits, answers. What a request means is decided elsewhere.

Written for strangers: a sender gets so many connections, so much time and so many bytes, and nothing of it is waited
for longer than that. One request a connection: a sender that comes once a minute loses nothing by it, and one that
holds its connection open holds nothing.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from attrs import define, field, frozen

from .gate import Bucket

BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 24\r\n"
    b'Connection: close\r\nRetry-After: 1\r\n\r\n{"error": "over_limit"}\r\n'
)
MAX_HEAD = 8190
ACCEPTED_AT_ONCE = 8
"""Connections that one turn of the event loop accepts: between two turns, what is open is looked after."""
WAITING = 256
"""Connections that may wait in the operating system to be accepted."""
GOODBYE_S = 0.2


@frozen
class Request:
    """A request that has arrived as a whole. `body` None: it was longer than what is read."""

    method: str
    path: str
    headers: Mapping[str, str]
    peer: str
    body: bytes | None


@frozen
class Answer:
    """What the sender is told: a status, and a line of JSON."""

    status: int
    said: Mapping[str, object]


@define(eq=False, kw_only=True)
class WebhookServer:
    """Listens; `answer` is asked about each request. `turned_away` is told the code of what never became one.

    More connections than `most_connections` at once or `most_per_s` in a second are told so and nothing else: that
    costs a fraction of a request, and what is open has to be looked after meanwhile.
    """

    answer: Callable[[Request], Awaitable[Answer]]
    turned_away: Callable[[str, str], None]
    most_bytes: int
    most_connections: int
    most_per_s: int
    read_within_s: float
    _bucket: Bucket = field(init=False)
    _server: web.Server = field(init=False)
    _listening: asyncio.Server | None = field(default=None, init=False)
    _began: set[asyncio.BaseProtocol] = field(factory=set, init=False)

    async def start(self, host: str, port: int) -> int:
        """Listen; answers the port. Raises OSError if it can't be had."""
        self._bucket = Bucket(self.most_per_s * 60, self.most_per_s)
        self._server = web.Server(
            self._handle,
            access_log=None,
            keepalive_timeout=0,
            lingering_time=GOODBYE_S,
            max_line_size=MAX_HEAD,
            max_field_size=MAX_HEAD,
        )
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(self._connected, sock=listener, backlog=ACCEPTED_AT_ONCE)
        listener.listen(WAITING)  # more may wait than are accepted in one turn of the loop
        address: tuple[str, int] = listener.getsockname()
        return address[1]

    async def stop(self) -> None:
        """Let go of the port and of every connection."""
        if self._listening is not None:
            self._listening.close()
            await self._server.shutdown(GOODBYE_S)
            await self._listening.wait_closed()

    def _connected(self) -> asyncio.BaseProtocol:
        if len(self._server.connections) >= self.most_connections:
            self.turned_away("over_limit", f"more than {self.most_connections} connections at once")
            return _Busy(self.read_within_s)
        if not self._bucket.take(time.monotonic_ns()):
            self.turned_away("over_limit", f"more than {self.most_per_s} connections a second")
            return _Busy(self.read_within_s)
        handler = self._server()
        asyncio.get_running_loop().call_later(self.read_within_s, self._hurry, handler)
        return handler

    def _hurry(self, handler: web.RequestHandler) -> None:
        """A connection without a whole head by now is cut: its sender is slow, or has nothing to say."""
        if handler in self._began:
            self._began.discard(handler)
        elif handler.transport is not None:
            handler.force_close()
            self.turned_away("too_slow", f"no request within {self.read_within_s:g} s")

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._began.add(request.protocol)
        try:
            async with asyncio.timeout(self.read_within_s):
                body = await self._body(request)
        except TimeoutError:
            self.turned_away("too_slow", f"no whole body within {self.read_within_s:g} s")
            return _response(Answer(408, {"error": "too_slow"}))
        headers = {name.lower(): value for name, value in request.headers.items()}
        peer = request.remote or ""
        return _response(await self.answer(Request(request.method, request.path, headers, peer, body)))

    async def _body(self, request: web.BaseRequest) -> bytes | None:
        """The body; None if it is too long, of which no more is read than that."""
        length = request.content_length
        if length is not None and length > self.most_bytes:
            return None
        body = bytearray()
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > self.most_bytes:
                return None
        return bytes(body)


class _Busy(asyncio.Protocol):
    """Says that there are too many already, once it is spoken to, and hangs up."""

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._timer = asyncio.get_running_loop().call_later(self._within_s, transport.abort)

    def data_received(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(BUSY)
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _response(answer: Answer) -> web.Response:
    response = web.Response(status=answer.status, text=json.dumps(answer.said) + "\n", content_type="application/json")
    response.force_close()
    return response
