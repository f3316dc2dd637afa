"""Protections: a fixed stop-loss, and a trailing stop."""

from __future__ import annotations

from framework import Protection, hookimpl

from .stop_loss import StopLoss
from .trailing_stop import TrailingStop

__all__ = [
    "StopLoss",
    "TrailingStop",
    "protections",
]


@hookimpl
def protections() -> list[type[Protection]]:
    """The protections of this plugin."""
    return [StopLoss, TrailingStop]
