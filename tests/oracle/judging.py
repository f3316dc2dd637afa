"""Judging one ledger: all invariants in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import InvalidOperation
from typing import Any

from .bounds import NS_PER_S, Bounds
from .figures import Bare, Figures
from .invariants.covered import Covered
from .invariants.ids import Ids
from .invariants.known_paths import KnownPaths
from .invariants.leftovers import Leftovers
from .invariants.limits import Limits
from .invariants.liveness import Liveness
from .invariants.losing_side import LosingSide
from .invariants.one_entry import OneEntry
from .invariants.planned_size import PlannedSize
from .invariants.reducing import Reducing
from .invariants.sent_once import SentOnce
from .invariants.sums import Sums
from .invariants.tightening import Tightening
from .invariants.working_stop import WorkingStop
from .ledger import Reader, UnusableError
from .names import Names
from .outages import Window
from .plans import Plans
from .scene import Scene
from .uptime import Uptime
from .verdicts import Judge, Verdict

INVARIANTS: tuple[type[Judge], ...] = (
    Covered, WorkingStop, LosingSide, OneEntry, Sums, PlannedSize, Leftovers, Tightening, Ids, SentOnce, Limits,
    Reducing, Liveness,
)  # fmt: skip
"""All but the last, which has to be told the hosts."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a ledger is judged by, besides itself. `plans` None: nothing is known of what was planned.

    `outages`: windows by venue in which nothing could have been done; None: what `fault` lines tell. `unheard`: windows
    by venue and symbol in which nobody could know that a stop is gone.
    """

    bounds: Bounds = field(default_factory=Bounds)
    uptime: Uptime = field(default_factory=Uptime)
    plans: Plans | None = None
    names: Names = field(default_factory=Names)
    hosts: Sequence[str] = ()
    outages: Mapping[str, Sequence[Window]] | None = None
    unheard: Mapping[tuple[str, str], Sequence[Window]] | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of it: a verdict for each invariant in order, the figures by venue, and each position's time without
    protection."""

    name: str
    lines: int
    torn: bool
    seconds: float
    first_ns: int
    verdicts: tuple[Verdict, ...]
    figures: dict[str, Any]
    naked: tuple[Bare, ...] = ()

    @property
    def violations(self) -> int:
        """How many breaches there are in all."""
        return sum(verdict.count for verdict in self.verdicts)


def judge(rows: Iterable[str], case: Case, name: str = "the ledger") -> Judgement:
    """Judge the lines of a ledger. Raises UnusableError where they are none, or contradict the documented form."""
    scene = Scene(case.bounds, case.uptime, case.plans, case.names, case.outages, case.unheard)
    judges = [*(one(scene) for one in INVARIANTS), KnownPaths(scene, case.hosts)]
    figures = Figures(scene)
    scene.hooks.register([*judges, figures])
    reader = Reader(rows, name)
    take = scene.take
    try:
        for line in reader:
            take(line)
    except (KeyError, TypeError, AttributeError, InvalidOperation) as error:
        told = f"{type(error).__name__}: {error}"
        raise UnusableError(
            f"{name}, seq {scene.seq}: the line lacks a field, or has a strange one ({told})"
        ) from error
    scene.end([*judges, figures])
    return Judgement(
        name=name,
        lines=reader.count,
        torn=reader.torn,
        seconds=(reader.last_ns - reader.first_ns) / NS_PER_S,
        first_ns=reader.first_ns,
        verdicts=tuple(one.verdict for one in judges),
        figures={venue: one.told() for venue, one in sorted(figures.venues.items())},
        naked=tuple(figures.naked),
    )
