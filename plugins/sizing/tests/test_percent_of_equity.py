from __future__ import annotations

from decimal import Decimal

import pytest

from framework import MarketRules, Percent, Rejection, Side, Size
from framework.testing import Numeric, make_account, make_request, make_rules
from framework_sizing import PercentOfEquity


def size(
    component: PercentOfEquity, equity_usd: Numeric, *, rules: MarketRules | None = None, side: Side = Side.LONG
) -> Size | Rejection:
    return component.size(make_request(side, rules=rules, account=make_account(equity_usd=equity_usd)))


FIVE = PercentOfEquity(percent=Percent(Decimal(5)))


@pytest.mark.parametrize("side", list(Side))
def test_the_notional_is_a_share_of_the_equity(side: Side) -> None:
    answer = size(FIVE, 1000, side=side)

    assert isinstance(answer, Size)
    assert answer.quantity == Decimal("0.5")
    assert answer.numbers["equity_usd"] == 1000
    assert answer.numbers["percent"] == 5
    assert answer.numbers["position_usd"] == 50


def test_leverage_does_not_count() -> None:
    answer = FIVE.size(make_request(account=make_account(leverage=10)))

    assert isinstance(answer, Size)
    assert answer.quantity == Decimal("0.5")


def test_the_notional_is_rounded_down_to_the_cent() -> None:
    answer = size(FIVE, "999.99")

    assert isinstance(answer, Size)
    assert answer.numbers["position_usd"] == Decimal("49.99")
    assert answer.quantity == Decimal("0.499")


def test_the_setting_decides_the_share() -> None:
    answer = size(PercentOfEquity(percent=Percent(Decimal(10))), 1000)

    assert isinstance(answer, Size)
    assert answer.quantity == 1


def test_a_minimum_within_the_tolerance_is_taken_and_beyond_it_refused() -> None:
    whole = make_rules(step_size=1, min_quantity=1)
    tolerant = PercentOfEquity(percent=Percent(Decimal(5)), tolerance_percent=Percent(Decimal(100)))

    taken = size(tolerant, 1000, rules=whole)
    refused = size(FIVE, 1000, rules=whole)

    assert isinstance(taken, Size)
    assert taken.quantity == 1
    assert isinstance(refused, Rejection)
    assert refused.code == "quantity_below_minimum"
    assert refused.numbers["budget_usd"] == 50


@pytest.mark.parametrize("equity_usd", [0, -10, "0.19"])
def test_an_account_without_equity_is_refused(equity_usd: Numeric) -> None:
    answer = size(FIVE, equity_usd)

    assert isinstance(answer, Rejection)
    assert answer.code == "no_equity"
    assert answer.message == f"5 % of an equity of {equity_usd} USD is less than a cent"


@pytest.mark.parametrize(("percent", "tolerance"), [(0, 0), (-1, 0), (5, -1)])
def test_settings_that_make_no_sense_are_mistakes(percent: int, tolerance: int) -> None:
    with pytest.raises(ValueError, match="must"):
        PercentOfEquity(percent=Percent(Decimal(percent)), tolerance_percent=Percent(Decimal(tolerance)))
