"""Trade on Binance USD-M futures: perpetuals in USDT."""

from __future__ import annotations

from framework import Exchange, hookimpl


@hookimpl
def exchanges() -> list[type[Exchange]]:
    """The components for ``[exchanges.NAME]``."""
    # Imported here: listing what is installed must not load the exchange and what it stands on.
    from .exchange import Binance

    return [Binance]
