"""Reads that are older than what is known: what they do not show proves nothing, and they do not go on for ever."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from attrs import evolve

from framework.core.happenings import (
    CancelEntry,
    CancelStop,
    CloseAnswered,
    CloseWanted,
    EntryAnswered,
    Filled,
    PlaceStop,
    ReadVenue,
    SendClose,
    StopAnswered,
    VenueRead,
)
from framework.core.lateness import LATE_NS
from framework.core.legs import LegState
from framework.core.orders import OrderStatus, Unknown
from framework.core.position import Position, State
from framework.core.reconcile import AGAIN, LATE, ORPHAN, AccountSeen
from framework.core.recovery import Action
from framework.core.steering import SECOND_NS
from framework.testing import NOW_NS
from tests.core.strategies import (
    Life,
    close_fill,
    entry_fill,
    held,
    opened,
    plan,
    policy,
    protected,
    report,
    resting,
    stop_fill,
)
from tests.core.test_reconcile import found, holds, later, order, shown
from tests.core.test_targets import at_rest

PLAIN = policy()
MINUTE_NS = 60 * SECOND_NS


def by_its_answer() -> Life:
    """Filled and protected as answers say; of its execution nobody has told."""
    life = Life(PLAIN, plan())
    life.happens(EntryAnswered(life.it.entry.client_id, report(life.it.entry.client_id, OrderStatus.FILLED, "1")))
    life.happens(StopAnswered(life.ids[0], resting(life.ids[0], "94")))
    return life


@pytest.mark.parametrize("life", [lambda: protected(PLAIN), by_its_answer], ids=["execution", "answer"])
def test_flat_reads_without_the_entrys_execution_close_nothing_and_take_no_stop_away(life: Callable[[], Life]) -> None:
    one = life()

    for _ in range(10):
        one.read_late(None, after_ns=MINUTE_NS)
        assert one.is_now(State.PROTECTED)
        assert (one.asked(CancelStop), one.asked(PlaceStop)) == ([], [])
        assert one.asked(ReadVenue)

    assert one.it.stops[0].missing == 0


def test_a_read_that_is_never_given_the_execution_is_believed_in_the_end() -> None:
    life = protected(PLAIN)

    life.read_late(None, after_ns=LATE_NS)
    life.read_late(None, after_ns=SECOND_NS)

    assert life.is_now(State.CLOSED)


def test_a_late_read_that_shows_nothing_keeps_no_stop_from_being_placed() -> None:
    life = opened(PLAIN)
    life.happens(StopAnswered(life.ids[0], Unknown("timeout")))

    life.read(held("1"), after_ns=SECOND_NS)
    life.read_late(None, after_ns=SECOND_NS)

    assert [stop.state for stop in life.it.stops] == [LegState.LOST, LegState.SENT]


def test_a_late_read_does_not_move_the_stop_back_to_where_it_rested() -> None:
    life = protected(PLAIN)
    life.happens(StopAnswered(life.ids[0], resting(life.ids[0], "95")))

    life.read_late(None, resting(life.ids[0], "94"))

    assert str(life.it.stops[0].trigger_price) == "95"


def test_a_stop_of_unknown_outcome_that_a_late_read_shows_is_there() -> None:
    life = opened(PLAIN)
    life.happens(StopAnswered(life.ids[0], Unknown("timeout")))

    life.read_late(None, resting(life.ids[0], "94"))

    assert life.is_now(State.PROTECTED)


def test_a_close_that_nobody_answered_is_sent_again_although_late_reads_show_nothing_held() -> None:
    life = protected(PLAIN)
    life.happens(CloseWanted("operator"))
    life.happens(CloseAnswered(life.it.closes[0].client_id, Unknown("timeout")))

    life.read_late(None, after_ns=SECOND_NS)

    (again,) = life.asked(SendClose)
    assert (again.order.client_id[-2:], str(again.order.quantity)) == ("x1", "1")
    assert not life.asked(CancelStop)


def test_executions_end_a_position_that_a_late_read_still_shows_and_nobody_is_called() -> None:
    life = protected(PLAIN)
    life.happens(Filled(stop_fill(life.it)))
    assert life.is_now(State.CLOSING)

    life.happens(VenueRead(life.now_ns, held("1"), (resting(life.ids[0], "94"),), {}, (entry_fill(life.it),)))

    assert (life.it.state, life.codes) == (State.CLOSED, [])


def test_an_entrys_execution_that_nobody_told_is_waited_for() -> None:
    life = by_its_answer()
    life.happens(Filled(stop_fill(life.it)))

    life.read_late(held("1"), after_ns=SECOND_NS)
    assert life.is_now(State.CLOSING)
    assert life.asked(ReadVenue)
    life.read(None, fills=(entry_fill(life.it),), after_ns=SECOND_NS)

    assert life.is_now(State.CLOSED)
    assert len(life.it.fills) == 2


def left_by_its_stop() -> Life:
    """An entry that was only acknowledged; the execution of the stop that came with it is told."""
    life = Life(policy(attaches=True), plan())
    life.happens(EntryAnswered(life.it.entry.client_id, report(life.it.entry.client_id, OrderStatus.NEW)))
    life.happens(Filled(stop_fill(life.it)))
    return life


def test_the_end_of_an_entry_that_nobody_told_is_waited_for_while_reads_lack_the_exit_and_nobody_is_called() -> None:
    life = left_by_its_stop()

    for late in (None, held("1"), None, held("1")):
        life.read_late(late, after_ns=MINUTE_NS)
        assert life.is_now(State.CLOSING)
        assert life.asked(ReadVenue)

    assert life.codes == []


def test_an_entry_that_late_reads_show_at_rest_is_cancelled_once_its_position_was_closed() -> None:
    life = left_by_its_stop()
    entry = life.it.entry.client_id
    life.happens(EntryAnswered(entry, Unknown("timeout")))

    life.happens(VenueRead(life.now_ns, None, (), {entry: report(entry, OrderStatus.NEW)}))

    assert life.asked(CancelEntry) == [CancelEntry(entry)]


def given_up() -> Life:
    """Its entry is lost: nobody told its end until long after the execution of its stop."""
    life = left_by_its_stop()
    life.happens(EntryAnswered(life.it.entry.client_id, Unknown("timeout")))
    for _ in range(4):
        life.read(None, after_ns=MINUTE_NS)
    assert life.is_now(State.CLOSED)
    return life


def told_by_an_answer(life: Life) -> None:
    entry = life.it.entry.client_id
    life.happens(EntryAnswered(entry, report(entry, OrderStatus.FILLED, "1")))


def told_by_a_read(life: Life) -> None:
    entry = life.it.entry.client_id
    orders = {entry: report(entry, OrderStatus.FILLED, "1")}
    life.happens(VenueRead(life.now_ns, None, (), orders, (stop_fill(life.it),)))


@pytest.mark.parametrize("told", [told_by_an_answer, told_by_a_read], ids=["answer", "read"])
def test_a_closed_position_whose_entry_is_told_filled_is_watched_until_its_execution_is_told(
    told: Callable[[Life], None],
) -> None:
    life = given_up()
    told(life)
    assert not life.it.is_settled

    life.read(None, fills=(entry_fill(life.it),), after_ns=SECOND_NS)

    assert len(life.it.fills) == 2
    assert life.it.is_settled


def test_a_position_that_is_held_to_be_somebody_elses_is_watched_until_its_entrys_execution_is_told() -> None:
    life = by_its_answer()
    life.happens(Filled(stop_fill(life.it)))
    for _ in range(2):
        life.happens(VenueRead(life.now_ns, held("1"), (), {}, (stop_fill(life.it),)), after_ns=MINUTE_NS)
    assert life.is_now(State.CLOSED)

    life.read(None, fills=(entry_fill(life.it),), after_ns=SECOND_NS)

    assert len(life.it.fills) == 2
    assert life.it.is_settled


def test_a_stop_of_unknown_outcome_is_looked_for_until_reads_have_caught_up_with_the_close() -> None:
    life = opened(PLAIN)
    life.happens(StopAnswered(life.ids[0], Unknown("timeout")), CloseWanted("operator"))
    life.happens(Filled(close_fill(life.it)))
    life.read_late(None)
    assert life.is_now(State.CLOSED)

    for _ in range(5):
        life.read_late(None, after_ns=MINUTE_NS)
        assert not life.it.is_settled
        assert life.asked(ReadVenue)
    life.read(None, resting(life.ids[0], "94"))

    assert [command.client_id for command in life.asked(CancelStop)] == [life.ids[0]]


# ── the account ─────────────────────────────────────────────────────────────────────────────────────────────


def over() -> Position:
    """A position that its stop closed, with nothing of it left."""
    life = protected(PLAIN)
    life.happens(Filled(stop_fill(life.it)))
    life.read(None)
    assert life.it.is_settled
    return life.it


def ghost(now_ns: int, *, exits: bool = False) -> AccountSeen:
    """The position is there, with its entry's execution; its exit's only where asked for."""
    gone = over()
    fills = (entry_fill(gone), stop_fill(gone)) if exits else (entry_fill(gone),)
    return evolve(shown(holds("1"), order(f"fw-{gone.id}-s0"), fills=fills), time_ns=now_ns)


def test_a_position_that_a_late_reading_still_shows_is_not_adopted_however_often() -> None:
    first = ghost(NOW_NS + MINUTE_NS)
    assert found(first, over()) == [(LATE, Action.WAIT, "")]
    assert found(later(first), over(), before=first) == [(LATE, Action.WAIT, "")]


def test_a_position_that_is_there_again_after_the_exit_is_adopted() -> None:
    first = ghost(NOW_NS + MINUTE_NS, exits=True)
    assert found(later(first), over(), before=first) == [(AGAIN, Action.ADOPT, "")]


def test_a_reading_that_is_never_given_the_exit_is_believed_in_the_end() -> None:
    first = ghost(NOW_NS + LATE_NS)
    assert found(later(first), over(), before=first) == [(AGAIN, Action.ADOPT, "")]


def test_an_order_left_behind_is_cancelled_although_another_closed_position_of_its_market_is_watched() -> None:
    watched = evolve(protected(PLAIN).it, state=State.CLOSED, stops=(), watch_until_ns=NOW_NS + LATE_NS)
    left = shown(order("fw-aaaaaaaaaaaaaaaa-s0"))
    assert not watched.is_settled
    assert (ORPHAN, Action.CANCEL, "aaaaaaaaaaaaaaaa") in found(later(left), watched, before=left)


def test_a_late_read_that_shows_a_target_filled_says_so() -> None:
    life = at_rest(("1", "0.4"), ("3", "0.6"))
    (first, second) = life.it.targets
    taken = report(first.client_id, OrderStatus.FILLED, "0.4")

    life.happens(VenueRead(life.now_ns, None, (), {first.client_id: taken}))

    assert [leg.filled for leg in life.it.targets] == [Decimal("0.4"), Decimal(0)]
    assert [leg.state for leg in life.it.targets] == [LegState.DONE, second.state]
