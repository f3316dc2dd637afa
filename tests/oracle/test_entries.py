"""Invariants 4, 5, 6 and 10: entries that are sent, filled and summed once, and the ways in which they are not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.oracle.plans import Plan
from tests.oracle.story import MS, ORDER, P1, P2, START_NS, Story, broken, opened, told

E0, E1 = f"fw-{P1}-e0", f"fw-{P1}-e1"


def plan(max_qty: str | None = None, deadline_ms: int | None = None, side: str = "buy") -> dict[str, Plan]:
    deadline_ns = None if deadline_ms is None else START_NS + deadline_ms * MS
    most = None if max_qty is None else Decimal(max_qty)
    return {P1: Plan("BTCUSDT", side, most, None, None, deadline_ns)}


def asked(story: Story, client_id: str, status: int = 200, code: int | None = None, fault: str | None = None) -> Story:
    """An entry that is asked for and not carried out."""
    with story.request(*ORDER, status, code, symbol="BTCUSDT", side="BUY", quantity="1", newClientOrderId=client_id):
        if fault is not None:
            story.fault(fault)
    return story


def limit_then_market(first: str = "0.4", end: str = "cancelled") -> Story:
    """A limit entry that ends after a part of it, and a market entry for the rest."""
    story = Story().price()
    with story.request(*ORDER, symbol="BTCUSDT", side="BUY", quantity="1", price="49990", newClientOrderId=E0):
        story.order(E0, E0, "buy", "1", type="limit")
    if Decimal(first):
        story.fill(E0, "buy", first).place_stop("49000", first)
    story.order(E0, E0, "buy", "1", end)
    return story


# ── 4: one filled entry for each signal ─────────────────────────────────────────────────────────────────────


def test_a_second_entry_may_fill_what_the_first_one_left() -> None:
    story = limit_then_market().enter(sequence=1, qty="0.6").place_stop("49000", sequence=1)

    assert broken(story.judged()) == []


def test_a_second_entry_after_one_that_filled_nothing_is_the_only_filled_one() -> None:
    story = limit_then_market("0").enter(sequence=1).place_stop()

    assert broken(story.judged()) == []


def test_a_second_entry_after_one_that_filled_in_full_is_one_too_many() -> None:
    story = opened().enter(sequence=1, qty="0.1").place_stop("49000", "1.1", 1)

    assert told(story.judged(), 4) == [f"{E1} filled: another entry of the signal had filled in full"]


def test_a_second_entry_beside_one_that_still_rests_is_one_too_many() -> None:
    story = Story().price()
    story.order(E0, E0, "buy", "1", type="limit").fill(E0, "buy", "0.4").place_stop("49000", "0.4")
    story.enter(sequence=1, qty="0.6").place_stop("49000", sequence=1)

    assert 4 in broken(story.judged())


def test_the_same_entry_under_another_order_is_one_too_many() -> None:
    story = opened()
    story.order("again", E0, "buy", "1").fill("again", "buy", "1").order("again", E0, "buy", "1", "filled")

    assert told(story.judged(), 4) == [f"{E0} filled: it had filled before, under another order"]


def test_an_entry_after_the_position_was_flat_again_is_one_too_many() -> None:
    story = limit_then_market().close("0.4").cancel_stop("49000", 0, "0.4").enter(sequence=1, qty="0.6")

    assert 4 in broken(story.judged())


def test_what_an_entry_fills_late_is_still_the_same_entry() -> None:
    story = Story().price()
    story.order(E0, E0, "buy", "1", type="limit").fill(E0, "buy", "0.4").close("0.4").fill(E0, "buy", "0.6")
    story.order(E0, E0, "buy", "1", "filled").close("0.6", 1)

    assert broken(story.judged()) == []


def test_an_entry_of_another_position_where_one_is_open_is_a_breach() -> None:
    story = opened().enter(P2).place_stop("49000", "2", 1)

    assert told(story.judged(), 4) == [f"fw-{P2}-e0 filled while position {P1} is open"]


def test_another_position_may_follow_one_that_was_closed() -> None:
    story = opened().close().cancel_stop().enter(P2).place_stop(position=P2)

    assert broken(story.judged()) == []


# ── 5: sums ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_position_that_its_fills_do_not_make_is_a_breach() -> None:
    story = opened()
    next(line for line in story.lines if line["kind"] == "position")["qty"] = "1.1"

    assert told(story.judged(), 5) == ["the position is told as 1.1, the fills say 1"]


def test_a_position_that_is_told_as_flat_against_its_fills_is_flat_from_there_on() -> None:
    story = opened()
    story.write("position", symbol="BTCUSDT", qty="0", entry_price="0")

    judgement = story.wait(100_000).price().judged()

    assert broken(judgement) == [5]
    assert judgement.figures["binance"]["open_at_the_end"] == 0


@pytest.mark.parametrize("kind", ["fill", "position", "order"])
def test_a_line_that_is_missing_is_a_breach(kind: str) -> None:
    story = opened().close().cancel_stop()
    story.lines.remove(next(line for line in story.lines if line["kind"] == kind))
    for number, line in enumerate(story.lines, 1):
        line["seq"] = number

    assert 5 in broken(story.judged())


@pytest.mark.parametrize(("filled", "holds"), [("1", True), ("0.9", False), ("1.1", False)])
def test_an_order_tells_what_its_fills_say(filled: str, holds: bool) -> None:
    story = opened()
    next(line for line in story.lines if line.get("status") == "filled")["filled"] = filled

    assert (broken(story.judged()) == []) is holds


def test_an_order_that_fills_beyond_its_quantity_is_a_breach() -> None:
    story = Story().price().order(E0, E0, "buy", "1").fill(E0, "buy", "1.5").order(E0, E0, "buy", "1", "filled")

    assert told(story.judged(), 5) == [f"order {E0} over 1 filled 1.5"]


def test_an_order_of_ours_that_passes_through_zero_is_a_breach_in_one_fill_or_two() -> None:
    exit_id = f"fw-{P1}-x0"
    for parts in (("1.5",), ("1", "0.5")):
        story = opened().order(exit_id, exit_id, "sell", "1.5", reduce_only=True)
        for part in parts:
            story.fill(exit_id, "sell", part)

        assert told(story.judged(), 5) == [f"order {exit_id} ({exit_id}) carried the position through zero"]


def test_somebody_else_may_pass_through_zero() -> None:
    story = opened().order("7", "web_7", "sell", "2").fill("7", "sell", "1").fill("7", "sell", "1")

    assert 5 not in broken(story.order("7", "web_7", "sell", "2", "filled").judged())


def crossed(*, rests: bool, foreign: str = "sell") -> Story:
    """Somebody else trades while an entry of ours rests, or before; the entry or the one after it fills."""
    story = Story().price()
    if rests:
        story.order(E0, E0, "buy", "2", type="limit", price="50000")
    story.order("7", "web_7", foreign, "1").fill("7", foreign, "1").order("7", "web_7", foreign, "1", "filled")
    if not rests:
        story.order(E0, E0, "buy", "2", type="limit", price="50000")
    return story


@pytest.mark.parametrize(("rests", "breaches"), [(True, []), (False, [5, 12])])
def test_an_entry_passes_through_what_somebody_else_opened_only_if_it_rested_then(
    rests: bool, breaches: list[int]
) -> None:
    story = crossed(rests=rests).fill(E0, "buy", "1").fill(E0, "buy", "1").order(E0, E0, "buy", "2", "filled")

    assert [number for number in broken(story.judged()) if number in (5, 12)] == breaches


@pytest.mark.parametrize(("crossing_ms", "breaches"), [(101, []), (100, [5, 12]), (0, [5, 12])])
def test_an_entry_passes_through_what_somebody_else_opened_only_just_before(
    crossing_ms: int, breaches: list[int]
) -> None:
    story = Story().price().order("7", "web_7", "sell", "1").fill("7", "sell", "1")
    story.order("7", "web_7", "sell", "1", "filled").wait(100)
    story.order(E0, E0, "buy", "2").fill(E0, "buy", "1").fill(E0, "buy", "1").order(E0, E0, "buy", "2", "filled")

    judgement = story.judged(crossing_ms=crossing_ms)
    assert [number for number in broken(judgement) if number in (5, 12)] == breaches


@pytest.mark.parametrize(("foreign", "breaches"), [("sell", []), (None, [5, 12])])
def test_an_entry_that_follows_one_which_somebody_else_crossed_may_pass_through_it(
    foreign: str | None, breaches: list[int]
) -> None:
    story = crossed(rests=True) if foreign else crossed(rests=False)
    story.order(E0, E0, "buy", "2", "cancelled", type="limit", price="50000")
    after = f"fw-{P1}-e1"
    story.order(after, after, "buy", "2").fill(after, "buy", "1").fill(after, "buy", "1")

    judgement = story.order(after, after, "buy", "2", "filled").judged()
    assert [number for number in broken(judgement) if number in (5, 12)] == breaches


# ── 6: within the plan ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("max_qty", "holds"), [("1", True), (None, True), ("0.99", False)])
def test_entries_stay_within_the_plan(max_qty: str | None, holds: bool) -> None:
    assert (broken(opened().judged(plans=plan(max_qty))) == []) is holds


def test_two_entries_that_fill_more_than_the_first_was_for_exceed_what_was_planned() -> None:
    story = limit_then_market("0.4").enter(sequence=1, qty="0.7").place_stop("49000", "1.1", 1)

    assert broken(story.judged()) == [6]


def test_an_exit_that_adds_to_the_position_exceeds_it() -> None:
    exit_id = f"fw-{P1}-x0"
    story = opened().order(exit_id, exit_id, "buy", "1", reduce_only=True).fill(exit_id, "buy", "1")

    assert told(story.judged(), 6) == [f"{exit_id} is no entry, and added to the position"]


def test_where_plans_are_told_an_entry_without_one_was_not_planned() -> None:
    assert told(opened().judged(plans={}), 6) == [f"{E0} filled, and nothing was planned for it"]
    assert broken(opened().judged()) == []


def test_an_entry_of_the_wrong_side_was_not_planned() -> None:
    assert told(opened().judged(plans=plan(side="sell")), 6) == [f"{E0} filled as buy, planned: sell BTCUSDT"]


# ── 10: sent once, and in time ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("status", "code"), [(200, None), (503, -1000), (400, -2019)])
def test_an_entry_that_is_sent_again_is_a_breach_whatever_the_answer_was(status: int, code: int | None) -> None:
    story = asked(asked(Story(), E0, status, code), E0)

    assert told(story.judged(), 10) == [f"{E0} was sent 2 times"]


@pytest.mark.parametrize(("status", "code"), [(400, -5022), (400, -2019), (503, -1008), (403, None)])
def test_another_entry_may_follow_one_that_was_refused(status: int, code: int | None) -> None:
    assert broken(asked(asked(Story(), E0, status, code), E1).judged()) == []


def test_an_entry_that_was_refused_before_its_account_was_known_is_not_sent_again_either() -> None:
    story = asked(Story(), E0, 400, -1021)
    for line in story.lines:
        line["account"] = None

    assert told(asked(story, E0).judged(), 10) == [f"{E0} was sent 2 times"]


@pytest.mark.parametrize(
    ("status", "code"), [(200, None), (503, -1000), (408, -1007), (408, None), (504, None), (503, None)]
)
def test_another_entry_after_an_unknown_outcome_is_a_breach(status: int, code: int | None) -> None:
    story = asked(asked(Story(), E0, status, code), E1)

    assert told(story.judged(), 10) == [f"{E1} was sent while nobody could know what became of entry 0"]


@pytest.mark.parametrize("fault", ["ack-lost", "request-lost", "empty-body", "gateway-504"])
def test_a_refusal_that_a_fault_kept_from_arriving_is_an_unknown_outcome(fault: str) -> None:
    assert broken(asked(asked(Story(), E0, 400, -2019, fault), E1).judged()) == [10]


@pytest.mark.parametrize(("code", "holds"), [(110007, True), (10016, False), (10000, False), (0, False)])
def test_the_same_on_bybit(code: int, holds: bool) -> None:
    story = Story("bybit")
    for client_id in (E0, E1):
        wish: dict[str, Any] = {"symbol": "BTCUSDT", "side": "Buy", "qty": "1", "orderLinkId": client_id}
        with story.request("POST", "/v5/order/create", 200, code, **wish):
            pass

    assert (broken(story.judged()) == []) is holds


def test_a_refusal_of_what_was_taken_in_all_the_same_proves_nothing() -> None:
    story = Story().price()
    with story.request(*ORDER, 400, -2019, symbol="BTCUSDT", side="BUY", quantity="1", newClientOrderId=E0):
        story.fault("refuse").order(E0, E0, "buy", "1", type="limit")

    assert broken(asked(story, E1).judged()) == [10]


def test_another_entry_while_the_first_rests_is_a_breach() -> None:
    story = limit_then_market("0")
    story.lines.pop()

    assert broken(asked(story, E1).judged()) == [10]


@pytest.mark.parametrize(("arrives_ms", "holds"), [(0, True), (1000, True), (2000, True), (2001, False)])
def test_an_entry_arrives_within_its_deadline_and_the_time_of_a_journey(arrives_ms: int, holds: bool) -> None:
    story = Story().price().wait(arrives_ms).enter().place_stop()

    assert (broken(story.judged(plans=plan(deadline_ms=1000))) == []) is holds
    assert broken(story.judged(plans=plan(deadline_ms=1000), entry_transit_ms=5000)) == []


def test_entries_over_a_socket_count_like_others() -> None:
    story = Story()
    for _ in range(2):
        with story.request("WS", "order.place", 400, -2019, symbol="BTCUSDT", side="BUY", newClientOrderId=E0):
            pass

    assert broken(story.judged()) == [10]
