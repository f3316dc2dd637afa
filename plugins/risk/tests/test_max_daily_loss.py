from __future__ import annotations

from decimal import Decimal

import pytest

from framework import ClosedPosition, Passed, Percent, Rejection, Side, Verdict
from framework.testing import NOW_NS, Numeric, make_account, make_closed_position, make_plan, make_portfolio
from framework_risk import MaxDailyLoss

FIFTY = MaxDailyLoss(max_usd=Decimal(50))
MIDNIGHT_NS = NOW_NS - (12 * 3600 + 30) * 1_000_000_000


def closed(pnl: Numeric, account: str = "here", closed_ns: int = NOW_NS - 1) -> ClosedPosition:
    return make_closed_position(account=account, closed_ns=closed_ns, realized_pnl_usd=pnl)


def check(component: MaxDailyLoss, *positions: ClosedPosition, side: Side = Side.LONG) -> Verdict:
    portfolio = make_portfolio(
        *(make_account(name, closed=[p for p in positions if p.account == name]) for name in ("here", "there"))
    )
    return component.check(make_plan(side, account="here"), portfolio)


def test_a_day_without_losses_passes() -> None:
    assert check(FIFTY) == Passed({"loss_today_usd": Decimal(0), "limit_usd": Decimal(50)})


@pytest.mark.parametrize("side", list(Side))
def test_a_loss_at_the_limit_refuses_further_entries(side: Side) -> None:
    verdict = check(FIFTY, closed(-20), closed(-30), side=side)

    assert isinstance(verdict, Rejection)
    assert verdict.code == "daily_loss_reached"
    assert verdict.message == "50.00 USD were lost today, the limit is 50.00 USD"
    assert verdict.numbers == {"loss_today_usd": Decimal(50), "limit_usd": Decimal(50)}


@pytest.mark.parametrize("side", list(Side))
def test_a_loss_below_the_limit_passes(side: Side) -> None:
    assert isinstance(check(FIFTY, closed("-49.99"), side=side), Passed)


def test_losses_of_all_accounts_count() -> None:
    assert isinstance(check(FIFTY, closed(-25), closed(-25, "there")), Rejection)


def test_profits_count_against_losses() -> None:
    assert isinstance(check(FIFTY, closed(-60), closed(11)), Passed)


def test_the_day_begins_at_midnight() -> None:
    assert isinstance(check(FIFTY, closed(-50, closed_ns=MIDNIGHT_NS)), Rejection)
    assert isinstance(check(FIFTY, closed(-50, closed_ns=MIDNIGHT_NS - 1)), Passed)


def test_the_limit_may_be_a_share_of_the_equity_of_all_accounts() -> None:
    component = MaxDailyLoss(max_percent_of_equity=Percent(Decimal(5)))

    assert isinstance(check(component, closed(-100)), Rejection)
    assert isinstance(check(component, closed("-99.99")), Passed)


@pytest.mark.parametrize(("usd", "percent"), [(None, None), (Decimal(1), Percent(Decimal(1)))], ids=["neither", "both"])
def test_exactly_one_limit_is_set(usd: Decimal | None, percent: Percent | None) -> None:
    with pytest.raises(ValueError, match="set exactly one of max_usd and max_percent_of_equity"):
        MaxDailyLoss(max_usd=usd, max_percent_of_equity=percent)


def test_a_limit_of_zero_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        MaxDailyLoss(max_usd=Decimal(0))
    with pytest.raises(ValueError, match="greater than 0"):
        MaxDailyLoss(max_percent_of_equity=Percent(Decimal(0)))
