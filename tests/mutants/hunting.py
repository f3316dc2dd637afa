"""Finding a mutant out: run after run, until a judge says what is wrong that is not wrong without the mistake."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from attrs import define, field, frozen

from framework_simulator.simulation import Laboratory, Schedule, draw

from .mutant import Mutant

CRASHES = (
    "the run broke",
    "the product met a bug of its own",
    "a session ended",
    "the emulator has a defect",
    "more than",
)
"""How problems begin that only say that something fell over. They catch no mutant: its mistake is another one."""


@frozen
class Catch:
    """A mutant that was found out. `where` names the run, `tried` counts the runs up to it, `verdicts` say what
    is wrong in it.

    `seed` is that of a schedule that was drawn; None: it was one of the mutant's own.
    """

    mutant: Mutant
    where: str
    verdicts: tuple[str, ...]
    tried: int
    took_s: float
    seed: int | None


@frozen
class Survivor:
    """A mutant that nobody has found out. `crashed`: what fell over in the first run in which something did."""

    mutant: Mutant
    tried: int
    took_s: float
    crashed: str


@define
class Hunter:
    """Hunts in a laboratory. `unfit` are the runs that the product itself does not pass: they prove nothing."""

    laboratory: Laboratory
    unfit: dict[str, tuple[str, ...]] = field(factory=dict)
    _fit: set[str] = field(factory=set, init=False)

    def control(self, schedule: Schedule, where: str) -> tuple[str, ...]:
        """What is wrong with a run of the product as it is; each run is made once."""
        key = str(schedule)
        if key in self._fit:
            return ()
        problems = self.laboratory.run(schedule).problems
        if problems:
            self.unfit[where] = problems
        else:
            self._fit.add(key)
        return problems

    def hunt(self, mutant: Mutant, seeds: Iterable[int], *, own: bool = True) -> Catch | Survivor:
        """Run a mutant until it is found out. `own` False: in drawn schedules alone."""
        began_s, tried, crashed = time.monotonic(), 0, ""
        for where, seed, schedule in _runs(mutant, seeds, own=own):
            tried += 1
            with mutant.patch():
                problems = self.laboratory.run(schedule).problems
            verdicts = [problem for problem in problems if not problem.startswith(CRASHES)]
            if verdicts and not self.control(schedule, where):
                return Catch(mutant, where, tuple(verdicts), tried, time.monotonic() - began_s, seed)
            crashed = crashed or (problems[0] if problems else "")
        return Survivor(mutant, tried, time.monotonic() - began_s, crashed)


def _runs(mutant: Mutant, seeds: Iterable[int], *, own: bool) -> Iterator[tuple[str, int | None, Schedule]]:
    if own:
        for number, schedule in enumerate(mutant.schedules):
            yield f"its schedule {number}", None, schedule
    for seed in seeds:
        yield f"seed {seed}", seed, draw(seed)


def controlled(hunter: Hunter, mutants: Iterable[Mutant], on_unfit: Callable[[str, tuple[str, ...]], None]) -> int:
    """Run all schedules of these mutants without their mistakes. Answers how many there are."""
    count = 0
    for mutant in mutants:
        for number, schedule in enumerate(mutant.schedules):
            count += 1
            where = f"schedule {number} of {mutant.name}"
            problems = hunter.control(schedule, where)
            if problems:
                on_unfit(where, problems)
    return count
