"""A position and its stop: placed at once, tried a bounded number of times, moved without a gap, never loosened."""

from __future__ import annotations

import pytest
from attrs import evolve

from framework.core.happenings import (
    CancelStop,
    DeadlinePassed,
    EntryAnswered,
    MoveStop,
    NoteStop,
    PlaceStop,
    PriceReached,
    ReadFailed,
    ReadVenue,
    SendClose,
    SendEntry,
    StartDeadline,
    StopAnswered,
    StopChanged,
)
from framework.core.legs import KEPT_LEGS, LegState
from framework.core.market import PriceSource
from framework.core.orders import OrderStatus, Refusal, StopReport, Unknown
from framework.core.position import State
from framework.core.protection import Ask, Guard, Holding, NoState
from framework.core.signal import Side
from framework.core.steering import SECOND_NS
from framework.testing import NOW_NS, SYMBOL
from tests.core.strategies import (
    D,
    FixedStop,
    Life,
    Trailer,
    gone,
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
AMENDING = policy((FixedStop(), Trailer()), amends=True)
LATER = Refusal("-4509", "no position yet", for_good=False)
NEVER = Refusal("-2027", "too many stops", for_good=True)
CROSSED = Refusal("-2021", "would immediately trigger", crossed=True)


def answered(life: Life, answer: object, which: int = -1) -> StopAnswered:
    """An answer about one of the position's stops."""
    return StopAnswered(life.ids[which], answer)  # type: ignore[arg-type]


def price(life: Life, at: str) -> PriceReached:
    """A price that was asked for."""
    return PriceReached(D(at), life.now_ns)


# ── placing ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stop_that_rests_protects() -> None:
    life = opened(PLAIN)

    life.happens(answered(life, resting(life.ids[0], "94")), after_ns=7)

    assert life.is_now(State.PROTECTED)
    assert (life.it.protected_ns, life.it.initial_stop, life.it.unprotected_since_ns) == (life.now_ns, D(94), None)


def test_a_stop_that_is_refused_for_now_is_placed_again_under_another_id() -> None:
    life = opened(PLAIN)

    life.happens(answered(life, LATER))

    assert life.asked(PlaceStop)[0].order.client_id == life.ids[1] != life.ids[0]
    assert life.is_now(State.UNPROTECTED)


def test_after_the_last_try_the_position_is_closed() -> None:
    life = opened(PLAIN)

    for _ in range(PLAIN.stop_tries):
        assert life.is_now(State.UNPROTECTED)
        life.happens(answered(life, LATER))

    assert life.is_now(State.EMERGENCY)
    assert life.asked(SendClose)[0].order.quantity == D(1)
    assert "stop_refused" in life.codes


def test_a_stop_that_is_refused_for_good_is_not_tried_again() -> None:
    life = opened(PLAIN)

    life.happens(answered(life, NEVER))

    assert life.is_now(State.EMERGENCY)
    assert not life.asked(PlaceStop)


def test_a_stop_whose_price_was_passed_already_closes_the_position() -> None:
    life = opened(PLAIN)

    life.happens(answered(life, CROSSED))

    assert life.is_now(State.EMERGENCY)
    assert life.it.exit is not None
    assert life.it.exit.reason == "emergency:stop_crossed"


def test_a_stop_that_was_accepted_but_does_not_rest_counts_as_a_try() -> None:
    life = opened(PLAIN)

    for _ in range(PLAIN.stop_tries):
        life.happens(answered(life, gone(life.ids[-1], "expired")))

    assert life.is_now(State.EMERGENCY)


def test_a_stop_of_unknown_outcome_is_looked_for_and_found() -> None:
    life = opened(PLAIN)
    life.happens(answered(life, Unknown("timeout")))
    assert (life.asked(PlaceStop), life.asked(ReadVenue)[0].delay_ns) == ([], 0)

    life.read(held("1"), resting(life.ids[0], "94"))

    assert life.is_now(State.PROTECTED)
    assert not life.asked(PlaceStop)


def test_a_stop_of_unknown_outcome_that_is_not_there_is_placed_anew() -> None:
    life = opened(PLAIN)
    life.happens(answered(life, Unknown("timeout")))

    life.read(held("1"))

    assert life.asked(PlaceStop)[0].order.client_id == life.ids[1]


def test_a_first_stop_that_turns_up_after_its_second_was_placed_is_removed_once_both_are_seen() -> None:
    life = opened(PLAIN)
    life.happens(answered(life, Unknown("timeout")))
    life.read(held("1"))
    life.happens(answered(life, resting(life.ids[1], "94")))

    life.read(held("1"), resting(life.ids[0], "94"), resting(life.ids[1], "94"), after_ns=SECOND_NS)

    assert life.is_now(State.PROTECTED)
    assert len(life.asked(CancelStop)) == 1


def test_an_answer_that_is_older_than_a_read_without_the_stop_does_not_let_the_others_go() -> None:
    life = protected(TRAILING)
    life.happens(price(life, "103"))
    new = life.asked(PlaceStop)[0].order
    life.read(held("1"), resting(life.ids[0], "94"))

    life.happens(StopAnswered(new.client_id, resting(new.client_id, "101")))

    assert not life.asked(CancelStop), "a read that came later did not show it"
    life.read(held("1"), resting(life.ids[0], "94"), resting(new.client_id, "101"), after_ns=SECOND_NS)
    assert life.ids[0] in [command.client_id for command in life.asked(CancelStop)]


# ── the deadline ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_position_that_is_naked_for_too_long_is_closed() -> None:
    life = opened(PLAIN)

    life.happens(DeadlinePassed(), after_ns=PLAIN.protect_within_ns)

    assert life.is_now(State.EMERGENCY)
    assert "unprotected_too_long" in life.codes


def test_a_deadline_that_rings_early_rings_again() -> None:
    life = opened(PLAIN)

    life.happens(DeadlinePassed(), after_ns=PLAIN.protect_within_ns - 1)
    assert (life.it.state, life.asked(StartDeadline)) == (State.UNPROTECTED, [StartDeadline(1)])
    life.happens(DeadlinePassed(), after_ns=1)

    assert life.is_now(State.EMERGENCY)


def test_a_later_gap_has_a_deadline_of_its_own() -> None:
    life = protected(PLAIN)
    life.happens(StopChanged(gone(life.ids[0])), after_ns=PLAIN.protect_within_ns - 1)
    assert life.asked(StartDeadline)

    life.happens(DeadlinePassed(), after_ns=1)

    assert life.is_now(State.UNPROTECTED)


def test_the_deadline_of_a_protected_position_means_nothing() -> None:
    life = protected(PLAIN)

    life.happens(DeadlinePassed(), after_ns=PLAIN.protect_within_ns)

    assert (life.it.state, life.commands) == (State.PROTECTED, ())


def test_an_unknown_stop_and_a_venue_that_cannot_be_read_end_in_a_close() -> None:
    life = opened(PLAIN)
    life.happens(answered(life, Unknown("timeout")), ReadFailed("timeout"), ReadFailed("timeout"))

    life.happens(DeadlinePassed(), after_ns=PLAIN.protect_within_ns)

    assert life.asked(SendClose)


# ── moving ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_where_stops_can_be_amended_the_resting_one_is_moved() -> None:
    life = protected(AMENDING)

    life.happens(price(life, "103"))

    (moved,) = life.asked(MoveStop)
    assert (moved.order.client_id, moved.order.trigger_price) == (life.ids[0], D(101))
    assert life.asked(NoteStop)[0].to_price == D(101)
    assert life.it.live_stop is not None, "it rests at one of the two prices"


def test_elsewhere_the_new_stop_rests_before_the_old_one_is_cancelled() -> None:
    life = protected(TRAILING)

    life.happens(price(life, "103"))
    assert (len(life.asked(PlaceStop)), life.asked(CancelStop)) == (1, [])
    life.happens(answered(life, resting(life.ids[1], "101")))

    assert life.asked(CancelStop) == [CancelStop(life.ids[0])]
    assert life.it.live_stop is not None
    assert life.it.live_stop.client_id == life.ids[1]


def test_a_cancellation_that_failed_is_tried_again_after_a_look() -> None:
    life = protected(TRAILING)
    life.happens(price(life, "103"))
    life.happens(answered(life, resting(life.ids[1], "101")))

    life.happens(StopAnswered(life.ids[0], Unknown("timeout"), cancelling=True))
    assert (life.asked(CancelStop), len(life.asked(ReadVenue))) == ([], 1)
    life.read(held("1"), resting(life.ids[0], "94"), resting(life.ids[1], "101"), after_ns=SECOND_NS)

    assert life.asked(CancelStop) == [CancelStop(life.ids[0])]


def test_a_move_of_unknown_outcome_leaves_the_position_protected_and_is_looked_up() -> None:
    life = protected(AMENDING)
    life.happens(price(life, "103"))

    life.happens(answered(life, Unknown("timeout")))
    assert (life.it.state, len(life.asked(ReadVenue))) == (State.PROTECTED, 1)
    assert life.it.live_stop is not None, "it rests at one of the two prices"
    life.read(held("1"), resting(life.ids[0], "94"))

    assert life.asked(MoveStop)[0].order.trigger_price == D(101)


@pytest.mark.parametrize("policy_", [TRAILING, AMENDING])
def test_a_new_stop_that_is_refused_for_good_leaves_the_old_one(policy_: object) -> None:
    life = protected(policy_)  # type: ignore[arg-type]
    life.happens(price(life, "103"))

    life.happens(answered(life, NEVER))

    assert life.is_now(State.PROTECTED)
    assert life.it.live_stop is not None
    assert life.it.live_stop.trigger_price == D(94)
    assert "stop_not_moved" in life.codes


def test_a_move_that_is_refused_for_now_is_tried_a_bounded_number_of_times() -> None:
    life = protected(AMENDING)
    life.happens(price(life, "103"))

    tries = 0
    while life.asked(MoveStop):
        tries += 1
        life.happens(answered(life, LATER))

    assert tries == AMENDING.stop_tries
    assert life.is_now(State.PROTECTED)


def test_a_move_that_is_refused_for_now_is_tried_again_later_without_another_price() -> None:
    life = protected(AMENDING)
    life.happens(price(life, "103"))
    while life.asked(MoveStop):
        life.happens(answered(life, LATER))
    assert [each.delay_ns for each in life.asked(ReadVenue)] == [SECOND_NS]

    life.read(held("1"), resting(life.ids[0], "94"))

    assert [each.order.trigger_price for each in life.asked(MoveStop)] == [life.it.wanted_stop]


def test_of_moves_that_go_on_being_refused_people_are_told_once_and_the_pauses_grow() -> None:
    life = protected(AMENDING)
    life.happens(price(life, "103"))
    pauses = []

    for _ in range(4):
        while life.asked(MoveStop):
            life.happens(answered(life, LATER))
        pauses += [each.delay_ns // SECOND_NS for each in life.asked(ReadVenue)]
        life.read(held("1"), resting(life.ids[0], "94"))

    assert (life.codes, pauses) == (["stop_not_moved"], [1, 2, 4, 8])


def test_a_move_that_is_refused_for_good_waits_for_another_price() -> None:
    life = protected(AMENDING)
    life.happens(price(life, "103"))

    life.happens(answered(life, NEVER))

    assert (life.codes, life.asked(ReadVenue)) == (["stop_not_moved"], [])


def test_a_new_stop_whose_price_was_passed_meanwhile_closes_the_position_for_its_protections_reason() -> None:
    life = protected(TRAILING)
    life.happens(price(life, "103"))

    life.happens(answered(life, CROSSED))

    assert life.is_now(State.CLOSING)
    assert life.it.exit is not None
    assert life.it.exit.reason == "trailer"


@pytest.mark.parametrize(("side", "up", "down"), [(Side.LONG, "103", "95"), (Side.SHORT, "97", "105")])
def test_a_price_that_goes_back_does_not_loosen_the_stop(side: Side, up: str, down: str) -> None:
    life = protected(AMENDING, side)
    life.happens(price(life, up))
    life.happens(answered(life, resting(life.ids[0], life.it.wanted_stop)))
    tight = life.it.wanted_stop

    life.happens(price(life, down))

    assert (life.it.wanted_stop, life.asked(MoveStop)) == (tight, [])


def test_ten_thousand_moves_leave_a_record_that_stays_small_and_ids_that_are_new() -> None:
    life = protected(TRAILING)
    seen = set(life.ids)

    for step in range(10_000):
        life.happens(price(life, str(101 + step)))
        new = life.asked(PlaceStop)[0].order
        assert new.client_id not in seen
        seen.add(new.client_id)
        life.happens(StopAnswered(new.client_id, resting(new.client_id, new.trigger_price)))
        old = life.asked(CancelStop)[0].client_id
        life.happens(StopAnswered(old, gone(old), cancelling=True))

    assert len(life.it.stops) <= KEPT_LEGS + 3
    assert max(len(identifier) for identifier in seen) <= 32


# ── what others do to it ────────────────────────────────────────────────────────────────────────────────────


def test_a_stop_that_somebody_cancelled_is_placed_again() -> None:
    life = protected(PLAIN)

    life.happens(StopChanged(gone(life.ids[0])))

    assert life.is_now(State.UNPROTECTED)
    assert life.asked(PlaceStop)[0].order.client_id == life.ids[1]


def test_a_stop_that_one_read_does_not_show_is_looked_for_again_before_it_is_replaced() -> None:
    life = protected(PLAIN)

    life.read(held("1"), after_ns=SECOND_NS)
    assert (life.it.state, life.asked(PlaceStop), len(life.asked(ReadVenue))) == (State.PROTECTED, [], 1)
    life.read(held("1"), after_ns=SECOND_NS)

    assert life.asked(PlaceStop)


def test_what_the_stream_says_of_a_stop_that_is_over_does_not_bring_it_back() -> None:
    life = protected(TRAILING)
    life.happens(price(life, "103"))
    life.happens(answered(life, resting(life.ids[1], "101")))
    life.happens(StopAnswered(life.ids[0], gone(life.ids[0]), cancelling=True))

    life.happens(StopChanged(resting(life.ids[0], "94")))

    assert life.it.stops[0].state is LegState.DONE


# ── protections that misbehave ──────────────────────────────────────────────────────────────────────────────


class Broken:
    """Answers with whatever a test gives it."""

    name = "broken"
    state_type = NoState

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)

    def start(self, holding: Holding) -> Guard:
        return self._next()

    def on_price(self, holding: Holding, state: object, price: object, time_ns: int) -> Guard:
        return self._next()

    def _next(self) -> Guard:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[return-value]


GOOD = Guard(NoState(), D(90), Ask(above=D(101)))
BAD_GUARDS = [
    RuntimeError("bug"),
    None,
    "a stop",
    Guard(NoState(), D("NaN")),
    Guard(NoState(), D(0)),
    Guard(NoState(), D(90), Ask(above=D("NaN"))),
    Guard(NoState(), 90.5),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("bad", BAD_GUARDS, ids=repr)
def test_a_protection_that_breaks_at_the_entry_leaves_the_planned_stop(bad: object) -> None:
    life = opened(policy((Broken(bad),)))

    assert life.it.wanted_stop == life.it.planned_stop == D(94)
    assert life.it.stops
    assert "protection_failed" in life.codes


@pytest.mark.parametrize("bad", BAD_GUARDS, ids=repr)
def test_a_protection_that_breaks_later_leaves_its_last_stop_and_the_others_at_work(bad: object) -> None:
    life = protected(policy((Broken(GOOD, bad), Trailer(), FixedStop())))

    life.happens(price(life, "103"))

    assert life.it.wanted_stop == D(101)
    assert life.codes == ["protection_failed"]
    assert life.it.guards["broken"] == evolve(GOOD, ask=Ask())


def test_a_protection_that_wants_out_closes_the_position() -> None:
    life = protected(policy((Broken(GOOD, evolve(GOOD, close="time-is-up")),)))

    life.happens(price(life, "103"))

    assert life.is_now(State.CLOSING)
    assert life.it.exit is not None
    assert life.it.exit.reason == "time-is-up"
    assert not life.asked(CancelStop), "the stop stays until the venue is flat"


def test_a_protection_that_wants_out_at_the_entry_closes_at_once() -> None:
    life = opened(policy((Broken(evolve(GOOD, close="too-late")),)))

    assert life.is_now(State.CLOSING)


def test_an_answer_for_a_stop_that_is_not_ours_changes_nothing() -> None:
    life = protected(PLAIN)

    life.happens(StopAnswered("somebody-elses", NEVER), StopChanged(gone("somebody-elses")))

    assert (life.it.state, life.commands) == (State.PROTECTED, ())


def test_an_entry_that_fills_on_while_its_stop_is_refused_is_not_forgotten() -> None:
    life = opened(PLAIN)

    life.happens(answered(life, NEVER))
    life.happens(EntryAnswered(life.it.entry.client_id, report(life.it.entry.client_id, OrderStatus.FILLED, "1")))

    assert life.is_now(State.EMERGENCY)


# ── a move and what crosses it ──────────────────────────────────────────────────────────────────────────────


def moving() -> Life:
    """A stop that is being moved from 94 to 108."""
    life = protected(AMENDING)
    life.happens(price(life, "110"))
    assert [move.order.trigger_price for move in life.asked(MoveStop)] == [D(108)]
    return life


@pytest.mark.parametrize("told", ["94", "108"])
def test_an_event_that_crosses_a_move_sends_no_second_one(told: str) -> None:
    life = moving()
    life.happens(StopChanged(resting(life.ids[0], told)))
    assert life.asked(MoveStop) == []
    assert life.it.live_stop is not None
    assert life.it.live_stop.trigger_price == D(told)

    life.happens(answered(life, resting(life.ids[0], "108")))
    assert (life.it.state, life.asked(MoveStop)) == (State.PROTECTED, [])


@pytest.mark.parametrize("shown", ["94", "108"])
def test_a_read_that_crosses_a_move_sends_no_second_one(shown: str) -> None:
    life = moving()
    life.read(held("1"), resting(life.ids[0], shown))
    assert life.asked(MoveStop) == []


def test_the_next_move_waits_for_the_answer_to_the_one_under_way_and_is_sent_once() -> None:
    life = moving()
    life.happens(StopChanged(resting(life.ids[0], "108")))
    life.happens(price(life, "112"))
    assert life.asked(MoveStop) == []

    life.happens(answered(life, resting(life.ids[0], "108")))
    assert [move.order.trigger_price for move in life.asked(MoveStop)] == [D(110)]
    life.happens(StopChanged(resting(life.ids[0], "110")), answered(life, resting(life.ids[0], "110")))
    assert life.asked(MoveStop) == []


def test_a_move_whose_fate_nobody_knows_is_repeated_only_if_a_read_shows_the_old_place() -> None:
    for shown, again in (("94", [D(108)]), ("108", [])):
        life = moving()
        life.happens(answered(life, Unknown("timeout")))
        assert (life.asked(MoveStop), life.asked(ReadVenue) != []) == ([], True)
        life.read(held("1"), resting(life.ids[0], shown))
        assert [move.order.trigger_price for move in life.asked(MoveStop)] == again


@pytest.mark.parametrize("attaches", [False, True])
def test_the_protection_that_owns_the_stop_decides_which_price_triggers_it(attaches: bool) -> None:
    mark = policy((FixedStop(trigger=PriceSource.MARK), Trailer()), attaches=attaches)
    life = Life(mark, evolve(plan(), trigger_by=PriceSource.MARK))
    (entry,) = life.asked(SendEntry)
    life.happens(EntryAnswered(life.it.entry.client_id, report(life.it.entry.client_id, OrderStatus.FILLED, "1")))

    first = entry.order.stop if attaches else life.asked(PlaceStop)[0].order
    assert first is not None
    assert first.trigger_by is PriceSource.MARK
    life.happens(StopAnswered(first.client_id, StopReport(first.client_id, SYMBOL, live=True, trigger_price=D(94))))
    life.happens(PriceReached(D(110), NOW_NS))
    assert life.asked(PlaceStop)[0].order.trigger_by is PriceSource.LAST


# ── reads that fail ─────────────────────────────────────────────────────────────────────────────────────────


def delays_of_failed_reads(life: Life) -> list[float]:
    """After how many seconds the venue is asked again, for each of ten failed reads in a row."""
    delays_s = []
    for _ in range(10):
        life.happens(ReadFailed("503"))
        delays_s.append(life.asked(ReadVenue)[0].delay_ns / SECOND_NS)
    return delays_s


def test_a_failed_read_of_a_position_without_a_live_stop_is_made_again_soon_and_then_every_second() -> None:
    life = opened(PLAIN)
    life.happens(answered(life, Unknown("timeout")))

    assert delays_of_failed_reads(life) == [0.25] * 8 + [1] * 2


def test_a_failed_read_of_an_entry_that_nobody_answered_is_made_again_soon_and_then_every_second() -> None:
    life = Life(PLAIN, plan())
    life.happens(EntryAnswered(life.it.entry.client_id, Unknown("timeout")))

    assert delays_of_failed_reads(life) == [0.25] * 8 + [1] * 2


def test_a_failed_read_of_a_position_that_its_stop_covers_is_made_again_ever_later() -> None:
    assert delays_of_failed_reads(protected(PLAIN)) == [1, 2, 4, *[8] * 7]
