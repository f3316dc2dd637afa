"""A trailing stop that may not be moved at every price: what waits, what does not, and what happens meanwhile."""

from __future__ import annotations

from decimal import Decimal

import pytest

from framework import Guard, Percent, PriceSource, Side
from framework.testing import NOW_NS, Numeric, make_holding
from framework_protection import TrailingStop

D = Decimal
SECOND_NS = 1_000_000_000
PACED = TrailingStop(distance_price=D(10), min_interval_s=60)
URGENT = TrailingStop(distance_price=D(10), min_interval_s=60, urgent_percent=Percent(D(5)))
SIDES = pytest.mark.parametrize("side", Side)


def walk(rule: TrailingStop, side: Side, *steps: tuple[int, Numeric]) -> Guard:
    """The answer after these seconds and moves in favour of a position at 100."""
    holding = make_holding(side)
    guard = rule.start(holding)
    for seconds, move in steps:
        price = 100 + side.sign * D(move)
        guard = rule.on_price(holding, guard.state, price, NOW_NS + seconds * SECOND_NS)
    return guard


def gained(guard: Guard, side: Side) -> Decimal:
    """How far the stop is from the one at the entry."""
    assert guard.stop is not None
    return (guard.stop - 100) * side.sign + 10


@SIDES
def test_a_move_within_the_interval_waits_and_asks_for_its_end_and_its_own_price(side: Side) -> None:
    guard = walk(PACED, side, (59, 3))

    assert gained(guard, side) == 0
    assert guard.ask.at_ns == NOW_NS + 60 * SECOND_NS
    assert (guard.ask.below if side is Side.LONG else guard.ask.above) == 100 - side.sign * 7


@SIDES
def test_at_the_end_of_the_interval_the_best_of_what_waited_is_placed(side: Side) -> None:
    assert gained(walk(PACED, side, (10, 3), (20, 5), (30, 2), (60, 1)), side) == 5


@SIDES
def test_after_the_interval_a_move_does_not_wait_and_begins_a_new_one(side: Side) -> None:
    guard = walk(PACED, side, (70, 3), (80, 4))

    assert gained(guard, side) == 3
    assert guard.ask.at_ns == NOW_NS + 130 * SECOND_NS


@pytest.mark.parametrize(("side", "move"), [(Side.LONG, "4.5"), (Side.SHORT, "5.5")])
def test_a_move_that_is_urgent_does_not_wait(side: Side, move: str) -> None:
    # Five percent of the stop's own price: 4.5 of 90, 5.5 of 110.
    assert gained(walk(URGENT, side, (1, move)), side) == D(move)
    assert gained(walk(URGENT, side, (1, D(move) - D("0.01"))), side) == 0


@SIDES
def test_a_price_that_meets_the_waiting_stop_closes_at_once(side: Side) -> None:
    assert walk(PACED, side, (10, 8), (20, "-1.99")).close is None
    assert walk(PACED, side, (10, 8), (20, -2)).close == "trailing_stop_reached"


@pytest.mark.parametrize("interval_s", [0, 60])
def test_the_stop_is_triggered_by_the_price_that_is_set(interval_s: int) -> None:
    rule = TrailingStop(distance_price=D(10), min_interval_s=interval_s, trigger=PriceSource.MARK)

    assert walk(rule, Side.LONG, (1, 5)).trigger_by is PriceSource.MARK


def test_improvements_are_counted_in_ticks_where_that_is_set() -> None:
    rule = TrailingStop(distance_price=D(10), min_improvement_ticks=5)

    assert gained(walk(rule, Side.LONG, (1, "0.0449")), Side.LONG) == 0
    assert gained(walk(rule, Side.LONG, (1, "0.045")), Side.LONG) == D("0.045")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"urgent_percent": Percent(D(1))}, "set that too, or neither"),
        ({"min_interval_s": -1}, "must not be negative"),
        ({"min_improvement_ticks": 0}, "must be greater than 0"),
        ({"min_interval_s": 1, "urgent_percent": Percent(D(0))}, "must be greater than 0"),
    ],
)
def test_settings_that_make_no_sense_are_mistakes(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrailingStop(distance_price=D(10), **settings)  # type: ignore[arg-type]
