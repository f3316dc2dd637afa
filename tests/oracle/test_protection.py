"""Invariants 1, 2, 3, 8 and 13: each holds for a plain run, and breaks for every way in which a run can break it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.oracle.plans import Plan
from tests.oracle.story import P1, P2, Story, broken, opened, short, told

VENUES = ("binance", "bybit")


def naked(story: Story, **how: Any) -> dict[str, float]:
    """The naked milliseconds of a story, as its figures tell them."""
    figures = story.judged(**how).figures[story.venue]
    told_ms: dict[str, float] = figures["naked_ms"]
    return told_ms


def trail(by: str, side: str = "buy") -> dict[str, Plan]:
    return {P1: Plan("BTCUSDT", side, None, None, None, None, Decimal(by))}


def risk(low: str | None, high: str | None, side: str = "buy") -> dict[str, Plan]:
    lowest, highest = (None if one is None else Decimal(one) for one in (low, high))
    return {P1: Plan("BTCUSDT", side, None, lowest, highest, None)}


# ── 1: covered at every instant ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("venue", VENUES)
def test_a_position_that_is_protected_and_closed_keeps_every_invariant(venue: str) -> None:
    story = opened(venue).wait(1000).close()
    if venue == "binance":
        story.wait(5).cancel_stop()

    assert broken(story.judged()) == []


def test_on_binance_the_time_between_fill_and_stop_is_counted_and_allowed() -> None:
    story = Story().price().enter().wait(350).place_stop().wait(1000).close()

    assert broken(story.judged()) == []
    assert naked(story)["worst"] == 350


def test_a_stop_that_covers_too_little_leaves_the_position_naked() -> None:
    story = Story().price().enter().place_stop(qty="0.9").wait(8001).close()

    assert broken(story.judged()) == [1]


def test_an_attached_stop_for_a_part_leaves_the_rest_naked() -> None:
    story = opened("bybit").wait(8001).close()
    next(line for line in story.lines if line["kind"] == "stop")["qty"] = "0.9"

    assert broken(story.judged()) == [1]


@pytest.mark.parametrize(
    "fields",
    [
        {"side": "buy"},
        {"reduce_only": False},
        {"trigger_price": "51000"},
        {"trigger_price": "0"},
        {"status": "rejected"},
        {"status": "expired"},
    ],
)
def test_a_stop_that_would_not_protect_does_not_count(fields: dict[str, object]) -> None:
    story = opened().wait(8001).close()
    next(line for line in story.lines if line["kind"] == "stop").update(fields)

    assert 1 in broken(story.judged())


def test_two_stops_that_cover_the_position_together_are_enough() -> None:
    story = Story().price().enter().place_stop(qty="0.4").place_stop("48900", "0.6", 1).wait(9000).close()

    assert 1 not in broken(story.judged())


@pytest.mark.parametrize("fields", [{"reduce_only": False, "qty": None}, {"qty": None}])
def test_a_stop_for_the_whole_position_covers_any_size(fields: dict[str, object]) -> None:
    story = opened().wait(9000).close()
    next(line for line in story.lines if line["kind"] == "stop").update(fields)

    assert 1 not in broken(story.judged())


@pytest.mark.parametrize("venue", VENUES)
def test_a_stop_that_disappears_leaves_the_position_naked(venue: str) -> None:
    story = opened(venue).wait(1000)
    name = "attached" if venue == "bybit" else f"fw-{P1}-s0"
    story.stop(name, "49000", status="cancelled").wait(8500).close()

    assert broken(story.judged()) == [1]


def test_on_bybit_a_single_nanosecond_is_too_much() -> None:
    story = opened("bybit").wait(10).stop("attached", "49000", status="cancelled").wait(0.000_001)
    story.stop("attached", "49000").wait(10).close()

    assert broken(story.judged()) == [1]


def test_nothing_is_naked_when_the_stop_comes_in_the_same_instant() -> None:
    story = opened("bybit").wait(10).stop("attached", "49000", status="cancelled").stop("attached", "49000").close()

    assert broken(story.judged()) == []


def test_the_time_of_one_position_adds_up() -> None:
    story = opened("binance").stop(f"fw-{P1}-s0", "49000", status="expired").wait(5000).place_stop(sequence=1)
    story.stop(f"fw-{P1}-s1", "49000", status="expired").wait(5000).place_stop(sequence=2).wait(1).close()

    assert naked(story)["total"] == 10_020
    assert broken(story.judged()) == [1]


def test_the_bounds_are_options() -> None:
    story = Story().price().enter().wait(350).place_stop().close()

    assert broken(story.judged(naked_max_ms_binance=349)) == [1]
    assert broken(story.judged(naked_max_ms_binance=350)) == []


def test_time_while_down_is_counted_and_not_bounded() -> None:
    story = Story().price().enter().wait(60_000).place_stop().wait(1).close()

    judgement = story.judged(up=((0, 100), (58_000, 70_000)))

    assert broken(judgement) == []
    assert naked(story, up=((0, 100), (58_000, 70_000))) == {
        "p50": 60_000, "p99": 60_000, "worst": 60_000, "total": 60_000, "up": 2100, "down": 57_900, "fault": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("where", "fault_ms"),
    [
        ({"symbol": "BTCUSDT"}, 5000),
        ({}, 5000),
        ({"account": None}, 5000),
        ({"symbol": "ETHUSDT"}, 0),
        ({"venue": "binance"}, 0),
        ({"account": "another"}, 0),
    ],
)
def test_time_after_a_fault_that_concerns_the_position_is_put_down_to_it(
    where: dict[str, object], fault_ms: float
) -> None:
    story = opened("bybit").wait(1).fault("stop-vanishes", **where)
    story.stop("attached", "49000", status="cancelled").wait(5000).move_stop("49000").wait(1).close()

    assert naked(story)["fault"] == fault_ms
    assert broken(story.judged()) == ([] if fault_ms else [1])


def test_time_long_after_a_fault_is_not_put_down_to_it() -> None:
    story = opened().fault().stop(f"fw-{P1}-s0", "49000", status="expired").wait(12_000).place_stop(sequence=1).close()

    assert naked(story)["up"] == 20 + 2000
    assert naked(story, fault_window_s=11)["up"] == 20 + 1000


def test_too_long_under_a_fault_is_too_long() -> None:
    story = opened("bybit").fault("banned").stop("attached", "49000", status="cancelled").wait(8001).close()

    assert told(story.judged(), 1) == ["naked for 8001.0 ms under a fault; at most 8000 ms are allowed"]
    assert broken(story.judged(naked_fault_max_ms_bybit=8001)) == []


def test_a_position_that_is_still_naked_at_the_end_is_judged_up_to_there() -> None:
    story = Story().price().enter().wait(9000).price()

    assert broken(story.judged()) == [1]
    assert story.judged().figures["binance"]["naked_at_the_end"] == 1


def test_somebody_elses_position_is_not_judged() -> None:
    story = Story().price().order("7", "web_7", "buy", "1").fill("7", "buy", "1")
    story.order("7", "web_7", "buy", "1", "filled").wait(600_000).price()

    assert broken(story.judged()) == []


def test_what_somebody_else_adds_to_our_position_has_to_be_covered() -> None:
    story = opened().order("7", "web_7", "buy", "1").fill("7", "buy", "1").order("7", "web_7", "buy", "1", "filled")

    assert broken(story.wait(8001).close("2").judged()) == [1]


def test_the_stop_of_a_short_position_buys() -> None:
    story = short().wait(9000).close(side="buy")

    assert broken(story.judged()) == []


def test_each_bound_is_told_of_once_for_a_position() -> None:
    story = Story().price().enter().wait(9000).place_stop().stop(f"fw-{P1}-s0", "49000", status="expired")
    story.wait(9000).place_stop(sequence=1).stop(f"fw-{P1}-s1", "49000", status="triggered").wait(32_000)
    story.place_stop(sequence=2).stop(f"fw-{P1}-s2", "49000", status="expired").wait(31_000).close()

    counts = {verdict.number: verdict.count for verdict in story.judged().verdicts if verdict.count}

    assert counts == {1: 1, 2: 1}


def test_an_attached_stop_that_is_moved_to_take_profit_protects_no_more() -> None:
    story = opened("bybit").wait(10).stop("attached", "51000").wait(10).close()

    assert broken(story.judged()) == [1]


# ── 2: only a working stop counts ───────────────────────────────────────────────────────────────────────────


def test_a_stop_that_triggers_and_fills_is_a_protection_to_the_end() -> None:
    story = opened().wait(10).fire()

    assert broken(story.judged()) == []
    assert naked(story)["worst"] == 20


@pytest.mark.parametrize("status", ["triggering", "triggered"])
def test_a_stop_that_triggers_and_hangs_protects_for_the_grace_only(status: str) -> None:
    story = opened().wait(10).stop(f"fw-{P1}-s0", "49000", status=status).wait(10_500).close()

    assert naked(story)["worst"] == 20 + 8500
    assert broken(story.judged()) == [2]
    assert broken(story.judged(trigger_grace_s=3)) == []


@pytest.mark.parametrize("filled", ["0", "0.4"])
def test_a_stop_whose_order_ends_before_it_has_filled_leaves_the_rest_naked(filled: str) -> None:
    left = str(1 - Decimal(filled))
    story = opened().wait(10).fire(filled=filled).wait(8001).close(left)

    assert broken(story.judged()) == [2]


def test_what_a_stop_left_and_is_closed_soon_is_no_breach() -> None:
    story = opened().wait(10).fire(filled="0.4").wait(200).close("0.6")

    assert broken(story.judged()) == []
    assert naked(story)["worst"] == 220


def test_a_stop_of_bybit_goes_on_under_its_own_id() -> None:
    story = opened("bybit").wait(10).price("49000").stop("attached", "49000", status="triggered")
    child: dict[str, Any] = {"reduce_only": True, "created_by": "stop"}
    story.order("attached", None, "sell", "1", **child).fill("attached", "sell", "0.5").wait(1000)
    story.fill("attached", "sell", "0.5").order("attached", None, "sell", "1", "filled", **child)

    assert broken(story.judged()) == []
    assert naked(story)["worst"] == 0


def test_an_order_of_a_stop_that_ends_short_leaves_the_rest_naked_at_once() -> None:
    story = opened("bybit").wait(10).price("49000").stop("attached", "49000", status="triggered")
    child: dict[str, Any] = {"reduce_only": True, "created_by": "stop"}
    story.order("attached", None, "sell", "1", **child).fill("attached", "sell", "0.5")
    story.order("attached", None, "sell", "1", "cancelled", **child).wait(1000).close("0.5")

    assert naked(story)["worst"] == 1000


def test_what_a_stop_has_filled_already_it_does_not_cover_again() -> None:
    story = Story().price().enter(qty="2").place_stop().place_stop("48000", sequence=1)
    name = f"fw-{P1}-s0"
    story.stop(name, "49000", status="triggered").order("c", name, "sell", "1", reduce_only=True, created_by="stop")
    story.fill("c", "sell", "0.5").wait(100)
    assert naked(story)["worst"] == 0
    story.order("7", "web_7", "buy", "0.5").fill("7", "buy", "0.5").wait(100).price()
    assert naked(story)["worst"] == 100


def test_a_stop_that_is_lost_after_another_had_fired_is_not_put_down_to_that() -> None:
    story = opened().wait(10).fire(filled="0.5").place_stop("48000", sequence=1)
    story.stop(f"fw-{P1}-s1", "48000", status="expired").wait(8001).close("0.5")

    assert broken(story.judged()) == [1]


# ── 3: the losing side, within the risk ─────────────────────────────────────────────────────────────────────


def test_a_stop_on_the_winning_side_of_the_market_is_a_breach() -> None:
    story = Story().price().enter().place_stop("51000")

    assert told(story.judged(), 3) == ["the stop at 51000 lies on the winning side of the market"]


def test_a_first_stop_that_would_win_is_a_breach_even_below_the_market() -> None:
    story = Story().price().enter().price("52000").place_stop("50500")

    assert told(story.judged(), 3) == ["the first stop at 50500 is no loss for an entry at 50000"]


def test_a_first_stop_may_have_followed_a_market_that_ran_while_the_product_was_down() -> None:
    story = Story().price().enter().wait(100).price("52000").place_stop("50500").wait(1).close()

    assert broken(story.judged(up=((0, 100), (100, 10_000)))) == [3]
    assert broken(story.judged(up=((0, 10), (90, 10_000)))) == []


@pytest.mark.parametrize(("trigger", "holds"), [("51740", True), ("51741", False)])
def test_a_first_stop_that_came_late_may_have_followed_the_market_as_far_as_it_trails(
    trigger: str, holds: bool
) -> None:
    story = Story().price().enter().wait(100).price("52000").price("51900").place_stop(trigger).wait(1).close()

    assert (broken(story.judged(plans=trail("0.005"))) == []) is holds


def test_that_the_product_was_down_brings_no_stop_closer_than_it_trails() -> None:
    story = Story().price().enter().wait(100).price("52000").place_stop("51741").wait(1).close()

    assert broken(story.judged(up=((0, 10), (90, 10_000)), plans=trail("0.005"))) == [3]


def test_a_price_from_before_the_position_explains_no_stop_in_profit() -> None:
    story = Story().price("52000").price("50400").enter().place_stop("50200").wait(1).close()

    assert broken(story.judged(plans=trail("0.005"))) == [3]
    assert broken(story.judged(plans=trail("0.003"))) == []


@pytest.mark.parametrize(("trigger", "holds"), [("48240", True), ("48239", False)])
def test_the_stop_of_a_short_position_follows_no_closer_either(trigger: str, holds: bool) -> None:
    story = short().wait(100).price("48000").price("48100")
    with story.request("POST", "/v5/position/trading-stop", symbol="BTCUSDT", stopLoss=trigger):
        story.stop("attached", trigger, side="buy")

    assert (broken(story.judged(plans=trail("0.005", "sell"))) == []) is holds


def test_a_later_stop_in_profit_follows_no_closer_than_it_trails() -> None:
    story = opened().price("53000").place_stop("52800", sequence=1).cancel_stop()

    (what,) = told(story.judged(plans=trail("0.005")), 3)

    assert what == "the stop at 52800 follows the best price since the entry, 53000, closer than by 0.5%"


def test_a_stop_of_the_wrong_side_is_a_breach() -> None:
    story = Story().price().enter()
    story.stop(f"fw-{P1}-s0", "51000", side="buy")

    assert told(story.judged(), 3) == ["the stop at 51000 would add to the position"]


def test_a_stop_that_was_there_before_the_position_is_judged_when_that_opens() -> None:
    story = Story().price("50000").stop(f"fw-{P1}-s0", "51000", side="buy").enter()

    assert 3 in broken(story.judged())


def test_a_stop_that_takes_profit_beside_the_one_that_protects_is_fine() -> None:
    story = opened("bybit").stop("profit", "52000").wait(10).close().stop("profit", "52000", status="cancelled")

    assert broken(story.judged()) == []


def test_what_an_earlier_position_left_is_judged_as_a_leftover_only() -> None:
    story = opened().close().enter(P2, side="sell").stop(f"fw-{P2}-s0", "51000", side="buy")

    assert broken(story.judged()) == []


def test_a_later_stop_may_lie_in_the_profit() -> None:
    story = opened().price("53000").place_stop("51000", sequence=1).cancel_stop()

    assert broken(story.judged()) == []


@pytest.mark.parametrize(
    ("low", "high", "holds"),
    [
        ("48900", "49100", True),
        (None, None, True),
        ("49000", "49000", True),
        ("49001", None, False),
        (None, "48999", False),
    ],
)
def test_the_first_stop_lies_within_the_plan(low: str | None, high: str | None, holds: bool) -> None:
    assert (broken(opened().judged(plans=risk(low, high))) == []) is holds


@pytest.mark.parametrize(("low", "high", "holds"), [("50900", "51100", True), ("51001", None, False)])
def test_the_same_for_a_short_position(low: str, high: str | None, holds: bool) -> None:
    assert (broken(short().judged(plans=risk(low, high, "sell"))) == []) is holds


def test_every_stop_is_a_first_one_while_an_entry_is_under_way() -> None:
    story, entry = Story().price(), f"fw-{P1}-e0"
    story.order(entry, entry, "buy", "1", type="limit").fill(entry, "buy", "0.5").place_stop("49400", "0.5")
    story.fill(entry, "buy", "0.5").place_stop("49800", sequence=1)

    assert broken(story.judged(plans=risk("48500", "49500"))) == [3]


def test_a_later_stop_never_lies_further_away_than_planned() -> None:
    story = opened("bybit").wait(10).move_stop("48000")

    assert 3 in broken(story.judged(plans=risk("48500", "49500")))


def test_a_later_stop_may_lie_nearer_than_planned() -> None:
    story = opened("bybit").wait(10).move_stop("49800")

    assert broken(story.judged(plans=risk("48500", "49500"))) == []


# ── 8: no gap, and only tighter ─────────────────────────────────────────────────────────────────────────────


def test_a_stop_that_is_placed_before_the_old_one_goes_leaves_no_gap() -> None:
    story = opened().place_stop("49500", sequence=1).cancel_stop().place_stop("49600", sequence=2)

    assert broken(story.cancel_stop("49500", 1).judged()) == []


def test_a_stop_that_goes_before_the_new_one_comes_is_a_gap_even_in_no_time() -> None:
    story = opened().cancel_stop().place_stop("49500", sequence=1)

    assert told(story.judged(), 8) == ["the stop at 49000 was given up before there was another"]
    assert naked(story)["worst"] == 20


def test_only_time_up_counts_until_a_stop_has_settled_at_the_price_that_was_paid() -> None:
    story = opened("bybit").wait(100_000).move_stop("48900").wait(1).close()

    assert broken(story.judged()) == [8]
    assert broken(story.judged(settling_s=60)) == [8]
    assert broken(story.judged(settling_s=60, up=((0, 10_000), (95_000, 200_000)))) == []


def test_who_cancels_the_old_stop_may_not_know_that_the_venue_has_just_taken_the_new_one() -> None:
    story = opened().place_stop("49500", sequence=1).stop(f"fw-{P1}-s1", "49500", status="expired")

    story.wait(300).cancel_stop().wait(1).close()

    assert broken(story.judged()) == [8]
    assert broken(story.judged(crossing_ms=301)) == []


def test_a_stop_that_is_replaced_within_one_request_leaves_no_gap() -> None:
    story = opened("bybit")
    with story.request("POST", "/v5/position/trading-stop", symbol="BTCUSDT", stopLoss="49100"):
        story.stop("attached", "49000", status="cancelled").stop("another", "49100")

    assert broken(story.judged()) == []


def test_a_stop_that_is_cancelled_while_the_position_closes_is_a_gap() -> None:
    story = opened().cancel_stop().close()

    assert broken(story.judged()) == [8]


@pytest.mark.parametrize("trigger", ["48999", "48000"])
def test_a_stop_that_is_moved_away_from_the_market_is_a_breach(trigger: str) -> None:
    assert broken(opened("bybit").move_stop("49000").move_stop(trigger).judged()) == [8]


def test_the_stop_of_a_short_position_tightens_downwards() -> None:
    story = short()
    with story.request("POST", "/v5/position/trading-stop", symbol="BTCUSDT", stopLoss="50500"):
        story.stop("attached", "50500", side="buy")
    assert broken(story.judged()) == []
    with story.request("POST", "/v5/position/trading-stop", symbol="BTCUSDT", stopLoss="50600"):
        story.stop("attached", "50600", side="buy")
    assert broken(story.judged()) == [8]


def test_a_stop_further_away_beside_the_old_one_is_no_loosening() -> None:
    story = opened().place_stop("48000", sequence=1)

    assert broken(story.judged()) == []
    assert broken(story.cancel_stop().judged()) == [8]


def test_a_stop_that_fires_during_a_request_was_not_given_up() -> None:
    story = opened()
    with story.request("DELETE", "/fapi/v1/algoOrder", 400, -2011, symbol="BTCUSDT", clientAlgoId=f"fw-{P1}-s0"):
        story.fire(filled="0.5")

    assert broken(story.close("0.5").judged()) == []


def test_for_a_position_that_has_grown_the_stop_is_set_anew() -> None:
    story = opened().order("7", "web_7", "buy", "1").fill("7", "buy", "1").order("7", "web_7", "buy", "1", "filled")

    assert broken(story.wait(100).place_stop("48500", "2", 1).cancel_stop().close("2").judged()) == []


def test_a_lost_stop_is_replaced_where_it_was() -> None:
    lost = opened().stop(f"fw-{P1}-s0", "49000", status="expired").wait(100)
    assert broken(lost.place_stop("49000", sequence=1).judged()) == []
    lost = opened().stop(f"fw-{P1}-s0", "49000", status="expired").wait(100)
    assert broken(lost.place_stop("48900", sequence=1).judged()) == [8]


def test_a_stop_that_a_fault_took_may_be_replaced_further_away() -> None:
    story = opened().fault("stop-vanishes").stop(f"fw-{P1}-s0", "49000", status="cancelled").wait(100)

    assert broken(story.place_stop("48900", sequence=1).judged()) == []


def test_while_opening_a_stop_may_be_set_anew() -> None:
    story = Story().price()
    entry = f"fw-{P1}-e0"
    story.order(entry, entry, "buy", "1", type="limit").fill(entry, "buy", "0.5").place_stop("49500", "0.5")
    story.fill(entry, "buy", "0.5", "49800").place_stop("49000", sequence=1).cancel_stop("49500", 0, "0.5")
    story.order(entry, entry, "buy", "1", "filled")

    assert broken(story.judged()) == []
    assert broken(story.place_stop("48900", sequence=2).cancel_stop("49000", 1).judged()) == [8]


# ── 13: protected or flat in the end ────────────────────────────────────────────────────────────────────────


def naked_for(seconds: float) -> Story:
    return Story().price().enter().wait(seconds * 1000).price()


def test_a_position_that_stays_naked_is_told_of() -> None:
    assert 13 not in broken(naked_for(59.9).judged())
    assert told(naked_for(60.1).judged(), 13) == ["neither protected nor flat for 60 s, with nothing in the way"]
    assert 13 not in broken(naked_for(60.1).judged(liveness_s=61))


def test_the_bound_begins_when_the_last_fault_is_over() -> None:
    story = Story().price().enter().wait(50_000).fault()

    assert 13 not in broken(story.wait(69_000).price().judged())
    assert 13 in broken(story.wait(2000).price().judged())


def test_only_time_up_counts() -> None:
    up = ((0, 30_000), (100_000, 200_000))

    assert 13 not in broken(naked_for(129).judged(up=up))
    assert 13 in broken(naked_for(131).judged(up=up))
    assert 13 not in broken(naked_for(9999).judged(up=((0, 30_000),)))


def test_a_position_that_was_protected_in_between_has_its_time_anew() -> None:
    story = Story().price().enter().wait(50_000).place_stop().stop(f"fw-{P1}-s0", "49000", status="expired")

    assert 13 not in broken(story.wait(50_000).price().judged())


def test_a_stop_of_an_earlier_position_protects_and_is_told_nothing_of() -> None:
    story = opened().close().enter(P2).wait(9000).close(position=P2).cancel_stop()

    assert broken(story.judged()) == []
