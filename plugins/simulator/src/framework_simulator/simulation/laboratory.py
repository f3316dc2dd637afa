"""Where schedules are run and judged, one after another, in one process."""

from __future__ import annotations

import gc
import importlib
import shutil
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from framework.testing import Product

from .deployment import ENVIRON, configurations
from .prebuilt import Prebuilt
from .run import Outcome, Run
from .schedule import Schedule
from .verdicts import compare

if TYPE_CHECKING:
    from .branching import Branches

Judge = Callable[[Outcome], list[str]]

MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of its own is made there
LOOK_THROUGH_ALL_EVERY = 50


@frozen
class Trial:
    """A schedule that was run and judged. `outcome` is None if the run itself broke, which is among the problems."""

    schedule: Schedule
    outcome: Outcome | None
    problems: tuple[str, ...]


@define(eq=False)
class Laboratory:
    """Runs schedules. Use it as a context manager: its journals live in memory where the machine has such a place."""

    judges: tuple[Judge, ...] = ()
    _scratch: Path = field(init=False)
    _product: Product = field(init=False)
    _count: int = field(default=0, init=False)
    _prebuilt: Prebuilt = field(factory=Prebuilt, init=False)

    def __enter__(self) -> Laboratory:
        self._scratch = Path(tempfile.mkdtemp(prefix="simulation-", dir=MEMORY if MEMORY.is_dir() else None))
        self._product = Product(configurations(), ENVIRON, self._scratch)
        return self

    def __exit__(self, *exception: object) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)

    def run(self, schedule: Schedule, branches: Branches | None = None) -> Trial:
        """Run one schedule and judge what it left behind. Never raises for what a run does.

        With `branches` it returns once in each process that these have forked.
        """
        self._collect()
        self._count += 1
        directory = self._scratch / f"run-{self._count}"
        if branches is None:
            run = Run(self._product, schedule, directory)
        else:
            run = branches.run = Run(self._product, schedule, directory, branches)
        try:
            with self._prebuilt.at_hand():
                outcome = run.to_the_end()
            problems = [*compare(outcome), *(problem for judge in self.judges for problem in judge(outcome))]
        except Exception:
            return Trial(schedule, None, (f"the run broke: {traceback.format_exc()}",))
        finally:
            shutil.rmtree(run.directory, ignore_errors=True)
        return Trial(run.schedule, outcome, tuple(problems))

    def _collect(self) -> None:
        """Collect what the run before has left behind, now that nobody looks at it any more.

        What is loaded with the first runs, ccxt and the markets, is far more than what a run makes. Where nobody
        collects in between, only the newest is looked through, while it is still near.
        """
        if gc.isenabled() or self._count % LOOK_THROUGH_ALL_EVERY != 1:
            gc.collect(0)
        else:
            gc.collect()
            gc.freeze()


def judge_named(name: str) -> Judge:
    """The judge of ``module:function``. Raises ValueError for what is none."""
    module, _, function = name.partition(":")
    try:
        found: Judge = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"there is no judge {name!r}: {error}") from None
    return found
