"""Bybit: linear perpetuals in USDT, on a unified account."""

from __future__ import annotations

from framework import Exchange, hookimpl

__all__ = ["exchanges"]


@hookimpl
def exchanges() -> list[type[Exchange]]:
    """The exchange of this plugin. It is imported when it is asked for: naming the plugin costs nothing."""
    from .exchange import Bybit

    return [Bybit]
