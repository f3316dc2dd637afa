"""Reading a portfolio: the account of a plan, sums over accounts, and limits in USD or in percent of the equity."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from framework import Account, MissingDataError, Percent, Portfolio, SizedPlan

ZERO = Decimal(0)


def account_of(plan: SizedPlan, portfolio: Portfolio) -> Account:
    """The account that the plan would trade on. Raises `MissingDataError` when the portfolio does not know it."""
    name = plan.signal.account
    if name not in portfolio.accounts:
        raise MissingDataError("portfolio", f"it does not hold the account {name}")
    return portfolio.accounts[name]


def equity_of(accounts: Iterable[Account]) -> Decimal:
    """The sum of the equity in USD."""
    return sum((account.equity_usd for account in accounts), ZERO)


def limit_usd(max_usd: Decimal | None, max_percent_of_equity: Percent | None, equity_usd: Decimal) -> Decimal:
    """The limit in USD. Raises `ValueError` unless exactly one of the two settings is there."""
    if max_usd is not None and max_percent_of_equity is None:
        return max_usd
    if max_percent_of_equity is not None and max_usd is None:
        return max_percent_of_equity.of(equity_usd)
    raise ValueError("set exactly one of max_usd and max_percent_of_equity")
