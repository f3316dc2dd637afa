from __future__ import annotations

from decimal import Decimal

import pytest

from framework import Ask, Percent, Side
from framework.testing import NOW_NS, make_holding, make_rules
from framework_protection import BreakEven

D = Decimal
TWO = BreakEven(after_percent=Percent(D(2)))
SIDES = pytest.mark.parametrize(("side", "level"), [(Side.LONG, D(102)), (Side.SHORT, D(98))])


@SIDES
def test_before_the_profit_it_has_no_stop_and_waits_for_it(side: Side, level: Decimal) -> None:
    guard = TWO.start(make_holding(side))

    assert guard.stop is None
    assert guard.ask == (Ask(above=level) if side is Side.LONG else Ask(below=level))


@SIDES
def test_at_the_profit_the_stop_goes_to_the_entry_price_while_no_fee_is_known(side: Side, level: Decimal) -> None:
    holding = make_holding(side)

    guard = TWO.on_price(holding, TWO.start(holding).state, level, NOW_NS)

    assert (guard.stop, guard.ask) == (D(100), Ask())


@pytest.mark.parametrize("side", Side)
def test_at_the_stop_the_fees_of_entry_and_exit_are_paid_and_nothing_is_left(side: Side) -> None:
    rate = D("0.0005")
    holding = make_holding(side, fee_rate=rate)

    guard = TWO.on_price(holding, TWO.start(holding).state, D(102) if side is Side.LONG else D(98), NOW_NS)

    assert guard.stop is not None
    left = (guard.stop - 100) * side.sign - rate * (100 + guard.stop)
    assert abs(left) < D("1e-20")


def test_a_fee_that_is_set_wins_over_the_one_of_the_entry() -> None:
    rule = BreakEven(after_percent=Percent(D(2)), fee_percent=Percent(D(0)))
    holding = make_holding(fee_rate=D("0.001"))

    assert rule.on_price(holding, rule.start(holding).state, D(102), NOW_NS).stop == 100


@pytest.mark.parametrize(("side", "level"), [(Side.LONG, "100.3"), (Side.SHORT, "99.7")])
def test_where_fees_eat_the_profit_it_waits_until_the_price_is_a_tick_beyond_the_stop(side: Side, level: str) -> None:
    rule = BreakEven(after_percent=Percent(D("0.1")), fee_percent=Percent(D("0.1")))

    guard = rule.start(make_holding(side, rules=make_rules(tick_size="0.1")))

    assert (guard.ask.above if side is Side.LONG else guard.ask.below) == D(level)


def test_once_set_it_stays_and_is_not_asked_again() -> None:
    holding = make_holding()
    raised = TWO.on_price(holding, TWO.start(holding).state, D(103), NOW_NS)

    assert TWO.on_price(holding, raised.state, D(90), NOW_NS) == raised


@pytest.mark.parametrize(("after", "fee"), [(0, 0), (-1, 0), (100, 0), (1, -1), (1, 100)])
def test_settings_that_make_no_sense_are_mistakes(after: int, fee: int) -> None:
    with pytest.raises(ValueError, match="must"):
        BreakEven(after_percent=Percent(D(after)), fee_percent=Percent(D(fee)))
