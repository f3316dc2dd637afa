"""Laws of all protections together, over random rules and prices, and against the definitions written down anew."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

from attrs import evolve
from hypothesis import HealthCheck, assume, given, settings

from framework import Side
from framework.core.protection import Holding
from framework.testing import Walk, make_rules
from framework.testing.walking_inputs import components, history_of, measured_before
from framework.testing.walking_steps import Walker
from tests.protection.cases import Case, cases
from tests.protection.definitions import calculate, exact

LAW = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])


def begun(case: Case, protections: list[Any] | None = None) -> Walker:
    """The product's walker at the entry. Cases whose plan is refused are none."""
    rules = make_rules(tick_size=case.tick, max_price=Decimal("1e9"))
    opened_ns = case.candles[0][0]
    side, made = Side(case.side), components(case.protections)
    measured = measured_before(made, side, rules, opened_ns, history_of(case.before))
    holding = Holding("walk", rules.symbol, side, case.entry, Decimal(1), opened_ns, rules, measured=measured)
    try:
        return Walker.begun(holding, made if protections is None else protections, trims=False)
    except ValueError:
        assume(False)
        raise


def walked(case: Case, protections: list[Any] | None = None) -> Walk:
    walker = begun(case, protections)
    for index, (time_ns, points) in enumerate(case.candles):
        walker.candle(index, time_ns, points)
    return walker.result()


@LAW
@given(cases())
def test_stops_exits_and_takes_are_those_of_the_definitions(case: Case) -> None:
    walk = walked(case)

    out = calculate(case.protections, case.side, case.entry, case.tick, case.candles, case.before)
    assert [None if stop is None else exact(stop) for stop in walk.stops] == out.stops
    found = None if walk.exit is None else (walk.exit.index, exact(walk.exit.price), walk.exit.reason)
    assert found == out.exit
    assert [(take.index, exact(take.price), exact(take.share)) for take in walk.takes] == out.takes


@LAW
@given(cases())
def test_a_stop_never_loosens_and_lies_on_a_tick(case: Case) -> None:
    walk, sign = walked(case), Side(case.side).sign

    stops = [walk.first_stop, *walk.stops[: len(walk.stops) if walk.exit is None else walk.exit.index + 1]]
    for earlier, later in pairwise(stops):
        assert earlier is None or (later is not None and (later - earlier) * sign >= 0)
    assert all(stop is None or stop % case.tick == 0 for stop in stops)


@LAW
@given(cases(points=1))
def test_a_stop_is_on_the_losing_side_of_the_price_that_sets_it(case: Case) -> None:
    walk, sign = walked(case), Side(case.side).sign

    before = walk.first_stop
    for stop, (_, price) in zip(walk.stops, case.ticks, strict=True):
        if stop is not None and stop != before:
            assert (price - stop) * sign > 0
        before = stop


@LAW
@given(cases(points=1))
def test_the_first_price_at_or_beyond_the_stop_that_rests_ends_it_there(case: Case) -> None:
    walk, sign = walked(case), Side(case.side).sign

    resting = [walk.first_stop, *walk.stops]
    for index, (_, price) in enumerate(case.ticks[: len(case.ticks) if walk.exit is None else walk.exit.index]):
        stop = resting[index]
        assert stop is None or (price - stop) * sign > 0, index
    if walk.exit is not None:
        assert walk.exit.price == case.ticks[walk.exit.index][1]


@LAW
@given(cases())
def test_what_was_taken_is_at_most_all_and_all_of_it_is_an_exit(case: Case) -> None:
    walk = walked(case)

    total = sum(take.share for take in walk.takes)
    assert total <= 1
    assert total < 1 or (walk.exit is not None and walk.exit.reason == "take-profit")


@LAW
@given(cases())
def test_a_tail_of_prices_changes_nothing_that_came_before(case: Case) -> None:
    whole, half = walked(case), len(case.candles) // 2 + 1
    part = walked(Case(case.protections, case.side, case.entry, case.tick, case.candles[:half], case.before))

    assert part.stops == whole.stops[:half]
    assert part.exit == (whole.exit if whole.exit is not None and whole.exit.index < half else None)


class Restless:
    """A protection that is asked at every price: its own wishes are overruled."""

    def __init__(self, component: Any) -> None:
        self.name = component.name
        self._component = component

    def start(self, holding: Holding) -> Any:
        return self._always(self._component.start(holding))

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Any:
        return self._always(self._component.on_price(holding, state, price, time_ns))

    def _always(self, guard: Any) -> Any:
        return evolve(guard, ask=evolve(guard.ask, at_ns=0))


@LAW
@given(cases(points=1))
def test_asking_at_every_price_and_asking_only_at_the_levels_is_the_same(case: Case) -> None:
    assert walked(case, [Restless(each) for each in components(case.protections)]) == walked(case)
