"""Parts that are closed in profit: which is next, how much of it, what happens to the stop, and what is never done."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from framework import Ask
from framework.core.guards import next_ask
from framework.core.happenings import (
    CancelStop,
    CloseAnswered,
    EntryAnswered,
    Filled,
    PlaceStop,
    PriceReached,
    ReadVenue,
    SendClose,
    StopAnswered,
    StopChanged,
)
from framework.core.legs import LegState
from framework.core.orders import OrderStatus, Refusal, StopReport, Unknown, VenuePosition
from framework.core.position import State
from framework.core.restart import is_calm, taken_over
from framework.core.signal import Side
from framework.core.steering import SECOND_NS
from framework.testing import SYMBOL, make_rules
from tests.core.strategies import FixedStop, Life, Taker, close_fill, entry_fill, fill, plan, policy, report

D = Decimal
SIDES = pytest.mark.parametrize("side", Side)


def resting(life: Life, number: int, quantity: str) -> StopReport:
    leg = life.it.stops[number]
    return StopReport(leg.client_id, SYMBOL, live=True, trigger_price=leg.trigger_price, quantity=D(quantity))


def opened(
    *levels: tuple[str, str], side: Side = Side.LONG, quantity: str = "1", attaches: bool = False, **rules: Any
) -> Life:
    """A position at 100 that is protected, with targets so many USD away."""
    components = (FixedStop(), Taker(levels or (("1", "0.4"), ("3", "0.6"))))
    made = plan(side, quantity, make_rules(**{"min_notional": 1, **rules}))
    life = Life(policy(components, attaches=attaches), made)
    life.happens(EntryAnswered(life.it.entry.client_id, report(life.it.entry.client_id, OrderStatus.FILLED, quantity)))
    life.happens(Filled(entry_fill(life.it, quantity)))
    life.happens(StopAnswered(life.it.stops[0].client_id, resting(life, 0, quantity)))
    assert life.is_now(State.PROTECTED)
    return life


def moves(life: Life, usd: str) -> list[SendClose]:
    """The price so many USD in favour; what is sent then."""
    life.happens(PriceReached(100 + life.it.side.sign * D(usd), life.now_ns))
    return life.asked(SendClose)


def done(life: Life, quantity: str, number: int = 1) -> None:
    """The last closing order is answered and executed."""
    identifier = life.it.closes[-1].client_id
    life.happens(CloseAnswered(identifier, report(identifier, OrderStatus.FILLED, quantity, "101")))
    life.happens(Filled(close_fill(life.it, quantity, "101", number)))


@SIDES
def test_the_nearest_target_is_asked_for_and_its_share_closed_when_the_price_is_there(side: Side) -> None:
    life = opened(side=side)

    assert next_ask(life.it) == (Ask(above=D(101)) if side is Side.LONG else Ask(below=D(99)))
    assert moves(life, "0.99") == []
    (sent,) = moves(life, "1")
    assert (sent.order.quantity, sent.order.side) == (D("0.4"), side.exit)
    assert life.is_now(State.PROTECTED)
    assert "profit_taken" in life.codes


def test_while_a_part_is_under_way_no_other_is_sent_and_no_price_asked_for() -> None:
    life = opened()
    moves(life, "1")

    assert next_ask(life.it) == Ask()
    assert moves(life, "5") == []


def test_after_a_part_the_stop_is_brought_to_what_remains_without_a_gap() -> None:
    life = opened()
    moves(life, "1")
    done(life, "0.4")

    (placed,) = life.asked(PlaceStop)
    assert (placed.order.quantity, placed.order.trigger_price) == (D("0.6"), D(94))
    assert life.asked(CancelStop) == []
    life.happens(StopAnswered(placed.order.client_id, resting(life, 1, "0.6")))
    assert [stop.client_id for stop in life.asked(CancelStop)] == [life.ids[0]]
    assert life.it.live_stop is not None
    assert life.it.live_stop.client_id == life.ids[1]


def test_the_stop_is_not_resized_again_while_the_one_for_what_remains_may_still_turn_up() -> None:
    life = opened()
    moves(life, "1")
    done(life, "0.4")
    life.happens(StopAnswered(life.ids[-1], Unknown("timeout")))
    held, fills = VenuePosition(SYMBOL, D("0.6"), D(100)), (entry_fill(life.it), close_fill(life.it, "0.4", "101"))

    life.read(held, resting(life, 0, "1"), fills=fills)
    assert life.asked(PlaceStop) == []
    life.read(held, resting(life, 0, "1"), fills=fills, after_ns=life.policy.certain_ns)
    assert [stop.order.quantity for stop in life.asked(PlaceStop)] == [D("0.6")]


def test_an_attached_stop_follows_the_position_by_itself() -> None:
    life = opened(attaches=True)
    moves(life, "1")
    done(life, "0.4")

    assert life.asked(PlaceStop) == []


def test_the_last_target_closes_the_position_and_is_the_reason() -> None:
    life = opened()
    moves(life, "1")
    done(life, "0.4")
    (sent,) = moves(life, "3")

    assert sent.order.quantity == D("0.6")
    assert life.is_now(State.CLOSING)
    assert life.it.exit is not None
    assert life.it.exit.reason == "taker"


def test_a_price_beyond_two_targets_takes_the_nearer_and_then_the_farther_one() -> None:
    life = opened(("1", "0.3"), ("2", "0.3"), ("9", "0.2"))
    (first,) = moves(life, "5")
    done(life, "0.3")
    (second,) = moves(life, "5")

    assert (first.order.quantity, second.order.quantity) == (D("0.3"), D("0.3"))
    done(life, "0.3", number=2)
    assert next_ask(life.it) == Ask(above=D(109))


def test_an_execution_that_comes_later_than_its_answer_is_not_taken_for_a_part_that_is_missing() -> None:
    life = opened()
    moves(life, "1")
    identifier = life.it.closes[-1].client_id
    life.happens(CloseAnswered(identifier, report(identifier, OrderStatus.FILLED, "0.4", "101")))

    assert next_ask(life.it) == Ask(above=D(103))
    assert moves(life, "1.5") == []
    (rest,) = moves(life, "3")
    assert rest.order.quantity == D("0.6")
    assert life.is_now(State.CLOSING)


def test_shares_are_rounded_down_to_the_step_together() -> None:
    life = opened(("1", "0.35"), ("2", "0.35"), quantity="1", step_size="0.1")
    (first,) = moves(life, "1")
    done(life, "0.3")
    (second,) = moves(life, "2")

    assert (first.order.quantity, second.order.quantity) == (D("0.3"), D("0.4"))


def test_a_remainder_below_the_venues_minimum_is_closed_with_the_part_and_not_stranded() -> None:
    life = opened(("1", "0.96"), min_notional=5)
    (sent,) = moves(life, "1")

    assert sent.order.quantity == D(1)
    assert life.is_now(State.CLOSING)


def test_a_part_below_the_venues_minimum_waits_for_the_next_target() -> None:
    life = opened(("1", "0.04"), ("2", "0.4"), min_notional=5)

    assert next_ask(life.it) == Ask(above=D(102))
    (sent,) = moves(life, "2")
    assert sent.order.quantity == D("0.44")


def test_a_position_that_was_reduced_by_hand_needs_its_target_no_more() -> None:
    life = opened()
    life.happens(Filled(fill("by-hand", "", life.it.side.exit, "0.5", "100")))

    assert next_ask(life.it) == Ask(above=D(103))


def test_a_part_of_unknown_outcome_is_looked_for_and_not_sent_again_until_it_can_not_land_any_more() -> None:
    life = opened()
    moves(life, "1")
    identifier = life.it.closes[-1].client_id
    life.happens(CloseAnswered(identifier, Unknown("timeout")))

    (read,) = life.asked(ReadVenue)
    assert identifier in read.orders
    held, stop = VenuePosition(SYMBOL, D(1), D(100)), resting(life, 0, "1")
    fills = (entry_fill(life.it),)
    life.read(held, stop, fills=fills, orders={identifier: None}, after_ns=SECOND_NS)
    assert moves(life, "1") == []
    assert life.it.closes[-1].state is LegState.UNKNOWN
    life.read(held, stop, fills=fills, orders={identifier: None}, after_ns=life.policy.certain_ns)
    assert len(moves(life, "1")) == 1


def test_a_part_that_is_refused_three_times_is_given_up_and_people_are_told() -> None:
    life = opened()
    for count in range(3):
        assert len(moves(life, "1")) == 1, count
        life.happens(CloseAnswered(life.it.closes[-1].client_id, Refusal("no", "not now", for_good=False)))

    assert moves(life, "1") == []
    assert next_ask(life.it) == Ask()
    assert life.codes.count("profit_not_taken") == 1
    assert life.is_now(State.PROTECTED)


def test_a_stop_that_triggers_while_a_part_is_under_way_closes_what_remains() -> None:
    life = opened()
    moves(life, "1")
    life.happens(StopChanged(StopReport(life.ids[0], SYMBOL, live=False, reason="triggered")))

    assert life.is_now(State.CLOSING)
    done(life, "0.4")
    assert life.it.open_quantity == D("0.6")


def test_a_restart_is_not_calm_about_a_part_that_was_under_way_and_does_not_send_it_again() -> None:
    life = opened()
    moves(life, "1")

    assert not is_calm(life.it)
    after, commands = taken_over(life.it, life.policy)
    assert after.closes[-1].state is LegState.UNKNOWN
    assert [c for c in commands if isinstance(c, SendClose)] == []
    assert next_ask(after) == Ask()


def test_nothing_is_taken_while_the_entry_goes_on() -> None:
    life = Life(policy((FixedStop(), Taker())), plan())
    life.happens(Filled(entry_fill(life.it, "0.5")))

    assert moves(life, "1") == []
