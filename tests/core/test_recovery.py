"""The recovery table: each row is a case, by its name. What a case leads to is what the life of a position does."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from framework.core.happenings import (
    CloseWanted,
    EntryAnswered,
    PriceReached,
    ReadFailed,
    ReadVenue,
    StopAnswered,
    StopChanged,
    VenueRead,
)
from framework.core.legs import LegState
from framework.core.orders import OrderStatus, Unknown
from framework.core.position import Position, State
from framework.core.reconcile import FAILED, AccountSeen, Unread, reconcile
from framework.core.recovery import CASES, Action, Sight, case_of
from framework.core.resting import RestingKind, RestingOrder
from framework.core.signal import OrderSide
from framework.core.steering import SECOND_NS, Policy
from framework.testing import NOW_NS, SYMBOL
from tests.core.strategies import (
    D,
    Life,
    LimitFirst,
    Trailer,
    gone,
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
FENCE_NS = PLAIN.fence_ns
LATER_NS = NOW_NS + FENCE_NS + SECOND_NS


def rest(client_id: str, price: str = "94", quantity: str | None = "1", **more: Any) -> RestingOrder:
    """A stop of a long position, as the account's orders show it."""
    amount = None if quantity is None else D(quantity)
    return evolve(
        RestingOrder(client_id, SYMBOL, RestingKind.STOP, OrderSide.SELL, amount, D(price), reduce_only=True), **more
    )


def seen(position: Position, quantity: str, *orders: RestingOrder, now_ns: int = NOW_NS) -> tuple[str, Action]:
    """The case of a position beside what the venue shows, and its action."""
    case = case_of(Sight(position, Decimal(quantity), orders, now_ns, FENCE_NS))
    assert case.why(Sight(position, Decimal(quantity), orders, now_ns, FENCE_NS))
    return case.name, case.action


def sent() -> Life:
    return Life(PLAIN, plan())


def unknown() -> Life:
    life = sent()
    life.happens(EntryAnswered(life.it.entry.client_id, Unknown("no answer")))
    return life


def calm(rules: Policy = PLAIN) -> Life:
    life = protected(rules)
    assert life.is_now(State.PROTECTED)
    return life


# ── sent, or unknown ────────────────────────────────────────────────────────────────────────────────────────


def test_intent_nothing_sent_waits_and_is_given_up_later() -> None:
    assert seen(sent().it, "0") == ("intent, nothing sent", Action.WAIT)


@pytest.mark.parametrize("life", [sent, unknown])
def test_sent_or_unknown_found_and_covered_is_adopted(life: Callable[[], Life]) -> None:
    it = life().it
    stop = rest(f"fw-{it.id}-s0")
    assert seen(it, "1", stop) == ("sent or unknown: found and covered", Action.ADOPT)


@pytest.mark.parametrize("stops", [(), (rest("fw-aaaaaaaaaaaaaaaa-s0", quantity="0.4"),)], ids=["absent", "short"])
def test_sent_or_unknown_found_with_its_stop_absent_or_short_is_armed(stops: tuple[RestingOrder, ...]) -> None:
    assert seen(unknown().it, "1", *stops) == ("sent or unknown: found, stop absent or short", Action.RE_ARM)


def test_sent_or_unknown_with_its_order_resting_is_adopted() -> None:
    it = unknown().it
    order = RestingOrder(it.entry.client_id, SYMBOL, RestingKind.ENTRY, OrderSide.BUY, D(1), D(100))
    assert seen(it, "0", order) == ("sent or unknown: its order rests", Action.ADOPT)


def test_sent_or_unknown_nothing_before_the_fence_is_polled() -> None:
    assert seen(unknown().it, "0") == ("sent or unknown: nothing, before the fence", Action.WAIT)


def test_sent_or_unknown_nothing_after_the_fence_is_given_up_by_two_reads_and_watched() -> None:
    life = unknown()
    assert seen(life.it, "0", now_ns=LATER_NS) == ("sent or unknown: nothing after the fence", Action.WAIT)

    life.read(None, after_ns=FENCE_NS + SECOND_NS)
    assert life.is_now(State.UNKNOWN)
    life.read(None, after_ns=SECOND_NS)

    assert life.is_now(State.ABORTED)
    assert life.it.watch_until_ns == NOW_NS + FENCE_NS + PLAIN.watch_ns
    assert seen(life.it, "0") == ("over: watched", Action.WAIT)


def test_given_up_and_there_after_all_is_adopted() -> None:
    life = unknown()
    life.read(None, after_ns=FENCE_NS + SECOND_NS)
    life.read(None, after_ns=SECOND_NS)

    assert seen(life.it, "1") == ("given up: there after all", Action.ADOPT)

    life.read(held("1"))
    assert life.is_now(State.UNPROTECTED)


# ── any ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_any_reads_fail_waits_and_leaves_stops_alone() -> None:
    life = calm()
    (finding,) = reconcile(
        Unread("one", NOW_NS, "one: 503"), None, [life.it], foreign="adopt", fence_ns=FENCE_NS, now_ns=NOW_NS
    )
    assert (finding.case, finding.action, finding.position_id) == (FAILED, Action.WAIT, "")

    life.happens(ReadFailed("503"))
    assert [type(command).__name__ for command in life.commands] == ["Alert", "ReadVenue"]


@pytest.mark.parametrize("quantity", ["1.5", "-1"], ids=["larger", "flipped"])
@pytest.mark.parametrize("life", [sent, unknown, lambda: opened(PLAIN), calm], ids=["sent", "unknown", "open", "calm"])
def test_any_larger_or_flipped_is_protected_and_quarantined(life: Callable[[], Life], quantity: str) -> None:
    one = life()
    assert seen(one.it, quantity) == ("any: larger, or flipped", Action.PROTECT)

    one.read(held(quantity))
    assert one.is_now(State.QUARANTINED)
    assert "position_not_ours" in one.codes


# ── filled, protected, trailing ─────────────────────────────────────────────────────────────────────────────


def test_filled_position_smaller_than_fills_has_its_executions_read() -> None:
    life = calm()
    name = life.ids[0]
    assert seen(life.it, "0.4", rest(name)) == ("filled: position smaller than fills", Action.WAIT)


def test_filled_position_larger_than_known_has_its_executions_read() -> None:
    life = Life(policy(execution=LimitFirst()), plan())
    identifier = life.it.entry.client_id
    life.happens(EntryAnswered(identifier, report(identifier, OrderStatus.PARTIALLY_FILLED, "0.4")))
    assert seen(life.it, "0.7") == ("filled: position larger than known", Action.WAIT)


def test_protected_flat_is_closed_by_executions_or_a_second_read_and_its_own_stops_swept() -> None:
    life = calm()
    name = life.ids[0]
    assert seen(life.it, "0", rest(name)) == ("protected: flat", Action.WAIT)

    life.read(None, resting(name, "94"), after_ns=60 * SECOND_NS)
    assert life.is_now(State.PROTECTED)
    life.read(None, resting(name, "94"), after_ns=SECOND_NS)

    assert life.is_now(State.CLOSED)
    assert seen(life.it, "0", rest(name)) == ("protected, flat: sweep own stops", Action.CANCEL)


@pytest.mark.parametrize("stops", [(), (rest("fw-aaaaaaaaaaaaaaaa-s0", quantity="0.4"),)], ids=["missing", "short"])
def test_protected_stop_missing_or_short_is_placed_again(stops: tuple[RestingOrder, ...]) -> None:
    assert seen(calm().it, "1", *stops) == ("protected: stop missing or short", Action.RE_ARM)


def test_trailing_none_has_its_stop_placed_at_the_last_journaled_price() -> None:
    life = calm(policy(protections=(*PLAIN.protections, Trailer())))
    life.happens(PriceReached(D(103), life.now_ns))
    case = case_of(sight := Sight(life.it, D(1), (), NOW_NS, FENCE_NS))
    assert (case.name, case.action) == ("trailing: none", Action.RE_ARM)
    assert "101" in case.why(sight)


def test_trailing_two_stops_keeps_the_tighter_one() -> None:
    life = calm(policy(protections=(*PLAIN.protections, Trailer())))
    life.happens(PriceReached(D(103), life.now_ns))
    old, new = life.ids
    assert seen(life.it, "1", rest(old), rest(new, "101")) == ("trailing: two stops", Action.CANCEL)

    life.happens(StopAnswered(new, resting(new, "101")))
    assert [command.client_id for command in life.commands if hasattr(command, "client_id")] == [old]


def test_protected_as_expected_is_kept() -> None:
    life = calm()
    assert seen(life.it, "1", rest(life.ids[0])) == ("protected: as expected", Action.KEEP)


@pytest.mark.parametrize("attached", [True, False])
def test_a_stop_for_all_of_the_position_covers_it(attached: bool) -> None:
    life = calm()
    assert seen(life.it, "1", rest(life.ids[0], quantity=None, attached=attached))[1] is Action.KEEP


def test_protected_with_its_stop_elsewhere_is_read_closely() -> None:
    life = calm()
    assert seen(life.it, "1", rest(life.ids[0], "95")) == ("protected: under way", Action.WAIT)


def test_an_open_position_without_a_known_stop_is_read_closely_although_one_rests() -> None:
    life = opened(PLAIN)
    assert seen(life.it, "1", rest(life.it.stops[0].client_id)) == ("protected: under way", Action.WAIT)


# ── closing ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stop_that_triggered_over_two_seconds_ago_and_has_not_filled_leads_to_a_close() -> None:
    life = calm()
    life.happens(StopChanged(gone(life.ids[0], "triggered")))
    assert seen(life.it, "1") == ("closing, emergency: position not flat", Action.CLOSE)
    assert seen(life.it, "1", now_ns=life.now_ns + 2 * SECOND_NS) == (
        "stop triggered, and not filled for 2 s",
        Action.CLOSE,
    )

    life.read(held("1"), after_ns=3 * SECOND_NS)
    assert len(life.it.closes) == 1


def test_closing_or_emergency_with_a_position_is_closed_again_under_a_new_id() -> None:
    life = calm()
    life.happens(CloseWanted("operator"))
    assert seen(life.it, "1") == ("closing, emergency: position not flat", Action.CLOSE)


def test_closing_or_emergency_and_flat_waits_for_executions_or_a_second_read() -> None:
    life = calm()
    life.happens(CloseWanted("operator"))
    assert seen(life.it, "0") == ("closing, emergency: flat", Action.WAIT)


def test_closed_and_there_again_is_closed_again() -> None:
    closed = evolve(calm().it, state=State.CLOSED, watch_until_ns=NOW_NS + SECOND_NS)
    assert seen(closed, "1") == ("closed: there again", Action.CLOSE)


# ── the table itself ────────────────────────────────────────────────────────────────────────────────────────


def test_every_state_has_a_last_case_that_fits_whatever_is_seen() -> None:
    position = calm().it
    for state in State:
        last = [case for case in CASES if state in case.states][-1]
        assert last.fits(Sight(evolve(position, state=state), D(0), (), NOW_NS, FENCE_NS))


def test_no_two_cases_have_one_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_only_a_position_that_is_over_or_has_two_stops_has_orders_cancelled() -> None:
    cancelling = {state for case in CASES if case.action is Action.CANCEL for state in case.states}
    assert cancelling == {State.UNPROTECTED, State.PROTECTED, State.QUARANTINED, State.CLOSED, State.ABORTED}


def test_a_reading_of_everything_as_expected_says_so() -> None:
    life = calm()
    reading = AccountSeen("one", NOW_NS, {SYMBOL: held("1")}, (rest(life.ids[0]),))
    (finding,) = reconcile(reading, None, [life.it], foreign="ignore", fence_ns=FENCE_NS, now_ns=NOW_NS)
    assert (finding.action, finding.position_id) == (Action.KEEP, life.it.id)
    assert life.it.stops[0].state is LegState.RESTING


def test_any_suspiciously_empty_proves_nothing_however_often_until_executions_explain_it() -> None:
    life = calm()
    for _ in range(10):
        life.now_ns += 60 * SECOND_NS
        life.happens(VenueRead(life.now_ns, None, (resting(life.ids[0], "94"),), nothing_held=True))
        assert life.is_now(State.PROTECTED)
        assert life.asked(ReadVenue)

    life.happens(VenueRead(life.now_ns, None, (), fills=(stop_fill(life.it),), nothing_held=True))
    assert life.is_now(State.CLOSED)
