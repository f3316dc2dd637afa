"""An event loop on virtual time: when nothing is ready to run, the clock jumps to the next timer.

Everything above it is ordinary asyncio. With a `speed` the jump is waited for, that many times faster than real
time; without one nothing is ever waited for. Sockets and signals work in either case.
"""

from __future__ import annotations

import asyncio
import math
import selectors
import time
from collections.abc import Coroutine
from decimal import Decimal
from typing import Any, TypeVar

T = TypeVar("T")

_NS = 1_000_000_000


class _JumpingSelector(selectors.DefaultSelector):
    """Asked to wait for the next timer, it looks for I/O and then moves the virtual clock instead."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return list(super().select(timeout))
        ready = list(super().select(0))
        if ready:
            return ready
        if self.loop.speed is None:
            self.loop.elapsed_ns += round(timeout * _NS)
            return []
        began = time.monotonic()
        ready = list(super().select(timeout / self.loop.speed))
        passed = timeout if not ready else min(timeout, (time.monotonic() - began) * self.loop.speed)
        self.loop.elapsed_ns += round(passed * _NS)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop whose time is `elapsed_ns` nanoseconds since it was made."""

    def __init__(self, speed: Decimal | None = None) -> None:
        self.elapsed_ns = 0
        self.speed = None if speed is None else float(speed)
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)
        if speed is not None and speed <= 0:
            self.close()  # a loop that was never begun could not even be thrown away
            raise ValueError(f"speed must be greater than 0, got {speed}")

    @property
    def _clock_resolution(self) -> float:
        """What asyncio takes for the same instant: never less than the digits that a float of this size has.

        Else a timer of a session of many months would be due, and never run.
        """
        return max(1e-9, 2 * math.ulp(self.time()))

    @_clock_resolution.setter
    def _clock_resolution(self, value: float) -> None:
        """asyncio sets that of the machine's clock, which means nothing here."""

    def time(self) -> float:
        """Seconds since the loop was made, virtual."""
        return self.elapsed_ns / _NS


def run_virtual(main: Coroutine[Any, Any, T], *, loop: VirtualLoop) -> T:
    """Run a coroutine to its end on a virtual-time loop, as `asyncio.run` does on a real one."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main)
