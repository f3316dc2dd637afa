from __future__ import annotations

from decimal import Decimal

import pytest

from framework import Ask, Guard, NoState, Percent, PriceSource, Side, SignalSettings
from framework.testing import NOW_NS, make_holding
from framework_protection import StopLoss

SIX = StopLoss(percent=Percent(Decimal(6)))


@pytest.mark.parametrize(
    ("side", "entry", "stop"),
    [(Side.LONG, "0.04458", "0.0419052"), (Side.SHORT, "0.2264", "0.239984"), (Side.SHORT, "0.11790", "0.124974")],
)
def test_the_stop_is_a_percentage_of_the_entry_price_away_and_unrounded(side: Side, entry: str, stop: str) -> None:
    guard = SIX.start(make_holding(side, entry_price=entry))

    assert guard == Guard(NoState(), Decimal(stop), Ask(), numbers={"stop_percent": Decimal(6)})


def test_the_setting_decides_the_distance() -> None:
    assert StopLoss(percent=Percent(Decimal(1))).start(make_holding(entry_price=100)).stop == 99


@pytest.mark.parametrize(("side", "price"), [(Side.LONG, 90), (Side.SHORT, 110)])
def test_a_fixed_price_is_the_stop(side: Side, price: int) -> None:
    guard = StopLoss(price=Decimal(price)).start(make_holding(side, entry_price=100))

    assert guard == Guard(NoState(), Decimal(price), Ask())


@pytest.mark.parametrize(
    ("side", "price", "where"),
    [(Side.LONG, 100, "below"), (Side.LONG, 110, "below"), (Side.SHORT, 100, "above"), (Side.SHORT, 90, "above")],
)
def test_a_fixed_price_on_the_winning_side_is_an_error(side: Side, price: int, where: str) -> None:
    message = f"the stop at {price} must be {where} the entry price of 100 for a {side.value} position"

    with pytest.raises(ValueError, match=message):
        StopLoss(price=Decimal(price)).start(make_holding(side, entry_price=100))


@pytest.mark.parametrize("component", [SIX, StopLoss(price=Decimal(99))], ids=["percent", "price"])
@pytest.mark.parametrize(("side", "stop"), [(Side.LONG, 97), (Side.SHORT, 103)])
def test_a_stop_of_the_signal_wins(component: StopLoss, side: Side, stop: int) -> None:
    settings = SignalSettings(stop_percent=Percent(Decimal(3)))

    assert component.start(make_holding(side, entry_price=100, settings=settings)).stop == stop


@pytest.mark.parametrize("percent", [0, -1, 100])
def test_a_stop_of_the_signal_that_makes_no_sense_is_an_error(percent: int) -> None:
    holding = make_holding(settings=SignalSettings(stop_percent=Percent(Decimal(percent))))

    with pytest.raises(ValueError, match=f"the signal's stop must be above 0 % and below 100 %, got {percent} %"):
        SIX.start(holding)


@pytest.mark.parametrize("trigger", PriceSource)
def test_the_stop_is_triggered_by_the_price_that_is_set(trigger: PriceSource) -> None:
    by_percent = StopLoss(percent=Percent(Decimal(6)), trigger=trigger)
    by_price = StopLoss(price=Decimal(90), trigger=trigger)

    assert by_percent.start(make_holding()).trigger_by is trigger
    assert by_price.start(make_holding()).trigger_by is trigger


def test_a_price_changes_nothing() -> None:
    holding = make_holding(entry_price=100)

    assert SIX.on_price(holding, NoState(), Decimal(150), NOW_NS) == SIX.start(holding)


@pytest.mark.parametrize(
    ("percent", "price"), [(None, None), (Percent(Decimal(6)), Decimal(90))], ids=["neither", "both"]
)
def test_exactly_one_of_percent_and_price_is_set(percent: Percent | None, price: Decimal | None) -> None:
    with pytest.raises(ValueError, match="set exactly one of percent, price and atr"):
        StopLoss(percent=percent, price=price)


@pytest.mark.parametrize("percent", [0, -6, 100])
def test_a_percentage_that_leaves_no_stop_is_a_mistake(percent: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        StopLoss(percent=Percent(Decimal(percent)))


def test_a_price_of_zero_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        StopLoss(price=Decimal(0))
