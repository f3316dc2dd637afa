"""Binance USD-M futures: the shape of GET /fapi/v1/exchangeInfo ("Exchange Information", "Filters")."""

from __future__ import annotations

from typing import Any

from framework import MarketRules

from ..engine.rules import Market
from .numbers import number, unit


def parse(answer: Any) -> dict[str, Market]:
    """The perpetuals in USDT whose status is TRADING, by symbol. Raises KeyError, TypeError or InvalidOperation."""
    return {row["symbol"]: _market(row) for row in answer["symbols"] if _is_traded(row)}


def _is_traded(row: Any) -> bool:
    kind = (row["contractType"], row["status"], row["quoteAsset"], row["marginAsset"])
    return kind == ("PERPETUAL", "TRADING", "USDT", "USDT")


def _market(row: Any) -> Market:
    filters = {one["filterType"]: one for one in row["filters"]}
    price, lot, market_lot = filters["PRICE_FILTER"], filters["LOT_SIZE"], filters["MARKET_LOT_SIZE"]
    band = filters["PERCENT_PRICE"]
    # Two multipliers of the mark price; the narrower side stands for both.
    nearest = min(number(band["multiplierUp"]) - 1, 1 - number(band["multiplierDown"])).normalize()
    rules = MarketRules(
        symbol=row["symbol"],
        tick_size=unit(price["tickSize"]),
        # A quantity has to suit market orders too: a stop is one. The stricter of the two filters holds.
        step_size=max(unit(lot["stepSize"]), unit(market_lot["stepSize"])),
        min_quantity=max(number(lot["minQty"]), number(market_lot["minQty"])),
        max_quantity=number(market_lot["maxQty"]),
        min_notional=number(filters["MIN_NOTIONAL"]["notional"]),
        min_price=number(price["minPrice"]),
        max_price=number(price["maxPrice"]),
        price_band=nearest,
        max_leverage=None,
        closes_any_notional=True,
    )
    return Market(
        rules,
        max_limit_quantity=number(lot["maxQty"]),
        take_bound=number(row["marketTakeBound"]) if "marketTakeBound" in row else None,
        trigger_protect=number(row["triggerProtect"]) if "triggerProtect" in row else None,
    )
