"""Filters that thin a wave of signals. Each guards entries only and refuses when its data is missing."""

from __future__ import annotations

from framework import Filter, hookimpl

from .cooldown_after_loss import CooldownAfterLoss
from .listed import Listed
from .one_per_symbol import OnePerSymbol
from .open_interest import OpenInterest
from .price_move import PriceMove
from .score import Score
from .signal_age import SignalAge
from .spread import Spread
from .symbols import Symbols
from .volume_1h import Volume1h

__all__ = [
    "CooldownAfterLoss",
    "Listed",
    "OnePerSymbol",
    "OpenInterest",
    "PriceMove",
    "Score",
    "SignalAge",
    "Spread",
    "Symbols",
    "Volume1h",
    "filters",
]


@hookimpl
def filters() -> list[type[Filter]]:
    """The filters of this plugin."""
    return [
        Listed,
        Symbols,
        OnePerSymbol,
        SignalAge,
        Score,
        Spread,
        Volume1h,
        OpenInterest,
        PriceMove,
        CooldownAfterLoss,
    ]
