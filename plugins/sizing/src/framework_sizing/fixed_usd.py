"""The sizer `fixed-usd`."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from attrs import field, frozen

from framework import Percent, Rejection, Size, SizingRequest, not_negative, positive

from .fitting import NO_TOLERANCE, fit, wish_for


@frozen
class FixedUsd:
    """Give every position the same notional in USD.

    The quantity is rounded down to the market's step. A market whose minimum is above it gets its minimum, if that
    costs at most `tolerance_percent` more.
    """

    name: ClassVar[str] = "fixed-usd"

    position_usd: Decimal = field(validator=positive)
    tolerance_percent: Percent = field(default=NO_TOLERANCE, validator=not_negative)

    def size(self, request: SizingRequest) -> Size | Rejection:
        """Rejects with ``quantity_below_minimum`` or ``quantity_above_maximum``."""
        wish = wish_for(self.position_usd, request.price, self.tolerance_percent)
        return fit(wish, request.rules, request.price)
