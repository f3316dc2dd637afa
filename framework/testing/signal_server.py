"""A wave server on the loopback: the WebSocket protocol that the source `websocket` speaks, and ways to misbehave.

JSON text frames. The server greets with ``auth_required``; the client sends ``auth`` with its token and is answered
``auth_success`` or ``auth_failed``, after which the server closes. From then on lists of signals are pushed, and sent
when the client says ``get_signals``; ``ping`` is answered with ``pong``, ``get_stats`` with ``stats``. The same list
is sent again and again. The time of a list is the server's own, without its zone.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from attrs import define, field

from .websocket_frames import CLOSE, MAX_HEAD, PING, PONG, TEXT, accept_handshake, frame, read_frame

AUTHENTICATE_WITHIN_S = 30.0
TIMES = ("timestamp", "created_at")


@define(eq=False)
class _Client:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    authenticated: bool = False

    def cut(self) -> None:
        """End it as a dead network does: without a word."""
        transport = self.writer.transport
        if transport is not None:
            transport.abort()


@define(eq=False, kw_only=True)
class SignalServer:
    """Serves `signals` (objects as the wire has them) to whoever knows `token`. `start`, `push`, `stop`.

    `pushes_on_arrival`: a client gets the list as soon as it is known. `hours_ahead`: how far the server's local time
    is ahead of UTC. To misbehave: `refuses` every token; is `mute` (reads, and says nothing at all); `cuts` the
    connection right after the n-th message, counted from 0 over all connections and both directions. `heard` is
    every message of clients, in order; `sent` counts lists that were sent.
    """

    token: str
    signals: Sequence[Mapping[str, object]] = ()
    pushes_on_arrival: bool = False
    hours_ahead: int = 4
    refuses: bool = False
    mute: bool = False
    cuts: frozenset[int] = frozenset()
    heard: list[Mapping[str, object]] = field(factory=list, init=False)
    sent: int = field(default=0, init=False)
    connections: int = field(default=0, init=False)
    port: int = field(default=0, init=False)
    _messages: int = field(default=0, init=False)
    _clients: set[_Client] = field(factory=set, init=False)
    _tasks: set[asyncio.Task[None]] = field(factory=set, init=False)
    _server: asyncio.Server | None = field(default=None, init=False)
    _changed: asyncio.Condition = field(factory=asyncio.Condition, init=False)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen; answers the URL. Port 0 takes any. Raises OSError if the port can't be had."""
        self._server = await asyncio.start_server(self._accept, host, port, limit=MAX_HEAD)
        self.port = self._server.sockets[0].getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        return f"ws://{shown}:{self.port}"

    async def stop(self) -> None:
        """Cut every connection and let go of the port; `start` may be called again."""
        if self._server is not None:
            self._server.close()
            self.cut()
            tasks = tuple(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None

    @property
    def listeners(self) -> int:
        """How many clients are connected and known."""
        return len(self._known())

    async def until(self, *, listeners: int | None = None, heard: int | None = None) -> None:
        """Wait until so many clients are known, or so many messages of clients have been heard."""

        def reached() -> bool:
            enough = listeners is None or self.listeners >= listeners
            return enough and (heard is None or len(self.heard) >= heard)

        async with self._changed:
            await self._changed.wait_for(reached)

    async def push(self, signals: Sequence[Mapping[str, object]] | None = None) -> None:
        """Send the list to every known client; with `signals` it becomes the list."""
        if signals is not None:
            self.signals = signals
        for client in self._known():
            await self._send_list(client)

    async def say(self, text: str) -> None:
        """Send a text frame of any content to every known client."""
        for client in self._known():
            await self._send(client, text)

    async def write(self, data: bytes) -> None:
        """Send bytes that need not be a frame to every client."""
        for client in tuple(self._clients):
            client.writer.write(data)
            with contextlib.suppress(ConnectionError):
                await client.writer.drain()

    def cut(self) -> None:
        """Cut every connection without a word; the port stays open."""
        for client in tuple(self._clients):
            client.cut()

    def message(self) -> str:
        """The list as it is sent."""
        local = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=self.hours_ahead)
        items = list(self.signals)
        return json.dumps({"type": "signals", "timestamp": local.isoformat(), "count": len(items), "data": items})

    # ── one connection ──────────────────────────────────────────────────────────────────────────────────────

    def _known(self) -> list[_Client]:
        return [client for client in self._clients if client.authenticated]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(_Client(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, client: _Client) -> None:
        self._clients.add(client)
        self.connections += 1
        try:
            if await accept_handshake(client.reader, client.writer):
                await self._talk(client)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass  # the client is gone, or speaks something else
        finally:
            self._clients.discard(client)
            client.writer.close()
            with contextlib.suppress(ConnectionError):
                await client.writer.wait_closed()
            await self._tell()

    async def _talk(self, client: _Client) -> None:
        await self._reply(client, {"type": "auth_required", "message": "Please authenticate"})
        try:
            async with asyncio.timeout(AUTHENTICATE_WITHIN_S):
                known = await self._authenticate(client)
        except TimeoutError:
            await self._reply(client, {"type": "error", "message": "Authentication timeout"})
            return
        if not known:
            return
        client.authenticated = True
        await self._tell()
        if self.pushes_on_arrival:
            await self._send_list(client)
        while (said := await self._hear(client)) is not None:
            await self._answer(client, said)

    async def _authenticate(self, client: _Client) -> bool:
        said = await self._hear(client)
        if said is None:
            return False
        token = said.get("token")
        right = isinstance(token, str) and hmac.compare_digest(token.encode(), self.token.encode())
        if said.get("type") != "auth" or not right or self.refuses:
            await self._reply(client, {"type": "auth_failed", "message": "Invalid token"})
            return False
        success = {"type": "auth_success", "message": "Authenticated", "query_interval": 60, "signal_window": 60}
        await self._reply(client, success)
        return True

    async def _answer(self, client: _Client, said: Mapping[str, object]) -> None:
        match said.get("type"):
            case "get_signals":
                await self._send_list(client)
            case "ping":
                await self._reply(client, {"type": "pong"})
            case "get_stats":
                await self._reply(client, {"type": "stats", "clients": self.listeners, "signals": len(self.signals)})
            case other:
                await self._reply(client, {"type": "error", "message": f"Unknown message type: {other}"})

    async def _hear(self, client: _Client) -> Mapping[str, object] | None:
        """The next message of the client; None: it says goodbye."""
        while True:
            opcode, payload = await read_frame(client.reader)
            if opcode == CLOSE:
                client.writer.write(frame(payload[:2], CLOSE))
                return None
            if opcode == PING:
                client.writer.write(frame(payload, PONG))
            if opcode != TEXT:
                continue
            said = json.loads(payload)
            if not isinstance(said, dict):
                raise ValueError("a message must be an object")
            self.heard.append(said)
            self._count(client)
            await self._tell()
            return said

    async def _send_list(self, client: _Client) -> None:
        self.sent += 1
        await self._send(client, self.message())

    async def _reply(self, client: _Client, message: Mapping[str, object]) -> None:
        await self._send(client, json.dumps(message))

    async def _send(self, client: _Client, text: str) -> None:
        if self.mute:
            return
        client.writer.write(frame(text))
        with contextlib.suppress(ConnectionError):
            await client.writer.drain()
        self._count(client)

    def _count(self, client: _Client) -> None:
        if self._messages in self.cuts:
            client.cut()
        self._messages += 1

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def shifted(signals: Sequence[Mapping[str, object]], by: timedelta) -> list[dict[str, object]]:
    """The same signals, made that much later: bar and creation both."""
    return [
        {name: _later(value, by) if name in TIMES and isinstance(value, str) else value for name, value in each.items()}
        for each in signals
    ]


def made_now(signals: Sequence[Mapping[str, object]], now: datetime) -> list[dict[str, object]]:
    """The same signals as if the newest of them had been made in the minute before `now`; bars stay on the minute."""
    made = [datetime.fromisoformat(str(each["created_at"])) for each in signals]
    by = now - max(made, default=now)
    return shifted(signals, timedelta(minutes=by // timedelta(minutes=1)))


def _later(text: str, by: timedelta) -> str:
    return (datetime.fromisoformat(text) + by).isoformat()
