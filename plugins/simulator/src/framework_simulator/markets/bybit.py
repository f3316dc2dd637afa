"""Bybit v5, category linear: the shape of GET /v5/market/instruments-info ("Get Instruments Info")."""

from __future__ import annotations

from typing import Any

from framework import MarketRules

from ..engine.rules import Market
from .numbers import number, unit


def parse(answer: Any) -> dict[str, Market]:
    """The linear perpetuals in USDT that are Trading, by symbol. Raises KeyError, TypeError or InvalidOperation."""
    return {row["symbol"]: _market(row) for row in answer["result"]["list"] if _is_traded(row)}


def _is_traded(row: Any) -> bool:
    kind = (row["contractType"], row["status"], row["quoteCoin"], row["settleCoin"])
    return kind == ("LinearPerpetual", "Trading", "USDT", "USDT")


def _market(row: Any) -> Market:
    price, lot = row["priceFilter"], row["lotSizeFilter"]
    rules = MarketRules(
        symbol=row["symbol"],
        tick_size=unit(price["tickSize"]),
        step_size=unit(lot["qtyStep"]),
        min_quantity=number(lot["minOrderQty"]),
        max_quantity=number(lot["maxMktOrderQty"]),
        min_notional=number(lot["minNotionalValue"]),
        min_price=number(price["minPrice"]),
        max_price=number(price["maxPrice"]),
        # X bounds limit prices around the mark price; Y, around the index, needs an index price.
        price_band=number(row["riskParameters"]["priceLimitRatioX"]),
        max_leverage=number(row["leverageFilter"]["maxLeverage"]),
    )
    return Market(rules, max_limit_quantity=number(lot["maxOrderQty"]))
