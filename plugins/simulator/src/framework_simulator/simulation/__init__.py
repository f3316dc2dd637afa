"""The product in a simulation: real kernel, real plugins and real ccxt, above emulated venues, in virtual time.

`draw` makes a schedule from a seed, a `Laboratory` runs and judges it. Names are imported when they are first asked
for: a command that only prints its help should not wait for all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .campaign import Report, Result, Wish, run_campaign
    from .drawing import Climate, draw
    from .laboratory import Laboratory, Trial
    from .run import Life, Outcome, Run
    from .schedule import Item, Schedule
    from .shrinking import shrink

__all__ = [
    "Climate",
    "Item",
    "Laboratory",
    "Life",
    "Outcome",
    "Report",
    "Result",
    "Run",
    "Schedule",
    "Trial",
    "Wish",
    "draw",
    "run_campaign",
    "shrink",
]

_HOMES = {
    **dict.fromkeys(("Report", "Result", "Wish", "run_campaign"), ".campaign"),
    **dict.fromkeys(("Laboratory", "Trial"), ".laboratory"),
    **dict.fromkeys(("Life", "Outcome", "Run"), ".run"),
    **dict.fromkeys(("Item", "Schedule"), ".schedule"),
    **dict.fromkeys(("Climate", "draw"), ".drawing"),
    "shrink": ".shrinking",
}

if not TYPE_CHECKING:  # a type checker would take any name for one that exists

    def __getattr__(name: str) -> object:
        """Import a name of `__all__` the first time that it is asked for."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_HOMES[name], __name__), name)
        return value
