"""The trailing stop against a ratchet written down naively, over random markets, settings and prices."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import Guard, Holding, Percent, Side, nearest_to
from framework.testing import NOW_NS, make_holding, make_rules
from framework_protection import TrailingStop


@frozen
class Case:
    """A position, its trailing stop, and the prices that follow."""

    component: TrailingStop
    holding: Holding
    prices: tuple[Decimal, ...]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    tick = Decimal(draw(st.sampled_from(["0.000001", "0.0001", "0.01", "0.5", "0.00025"])))
    entry = draw(st.integers(200, 5000))
    moves = draw(st.lists(st.integers(-60, 60), min_size=1, max_size=60))
    prices, at = [], entry
    for move in moves:
        at = max(at + move, 1)
        prices.append(at * tick)
    distance = draw(st.one_of(st.none(), st.decimals("0.1", "20", places=2)))
    component = TrailingStop(
        distance_percent=None if distance is None else Percent(distance),
        distance_price=draw(st.integers(1, 100)) * tick if distance is None else None,
        activation_percent=Percent(draw(st.sampled_from([Decimal(0), Decimal("0.37"), Decimal(2)]))),
        step_percent=Percent(draw(st.sampled_from([Decimal(0), Decimal(0), Decimal("0.3"), Decimal(2)]))),
    )
    side = draw(st.sampled_from(Side))
    return Case(
        component, make_holding(side, entry_price=entry * tick, rules=make_rules(tick_size=tick)), tuple(prices)
    )


def resting(case: Case, guard: Guard) -> Decimal | None:
    return None if guard.stop is None else nearest_to(guard.stop, case.holding.rules.tick_size)


def is_reached(guard: Guard, price: Decimal) -> bool:
    above, below = guard.ask.above, guard.ask.below
    return (above is not None and price >= above) or (below is not None and price <= below)


def guards(case: Case, *, every_price: bool) -> list[Guard]:
    guard = case.component.start(case.holding)
    answers = [guard]
    for price in case.prices:
        if every_price or is_reached(guard, price):
            guard = case.component.on_price(case.holding, guard.state, price, NOW_NS)
        answers.append(guard)
    return answers


def naive(case: Case) -> list[Decimal | None]:
    """The resting stop after the entry and after each price, by the plain words of the settings."""
    sign, entry, tick = case.holding.side.sign, case.holding.entry_price, case.holding.rules.tick_size
    own = case.component
    best: Decimal | None = None
    stop: Decimal | None = None
    stops = []
    for price in (entry, *case.prices):
        profit = sign * (price - entry)
        if best is None and profit >= own.activation_percent.of(entry):
            best = price
        if best is not None:
            best = max(best, price) if sign > 0 else min(best, price)
            away = own.distance_price if own.distance_percent is None else own.distance_percent.of(best)
            assert away is not None
            wanted = best - sign * away
            rounded = nearest_to(wanted, tick)
            step = own.step_percent.of(stop) if stop is not None else None
            if stop is None or (
                sign * (rounded - stop) >= tick and step is not None and sign * (wanted - stop) >= step
            ):
                stop = rounded
        stops.append(stop)
    return stops


@settings(deadline=None, max_examples=200)
@given(cases())
def test_asking_only_at_the_levels_gives_the_stops_of_the_naive_ratchet(case: Case) -> None:
    stops = [resting(case, guard) for guard in guards(case, every_price=False)]

    assert stops == naive(case)


@settings(deadline=None, max_examples=200)
@given(cases())
def test_asking_at_every_price_gives_the_very_same_answers(case: Case) -> None:
    assert guards(case, every_price=True) == guards(case, every_price=False)


@settings(deadline=None, max_examples=200)
@given(cases())
def test_every_price_that_reaches_a_level_moves_the_stop(case: Case) -> None:
    guard = case.component.start(case.holding)
    for price in case.prices:
        if is_reached(guard, price):
            answer = case.component.on_price(case.holding, guard.state, price, NOW_NS)
            assert resting(case, answer) != resting(case, guard)
            assert not is_reached(answer, price)
            guard = answer


@settings(deadline=None, max_examples=200)
@given(cases())
def test_the_stop_never_loosens(case: Case) -> None:
    stops = [guard.stop for guard in guards(case, every_price=True)]

    for earlier, later in pairwise(stops):
        assert earlier is None or later is not None
        assert earlier is None or later is None or case.holding.side.sign * (later - earlier) >= 0
