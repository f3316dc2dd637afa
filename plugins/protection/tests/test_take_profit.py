from __future__ import annotations

from decimal import Decimal

import pytest

from framework import Ask, Percent, Side, Target
from framework.testing import NOW_NS, make_holding
from framework_protection import TakeLevel, TakeProfit

D = Decimal


def level(percent: str, share: str) -> TakeLevel:
    return TakeLevel(Percent(D(percent)), D(share))


@pytest.mark.parametrize(("side", "prices"), [(Side.LONG, (102, 105)), (Side.SHORT, (98, 95))])
def test_the_levels_lie_beyond_the_entry_nearest_first_whatever_their_order(
    side: Side, prices: tuple[int, int]
) -> None:
    rule = TakeProfit((level("5", "0.25"), level("2", "0.5")))

    guard = rule.start(make_holding(side))

    assert guard.targets == (Target(D(prices[0]), D("0.5"), True), Target(D(prices[1]), D("0.25"), True))
    assert (guard.stop, guard.ask) == (None, Ask())


def test_a_price_changes_nothing() -> None:
    rule, holding = TakeProfit((level("2", "1"),)), make_holding()

    assert rule.on_price(holding, rule.start(holding).state, D(150), NOW_NS) == rule.start(holding)


def test_a_short_has_no_level_at_or_below_zero() -> None:
    rule = TakeProfit((level("2", "0.5"), level("100", "0.5")))

    assert len(rule.start(make_holding(Side.SHORT)).targets) == 1
    assert len(rule.start(make_holding(Side.LONG)).targets) == 2


def test_without_a_level_it_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one level"):
        TakeProfit(())


def test_more_than_all_is_a_mistake() -> None:
    with pytest.raises(ValueError, match=r"must not exceed 1, got 1\.1"):
        TakeProfit((level("1", "0.6"), level("2", "0.5")))


@pytest.mark.parametrize(("percent", "share"), [("0", "1"), ("-1", "1"), ("1", "0"), ("1", "-0.5"), ("1", "50")])
def test_levels_that_make_no_sense_are_mistakes(percent: str, share: str) -> None:
    with pytest.raises(ValueError, match=r"must|fraction"):
        level(percent, share)
