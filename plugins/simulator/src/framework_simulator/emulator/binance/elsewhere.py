"""The other sides of Binance, as far as futures clients knock at them while they start: alive, and empty.

Source: "Binance Spot, General endpoints" and "Binance COIN-M Futures, Market Data".
"""

from __future__ import annotations

from typing import Any

from .call import Call


def nothing_listed(call: Call) -> dict[str, Any]:
    """GET exchangeInfo of the spot side and of COIN-M futures: no symbols."""
    return {
        "timezone": "UTC",
        "serverTime": call.world.told_ms("binance"),
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": [],
    }


def nothing_priced(call: Call) -> list[Any]:
    """GET tickers of the spot side and of COIN-M futures: a list without rows."""
    return []


def system_status(call: Call) -> dict[str, Any]:
    """GET sapi system/status: up."""
    return {"status": 0, "msg": "normal"}
