"""The risk rule `margin-reserve`."""

from __future__ import annotations

from typing import ClassVar

from attrs import field, frozen

from framework import Passed, Percent, Portfolio, Rejection, SizedPlan, Verdict, positive, usd_down, usd_up

from .accounts import account_of


@frozen
class MarginReserve:
    """Keep at least `min_free_percent` of an account's equity free of margin, the planned position included.

    The margin of the plan is its notional divided by the account's leverage.
    """

    name: ClassVar[str] = "margin-reserve"

    min_free_percent: Percent = field(validator=positive)

    def check(self, plan: SizedPlan, portfolio: Portfolio) -> Verdict:
        """``margin_reserve`` when less would stay free; exactly the reserve passes."""
        account = account_of(plan, portfolio)
        margin = plan.notional_usd / account.leverage
        free = account.available_usd - margin
        reserve = self.min_free_percent.of(account.equity_usd)
        numbers = {
            "available_usd": account.available_usd,
            "margin_usd": margin,
            "free_usd": free,
            "reserve_usd": reserve,
            "equity_usd": account.equity_usd,
        }
        if free < reserve:
            message = f"{usd_down(free)} USD of {account.name} would stay free, the reserve is {usd_up(reserve)} USD"
            return Rejection("margin_reserve", message, numbers)
        return Passed(numbers)
