"""Parts in profit that rest at the venue: when they are placed, what they leave, how they leave with the position."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from framework import Ask
from framework.core.guards import next_ask
from framework.core.happenings import (
    CancelTarget,
    CloseAnswered,
    CloseWanted,
    EntryAnswered,
    Filled,
    PlaceStop,
    PriceReached,
    ReadVenue,
    SendClose,
    SilenceOver,
    StopAnswered,
    StopChanged,
)
from framework.core.legs import LegState
from framework.core.orders import Fill, OrderStatus, Refusal, StopReport, Unknown
from framework.core.position import State
from framework.core.restart import is_calm, taken_over
from framework.core.signal import Side
from framework.core.steering import SECOND_NS, TIDY_NS
from framework.testing import make_rules
from tests.core.strategies import FixedStop, Life, Taker, entry_fill, fill, gone, held, plan, policy, report, resting

D = Decimal
SIDES = pytest.mark.parametrize("side", Side)


def opened(
    *levels: tuple[str, str], side: Side = Side.LONG, rests: bool = True, quantity: str = "1", **rules: Any
) -> Life:
    """A position at 100 that is protected, with targets so many USD away that should rest. They are not answered."""
    components = (FixedStop(), Taker(levels or (("1", "0.4"), ("3", "0.6")), rests=True))
    life = Life(policy(components, rests=rests), plan(side, quantity, make_rules(**{"min_notional": 1, **rules})))
    life.happens(EntryAnswered(life.it.entry.client_id, report(life.it.entry.client_id, OrderStatus.FILLED, quantity)))
    life.happens(Filled(entry_fill(life.it, quantity)))
    stop = life.it.stops[0]
    life.happens(StopAnswered(stop.client_id, resting(stop.client_id, stop.trigger_price, quantity)))
    assert life.is_now(State.PROTECTED)
    return life


def at_rest(*levels: tuple[str, str], **how: Any) -> Life:
    """The same; the venue has taken all targets in."""
    life = opened(*levels, **how)
    for leg in life.it.targets:
        life.happens(CloseAnswered(leg.client_id, report(leg.client_id, OrderStatus.NEW)))
    return life


def sent(life: Life) -> list[tuple[str, str | None]]:
    """What the last step sent: quantities and prices of closing orders."""
    orders = [each.order for each in life.asked(SendClose)]
    return [(f"{o.quantity.normalize():f}", None if o.price is None else f"{o.price.normalize():f}") for o in orders]


def target_fill(life: Life, number: int, quantity: str, name: str = "1") -> Fill:
    leg = life.it.targets[number]
    return fill(f"target-{name}", leg.client_id, life.it.side.exit, quantity, str(leg.price))


# ── placing ─────────────────────────────────────────────────────────────────────────────────────────────────


@SIDES
def test_all_targets_are_sent_once_the_stop_rests_and_no_price_is_asked_for(side: Side) -> None:
    life = opened(side=side)

    assert sent(life) == ([("0.4", "101"), ("0.6", "103")] if side is Side.LONG else [("0.4", "99"), ("0.6", "97")])
    assert {order.order.side for order in life.asked(SendClose)} == {side.exit}
    assert next_ask(life.it) == Ask()


def test_nothing_rests_before_the_stop_does() -> None:
    life = Life(policy((FixedStop(), Taker(rests=True)), rests=True), plan())
    life.happens(Filled(entry_fill(life.it)))

    assert sent(life) == []


def test_where_the_venue_rests_no_targets_prices_are_asked_for() -> None:
    life = opened(rests=False)

    assert sent(life) == []
    assert next_ask(life.it) == Ask(above=D(101))


def test_the_ids_of_targets_are_derived_and_tell_what_they_are_for() -> None:
    life = opened()

    assert [leg.client_id for leg in life.it.targets] == [f"fw-{life.it.id}-t0", f"fw-{life.it.id}-t1"]


def test_a_part_below_the_venues_minimum_rests_with_the_next_and_a_small_remainder_with_the_last() -> None:
    assert sent(opened(("1", "0.04"), ("2", "0.4"), min_notional=5)) == [("0.44", "102")]
    assert sent(opened(("1", "0.96"), min_notional=5)) == [("1", "101")]


def test_what_happens_again_sends_no_target_twice() -> None:
    life = opened()
    life.happens(PriceReached(D("100.5"), life.now_ns))

    assert sent(life) == []


# ── what is filled ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_target_that_is_filled_resizes_the_stop_and_is_told() -> None:
    life = at_rest()
    life.happens(Filled(target_fill(life, 0, "0.4")))

    assert [each.order.quantity for each in life.asked(PlaceStop)] == [D("0.6")]
    assert life.codes == ["profit_taken"]
    assert sent(life) == []


def test_a_target_that_is_filled_in_part_goes_on_resting() -> None:
    life = at_rest()
    life.happens(Filled(target_fill(life, 0, "0.1")))

    assert [each.order.quantity for each in life.asked(PlaceStop)] == [D("0.9")]
    assert sent(life) == []
    assert life.it.targets[0].left == D("0.3")


def test_the_last_target_ends_the_position_and_is_the_reason_with_its_price() -> None:
    life = at_rest()
    life.happens(Filled(target_fill(life, 0, "0.4")), Filled(target_fill(life, 1, "0.6", "2")))

    assert life.is_now(State.CLOSING)
    assert life.it.exit is not None
    assert (life.it.exit.reason, life.it.exit.trigger_price) == ("taker", D(103))


def test_a_price_beyond_a_target_that_rests_sends_nothing() -> None:
    life = at_rest()
    life.happens(PriceReached(D(102), life.now_ns))

    assert sent(life) == []


def test_a_target_that_is_crossed_already_is_filled_by_its_answer() -> None:
    life = opened()
    first = life.it.targets[0].client_id
    life.happens(CloseAnswered(first, report(first, OrderStatus.FILLED, "0.4", "101.5")))

    assert life.it.targets[0].state is LegState.DONE
    assert life.asked(ReadVenue)
    assert sent(life) == []


def test_of_a_position_that_was_reduced_by_hand_the_nearest_parts_count_as_taken() -> None:
    life = at_rest()
    life.happens(Filled(fill("by-hand", "", life.it.side.exit, "0.5", "100")))
    cancelled = [each.client_id for each in life.asked(CancelTarget)]
    assert cancelled == [leg.client_id for leg in life.it.targets]
    for identifier in cancelled:
        life.happens(CloseAnswered(identifier, report(identifier, OrderStatus.CANCELLED), cancelling=True))

    assert [(leg.quantity, leg.price) for leg in life.it.targets if not leg.is_over] == [(D("0.500"), D(103))]


# ── leaving ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ending", ["stop", "wish"])
def test_targets_are_cancelled_as_soon_as_the_position_is_being_closed(ending: str) -> None:
    life = at_rest()
    if ending == "stop":
        life.happens(StopChanged(StopReport(life.ids[0], life.it.symbol, live=False, reason="triggered")))
    else:
        life.happens(CloseWanted("operator"))

    assert [each.client_id for each in life.asked(CancelTarget)] == [leg.client_id for leg in life.it.targets]


def test_a_target_that_is_answered_after_the_position_began_to_close_is_cancelled_then() -> None:
    life = opened()
    life.happens(CloseWanted("operator"))
    assert life.asked(CancelTarget) == []
    first = life.it.targets[0].client_id
    life.happens(CloseAnswered(first, report(first, OrderStatus.NEW)))

    assert [each.client_id for each in life.asked(CancelTarget)] == [first]


def test_a_closed_position_is_not_settled_while_a_target_of_it_may_rest() -> None:
    life = at_rest()
    life.happens(CloseWanted("operator"))
    close = life.it.closes[-1].client_id
    done = fill("out", close, life.it.side.exit, "1", "100")
    life.happens(CloseAnswered(close, report(close, OrderStatus.FILLED, "1")), Filled(done))
    life.read(None, fills=(entry_fill(life.it), done))
    stop = life.it.stops[0].client_id
    life.happens(StopAnswered(stop, gone(stop), cancelling=True))
    assert life.is_now(State.CLOSED)
    assert not life.it.is_settled

    for leg in life.it.targets:
        cancelled = report(leg.client_id, OrderStatus.CANCELLED)
        life.happens(CloseAnswered(leg.client_id, cancelled, cancelling=True))
    assert life.it.is_settled


def test_a_cancellation_that_nobody_answered_is_read_before_it_is_repeated() -> None:
    life = at_rest(("1", "0.4"))
    life.happens(CloseWanted("operator"))
    (leg,) = life.it.targets
    life.happens(CloseAnswered(leg.client_id, Unknown("timeout"), cancelling=True))
    assert life.asked(CancelTarget) == []
    (read,) = life.asked(ReadVenue)
    assert leg.client_id in read.orders

    life.read(held("1"), orders={leg.client_id: report(leg.client_id, OrderStatus.NEW)})
    assert [each.client_id for each in life.asked(CancelTarget)] == [leg.client_id]


# ── what is in doubt, or refused ────────────────────────────────────────────────────────────────────────────


def test_a_target_of_unknown_outcome_keeps_its_place_until_it_can_not_land_any_more() -> None:
    life = opened(("1", "0.4"))
    identifier = life.it.targets[0].client_id
    life.happens(CloseAnswered(identifier, Unknown("timeout")))
    stop = resting(life.ids[0], "94")
    life.read(held("1"), stop, fills=(entry_fill(life.it),), orders={identifier: None}, after_ns=SECOND_NS)
    assert sent(life) == []
    assert life.asked(ReadVenue)

    orders = {identifier: None}
    life.read(held("1"), stop, fills=(entry_fill(life.it),), orders=orders, after_ns=life.policy.certain_ns)
    assert sent(life) == [("0.4", "101")]
    assert life.it.targets[-1].client_id != identifier


def test_a_target_that_is_refused_is_tried_again_later_and_after_three_times_left_to_the_market() -> None:
    life = opened(("1", "0.4"))
    for count in range(3):
        last = life.it.targets[-1].client_id
        life.happens(CloseAnswered(last, Refusal("-2022", "reduce only", for_good=False)))
        assert sent(life) == [], count
        life.read(held("1"), resting(life.ids[0], "94"), fills=(entry_fill(life.it),), after_ns=TIDY_NS)
        assert sent(life) == ([] if count == 2 else [("0.4", "101")]), count

    assert life.codes == ["target_not_resting"]
    assert next_ask(life.it) == Ask(above=D(101))
    life.happens(PriceReached(D(101), life.now_ns))
    assert sent(life) == [("0.4", None)]


def test_a_target_that_is_refused_for_good_is_left_to_the_market_at_once() -> None:
    life = opened(("1", "0.4"))
    life.happens(CloseAnswered(life.it.targets[0].client_id, Refusal("-4016", "price too high")))

    assert next_ask(life.it) == Ask(above=D(101))


def test_a_target_that_somebody_cancels_is_placed_again() -> None:
    life = at_rest(("1", "0.4"))
    life.now_ns += TIDY_NS
    identifier = life.it.targets[0].client_id
    life.happens(CloseAnswered(identifier, report(identifier, OrderStatus.CANCELLED)))

    assert sent(life) == [("0.4", "101")]


def test_while_the_venue_wants_silence_no_target_is_sent_and_then_it_is() -> None:
    life = opened(("1", "0.4"))
    silent = Refusal("budget", "silent", for_good=False, silent_ns=5 * SECOND_NS)
    life.happens(CloseAnswered(life.it.targets[0].client_id, silent))
    assert sent(life) == []

    life.happens(SilenceOver(), after_ns=5 * SECOND_NS)
    assert sent(life) == [("0.4", "101")]


# ── restarts ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_restart_is_calm_about_targets_that_rest() -> None:
    life = at_rest()

    assert is_calm(life.it)
    assert taken_over(life.it, life.policy)[1] == ()


def test_a_restart_looks_for_targets_whose_answer_nobody_heard_and_sends_none() -> None:
    life = opened()
    after, commands = taken_over(life.it, life.policy)

    assert {leg.state for leg in after.targets} == {LegState.UNKNOWN}
    (read,) = [each for each in commands if isinstance(each, ReadVenue)]
    assert {leg.client_id for leg in after.targets} <= set(read.orders)
    assert not [each for each in commands if isinstance(each, SendClose)]


def test_a_restart_reads_a_position_whose_targets_were_not_sent_yet() -> None:
    before = opened(rests=False)

    _, commands = taken_over(before.it, policy((FixedStop(), Taker(rests=True)), rests=True))
    assert [type(each) for each in commands] == [ReadVenue]
