from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import MarketRules, Percent, Rejection, Side, Size
from framework.testing import Numeric, make_account, make_request, make_rules
from framework_sizing import FixedRisk

TEN_USD = FixedRisk(risk_usd=Decimal(10))
WHOLE = make_rules(step_size=1, min_quantity=1)


def size(
    component: FixedRisk,
    stop_price: Numeric,
    *,
    side: Side = Side.LONG,
    equity_usd: Numeric = 1000,
    rules: MarketRules | None = None,
) -> Size | Rejection:
    account = make_account(equity_usd=equity_usd)
    return component.size(make_request(side, price=100, stop_price=stop_price, rules=rules, account=account))


def quantity(answer: Size | Rejection) -> Decimal:
    assert isinstance(answer, Size)
    return answer.quantity


@pytest.mark.parametrize(("side", "stop_price"), [(Side.LONG, 95), (Side.SHORT, 105)])
def test_the_quantity_is_the_risk_over_the_distance_to_the_stop(side: Side, stop_price: int) -> None:
    answer = size(TEN_USD, stop_price, side=side)

    assert isinstance(answer, Size)
    assert answer.quantity == 2
    assert answer.numbers["risk_usd"] == 10
    assert answer.numbers["distance"] == 5
    assert answer.numbers["position_usd"] == 200


def test_the_quantity_is_rounded_down_to_the_step() -> None:
    fine = make_rules(step_size="0.000001", min_quantity="0.000001")

    assert quantity(size(TEN_USD, 97, rules=fine)) == Decimal("3.333333")


def test_a_nearer_stop_makes_a_larger_position() -> None:
    assert quantity(size(TEN_USD, 99)) == 10


def test_the_risk_may_be_a_share_of_the_equity() -> None:
    component = FixedRisk(risk_percent=Percent(Decimal(1)))

    assert quantity(size(component, 95, equity_usd=1000)) == 2
    assert quantity(size(component, 95, equity_usd=500)) == 1


def test_the_largest_notional_cuts_the_quantity() -> None:
    component = FixedRisk(risk_usd=Decimal(10), max_notional_usd=Decimal(50))

    answer = size(component, 95)

    assert isinstance(answer, Size)
    assert answer.quantity == Decimal("0.5")
    assert answer.numbers["position_usd"] == 50


def test_the_largest_notional_leaves_smaller_positions_alone() -> None:
    assert quantity(size(FixedRisk(risk_usd=Decimal(10), max_notional_usd=Decimal(200)), 95)) == 2


def test_a_minimum_that_risks_no_more_than_the_tolerance_is_taken() -> None:
    tolerant = FixedRisk(risk_usd=Decimal(8), tolerance_percent=Percent(Decimal(25)))

    assert quantity(size(tolerant, 90, rules=WHOLE)) == 1


def test_a_minimum_that_risks_more_is_refused() -> None:
    answer = size(FixedRisk(risk_usd=Decimal(8), tolerance_percent=Percent(Decimal(24))), 90, rules=WHOLE)

    assert isinstance(answer, Rejection)
    assert answer.code == "quantity_below_minimum"
    assert answer.message == (
        "quantity below minimum: 80 USD buy 0.800, the minimum is 1, which costs 100.00 USD; the budget is 99.20 USD"
    )


def test_the_tolerance_never_exceeds_the_largest_notional() -> None:
    component = FixedRisk(
        risk_usd=Decimal(8), max_notional_usd=Decimal("99.99"), tolerance_percent=Percent(Decimal(25))
    )

    assert isinstance(size(component, 90, rules=WHOLE), Rejection)


def test_a_stop_at_the_price_is_refused() -> None:
    answer = size(TEN_USD, 100)

    assert isinstance(answer, Rejection)
    assert answer.code == "no_distance"


@pytest.mark.parametrize("equity_usd", [0, -10])
def test_a_share_of_no_equity_is_refused(equity_usd: int) -> None:
    answer = size(FixedRisk(risk_percent=Percent(Decimal(1))), 95, equity_usd=equity_usd)

    assert isinstance(answer, Rejection)
    assert answer.code == "no_equity"


@pytest.mark.parametrize(
    ("risk_usd", "risk_percent"), [(None, None), (Decimal(10), Percent(Decimal(1)))], ids=["neither", "both"]
)
def test_exactly_one_way_to_state_the_risk_is_set(risk_usd: Decimal | None, risk_percent: Percent | None) -> None:
    with pytest.raises(ValueError, match="set exactly one of risk_usd and risk_percent"):
        FixedRisk(risk_usd=risk_usd, risk_percent=risk_percent)


@pytest.mark.parametrize(("risk_usd", "max_notional_usd", "tolerance"), [(0, 50, 0), (10, 0, 0), (10, 50, -1)])
def test_settings_that_make_no_sense_are_mistakes(risk_usd: int, max_notional_usd: int, tolerance: int) -> None:
    with pytest.raises(ValueError, match="must"):
        FixedRisk(
            risk_usd=Decimal(risk_usd),
            max_notional_usd=Decimal(max_notional_usd),
            tolerance_percent=Percent(Decimal(tolerance)),
        )


@settings(deadline=None, max_examples=200)
@given(
    risk=st.decimals("0.01", "1000", places=2),
    percent=st.decimals("0.1", "50", places=1),
    side=st.sampled_from(Side),
)
def test_the_stop_never_loses_more_than_the_risk(risk: Decimal, percent: Decimal, side: Side) -> None:
    stop = 100 - side.sign * percent

    answer = size(FixedRisk(risk_usd=risk), stop, side=side, rules=make_rules(max_quantity="1e9"))

    if isinstance(answer, Size):
        assert answer.quantity * percent <= risk
