"""The risk rule `max-daily-loss`."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from attrs import field, frozen

from framework import Passed, Percent, Portfolio, Rejection, SizedPlan, Verdict, positive, usd_down

from .accounts import ZERO, equity_of, limit_usd

_NS_PER_DAY = 86_400_000_000_000


@frozen
class MaxDailyLoss:
    """Open nothing more on a day whose realised loss has reached the limit, in USD or in percent of the equity.

    The day begins at 00:00 UTC. The loss is the sum of the realised PnL, after fees, of the positions that all
    accounts closed since then; profits count against losses. Set exactly one of the two limits.
    """

    name: ClassVar[str] = "max-daily-loss"

    max_usd: Decimal | None = field(default=None, validator=positive)
    max_percent_of_equity: Percent | None = field(default=None, validator=positive)

    def __attrs_post_init__(self) -> None:
        limit_usd(self.max_usd, self.max_percent_of_equity, ZERO)

    def check(self, plan: SizedPlan, portfolio: Portfolio) -> Verdict:
        """``daily_loss_reached`` once the loss of the day is at the limit or above."""
        day_ns = portfolio.time_ns - portfolio.time_ns % _NS_PER_DAY
        accounts = tuple(portfolio.accounts.values())
        loss = -sum(
            (
                position.realized_pnl_usd
                for account in accounts
                for position in account.closed
                if position.closed_ns >= day_ns
            ),
            ZERO,
        )
        limit = limit_usd(self.max_usd, self.max_percent_of_equity, equity_of(accounts))
        numbers = {"loss_today_usd": loss, "limit_usd": limit}
        if loss >= limit:
            message = f"{usd_down(loss)} USD were lost today, the limit is {usd_down(limit)} USD"
            return Rejection("daily_loss_reached", message, numbers)
        return Passed(numbers)
