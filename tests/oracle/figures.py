"""The figures of a run: how much there was, and how long positions were naked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from .bounds import NS_PER_MS
from .ledger import Line
from .scene import Scene
from .state import Episode, Holding, Order
from .verdicts import Judge


@dataclass(slots=True)
class VenueFigures:
    """Of one venue, and of ours only. `naked_ns` has one value for each position, most of them 0."""

    positions: int = 0
    open_at_the_end: int = 0
    naked_at_the_end: int = 0
    entries: int = 0
    fills: int = 0
    naked_ns: list[int] = field(default_factory=list)
    up_ns: int = 0
    down_ns: int = 0
    fault_ns: int = 0

    def told(self) -> dict[str, Any]:
        """As JSON; times in ms."""
        ordered = sorted(self.naked_ns)
        return {
            "positions": self.positions,
            "open_at_the_end": self.open_at_the_end,
            "naked_at_the_end": self.naked_at_the_end,
            "entries": self.entries,
            "fills": self.fills,
            "naked_ms": {
                "p50": _ms(_share(ordered, 50)),
                "p99": _ms(_share(ordered, 99)),
                "worst": _ms(_share(ordered, 100)),
                "total": _ms(sum(ordered)),
                "up": _ms(self.up_ns),
                "down": _ms(self.down_ns),
                "fault": _ms(self.fault_ns),
            },
        }


class Bare(NamedTuple):
    """The time of one position without protection, in ns."""

    venue: str
    symbol: str
    up_ns: int
    down_ns: int
    fault_ns: int


class Figures(Judge):
    """Judges nothing; it counts."""

    number = 0
    name = "figures"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.venues: dict[str, VenueFigures] = {}
        self.naked: list[Bare] = []

    def on_order(self, holding: Holding, order: Order, line: Line, *, is_new: bool) -> None:
        """Count entries."""
        if is_new and order.is_entry:
            self._of(holding).entries += 1

    def on_fill(self, holding: Holding, order: Order | None, line: Line, before: Decimal) -> None:
        """Count our fills."""
        if order is not None and order.owner is not None:
            self._of(holding).fills += 1

    def on_flat(self, holding: Holding, episode: Episode) -> None:
        """Count a position that has ended."""
        if episode.position is not None:
            self._add(holding, episode)

    def finish(self) -> None:
        """Count the positions that are still open."""
        for holding in self.scene.holdings.values():
            if (episode := holding.judged) is not None:
                self._add(holding, episode)
                self._of(holding).open_at_the_end += 1
                self._of(holding).naked_at_the_end += holding.level is None

    def _add(self, holding: Holding, episode: Episode) -> None:
        figures = self._of(holding)
        figures.positions += 1
        self.naked.append(Bare(holding.venue, holding.symbol, episode.up_ns, episode.down_ns, episode.fault_ns))
        figures.naked_ns.append(episode.naked_ns)
        figures.up_ns += episode.up_ns
        figures.down_ns += episode.down_ns
        figures.fault_ns += episode.fault_ns

    def _of(self, holding: Holding) -> VenueFigures:
        return self.venues.setdefault(holding.venue, VenueFigures())


def _share(ordered: Sequence[int], percent: int) -> int:
    """The smallest value that so many percent of all do not exceed; 0 of none."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else 0


def _ms(time_ns: int) -> float:
    return round(time_ns / NS_PER_MS, 3)
