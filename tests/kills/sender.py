"""The sender of signals: it keeps each batch until it was acknowledged, and sends what was not to whoever calls."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, field, frozen

BAR_NS = 900_000_000_000


@frozen
class Wish:
    """One signal to send."""

    account: str
    symbol: str
    side: str


@define(eq=False)
class Sender:
    """Listens on the loopback. `acknowledged` are the ids of all signals that the product says it has taken in.

    `heard` is called when a batch was acknowledged. `off_ns`: its clock is so far from ours; on the product's machine
    the two go by the same clock.
    """

    heard: Callable[[], None] = lambda: None
    off_ns: int = 0
    acknowledged: list[str] = field(factory=list, init=False)
    _waiting: dict[int, dict[str, Any]] = field(factory=dict, init=False)
    _count: int = field(default=0, init=False)
    _bar: int = field(factory=lambda: time.time_ns() // BAR_NS, init=False)
    _server: asyncio.Server | None = field(default=None, init=False)
    _callers: set[asyncio.StreamWriter] = field(factory=set, init=False)

    async def start(self) -> int:
        """Listen; answers the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Hang up."""
        for caller in self._callers:
            caller.close()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def unacknowledged(self) -> int:
        """How many batches wait for being taken in."""
        return len(self._waiting)

    def send(self, wishes: Sequence[Wish]) -> None:
        """Send a wave, now and until it is acknowledged. Each has a bar of its own."""
        self._count += 1
        number, now_ns = self._count, time.time_ns() + self.off_ns
        signals = [
            {"id": f"{number}-{place}", "account": one.account, "symbol": one.symbol, "side": one.side}
            for place, one in enumerate(wishes)
        ]
        bar_ns = (
            self._bar - number
        ) * BAR_NS + self.off_ns  # counted from the first: around the end of a bar two would be the same
        batch = {"number": number, "bar_time_ns": bar_ns, "created_ns": now_ns, "signals": signals}
        self._waiting[number] = batch
        for caller in self._callers:
            _write(caller, batch)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._callers.add(writer)
        try:
            for batch in [*self._waiting.values()]:
                _write(writer, batch)
            while line := await reader.readline():
                batch = self._waiting.pop(int(line))
                self.acknowledged += [one["id"] for one in batch["signals"]]
                self.heard()
        except ConnectionError:
            pass  # it was killed
        finally:
            self._callers.discard(writer)
            writer.close()


def _write(caller: asyncio.StreamWriter, batch: dict[str, Any]) -> None:
    caller.write(json.dumps(batch).encode() + b"\n")
