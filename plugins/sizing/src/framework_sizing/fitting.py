"""From a wanted notional to a quantity that the market takes, spending at most a stated tolerance more."""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen

from framework import (
    MarketRules,
    Percent,
    Rejection,
    Size,
    floor_to,
    leading_digits,
    smallest_quantity,
    trimmed,
    usd_down,
    usd_up,
)

NO_TOLERANCE = Percent(Decimal(0))

_SHOWN_DIGITS = 6


@frozen
class Wish:
    """A position to be fitted: the unrounded quantity, its notional, and the most that its minimum may cost."""

    quantity: Decimal
    position_usd: Decimal
    budget_usd: Decimal


def wish_for(position_usd: Decimal, price: Decimal, tolerance: Percent) -> Wish:
    """A wish for `position_usd` that may be exceeded by `tolerance`; the budget is rounded down to the cent."""
    return Wish(position_usd / price, position_usd, usd_down(tolerance.above(position_usd)))


def fit(wish: Wish, rules: MarketRules, price: Decimal) -> Size | Rejection:
    """The wanted quantity rounded down to the step, or the market's smallest if the budget pays for it.

    What the smallest quantity costs is rounded up to the cent before it is compared with the budget. Rejects with
    ``quantity_below_minimum`` or ``quantity_above_maximum``.
    """
    minimum = smallest_quantity(rules, price)
    required_usd = usd_up(minimum * price)
    numbers = {
        "position_usd": wish.position_usd,
        "budget_usd": wish.budget_usd,
        "price": price,
        "minimum": minimum,
        "required_usd": required_usd,
        "min_notional": rules.min_notional,
        "step_size": rules.step_size,
    }
    quantity = floor_to(wish.quantity, rules.step_size)
    if quantity < minimum:
        if required_usd > wish.budget_usd:
            shown = leading_digits(wish.quantity)
            message = (
                f"quantity below minimum: {trimmed(wish.position_usd)} USD buy {shown:f}, the minimum is "
                f"{trimmed(minimum)}, which costs {required_usd} USD; the budget is {wish.budget_usd} USD"
            )
            return Rejection("quantity_below_minimum", message, {"quantity": shown, **numbers})
        quantity = minimum
    if quantity > rules.max_quantity:
        message = (
            f"quantity above maximum: {trimmed(wish.position_usd)} USD buy {trimmed(quantity)}, "
            f"the largest market order is {trimmed(rules.max_quantity)}"
        )
        return Rejection(
            "quantity_above_maximum", message, {"quantity": quantity, "maximum": rules.max_quantity, **numbers}
        )
    arithmetic = {"wanted": leading_digits(wish.quantity, _SHOWN_DIGITS), "quantity": quantity}
    return Size(quantity, {**arithmetic, "notional_usd": quantity * price, **numbers})
