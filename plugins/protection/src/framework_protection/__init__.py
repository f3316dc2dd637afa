"""Protections: stops that stay, stops that follow, profits that are taken, and positions that take too long."""

from __future__ import annotations

from framework import Protection, hookimpl

from .atr import Atr
from .break_even import BreakEven
from .liquidation_guard import LiquidationGuard
from .stop_loss import StopLoss
from .take_profit import TakeLevel, TakeProfit
from .time_exit import TimeExit
from .trailing_stop import TrailingStop

__all__ = [
    "Atr",
    "BreakEven",
    "LiquidationGuard",
    "StopLoss",
    "TakeLevel",
    "TakeProfit",
    "TimeExit",
    "TrailingStop",
    "protections",
]


@hookimpl
def protections() -> list[type[Protection]]:
    """The protections of this plugin."""
    return [StopLoss, TrailingStop, BreakEven, TakeProfit, TimeExit, LiquidationGuard]
