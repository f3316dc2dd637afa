"""The risk rule `max-exposure`."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal

from attrs import field, frozen

from framework import Passed, Percent, Portfolio, Rejection, SizedPlan, Verdict, positive, usd_down, usd_up

from .accounts import ZERO, account_of, equity_of, limit_usd


@frozen
class MaxExposure:
    """Limit the notional of all positions together, the planned one included, in USD or in percent of the equity.

    Long and short do not cancel out. Open positions count at their entry price. `scope` "total": positions and equity
    of all accounts; "account": those of the plan's account. Set exactly one of the two limits.
    """

    name: ClassVar[str] = "max-exposure"

    max_usd: Decimal | None = field(default=None, validator=positive)
    max_percent_of_equity: Percent | None = field(default=None, validator=positive)
    scope: Literal["total", "account"] = "total"

    def __attrs_post_init__(self) -> None:
        limit_usd(self.max_usd, self.max_percent_of_equity, ZERO)

    def check(self, plan: SizedPlan, portfolio: Portfolio) -> Verdict:
        """``exposure_too_high`` when the exposure would be above the limit; at the limit it passes."""
        own = account_of(plan, portfolio)
        accounts = (own,) if self.scope == "account" else tuple(portfolio.accounts.values())
        held = sum((position.notional_usd for account in accounts for position in account.open), ZERO)
        exposure = held + plan.notional_usd
        limit = limit_usd(self.max_usd, self.max_percent_of_equity, equity_of(accounts))
        numbers = {"open_usd": held, "planned_usd": plan.notional_usd, "exposure_usd": exposure, "limit_usd": limit}
        if exposure > limit:
            where = own.name if self.scope == "account" else "all accounts"
            message = (
                f"the exposure of {where} would be {usd_up(exposure)} USD, at most {usd_down(limit)} USD are allowed"
            )
            return Rejection("exposure_too_high", message, numbers)
        return Passed(numbers)
