"""A running emulator: a world behind its ports, from start to end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import define, field

from ..engine.ledger import JsonLines
from . import prices
from .build import VENUES, Plan, build_world
from .clock import NS_PER_MS, RealClock
from .control import Control, Tail
from .control_port import ControlPort
from .funding import FundingClock
from .server import Server
from .world import World

Ready = dict[str, object]

MOMENT_NS = 500 * NS_PER_MS
"""What happens within half a second of its cause belongs to it: an answered subscription, a triggered stop."""


@define
class Emulator:
    """Both venues and the control port. `start` must run inside an asyncio loop."""

    plan: Plan
    ledger: Path | None = None
    source: Callable[[], int] = time.time_ns
    world: World = field(init=False)
    control: Control = field(init=False)
    _clock: RealClock = field(init=False)
    _server: Server | None = field(default=None, init=False)
    _port: ControlPort | None = field(default=None, init=False)
    _file: JsonLines | None = field(default=None, init=False)

    async def start(self, host: str = "127.0.0.1", port: int = 0, control_port: int = 0) -> Ready:
        """Build the world and listen; answers the URLs. Raises OSError, `NotLoopbackError` or `ConfigError`."""
        tail = Tail()
        self.plan.sinks.append(tail)
        if self.ledger is not None:
            self._file = JsonLines.open(self.ledger)
            self.plan.sinks.append(self._file)
        self._clock = RealClock(self.source, asyncio.get_running_loop())
        self.world = build_world(self._clock, self.plan)
        FundingClock(self.world).begin()
        self._server = Server(self.world)
        self.control = Control(self.world, tail)
        self._port = ControlPort(self.control)
        try:
            served = await self._server.start(host, port)
            controlled = await self._port.start(host, control_port)
        except BaseException:
            await self.stop()
            raise
        name = f"[{host}]" if ":" in host else host
        urls = {"rest": f"http://{name}:{served}", "ws": f"ws://{name}:{served}"}
        return {**{venue: dict(urls) for venue in VENUES}, "control": f"http://{name}:{controlled}"}

    async def stop(self) -> None:
        """Close everything."""
        for part in (self._server, self._port):
            if part is not None:
                await part.stop()
        if self._file is not None:
            self._file.close()

    def is_busy(self) -> bool:
        """Whether a request is under way, or something that was said or begun has not taken effect yet."""
        if self._server is None:
            return False
        behind = any(wire.is_behind for wire in self.world.wires.values())
        return self._server.is_busy or behind or self._clock.awaits_within(MOMENT_NS)

    def leap(self, to_ns: int) -> None:
        """The source of time is about to jump ahead to this instant; see `clock`."""
        self._clock.leap(to_ns)

    def quote(self, source: str | None) -> None:
        """Begin with prices: ``random:SEED`` (or ``random:SEED,STEPS_PER_SECOND``), a file, or still ones (None).

        Raises `ConfigError` for a file that can't be used, ValueError for a seed or rate that is no number.
        """
        if source is None:
            prices.still(self.world)
        elif source.startswith("random:"):
            seed, _, rate = source.removeprefix("random:").partition(",")
            prices.RandomWalk(self.world, _number(seed, "seed"), _number(rate or "1", "rate")).begin()
        else:
            prices.play(self.world, prices.read_moves(Path(source)))


def _number(text: str, name: str) -> int:
    if not text.isdigit() or (name == "rate" and not 1 <= int(text) <= 1000):
        raise ValueError(f"random:SEED,RATE needs whole numbers (rate from 1 to 1000), got {name} {text!r}")
    return int(text)


def paths_of(markets: Sequence[str]) -> dict[str, Path]:
    """``VENUE=FILE`` pairs by venue. Raises ValueError for another form."""
    found: dict[str, Path] = {}
    for pair in markets:
        venue, equals, file = pair.partition("=")
        if venue not in VENUES or not equals or not file:
            raise ValueError(f"expected {' or '.join(f'{name}=FILE' for name in VENUES)}, got {pair!r}")
        found[venue] = Path(file)
    return found
