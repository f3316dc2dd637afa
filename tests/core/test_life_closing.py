"""A position on its way out: reduce-only, read back before each try, its stops there until the venue is flat."""

from __future__ import annotations

import pytest
from attrs import evolve

from framework.core.handlers import CLOSE_TRIES
from framework.core.happenings import (
    CancelStop,
    CloseAnswered,
    CloseWanted,
    DeadlinePassed,
    Filled,
    PlaceStop,
    PriceReached,
    ReadFailed,
    ReadVenue,
    SendClose,
    StopAnswered,
    StopChanged,
)
from framework.core.legs import LegState
from framework.core.orders import OrderStatus, Refusal, Unknown
from framework.core.position import State
from framework.core.signal import OrderSide, Side
from framework.core.steering import SECOND_NS, TIDY_NS, TRIGGER_GRACE_NS
from framework.testing import NOW_NS
from tests.core.strategies import (
    D,
    FixedStop,
    Life,
    Trailer,
    close_fill,
    entry_fill,
    foreign_fill,
    gone,
    held,
    opened,
    policy,
    protected,
    report,
    resting,
    stop_fill,
)

PLAIN = policy()
ATTACHED = policy(attaches=True, amends=True)
LONG_AGO_NS = 60 * SECOND_NS


def closing(life: Life) -> Life:
    """A close was sent."""
    life.happens(CloseWanted("operator"))
    return life


def close_answer(life: Life, status: OrderStatus, filled: str = "0") -> CloseAnswered:
    """The venue's report of the last close."""
    identifier = life.it.closes[-1].client_id
    return CloseAnswered(identifier, report(identifier, status, filled))


# ── stops that act ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("policy_", [PLAIN, ATTACHED], ids=["own stop", "attached stop"])
def test_a_stop_that_fills_closes_the_position_once_the_venue_is_flat(policy_: object) -> None:
    life = protected(policy_)  # type: ignore[arg-type]

    life.happens(Filled(stop_fill(life.it)))
    assert life.is_now(State.CLOSING)
    life.read(None, after_ns=SECOND_NS)

    assert life.is_now(State.CLOSED)
    assert life.it.exit is not None
    assert (life.it.exit.reason, life.it.exit.trigger_price) == ("fixed", D(94))
    assert life.it.realized_pnl_usd == D("-6.02")
    assert life.it.is_settled
    assert not life.asked(SendClose)


def test_a_closed_position_was_closed_when_its_last_execution_happened() -> None:
    life = protected(PLAIN)

    life.happens(Filled(stop_fill(life.it)), after_ns=LONG_AGO_NS)
    life.read(None, after_ns=SECOND_NS)

    assert life.it.closed_ns == NOW_NS


def test_a_stop_that_triggers_has_a_grace_to_fill_and_then_a_close_is_sent() -> None:
    life = protected(PLAIN)
    life.happens(StopChanged(gone(life.ids[0], "triggered")))
    assert (life.it.state, life.asked(PlaceStop)) == (State.CLOSING, [])

    life.read(held("1"), after_ns=TRIGGER_GRACE_NS - 1)
    assert not life.asked(SendClose)
    life.read(held("1"), after_ns=1)

    assert life.asked(SendClose)[0].order.quantity == D(1)


def test_a_stop_that_fills_only_in_part_is_finished_by_a_close() -> None:
    life = protected(PLAIN)
    life.happens(Filled(stop_fill(life.it, "0.4")))

    life.read(held("0.6"), after_ns=TRIGGER_GRACE_NS)

    assert life.asked(SendClose)[0].order.quantity == D("0.6")


def test_an_execution_of_the_exit_that_is_told_twice_counts_once() -> None:
    life = protected(PLAIN)

    life.happens(Filled(stop_fill(life.it)), Filled(stop_fill(life.it)))
    life.read(None, fills=(entry_fill(life.it), stop_fill(life.it)))
    life.happens(Filled(stop_fill(life.it)))

    assert (life.it.state, life.it.exited, life.it.realized_pnl_usd) == (State.CLOSED, D(1), D("-6.02"))


def test_what_the_venue_does_has_its_own_reason() -> None:
    life = protected(PLAIN)
    fill = evolve(foreign_fill(life.it, "1", opens=False), cause="liquidation")

    life.happens(Filled(fill))
    life.read(None)

    assert life.it.exit is not None
    assert life.it.exit.reason == "liquidation"


# ── closes of ours ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("side", "exits"), [(Side.LONG, OrderSide.SELL), (Side.SHORT, OrderSide.BUY)])
def test_a_close_is_for_all_that_is_open_and_leaves_the_stops_alone(side: Side, exits: OrderSide) -> None:
    life = closing(protected(PLAIN, side))

    (sent,) = life.asked(SendClose)
    assert (sent.order.side, sent.order.quantity) == (exits, D(1))
    assert not life.asked(CancelStop)


def test_stops_leave_once_the_venue_is_flat() -> None:
    life = closing(protected(PLAIN))
    life.happens(Filled(close_fill(life.it)), close_answer(life, OrderStatus.FILLED, "1"))
    assert not life.asked(CancelStop)

    life.read(None, resting(life.ids[0], "94"))

    assert life.is_now(State.CLOSED)
    assert life.asked(CancelStop) == [CancelStop(life.ids[0])]


def test_a_second_close_is_not_sent_while_the_first_is_unanswered() -> None:
    life = closing(protected(PLAIN))

    life.happens(CloseWanted("again"))
    life.read(held("1"))

    assert not life.asked(SendClose)


@pytest.mark.parametrize("answer", [Unknown("timeout"), Refusal("busy", "not now", for_good=False)])
def test_a_close_that_was_not_confirmed_is_tried_again_only_after_a_look(answer: object) -> None:
    life = closing(protected(PLAIN))

    life.happens(CloseAnswered(life.it.closes[0].client_id, answer))  # type: ignore[arg-type]
    assert (life.asked(SendClose), len(life.asked(ReadVenue))) == ([], 1)
    life.read(held("1"))

    assert life.asked(SendClose)[0].order.client_id != life.it.closes[0].client_id


def test_a_close_that_is_refused_because_the_venue_is_flat_is_not_repeated() -> None:
    life = closing(protected(PLAIN))
    life.happens(CloseAnswered(life.it.closes[0].client_id, Refusal("-2022", "reduce-only rejected")))

    life.read(None, fills=(stop_fill(life.it),))

    assert (life.it.state, life.asked(SendClose)) == (State.CLOSED, [])


def waits_of_failing_closes(life: Life, answer: Refusal | Unknown) -> list[float]:
    """After how many seconds the position is read, for each of ten closes in a row that come to nothing."""
    waits = []
    for _ in range(10):
        life.happens(CloseAnswered(life.it.closes[-1].client_id, answer))
        waits.append(life.asked(ReadVenue)[0].delay_ns / SECOND_NS)
        life.read(held("1"), *(resting(each.client_id, each.trigger_price) for each in life.it.stops if each.is_live))
    return waits


REFUSED, LOST = Refusal("busy", "not now", for_good=False), Unknown("no answer")


@pytest.mark.parametrize("answer", [REFUSED, LOST])
def test_closes_that_fail_again_and_again_come_less_often_but_never_seconds_late(answer: Refusal | Unknown) -> None:
    waits = waits_of_failing_closes(closing(protected(PLAIN)), answer)

    assert waits == [0.5, 1, 2, *[4] * 7]


@pytest.mark.parametrize("answer", [REFUSED, LOST])
def test_what_no_stop_protects_is_closed_again_at_once_and_then_four_times_a_second(answer: Refusal | Unknown) -> None:
    life = opened(PLAIN)
    life.happens(StopAnswered(life.it.stops[-1].client_id, Refusal("-2021", "crossed", crossed=True)))

    waits = waits_of_failing_closes(life, answer)

    assert waits == [0.05, 0.1, 0.2, *[0.25] * 5, 4, 4]


def test_a_close_that_was_only_acknowledged_is_asked_for_until_it_ends() -> None:
    life = closing(protected(PLAIN))
    identifier = life.it.closes[0].client_id

    life.happens(close_answer(life, OrderStatus.NEW))
    assert identifier in life.asked(ReadVenue)[0].orders
    life.read(held("1"), orders={identifier: report(identifier, OrderStatus.NEW)})
    assert (identifier in life.asked(ReadVenue)[0].orders, life.asked(SendClose)) == (True, [])
    life.read(held("1"), orders={identifier: report(identifier, OrderStatus.CANCELLED)})

    assert life.asked(SendClose)


def test_what_a_close_left_is_closed_as_the_venue_counts_it() -> None:
    life = closing(protected(PLAIN))
    life.happens(close_answer(life, OrderStatus.EXPIRED, "0.3"))

    life.read(held("0.7"))

    assert life.asked(SendClose)[0].order.quantity == D("0.7")


def test_a_read_that_is_older_than_the_close_does_not_stop_the_closing() -> None:
    life = closing(protected(PLAIN))
    life.happens(Filled(close_fill(life.it)), close_answer(life, OrderStatus.FILLED, "1"))

    life.read(held("1"))
    assert (life.asked(SendClose), len(life.asked(ReadVenue))) == ([], 1)
    life.read(None, after_ns=SECOND_NS)

    assert life.is_now(State.CLOSED)


def test_more_than_was_ours_is_never_closed() -> None:
    life = closing(protected(PLAIN))
    life.happens(CloseAnswered(life.it.closes[0].client_id, Unknown("timeout")))

    life.read(held("5"))

    assert life.asked(SendClose)[0].order.quantity == D(1)


def test_a_failed_read_closes_nothing_and_is_said_once() -> None:
    life = protected(PLAIN)

    for _ in range(5):
        life.happens(ReadFailed("timeout"))
        assert life.is_now(State.PROTECTED)
        assert life.asked(ReadVenue)

    assert life.codes == ["read_failed"]
    life.happens(ReadFailed("timeout"))
    assert [alert.level.value for alert in life.alerts] == ["warning", "error"]


# ── closed by somebody else ─────────────────────────────────────────────────────────────────────────────────


def test_a_position_closed_by_hand_is_recorded_as_such_and_its_stop_removed() -> None:
    life = protected(PLAIN)

    life.happens(Filled(foreign_fill(life.it, "1", opens=False)))
    life.read(None, resting(life.ids[0], "94"))

    assert life.is_now(State.CLOSED)
    assert life.it.exit is not None
    assert life.it.exit.reason == "closed_elsewhere"
    assert life.asked(CancelStop)


def test_a_position_reduced_by_hand_stays_protected() -> None:
    life = protected(PLAIN)

    life.happens(Filled(foreign_fill(life.it, "0.4", opens=False)))

    assert (life.it.state, life.it.open_quantity) == (State.PROTECTED, D("0.6"))
    assert life.commands == ()


def test_what_others_sold_before_the_position_was_open_is_not_its_exit() -> None:
    life = opened(PLAIN)

    life.happens(Filled(foreign_fill(life.it, "1", opens=False, later_ns=-1)))

    assert (life.it.state, life.it.open_quantity) == (State.UNPROTECTED, D(1))


def test_flat_without_executions_is_believed_only_twice() -> None:
    life = protected(PLAIN)

    life.read(None, resting(life.ids[0], "94"), after_ns=LONG_AGO_NS)
    assert life.is_now(State.PROTECTED)
    life.read(None, resting(life.ids[0], "94"), after_ns=SECOND_NS)

    assert life.is_now(State.CLOSED)


def test_a_position_that_comes_back_between_two_reads_was_never_gone() -> None:
    life = protected(PLAIN)
    stop = resting(life.ids[0], "94")

    for position in (None, held("1"), None, held("1"), None):
        life.read(position, stop, after_ns=LONG_AGO_NS)

    assert life.is_now(State.PROTECTED)


def test_flat_just_after_the_fill_is_not_believed_however_often() -> None:
    life = protected(PLAIN)

    for _ in range(29):
        life.read(None, resting(life.ids[0], "94"), after_ns=SECOND_NS)
        assert life.is_now(State.PROTECTED)
        assert life.asked(ReadVenue)
    life.read(None, resting(life.ids[0], "94"), after_ns=SECOND_NS)

    assert life.is_now(State.CLOSED)


def test_a_position_that_was_flat_for_no_reason_is_watched_and_closed_if_it_comes_back() -> None:
    life = protected(PLAIN)
    life.read(None, after_ns=LONG_AGO_NS)
    life.read(None, after_ns=SECOND_NS)
    assert (life.it.state, life.it.is_settled) == (State.CLOSED, False)

    life.read(held("1"), after_ns=LONG_AGO_NS)

    assert life.is_now(State.CLOSING)
    assert life.asked(SendClose)[0].order.quantity == D(1)
    assert "position_reappeared" in life.codes


def test_the_watch_ends_when_the_missing_executions_arrive() -> None:
    life = protected(PLAIN)
    life.read(None, after_ns=LONG_AGO_NS)
    life.read(None, after_ns=SECOND_NS)

    life.happens(Filled(stop_fill(life.it)))

    assert life.it.watch_until_ns is None
    assert life.it.realized_pnl_usd == D("-6.02")


def test_the_watch_ends_after_its_time() -> None:
    life = protected(PLAIN)
    life.read(None, after_ns=LONG_AGO_NS)
    life.read(None, after_ns=SECOND_NS)

    life.read(None, after_ns=PLAIN.watch_ns)

    assert life.it.watch_until_ns is None
    assert not life.asked(ReadVenue)


# ── nothing is left behind ──────────────────────────────────────────────────────────────────────────────────


def closed(life: Life) -> Life:
    """Closed, with a stop whose removal was asked for."""
    closing(life)
    life.happens(Filled(close_fill(life.it)), close_answer(life, OrderStatus.FILLED, "1"))
    life.read(None, resting(life.ids[0], "94"))
    assert life.is_now(State.CLOSED)
    return life


def test_a_stop_whose_removal_is_confirmed_settles_the_position() -> None:
    life = closed(protected(PLAIN))

    life.happens(StopAnswered(life.ids[0], gone(life.ids[0]), cancelling=True))

    assert life.it.is_settled


@pytest.mark.parametrize("answer", [Unknown("timeout"), Refusal("busy", "not now")])
def test_a_stop_whose_removal_failed_is_removed_after_the_next_look(answer: object) -> None:
    life = closed(protected(PLAIN))

    life.happens(StopAnswered(life.ids[0], answer, cancelling=True))  # type: ignore[arg-type]
    assert not life.it.is_settled
    life.read(None, resting(life.ids[0], "94"), after_ns=5 * SECOND_NS)

    assert life.asked(CancelStop) == [CancelStop(life.ids[0])]


def test_a_stop_that_lands_after_the_end_is_removed() -> None:
    life = closing(opened(PLAIN))
    life.happens(Filled(close_fill(life.it)), close_answer(life, OrderStatus.FILLED, "1"))
    life.read(None)
    assert life.is_now(State.CLOSED)

    life.happens(StopAnswered(life.ids[0], resting(life.ids[0], "94")))

    assert life.asked(CancelStop) == [CancelStop(life.ids[0])]


def test_a_stop_in_doubt_is_looked_for_until_it_can_not_turn_up_any_more() -> None:
    life = closing(opened(PLAIN))
    life.happens(StopAnswered(life.ids[0], Unknown("timeout")))
    life.happens(Filled(close_fill(life.it)), close_answer(life, OrderStatus.FILLED, "1"))
    life.read(None)

    looks = 0
    while life.asked(ReadVenue):
        looks += 1
        life.read(None, after_ns=5 * SECOND_NS)

    assert life.it.is_settled
    assert looks > 3


def test_a_stop_that_was_given_up_and_is_shown_after_all_is_removed_while_its_position_is_watched() -> None:
    life = opened(PLAIN)
    life.happens(StopAnswered(life.ids[0], Unknown("timeout")))
    while life.it.stops[0].state is not LegState.DONE:
        life.read(None, after_ns=LONG_AGO_NS)
    assert (life.it.state, life.it.is_settled) == (State.CLOSED, False)

    life.read(None, resting(life.ids[0], "94"))

    assert life.asked(CancelStop) == [CancelStop(life.ids[0])]


def test_an_attached_stop_goes_with_its_position() -> None:
    life = protected(ATTACHED)

    life.happens(Filled(foreign_fill(life.it, "1", opens=False)))
    life.read(None)

    assert (life.it.state, life.it.is_settled, life.asked(CancelStop)) == (State.CLOSED, True, [])


def test_a_late_execution_of_the_entry_opens_a_closed_position_again_and_closes_it() -> None:
    life = closed(protected(PLAIN, quantity="1"))

    life.happens(Filled(entry_fill(life.it, "0.5", number=9)))

    assert life.is_now(State.CLOSING)
    assert life.asked(SendClose)[0].order.quantity == D("0.5")


def test_a_position_that_is_open_again_is_not_closed_twice_while_its_last_close_has_no_answer() -> None:
    life = closing(protected(PLAIN))
    life.happens(Filled(close_fill(life.it)))
    life.read(None)
    assert life.is_now(State.CLOSED)

    life.happens(Filled(entry_fill(life.it, "0.5", number=9)))
    assert (life.it.state, life.asked(SendClose)) == (State.CLOSING, [])
    life.happens(close_answer(life, OrderStatus.FILLED, "1"))
    life.read(held("0.5"))

    assert life.asked(SendClose)[0].order.quantity == D("0.5")


def test_stops_that_move_while_it_closes_are_noted_and_swept_at_the_end() -> None:
    trailing = policy((FixedStop(), Trailer()))
    life = protected(trailing)
    closing(life)

    life.happens(StopChanged(resting(life.ids[0], "94")), StopAnswered(life.ids[0], resting(life.ids[0], "94")))

    assert (life.it.state, life.commands) == (State.CLOSING, ())


# ── a remainder that the venue takes no order for ───────────────────────────────────────────────────────────

TOO_SMALL = Refusal("-4164", "notional below the minimum")
DUST = "0.001"


def dust() -> Life:
    """All but a rest was closed by hand, the stop is gone, and the venue takes no other one for so little."""
    life = protected(PLAIN)
    life.happens(Filled(foreign_fill(life.it, "0.999", opens=False)), StopChanged(gone(life.ids[0])))
    life.happens(StopAnswered(life.ids[-1], TOO_SMALL))
    return life


def close_refused(life: Life, times: int) -> None:
    """The close is refused for good so often, each time after the venue was read again."""
    for number in range(times):
        if number:
            life.read(held(DUST), after_ns=60 * SECOND_NS)
        life.happens(CloseAnswered(life.it.closes[-1].client_id, TOO_SMALL))


def test_a_remainder_too_small_for_a_stop_is_closed() -> None:
    life = dust()
    assert life.is_now(State.EMERGENCY)
    assert [close.order.quantity for close in life.asked(SendClose)] == [D(DUST)]


def test_a_remainder_that_can_be_neither_protected_nor_closed_is_a_case_for_a_person_told_once() -> None:
    life = dust()
    close_refused(life, CLOSE_TRIES - 1)
    assert (life.it.state, "close_refused" in life.codes) == (State.EMERGENCY, False)

    life.read(held(DUST), after_ns=60 * SECOND_NS)
    close_refused(life, 3)

    assert life.is_now(State.QUARANTINED)
    assert life.codes.count("close_refused") == 1
    assert life.asked(ReadVenue)[0].delay_ns == TIDY_NS


def test_a_remainder_that_could_not_be_closed_is_tried_again_and_closed_when_the_venue_takes_it() -> None:
    life = dust()
    close_refused(life, CLOSE_TRIES)
    life.read(held(DUST), after_ns=TIDY_NS)
    assert (life.it.state, len(life.asked(SendClose))) == (State.QUARANTINED, 1)

    life.happens(close_answer(life, OrderStatus.FILLED, DUST), Filled(close_fill(life.it, DUST)))
    life.read(None, after_ns=SECOND_NS)

    assert life.is_now(State.CLOSED)


def test_what_could_not_be_closed_is_left_alone_by_prices_and_deadlines() -> None:
    life = dust()
    close_refused(life, CLOSE_TRIES)
    life.happens(PriceReached(D(101), life.now_ns))
    assert (life.it.state, life.commands) == (State.QUARANTINED, ())
    life.happens(DeadlinePassed(), after_ns=PLAIN.protect_within_ns)
    assert (life.it.state, life.commands) == (State.QUARANTINED, ())


def test_an_operator_may_ask_again_to_close_what_could_not_be_closed() -> None:
    life = dust()
    close_refused(life, CLOSE_TRIES)
    life.happens(CloseWanted("flatten"))
    assert len(life.asked(SendClose)) == 1


def test_a_close_that_is_refused_for_now_is_no_case_for_a_person() -> None:
    life = dust()
    for _ in range(3 * CLOSE_TRIES):
        life.happens(CloseAnswered(life.it.closes[-1].client_id, Refusal("-1008", "busy", for_good=False)))
        life.read(held(DUST), after_ns=60 * SECOND_NS)
    assert (life.it.state, "close_refused" in life.codes) == (State.EMERGENCY, False)


# ── executions of another time ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("decided_off_s", [-3600, 0, 3600])
def test_an_attached_stop_that_acted_before_the_position_was_opened_is_not_its_own(decided_off_s: int) -> None:
    life = protected(ATTACHED)
    life.it = evolve(life.it, decided_ns=life.it.decided_ns + decided_off_s * SECOND_NS)
    earlier = evolve(stop_fill(life.it, number=7), client_id="", time_ns=NOW_NS - 60 * SECOND_NS)

    life.read(held("1"), resting(life.ids[0], "94"), fills=(earlier, entry_fill(life.it)), after_ns=SECOND_NS)

    assert (life.it.state, life.it.open_quantity) == (State.PROTECTED, D(1))


def test_without_an_own_execution_the_decision_says_which_ones_are_too_old() -> None:
    life = protected(ATTACHED)
    earlier = evolve(stop_fill(life.it, number=7), client_id="", time_ns=NOW_NS - 60 * SECOND_NS)
    life.read(held("1"), resting(life.ids[0], "94"), fills=(earlier,), after_ns=SECOND_NS)
    assert life.is_now(State.PROTECTED)
