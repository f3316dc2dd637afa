"""When a wave closes: at once if its sender says that it is whole, else when no more comes, or at its deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from attrs import define, field


@define
class Closing:
    """Calls `due` with the id of each wave that has to be decided, once.

    A wave closes `settle_s` after its newest signal, and `deadline_s` after its first one however many still come: a
    sender that trickles keeps nobody waiting.
    """

    settle_s: float
    deadline_s: float
    due: Callable[[str], None]
    _timers: dict[str, asyncio.TimerHandle] = field(factory=dict, init=False)
    _deadlines: dict[str, float] = field(factory=dict, init=False)

    def touched(self, wave_ids: Iterable[str], *, whole: bool) -> None:
        """Signals were added to these waves. `whole`: no more of them will come."""
        loop = asyncio.get_running_loop()
        for wave_id in wave_ids:
            self._forget_timer(wave_id)
            if whole:
                self._deadlines.pop(wave_id, None)
                self.due(wave_id)
                continue
            deadline = self._deadlines.setdefault(wave_id, loop.time() + self.deadline_s)
            at = min(deadline, loop.time() + self.settle_s)
            self._timers[wave_id] = loop.call_at(at, self._closes, wave_id)

    def cancel(self) -> None:
        """Close no wave any more."""
        for wave_id in tuple(self._timers):
            self._forget_timer(wave_id)

    def _closes(self, wave_id: str) -> None:
        self._timers.pop(wave_id, None)
        self._deadlines.pop(wave_id, None)
        self.due(wave_id)

    def _forget_timer(self, wave_id: str) -> None:
        timer = self._timers.pop(wave_id, None)
        if timer is not None:
            timer.cancel()
