"""A source that runs against a server on the loopback, and what its kernel got."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import define, field

from framework import BadSignal, Secret, Signal, SignalSource
from framework.testing import SignalServer, SourceProbe
from framework_signals.websocket import WebSocketSource

WITHIN_S = 20.0
"""What a test waits for at the longest; it is never reached."""

NOW_NS = 1_761_950_921_120_000_000
"""2025-10-31T22:48:41.120Z: when the documented wave came."""

WAVE: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "examples/wave-2025-10-31/signals.json").read_text(encoding="utf-8")
)["data"]
TEXT, BINARY, CLOSE = 0x1, 0x2, 0x8
QUICK: Mapping[str, Any] = {"retry_first_s": Decimal("0.01"), "retry_most_s": Decimal("0.02")}


def frame(payload: str | bytes, opcode: int = TEXT) -> bytes:
    """A WebSocket frame as a server sends it."""
    data = payload.encode() if isinstance(payload, str) else payload
    size = bytes((len(data),)) if len(data) < 126 else b"\x7f" + len(data).to_bytes(8, "big")
    return bytes((0x80 | opcode,)) + size + data


@define
class RunningClock:
    """Begins when the documented wave came, and passes in real time."""

    ahead_ns: int = 0
    _began_ns: int = field(factory=time.monotonic_ns, init=False)

    def now_ns(self) -> int:
        return NOW_NS + self.ahead_ns + time.monotonic_ns() - self._began_ns


@define
class Kernel(SourceProbe):
    """Keeps what a source says, and wakes who waits for it. What is submitted takes `submit_s` to be durable."""

    submit_s: float = 0.0
    first: list[Callable[[], None]] = field(factory=list, init=False)
    """What happens while the first batches become durable, one for each."""
    _changed: asyncio.Condition = field(factory=asyncio.Condition, init=False)

    async def submit(self, batch: Any) -> None:
        await asyncio.sleep(self.submit_s)
        if self.first:
            self.first.pop(0)()
        await super().submit(batch)
        await self._wake()

    async def until(self, t_ns: int) -> None:
        while (left_ns := t_ns - self.clock.now_ns()) > 0:  # noqa: ASYNC110 - time passes, nobody sets an event
            await asyncio.sleep(min(max(left_ns / 1e9, 1e-6), 0.01))  # a test may move the clock meanwhile

    def tell(self, level: Any, code: str, message: str) -> None:
        super().tell(level, code, message)
        asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(self._wake()))

    async def reached(self, what: Callable[[], bool]) -> None:
        """Wait until something holds that a submission or a word of the source can change."""
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(what), WITHIN_S)

    async def has(self, count: int) -> None:
        """Wait for so many good signals."""
        await self.reached(lambda: len(self.good) >= count)

    async def was_told(self, code: str, times: int = 1) -> None:
        """Wait until the source has said something so often."""
        await self.reached(lambda: self.codes.count(code) >= times)

    @property
    def good(self) -> list[Signal]:
        return [each for each in self.signals if isinstance(each, Signal)]

    @property
    def bad(self) -> list[BadSignal]:
        return [each for each in self.signals if isinstance(each, BadSignal)]

    @property
    def ids(self) -> list[str]:
        return [each.id for each in self.good]

    @property
    def codes(self) -> list[str]:
        return [code for _, code, _ in self.told]

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def kernel(submit_s: float = 0.0, ahead_ns: int = 0) -> Kernel:
    return Kernel(RunningClock(ahead_ns), submit_s=submit_s)


def source_at(url: str, **settings: Any) -> WebSocketSource:
    """A source that tries again at once."""
    return WebSocketSource(url=url, **{"token": Secret("swordfish"), **QUICK, **settings})


def server(**settings: Any) -> SignalServer:
    return SignalServer(**{"token": "swordfish", "signals": WAVE, **settings})


@contextlib.asynccontextmanager
async def serving(what: SignalServer) -> AsyncIterator[str]:
    """The URL of a server that runs."""
    url = await what.start()
    try:
        yield url
    finally:
        await what.stop()


@contextlib.asynccontextmanager
async def running(source: SignalSource, link: Kernel) -> AsyncIterator[asyncio.Task[None]]:
    """A source at work; it is cancelled at the end, and must not have ended by itself."""
    task = asyncio.get_running_loop().create_task(source.run(link))
    try:
        yield task
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
