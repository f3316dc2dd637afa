from __future__ import annotations

from decimal import Decimal

import pytest

from framework import Ask, Guard, Holding, Percent, Side, SignalSettings
from framework.testing import NOW_NS, Numeric, make_holding
from framework_protection import TrailingStop


def percent(value: Numeric) -> Percent:
    return Percent(Decimal(value))


TRAILING = TrailingStop(distance_percent=percent("0.5"), activation_percent=percent(2))
AT_ONCE = TrailingStop(distance_percent=percent(10))


def walk(component: TrailingStop, holding: Holding, *prices: Numeric) -> Guard:
    """The answer after these prices, one after another."""
    guard = component.start(holding)
    for price in prices:
        guard = component.on_price(holding, guard.state, Decimal(price), NOW_NS)
    return guard


@pytest.mark.parametrize(("side", "ask"), [(Side.LONG, Ask(above=Decimal(102))), (Side.SHORT, Ask(below=Decimal(98)))])
def test_before_the_activation_it_has_no_stop_and_waits_for_the_activation_price(side: Side, ask: Ask) -> None:
    guard = TRAILING.start(make_holding(side))

    assert guard.stop is None
    assert guard.ask == ask
    assert not guard.state.activated


@pytest.mark.parametrize(("side", "price"), [(Side.LONG, "101.99"), (Side.SHORT, "98.01")])
def test_a_tick_before_the_activation_price_changes_nothing(side: Side, price: str) -> None:
    holding = make_holding(side)

    assert walk(TRAILING, holding, price) == TRAILING.start(holding)


@pytest.mark.parametrize(("side", "price", "stop"), [(Side.LONG, 102, "101.49"), (Side.SHORT, 98, "98.49")])
def test_the_activation_price_itself_arms_it(side: Side, price: int, stop: str) -> None:
    guard = walk(TRAILING, make_holding(side), price)

    assert guard.state.activated
    assert guard.stop == Decimal(stop)
    assert guard.numbers == {
        "best": Decimal(price),
        "activation_price": Decimal(price),
        "distance_percent": Decimal("0.5"),
    }


@pytest.mark.parametrize(("side", "prices", "stop"), [(Side.LONG, (110, 120), 108), (Side.SHORT, (90, 80), 88)])
def test_the_stop_follows_the_best_price(side: Side, prices: tuple[int, int], stop: int) -> None:
    guard = walk(AT_ONCE, make_holding(side), *prices)

    assert guard.stop == stop
    assert guard.numbers["best"] == prices[-1]


@pytest.mark.parametrize(("side", "prices"), [(Side.LONG, (120, 109)), (Side.SHORT, (80, 87))])
def test_the_stop_stays_when_the_price_comes_back(side: Side, prices: tuple[int, int]) -> None:
    holding = make_holding(side)

    assert walk(AT_ONCE, holding, *prices) == walk(AT_ONCE, holding, prices[0])


@pytest.mark.parametrize(("side", "stop"), [(Side.LONG, 90), (Side.SHORT, 110)])
def test_without_an_activation_it_is_armed_at_the_entry(side: Side, stop: int) -> None:
    guard = AT_ONCE.start(make_holding(side))

    assert guard.state.activated
    assert guard.stop == stop


@pytest.mark.parametrize(("side", "stop"), [(Side.LONG, 117), (Side.SHORT, 83)])
def test_the_distance_may_be_an_amount(side: Side, stop: int) -> None:
    best = 120 if side is Side.LONG else 80

    guard = walk(TrailingStop(distance_price=Decimal(3)), make_holding(side), best)

    assert guard.stop == stop
    assert guard.numbers["distance_price"] == 3


def test_an_amount_that_leaves_no_stop_is_an_error() -> None:
    with pytest.raises(ValueError, match="the trailing distance of 100 must be below the entry price of 100"):
        TrailingStop(distance_price=Decimal(100)).start(make_holding(entry_price=100))


def test_a_long_asks_for_the_price_at_which_its_stop_rounds_to_the_next_tick() -> None:
    guard = AT_ONCE.start(make_holding(Side.LONG))

    assert guard.stop == 90
    assert guard.ask.below is None
    assert guard.ask.above is not None
    assert guard.ask.above * 9 / 10 >= Decimal("90.005") > (guard.ask.above - Decimal("1e-20")) * 9 / 10


def test_a_short_asks_for_a_price_just_beyond_the_tie_that_would_round_back() -> None:
    guard = TrailingStop(distance_price=Decimal(10)).start(make_holding(Side.SHORT))

    assert guard.stop == 110
    assert guard.ask.above is None
    assert guard.ask.below is not None
    assert Decimal("99.995") - Decimal("1e-20") < guard.ask.below < Decimal("99.995")


def test_a_short_whose_stop_cannot_improve_any_more_asks_never_again() -> None:
    guard = walk(TrailingStop(distance_price=Decimal(10)), make_holding(Side.SHORT), "0.001")

    assert guard.stop == Decimal("10.001")
    assert guard.ask == Ask()


@pytest.mark.parametrize(("side", "short_of_it", "enough"), [(Side.LONG, "100.99", "101"), (Side.SHORT, "99.01", "99")])
def test_a_step_keeps_the_stop_until_it_improves_by_that_much(side: Side, short_of_it: str, enough: str) -> None:
    component = TrailingStop(distance_percent=percent(10), step_percent=percent(1))
    holding = make_holding(side)

    assert walk(component, holding, short_of_it).stop == component.start(holding).stop
    assert (
        walk(component, holding, enough).stop
        == AT_ONCE.on_price(holding, AT_ONCE.start(holding).state, Decimal(enough), NOW_NS).stop
    )


@pytest.mark.parametrize(("side", "activation"), [(Side.LONG, 105), (Side.SHORT, 95)])
def test_settings_of_the_signal_win(side: Side, activation: int) -> None:
    settings = SignalSettings(trailing_activation_percent=percent(5), trailing_distance_percent=percent(20))

    guard = walk(TRAILING, make_holding(side, settings=settings), activation)

    assert guard.stop == activation - side.sign * activation * Decimal("0.2")
    assert guard.numbers["activation_price"] == activation
    assert guard.numbers["distance_percent"] == 20


def test_a_distance_of_the_signal_wins_over_an_amount() -> None:
    settings = SignalSettings(trailing_distance_percent=percent(20))

    assert TrailingStop(distance_price=Decimal(3)).start(make_holding(settings=settings)).stop == 80


@pytest.mark.parametrize("distance", [0, 100])
def test_a_distance_of_the_signal_that_makes_no_sense_is_an_error(distance: int) -> None:
    settings = SignalSettings(trailing_distance_percent=percent(distance))

    with pytest.raises(ValueError, match="the signal's trailing distance must be above 0 % and below 100 %"):
        TRAILING.start(make_holding(settings=settings))


def test_an_activation_of_zero_of_the_signal_arms_it_at_the_entry() -> None:
    settings = SignalSettings(trailing_activation_percent=percent(0))

    assert TRAILING.start(make_holding(settings=settings)).stop == Decimal("99.5")


@pytest.mark.parametrize("activation", [-1, 100])
def test_an_activation_of_the_signal_that_makes_no_sense_is_an_error(activation: int) -> None:
    settings = SignalSettings(trailing_activation_percent=percent(activation))

    with pytest.raises(ValueError, match="the signal's trailing activation must be 0 % or more and below 100 %"):
        TRAILING.start(make_holding(settings=settings))


@pytest.mark.parametrize(("share", "amount"), [(None, None), (percent(1), Decimal(1))], ids=["neither", "both"])
def test_exactly_one_distance_is_set(share: Percent | None, amount: Decimal | None) -> None:
    with pytest.raises(ValueError, match="set exactly one of distance_percent, distance_price and distance_atr"):
        TrailingStop(distance_percent=share, distance_price=amount)


@pytest.mark.parametrize(
    ("distance", "activation", "step"), [(0, 2, 0), (100, 2, 0), (1, -1, 0), (1, 100, 0), (1, 2, -1), (1, 2, 100)]
)
def test_settings_that_make_no_sense_are_mistakes(distance: int, activation: int, step: int) -> None:
    with pytest.raises(ValueError, match="must"):
        TrailingStop(
            distance_percent=percent(distance), activation_percent=percent(activation), step_percent=percent(step)
        )


def test_an_amount_of_zero_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        TrailingStop(distance_price=Decimal(0))
