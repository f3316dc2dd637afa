"""What the tests of both venues share: a running emulator, and patience. Clients of others are pointed at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from attrs import define

from framework_simulator.emulator.build import Plan
from framework_simulator.emulator.emulator import Emulator
from framework_simulator.emulator.world import World

SYMBOL = "BTCUSDT"
UNIFIED = "BTC/USDT:USDT"
PATIENCE_S = 10
MS = 1_000_000


def d(text: str | int) -> Decimal:
    return Decimal(text)


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario to its end, or fail: nothing here takes long."""

    async def patient() -> None:
        await asyncio.wait_for(scenario(), 3 * PATIENCE_S)

    asyncio.run(patient())


async def until(condition: Callable[[], Any]) -> Any:
    """Wait for a condition to hold; answers what it said."""
    async with asyncio.timeout(PATIENCE_S):
        while not (answer := condition()):  # noqa: ASYNC110 - the condition is another thread's, or another library's
            await asyncio.sleep(0.001)
    return answer


def set_price(
    world: World, venue: str, bid: str | int, ask: str | int | None = None, *, symbol: str = SYMBOL, **rest: Any
) -> None:
    """The market jumps; without an ask it is one tick of 0.1 wide."""
    above = d(bid) + d("0.1") if ask is None else d(ask)
    world.price(venue, symbol, d(bid), above, **{name: d(value) for name, value in rest.items()})


@define
class Rig:
    """A running emulator, looked at from one of its venues."""

    emulator: Emulator
    venue: str
    rest: str
    ws: str

    @property
    def world(self) -> World:
        return self.emulator.world

    def price(self, bid: str | int, ask: str | int | None = None, **rest: Any) -> None:
        set_price(self.world, self.venue, bid, ask, **rest)

    def lines(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.emulator.control.tail.lines if line["kind"] == kind]


@asynccontextmanager
async def running_at(venue: str, **settings: Any) -> AsyncIterator[Rig]:
    """An emulator on a free port, with a BTCUSDT market at 50000. It must end without a defect."""
    emulator = Emulator(Plan())
    ready: Any = await emulator.start()
    rig = Rig(emulator, venue, ready[venue]["rest"], ready[venue]["ws"])
    for name, value in settings.items():
        setattr(emulator.world.settings, name, value)
    rig.price(50000)
    try:
        yield rig
        assert [one.trace for one in emulator.world.defects] == []
    finally:
        await emulator.stop()
