"""Both ways at each point: in a process of its own the product dies there, and in the first one it lives on.

What happened before a point is not repeated for each death: the whole simulation is forked. So all pairs of two deaths
cost little more than what comes after the second.
"""

from __future__ import annotations

import os
import pickle
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

from attrs import define, field

from .laboratory import Laboratory, Trial
from .run import Doom, Run
from .schedule import Item, Schedule

_SIZE = 4


@define(eq=False)
class Branches(Doom):
    """A fate that forks at each point that `is_wanted`, given the deaths so far and the number of the point.

    `kill` makes the item of a schedule that dies at a point. In the process that is forked `deaths` has one more.
    """

    kill: Callable[[int], Item] = lambda point: Item("kill", own={"point": point})
    is_wanted: Callable[[tuple[int, ...], int], bool] = lambda deaths, point: True
    deaths: tuple[int, ...] = ()
    lost: list[str] = field(factory=list)
    run: Run | None = None

    def is_fatal(self, number: int) -> bool:
        """True in a process that was just forked, False in the one that goes on."""
        if self.run is None or not self.is_wanted(self.deaths, number):
            return False
        pid = os.fork()
        if pid:
            _, status = os.waitpid(pid, 0)
            if status:
                self.lost.append(f"the process that was to die at point {number} ended with status {status}")
            return False
        self.deaths, self.lost = (*self.deaths, number), []
        item = self.kill(number)
        self.kills = {**self.kills, number: item}
        self.run.branch_off(item, f"{number}")
        return True


def grow(
    laboratory: Laboratory, schedule: Schedule, branches: Branches, told: Callable[[Branches, Trial], Any]
) -> Iterator[Any]:
    """Run a schedule and all its branches, one after another; gives what `told` makes of each but the first."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        _grow(laboratory, schedule, branches, told, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        while size := pipe.read(_SIZE):
            yield pickle.loads(pipe.read(int.from_bytes(size)))  # noqa: S301 - our own process wrote it
    os.waitpid(pid, 0)


def _grow(
    laboratory: Laboratory,
    schedule: Schedule,
    branches: Branches,
    told: Callable[[Branches, Trial], Any],
    writing: int,
) -> None:
    """What the forked processes do, the first one and each that is forked from it."""
    status = 1
    try:
        trial = laboratory.run(schedule, branches)
        if branches.deaths or branches.lost:
            data = pickle.dumps(told(branches, trial))
            view = memoryview(len(data).to_bytes(_SIZE) + data)
            while view:
                view = view[os.write(writing, view) :]
        status = 0
    finally:
        os._exit(status)


def some(share: float, seed: str) -> Callable[[int], bool]:
    """Chooses a share of what it is asked about, in the order in which it is asked."""
    chance = random.Random(seed)  # noqa: S311 - chance in a simulation
    return lambda number: chance.random() < share
