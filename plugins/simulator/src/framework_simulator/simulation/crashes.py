"""Every point at which the process could die while a position is opened, trailed or closed; and every pair of them."""

from __future__ import annotations

import random
from collections.abc import Iterator

from attrs import frozen

from .deployment import VENUES, variant_of
from .laboratory import Laboratory, Trial
from .schedule import Item, Schedule

SYMBOL = "BTCUSDT"
SIGNAL_MS = 5_000
LEAP_MS = 15_000
FALL_MS = 25_000
PHASES = ("open", "trail", "close")
_WINDOWS = {"open": (SIGNAL_MS, 9_000), "trail": (LEAP_MS, 19_000), "close": (FALL_MS, 33_000)}
"""When each phase begins and ends, in ms: within these the points are counted."""

END_MS = 180_000
REST_MS = 12_000
DOWN_MS = 400


@frozen
class Case:
    """One phase on one venue."""

    phase: str
    venue: str

    def schedule(self, *points: int) -> Schedule:
        """It, with a death at each of the points."""
        from_ms, to_ms = _WINDOWS[self.phase]
        leaps = {"trail": ((LEAP_MS, 2), (LEAP_MS + 1_500, 1)), "close": ((LEAP_MS, 2), (FALL_MS, -3))}
        items = (
            Item("signal", SIGNAL_MS, venue=self.venue, own={"symbol": SYMBOL, "side": "long"}),
            *(
                Item("jump", at_ms, venue=self.venue, own={"symbol": SYMBOL, "percent": percent})
                for at_ms, percent in leaps.get(self.phase, ())
            ),
            *(Item("kill", own={"point": point, "down_ms": DOWN_MS}) for point in points),
        )
        return Schedule(
            seed=0,
            items=items,
            calm_ms=to_ms,
            end_ms=END_MS,
            variant=variant_of("market", (self.venue,)),
            volatility=0.0,
            armed_ms=from_ms,
            disarmed_ms=to_ms,
            rest_ms=REST_MS,
        )


CASES = tuple(Case(phase, venue) for venue in VENUES for phase in PHASES)


@frozen
class Crashed:
    """One trial: the case, the points at which the process died, and what was wrong."""

    case: Case
    points: tuple[int, ...]
    problems: tuple[str, ...]
    kinds: tuple[str, ...]

    def __str__(self) -> str:
        at = " and ".join(str(point) for point in self.points)
        return f"{self.case.phase} on {self.case.venue}, killed at {at or 'no point'}"


def crash_points(laboratory: Laboratory, case: Case) -> int:
    """How many points there are at which the process could die, if it does not."""
    return _points(laboratory.run(case.schedule()))


def crash(laboratory: Laboratory, case: Case, first: int, share: float, chance: random.Random) -> Iterator[Crashed]:
    """A death at a point, then once more at each point that the next life reaches, or at a `share` of them."""
    alone = laboratory.run(case.schedule(first))
    yield _crashed(case, (first,), alone)
    for second in range(first + 1, _points(alone) + 1):
        if chance.random() < share:
            yield _crashed(case, (first, second), laboratory.run(case.schedule(first, second)))


def crash_everywhere(
    laboratory: Laboratory, share: float, *, seed: int = 0, number: int = 0, jobs: int = 1
) -> Iterator[Crashed]:
    """All cases, all points; of the pairs a `share`. `number`: which of how many `jobs` this is."""
    for case in CASES:
        for first in range(1 + number, crash_points(laboratory, case) + 1, jobs):
            chance = random.Random(f"{seed} {case.phase} {case.venue} {first}")  # noqa: S311 - chance in a simulation
            yield from crash(laboratory, case, first, share, chance)


def _crashed(case: Case, points: tuple[int, ...], trial: Trial) -> Crashed:
    kinds = () if trial.outcome is None else tuple(trial.outcome.points[point - 1] for point in points)
    return Crashed(case, points, trial.problems, kinds)


def _points(trial: Trial) -> int:
    return 0 if trial.outcome is None else len(trial.outcome.points)


__all__ = ["CASES", "PHASES", "Case", "Crashed", "crash", "crash_everywhere", "crash_points"]
