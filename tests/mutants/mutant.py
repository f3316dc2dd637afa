"""A mutant: the product with one deliberate mistake in its protocol, and the runs in which that must be seen."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType

from attrs import frozen

from framework_simulator.simulation import Schedule

Patch = Callable[[], AbstractContextManager[None]]


@frozen
class Mutant:
    """One mistake. `patch` makes the product make it for as long as its context lasts.

    `schedules` are the runs that matter for it, tried first; schedules drawn from seeds come after them. `market` is
    what the market is like in its own runs, with the mistake and without.
    """

    name: str
    mistake: str
    schedules: tuple[Schedule, ...]
    patch: Patch
    market: Patch = nullcontext


def mutant(mistake: str, *schedules: Schedule, market: Patch = nullcontext) -> Callable[[Patch], Mutant]:
    """Make a mutant of a function that patches the product; it is called as the function is."""

    def make(patch: Patch) -> Mutant:
        return Mutant(patch.__name__.replace("_", "-"), mistake, schedules, patch, market)

    return make


def mutants_of(module: ModuleType) -> list[Mutant]:
    """The mutants that a module defines, in order."""
    return [each for each in vars(module).values() if isinstance(each, Mutant)]
