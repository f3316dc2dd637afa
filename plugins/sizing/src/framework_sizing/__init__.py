"""Position sizing: how much to buy or sell."""

from __future__ import annotations

from framework import Sizer, hookimpl

from .fixed_risk import FixedRisk
from .fixed_usd import FixedUsd
from .percent_of_equity import PercentOfEquity

__all__ = [
    "FixedRisk",
    "FixedUsd",
    "PercentOfEquity",
    "sizers",
]


@hookimpl
def sizers() -> list[type[Sizer]]:
    """The sizers of this plugin."""
    return [FixedUsd, PercentOfEquity, FixedRisk]
