"""A venue changes the rules of a market while a position is open: what is asked for next keeps the new ones."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.core.happenings import MoveStop, PlaceStop, PriceReached, RulesChanged, StopAnswered
from framework.core.numbers import is_multiple
from framework.core.orders import Refusal
from framework.core.position import State
from framework.core.ruling import on_new_tick
from framework.core.signal import Side
from tests.core.strategies import RULES, D, FixedStop, Trailer, opened, policy, protected

AMENDING = policy((FixedStop(), Trailer()), amends=True)
PLAIN = policy()
OFF_TICK = Refusal("10001", "off the tick", for_good=False)


def test_nothing_is_sent_for_new_rules_and_what_rests_stays() -> None:
    life = protected(AMENDING)
    before = life.it

    asked = life.happens(RulesChanged(evolve(RULES, tick_size=D(5), step_size=D("0.1"))))

    assert asked == ()
    assert (life.it.state, life.it.stops) == (State.PROTECTED, before.stops)


@pytest.mark.parametrize(("side", "wanted"), [(Side.LONG, D(95)), (Side.SHORT, D(105))])
def test_the_wanted_stop_comes_to_the_new_tick_on_the_tighter_side(side: Side, wanted: object) -> None:
    life = protected(AMENDING, side)  # at 94, or 106

    life.happens(RulesChanged(evolve(RULES, tick_size=D(5))))

    assert life.it.wanted_stop == wanted


def test_a_stop_that_is_refused_for_its_tick_is_placed_again_on_the_new_one() -> None:
    life = opened(PLAIN)
    first = life.it.stops[-1]

    life.happens(RulesChanged(evolve(RULES, tick_size=D(5))), StopAnswered(first.client_id, OFF_TICK))

    again = life.asked(PlaceStop)[-1].order
    assert again.client_id != first.client_id
    assert (first.trigger_price, again.trigger_price) == (D(94), D(95))
    assert life.it.state is State.UNPROTECTED


def test_a_stop_that_follows_the_price_keeps_the_new_tick() -> None:
    life = protected(AMENDING)
    life.happens(RulesChanged(evolve(RULES, tick_size=D(5))))

    life.happens(PriceReached(D(133), life.now_ns))

    moved = life.asked(MoveStop)[-1].order
    assert is_multiple(moved.trigger_price, D(5))
    assert moved.trigger_price > D(95)


@pytest.mark.parametrize(
    ("step", "smallest", "ordered"), [("0.3", "0.3", "1.2"), ("5", "5", "5"), ("0.1", "2", "2.0"), ("0.5", "0.5", "1")]
)
def test_a_stop_is_for_no_less_than_what_is_held_whatever_the_new_step_is(
    step: str, smallest: str, ordered: str
) -> None:
    life = opened(PLAIN)
    first = life.it.stops[-1]

    rules = evolve(RULES, step_size=D(step), min_quantity=D(smallest))
    life.happens(RulesChanged(rules), StopAnswered(first.client_id, OFF_TICK))

    assert life.asked(PlaceStop)[-1].order.quantity == D(ordered)


@settings(deadline=None, max_examples=100)
@given(
    side=st.sampled_from(Side),
    stop=st.decimals("0.0001", "100000", places=4),
    tick=st.sampled_from([D("0.0005"), D("0.01"), D("0.25"), D(5)]),
)
def test_on_a_new_tick_a_stop_never_loosens_and_moves_by_less_than_a_tick(side: Side, stop: D, tick: D) -> None:
    moved = on_new_tick(evolve(RULES, tick_size=tick), side, stop)

    assert is_multiple(moved, tick)
    assert 0 <= (moved - stop) * side.sign < tick
