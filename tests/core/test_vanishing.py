"""A stop that is taken away by the venue is placed again a few times, and looked after; then the position is closed."""

from __future__ import annotations

from framework.core.happenings import CancelStop, MoveStop, PlaceStop, PriceReached, ReadVenue, SendClose, StopChanged
from framework.core.legs import LegState
from framework.core.position import State
from framework.core.steering import SECOND_NS
from framework.core.vanishing import CHECK_NS, MOST_VANISHINGS, WITHIN_NS
from tests.core.strategies import D, FixedStop, Life, Trailer, gone, held, policy, protected, resting

PLAIN = policy()
TRAILING = policy((FixedStop(), Trailer()))


def vanish(life: Life, after_ns: int = 0) -> None:
    """Its newest stop comes to rest, and is gone the moment after."""
    name = life.ids[-1]
    life.happens(StopChanged(resting(name, "94")))
    life.happens(StopChanged(gone(name)), after_ns=after_ns)


def test_a_stop_that_vanishes_is_placed_again_and_looked_for_soon() -> None:
    life = protected(PLAIN)

    vanish(life)

    assert len(life.asked(PlaceStop)) == 1
    assert [read.delay_ns for read in life.asked(ReadVenue)] == [CHECK_NS]


def test_a_position_whose_stops_vanish_again_and_again_is_closed_and_people_are_told_why() -> None:
    life = protected(PLAIN)

    for _ in range(MOST_VANISHINGS - 1):
        vanish(life, after_ns=SECOND_NS)
        assert life.is_now(State.UNPROTECTED)
    vanish(life, after_ns=SECOND_NS)

    assert life.is_now(State.EMERGENCY)
    assert (life.asked(PlaceStop), len(life.asked(SendClose))) == ([], 1)
    assert life.it.exit is not None
    assert (life.it.exit.reason, life.codes) == ("emergency:stop_vanishes", ["stop_vanishes"])


def test_stops_that_vanish_seldom_are_placed_again_for_ever() -> None:
    life = protected(PLAIN)

    for _ in range(3 * MOST_VANISHINGS):
        vanish(life, after_ns=WITHIN_NS // 2)

    assert life.is_now(State.UNPROTECTED)
    assert life.asked(PlaceStop)


def test_a_stop_that_was_cancelled_by_ourselves_has_not_vanished() -> None:
    life = protected(TRAILING)
    for number in range(2 * MOST_VANISHINGS):
        life.happens(PriceReached(D(100 + number), life.now_ns))
        life.happens(StopChanged(resting(life.ids[-1], life.it.wanted_stop)))
        for cancelled in life.asked(CancelStop):
            life.happens(StopChanged(gone(cancelled.client_id)))

    assert (life.it.state, life.it.vanishings) == (State.PROTECTED, 0)


# ── one move under way ──────────────────────────────────────────────────────────────────────────────────────


def test_a_move_that_waits_to_be_sent_is_not_sent_again_because_reads_do_not_show_it() -> None:
    life = protected(TRAILING)
    life.happens(PriceReached(D(103), life.now_ns))
    assert len(life.asked(PlaceStop)) == 1

    for number in range(5):
        life.read(held("1"), resting(life.ids[0], "94"), after_ns=SECOND_NS)
        assert life.asked(PlaceStop) == []
        life.happens(PriceReached(D(104 + number), life.now_ns))
        assert (life.asked(PlaceStop), life.asked(MoveStop)) == ([], [])

    assert [stop.state for stop in life.it.stops] == [LegState.RESTING, LegState.SENT]
