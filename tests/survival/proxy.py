"""The network between the product and a venue, as a TCP proxy on the loopback that can be made to fail."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from attrs import define, field

HERE = "127.0.0.1"
CHUNK = 65_536


@define(eq=False)
class _Wire:
    """One connection through the proxy: both of its ends."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter | None = None

    def abort(self) -> None:
        for end in (self.near, self.far):
            if end is not None:
                end.transport.abort()


@define(eq=False)
class Proxy:
    """Passes bytes to `target` on this machine. `port` is where it listens after `start`.

    `dials` counts the connections that were asked for while nothing came through. `watch` sees each piece of bytes
    that the product sends, before it is passed on: it may stall or cut the line on that occasion.
    """

    target: int
    port: int = field(default=0, init=False)
    dials: int = field(default=0, init=False)
    watch: Callable[[bytes], None] = field(default=lambda sent: None, init=False)
    _server: asyncio.Server | None = field(default=None, init=False)
    _held: socket.socket | None = field(default=None, init=False)
    _flows: asyncio.Event = field(factory=asyncio.Event, init=False)
    _wires: set[_Wire] = field(factory=set, init=False)
    _tasks: set[asyncio.Task[None]] = field(factory=set, init=False)

    async def start(self) -> None:
        """Listen, and let everything through."""
        self._flows.set()
        await self._listen()

    async def stop(self) -> None:
        """Cut everything and let go of the port."""
        self.stall()
        self.refuse()
        self._let_go()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ── what goes wrong ─────────────────────────────────────────────────────────────────────────────────────

    def cut(self) -> None:
        """Reset every connection. New ones are taken."""
        for wire in tuple(self._wires):
            wire.abort()

    def refuse(self) -> None:
        """Reset every connection, and refuse new ones. The port stays ours: nobody else answers there."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._held = socket.socket()
            self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._held.bind((HERE, self.port))
        self.cut()

    def stall(self) -> None:
        """A black hole: connections are taken and stay open, and no byte comes through any more, either way."""
        self._flows.clear()

    async def restore(self) -> None:
        """All is well again. What was sent into a black hole arrives now, as it does when TCP sends it again."""
        self._flows.set()
        self.dials = 0
        if self._server is None:
            self._let_go()
            await self._listen()

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None

    # ── passing on ──────────────────────────────────────────────────────────────────────────────────────────

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, HERE, self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    def _accept(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        if not self._flows.is_set():
            self.dials += 1
        wire = _Wire(near)
        self._wires.add(wire)
        task = asyncio.get_running_loop().create_task(self._carry(reader, wire))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, wire: _Wire) -> None:
        try:
            await self._flows.wait()
            far_reader, wire.far = await asyncio.open_connection(HERE, self.target)
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pump(reader, wire.far, outward=True))
                ways.create_task(self._pump(far_reader, wire.near, outward=False))
        except* OSError:
            pass  # one end is gone, and the other one is told
        finally:
            wire.abort()
            self._wires.discard(wire)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, outward: bool) -> None:
        while sent := await reader.read(CHUNK):
            if outward:
                self.watch(sent)
            await self._flows.wait()
            writer.write(sent)
            await writer.drain()
        await self._flows.wait()
        if writer.can_write_eof() and not writer.transport.is_closing():
            writer.write_eof()
