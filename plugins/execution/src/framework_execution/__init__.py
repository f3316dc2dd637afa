"""Ways to enter a position."""

from __future__ import annotations

from framework import Execution, hookimpl

from .limit_then_market import LimitThenMarket
from .market import Market

__all__ = [
    "LimitThenMarket",
    "Market",
    "executions",
]


@hookimpl
def executions() -> list[type[Execution]]:
    """The executions of this plugin."""
    return [Market, LimitThenMarket]
