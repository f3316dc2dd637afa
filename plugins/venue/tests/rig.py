"""What these tests share: an emulator, a venue that does as it is told, time that skips, and an ear for a stream."""

from __future__ import annotations

import asyncio
import gc
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from aiohttp import WSMsgType, web
from attrs import define, field

from framework_simulator.emulator.build import DEFAULT_KEY, Plan
from framework_simulator.emulator.emulator import Emulator
from framework_simulator.emulator.world import World
from framework_venue import loading
from framework_venue.client import open_session, tapped
from framework_venue.clock import VenueClock
from framework_venue.stream import Frames, Stream

SYMBOL = "BTCUSDT"
PATIENCE_S = 10.0
CCXT = {"binance": "binanceusdm", "bybit": "bybit"}
KEY = DEFAULT_KEY


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario on real time. It fails if it takes long, leaves a task, or lets an error go unseen."""

    async def whole() -> None:
        unseen: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: unseen.append(context))
        async with asyncio.timeout(3 * PATIENCE_S):
            await scenario()
        await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        gc.collect()
        assert (left, unseen) == (set(), [])

    asyncio.run(whole())


# ── time that skips ─────────────────────────────────────────────────────────────────────────────────────────────────


class _Skipping(selectors.DefaultSelector):
    now_s = 1000.0

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "everybody waits for what will never happen"
        self.now_s += timeout
        return super().select(0)


class SkippingLoop(asyncio.SelectorEventLoop):
    """A loop whose time jumps to the next timer whenever there is nothing else to do."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.now_s

    def skip(self, seconds: float) -> None:
        self._skipping.now_s += seconds


def pass_time(seconds: float) -> None:
    """Let time pass in which a `SkippingLoop` is busy: nothing else runs meanwhile."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SkippingLoop)
    loop.skip(seconds)


def run_skipping(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario in which no time is waited for."""
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        runner.run(scenario())


# ── clocks ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@define
class HandClock:
    """A clock that is set by hand."""

    ns: int = 1_760_000_000_000_000_000

    def now_ns(self) -> int:
        return self.ns


# ── the emulator ────────────────────────────────────────────────────────────────────────────────────────────────────


@define
class Venue:
    """A running emulator, looked at from one of its venues."""

    emulator: Emulator
    name: str
    rest: str
    ws: str

    @property
    def world(self) -> World:
        return self.emulator.world

    def price(self, bid: str | int, symbol: str = SYMBOL) -> None:
        self.world.price(self.name, symbol, Decimal(bid), Decimal(bid) + Decimal("0.1"))

    def fault(self, name: str, **how: Any) -> None:
        self.world.faults.add(self.world.faults.parse([{"name": name, "venue": self.name, **how}]))

    def lines(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.emulator.control.tail.lines if line["kind"] == kind]


@asynccontextmanager
async def emulated(name: str) -> AsyncIterator[Venue]:
    """An emulator on a free port, with a price for BTCUSDT. It must end without a defect."""
    emulator = Emulator(Plan())
    ready: Any = await emulator.start()
    emulator.world.settings.subscribe_delay_ns = 1_000_000
    venue = Venue(emulator, name, ready[name]["rest"], ready[name]["ws"])
    venue.price(50000)
    try:
        yield venue
        assert [one.trace for one in emulator.world.defects] == []
    finally:
        await emulator.stop()


def config_for(name: str, rest: str) -> dict[str, Any]:
    """How ccxt's exchange is pointed at an address."""
    urls: dict[str, Any] = {"public": rest, "private": rest}
    if name == "binance":
        versions = (("", "v1"), ("V2", "v2"), ("V3", "v3"))
        urls = {f"fapi{side}{v}": f"{rest}/fapi/{n}" for side in ("Public", "Private") for v, n in versions}
    return {"apiKey": KEY.key, "secret": KEY.secret, "enableRateLimit": False, "urls": {"api": urls}}


@asynccontextmanager
async def connected(
    name: str,
    rest: str,
    clock: VenueClock,
    on_frame: Callable[[Any, Any], None] = lambda client, frame: None,
    **more: Any,
) -> AsyncIterator[Any]:
    """An instance of ccxt's class with our taps, on a session of its own."""
    session = open_session(PATIENCE_S)
    made = tapped(loading.load(CCXT[name]), clock, on_frame)
    api = made({**config_for(name, rest), "session": session, **more})
    api.timeout_on_exit = 0
    try:
        yield api
    finally:
        await api.close()
        await session.close()


# ── a venue that does as it is told ─────────────────────────────────────────────────────────────────────────────────


@define(eq=False)
class Puppet:
    """A server of WebSockets that says nothing by itself; what it hears is `heard`. `refusal` keeps clients out."""

    url: str = ""
    answers_pings: bool = True
    refusal: web.Response | None = None
    sockets: list[web.WebSocketResponse] = field(factory=list)
    asked_s: list[float] = field(factory=list)
    heard: list[Any] = field(factory=list)
    news: asyncio.Event = field(factory=asyncio.Event)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked_s.append(asyncio.get_running_loop().time())
        self.news.set()
        if self.refusal is not None:
            return self.refusal
        socket = web.WebSocketResponse(autoping=False, compress=False)
        await socket.prepare(request)
        self.sockets.append(socket)
        self._note("open")
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self._note(message.json())
            else:
                self._note(message.type.name)
            if message.type is WSMsgType.PING and self.answers_pings:
                await socket.pong(message.data)
        self._note("closed")
        return socket

    async def say(self, text: str) -> None:
        await self.sockets[-1].send_str(text)

    async def until(self, condition: Callable[[], Any]) -> None:
        await until(self.news, condition)

    def _note(self, what: Any) -> None:
        self.heard.append(what)
        self.news.set()


@asynccontextmanager
async def puppet() -> AsyncIterator[Puppet]:
    """A puppet on a free port of the loopback."""
    one = Puppet()
    runner = web.ServerRunner(web.Server(one.handle, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"ws://127.0.0.1:{runner.addresses[0][1]}/ws"
    try:
        yield one
    finally:
        await runner.cleanup()


async def until(news: asyncio.Event, condition: Callable[[], Any]) -> None:
    """Wait for a condition, looking at it whenever there is news."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            news.clear()
            await news.wait()


# ── an ear ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@define(eq=False)
class Ear:
    """What a stream told: its frames, its ups and downs."""

    frames: list[Any] = field(factory=list)
    ups: int = 0
    downs: list[str] = field(factory=list)
    news: asyncio.Event = field(factory=asyncio.Event)

    def frame(self, frame: Any) -> None:
        self.frames.append(frame)
        self.news.set()

    def up(self) -> None:
        self.ups += 1
        self.news.set()

    def down(self, why: str) -> None:
        self.downs.append(why)
        self.news.set()

    async def until(self, condition: Callable[[], Any]) -> None:
        await until(self.news, condition)


@asynccontextmanager
async def streaming(url: str, *, name: str = "bybit", **how: Any) -> AsyncIterator[tuple[Stream, Ear]]:
    """A stream at an address, running, and what it tells. `how` are more of the stream's fields."""
    ear, frames = Ear(), Frames()

    async def address() -> str:
        return url

    fields: dict[str, Any] = {"address": address, "on_frame": ear.frame, "silence_s": PATIENCE_S, **how}
    async with connected(name, "http://127.0.0.1:1", VenueClock(HandClock()), frames) as api:
        stream = Stream(name="test", api=api, on_up=ear.up, on_down=ear.down, **fields)
        frames.streams = [stream]
        task = asyncio.create_task(stream.run())
        try:
            yield stream, ear
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled(), task.exception()
