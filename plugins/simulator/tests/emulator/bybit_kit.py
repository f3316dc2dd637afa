"""What the Bybit tests share: a running emulator, and clients of others pointed at it. No client is changed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from attrs import define

from framework_simulator.emulator.build import DEFAULT_KEY, Plan
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


@define
class Rig:
    """A running emulator."""

    emulator: Emulator
    rest: str
    ws: str

    @property
    def world(self) -> World:
        return self.emulator.world

    def price(self, bid: str | int, ask: str | int | None = None, **rest: Any) -> None:
        best = d(bid) + d("0.1") if ask is None else d(ask)
        self.world.price("bybit", SYMBOL, d(bid), best, **{name: d(value) for name, value in rest.items()})

    def lines(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.emulator.control.tail.lines if line["kind"] == kind]


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[Rig]:
    """An emulator on a free port, with a BTCUSDT market at 50000. It must end without a defect."""
    emulator = Emulator(Plan())
    ready: Any = await emulator.start()
    rig = Rig(emulator, ready["bybit"]["rest"], ready["bybit"]["ws"])
    for name, value in settings.items():
        setattr(emulator.world.settings, name, value)
    rig.price(50000)
    try:
        yield rig
        assert [one.trace for one in emulator.world.defects] == []
    finally:
        await emulator.stop()


async def until(condition: Callable[[], Any]) -> Any:
    """Wait for a condition to hold; answers what it said."""
    async with asyncio.timeout(PATIENCE_S):
        while not (answer := condition()):  # noqa: ASYNC110 - the condition is another thread's, or another library's
            await asyncio.sleep(0.001)
    return answer


def ccxt_config(rig: Rig, **more: Any) -> dict[str, Any]:
    """How ccxt is pointed at the loopback: nothing but its public configuration."""
    streams = {
        "public": {"linear": f"{rig.ws}/v5/public/linear"},
        "private": {
            "contract": f"{rig.ws}/v5/private",
            "usdc": f"{rig.ws}/v5/private",
            "trade": f"{rig.ws}/v5/trade",
        },
    }
    options = {"defaultType": "swap", "fetchMarkets": {"types": ["linear"]}, **more.pop("options", {})}
    return {
        "apiKey": DEFAULT_KEY.key,
        "secret": DEFAULT_KEY.secret,
        "enableRateLimit": False,
        "options": options,
        "urls": {"api": {"public": rig.rest, "private": rig.rest, "ws": streams}},
        **more,
    }


def code_of(error: BaseException) -> int:
    """The venue's code in an error of ccxt's."""
    text = str(error)
    return int(json.loads(text[text.index("{") :])["retCode"])
