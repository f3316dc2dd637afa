from __future__ import annotations

from decimal import Decimal

import pytest

from framework import EntryPlan, EntryStep, EntryTry, OrderType, Percent, Side, TimeInForce
from framework.testing import Numeric, make_entry_plan, make_quote, make_rules
from framework_execution import LimitThenMarket

TEN_SECONDS = LimitThenMarket(wait_seconds=10)
MARKET = EntryStep(OrderType.MARKET)


def limit_of(plan: EntryPlan, offset: Numeric = 0) -> EntryStep:
    return LimitThenMarket(wait_seconds=10, offset_percent=Percent(Decimal(offset))).first(plan)


def after(plan: EntryPlan, *filled: Numeric) -> EntryStep | None:
    """The step after a limit order, and perhaps a market order, that filled so much."""
    steps = (TEN_SECONDS.first(plan), MARKET)
    tries = tuple(EntryTry(step, plan.quantity, Decimal(part)) for step, part in zip(steps, filled, strict=False))
    return TEN_SECONDS.after(plan, tries)


@pytest.mark.parametrize(("side", "price"), [(Side.LONG, "99.99"), (Side.SHORT, "100.01")])
def test_without_an_offset_the_limit_joins_the_best_price(side: Side, price: str) -> None:
    assert limit_of(make_entry_plan(side)) == EntryStep(
        OrderType.LIMIT, Decimal(price), TimeInForce.GTC, cancel_after_ns=10_000_000_000
    )


@pytest.mark.parametrize(("side", "price"), [(Side.LONG, "98.99"), (Side.SHORT, "101.02")])
def test_an_offset_goes_to_the_passive_side_and_rounds_away_from_the_market(side: Side, price: str) -> None:
    assert limit_of(make_entry_plan(side), 1).price == Decimal(price)


def test_the_wait_is_the_setting() -> None:
    assert LimitThenMarket(wait_seconds=3).first(make_entry_plan()).cancel_after_ns == 3_000_000_000


def test_the_time_in_force_is_the_setting() -> None:
    step = LimitThenMarket(wait_seconds=3, time_in_force="post-only").first(make_entry_plan())

    assert step.time_in_force is TimeInForce.POST_ONLY


@pytest.mark.parametrize("side", list(Side))
def test_what_the_limit_did_not_fill_is_entered_at_the_market(side: Side) -> None:
    assert after(make_entry_plan(side), 0) == MARKET
    assert after(make_entry_plan(side), "0.5") == MARKET


def test_a_filled_limit_ends_the_entry() -> None:
    assert after(make_entry_plan(), 1) is None


def test_the_smallest_rest_that_the_market_takes_is_entered_and_a_smaller_one_left() -> None:
    plan = make_entry_plan(quantity=1, rules=make_rules(min_notional=5))

    assert after(plan, "0.950") == MARKET
    assert after(plan, "0.951") is None


def test_the_market_order_is_the_last_one() -> None:
    assert after(make_entry_plan(), 0, "0.5") is None


def test_a_quantity_too_small_at_the_limits_price_is_entered_at_the_market_at_once() -> None:
    plan = make_entry_plan(quantity="0.05", rules=make_rules(min_notional=5))

    assert plan.quantity * plan.quote.ask >= 5 > plan.quantity * plan.quote.bid
    assert limit_of(plan) == MARKET


def test_a_limit_below_the_markets_prices_is_replaced_by_a_market_order() -> None:
    plan = make_entry_plan(quote=make_quote("0.02", "0.03"), quantity=1000, rules=make_rules(min_price="0.02"))

    assert limit_of(plan).price == Decimal("0.02")
    assert limit_of(plan, 1) == MARKET


def test_a_limit_above_the_markets_prices_is_replaced_by_a_market_order() -> None:
    plan = make_entry_plan(Side.SHORT, rules=make_rules(max_price="100.01"))

    assert limit_of(plan).price == Decimal("100.01")
    assert limit_of(plan, 1) == MARKET


def test_a_limit_that_rounds_to_nothing_is_replaced_by_a_market_order() -> None:
    plan = make_entry_plan(quote=make_quote("0.01", "0.02"), quantity=1000, rules=make_rules(min_price=0))

    assert limit_of(plan, 1) == MARKET


@pytest.mark.parametrize(("wait", "offset"), [(0, 0), (10, -1), (10, 100)])
def test_settings_that_make_no_sense_are_mistakes(wait: int, offset: int) -> None:
    with pytest.raises(ValueError, match="must"):
        LimitThenMarket(wait_seconds=wait, offset_percent=Percent(Decimal(offset)))
