"""The command as a user runs it, in processes of its own, with a real exchange plugin against an emulated venue."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from attrs import define, frozen

from framework_simulator.emulator.build import DEFAULT_KEY, Plan
from framework_simulator.emulator.emulator import Emulator
from tests.cli.shell import COMMAND, ROOT, environment
from tests.hooks.stage import Stage

SYMBOL = "BTCUSDT"
PATIENCE_S = 30.0

CONFIG = """
[framework]
state = "var"
[plugins]
load = ["{venue}", "acme", "sizing", "execution", "protection"]
[exchanges.main]
use = "{venue}"
live = true
max_positions_per_wave = 1
api_key = {{ env = "RIG_KEY" }}
api_secret = {{ env = "RIG_SECRET" }}
base_url = "{rest}"
symbols = ["BTCUSDT"]
leverage = {leverage}
warm_connections = 0
[[signals]]
use = "waiting"
[sizing]
use = "fixed-usd"
position_usd = "1000"
[execution]
use = "market"
[[protection]]
use = "stop-loss"
percent = "4"
"""

LEVERAGE = {"binance": 20, "bybit": 10}
"""As the emulated accounts have it."""


def play(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario to its end, or fail."""

    async def patient() -> None:
        async with asyncio.timeout(3 * PATIENCE_S):
            await scenario()

    asyncio.run(patient())


@frozen
class Done:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@define
class VenueRig:
    """An emulated venue, a deployment on it, and commands of that deployment."""

    venue: str
    stage: Stage
    emulator: Emulator
    config: Path

    @property
    def state(self) -> Path:
        return self.stage.directory / "var"

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        """Begin a command."""
        keys = {"RIG_KEY": DEFAULT_KEY.key, "RIG_SECRET": DEFAULT_KEY.secret}
        return await asyncio.create_subprocess_exec(
            *COMMAND, *words, "--config", str(self.config),
            cwd=ROOT, env={**environment(self.stage), **keys},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def __call__(self, *words: str) -> Done:
        """Run a command to its end."""
        process = await self.start(*words)
        out, err = await process.communicate()
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), err.decode())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """`run` with one open, protected position."""
        process = await self.start("run", "--live", "main")
        try:
            await self.said(process, "protected by a stop")
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    async def said(self, process: asyncio.subprocess.Process, text: str) -> str:
        """Wait for a line that contains `text`."""
        assert process.stdout is not None
        seen = []
        async with asyncio.timeout(PATIENCE_S):
            while line := (await process.stdout.readline()).decode():
                seen.append(line)
                if text in line:
                    return line
        assert process.stderr is not None
        raise AssertionError(f"{text!r} was not said: {seen}; {(await process.stderr.read()).decode()}")

    async def left_by_a_kill(self) -> None:
        """A position that a killed `run` left behind."""
        async with self.running() as process:
            process.send_signal(signal.SIGKILL)
            await process.wait()
        assert self.held() == 1

    def held(self) -> int:
        """How many positions the venue holds."""
        return len(self.emulator.world.venues[self.venue].positions(self._account))

    def resting(self) -> int:
        """How many stops rest at the venue."""
        return len(self.emulator.world.venues[self.venue].resting_stops(self._account))

    @property
    def _account(self) -> str:
        (account,) = self.emulator.world.venues[self.venue].accounts
        return account

    def trade_by_hand(self, symbol: str, quantity: int) -> None:
        """Somebody else trades."""
        self.emulator.control.position({"venue": self.venue, "symbol": symbol, "qty": quantity})


@asynccontextmanager
async def deployed(venue: str, stage: Stage) -> AsyncIterator[VenueRig]:
    """A venue with a price, and a deployment whose signal arrives when it is run."""
    stage.install("tests.cli.waiting")
    emulator = Emulator(Plan())
    ready: Any = await emulator.start()
    emulator.quote(None)
    config = stage.directory / "config.toml"
    config.write_text(CONFIG.format(venue=venue, rest=ready[venue]["rest"], leverage=LEVERAGE[venue]))
    try:
        yield VenueRig(venue, stage, emulator, config)
        assert [one.trace for one in emulator.world.defects] == []
    finally:
        await emulator.stop()
