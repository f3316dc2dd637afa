"""An account against the journal: what is not known there, what was left behind, and what proves nothing."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.core.happenings import CloseAnswered, Filled
from framework.core.ids import Leg, client_id
from framework.core.orders import Fill, OrderStatus, VenuePosition
from framework.core.position import Position, State
from framework.core.reconcile import (
    AGAIN,
    CONFIRM_NS,
    EMPTY,
    FAILED,
    FOREIGN,
    ORPHAN,
    OURS,
    AccountSeen,
    Finding,
    ForeignPolicy,
    Unread,
    opened_elsewhere,
    own_stops,
    reconcile,
    unknown_markets,
)
from framework.core.recovery import Action
from framework.core.resting import RestingKind, RestingOrder
from framework.core.signal import OrderSide
from framework.core.steering import SECOND_NS
from framework.testing import NOW_NS, SYMBOL
from tests.core.strategies import D, FixedStop, Life, Taker, entry_fill, opened, plan, policy, protected, report

PLAIN = policy()
LOST = "aaaaaaaaaaaaaaaa"
"""The id of a position that no journal knows."""


def order(
    identifier: str, symbol: str = SYMBOL, kind: RestingKind = RestingKind.STOP, side: OrderSide = OrderSide.SELL
) -> RestingOrder:
    return RestingOrder(identifier, symbol, kind, side, D(1), D(94), reduce_only=kind is not RestingKind.ENTRY)


def holds(quantity: str, symbol: str = SYMBOL) -> VenuePosition:
    return VenuePosition(symbol, D(quantity), D(100))


def bought(identifier: str, side: OrderSide = OrderSide.BUY, at: int = 0) -> Fill:
    return Fill(f"f{at}", f"o{at}", identifier, SYMBOL, side, D(1), D(100), D(0), NOW_NS + at)


def shown(*what: VenuePosition | RestingOrder, fills: tuple[Fill, ...] = (), now_ns: int = NOW_NS) -> AccountSeen:
    positions = {each.symbol: each for each in what if isinstance(each, VenuePosition)}
    resting = tuple(each for each in what if isinstance(each, RestingOrder))
    return AccountSeen("one", now_ns, positions, resting, {SYMBOL: fills})


def found(
    seen: AccountSeen | Unread, *known: Position, before: AccountSeen | None = None, foreign: ForeignPolicy = "ignore"
) -> list[tuple[str, Action, str]]:
    return [(each.case, each.action, each.position_id) for each in all_of(seen, *known, before=before, foreign=foreign)]


def all_of(
    seen: AccountSeen | Unread, *known: Position, before: AccountSeen | None = None, foreign: ForeignPolicy = "ignore"
) -> tuple[Finding, ...]:
    return reconcile(seen, before, known, foreign=foreign, fence_ns=PLAIN.fence_ns, now_ns=seen.time_ns)


def later(seen: AccountSeen, ns: int = CONFIRM_NS) -> AccountSeen:
    return evolve(seen, time_ns=seen.time_ns + ns)


def closed() -> Position:
    return evolve(protected(PLAIN).it, state=State.CLOSED, stops=())


# ── the journal is lost ─────────────────────────────────────────────────────────────────────────────────────


def test_journal_lost_a_position_with_our_stop_is_adopted() -> None:
    assert found(shown(holds("1"), order(f"fw-{LOST}-s3"))) == [(OURS, Action.ADOPT, LOST)]


def test_journal_lost_a_position_that_our_entry_opened_is_adopted() -> None:
    fills = (bought("by-hand", at=1), bought(f"fw-{LOST}-e0", at=2), bought("by-hand", OrderSide.SELL, at=3))
    assert found(shown(holds("1"), fills=fills)) == [(OURS, Action.ADOPT, LOST)]


@pytest.mark.parametrize("last", ["by-hand", "", f"fw-{LOST}-x0"], ids=["by hand", "no name", "a close of ours"])
def test_journal_lost_a_position_that_somebody_else_made_larger_last_is_not_ours(last: str) -> None:
    fills = (bought(f"fw-{LOST}-e0", at=1), bought(last, at=2))
    assert found(shown(holds("1"), fills=fills)) == [(FOREIGN, Action.IGNORE, "")]


def test_a_stop_on_the_entrys_side_says_nothing_about_a_position() -> None:
    assert found(shown(holds("-1"), order(f"fw-{LOST}-s0"))) == [(FOREIGN, Action.IGNORE, "")]


@pytest.mark.parametrize(
    ("foreign", "action"), [("ignore", Action.IGNORE), ("protect", Action.PROTECT), ("adopt", Action.ADOPT)]
)
def test_journal_lost_a_position_without_our_ids_follows_the_policy(foreign: ForeignPolicy, action: Action) -> None:
    assert found(shown(holds("1")), foreign=foreign) == [(FOREIGN, action, "")]


@pytest.mark.parametrize(("quantity", "action"), [("1", Action.IGNORE), ("1.5", Action.PROTECT)])
def test_a_foreign_position_that_has_a_stop_for_all_of_it_is_not_given_another(quantity: str, action: Action) -> None:
    assert found(shown(holds(quantity), order("by-hand")), foreign="protect") == [(FOREIGN, action, "")]


def test_a_market_with_a_position_of_ours_is_no_unknown_market() -> None:
    assert unknown_markets([holds("1"), holds("1", "BUSDT")], [protected(PLAIN).it, closed()]) == ["BUSDT"]


def test_the_stops_of_an_adopted_position_are_its_own_and_the_attached_one() -> None:
    own, attached = order(f"fw-{LOST}-s3"), evolve(order(""), attached=True)
    others = (order("by-hand"), order("fw-bbbbbbbbbbbbbbbb-s0"), order(f"fw-{LOST}-s4", "BUSDT"))
    seen = shown(holds("1"), own, attached, *others)
    assert own_stops(seen.positions[SYMBOL], LOST, seen) == (own, attached)


def test_a_settled_position_that_is_there_again_is_believed_after_two_readings() -> None:
    over = closed()
    first = shown(holds("1"), order(f"fw-{over.id}-s0"))
    assert found(first, over) == [(AGAIN, Action.WAIT, "")]
    assert found(later(first, CONFIRM_NS - 1), over, before=first) == [(AGAIN, Action.WAIT, "")]
    assert found(later(first), over, before=first) == [(AGAIN, Action.ADOPT, "")]
    assert found(later(first), over, before=shown(holds("-1"))) == [(AGAIN, Action.WAIT, "")]


# ── orders that were left behind ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("known", [(), (closed(),)], ids=["unknown", "closed"])
@pytest.mark.parametrize("leg", [Leg.STOP, Leg.ENTRY])
def test_an_order_of_ours_in_a_flat_market_goes_after_two_readings(known: tuple[Position, ...], leg: Leg) -> None:
    owner = known[0].id if known else LOST
    kind = RestingKind.STOP if leg is Leg.STOP else RestingKind.ENTRY
    left = order(client_id(owner, leg, 0), kind=kind)
    first = shown(left, holds("1", "BUSDT"))
    hand = (FOREIGN, Action.IGNORE, "")
    assert found(first, *known) == [hand, (ORPHAN, Action.WAIT, owner)]
    assert found(later(first, CONFIRM_NS - 1), *known, before=first) == [hand, (ORPHAN, Action.WAIT, owner)]
    assert found(later(first), *known, before=first) == [hand, (ORPHAN, Action.CANCEL, owner)]


@pytest.mark.parametrize("before", [shown(), shown(holds("1"), order(f"fw-{LOST}-s0"))], ids=["not there", "not flat"])
def test_both_readings_must_show_the_order_in_a_flat_market(before: AccountSeen) -> None:
    assert found(later(shown(order(f"fw-{LOST}-s0"))), before=before) == [(ORPHAN, Action.WAIT, LOST)]


def test_an_order_of_ours_stays_while_its_market_is_not_flat() -> None:
    seen = shown(holds("-1"), order(f"fw-{LOST}-s0"))
    assert found(later(seen), before=seen) == [(FOREIGN, Action.IGNORE, "")]


def test_an_order_of_ours_stays_while_a_position_may_still_turn_up_in_its_market() -> None:
    waiting = Life(PLAIN, plan()).it
    seen = shown(order(f"fw-{LOST}-s0"))
    assert found(later(seen), waiting, before=seen) == [("intent, nothing sent", Action.WAIT, waiting.id)]


def test_a_target_that_its_position_does_not_know_goes_after_two_readings_whatever_is_open() -> None:
    life = protected(PLAIN)
    stray = client_id(life.it.id, Leg.TARGET, 4)
    seen = shown(holds("1"), order(life.ids[0]), order(stray, kind=RestingKind.OTHER))

    assert (ORPHAN, Action.WAIT, life.it.id) in found(seen, life.it)
    assert (ORPHAN, Action.CANCEL, life.it.id) in found(later(seen), life.it, before=seen)


def test_a_position_whose_targets_do_not_rest_as_known_is_read_closely() -> None:
    life = protected(policy((FixedStop(), Taker((("1", "0.4"),), rests=True)), rests=True))
    (leg,) = life.it.targets
    life.happens(CloseAnswered(leg.client_id, report(leg.client_id, OrderStatus.NEW)))
    target = order(leg.client_id, kind=RestingKind.OTHER)
    life.happens(Filled(entry_fill(life.it)))

    assert found(shown(holds("1"), order(life.ids[0])), life.it) == [
        ("protected: targets not as known", Action.WAIT, life.it.id)
    ]
    assert found(shown(holds("1"), order(life.ids[0]), target), life.it) == [
        ("protected: as expected", Action.KEEP, life.it.id)
    ]


# ── what proves nothing ─────────────────────────────────────────────────────────────────────────────────────


def test_a_failed_reading_says_what_failed_and_nothing_else() -> None:
    (finding,) = all_of(Unread("one", NOW_NS, "one: 503"), protected(PLAIN).it)
    assert (finding.case, finding.action) == (FAILED, Action.WAIT)
    assert finding.why == "one: 503; nothing is opened, and what rests is left alone"


def test_a_reading_without_any_position_is_suspicious_while_some_are_known_to_be_open() -> None:
    life = protected(PLAIN)
    first = shown(order(f"fw-{LOST}-s0"), order(life.ids[0]))
    assert found(later(first), life.it, before=first) == [(EMPTY, Action.WAIT, "")]


@pytest.mark.parametrize("known", [(), (closed(),)])
def test_a_reading_without_any_position_is_fine_while_none_is_known_to_be_open(known: tuple[Position, ...]) -> None:
    assert found(shown(), *known) == []


# ── laws ────────────────────────────────────────────────────────────────────────────────────────────────────

SYMBOLS = st.sampled_from([SYMBOL, "BUSDT"])
OWNERS = st.sampled_from([LOST, closed().id, protected(PLAIN).it.id])
OWN = st.builds(client_id, OWNERS, st.sampled_from([Leg.STOP, Leg.ENTRY]), st.integers(0, 3))
ORDERS = st.lists(
    st.builds(
        order, OWN | st.sampled_from(["", "by-hand", "fw-x"]), SYMBOLS, st.sampled_from(RestingKind),
        st.sampled_from(OrderSide),
    ),
    max_size=5,
)  # fmt: skip
HELD = st.lists(st.builds(holds, st.sampled_from(["1", "-1", "0.5", "2"]), SYMBOLS), max_size=2)
KNOWN = st.lists(st.sampled_from([closed(), protected(PLAIN).it, opened(PLAIN).it]), max_size=1).map(tuple)
FILLS = st.lists(st.builds(bought, OWN | st.just("by-hand"), st.sampled_from(OrderSide), st.integers(0, 9)), max_size=3)


@st.composite
def readings(draw: st.DrawFn) -> tuple[AccountSeen, AccountSeen | None]:
    seen = shown(*draw(HELD), *draw(ORDERS), fills=tuple(draw(FILLS)), now_ns=NOW_NS + 60 * SECOND_NS)
    before = draw(st.none() | st.just(seen) | st.builds(lambda h, o: shown(*h, *o), HELD, ORDERS))
    return seen, None if before is None else evolve(before, time_ns=NOW_NS)


POLICIES: st.SearchStrategy[ForeignPolicy] = st.sampled_from(("ignore", "protect", "adopt"))


@settings(deadline=None, max_examples=300)
@given(readings(), KNOWN, POLICIES)
def test_only_orders_of_ours_are_ever_cancelled_and_only_in_flat_markets_seen_twice(
    both: tuple[AccountSeen, AccountSeen | None], known: tuple[Position, ...], foreign: ForeignPolicy
) -> None:
    seen, before = both
    for finding in all_of(seen, *known, before=before, foreign=foreign):
        if finding.order is None or finding.action is not Action.CANCEL:
            continue
        assert finding.order.owner == finding.position_id != ""
        assert before is not None
        assert finding.symbol not in seen.positions.keys() | before.positions.keys()
        assert finding.order.client_id in {each.client_id for each in before.resting}


@settings(deadline=None, max_examples=300)
@given(readings(), KNOWN, POLICIES)
def test_no_order_of_a_position_that_is_open_or_unsettled_is_ever_swept(
    both: tuple[AccountSeen, AccountSeen | None], known: tuple[Position, ...], foreign: ForeignPolicy
) -> None:
    seen, before = both
    swept = [f.order for f in all_of(seen, *known, before=before, foreign=foreign) if f.order is not None]
    for position in (each for each in known if not each.is_settled):
        assert position.id not in {each.owner for each in swept}
        assert position.symbol not in {each.symbol for each in swept}


@settings(deadline=None, max_examples=100)
@given(KNOWN, POLICIES, st.none() | readings().map(lambda both: both[0]))
def test_a_failed_reading_never_leads_to_anything(
    known: tuple[Position, ...], foreign: ForeignPolicy, before: AccountSeen | None
) -> None:
    failed = Unread("one", NOW_NS + 600 * SECOND_NS, "503")
    assert [f.action for f in all_of(failed, *known, before=before, foreign=foreign)] == [Action.WAIT]


@settings(deadline=None, max_examples=200)
@given(readings(), KNOWN, POLICIES)
def test_every_position_of_the_venue_is_spoken_of_once(
    both: tuple[AccountSeen, AccountSeen | None], known: tuple[Position, ...], foreign: ForeignPolicy
) -> None:
    seen, before = both
    findings = all_of(seen, *known, before=before, foreign=foreign)
    if findings and findings[0].case == EMPTY:
        return
    spoken = [f.symbol for f in findings if f.order is None]
    assert all(spoken.count(symbol) == 1 for symbol in seen.positions)
    assert all(isinstance(f.why, str) and f.why for f in findings)


# ── another instance ────────────────────────────────────────────────────────────────────────────────────────


def elsewhere(seen: AccountSeen, since_ns: int) -> bool:
    (finding,) = reconcile(seen, None, (), foreign="adopt", fence_ns=0, now_ns=NOW_NS)
    return opened_elsewhere(finding, seen, since_ns)


def test_a_position_with_our_ids_that_was_opened_while_the_journal_knew_of_every_entry_was_opened_elsewhere() -> None:
    entry = bought(f"fw-{LOST}-e0", at=2)
    seen = shown(holds("1"), order(f"fw-{LOST}-s0"), fills=(entry,))

    assert elsewhere(seen, entry.time_ns - 1)
    assert not elsewhere(seen, entry.time_ns)


def test_one_that_was_opened_before_or_by_nobody_of_ours_or_nobody_knows_when_was_not() -> None:
    first, more = bought(f"fw-{LOST}-e0", at=2), bought(f"fw-{LOST}-e1", at=9)

    assert not elsewhere(shown(holds("1"), fills=(first, more)), first.time_ns)
    assert not elsewhere(shown(holds("1"), fills=(bought("by-hand", at=9),)), 0)
    assert not elsewhere(shown(holds("1"), order(f"fw-{LOST}-s0")), 0)
