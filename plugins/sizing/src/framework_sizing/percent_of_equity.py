"""The sizer `percent-of-equity`."""

from __future__ import annotations

from typing import ClassVar

from attrs import evolve, field, frozen

from framework import Percent, Rejection, Size, SizingRequest, not_negative, positive, usd_down

from .fitting import NO_TOLERANCE, fit, wish_for


@frozen
class PercentOfEquity:
    """Give a position a notional of `percent` of the account's equity, leverage not counted.

    The notional is rounded down to the cent, the quantity down to the market's step. A market whose minimum is above
    it gets its minimum, if that costs at most `tolerance_percent` more.
    """

    name: ClassVar[str] = "percent-of-equity"

    percent: Percent = field(validator=positive)
    tolerance_percent: Percent = field(default=NO_TOLERANCE, validator=not_negative)

    def size(self, request: SizingRequest) -> Size | Rejection:
        """Rejects with ``no_equity``, ``quantity_below_minimum`` or ``quantity_above_maximum``."""
        equity = request.account.equity_usd
        of_equity = {"equity_usd": equity, "percent": self.percent.value}
        position_usd = usd_down(self.percent.of(equity))
        if position_usd <= 0:
            message = f"{self.percent} of an equity of {equity:f} USD is less than a cent"
            return Rejection("no_equity", message, of_equity)
        wish = wish_for(position_usd, request.price, self.tolerance_percent)
        answer = fit(wish, request.rules, request.price)
        return evolve(answer, numbers={**of_equity, **answer.numbers})
