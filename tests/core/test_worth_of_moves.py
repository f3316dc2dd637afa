"""What moving a stop is worth: how much more of the position it protects. Where limits are short, that goes first."""

from __future__ import annotations

import pytest

from framework.core.happenings import MoveStop, PlaceStop, PriceReached, StopAnswered
from framework.core.signal import Side
from tests.core.strategies import D, FixedStop, Trailer, opened, policy, protected, resting


@pytest.mark.parametrize("amends", [True, False])
@pytest.mark.parametrize("side", Side)
def test_a_move_is_worth_its_way_times_its_quantity(side: Side, amends: bool) -> None:
    life = protected(policy((FixedStop(), Trailer()), amends=amends), side, "3")
    life.happens(PriceReached(D(100) + side.sign * 5, life.now_ns))

    (move,) = [each.order for each in (*life.asked(PlaceStop), *life.asked(MoveStop))]
    assert move.worth_usd == 27  # from 6 below the entry to 3 above it, for 3 pieces


@pytest.mark.parametrize("side", Side)
def test_a_stop_that_nothing_protects_without_is_worth_more_than_any_move(side: Side) -> None:
    life = opened(policy(), side)
    stop = life.it.stops[0]
    refused = StopAnswered(stop.client_id, resting(stop.client_id, stop.trigger_price, "0.4"))  # it covers too little
    life.happens(refused)

    (placed,) = [each.order for each in life.asked(PlaceStop)]
    assert placed.worth_usd is None
