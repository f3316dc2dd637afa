"""What the sign of life of a session says now: is there one, is it fresh, and how are the parts."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from attrs import frozen

from ..core.health import Condition, Health, worst
from ..journal import Pulse, Vitals, iso_utc
from .words import instant, safe

HEADINGS = ("part", "condition", "health", "since", "reason")

SESSION = "session"
SILENT_NS = 15 * 1_000_000_000
"""A session gives a sign of life every five seconds: after so long without one it is gone, or hangs."""


@frozen
class Told:
    """The conditions of a session, its own life first. `time_ns`: when they were told; None without a session."""

    time_ns: int | None
    conditions: tuple[Condition, ...]

    @property
    def overall(self) -> Health:
        """The worst of all."""
        return worst(each.health for each in self.conditions)


def vitals_of(directory: Path, now_ns: int | None = None) -> Told:
    """The health of the session of a state directory. Raises `JournalError` for a file that can't be read.

    What a session told before it ended, died or hung is left out: nobody knows whether it still holds.
    """
    now_ns = time.time_ns() if now_ns is None else now_ns
    vitals = Pulse(directory).read()
    if vitals is None:
        return Told(
            None, (Condition(SESSION, "alive", Health.DOWN, f"none has run with the state {directory}", now_ns),)
        )
    dead = _why_dead(vitals, now_ns)
    if dead:
        return Told(vitals.time_ns, (Condition(SESSION, "alive", Health.DOWN, dead, vitals.time_ns),))
    alive = Condition(SESSION, "alive", Health.HEALTHY, f"process {vitals.process}", vitals.time_ns)
    return Told(vitals.time_ns, (alive, *vitals.conditions))


def _why_dead(vitals: Vitals, now_ns: int) -> str:
    if vitals.ended:
        return f"it ended: {vitals.ended}"
    if now_ns - vitals.time_ns > SILENT_NS:
        last = iso_utc(vitals.time_ns)[:19]
        return f"process {vitals.process} gives no sign of life since {last}Z: it is gone, or hangs"
    return ""


def cells(condition: Condition) -> tuple[str, ...]:
    """A condition under `HEADINGS`."""
    since = instant(condition.since_ns)
    return (condition.part, condition.name, condition.health.value, since, safe(condition.reason) or "-")


def as_data(told: Told) -> dict[str, Any]:
    """The same as plain data; instants in nanoseconds UTC."""
    return {
        "health": told.overall.value,
        "time_ns": told.time_ns,
        "conditions": [
            {"part": c.part, "name": c.name, "health": c.health.value, "reason": c.reason, "since_ns": c.since_ns}
            for c in told.conditions
        ],
    }
