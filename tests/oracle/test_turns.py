"""Invariant 1 where it is told for how long: for each turn of opening, and where the venue takes a stop away."""

from __future__ import annotations

import pytest

from tests.oracle.story import ALGO, P1, Story, broken, opened, told

TURN_MS = 100
PASSED = -2021


def refused(story: Story, sequence: int = 0, code: int = PASSED, fault: str = "") -> Story:
    """A stop that the venue refuses."""
    name = f"fw-{P1}-s{sequence}"
    with story.request(*ALGO, 400, code, symbol="BTCUSDT", side="SELL", clientAlgoId=name, reduceOnly="true"):
        if fault:
            story.fault(fault, symbol="ETHUSDT")
    return story


def part(story: Story, qty: str = "0.5") -> Story:
    """A part of the entry fills."""
    entry = f"fw-{P1}-e0"
    if entry not in story.filled:
        story.order(entry, entry, "buy", "1", type="limit")
    return story.fill(entry, "buy", qty)


# ── a turn for each fill ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("ms", "holds"), [(100, True), (100.001, False)])
def test_a_stop_comes_within_one_turn_of_the_fill(ms: float, holds: bool) -> None:
    story = Story().price().enter().wait(ms).place_stop().wait(1).close()

    assert (broken(story.judged(naked_turn_ms_binance=TURN_MS)) == []) is holds


@pytest.mark.parametrize(("ms", "holds"), [(100, True), (101, False)])
def test_each_fill_of_the_entry_begins_a_turn(ms: float, holds: bool) -> None:
    story = part(part(Story().price()).wait(90)).wait(ms).place_stop().wait(1).close()

    assert (broken(story.judged(naked_turn_ms_binance=TURN_MS)) == []) is holds


def test_a_turn_that_was_not_needed_is_none_to_spare_for_another() -> None:
    story = part(Story().price()).wait(10).place_stop(qty="0.5").wait(10)
    story = part(story).wait(101).place_stop(qty="0.5", sequence=1).wait(1).close()

    assert told(story.judged(naked_turn_ms_binance=TURN_MS), 1) == [
        "naked for 101.0 ms while up and without a fault; at most 100 ms are allowed"
    ]


# ── one turn more for a stop that the price has passed: the close ───────────────────────────────────────────


@pytest.mark.parametrize(("ms", "holds"), [(110, True), (111, False)])
def test_a_stop_that_the_price_has_passed_costs_one_turn_more(ms: float, holds: bool) -> None:
    story = refused(Story().price().enter().wait(90)).wait(ms).close()

    assert (broken(story.judged(naked_turn_ms_binance=TURN_MS)) == []) is holds


@pytest.mark.parametrize("again", [refused, lambda story: refused(story, code=-4509)])
def test_copies_of_a_stop_and_refusals_of_another_kind_cost_no_turn(again: object) -> None:
    story = refused(Story().price().enter().wait(90))
    assert callable(again)
    again(story).wait(111).close()

    assert broken(story.judged(naked_turn_ms_binance=TURN_MS)) == [1]


def test_a_refusal_that_a_fault_made_is_no_word_of_the_price() -> None:
    story = refused(Story().price().enter().wait(90), fault="refuse").wait(50).close()

    assert broken(story.judged(naked_turn_ms_binance=TURN_MS)) == [1]


def test_a_stop_that_is_refused_while_another_protects_costs_no_turn() -> None:
    story = refused(opened(), 1).cancel_stop().wait(101).place_stop(sequence=2).wait(1).close()

    assert broken(story.judged(naked_turn_ms_binance=TURN_MS)) == [1, 8]


def test_what_was_refused_before_the_entry_went_on_costs_no_turn_after_that() -> None:
    story = part(refused(part(Story().price()).wait(20))).wait(101).place_stop(sequence=1).wait(1).close()

    assert broken(story.judged(naked_turn_ms_binance=TURN_MS)) == [1]


def test_without_a_bound_for_turns_none_is_judged() -> None:
    assert broken(Story().price().enter().wait(7_999).place_stop().wait(1).close().judged()) == []


# ── the product was down meanwhile ──────────────────────────────────────────────────────────────────────────


def seen_late(ms: float) -> Story:
    """A second passes between the fill and the stop, and more."""
    return Story().price().enter().wait(1000 + ms).place_stop().wait(1).close()


@pytest.mark.parametrize(("ms", "holds"), [(9000, True), (9001, False)])
def test_what_happened_around_a_time_in_which_the_product_was_down_has_a_bound_of_its_own(ms: int, holds: bool) -> None:
    judgement = seen_late(ms).judged(
        up=((0, 500), (1500, 60_000)), naked_turn_ms_binance=TURN_MS, naked_blind_max_ms_binance=9000
    )

    assert (broken(judgement) == []) is holds


def test_that_it_was_down_at_another_time_is_no_excuse() -> None:
    story = Story().price().wait(2000).enter().wait(8001).place_stop().wait(1).close()

    assert broken(story.judged(up=((0, 500), (1500, 60_000)), naked_blind_max_ms_binance=9000)) == [1]


# ── a stop that the venue took away ─────────────────────────────────────────────────────────────────────────


def taken(ms: float) -> Story:
    """A second after it came to rest the stop on Bybit is gone, and another comes so much later."""
    return opened("bybit").wait(1000).stop("attached", "49000", status="cancelled").wait(ms).move_stop("49000").wait(1)


@pytest.mark.parametrize(("ms", "holds"), [(8000, True), (8001, False)])
def test_a_stop_that_the_venue_took_away_is_placed_anew_in_time(ms: float, holds: bool) -> None:
    assert (broken(taken(ms).close().judged(naked_taken_max_ms=8000)) == []) is holds


def test_a_stop_that_was_given_up_is_not_one_that_the_venue_took_away() -> None:
    story = opened("bybit").wait(1000)
    with story.request("POST", "/v5/position/trading-stop", symbol="BTCUSDT", stopLoss="0"):
        story.stop("attached", "49000", status="cancelled")

    assert 1 in broken(story.wait(1).move_stop("49000").wait(1).close().judged(naked_taken_max_ms=8000))


def test_a_part_that_never_had_a_stop_has_none_to_lose() -> None:
    story = Story("bybit").price().enter().stop("attached", "49000", status="cancelled").wait(1)
    story.lines = [line for line in story.lines if line["kind"] != "stop"]
    for number, line in enumerate(story.lines, 1):
        line["seq"] = number

    assert broken(story.price().judged(naked_taken_max_ms=8000)) == [1]


def test_what_the_venue_took_counts_with_the_rest_where_the_rest_may_take_time() -> None:
    story = Story().price().enter().wait(5000).place_stop().wait(1).stop(f"fw-{P1}-s0", "49000", status="cancelled")

    assert broken(story.wait(3001).place_stop(sequence=1).wait(1).close().judged(naked_taken_max_ms=8000)) == [1]


# ── … without a word ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("ms", "holds"), [(38_000, True), (38_001, False)])
def test_the_time_in_which_nobody_could_know_of_it_does_not_count(ms: float, holds: bool) -> None:
    story = taken(ms).close()

    assert (
        broken(story.judged(naked_taken_max_ms=8000, naked_fault_max_ms_bybit=90_000, unheard=((1000, 31_000),))) == []
    ) is holds


def test_what_was_naked_for_another_reason_is_not_excused_by_a_stop_that_was_taken_away_meanwhile() -> None:
    story = Story().price().enter().wait(9000).place_stop().wait(1).close()

    assert broken(story.judged(unheard=((1000, 31_000),))) == [1]


def test_a_stop_whose_loss_nobody_heard_of_is_placed_where_it_was() -> None:
    story = opened("bybit").wait(1000).stop("attached", "49000", status="cancelled").wait(500).move_stop("48900")

    assert broken(story.wait(1).close().judged(naked_taken_max_ms=8000, unheard=((1000, 31_000),))) == [8]


def test_who_stays_naked_for_a_minute_has_no_excuse_left() -> None:
    story = taken(61_000).close()

    assert broken(
        story.judged(naked_taken_max_ms=8000, naked_fault_max_ms_bybit=90_000, unheard=((1000, 91_000),))
    ) == [13]
