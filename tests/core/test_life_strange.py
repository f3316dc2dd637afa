"""What should not happen and does: strangers in our market, and entries that were given up and are there after all."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from framework.core.happenings import (
    CancelEntry,
    CloseWanted,
    DeadlinePassed,
    EntryAnswered,
    Filled,
    PlaceStop,
    ReadVenue,
    SendClose,
    SendEntry,
    StopAnswered,
    StopChanged,
)
from framework.core.ids import Leg, client_id, position_id
from framework.core.legs import LegState
from framework.core.numbers import ZERO
from framework.core.orders import OrderStatus, Refusal, StopReport, Unknown
from framework.core.position import State
from framework.core.signal import Side
from framework.core.steering import SECOND_NS
from tests.core.strategies import (
    D,
    Life,
    LimitFirst,
    entry_fill,
    fill,
    foreign_fill,
    held,
    opened,
    plan,
    policy,
    protected,
    report,
    resting,
)

PLAIN = policy()
ATTACHED = policy(attaches=True, amends=True)


def in_doubt(life: Life) -> Life:
    """Nobody knows what became of the entry."""
    life.happens(EntryAnswered(life.it.entry.client_id, Unknown("timeout")))
    return life


def given_up(life: Life) -> Life:
    """The entry was looked for, not found, and is on the watch list."""
    in_doubt(life)
    life.read(None, after_ns=20 * SECOND_NS)
    life.read(None, after_ns=SECOND_NS)
    assert life.is_now(State.ABORTED)
    return life


# ── more than ours ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_position_that_somebody_enlarged_is_quarantined_and_all_of_it_protected() -> None:
    life = protected(PLAIN)

    life.read(held("1.5"), resting(life.ids[0], "94"))

    assert life.is_now(State.QUARANTINED)
    assert life.asked(PlaceStop)[0].order.quantity == D("1.5")
    assert "position_not_ours" in life.codes
    assert life.asked(ReadVenue)


def test_what_a_stranger_buys_is_looked_at_and_is_not_counted_as_ours() -> None:
    life = protected(PLAIN)

    life.happens(Filled(foreign_fill(life.it, "0.5", opens=True)))

    assert life.it.entered == D(1)
    assert life.asked(ReadVenue)


def test_a_quarantine_is_said_once_and_ends_when_the_stranger_has_gone() -> None:
    life = protected(PLAIN)
    life.read(held("1.5"), resting(life.ids[0], "94"))
    life.read(held("1.5"), resting(life.ids[0], "94"), after_ns=60 * SECOND_NS)
    assert life.codes.count("position_not_ours") == 1

    life.read(held("1"), resting(life.ids[0], "94"), after_ns=60 * SECOND_NS)

    assert life.is_now(State.PROTECTED)


def test_a_quarantine_that_ends_before_the_stop_is_confirmed_leaves_it_unprotected_with_its_stop_under_way() -> None:
    life = opened(PLAIN)
    life.read(held("1.5"))
    assert life.is_now(State.QUARANTINED)

    life.read(held("1"), after_ns=SECOND_NS)

    assert life.is_now(State.UNPROTECTED)
    assert life.it.unprotected_since_ns is not None


def test_a_quarantined_position_whose_stop_does_not_come_is_closed_like_any_other() -> None:
    life = opened(PLAIN)
    life.read(held("1.5"))
    assert life.is_now(State.QUARANTINED)

    life.happens(DeadlinePassed(), after_ns=PLAIN.protect_within_ns)

    assert life.is_now(State.EMERGENCY)


def test_a_quarantined_position_whose_stop_is_refused_for_good_is_closed() -> None:
    life = opened(PLAIN)
    life.read(held("1.5"))

    life.happens(StopAnswered(life.ids[-1], Refusal("-2027", "too many stops")))

    assert life.is_now(State.EMERGENCY)


def test_a_quarantined_position_can_be_closed_and_the_strangers_part_stays() -> None:
    life = protected(PLAIN)
    life.read(held("1.5"), resting(life.ids[0], "94"))

    life.happens(CloseWanted("operator"))

    assert (life.it.state, life.asked(SendClose)[0].order.quantity) == (State.CLOSING, D(1))


def test_an_entry_that_is_limit_first_buys_no_more_while_quarantined() -> None:
    life = Life(policy(execution=LimitFirst()), plan())
    identifier = life.it.entry.client_id
    life.happens(EntryAnswered(identifier, report(identifier, OrderStatus.PARTIALLY_FILLED, "0.4")))
    life.read(held("5"))
    assert life.is_now(State.QUARANTINED)

    life.happens(EntryAnswered(identifier, report(identifier, OrderStatus.CANCELLED, "0.4")))

    assert not life.asked(SendEntry)


# ── turned round ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_position_that_somebody_turned_round_is_left_to_a_person() -> None:
    life = protected(PLAIN)

    life.read(held("-0.5"), resting(life.ids[0], "94"))

    assert life.is_now(State.QUARANTINED)
    assert not life.asked(PlaceStop)
    assert not life.asked(SendClose)


def test_a_position_that_was_turned_round_and_is_flat_now_is_over() -> None:
    life = protected(PLAIN)
    life.read(held("-0.5"), after_ns=60 * SECOND_NS)

    life.read(None, after_ns=60 * SECOND_NS)
    life.read(None, after_ns=SECOND_NS)

    assert life.is_now(State.CLOSED)


def test_a_stranger_who_was_there_before_our_entry_and_left_changes_nothing() -> None:
    life = Life(PLAIN, plan())
    life.read(held("-0.5"))
    assert life.is_now(State.QUARANTINED)

    life.read(None, after_ns=60 * SECOND_NS)

    assert life.is_now(State.ENTERING)


def test_a_stranger_who_left_while_nobody_knows_of_our_entry_leaves_it_unknown() -> None:
    life = in_doubt(Life(PLAIN, plan()))
    life.read(held("-0.5"))
    assert life.is_now(State.QUARANTINED)

    life.read(None, after_ns=SECOND_NS)

    assert life.is_now(State.UNKNOWN)


def test_an_entry_that_is_refused_while_a_stranger_is_there_is_aborted() -> None:
    life = Life(PLAIN, plan())
    life.read(held("-0.5"))

    life.happens(EntryAnswered(life.it.entry.client_id, Refusal("margin", "not enough")))

    assert life.is_now(State.ABORTED)


def test_what_is_not_wanted_any_more_is_closed_when_it_fills_beside_a_stranger() -> None:
    life = Life(PLAIN, plan())
    life.read(held("-0.5"))
    life.happens(CloseWanted("operator"))
    assert life.is_now(State.QUARANTINED)

    life.happens(Filled(entry_fill(life.it)))

    assert life.is_now(State.CLOSING)


# ── given up, and there after all ───────────────────────────────────────────────────────────────────────────


def test_an_entry_that_was_given_up_and_is_filled_after_all_is_protected() -> None:
    life = given_up(Life(PLAIN, plan()))

    life.happens(Filled(entry_fill(life.it)))

    assert life.is_now(State.UNPROTECTED)
    assert life.asked(PlaceStop)
    assert life.it.closed_ns is None


def test_an_entry_that_was_given_up_and_is_found_by_the_watch_is_protected() -> None:
    life = given_up(Life(PLAIN, plan()))

    life.read(held("1"), after_ns=60 * SECOND_NS)

    assert life.is_now(State.UNPROTECTED)


def test_an_entry_that_was_given_up_and_is_there_with_its_attached_stop_is_protected_at_once() -> None:
    life = given_up(Life(ATTACHED, plan()))

    life.read(held("1"), resting(life.ids[0], "94"), after_ns=60 * SECOND_NS)

    assert life.is_now(State.PROTECTED)


def test_an_entry_that_was_given_up_and_unwanted_is_closed_when_it_turns_up() -> None:
    life = Life(PLAIN, plan())
    life.happens(CloseWanted("operator"))
    given_up(life)

    life.happens(Filled(entry_fill(life.it)))

    assert life.is_now(State.CLOSING)
    assert life.asked(SendClose)


def test_an_order_that_was_given_up_and_rests_after_all_is_cancelled() -> None:
    life = given_up(Life(policy(execution=LimitFirst()), plan()))
    identifier = life.it.entry.client_id

    life.read(None, orders={identifier: report(identifier, OrderStatus.NEW)}, after_ns=60 * SECOND_NS)

    assert life.asked(CancelEntry) == [CancelEntry(identifier)]


def test_the_watch_over_a_lost_entry_ends_after_its_time() -> None:
    life = given_up(Life(PLAIN, plan()))
    looks = 0

    while life.asked(ReadVenue):
        looks += 1
        life.read(None, after_ns=60 * SECOND_NS)

    assert life.it.is_settled
    assert 14 <= looks <= 16


def test_an_entry_that_was_given_up_is_looked_for_every_five_seconds_for_a_minute_and_then_every_minute() -> None:
    life = given_up(Life(PLAIN, plan()))
    delays_s = []

    for _ in range(14):
        delay_ns = life.asked(ReadVenue)[0].delay_ns
        delays_s.append(delay_ns // SECOND_NS)
        life.read(None, after_ns=delay_ns)

    assert delays_s == [5] * 11 + [60] * 3  # given up six seconds after the fence: it is watched closely since that


def test_a_refused_entry_takes_nothing_over_that_is_there() -> None:
    life = Life(PLAIN, plan())
    life.happens(EntryAnswered(life.it.entry.client_id, Refusal("margin", "not enough")))

    life.read(held("1"))

    assert (life.it.state, life.it.entered) == (State.ABORTED, ZERO)


# ── other positions of ours ─────────────────────────────────────────────────────────────────────────────────


def test_an_execution_of_another_position_of_ours_is_not_counted() -> None:
    life = protected(PLAIN)
    other = client_id(position_id(signal_id="x", account="a", symbol="BTCUSDT", side=Side.LONG), Leg.EXIT, 0)
    late = fill("late", other, life.it.side.exit, "1", "90")

    life.happens(Filled(evolve(late, time_ns=life.now_ns)))
    life.read(held("1"), resting(life.ids[0], "94"), fills=(entry_fill(life.it), late))

    assert (life.it.state, life.it.exited) == (State.PROTECTED, ZERO)


# ── stops that have no name at the venue ────────────────────────────────────────────────────────────────────


def nameless(**rest: Any) -> StopReport:
    return evolve(StopReport("", protected(ATTACHED).it.symbol, True, D(94), D(1), attached=True), **rest)


def test_an_attached_stop_without_a_name_is_that_of_the_position() -> None:
    life = opened(ATTACHED)
    assert not life.it.stops[-1].is_live
    life.happens(StopChanged(nameless(trigger_price=life.it.wanted_stop)))
    assert life.it.stops[-1].is_live
    assert life.is_now(State.PROTECTED)


def test_a_read_that_shows_the_nameless_stop_shows_it() -> None:
    life = protected(ATTACHED)
    life.read(held("1"), nameless(trigger_price=life.it.wanted_stop))
    assert [stop.missing for stop in life.it.stops] == [0]


def test_an_attached_stop_that_came_with_another_positions_entry_is_not_ours() -> None:
    life = protected(ATTACHED)
    other = position_id(signal_id="other", account="one", symbol=life.it.symbol, side=Side.LONG)
    late = nameless(client_id=client_id(other, Leg.ENTRY, 0), live=False, trigger_price=None, reason="triggered")
    life.happens(StopChanged(late))
    assert life.is_now(State.PROTECTED)
    assert life.it.stops[-1].is_live


def test_an_attached_stop_that_came_with_this_positions_entry_is_ours() -> None:
    life = protected(ATTACHED)
    life.happens(StopChanged(nameless(client_id=life.it.entry.client_id, live=False, trigger_price=None,
                                      reason="triggered")))  # fmt: skip
    assert life.is_now(State.CLOSING)


def test_a_fill_of_an_attached_stop_has_no_name_and_says_why_the_position_ends() -> None:
    life = protected(ATTACHED)
    sold = fill("stop-1", "", life.it.side.exit, "1", "94")
    life.happens(Filled(evolve(sold, cause="stop")))
    assert life.it.exit is not None
    assert life.it.exit.reason == life.it.stops[-1].wanted_by
    assert life.it.stops[-1].state is LegState.TRIGGERED


def test_a_protected_position_whose_stop_is_missing_and_whose_next_is_refused_is_closed_at_once() -> None:
    life = protected(PLAIN)
    first = life.it.stops[0]
    second = evolve(first, client_id=client_id(life.it.id, Leg.STOP, 1), state=LegState.SENT)
    life.it = evolve(life.it, stops=(evolve(first, state=LegState.LOST), second))
    life.happens(StopAnswered(second.client_id, Refusal("-2021", "would trigger at once", crossed=True)))
    assert life.is_now(State.EMERGENCY)
    assert life.asked(SendClose)
