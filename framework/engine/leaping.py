"""How a rehearsal passes its time: as it does in the real world, but for the hours in which nothing happens.

Real exchange plugins talk over real sockets, so what is under way takes its time. Once the engine is at rest and the
stage has nothing left to say, the clock jumps ahead to the next thing that happens: a line of the recording, a price
on its way through a bar, an instant at which a protection wants to be asked. Only the clock jumps. The event loop's
time, and with it every time limit, ping and watchdog of a plugin, goes on as it does in the real world.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from attrs import define, field

from ..components import Clock
from ..stages import Halting, Stage

NS = 1_000_000_000

CALM_S = 0.04
"""How long nothing may happen before time jumps: a frame needs a few turns of the loop from socket to decision."""

SHORTEST_SLEEP_S = 1e-6

LONGEST_SLEEP_S = 60.0
"""The clock may be set while one sleeps: it is looked at again so often."""
"""The least that a float clock of seconds since 1970 can tell: a shorter sleep would never end."""

LOOKS = 8
"""How often it is looked within that time."""


class Deciding(Protocol):
    """The part of the engine that time has to wait for."""

    @property
    def is_undecided(self) -> bool:
        """Whether something is yet to be decided or carried out."""

    def next_ask_ns(self) -> int | None:
        """When a protection next wants to be asked."""

    def ask_due(self) -> None:
        """Ask the protections whose time has come."""


@define
class LeapingClock:
    """Shows `start_ns` (UTC) when it is made, passes in real time, and can be made to jump ahead."""

    _start_ns: int
    _elapsed_ns: Callable[[], int] = time.monotonic_ns
    _began_ns: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._began_ns = self._elapsed_ns()

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC, as the recording goes."""
        return self._start_ns + self._elapsed_ns() - self._began_ns

    def leap(self, to_ns: int) -> None:
        """Show `to_ns` from now on, unless that is over."""
        self._start_ns += max(0, to_ns - self.now_ns())


@define
class Leaping:
    """Waits for instants of a recording, and skips the time in which nothing happens.

    `others`: simulated exchanges that take part in the rehearsal as they are.
    """

    clock: LeapingClock
    stage: Stage
    engine: Deciding
    others: Sequence[Halting] = ()

    async def until(self, t_ns: int) -> None:
        """Wait until the clock shows `t_ns`, halting wherever something happens on the way."""
        while (now_ns := self.clock.now_ns()) < t_ns:
            own = [each.next_ns() for each in (self.stage, *self.others)]
            halts = (t_ns, self.engine.next_ask_ns(), *own)
            halt_ns = min(each for each in halts if each is not None and each > now_ns)
            if await self._calm(halt_ns):
                for each in (self.stage, *self.others):
                    await each.advance(halt_ns)
                self.clock.leap(halt_ns)
                self.engine.ask_due()

    async def _calm(self, before_ns: int) -> bool:
        """Wait until nothing has happened for a while. False: the clock has come to `before_ns` by itself."""
        calm = 0
        while (left_ns := before_ns - self.clock.now_ns()) > 0:
            calm = 0 if self.engine.is_undecided or self.stage.is_busy() else calm + 1
            if calm > LOOKS:
                return True
            await asyncio.sleep(min(CALM_S / LOOKS, left_ns / NS))
        return False


async def sleep_until(clock: Clock, t_ns: int) -> None:
    """Wait until the clock shows `t_ns`: never a nanosecond early, for what begins then has not begun before."""
    while (left_ns := t_ns - clock.now_ns()) > 0:  # noqa: ASYNC110 - time passes, nobody sets an event
        await asyncio.sleep(min(max(left_ns / NS, SHORTEST_SLEEP_S), LONGEST_SLEEP_S))
