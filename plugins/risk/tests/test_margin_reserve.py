from __future__ import annotations

from decimal import Decimal

import pytest

from framework import MissingDataError, Passed, Percent, Rejection, Side, Verdict
from framework.testing import Numeric, make_account, make_plan, make_portfolio
from framework_risk import MarginReserve

FIFTH = MarginReserve(min_free_percent=Percent(Decimal(20)))


def check(
    component: MarginReserve, available_usd: Numeric, *, leverage: Numeric = 10, side: Side = Side.LONG
) -> Verdict:
    """A plan of 1000 USD on an account with 1000 USD of equity."""
    account = make_account(equity_usd=1000, available_usd=available_usd, leverage=leverage)
    return component.check(make_plan(side, quantity=10, price=100), make_portfolio(account))


@pytest.mark.parametrize("side", list(Side))
def test_exactly_the_reserve_left_passes_with_its_numbers(side: Side) -> None:
    assert check(FIFTH, 300, side=side) == Passed(
        {
            "available_usd": Decimal(300),
            "margin_usd": Decimal(100),
            "free_usd": Decimal(200),
            "reserve_usd": Decimal(200),
            "equity_usd": Decimal(1000),
        }
    )


@pytest.mark.parametrize("side", list(Side))
def test_less_than_the_reserve_left_is_refused(side: Side) -> None:
    verdict = check(FIFTH, "299.99", side=side)

    assert isinstance(verdict, Rejection)
    assert verdict.code == "margin_reserve"
    assert verdict.message == "199.99 USD of paper would stay free, the reserve is 200.00 USD"


def test_the_setting_decides_the_reserve() -> None:
    assert isinstance(check(MarginReserve(min_free_percent=Percent(Decimal(19))), "299.99"), Passed)


def test_less_leverage_takes_more_margin() -> None:
    assert isinstance(check(FIFTH, 300, leverage=9), Rejection)


def test_an_account_that_the_portfolio_lacks_is_missing_data() -> None:
    with pytest.raises(MissingDataError, match="does not hold the account paper"):
        FIFTH.check(make_plan(), make_portfolio(make_account("other")))


def test_a_reserve_of_zero_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        MarginReserve(min_free_percent=Percent(Decimal(0)))
