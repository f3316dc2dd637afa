"""A position on its way in: one entry, sent once, protected from its first fill."""

from __future__ import annotations

from attrs import evolve

from framework.core.execution import EntryPlan, EntryStep, EntryTry
from framework.core.happenings import (
    CancelEntry,
    CancelStop,
    CloseWanted,
    EntryAnswered,
    EntryExpired,
    Filled,
    MoveStop,
    PlaceStop,
    ReadFailed,
    ReadVenue,
    SendClose,
    SendEntry,
    StartDeadline,
    StopAnswered,
    StopChanged,
)
from framework.core.legs import LegState
from framework.core.orders import OrderStatus, OrderType, Refusal, Unknown
from framework.core.position import State
from framework.core.signal import OrderSide, Side
from framework.core.steering import POLL_NS, SECOND_NS
from tests.core.strategies import (
    AtMarket,
    D,
    FixedStop,
    Life,
    LimitFirst,
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

PLAIN = policy()
ATTACHED = policy(attaches=True, amends=True)
LIMIT = policy(execution=LimitFirst())


def entry(life: Life, status: OrderStatus, filled: str = "0", price: str | None = None) -> EntryAnswered:
    """The venue's report of the last entry order."""
    identifier = life.it.entry.client_id
    return EntryAnswered(identifier, report(identifier, status, filled, price))


# ── the request ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plan_becomes_one_entry_order_that_must_be_sent_in_time() -> None:
    life = Life(PLAIN, plan())

    (sent,) = life.asked(SendEntry)
    assert (sent.order.side, sent.order.type, sent.order.quantity) == (OrderSide.BUY, OrderType.MARKET, D(1))
    assert sent.order.send_before_ns == life.now_ns + PLAIN.entry_deadline_ns
    assert sent.order.stop is None
    assert life.is_now(State.ENTERING)


def test_where_the_venue_attaches_stops_the_stop_travels_inside_the_entry() -> None:
    life = Life(ATTACHED, plan(Side.SHORT))

    (sent,) = life.asked(SendEntry)
    assert sent.order.side is OrderSide.SELL
    assert (sent.order.stop.trigger_price, sent.order.stop.side, sent.order.stop.attached) == (
        D(106),
        OrderSide.BUY,
        True,
    )


# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_refused_entry_is_aborted_and_says_why() -> None:
    life = Life(PLAIN, plan())

    life.happens(EntryAnswered(life.it.entry.client_id, Refusal("margin", "not enough")))

    assert life.is_now(State.ABORTED)
    assert life.it.failure == "margin: not enough"
    assert life.it.is_settled
    assert not life.asked(SendEntry)


def test_an_order_that_was_accepted_and_then_rejected_is_aborted() -> None:
    life = Life(PLAIN, plan())

    life.happens(entry(life, OrderStatus.NEW), entry(life, OrderStatus.REJECTED))

    assert life.is_now(State.ABORTED)


def test_the_first_evidence_of_a_fill_places_the_stop_at_the_real_price() -> None:
    life = Life(PLAIN, plan())

    life.happens(Filled(entry_fill(life.it, "1", price="102")))

    (placed,) = life.asked(PlaceStop)
    assert (placed.order.trigger_price, placed.order.quantity, placed.order.side) == (D("95.88"), D(1), OrderSide.SELL)
    assert life.asked(StartDeadline) == [StartDeadline(PLAIN.protect_within_ns)]
    assert life.is_now(State.UNPROTECTED)


def test_the_answer_may_be_the_first_evidence_too_and_the_fill_that_follows_changes_nothing() -> None:
    life = Life(PLAIN, plan())
    life.happens(entry(life, OrderStatus.FILLED, "1", "102"))
    before = life.it

    life.happens(Filled(entry_fill(life.it, "1", price="102")))

    assert not life.asked(PlaceStop)
    assert (life.it.entered, life.it.entry_price, life.it.stops) == (before.entered, before.entry_price, before.stops)


def test_an_execution_that_is_told_twice_counts_once() -> None:
    life = opened(PLAIN)

    life.happens(Filled(entry_fill(life.it)), Filled(entry_fill(life.it)))

    assert life.it.entered == D(1)


def test_an_older_report_does_not_take_fills_back() -> None:
    life = opened(PLAIN)

    life.happens(entry(life, OrderStatus.NEW))

    assert life.it.entered == D(1)
    assert life.it.entry.state is LegState.DONE


def test_a_market_order_that_was_only_acknowledged_is_asked_for() -> None:
    life = Life(PLAIN, plan())

    life.happens(entry(life, OrderStatus.NEW))

    assert life.asked(ReadVenue)[0].orders == (life.it.entry.client_id,)


def test_a_limit_order_that_rests_is_not_polled() -> None:
    life = Life(LIMIT, plan())

    life.happens(entry(life, OrderStatus.NEW))

    assert life.commands == ()


# ── unknown outcomes ────────────────────────────────────────────────────────────────────────────────────────


def test_an_entry_of_unknown_outcome_is_looked_for_and_never_sent_again() -> None:
    life = Life(LIMIT, plan())
    life.happens(EntryAnswered(life.it.entry.client_id, Unknown("timeout")))
    assert life.is_now(State.UNKNOWN)

    sent = 0
    for _ in range(60):
        life.read(None, orders={life.it.entry.client_id: None}, after_ns=SECOND_NS)
        sent += len(life.asked(SendEntry))

    assert life.is_now(State.ABORTED)
    assert sent == 0


def test_before_the_fence_absence_proves_nothing_and_after_it_only_twice() -> None:
    life = Life(PLAIN, plan())
    life.happens(EntryAnswered(life.it.entry.client_id, Unknown("timeout")))

    life.read(None, after_ns=PLAIN.fence_ns - 1)
    life.read(None)
    assert life.is_now(State.UNKNOWN)
    life.read(None, after_ns=1)
    assert life.is_now(State.UNKNOWN)
    life.read(None, after_ns=SECOND_NS)

    assert life.is_now(State.ABORTED)
    assert "entry_lost" in life.codes
    assert not life.it.is_settled, "it is on the watch list"


def test_a_position_that_shows_up_after_an_unknown_answer_is_adopted_and_protected() -> None:
    life = Life(PLAIN, plan())
    life.happens(EntryAnswered(life.it.entry.client_id, Unknown("timeout")))

    life.read(held("1", "101"))

    assert (life.it.state, life.it.entered, life.it.entry_price) == (State.UNPROTECTED, D(1), D(101))
    assert life.asked(PlaceStop)


def test_a_fill_in_a_read_protects_although_the_position_is_not_visible_yet() -> None:
    life = Life(PLAIN, plan())
    life.happens(EntryAnswered(life.it.entry.client_id, Unknown("timeout")))

    life.read(None, fills=(entry_fill(life.it),), after_ns=SECOND_NS)

    assert life.is_now(State.UNPROTECTED)
    assert life.asked(PlaceStop)


def test_an_order_in_doubt_that_is_found_resting_is_cancelled_when_its_time_is_over() -> None:
    life = Life(LIMIT, plan())
    identifier = life.it.entry.client_id
    life.happens(EntryAnswered(identifier, Unknown("timeout")))

    life.read(None, orders={identifier: report(identifier, OrderStatus.NEW)}, after_ns=SECOND_NS)
    assert (life.it.state, life.asked(CancelEntry)) == (State.ENTERING, [])
    life.read(None, orders={identifier: report(identifier, OrderStatus.NEW)}, after_ns=3 * SECOND_NS)

    assert life.asked(CancelEntry) == [CancelEntry(identifier)]


# ── limit first, then market ────────────────────────────────────────────────────────────────────────────────


def expired(life: Life) -> Life:
    """The limit order rested for as long as it should, and its cancellation was asked for."""
    life.happens(entry(life, OrderStatus.NEW))
    life.happens(EntryExpired(life.it.entry.client_id), after_ns=3 * SECOND_NS)
    assert life.asked(CancelEntry)
    return life


def test_what_a_cancelled_limit_order_did_not_fill_is_bought_at_the_market() -> None:
    life = expired(Life(LIMIT, plan()))

    life.happens(entry(life, OrderStatus.CANCELLED, "0.4"))

    (sent,) = life.asked(SendEntry)
    assert (sent.order.type, sent.order.quantity) == (OrderType.MARKET, D("0.6"))
    assert life.asked(PlaceStop)[0].order.quantity == D("0.4")
    assert sent.order.client_id.endswith("-e1")


def test_a_refused_cancellation_is_no_answer_for_the_order_may_have_been_filled() -> None:
    life = expired(Life(LIMIT, plan()))

    life.happens(EntryAnswered(life.it.entry.client_id, Refusal("-2011", "unknown order")))
    assert not life.asked(SendEntry)
    life.read(held("1"), orders={life.it.entry.client_id: report(life.it.entry.client_id, OrderStatus.FILLED, "1")})

    assert life.it.entered == D(1)
    assert not life.asked(SendEntry)


def test_after_a_cancellation_of_unknown_outcome_no_other_entry_is_sent_even_if_it_worked() -> None:
    life = expired(Life(LIMIT, plan()))

    life.happens(EntryAnswered(life.it.entry.client_id, Unknown("timeout")))
    life.read(None, orders={life.it.entry.client_id: report(life.it.entry.client_id, OrderStatus.CANCELLED)})

    assert life.is_now(State.ABORTED)
    assert not life.asked(SendEntry)


def test_the_stop_of_the_second_order_travels_inside_it_again() -> None:
    life = expired(Life(policy(execution=LimitFirst(), attaches=True), plan()))

    life.happens(entry(life, OrderStatus.CANCELLED))

    (sent,) = life.asked(SendEntry)
    assert sent.order.stop is not None
    assert sent.order.stop.client_id != life.ids[0]


def test_no_other_entry_follows_after_the_deadline() -> None:
    life = Life(LIMIT, plan())
    life.happens(entry(life, OrderStatus.NEW))

    life.happens(entry(life, OrderStatus.CANCELLED, "0.4"), after_ns=LIMIT.entry_deadline_ns)

    assert not life.asked(SendEntry)
    assert life.is_now(State.UNPROTECTED)


def test_a_rest_that_the_market_would_not_take_is_left() -> None:
    life = expired(Life(LIMIT, plan(quantity="0.05")))

    life.happens(entry(life, OrderStatus.CANCELLED, "0.045"))

    assert not life.asked(SendEntry)


def test_an_execution_that_raises_leaves_what_is_filled_and_says_so() -> None:
    class Broken(LimitFirst):
        def after(self, plan: EntryPlan, tries: tuple[EntryTry, ...]) -> EntryStep | None:
            raise RuntimeError("bug")

    life = expired(Life(policy(execution=Broken()), plan()))

    life.happens(entry(life, OrderStatus.CANCELLED, "0.4"))

    assert life.is_now(State.UNPROTECTED)
    assert "execution_failed" in life.codes


def test_a_cancellation_that_lost_the_race_against_the_fill_is_a_fill() -> None:
    life = expired(Life(LIMIT, plan()))

    life.happens(entry(life, OrderStatus.FILLED, "1"))

    assert life.it.entered == D(1)
    assert not life.asked(SendEntry)


# ── partial fills ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_stop_covers_what_is_filled_from_the_first_fill_and_follows_it() -> None:
    life = Life(LIMIT, plan())
    life.happens(Filled(entry_fill(life.it, "0.3")))
    first = life.asked(PlaceStop)[0].order
    assert first.quantity == D("0.3")
    life.happens(StopAnswered(first.client_id, resting(first.client_id, "94", "0.3")))
    assert life.is_now(State.PROTECTED)

    life.happens(Filled(entry_fill(life.it, "0.7", number=2)))

    assert life.asked(PlaceStop)[0].order.quantity == D(1)
    assert life.is_now(State.UNPROTECTED)


def test_a_later_fill_at_a_worse_price_does_not_loosen_a_stop_that_protects() -> None:
    life = Life(LIMIT, plan())
    life.happens(Filled(entry_fill(life.it, "0.5")))
    life.happens(StopAnswered(life.ids[0], resting(life.ids[0], "94", "0.5")))

    life.happens(Filled(entry_fill(life.it, "0.5", price="98", number=2)))

    assert life.it.entry_price == D(99)
    assert life.it.wanted_stop == D(94)


def test_a_later_fill_at_a_better_price_tightens_the_stop() -> None:
    life = Life(LIMIT, plan())
    life.happens(Filled(entry_fill(life.it, "0.5")))
    life.happens(StopAnswered(life.ids[0], resting(life.ids[0], "94", "0.5")))

    life.happens(Filled(entry_fill(life.it, "0.5", price="102", number=2)))

    assert life.it.wanted_stop == D("94.94")


def test_a_stop_for_the_first_part_that_is_too_tight_for_the_whole_is_replaced_once() -> None:
    life = Life(LIMIT, plan())
    life.happens(
        Filled(entry_fill(life.it, "0.5", price="102")), Filled(entry_fill(life.it, "0.5", price="98", number=2))
    )
    life.happens(StopAnswered(life.ids[0], resting(life.ids[0], "95.88", "1")))
    (second,) = life.asked(PlaceStop)
    assert second.order.trigger_price == D(94)

    life.happens(StopAnswered(second.order.client_id, resting(second.order.client_id, "94")))

    assert (life.asked(PlaceStop), life.asked(CancelStop)) == ([], [CancelStop(life.ids[0])])
    assert life.it.initial_stop == D(94)


# ── attached stops ──────────────────────────────────────────────────────────────────────────────────────────


def test_an_attached_stop_is_read_back_after_the_fill() -> None:
    life = Life(ATTACHED, plan())

    life.happens(Filled(entry_fill(life.it)))
    assert (life.asked(ReadVenue)[0].delay_ns, life.asked(PlaceStop)) == (POLL_NS, [])  # the stream tells it sooner
    life.read(held("1"), resting(life.ids[0], "94"))

    assert life.is_now(State.PROTECTED)


def test_an_attached_stop_is_moved_to_the_real_entry_whichever_side_that_is() -> None:
    life = Life(ATTACHED, plan())
    life.happens(Filled(entry_fill(life.it, price="99")))

    life.read(held("1"), resting(life.ids[0], "94"))

    assert life.is_now(State.PROTECTED)
    assert life.asked(MoveStop)[0].order.trigger_price == D("93.06")


def test_an_attached_stop_that_is_missing_is_set() -> None:
    life = Life(ATTACHED, plan())
    life.happens(Filled(entry_fill(life.it)))

    life.read(held("1"))

    assert life.asked(PlaceStop)[0].order.attached
    assert life.is_now(State.UNPROTECTED)


def test_an_attached_stop_may_be_told_before_its_entry() -> None:
    life = Life(ATTACHED, plan())

    life.happens(StopChanged(resting(life.ids[0], "94")))
    assert life.is_now(State.ENTERING)
    life.happens(Filled(entry_fill(life.it)))

    assert life.is_now(State.PROTECTED)


# ── wishes meanwhile ────────────────────────────────────────────────────────────────────────────────────────


def test_a_position_that_is_not_wanted_any_more_is_closed_as_soon_as_it_fills() -> None:
    life = Life(LIMIT, plan())
    life.happens(entry(life, OrderStatus.NEW))

    life.happens(CloseWanted("operator"))
    assert life.asked(CancelEntry)
    life.happens(entry(life, OrderStatus.CANCELLED, "0.4"))

    assert (life.it.state, life.asked(SendClose)[0].order.quantity) == (State.CLOSING, D("0.4"))
    assert not life.asked(SendEntry)


def test_a_position_that_was_not_wanted_any_more_and_never_filled_is_aborted() -> None:
    life = Life(LIMIT, plan())

    life.happens(entry(life, OrderStatus.NEW), CloseWanted("operator"), entry(life, OrderStatus.CANCELLED))

    assert life.is_now(State.ABORTED)


def test_an_entry_that_still_fills_while_the_position_closes_is_closed_with_the_rest() -> None:
    life = Life(LIMIT, plan())
    life.happens(entry(life, OrderStatus.NEW), Filled(entry_fill(life.it, "0.4")), CloseWanted("operator"))

    life.happens(entry(life, OrderStatus.FILLED, "1"))
    life.happens(
        EntryAnswered(life.it.closes[0].client_id, report(life.it.closes[0].client_id, OrderStatus.FILLED, "0.4"))
    )

    assert life.is_now(State.CLOSING)
    assert life.it.entered == D(1)


def test_an_entry_acknowledged_only_after_its_position_began_to_close_is_cancelled() -> None:
    life = Life(LIMIT, plan())
    life.happens(Filled(entry_fill(life.it, "0.4")), CloseWanted("operator"))
    assert not life.asked(CancelEntry), "its request has not been answered yet"

    life.happens(entry(life, OrderStatus.PARTIALLY_FILLED, "0.4"))

    assert life.asked(CancelEntry)


def test_an_order_in_doubt_that_may_still_rest_is_cancelled_when_its_position_closes() -> None:
    life = expired(Life(LIMIT, plan()))
    life.happens(EntryAnswered(life.it.entry.client_id, Unknown("timeout")))
    life.happens(Filled(entry_fill(life.it, "0.4")))

    life.happens(CloseWanted("operator"))

    assert life.asked(CancelEntry) == [CancelEntry(life.it.entry.client_id)]


def test_an_exit_that_is_told_before_the_entry_it_follows_is_not_lost() -> None:
    life = Life(ATTACHED, plan())

    life.happens(Filled(evolve(stop_fill(life.it), client_id=life.ids[0])))
    assert life.is_now(State.CLOSING)
    life.happens(entry(life, OrderStatus.FILLED, "1"))
    life.read(None, fills=(entry_fill(life.it), evolve(stop_fill(life.it), client_id=life.ids[0])))

    assert (life.it.state, life.it.entered, life.it.exited) == (State.CLOSED, D(1), D(1))


def test_a_fresh_position_is_never_built_twice_from_one_signal() -> None:
    assert Life(PLAIN, plan()).it.id == Life(policy((FixedStop(D(1)),), AtMarket()), plan()).it.id


def test_what_is_protected_stays_so_when_its_entry_is_told_again() -> None:
    life = protected(PLAIN)

    life.happens(entry(life, OrderStatus.FILLED, "1"))

    assert (life.it.state, life.commands) == (State.PROTECTED, ())


# ── a limit order that nobody is sure of, while the venue can't be read ─────────────────────────────────────


def unknown_limit() -> Life:
    """A limit order that nobody answered, at a venue that can't be read."""
    life = Life(policy(execution=LimitFirst()), plan())
    life.happens(EntryAnswered(life.it.entry.client_id, Unknown("timeout")), ReadFailed("503"))
    return life


def test_a_limit_order_of_unknown_outcome_is_cancelled_when_its_time_is_over_although_reads_fail() -> None:
    life = unknown_limit()
    life.happens(ReadFailed("503"), after_ns=3 * SECOND_NS - 1)
    assert life.asked(CancelEntry) == []

    life.happens(ReadFailed("503"), after_ns=1)

    assert life.asked(CancelEntry) == [CancelEntry(life.it.entry.client_id)]
    assert life.asked(ReadVenue)


def test_that_cancellation_is_repeated_until_it_is_known_what_became_of_the_order() -> None:
    life = unknown_limit()
    identifier = life.it.entry.client_id
    for _ in range(20):
        life.happens(ReadFailed("503"), after_ns=8 * SECOND_NS)
        assert life.asked(CancelEntry) == [CancelEntry(identifier)]
        life.happens(ReadFailed("503"))
        assert life.asked(CancelEntry) == [], "one is under way"
        life.happens(EntryAnswered(identifier, Unknown("timeout")))

    life.happens(ReadFailed("503"), after_ns=8 * SECOND_NS)
    life.happens(EntryAnswered(identifier, report(identifier, OrderStatus.CANCELLED)))

    assert life.is_now(State.ABORTED)


def test_a_market_order_of_unknown_outcome_is_not_cancelled_unread() -> None:
    life = Life(PLAIN, plan())
    life.happens(EntryAnswered(life.it.entry.client_id, Unknown("timeout")))
    life.happens(ReadFailed("503"), after_ns=60 * SECOND_NS)
    assert life.asked(CancelEntry) == []
