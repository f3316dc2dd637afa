from __future__ import annotations

from decimal import Decimal

import pytest

from framework import MissingDataError, Passed, Percent, Rejection, Side, Verdict
from framework.testing import Numeric, make_account, make_open_position, make_plan, make_portfolio
from framework_risk import MaxExposure

HALF = Percent(Decimal(50))


def check(component: MaxExposure, planned_usd: Numeric, side: Side = Side.LONG) -> Verdict:
    """Two accounts with 1000 USD each: 300 USD long here, 200 USD short there."""
    portfolio = make_portfolio(
        make_account("here", open=[make_open_position(account="here", quantity=3)]),
        make_account("there", open=[make_open_position(side=Side.SHORT, account="there", quantity=2)]),
    )
    return component.check(make_plan(side, account="here", price=1, quantity=planned_usd), portfolio)


@pytest.mark.parametrize("side", list(Side))
def test_an_exposure_at_the_limit_passes_with_its_numbers(side: Side) -> None:
    assert check(MaxExposure(max_usd=Decimal(600)), 100, side) == Passed(
        {
            "open_usd": Decimal(500),
            "planned_usd": Decimal(100),
            "exposure_usd": Decimal(600),
            "limit_usd": Decimal(600),
        }
    )


@pytest.mark.parametrize("side", list(Side))
def test_an_exposure_above_the_limit_is_refused(side: Side) -> None:
    verdict = check(MaxExposure(max_usd=Decimal(600)), "100.01", side)

    assert isinstance(verdict, Rejection)
    assert verdict.code == "exposure_too_high"
    assert verdict.message == "the exposure of all accounts would be 600.01 USD, at most 600.00 USD are allowed"


def test_the_limit_may_be_a_share_of_the_equity_of_all_accounts() -> None:
    component = MaxExposure(max_percent_of_equity=HALF)

    assert isinstance(check(component, 500), Passed)
    assert isinstance(check(component, "500.01"), Rejection)


def test_the_scope_of_an_account_leaves_other_accounts_out() -> None:
    component = MaxExposure(max_usd=Decimal(400), scope="account")

    assert isinstance(check(component, 100), Passed)
    verdict = check(component, "100.01")
    assert isinstance(verdict, Rejection)
    assert verdict.message == "the exposure of here would be 400.01 USD, at most 400.00 USD are allowed"


def test_the_scope_of_an_account_takes_its_own_equity() -> None:
    component = MaxExposure(max_percent_of_equity=HALF, scope="account")

    assert isinstance(check(component, 200), Passed)
    assert isinstance(check(component, "200.01"), Rejection)


def test_an_account_that_the_portfolio_lacks_is_missing_data() -> None:
    with pytest.raises(MissingDataError, match="does not hold the account paper"):
        MaxExposure(max_usd=Decimal(1)).check(make_plan(), make_portfolio(make_account("other")))


@pytest.mark.parametrize(("usd", "percent"), [(None, None), (Decimal(1), HALF)], ids=["neither", "both"])
def test_exactly_one_limit_is_set(usd: Decimal | None, percent: Percent | None) -> None:
    with pytest.raises(ValueError, match="set exactly one of max_usd and max_percent_of_equity"):
        MaxExposure(max_usd=usd, max_percent_of_equity=percent)


def test_a_limit_of_zero_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        MaxExposure(max_usd=Decimal(0))
    with pytest.raises(ValueError, match="greater than 0"):
        MaxExposure(max_percent_of_equity=Percent(Decimal(0)))
