"""Every point at which the process could die while a position is opened, trailed or closed; and every pair of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attrs import frozen

from .branching import Branches, grow, some
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
REST_MS = 6_000
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
            *(death_at(point) for point in points),
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
    outcome = laboratory.run(case.schedule()).outcome
    return 0 if outcome is None else len(outcome.points)


def crash(
    laboratory: Laboratory, case: Case, is_first: Callable[[int], bool], share: float, *, seed: int = 0
) -> Iterator[Crashed]:
    """A death at each point that `is_first`; then once more at each point of the next life, or at a `share` of them."""
    chosen: dict[int, Callable[[int], bool]] = {}

    def is_wanted(deaths: tuple[int, ...], point: int) -> bool:
        if not deaths:
            return is_first(point)
        if len(deaths) > 1 or not share:
            return False
        first = deaths[0]
        return chosen.setdefault(first, some(share, f"{seed} {case.phase} {case.venue} {first}"))(point)

    def told(branches: Branches, trial: Trial) -> Crashed:
        kinds = () if trial.outcome is None else tuple(trial.outcome.points[point - 1] for point in branches.deaths)
        return Crashed(case, branches.deaths, (*trial.problems, *branches.lost), kinds)

    yield from grow(laboratory, case.schedule(), Branches({}, kill=death_at, is_wanted=is_wanted), told)


def crash_everywhere(
    laboratory: Laboratory, share: float, *, seed: int = 0, number: int = 0, jobs: int = 1
) -> Iterator[Crashed]:
    """All cases, all points; of the pairs a `share`. `number`: which of how many `jobs` this is."""
    laboratory.run(CASES[0].schedule())  # what is loaded once is loaded before the first fork
    for case in CASES:
        yield from crash(laboratory, case, lambda point: point % jobs == number, share, seed=seed)


def death_at(point: int) -> Item:
    """A death at a point."""
    return Item("kill", own={"point": point, "down_ms": DOWN_MS})


__all__ = ["CASES", "PHASES", "Case", "Crashed", "crash", "crash_everywhere", "crash_points", "death_at"]
