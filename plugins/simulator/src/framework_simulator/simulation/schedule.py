"""A schedule: what happens in one run. Each item can be left out, so that a failure shrinks."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from typing import Any

from attrs import evolve, field, frozen

KINDS = ("signal", "rule", "weather", "partition", "clock", "jump", "kill")
"""signal: somebody wants a position. rule: a fault rule of the emulator. weather: how often requests and frames go
astray. partition: nothing, or only one direction, gets through. clock: our clock is off. jump: a price leaps. kill: the
process dies at its n-th point."""

TRADED_BY_OTHERS = frozenset({"position-changed", "liquidation", "adl"})
"""Fault rules by which a position changes without us."""


@frozen
class Item:
    """One thing that happens: `at_ms` after the start, for `for_ms`; a kill has a point instead of an instant."""

    kind: str
    at_ms: int = 0
    for_ms: int = 0
    venue: str = ""
    own: Mapping[str, Any] = field(factory=dict)

    def __str__(self) -> str:
        told = " ".join(f"{key}={value}" for key, value in self.own.items())
        when = f"at {self.at_ms / 1000:g} s" if self.kind != "kill" else ""
        lasts = f"for {self.for_ms / 1000:g} s" if self.for_ms else ""
        return " ".join(part for part in (self.kind, self.venue, when, lasts, told) if part)


@frozen
class Schedule:
    """One run. Faults have ended at `calm_ms`; the run ends at `end_ms`, in order unless it is killed.

    With `rest_ms` it ends as soon as all has
    been well for so long after that: prices stand still then, everything is covered or flat, nothing is missing in the
    journal. `variant` names the configuration. Points to die at count from `armed_ms` (None: the first signal) to
    `disarmed_ms` (None: the end), and after that as long as the process recovers from its last death.
    """

    seed: int
    items: tuple[Item, ...]
    calm_ms: int
    end_ms: int
    variant: str = "market"
    step_ms: int = 5_000
    volatility: float = 0.3
    latency_ms: int = 20
    armed_ms: int | None = None
    disarmed_ms: int | None = None
    rest_ms: int | None = None

    def of(self, kind: str) -> tuple[Item, ...]:
        """The items of one kind."""
        return tuple(item for item in self.items if item.kind == kind)

    def only(self, kept: Collection[int]) -> Schedule:
        """The same with some of its items, by their numbers."""
        return evolve(self, items=tuple(item for number, item in enumerate(self.items) if number in kept))

    @property
    def touched(self) -> frozenset[tuple[str, str]]:
        """The markets, by venue and symbol, in which others trade, or the venue itself."""
        return frozenset(
            (item.venue, item.own["market"]) for item in self.of("rule") if item.own["name"] in TRADED_BY_OTHERS
        )

    @property
    def keeps_time(self) -> bool:
        """Whether our clock and the venues' are right all the time."""
        return not self.of("clock") and all(item.own["name"] != "clock-skew" for item in self.of("rule"))

    def chance(self, purpose: str) -> random.Random:
        """Chance for one purpose, the same whatever else happens."""
        return random.Random(f"{self.seed}/{purpose}")  # noqa: S311 - chance in a simulation, not a secret
