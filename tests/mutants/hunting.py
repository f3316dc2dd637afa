"""Finding a mutant out: run after run, until a judge says what is wrong that is not wrong without the mistake."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext

from attrs import define, field, frozen

from framework_simulator.simulation import Laboratory, Schedule, draw

from .mutant import Mutant, Patch

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

    def control(self, schedule: Schedule, where: str, market: Patch = nullcontext) -> tuple[str, ...]:
        """What is wrong with a run of the product as it is; each run is made once."""
        key = f"{market} {schedule}"
        if key in self._fit:
            return ()
        with market():
            problems = self.laboratory.run(schedule).problems
        if problems:
            self.unfit[where] = problems
        else:
            self._fit.add(key)
        return problems

    def control_own(self, mutant: Mutant) -> int:
        """Run the schedules of a mutant without its mistake. Answers how many the product passes."""
        runs = [
            self.control(schedule, f"schedule {number} of {mutant.name}", mutant.market)
            for number, schedule in enumerate(mutant.schedules)
        ]
        return sum(not problems for problems in runs)

    def hunt(self, mutant: Mutant, seeds: Iterable[int], *, own: bool = True) -> Catch | Survivor:
        """Run a mutant until it is found out. `own` False: in drawn schedules alone."""
        began_s, tried, crashed = time.monotonic(), 0, ""
        for run in _runs(mutant, seeds, own=own):
            tried += 1
            with run.market(), mutant.patch():
                problems = self.laboratory.run(run.schedule).problems
            verdicts = tuple(problem for problem in problems if not problem.startswith(CRASHES))
            if verdicts and not self.control(run.schedule, run.where, run.market):
                return Catch(mutant, run.where, verdicts, tried, time.monotonic() - began_s, run.seed)
            crashed = crashed or (problems[0] if problems else "")
        return Survivor(mutant, tried, time.monotonic() - began_s, crashed)


@frozen
class _Run:
    where: str
    seed: int | None
    schedule: Schedule
    market: Patch = nullcontext


def _runs(mutant: Mutant, seeds: Iterable[int], *, own: bool) -> Iterator[_Run]:
    if own:
        for number, schedule in enumerate(mutant.schedules):
            yield _Run(f"schedule {number} of {mutant.name}", None, schedule, mutant.market)
    for seed in seeds:
        yield _Run(f"seed {seed}", seed, draw(seed))
