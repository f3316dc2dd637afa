"""The rules of the markets. Source: "Bybit v5, Get Instruments Info"."""

from __future__ import annotations

from collections.abc import Iterable

from framework import MarketRules

from .strange import Row, StrangeAnswerError, number, number_or_none, optional, text


def rules_of(rows: Iterable[Row]) -> tuple[dict[str, MarketRules], list[str]]:
    """The rules of every USDT perpetual that is being traded, by symbol, and what is wrong with rows left out.

    `max_quantity` is the largest market order: entries and exits at the market must fit into it.
    """
    found: dict[str, MarketRules] = {}
    problems: list[str] = []
    for row in rows:
        try:
            if _is_traded(row):
                rules = _rules(row)
                found[rules.symbol] = rules
        except StrangeAnswerError as error:
            problems.append(f"{row.get('symbol')!r}: {error}")
    return found, problems


def _is_traded(row: Row) -> bool:
    """Linear perpetuals in USDT, and only when anybody may trade them: not before their listing, not while delisted."""
    return (
        optional(row, "contractType") == "LinearPerpetual"
        and optional(row, "settleCoin") == "USDT"
        and optional(row, "status") == "Trading"
        and row.get("isPreListing") is not True
    )


def _rules(row: Row) -> MarketRules:
    price, lot, leverage = (_part(row, name) for name in ("priceFilter", "lotSizeFilter", "leverageFilter"))
    risk = row.get("riskParameters")
    rules = MarketRules(
        symbol=text(row, "symbol"),
        tick_size=number(price, "tickSize"),
        step_size=number(lot, "qtyStep"),
        min_quantity=number(lot, "minOrderQty"),
        max_quantity=number(lot, "maxMktOrderQty"),
        min_notional=number(lot, "minNotionalValue"),
        min_price=number(price, "minPrice"),
        max_price=number(price, "maxPrice"),
        # X bounds the prices of limit orders around the mark price.
        price_band=number_or_none(risk, "priceLimitRatioX") if isinstance(risk, dict) else None,
        max_leverage=number_or_none(leverage, "maxLeverage"),
    )
    if not (rules.tick_size > 0 and rules.step_size > 0 and rules.max_quantity >= rules.min_quantity > 0):
        raise StrangeAnswerError("tick, step or the limits of the quantity are impossible")
    return rules


def _part(row: Row, name: str) -> Row:
    found = row.get(name)
    if not isinstance(found, dict):
        raise StrangeAnswerError(f"{name} is {found!r}, an object is due")
    return found
