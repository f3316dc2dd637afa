"""A venue that wants silence: what was not sent counts for nothing, and is sent as soon as the silence ends."""

from __future__ import annotations

from framework.core.happenings import (
    AwaitSilence,
    CloseAnswered,
    CloseWanted,
    DeadlinePassed,
    Filled,
    MoveStop,
    PlaceStop,
    PriceReached,
    ReadVenue,
    SendClose,
    SilenceOver,
    StartDeadline,
    StopAnswered,
    StopChanged,
)
from framework.core.orders import Refusal
from framework.core.position import State
from framework.core.restart import taken_over
from framework.core.steering import SECOND_NS
from tests.core.strategies import D, FixedStop, Life, Trailer, foreign_fill, gone, opened, policy, protected, resting

PLAIN = policy()
AMENDING = policy((FixedStop(), Trailer()), amends=True)
SILENCE_NS = 60 * SECOND_NS
LATER = Refusal("-4509", "no position yet", for_good=False)


def not_sent(silent_ns: int = SILENCE_NS) -> Refusal:
    return Refusal("rate_budget", "the venue asked for silence", for_good=False, silent_ns=silent_ns)


def naked() -> Life:
    """A position whose stop could not be sent."""
    life = opened(PLAIN)
    life.happens(StopAnswered(life.ids[-1], not_sent()))
    return life


def closed_in_silence() -> Life:
    """A close that could not be sent, of a position whose stop was cancelled by somebody else."""
    life = naked()
    life.happens(CloseWanted("operator"))
    return life


def test_a_stop_that_was_not_sent_costs_no_try_and_waits_for_the_end_of_the_silence() -> None:
    life = naked()
    assert (life.it.state, life.it.stop_tries) == (State.UNPROTECTED, 0)
    assert life.asked(AwaitSilence) == [AwaitSilence(SILENCE_NS)]
    assert life.asked(PlaceStop) == []


def test_the_stop_is_placed_when_the_silence_ends_and_nothing_is_read_before() -> None:
    life = naked()

    life.happens(SilenceOver(), after_ns=SILENCE_NS)

    assert [type(command) for command in life.commands] == [PlaceStop]
    life.happens(StopAnswered(life.ids[-1], resting(life.ids[-1], "94")))
    assert life.is_now(State.PROTECTED)


def test_however_often_the_venue_wants_silence_no_try_is_spent() -> None:
    life = opened(PLAIN)
    for _ in range(5 * PLAIN.stop_tries):
        life.happens(StopAnswered(life.ids[-1], not_sent()))
        life.happens(SilenceOver(), after_ns=SILENCE_NS)
        assert life.asked(PlaceStop)

    for _ in range(PLAIN.stop_tries - 1):
        life.happens(StopAnswered(life.ids[-1], LATER))
        assert life.asked(PlaceStop)
    life.happens(StopAnswered(life.ids[-1], LATER))
    assert life.is_now(State.EMERGENCY)


def test_nothing_is_tried_while_the_silence_lasts() -> None:
    life = naked()
    life.happens(PriceReached(D(101), life.now_ns), after_ns=SILENCE_NS - 1)
    assert life.commands == ()


def test_the_deadline_of_a_naked_position_begins_anew_when_the_silence_ends() -> None:
    life = naked()

    life.happens(DeadlinePassed(), after_ns=PLAIN.protect_within_ns)
    assert (life.it.state, life.asked(SendClose)) == (State.UNPROTECTED, [])
    assert life.asked(StartDeadline) == [StartDeadline(SILENCE_NS)]

    life.happens(SilenceOver(), after_ns=SILENCE_NS - PLAIN.protect_within_ns)
    life.happens(StopAnswered(life.ids[-1], LATER))
    life.happens(DeadlinePassed(), after_ns=PLAIN.protect_within_ns)
    assert life.is_now(State.EMERGENCY)
    assert life.asked(SendClose)


def test_a_close_that_was_not_sent_is_sent_when_the_silence_ends_and_nothing_is_read_before() -> None:
    life = opened(PLAIN)
    life.happens(StopAnswered(life.ids[-1], Refusal("-2021", "would trigger", crossed=True)))
    first = life.it.closes[-1].client_id
    life.happens(CloseAnswered(first, not_sent()))
    assert (life.it.state, life.asked(SendClose)) == (State.EMERGENCY, [])

    life.happens(SilenceOver(), after_ns=SILENCE_NS)

    (close,) = life.asked(SendClose)
    assert (close.order.quantity, close.order.client_id != first) == (D(1), True)
    assert life.asked(ReadVenue) == []
    assert life.is_now(State.EMERGENCY)


def test_a_close_that_is_wanted_in_silence_waits_for_its_end() -> None:
    life = closed_in_silence()
    assert (life.it.state, life.asked(SendClose)) == (State.CLOSING, [])

    life.happens(SilenceOver(), after_ns=SILENCE_NS)

    assert [close.order.quantity for close in life.asked(SendClose)] == [D(1)]


def test_a_stop_that_acted_in_silence_is_given_its_grace_before_anything_is_closed() -> None:
    life = protected(AMENDING)
    life.happens(PriceReached(D(110), life.now_ns))
    life.happens(StopAnswered(life.ids[0], not_sent(SECOND_NS)))
    life.happens(StopChanged(gone(life.ids[0], "triggered")))
    assert life.is_now(State.CLOSING)

    life.happens(SilenceOver(), after_ns=SECOND_NS)

    assert life.asked(SendClose) == []
    assert life.asked(ReadVenue)


def test_what_is_flat_already_is_read_and_not_closed_once_more() -> None:
    life = closed_in_silence()
    life.happens(Filled(foreign_fill(life.it, "1", opens=False)))

    life.happens(SilenceOver(), after_ns=SILENCE_NS)

    assert life.asked(SendClose) == []
    assert life.asked(ReadVenue)


def test_a_stop_that_could_not_be_moved_stays_and_is_moved_when_the_silence_ends() -> None:
    life = protected(AMENDING)
    life.happens(PriceReached(D(110), life.now_ns))
    life.happens(StopAnswered(life.ids[0], not_sent()))
    assert (life.it.state, life.asked(MoveStop)) == (State.PROTECTED, [])
    life.happens(PriceReached(D(112), life.now_ns))
    assert life.asked(MoveStop) == []

    life.happens(SilenceOver(), after_ns=SILENCE_NS)

    assert [move.order.trigger_price for move in life.asked(MoveStop)] == [D(110)]
    assert life.it.refused_moves == 0


def test_people_are_told_once_for_each_silence_and_that_nothing_protects() -> None:
    life = naked()
    life.happens(StopChanged(gone(life.ids[0])))
    life.happens(CloseWanted("operator"))
    assert life.codes == ["venue_silent"]
    assert (life.alerts[0].level.value, "nothing protects it until then" in life.alerts[0].message) == ("error", True)

    life.happens(SilenceOver(), after_ns=SILENCE_NS)
    life.happens(CloseAnswered(life.it.closes[-1].client_id, not_sent()))
    assert life.codes == ["venue_silent", "venue_silent"]


def test_a_silence_that_turns_out_longer_is_waited_for() -> None:
    life = closed_in_silence()
    life.happens(SilenceOver(), after_ns=SILENCE_NS)
    life.happens(CloseAnswered(life.it.closes[-1].client_id, not_sent(SECOND_NS)))
    life.happens(StopAnswered("none", not_sent(9 * SECOND_NS)))
    assert life.it.silent_until_ns == life.now_ns + SECOND_NS

    life.happens(SilenceOver(), after_ns=SECOND_NS)
    assert life.asked(SendClose)


def test_a_restart_waits_for_no_silence_of_the_run_before() -> None:
    life = naked()
    after, _ = taken_over(life.it, PLAIN)
    assert after.silent_until_ns is None
