"""The one clock: real, or virtual on a virtual-time loop."""

from __future__ import annotations

import time

from attrs import frozen

from .virtual import VirtualLoop


class SystemClock:
    """The machine's own clock."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        return time.time_ns()


@frozen
class VirtualClock:
    """The clock of a recorded session or a simulation: `start_ns` plus the time that passed on its loop."""

    start_ns: int
    loop: VirtualLoop

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC, virtual."""
        return self.start_ns + self.loop.elapsed_ns
