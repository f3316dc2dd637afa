"""The rules of Binance's markets, from exchangeInfo ("Exchange Information", "Filters") and leverageBracket."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from framework import MarketRules

from .strange import StrangeAnswerError


def market_rules(answer: Any, brackets: Any) -> tuple[dict[str, MarketRules], list[str]]:
    """The USDT-margined perpetuals that are trading, by symbol; and, in a line each, which rows can't be used.

    Raises `StrangeAnswerError` where there are no rows at all: an account without markets is no answer.
    """
    rows = answer.get("symbols") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not rows:
        raise StrangeAnswerError("exchangeInfo has no symbols")
    most = max_leverages(brackets)
    found: dict[str, MarketRules] = {}
    broken: list[str] = []
    for row in rows:
        try:
            if _is_traded(row):
                rules = _rules(row, most.get(str(row["symbol"])))
                found[rules.symbol] = rules
        except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
            name = row.get("symbol", "a row") if isinstance(row, dict) else "a row"
            broken.append(f"{name}: its rules can't be read ({type(error).__name__}: {error})")
    return found, broken


def max_leverages(answer: Any) -> dict[str, Decimal]:
    """The largest leverage by symbol, that of the lowest bracket. What is malformed tells nothing."""
    found: dict[str, Decimal] = {}
    for row in answer if isinstance(answer, list) else []:
        try:
            found[str(row["symbol"])] = max(Decimal(int(one["initialLeverage"])) for one in row["brackets"])
        except (KeyError, TypeError, ValueError):
            continue
    return found


def _is_traded(row: Mapping[str, Any]) -> bool:
    kind = (row["contractType"], row["status"], row["quoteAsset"], row["marginAsset"])
    return kind == ("PERPETUAL", "TRADING", "USDT", "USDT")


def _rules(row: Mapping[str, Any], max_leverage: Decimal | None) -> MarketRules:
    filters = {one["filterType"]: one for one in row["filters"]}
    price, lot, market_lot = filters["PRICE_FILTER"], filters["LOT_SIZE"], filters["MARKET_LOT_SIZE"]
    return MarketRules(
        symbol=str(row["symbol"]),
        tick_size=_above_zero(price["tickSize"]),
        # A quantity has to suit market orders too: a stop is one. The stricter of the two filters holds.
        step_size=max(_above_zero(lot["stepSize"]), _above_zero(market_lot["stepSize"])),
        min_quantity=max(_number(lot["minQty"]), _number(market_lot["minQty"])),
        max_quantity=_above_zero(market_lot["maxQty"]),
        min_notional=_number(filters["MIN_NOTIONAL"]["notional"]),
        min_price=_number(price["minPrice"]),
        max_price=_above_zero(price["maxPrice"]),
        price_band=_band(filters.get("PERCENT_PRICE")),
        max_leverage=max_leverage,
        closes_any_notional=True,  # -4164: "unless you choose reduce only"
    )


def _band(row: Mapping[str, Any] | None) -> Decimal | None:
    """Two multipliers of the mark price; the narrower side stands for both."""
    if row is None:
        return None
    return min(_number(row["multiplierUp"]) - 1, 1 - _number(row["multiplierDown"])).normalize()


def _number(value: Any) -> Decimal:
    number = Decimal(str(value))
    if not number.is_finite() or number < 0:
        raise ValueError(f"{value!r} is no number of zero or more")
    return number


def _above_zero(value: Any) -> Decimal:
    number = _number(value)
    if not number:
        raise ValueError(f"{value!r} must be above zero")
    return number
