"""How requests and frames travel between a process and the venues: late, twice, out of order, or not at all."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen

from ..emulator.world import World

NS_PER_MS = 1_000_000

RATES: Mapping[str, float] = {
    "lost-request": 0.25,
    "lost-response": 0.25,
    "executed-late": 0.1,
    "reset-before": 0.25,
    "reset-after": 0.25,
    "stalled": 0.1,
    "frame-lost": 0.05,
    "frame-twice": 0.1,
    "frame-late": 0.1,
}
"""What can happen to a request, or to a frame of a stream, and the most of them that it happens to."""

OF_REQUESTS = tuple(name for name in RATES if not name.startswith("frame"))

PASSING_MS = 1_000
"""How long after a lost request or frame what goes wrong is put down to it, besides what it waits by itself."""


@frozen
class Way:
    """See `transport.Journey`."""

    there_ns: int
    back_ns: int
    refused: bool = False
    arrives: bool = True
    resets: bool = False
    answers: bool = True


@define(eq=False)
class _Cut:
    """A partition that holds: `stops` all, writes or reads."""

    venue: str
    stops: str
    style: str


@define(eq=False)
class Weather:
    """The network at the moment. `met` counts what really happened, by name. Each happening is a line in the ledger."""

    world: World
    chance: random.Random
    latency_ns: int
    met: Counter[str] = field(factory=Counter)
    _rates: list[tuple[str, Mapping[str, float]]] = field(factory=list, init=False)
    _cuts: list[_Cut] = field(factory=list, init=False)

    # ── what schedules do to it ─────────────────────────────────────────────────────────────────────────────

    def begin(self, venue: str, rates: Mapping[str, float]) -> Any:
        """Let things go astray at these rates; answers what ends it."""
        entry = (venue, rates)
        self._rates.append(entry)
        return lambda: self._rates.remove(entry)

    def cut(self, venue: str, stops: str, style: str, for_ms: int) -> Any:
        """Part a venue from us; answers what ends it."""
        entry = _Cut(venue, stops, style)
        self._cuts.append(entry)
        self._tell(venue, f"partition-{stops}", for_ms=for_ms)
        return lambda: self._cuts.remove(entry)

    # ── how things travel ───────────────────────────────────────────────────────────────────────────────────

    def request(self, venue: str, method: str, path: str, within_s: float) -> Way:
        """The way of one request."""
        there_ns, back_ns = self._latency_ns(), self._latency_ns()
        for cut in self._cuts:
            if cut.venue == venue and cut.stops in ("all", "reads" if method == "GET" else "writes"):
                self.met[f"{cut.stops} cut"] += 1
                return Way(there_ns, back_ns, refused=cut.style == "refused", arrives=False)
        what = self._astray(venue, OF_REQUESTS)
        if what is None:
            return Way(there_ns, back_ns)
        late_ns = self.chance.randint(0, 4_000) * NS_PER_MS
        within_ns = int(within_s * 1_000) * NS_PER_MS
        self._tell(venue, what, delay_ms=int(within_s * 1_000) + 4_000 + PASSING_MS, method=method, path=path)
        match what:
            case "lost-request":
                return Way(there_ns, back_ns, arrives=False)
            case "lost-response":
                return Way(there_ns, back_ns, answers=False)
            case "executed-late":
                return Way(within_ns + late_ns, back_ns)
            case "reset-before":
                return Way(there_ns, back_ns, arrives=False, resets=True)
            case "reset-after":
                return Way(there_ns, back_ns, resets=True)
            case _:
                return Way(there_ns, back_ns + 2 * late_ns)

    def frame(self, venue: str, *, outward: bool) -> tuple[int, ...]:
        """When the copies of a frame arrive."""
        if self.is_cut(venue):
            return ()
        delay_ns = self._latency_ns()
        if outward or not self._rates:
            return (delay_ns,)
        what = self._astray(venue, ("frame-lost", "frame-twice", "frame-late"))
        if what is None:
            return (delay_ns,)
        late_ns = self.chance.randint(50, 5_000) * NS_PER_MS
        self._tell(venue, what, delay_ms=5_000 + PASSING_MS)
        if what == "frame-lost":
            return ()
        return (delay_ns, delay_ns + late_ns) if what == "frame-twice" else (delay_ns + late_ns,)

    def is_cut(self, venue: str) -> bool:
        """Whether no stream gets through."""
        return any(cut.venue == venue and cut.stops == "all" for cut in self._cuts)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────

    def _latency_ns(self) -> int:
        return int(self.latency_ns * (0.5 + self.chance.random()))

    def _astray(self, venue: str, among: tuple[str, ...]) -> str | None:
        for where, rates in self._rates:
            if where != venue:
                continue
            for name, rate in rates.items():
                if name in among and self.chance.random() < rate:
                    self.met[name] += 1
                    return name
        return None

    def _tell(self, venue: str, name: str, *, method: str = "", path: str = "", **parameters: int) -> None:
        fields: dict[str, Any] = {"name": name, "parameters": parameters}
        if method:
            fields |= {"method": method, "path": path}
        self.world.ledger.write(self.world.now_ns(), None, "fault", fields, venue=venue)
