"""The sockets: HTTP and WebSocket on the loopback, in front of the wires. The only place that knows aiohttp."""

from __future__ import annotations

import asyncio
import ipaddress
from collections import deque
from functools import lru_cache

from aiohttp import WSCloseCode, WSMsgType, web
from attrs import define, field

from .transport import carry_out, open_socket
from .wire import HttpRequest, HttpResponse
from .world import World

MAX_BODY = 4 * 1024 * 1024
MAX_BACKLOG = 50_000
"""Frames that wait for a client which does not read; beyond that it is cut off."""
MAX_BATCH = 1_000
MAX_UNSENT = 1024 * 1024
"""Bytes that may wait in the transport before the next batch."""


class NotLoopbackError(ValueError):
    """The emulator has no real authentication: it listens on the loopback and nowhere else."""


def loopback(host: str) -> str:
    """The host, if it is a loopback address or ``localhost``. Raises `NotLoopbackError`."""
    try:
        fine = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        fine = False
    if not fine:
        raise NotLoopbackError(f"{host!r} is not a loopback address: listen on 127.0.0.1 or [::1]")
    return host


@define
class Server:
    """Listens on one port for both venues. `start` answers the port; `stop` closes every connection."""

    world: World
    _runner: web.ServerRunner | None = field(default=None, init=False)
    _peers: set[SocketPeer] = field(factory=set, init=False)
    _requests: int = field(default=0, init=False)

    @property
    def is_busy(self) -> bool:
        """Whether a request is under way, or a frame has not left yet."""
        return self._requests > 0 or any(peer.is_busy for peer in self._peers)

    async def start(self, host: str, port: int) -> int:
        """Listen. Raises OSError if the port can't be had, `NotLoopbackError` for another address."""
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None))
        await self._runner.setup()
        return await listen(self._runner, loopback(host), port)

    async def stop(self) -> None:
        """Close every connection and the port."""
        for peer in tuple(self._peers):
            peer.close(WSCloseCode.GOING_AWAY, "the emulator ends")
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request)
        self._requests += 1
        try:
            body = await request.read()
            answer = carry_out(self.world, _as_request(request, body))
            return await self._answer(request, answer)
        finally:
            self._requests -= 1

    async def _answer(self, request: web.BaseRequest, answer: HttpResponse) -> web.StreamResponse:
        how = answer.transport
        if how.delay_ns:
            await self._wait(how.delay_ns)
        if how.drop or request.transport is None:
            if request.transport is not None:
                request.transport.abort()
            response: web.StreamResponse = web.Response()
        elif how.truncate is not None:
            response = await _truncated(request, answer, how.truncate)
        else:
            response = web.Response(status=answer.status, headers=dict(answer.headers), body=answer.body)
            if answer.after is not None:
                await response.prepare(request)
                await response.write_eof()
        if answer.after is not None:
            answer.after()
        return response

    async def _wait(self, delay_ns: int) -> None:
        over = asyncio.get_running_loop().create_future()
        cancel = self.world.schedule(delay_ns, lambda: None if over.done() else over.set_result(None))
        try:
            await over
        finally:
            cancel()

    async def _socket(self, request: web.BaseRequest) -> web.StreamResponse:
        ws = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=MAX_BODY)
        if not ws.can_prepare(request).ok:
            return web.Response(status=400, text="no proper WebSocket handshake\n")
        if request.transport is None:
            return web.Response(status=400)  # the client is gone already
        peer = SocketPeer(ws, request.transport)
        opened = open_socket(self.world, request.path, _raw_query(request), _headers(request), peer)
        if isinstance(opened, HttpResponse):
            return await self._answer(request, opened)
        self._peers.add(peer)
        try:
            await ws.prepare(request)
            peer.begin()
            async for message in ws:
                if message.type is WSMsgType.TEXT:
                    opened.receive(message.data)
                elif message.type is WSMsgType.BINARY:
                    opened.receive(message.data.decode("utf-8", errors="replace"))
                elif message.type is WSMsgType.PING:
                    await ws.pong(message.data)
                elif message.type is WSMsgType.PONG:
                    opened.pong()
        except (ConnectionError, RuntimeError):
            pass  # the client went away in the middle of a frame
        finally:
            self._peers.discard(peer)
            opened.closed()
            await peer.end()
        return ws


@define(eq=False)
class SocketPeer:
    """The client's end of a WebSocket: what is sent waits in a queue that a task of its own empties."""

    _ws: web.WebSocketResponse
    _transport: asyncio.WriteTransport
    _queue: deque[str | tuple[int, str] | None] = field(factory=deque, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _wake: asyncio.Event = field(factory=asyncio.Event, init=False)
    _closing: bool = field(default=False, init=False)

    @property
    def is_busy(self) -> bool:
        """Whether something waits to be sent to a client that still listens."""
        return not self._closing and bool(self._queue or self._transport.get_write_buffer_size())

    def begin(self) -> None:
        """The handshake is done: send what waits."""
        self._task = asyncio.get_running_loop().create_task(self._pump())

    async def end(self) -> None:
        """Send no more."""
        self._closing = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def send(self, text: str) -> None:
        """Queue one frame. A client that reads nothing for too long is cut off."""
        if len(self._queue) >= MAX_BACKLOG:
            self._queue.clear()
            self.close(WSCloseCode.POLICY_VIOLATION, "too slow")
        self._put(text)

    def ping(self) -> None:
        """Queue a ping."""
        self._put(None)

    def close(self, code: int, reason: str) -> None:
        """Close after what is queued."""
        self._put((code, reason))
        self._closing = True

    def _put(self, item: str | tuple[int, str] | None) -> None:
        if not self._closing:
            self._queue.append(item)
            self._wake.set()

    async def _pump(self) -> None:
        try:
            while True:
                self._wake.clear()
                while self._queue:
                    await self._send_some()
                await self._wake.wait()
        except (ConnectionError, RuntimeError):
            self._closing = True  # the client is gone; the reading side says goodbye

    async def _send_some(self) -> None:
        """Text frames that wait go out in one write; a frame for each of them would cost three times as much."""
        frames: list[bytes] = []
        while self._queue and isinstance(text := self._queue[0], str) and len(frames) < MAX_BATCH:
            self._queue.popleft()
            frames.append(text_frame(text))
        if frames:
            self._transport.write(b"".join(frames))
            while self._transport.get_write_buffer_size() > MAX_UNSENT:
                if self._transport.is_closing():
                    raise ConnectionResetError
                await asyncio.sleep(0.005)
            return
        item = self._queue.popleft()
        if item is None:
            await self._ws.ping()
        elif isinstance(item, tuple):
            await self._ws.close(code=item[0], message=item[1].encode())
            self._queue.clear()


@lru_cache(maxsize=64)
def text_frame(text: str) -> bytes:
    """One unmasked text frame of RFC 6455. Cached, because many subscribers get the same text."""
    payload = text.encode()
    length = len(payload)
    if length < 126:
        return bytes((0x81, length)) + payload
    if length < 1 << 16:
        return b"\x81\x7e" + length.to_bytes(2, "big") + payload
    return b"\x81\x7f" + length.to_bytes(8, "big") + payload


async def listen(runner: web.BaseRunner, host: str, port: int) -> int:
    """Open a port; answers its number (0 asks for any)."""
    site = web.TCPSite(runner, host, port, backlog=1024)
    await site.start()
    address: tuple[str, int] = runner.addresses[0]
    return address[1]


def _headers(request: web.BaseRequest) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _raw_query(request: web.BaseRequest) -> str:
    # Signatures are made over the text as it was sent; a parsed URL may be quoted anew.
    return request.raw_path.partition("?")[2]


def _as_request(request: web.BaseRequest, body: bytes) -> HttpRequest:
    return HttpRequest(
        method=request.method,
        path=request.path,
        query=_raw_query(request),
        headers=_headers(request),
        body=body,
    )


async def _truncated(request: web.BaseRequest, answer: HttpResponse, length: int) -> web.StreamResponse:
    headers = {**answer.headers, "Content-Length": str(len(answer.body))}
    response = web.StreamResponse(status=answer.status, headers=headers)
    await response.prepare(request)
    await response.write(answer.body[:length])
    if request.transport is not None:
        request.transport.close()
    return response
