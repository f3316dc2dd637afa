"""A position of an earlier run: what was under way is in doubt, the venue is asked, and no entry is sent again."""

from __future__ import annotations

from attrs import evolve

from framework.core.happenings import (
    CancelStop,
    CloseWanted,
    EntryAnswered,
    EntryExpired,
    MoveStop,
    PlaceStop,
    PriceReached,
    ReadVenue,
    SendClose,
    SendEntry,
    StartDeadline,
    StopAnswered,
)
from framework.core.legs import LegState
from framework.core.orders import OrderStatus, Refusal
from framework.core.position import State
from framework.core.protection import NoState
from framework.core.restart import taken_over
from framework.core.steering import SECOND_NS
from framework.engine.snapshot import freeze, thaw
from tests.core.strategies import (
    Best,
    D,
    FixedStop,
    Life,
    LimitFirst,
    Trailer,
    held,
    opened,
    plan,
    policy,
    protected,
    report,
    resting,
)

PLAIN = policy()
TRAILING = policy((FixedStop(), Trailer()))
STATES = {"fixed": NoState, "trailer": Best}


def restarted(life: Life) -> Life:
    """The same position in a process that knows nothing but its record."""
    record = freeze(life.it)
    life.it = thaw(record, STATES)
    assert freeze(life.it) == record
    life._take(taken_over(life.it, life.policy))
    return life


def test_an_entry_that_had_no_answer_is_looked_for_and_not_sent_again() -> None:
    life = restarted(Life(PLAIN, plan()))

    assert life.is_now(State.UNKNOWN)
    assert life.asked(ReadVenue) == [ReadVenue(0, (life.it.entry.client_id,))]
    assert not life.asked(SendEntry)
    life.read(held("1"))
    assert life.is_now(State.UNPROTECTED)


def test_a_limit_order_that_rested_is_cancelled_when_its_time_is_over() -> None:
    life = Life(policy(execution=LimitFirst()), plan())
    identifier = life.it.entry.client_id
    life.happens(EntryAnswered(identifier, report(identifier, OrderStatus.NEW)))

    restarted(life).read(None, orders={identifier: report(identifier, OrderStatus.NEW)}, after_ns=3 * SECOND_NS)

    assert life.it.entry.state is LegState.CANCELLING


def test_no_order_follows_on_one_whose_cancellation_had_no_answer() -> None:
    life = Life(policy(execution=LimitFirst()), plan())
    identifier = life.it.entry.client_id
    life.happens(EntryAnswered(identifier, report(identifier, OrderStatus.NEW)))
    life.happens(EntryExpired(identifier), after_ns=3 * SECOND_NS)

    known = {identifier: report(identifier, OrderStatus.CANCELLED, "0.4")}
    sent = [*restarted(life).read(held("0.4"), orders=known), *life.read(held("0.4"), orders=known)]

    assert life.is_now(State.UNPROTECTED)
    assert not any(isinstance(command, SendEntry) for command in sent)


def test_a_stop_whose_removal_had_no_answer_is_removed_again_if_it_is_still_there() -> None:
    life = protected(TRAILING)
    life.happens(PriceReached(D(103), life.now_ns))
    old, new = life.ids
    life.happens(StopAnswered(new, resting(new, "101")))
    assert life.asked(CancelStop) == [CancelStop(old)]

    restarted(life).read(held("1"), resting(old, "94"), resting(new, "101"))

    assert life.asked(CancelStop) == [CancelStop(old)]


def test_a_position_that_was_naked_has_its_deadline_again() -> None:
    life = restarted(opened(PLAIN))

    assert life.asked(StartDeadline) == [StartDeadline(PLAIN.protect_within_ns)]


def test_a_stop_that_had_no_answer_is_placed_if_it_is_not_there() -> None:
    life = restarted(opened(PLAIN))
    assert not life.asked(PlaceStop)

    life.read(held("1"))

    assert life.asked(PlaceStop)


def test_of_two_stops_the_tighter_one_is_kept() -> None:
    life = protected(TRAILING)
    life.happens(PriceReached(D(103), life.now_ns))
    old, new = life.ids

    restarted(life).read(held("1"), resting(old, "94"), resting(new, "101"))

    assert (life.it.state, life.asked(CancelStop)) == (State.PROTECTED, [CancelStop(old)])


def test_without_any_stop_one_is_placed_at_the_last_price_that_was_wanted() -> None:
    life = protected(TRAILING)
    life.happens(PriceReached(D(103), life.now_ns))

    restarted(life).read(held("1"))
    life.read(held("1"), after_ns=SECOND_NS)

    assert life.asked(PlaceStop)[0].order.trigger_price == D(101)


def test_a_stop_whose_move_had_no_answer_is_moved_again_if_it_is_at_its_old_place() -> None:
    life = protected(policy((FixedStop(), Trailer()), amends=True))
    life.happens(PriceReached(D(103), life.now_ns))

    restarted(life).read(held("1"), resting(life.ids[0], "94"))

    assert life.asked(MoveStop)[0].order.trigger_price == D(101)


def test_a_close_that_had_no_answer_is_repeated_if_the_position_is_still_there() -> None:
    life = protected(PLAIN)
    life.happens(CloseWanted("operator"))
    first = life.it.closes[0].client_id

    restarted(life).read(held("1"))

    assert life.asked(SendClose)[0].order.client_id != first


def test_a_protection_that_is_not_installed_any_more_leaves_its_stop_where_it_is() -> None:
    life = protected(TRAILING)
    life.happens(PriceReached(D(103), life.now_ns))
    life.happens(StopAnswered(life.ids[1], resting(life.ids[1], "101")))

    life.it = thaw(freeze(life.it), {"fixed": NoState})
    life.policy = PLAIN
    life.happens(PriceReached(D(110), life.now_ns))

    assert life.it.wanted_stop == D(101)
    assert life.is_now(State.PROTECTED)


def test_what_a_position_is_after_a_restart_is_what_it_was() -> None:
    life = protected(TRAILING)
    life.happens(PriceReached(D(103), life.now_ns))
    bare = {name: evolve(guard, numbers={}) for name, guard in life.it.guards.items()}

    assert thaw(freeze(life.it), STATES) == evolve(life.it, guards=bare)


def test_a_restart_of_a_position_that_is_fine_leaves_it_to_the_reading_of_its_account() -> None:
    life = protected(PLAIN)
    before = life.it

    restarted(life)

    assert life.it == before
    assert life.commands == ()
    life.read(held("1"), resting(life.ids[0], "94"))
    assert (life.it.state, life.commands) == (State.PROTECTED, ())


def test_a_stop_that_was_still_to_be_moved_when_the_run_ended_is_moved_after_the_restart() -> None:
    life = protected(policy((FixedStop(), Trailer()), amends=True))
    life.happens(PriceReached(D(110), life.now_ns))
    life.happens(StopAnswered(life.ids[0], Refusal("budget", "silent", for_good=False, silent_ns=SECOND_NS)))

    restarted(life).read(held("1"), resting(life.ids[0], "94"))

    assert [move.order.trigger_price for move in life.asked(MoveStop)] == [D(108)]
