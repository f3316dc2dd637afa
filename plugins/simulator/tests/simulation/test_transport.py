"""The network of a simulated process: what ccxt sees of it, and what the venues do."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from attrs import define, evolve, field

from framework.testing import Immortal, KilledError, SimulatedLoop
from framework_simulator.emulator.build import Plan, build_world
from framework_simulator.emulator.clock import ManualClock
from framework_simulator.emulator.world import World
from framework_simulator.simulation.transport import Carrier, SimulatedSession
from framework_simulator.simulation.weather import Way

MS = 1_000_000
TIME = "/fapi/v1/time"


@define
class Road:
    """Every request goes one way; frames arrive at these times."""

    way: Way = field(default=Way(10 * MS, 20 * MS))
    frames: tuple[int, ...] = (5 * MS,)

    def request(self, venue: str, method: str, path: str, within_s: float) -> Way:
        return self.way

    def frame(self, venue: str, *, outward: bool) -> tuple[int, ...]:
        return (5 * MS,) if outward else self.frames

    def is_cut(self, venue: str) -> bool:
        return False


@define
class Net:
    """A world, a road there, and one process."""

    road: Road = field(factory=Road)
    time: ManualClock = field(factory=ManualClock)
    lines: list[dict[str, Any]] = field(factory=list)
    world: World = field(init=False)
    carrier: Carrier = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.world = build_world(self.time, Plan(sinks=[self.lines.append]))
        self.world.price("binance", "BTCUSDT", Decimal(50_000), Decimal("50000.1"))
        self.carrier = Carrier(self.world, self.road, Immortal())

    def run(self, work: Callable[[SimulatedSession], Awaitable[Any]]) -> Any:
        loop = SimulatedLoop(self.time, random.Random(0))  # noqa: S311 - a test's own
        self.carrier.begin(loop)

        async def main() -> Any:
            return await work(self.carrier.session())

        try:
            return loop.run_until_complete(main())
        finally:
            loop.bury()

    @property
    def requests(self) -> int:
        return sum(line["kind"] == "request" for line in self.lines)


def url(path: str) -> Any:
    """What ccxt hands over: the parts of an address that are used."""
    return SimpleNamespace(path=path, raw_query_string="", host="127.0.0.1", port=1001)


async def asks(session: SimulatedSession) -> str:
    limit = aiohttp.ClientTimeout(total=5)
    async with session.get(url(TIME), timeout=limit) as response:
        return await response.text(errors="replace")


def test_an_answer_takes_the_way_there_and_back() -> None:
    net = Net()
    began_ns = net.time.now_ns()

    body = json.loads(net.run(asks))

    assert body["serverTime"] == (began_ns + 10 * MS) // MS
    assert net.time.now_ns() - began_ns == 30 * MS


@pytest.mark.parametrize(
    ("way", "error", "arrived"),
    [
        (Way(10 * MS, 20 * MS, arrives=False), TimeoutError, 0),
        (Way(10 * MS, 20 * MS, answers=False), TimeoutError, 1),
        (Way(10 * MS, 20 * MS, resets=True), aiohttp.ServerDisconnectedError, 1),
        (Way(10 * MS, 20 * MS, resets=True, arrives=False), aiohttp.ClientOSError, 0),
        (Way(10 * MS, 20 * MS, refused=True, arrives=False), aiohttp.ClientConnectorError, 0),
        (Way(7_000 * MS, 20 * MS), TimeoutError, 0),
    ],
    ids=["request lost", "answer lost", "reset after", "reset before", "refused", "too late"],
)
def test_what_goes_astray_looks_as_it_does_on_sockets(way: Way, error: type[Exception], arrived: int) -> None:
    net = Net(Road(way))

    with pytest.raises(error):
        net.run(asks)

    assert net.requests == arrived


def test_what_left_before_a_death_arrives_all_the_same() -> None:
    net = Net()

    async def dies(session: SimulatedSession) -> None:
        asking = asyncio.get_running_loop().create_task(asks(session))
        await asyncio.sleep(0.001)
        assert net.carrier.loop is not None
        net.carrier.loop.kill()
        await asking

    with pytest.raises(KilledError):
        net.run(dies)
    net.carrier.die()
    before = net.requests
    net.time.advance(50 * MS)

    assert (before, net.requests) == (0, 1)


@pytest.mark.parametrize("point", ["send", "sent", "answered"])
def test_a_process_may_die_before_it_sends_after_that_and_with_the_answer_there(point: str) -> None:
    class Doomed:
        def reached(self, at: str) -> bool:
            return at == point

    net = Net()
    net.carrier = evolve(net.carrier, fate=Doomed(), loop=None)

    with pytest.raises(KilledError):
        net.run(asks)
    net.carrier.die()
    net.time.advance(50 * MS)

    assert net.requests == (0 if point == "send" else 1)


async def listens(session: SimulatedSession, count: int) -> list[str]:
    async with session.ws_connect("ws://127.0.0.1:1001/public/ws") as socket:
        await socket.send_str(json.dumps({"method": "SUBSCRIBE", "params": ["btcusdt@bookTicker"], "id": 1}))
        return [str((await socket.receive()).data) for _ in range(count)]


def test_a_stream_tells_what_the_venue_tells() -> None:
    net = Net()
    for number in range(1, 4):
        net.world.schedule(number * 100 * MS, lambda number=number: move(net, 50_000 + number))  # type: ignore[misc]

    frames = [json.loads(text) for text in net.run(lambda session: listens(session, 5))]

    assert [float(frame["b"]) for frame in frames if "b" in frame] == [50_000, 50_001, 50_002, 50_003]


def test_a_frame_may_arrive_twice() -> None:
    net = Net(Road(frames=(5 * MS, 9 * MS)))

    frames = net.run(lambda session: listens(session, 4))

    assert {frames.count(frame) for frame in frames} == {2}


def test_a_broken_connection_says_so_for_ever_and_takes_nothing_more() -> None:
    net = Net()

    async def breaks(session: SimulatedSession) -> list[Any]:
        async with session.ws_connect("ws://127.0.0.1:1001/public/ws") as socket:
            net.carrier.cut("binance")
            told = [(await socket.receive()).type for _ in range(2)]
            with pytest.raises(aiohttp.ClientConnectionResetError):
                await socket.send_str("{}")
            return told

    assert net.run(breaks) == [aiohttp.WSMsgType.CLOSED] * 2
    assert net.carrier.sockets == {}


def test_a_handshake_that_the_venue_refuses_raises_what_aiohttp_raises() -> None:
    net = Net()
    net.world.faults.keep_out("binance", "*", 1_000 * MS)

    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        net.run(lambda session: listens(session, 1))

    assert caught.value.status == 503


def move(net: Net, price: int) -> None:
    net.world.price("binance", "BTCUSDT", Decimal(price), Decimal(price) + Decimal("0.1"))
