from __future__ import annotations

import pytest

from framework import Account, MissingDataError, Passed, Rejection, Side, Verdict
from framework.testing import make_account, make_open_position, make_plan, make_portfolio
from framework_risk import MaxOpenPositions


def account(name: str, positions: int) -> Account:
    return make_account(name, open=[make_open_position(f"COIN{n}USDT", account=name) for n in range(positions)])


def check(component: MaxOpenPositions, binance: int, bybit: int, side: Side = Side.LONG) -> Verdict:
    portfolio = make_portfolio(account("binance", binance), account("bybit", bybit))
    return component.check(make_plan(side, account="binance"), portfolio)


@pytest.mark.parametrize("side", list(Side))
def test_a_place_that_is_left_in_all_passes(side: Side) -> None:
    verdict = check(MaxOpenPositions(total=5), 2, 2, side)

    assert verdict == Passed({"open": 4, "open_on_account": 2})


@pytest.mark.parametrize("side", list(Side))
def test_no_place_left_in_all_is_refused(side: Side) -> None:
    verdict = check(MaxOpenPositions(total=4), 2, 2, side)

    assert isinstance(verdict, Rejection)
    assert verdict.code == "too_many_positions"
    assert verdict.message == "4 positions are open, at most 4 may be"
    assert verdict.numbers == {"open": 4, "open_on_account": 2, "total": 4}


def test_no_place_left_on_the_account_is_refused() -> None:
    verdict = check(MaxOpenPositions(per_account=2), 2, 0)

    assert isinstance(verdict, Rejection)
    assert verdict.code == "too_many_positions_on_account"
    assert verdict.message == "2 positions are open on binance, at most 2 may be"
    assert verdict.numbers == {"open": 2, "open_on_account": 2, "per_account": 2}


def test_positions_of_other_accounts_take_no_place_on_the_account() -> None:
    assert isinstance(check(MaxOpenPositions(per_account=2), 1, 9), Passed)


def test_both_limits_hold_together() -> None:
    both = MaxOpenPositions(total=10, per_account=2)

    assert isinstance(check(both, 1, 8), Passed)
    assert isinstance(check(both, 2, 0), Rejection)
    assert isinstance(check(both, 1, 9), Rejection)


def test_an_account_that_the_portfolio_lacks_is_missing_data() -> None:
    with pytest.raises(MissingDataError, match="does not hold the account paper"):
        MaxOpenPositions(total=1).check(make_plan(account="paper"), make_portfolio(account("bybit", 0)))


def test_without_a_limit_the_rule_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="set total, per_account, or both"):
        MaxOpenPositions()


@pytest.mark.parametrize(("total", "per_account"), [(0, 1), (1, 0)])
def test_a_limit_of_zero_is_a_mistake(total: int, per_account: int) -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        MaxOpenPositions(total=total, per_account=per_account)
