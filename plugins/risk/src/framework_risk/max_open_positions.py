"""The risk rule `max-open-positions`."""

from __future__ import annotations

from typing import ClassVar

from attrs import field, frozen

from framework import Passed, Portfolio, Rejection, SizedPlan, Verdict, positive

from .accounts import account_of


@frozen
class MaxOpenPositions:
    """Limit the number of open positions, in all accounts together, on each account, or both.

    Positions that are being opened count.
    """

    name: ClassVar[str] = "max-open-positions"

    total: int | None = field(default=None, validator=positive)
    per_account: int | None = field(default=None, validator=positive)

    def __attrs_post_init__(self) -> None:
        if self.total is None and self.per_account is None:
            raise ValueError("set total, per_account, or both")

    def check(self, plan: SizedPlan, portfolio: Portfolio) -> Verdict:
        """``too_many_positions`` or ``too_many_positions_on_account``."""
        account = account_of(plan, portfolio)
        here = len(account.open)
        everywhere = sum(len(other.open) for other in portfolio.accounts.values())
        numbers = {"open": everywhere, "open_on_account": here}
        if self.total is not None and everywhere >= self.total:
            message = f"{everywhere} positions are open, at most {self.total} may be"
            return Rejection("too_many_positions", message, {**numbers, "total": self.total})
        if self.per_account is not None and here >= self.per_account:
            message = f"{here} positions are open on {account.name}, at most {self.per_account} may be"
            return Rejection("too_many_positions_on_account", message, {**numbers, "per_account": self.per_account})
        return Passed(numbers)
