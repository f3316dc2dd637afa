"""The sizer `fixed-risk`."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from attrs import evolve, field, frozen

from framework import Percent, Rejection, Size, SizingRequest, not_negative, positive, usd_down

from .fitting import NO_TOLERANCE, Wish, fit


@frozen
class FixedRisk:
    """Size a position so that its first stop loses a fixed amount, in USD or in percent of the account's equity.

    The quantity is the risk divided by the distance from the expected price to the planned stop, rounded down to the
    market's step; fees and slippage come on top. Set exactly one of `risk_usd` and `risk_percent`. The notional never
    exceeds `max_notional_usd`. A market whose minimum is above the quantity gets its minimum, if that risks at most
    `tolerance_percent` more.
    """

    name: ClassVar[str] = "fixed-risk"

    risk_usd: Decimal | None = field(default=None, validator=positive)
    risk_percent: Percent | None = field(default=None, validator=positive)
    max_notional_usd: Decimal | None = field(default=None, validator=positive)
    tolerance_percent: Percent = field(default=NO_TOLERANCE, validator=not_negative)

    def __attrs_post_init__(self) -> None:
        self._risk_of(Decimal(0))

    def size(self, request: SizingRequest) -> Size | Rejection:
        """Rejects with ``no_distance``, ``no_equity``, ``quantity_below_minimum`` or ``quantity_above_maximum``."""
        price, equity = request.price, request.account.equity_usd
        distance = abs(price - request.stop_price)
        if distance == 0:
            message = f"the stop is at the price of {price}: there is no distance to size by"
            return Rejection("no_distance", message, {"price": price, "stop_price": request.stop_price})
        risk_usd = self._risk_of(equity)
        by_risk = {"risk_usd": risk_usd, "distance": distance, "stop_price": request.stop_price, "equity_usd": equity}
        if risk_usd <= 0:
            message = f"{self.risk_percent} of an equity of {equity:f} USD is less than a cent"
            return Rejection("no_equity", message, by_risk)
        answer = fit(self._wish(risk_usd / distance, price), request.rules, price)
        return evolve(answer, numbers={**by_risk, **answer.numbers})

    def _risk_of(self, equity_usd: Decimal) -> Decimal:
        """What may be lost; a share of the equity is rounded down to the cent."""
        if self.risk_usd is not None and self.risk_percent is None:
            return self.risk_usd
        if self.risk_percent is not None and self.risk_usd is None:
            return usd_down(self.risk_percent.of(equity_usd))
        raise ValueError("set exactly one of risk_usd and risk_percent")

    def _wish(self, quantity: Decimal, price: Decimal) -> Wish:
        """The wish for `quantity`, its notional shown to the cent, and cut to the largest notional allowed."""
        notional_usd = quantity * price
        budget_usd = usd_down(self.tolerance_percent.above(notional_usd))
        limit = self.max_notional_usd
        if limit is None:
            return Wish(quantity, usd_down(notional_usd), budget_usd)
        return Wish(min(quantity, limit / price), min(usd_down(notional_usd), limit), min(budget_usd, limit))
