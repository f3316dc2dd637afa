"""An emulator that stands in for the venues of a rehearsal: on the session's clock, in the session's loop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attrs import define

from framework import ConfigError, MarketUpdate, Problem

from ..engine.path import BarPath
from .build import Plan
from .emulator import Emulator, Ready
from .recorded import Playback


@define
class Stand:
    """An emulator, and what is played on it. `now_ns` is the session's clock."""

    _emulator: Emulator
    _bar_path: BarPath
    _playback: Playback | None = None

    @classmethod
    def of(cls, plan: Plan, ledger: Path | None, now_ns: Callable[[], int], bar_path: BarPath) -> Stand:
        """One that has yet to be started."""
        return cls(Emulator(plan, ledger, now_ns), bar_path)

    async def start(self) -> Ready:
        """Listen; answers the URLs. Raises OSError and `ConfigError`."""
        ready = await self._emulator.start()
        self._playback = Playback(self._emulator.world, self._bar_path)
        return ready

    async def stop(self) -> None:
        """Close everything."""
        await self._emulator.stop()

    def load_faults(self, path: Path) -> None:
        """Let the rules of a file hold. Raises `ConfigError`."""
        self._emulator.world.faults.load(path)

    def quote(self, source: str | None) -> None:
        """Begin with made-up prices. Raises `ConfigError` for a source that can't be used."""
        try:
            self._emulator.quote(source)
        except ConfigError:
            raise  # it is a ValueError too, and says more
        except ValueError as error:
            raise ConfigError([Problem("[rehearsal] prices", str(error))]) from None

    def play(self, venue: str, update: MarketUpdate) -> None:
        """Take over a piece of the recorded market."""
        if self._playback is not None:
            self._playback.play(venue, update)

    def next_ns(self) -> int | None:
        """When a price next moves on its way through a recorded bar."""
        return None if self._playback is None else self._playback.next_ns()

    def is_busy(self) -> bool:
        """See `Emulator.is_busy`."""
        return self._emulator.is_busy()

    def leap(self, to_ns: int) -> None:
        """See `Emulator.leap`."""
        self._emulator.leap(to_ns)
