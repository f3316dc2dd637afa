"""Numbers as market files write them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


def number(text: Any) -> Decimal:
    """A finite decimal. Raises TypeError for what is no string, InvalidOperation for a string that is no number."""
    if not isinstance(text, str):
        raise TypeError(f"a number should be a string, got {text!r}")
    value = Decimal(text)
    if not value.is_finite():
        raise TypeError(f"not a finite number: {text}")
    return value


def unit(text: Any) -> Decimal:
    """A tick or step without trailing zeros ("0.0000100" is 0.00001), never with an exponent.

    Its digits are those with which prices and quantities are written.
    """
    value = number(text)
    if value <= 0:
        raise TypeError(f"a tick or step must be positive, got {text}")
    short = value.normalize()
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short
