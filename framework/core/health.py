"""How the parts of a session are: what each of them reports, since when, and the worst of it.

A part is a signal source, an account, the engine itself. It reports conditions by name ("connected", "stream"), each
healthy, degraded or down, with a reason. Nothing is inferred from silence: what was never reported is not known.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator

from attrs import define, evolve, field, frozen

from .feed import SourceState


class Health(enum.Enum):
    """How something is. Degraded: it does less than it should. Down: it does not do what it is there for."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DOWN = "down"


_SEVERITY = {Health.HEALTHY: 0, Health.DEGRADED: 1, Health.DOWN: 2}


def worst(of: Iterable[Health]) -> Health:
    """The worst of several; healthy if there is none."""
    return max(of, key=_SEVERITY.__getitem__, default=Health.HEALTHY)


def judged(state: SourceState) -> Iterator[tuple[str, Health, str]]:
    """What follows from a source's facts: the name of each condition, its health, and why."""
    why = state.trouble or "not yet"
    for name, so in (("connected", state.connected), ("authenticated", state.authenticated)):
        yield (name, Health.HEALTHY, "") if so else (name, Health.DOWN, why)
    if state.overdue_ns is None:
        yield "waves", Health.HEALTHY, ""
    else:
        yield "waves", Health.DEGRADED, f"the wave of the bar at {state.overdue_ns // 1_000_000_000} s is overdue"


@frozen
class Condition:
    """One thing that a part reported. `since_ns` (UTC): when its health became what it is; `reason` is for people."""

    part: str
    name: str
    health: Health
    reason: str
    since_ns: int


@frozen
class Change:
    """The health of a condition changed. `before` is None where it was reported for the first time."""

    before: Condition | None
    after: Condition


@define
class Board:
    """All conditions of a session, in the order in which they were first reported."""

    _known: dict[tuple[str, str], Condition] = field(factory=dict, init=False)

    def report(self, part: str, name: str, health: Health, reason: str, now_ns: int) -> Change | None:
        """Take a report over. None: the health is what it was, or was never anything but healthy."""
        before = self._known.get((part, name))
        if before is not None and before.health is health:
            if before.reason != reason:
                self._known[part, name] = evolve(before, reason=reason)
            return None
        after = self._known[part, name] = Condition(part, name, health, reason, now_ns)
        if before is None and health is Health.HEALTHY:
            return None
        return Change(before, after)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition as it was reported last."""
        return tuple(self._known.values())

    @property
    def troubles(self) -> tuple[Condition, ...]:
        """The conditions that are not healthy."""
        return tuple(each for each in self._known.values() if each.health is not Health.HEALTHY)

    def of(self, part: str) -> Health:
        """The worst of a part's conditions."""
        return worst(each.health for each in self._known.values() if each.part == part)

    @property
    def overall(self) -> Health:
        """The worst of all."""
        return worst(each.health for each in self._known.values())
