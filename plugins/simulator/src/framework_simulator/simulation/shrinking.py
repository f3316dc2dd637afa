"""Making a schedule that fails small: items are left out as long as it goes on failing in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .schedule import Schedule

Fails = Callable[[Schedule], Iterable[str]]


def shrink(schedule: Schedule, fails: Fails) -> tuple[int, ...]:
    """The numbers of the items that are needed. `fails` runs a schedule and answers its problems."""
    wanted = kinds_of(fails(schedule))
    kept = list(range(len(schedule.items)))
    size = len(kept)
    while size >= 1:
        shorter = _without_some(schedule, kept, size, wanted, fails)
        if shorter is None:
            size //= 2
        else:
            kept = shorter
            size = min(size, len(kept))
    return tuple(kept)


def _without_some(schedule: Schedule, kept: list[int], size: int, wanted: set[str], fails: Fails) -> list[int] | None:
    for start in range(0, len(kept), size):
        rest = kept[:start] + kept[start + size :]
        if rest != kept and kinds_of(fails(schedule.only(rest))) & wanted:
            return rest
    return None


def kinds_of(problems: Iterable[str]) -> set[str]:
    """What problems have in common when their numbers, times and names differ: how their text begins."""
    return {" ".join(problem.split()[:3]) for problem in problems}
