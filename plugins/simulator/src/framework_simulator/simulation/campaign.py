"""Many schedules on several processes, and what came of them."""

from __future__ import annotations

import gc
import multiprocessing
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from queue import Empty
from typing import Any, TypeVar

from attrs import define, evolve, field, frozen

from .drawing import MIXED, Climate, draw, everything_that_happens
from .laboratory import Laboratory, Trial, judge_named

T = TypeVar("T")

PATIENCE_S = 120.0
"""How long a process may be silent before it is taken for dead."""


@frozen
class Wish:
    """What a campaign runs: `schedules` from `seed` on, or as many as `for_s` allow; None: no limit of that kind."""

    seed: int
    schedules: int | None
    for_s: float | None
    jobs: int
    judges: tuple[str, ...] = ()
    climate: Climate = MIXED


@frozen
class Result:
    """One schedule's part of the report."""

    seed: int
    problems: tuple[str, ...]
    met: Mapping[str, int]
    lives: int
    points: int
    positions: int
    virtual_s: float
    figures: Mapping[str, Sequence[float]] = field(factory=dict)
    cpu_s: float = 0.0


@define
class Report:
    """What came of a campaign. `met` counts what really happened, by name; `figures` are what the judges measured."""

    wish: Wish
    schedules: int = 0
    lives: int = 0
    points: int = 0
    positions: int = 0
    virtual_s: float = 0.0
    took_s: float = 0.0
    cpu_s: float = 0.0
    met: Counter[str] = field(factory=Counter)
    figures: defaultdict[str, list[float]] = field(factory=lambda: defaultdict(list))
    failures: list[Result] = field(factory=list)

    @property
    def missing(self) -> list[str]:
        """What can happen, and never did."""
        return [] if self.wish.climate != MIXED else sorted(everything_that_happens() - self.met.keys())

    def add(self, result: Result) -> None:
        """Count a schedule."""
        self.schedules += 1
        self.lives += result.lives
        self.points += result.points
        self.positions += result.positions
        self.virtual_s += result.virtual_s
        self.cpu_s += result.cpu_s
        self.met.update(result.met)
        for name, values in result.figures.items():
            self.figures[name].extend(values)
        if result.problems:
            self.failures.append(result)

    def as_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "seed": self.wish.seed,
            "schedules": self.schedules,
            "per_second": _rate(self.schedules, self.took_s),
            "per_cpu_second": _rate(self.schedules, self.cpu_s),
            "seconds": round(self.took_s, 1),
            "virtual_hours": round(self.virtual_s / 3600, 2),
            "lives": self.lives,
            "positions": self.positions,
            "points": self.points,
            "happened": dict(sorted(self.met.items())),
            "never_happened": self.missing,
            "figures": {name: summary(values) for name, values in sorted(self.figures.items())},
            "violations": {
                result.seed: list(result.problems) for result in sorted(self.failures, key=lambda each: each.seed)
            },
        }


def _rate(count: int, seconds: float) -> float | None:
    return round(count / seconds, 2) if seconds else None


def summary(values: Sequence[float]) -> dict[str, float]:
    """How many there are, their median, what one in a hundred is above, and the worst."""
    ordered = sorted(values)
    shares = {name: ordered[max(0, -(-len(ordered) * share // 100) - 1)] for name, share in _SHARES.items()}
    return {"count": len(ordered), **{name: round(value, 3) for name, value in shares.items()}}


_SHARES = {"p50": 50, "p99": 99, "worst": 100}


def run_campaign(wish: Wish, on_result: Callable[[Result], None] = lambda result: None) -> Report:
    """Run it, on processes of its own if there is more than one job."""
    report = Report(wish)
    began_s = time.monotonic()
    for result in spread(lambda number: _in_turn(wish, number), wish.jobs):
        report.add(result)
        on_result(result)
    report.took_s = time.monotonic() - began_s
    return report


def _in_turn(wish: Wish, number: int) -> Iterator[Result]:
    """The share of one job: every `jobs`-th seed."""
    until_s = None if wish.for_s is None else time.monotonic() + wish.for_s
    count = number
    with at_work(wish.judges) as laboratory:
        while _is_in(count, wish.schedules) and _is_in(time.monotonic(), until_s):
            began_s = time.process_time()
            result = result_of(laboratory.run(draw(wish.seed + count, wish.climate)))
            yield evolve(result, cpu_s=time.process_time() - began_s)
            count += wish.jobs


@contextmanager
def at_work(judges: Sequence[str]) -> Iterator[Laboratory]:
    """A laboratory in which the garbage collector does not look through all that was loaded, again and again."""
    with Laboratory(tuple(judge_named(name) for name in judges)) as laboratory:
        gc.collect()
        gc.freeze()
        gc.disable()  # the laboratory collects between runs; in the middle of one it would cost a fifth of the time
        try:
            yield laboratory
        finally:
            gc.enable()
            gc.unfreeze()


def result_of(trial: Trial) -> Result:
    """What the report needs of a trial."""
    outcome = trial.outcome
    if outcome is None:
        return Result(trial.schedule.seed, trial.problems, {}, 0, 0, 0, 0.0)
    opened = sum(1 for line in outcome.lines if line["kind"] == "order" and str(line["client_id"])[-3:-1] == "-e")
    return Result(
        seed=trial.schedule.seed,
        problems=trial.problems,
        met=outcome.met,
        lives=len(outcome.lives),
        points=len(outcome.points),
        positions=opened,
        virtual_s=outcome.virtual_s,
        figures=outcome.figures,
    )


def spread(work: Callable[[int], Iterator[T]], jobs: int) -> Iterator[T]:
    """What `work` gives for each number below `jobs`, on as many processes, in the order in which it comes.

    One job runs in this process.
    """
    if jobs == 1:
        yield from work(0)
        return
    context = multiprocessing.get_context("fork")
    queue: Any = context.Queue()
    workers = [context.Process(target=_work, args=(work, number, queue), daemon=True) for number in range(jobs)]
    for worker in workers:
        worker.start()
    left = len(workers)
    while left:
        try:
            result = queue.get(timeout=PATIENCE_S)
        except Empty:
            raise RuntimeError(f"nothing ended within {PATIENCE_S:g} s: a run hangs, or its process died") from None
        if result is None:
            left -= 1
        else:
            yield result
    for worker in workers:
        worker.join()


def _work(work: Callable[[int], Iterator[Any]], number: int, queue: Any) -> None:
    try:
        for result in work(number):
            queue.put(result)
    finally:
        queue.put(None)


def _is_in(value: float, limit: float | None) -> bool:
    return limit is None or value < limit
