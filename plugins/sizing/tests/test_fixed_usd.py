from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import MarketRules, Percent, Rejection, Side, Size, fit_quantity, is_multiple
from framework.testing import Numeric, make_request, make_rules
from framework_sizing import FixedUsd

TEN = Percent(Decimal(10))
AVAXUSDT = make_rules("AVAXUSDT", tick_size="0.001", step_size=1, min_quantity=1, min_notional=5)


def size(
    position_usd: Numeric,
    price: Numeric,
    rules: MarketRules,
    *,
    tolerance: Percent = TEN,
    side: Side = Side.LONG,
) -> Size | Rejection:
    component = FixedUsd(position_usd=Decimal(position_usd), tolerance_percent=tolerance)
    return component.size(make_request(side, price=price, rules=rules))


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(
    ("price", "step", "quantity"),
    [("0.04458", 1, "134"), ("0.2264", 1, "26"), ("3.543", "0.1", "1.6"), ("0.001623", 100, "3600")],
)
def test_the_quantity_is_the_notional_over_the_price_rounded_down_to_the_step(
    side: Side, price: str, step: Numeric, quantity: str
) -> None:
    answer = size(6, price, make_rules(step_size=step, min_quantity=step), side=side)

    assert isinstance(answer, Size)
    assert str(answer.quantity) == quantity


def test_the_arithmetic_is_kept() -> None:
    answer = size(6, "0.04458", make_rules(step_size=1, min_quantity=1))

    assert isinstance(answer, Size)
    assert answer.numbers == {
        "wanted": Decimal("134.589"),
        "quantity": Decimal(134),
        "notional_usd": Decimal("5.97372"),
        "position_usd": Decimal(6),
        "budget_usd": Decimal("6.60"),
        "price": Decimal("0.04458"),
        "minimum": Decimal(113),
        "required_usd": Decimal("5.04"),
        "min_notional": Decimal(5),
        "step_size": Decimal(1),
    }


def test_a_market_whose_minimum_is_beyond_the_budget_is_refused_with_the_whole_arithmetic() -> None:
    answer = size(6, "18.190", AVAXUSDT, side=Side.SHORT)

    assert isinstance(answer, Rejection)
    assert answer.code == "quantity_below_minimum"
    assert answer.message == (
        "quantity below minimum: 6 USD buy 0.329, the minimum is 1, which costs 18.19 USD; the budget is 6.60 USD"
    )
    assert {name: str(number) for name, number in answer.numbers.items()} == {
        "quantity": "0.329",
        "minimum": "1",
        "required_usd": "18.19",
        "budget_usd": "6.60",
        "price": "18.190",
        "position_usd": "6",
        "min_notional": "5",
        "step_size": "1",
    }


def test_a_minimum_within_the_tolerance_is_taken() -> None:
    answer = size(6, "6.60", AVAXUSDT)

    assert isinstance(answer, Size)
    assert answer.quantity == 1


def test_a_cent_beyond_the_tolerance_is_refused() -> None:
    assert isinstance(size(6, "6.601", AVAXUSDT), Rejection)


def test_without_a_tolerance_nothing_more_than_the_position_is_spent() -> None:
    none = FixedUsd(position_usd=Decimal(6)).tolerance_percent

    assert isinstance(size(6, "6.01", AVAXUSDT, tolerance=none), Rejection)
    assert isinstance(size(6, "6.00", AVAXUSDT, tolerance=none), Size)


def test_the_budget_is_rounded_down_to_the_cent() -> None:
    answer = size("6.05", "6.66", AVAXUSDT)

    assert isinstance(answer, Rejection)
    assert answer.numbers["budget_usd"] == Decimal("6.65")


def test_rounding_to_cents_never_refuses_what_the_position_itself_pays_for() -> None:
    answer = size("5.001", "5.001", AVAXUSDT, tolerance=Percent(Decimal(0)))

    assert isinstance(answer, Size)
    assert answer.quantity == 1


def test_the_minimum_notional_counts_as_well_as_the_minimum_quantity() -> None:
    answer = size("19.99", 100, make_rules(step_size="0.1", min_quantity="0.1", min_notional=20))

    assert isinstance(answer, Size)
    assert answer.quantity == Decimal("0.2")


def test_more_than_the_largest_market_order_is_refused() -> None:
    rules = make_rules(max_quantity=50)

    exact = size(5000, 100, rules)
    above = size("5000.1", 100, rules)

    assert isinstance(exact, Size)
    assert isinstance(above, Rejection)
    assert above.code == "quantity_above_maximum"
    assert above.message == "quantity above maximum: 5000.1 USD buy 50.001, the largest market order is 50"


def test_the_setting_decides_the_notional() -> None:
    answer = size(20, "18.190", AVAXUSDT)

    assert isinstance(answer, Size)
    assert answer.quantity == 1


@pytest.mark.parametrize(("position_usd", "tolerance"), [(0, 10), (-6, 10), (6, -1)])
def test_settings_that_make_no_sense_are_mistakes(position_usd: int, tolerance: int) -> None:
    with pytest.raises(ValueError, match="must"):
        FixedUsd(position_usd=Decimal(position_usd), tolerance_percent=Percent(Decimal(tolerance)))


@settings(deadline=None, max_examples=200)
@given(
    position=st.decimals("0.01", "100000", places=2),
    price=st.decimals("0.000001", "100000", places=6).filter(lambda price: price > 0),
    step=st.sampled_from(["0.001", "0.1", "1", "100"]),
    min_notional=st.sampled_from([0, 5, 100]),
    tolerance=st.integers(0, 50),
)
def test_a_size_satisfies_the_market_and_never_costs_more_than_the_budget(
    position: Decimal, price: Decimal, step: str, min_notional: int, tolerance: int
) -> None:
    rules = make_rules(step_size=step, min_quantity=step, min_notional=min_notional, max_quantity="1e12")

    answer = size(position, price, rules, tolerance=Percent(Decimal(tolerance)))

    if isinstance(answer, Size):
        assert isinstance(fit_quantity(rules, price, answer.quantity), Size)
        assert is_multiple(answer.quantity, rules.step_size)
        assert answer.quantity * price <= position + position * tolerance / 100
    else:
        assert answer.code == "quantity_below_minimum"
