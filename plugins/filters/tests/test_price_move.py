from __future__ import annotations

from decimal import Decimal
from typing import Literal

import pytest

from framework import Candle, MissingDataError, Need, Passed, Percent, Rejection, Side, Verdict
from framework.testing import Numeric, make_candles, make_signal, make_snapshot
from framework_filters import PriceMove

FOUR = Percent(Decimal(4))


def check(side: Side, to: Numeric, component: PriceMove | None = None, minutes: int = 5) -> Verdict:
    return check_candles(side, make_candles("1m", minutes, last_close=to), component)


def check_candles(side: Side, candles: tuple[Candle, ...], component: PriceMove | None = None) -> Verdict:
    component = component or PriceMove(max_percent=FOUR)
    return component.check(make_signal(side=side), make_snapshot(needs=component.needs, candles={"1m": candles}))


@pytest.mark.parametrize(("side", "to"), [(Side.LONG, "104.01"), (Side.SHORT, "95.99")])
def test_an_entry_after_a_move_in_its_direction_is_refused(side: Side, to: str) -> None:
    verdict = check(side, to)

    assert isinstance(verdict, Rejection)
    assert verdict.code == "price_move_5m"
    assert verdict.message == "the price moved 4.010 % within 5m in the signal's direction, more than 4 %"


@pytest.mark.parametrize(("side", "to"), [(Side.LONG, 104), (Side.SHORT, 96)])
def test_the_largest_allowed_move_passes(side: Side, to: int) -> None:
    verdict = check(side, to)

    assert isinstance(verdict, Passed)
    assert verdict.numbers["move_percent"] == 4


@pytest.mark.parametrize(("side", "to"), [(Side.LONG, 50), (Side.SHORT, 150)])
def test_a_move_against_the_signal_passes(side: Side, to: int) -> None:
    verdict = check(side, to)

    assert isinstance(verdict, Passed)
    assert verdict.numbers["move_percent"] == -50


def test_the_setting_decides_how_large_a_move_may_be() -> None:
    assert isinstance(check(Side.LONG, 105, PriceMove(max_percent=Percent(Decimal(5)))), Passed)


def test_moves_before_the_window_do_not_count() -> None:
    earlier = make_candles("1m", 10, first_open=50, last_close=150)[:5]
    candles = earlier + make_candles("1m", 5, first_open=100, last_close=101)

    assert isinstance(check_candles(Side.LONG, candles), Passed)


@pytest.mark.parametrize(("window", "minutes"), [("1m", 1), ("3m", 3), ("15m", 15), ("30m", 30), ("1h", 60)])
def test_the_window_decides_over_which_time_the_move_is_measured(
    window: Literal["1m", "3m", "15m", "30m", "1h"], minutes: int
) -> None:
    component = PriceMove(max_percent=FOUR, window=window)

    assert component.needs == {Need.candles("1m", minutes)}
    verdict = check(Side.LONG, 105, component, minutes)
    assert isinstance(verdict, Rejection)
    assert verdict.code == f"price_move_{window}"


def test_a_candle_that_is_absent_is_missing_data() -> None:
    with pytest.raises(MissingDataError, match="paper has 4"):
        check(Side.LONG, 100, minutes=4)


def test_a_gap_between_the_candles_is_missing_data() -> None:
    six = make_candles("1m", 6)

    with pytest.raises(MissingDataError, match="there is a gap"):
        check_candles(Side.LONG, six[:2] + six[3:])


def test_a_limit_of_zero_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        PriceMove(max_percent=Percent(Decimal(0)))
