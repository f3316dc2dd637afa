"""Small arithmetic that the whole engine shares."""

from __future__ import annotations

from decimal import Decimal

from framework import OrderSide, floor_to, is_multiple

ZERO = Decimal(0)


def signed(side: OrderSide, quantity: Decimal) -> Decimal:
    """`quantity` as it changes a position: negative for a sale."""
    return quantity if side is OrderSide.BUY else -quantity


def opposite(side: OrderSide) -> OrderSide:
    """The other side."""
    return OrderSide.SELL if side is OrderSide.BUY else OrderSide.BUY


def in_digits_of(unit: Decimal, value: Decimal) -> Decimal:
    """`value` written with the digits of `unit`. A value off the unit (an average) stays as it is: no rounding."""
    return floor_to(value, unit) if is_multiple(value, unit) else value


def average(cost: Decimal, quantity: Decimal) -> Decimal:
    """`cost` per unit of `quantity`, rounded to 12 decimals (half to even) where it does not end sooner."""
    return _cut(cost / quantity)


def share_of(cost: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """The share of `cost` that falls to `part` of `whole`, rounded to 12 decimals (half to even).

    The rounding keeps sums exact: what one fill takes from the cost is what stays out of the rest, to the digit.
    """
    return cost if part == whole else _cut(cost * part / whole)


def _cut(value: Decimal) -> Decimal:
    # Quantizing a value that is short already would only write zeros behind it.
    return value.quantize(_FINEST) if value % _FINEST else value


_FINEST = Decimal("1e-12")
