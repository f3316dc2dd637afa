"""Risk rules: what a deployment may hold and lose in all."""

from __future__ import annotations

from framework import RiskRule, hookimpl

from .margin_reserve import MarginReserve
from .max_daily_loss import MaxDailyLoss
from .max_exposure import MaxExposure
from .max_open_positions import MaxOpenPositions

__all__ = [
    "MarginReserve",
    "MaxDailyLoss",
    "MaxExposure",
    "MaxOpenPositions",
    "risk_rules",
]


@hookimpl
def risk_rules() -> list[type[RiskRule]]:
    """The risk rules of this plugin."""
    return [MaxOpenPositions, MaxExposure, MaxDailyLoss, MarginReserve]
