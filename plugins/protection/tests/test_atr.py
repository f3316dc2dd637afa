"""The distance that follows from the average true range: what it is, over what it is reckoned, when there is none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args, get_type_hints

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import (
    INTERVALS_S,
    Candle,
    Guard,
    MissingDataError,
    Need,
    NoState,
    Percent,
    PriceSource,
    Protection,
    Side,
    SignalSettings,
)
from framework.testing import NOW_NS, make_candles, make_holding, make_signal, make_snapshot
from framework_protection import Atr, StopLoss, TrailingStop
from framework_protection.atr import MOST_CANDLES, average_true_range

D = Decimal
PLAIN = Atr(D(2), periods=2, interval="1h", candles=3)
KEY = "atr_2_of_3_1h"
LAW = settings(deadline=None, max_examples=100)


def candle(index: int, opened: str, high: str, low: str, close: str) -> Candle:
    """A candle of a minute."""
    start = NOW_NS + index * 60_000_000_000
    return Candle(start, start + 60_000_000_000, D(opened), D(high), D(low), D(close), D(0))


def hours(*rows: str) -> tuple[Candle, ...]:
    """Hourly candles that end now, each written as open, high, low, close."""
    closed = make_candles("1h", len(rows))
    prices = [[D(price) for price in row.split()] for row in rows]
    return tuple(
        evolve(one, open=opened, high=high, low=low, close=close)
        for one, (opened, high, low, close) in zip(closed, prices, strict=True)
    )


# True ranges: 4 (its own), then 9 (from the close before up to the high: a gap).
GAPPED = hours("100 101 99 100", "100 103 99 101", "108 110 107 109")


def measured(component: StopLoss | TrailingStop, candles: tuple[Candle, ...] = GAPPED) -> dict[str, Decimal]:
    market = make_snapshot(needs=component.needs, candles={"1h": candles})
    return component.measure(make_signal(), market)


def test_a_true_range_reaches_to_the_close_before_where_that_lies_outside_of_the_candle() -> None:
    assert average_true_range(GAPPED[:2], 1) == 4
    assert average_true_range(GAPPED[1:], 1) == 9
    assert average_true_range(hours("100 101 99 100", "90 91 88 89"), 1) == 12


def test_the_first_average_is_the_plain_mean() -> None:
    assert average_true_range(GAPPED, 2) == D("6.5")


def test_each_further_average_takes_one_part_of_the_new_true_range() -> None:
    candles = (*GAPPED, *hours("109 110 108 109"))

    assert average_true_range(candles, 2) == D("4.25")  # (6.5 · 1 + 2) / 2


def test_it_is_rounded_once_to_twelve_digits() -> None:
    candles = hours("100 100 100 100", "100 101 100 100", "100 100 100 100", "100 100 100 100")

    assert average_true_range(candles, 3) == D("0.333333333333")


PRICES = st.integers(1, 10**6)


@LAW
@given(st.lists(st.tuples(PRICES, PRICES, PRICES, PRICES), min_size=5, max_size=40), st.integers(1, 4))
def test_it_lies_between_the_smallest_and_the_largest_true_range(
    rows: list[tuple[int, int, int, int]], periods: int
) -> None:
    candles = [
        candle(index, *(str(price) for price in (one, max(row), min(row), other)))
        for index, row in enumerate(rows)
        for one, other in [row[:2]]
    ]
    ranges = [average_true_range(candles[at : at + 2], 1) for at in range(len(candles) - 1)]

    found = average_true_range(candles, periods)

    slack = D("1e-5")
    assert min(ranges) - slack <= found <= max(ranges) + slack


@LAW
@given(st.integers(2, 166))
def test_over_the_default_number_of_candles_the_first_mean_counts_for_less_than_a_hundredth(periods: int) -> None:
    (need,) = Atr(D(1), periods=periods).needs

    smoothed = need.count - 1 - periods

    assert (1 - 1 / periods) ** smoothed < 0.01


def test_the_candles_that_it_is_reckoned_over_are_what_it_needs() -> None:
    assert StopLoss(atr=PLAIN).needs == {Need.candles("1h", 3)}
    assert StopLoss(atr=Atr(D(1))).needs == {Need.candles("15m", 85)}
    assert TrailingStop(distance_atr=Atr(D(1), periods=200, interval="1d")).needs == {Need.candles("1d", MOST_CANDLES)}


def test_without_it_nothing_is_needed_and_nothing_measured() -> None:
    for component in (StopLoss(percent=Percent(D(6))), TrailingStop(distance_price=D(1))):
        assert component.needs == frozenset()
        assert component.measure(make_signal(), make_snapshot()) == {}


@pytest.mark.parametrize(("side", "stop"), [(Side.LONG, 87), (Side.SHORT, 113)])
def test_the_stop_is_that_multiple_away_from_the_entry_price(side: Side, stop: int) -> None:
    component = StopLoss(atr=PLAIN, trigger=PriceSource.MARK)

    guard = component.start(make_holding(side, entry_price=100, measured=measured(component)))

    numbers = {"atr": D("6.5"), "atr_multiple": D(2)}
    assert guard == Guard(NoState(), D(stop), numbers=numbers, trigger_by=PriceSource.MARK)
    assert component.on_price(make_holding(side, measured={KEY: D("6.5")}), NoState(), D(50), NOW_NS) == guard


@pytest.mark.parametrize(("side", "best", "stop"), [(Side.LONG, 120, 107), (Side.SHORT, 80, 93)])
def test_a_trailing_stop_follows_at_that_distance(side: Side, best: int, stop: int) -> None:
    component = TrailingStop(distance_atr=PLAIN)
    holding = make_holding(side, entry_price=100, measured=measured(component))
    first = component.start(holding)

    guard = component.on_price(holding, first.state, D(best), NOW_NS)

    assert first.stop == D(100) - side.sign * 13
    assert guard.stop == stop
    assert guard.numbers["distance_price"] == 13


def test_a_stop_of_the_signal_wins_and_asks_for_no_candles() -> None:
    component = StopLoss(atr=PLAIN)
    carried = SignalSettings(stop_percent=Percent(D(3)))

    assert component.measure(make_signal(settings=carried), make_snapshot(needs=component.needs)) == {}
    assert component.start(make_holding(entry_price=100, settings=carried)).stop == 97


def test_a_trailing_distance_of_the_signal_wins_and_asks_for_no_candles() -> None:
    component = TrailingStop(distance_atr=PLAIN)
    carried = SignalSettings(trailing_distance_percent=Percent(D(3)))

    assert component.measure(make_signal(settings=carried), make_snapshot(needs=component.needs)) == {}
    assert component.start(make_holding(entry_price=100, settings=carried)).stop == 97


def test_two_protections_that_measure_the_same_find_the_same_number_under_one_name() -> None:
    assert measured(StopLoss(atr=PLAIN)) == measured(TrailingStop(distance_atr=evolve(PLAIN, multiple=D(9)))) != {}


@pytest.mark.parametrize("component", [StopLoss(atr=PLAIN), TrailingStop(distance_atr=PLAIN)], ids=lambda c: c.name)
def test_too_few_candles_are_missing_data(component: StopLoss | TrailingStop) -> None:
    with pytest.raises(MissingDataError, match="3 candles of 1h"):
        measured(component, GAPPED[1:])


@pytest.mark.parametrize("component", [StopLoss(atr=PLAIN), TrailingStop(distance_atr=PLAIN)], ids=lambda c: c.name)
def test_a_position_for_which_nothing_was_measured_gets_no_stop_that_is_made_up(component: Protection) -> None:
    with pytest.raises(ValueError, match=rf"no average true range \({KEY}\) was measured"):
        component.start(make_holding())


@pytest.mark.parametrize("component", [StopLoss(atr=PLAIN), TrailingStop(distance_atr=PLAIN)], ids=lambda c: c.name)
def test_a_distance_that_leaves_no_price_is_an_error(component: Protection) -> None:
    with pytest.raises(ValueError, match="distance of 100 must be below the entry price of 100"):
        component.start(make_holding(entry_price=100, measured={KEY: D(50)}))


@pytest.mark.parametrize(
    ("given_settings", "told"),
    [
        ({"multiple": D(0)}, "greater than 0"),
        ({"multiple": D(1), "periods": 0}, "greater than 0"),
        ({"multiple": D(1), "periods": 999}, "must be below 999"),
        ({"multiple": D(1), "candles": 14}, r"must be above periods \(14\)"),
        ({"multiple": D(1), "candles": 1000}, "at most 999"),
    ],
)
def test_settings_that_make_no_sense_are_mistakes(given_settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Atr(**given_settings)


def test_every_candle_interval_can_be_chosen() -> None:
    assert get_args(get_type_hints(Atr)["interval"]) == tuple(INTERVALS_S)
