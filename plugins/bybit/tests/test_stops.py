"""Stops: attached ones set, moved and removed in place, and only believed when the position shows them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from framework import FillSeen, PriceSource, Refusal, StopAnswer, StopReport, StopSeen, Unknown

from .rig import AMEND, CANCEL, CREATE, ENTRY, POSITIONS, STOP, SYMBOL, TRADING_STOP, Rig, d, run, stop, trading


async def moved(rig: Rig, trigger: str = "49500", **fault: Any) -> StopAnswer:
    """The answer to a move of the stop of a position at 49000, while a fault holds for trading-stop."""
    await rig.buy()
    if fault:
        rig.fault(**{"path": TRADING_STOP, **fault})
    return await rig.exchange.move_stop(stop(trigger))


async def where(rig: Rig) -> object:
    """The stop of the position, as the venue has it."""
    rig.heal()
    (position,) = await rig.exchange.positions()
    return position.stop_price


# ── attached: set and move ──────────────────────────────────────────────────────────────────────────────────


def test_a_move_is_one_request_that_changes_the_stop_of_the_position_in_place() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await moved(rig)
            assert answer == StopReport(STOP, SYMBOL, True, d(49500), d("0.010"), attached=True)
            assert rig.sent(TRADING_STOP) == [
                {
                    "category": "linear",
                    "symbol": SYMBOL,
                    "tpslMode": "Full",
                    "positionIdx": 0,
                    "stopLoss": "49500",
                    "slTriggerBy": "LastPrice",
                }
            ]
            assert await where(rig) == d(49500)

    run(scenario)


def test_a_stop_by_the_mark_price_says_so() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            await rig.exchange.move_stop(stop("49500", trigger_by=PriceSource.MARK))
            assert rig.sent(TRADING_STOP)[0]["slTriggerBy"] == "MarkPrice"

    run(scenario)


def test_a_stop_is_live_only_once_the_position_shows_it() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.exchange.session.orders.pauses_s = (0.0, 0.01)
            await rig.buy()
            rig.fault("stale-reads", path=POSITIONS, lag_ms=5000, for_ms=60_000)
            await rig.exchange.positions()  # from now on the venue's queries trail behind
            answer = await rig.exchange.move_stop(stop("49500"))
            assert isinstance(answer, Unknown)
            assert "49500" in answer.message

    run(scenario)


def test_34040_for_a_stop_that_rests_just_there_is_a_success() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await moved(rig, "49000")
            assert answer == StopReport(STOP, SYMBOL, True, d(49000), d("0.010"), attached=True)
            assert len(rig.sent(TRADING_STOP)) == 1

    run(scenario)


def test_34040_while_another_stop_rests_means_the_other_thing_and_may_be_tried_again() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await moved(rig, name="refuse", code=34040)
            assert isinstance(answer, Refusal)
            assert (answer.code, answer.for_good) == ("34040", False)
            assert "a required parameter is missing, or its stop at 49000.0 is not changed" in answer.message

    run(scenario)


def test_34040_while_no_stop_rests_is_no_success() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            await rig.exchange.cancel_stop(SYMBOL, STOP)
            rig.fault("refuse", path=TRADING_STOP, code=34040)
            answer = await rig.exchange.place_stop(stop())
            assert isinstance(answer, Refusal)
            assert (answer.for_good, "no stop" in answer.message) == (False, True)

    run(scenario)


def test_34040_whose_read_fails_is_unknown() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.fault("refuse", path=TRADING_STOP, code=34040)
            rig.fault("refuse", path=POSITIONS, code=10016)
            assert isinstance(await rig.exchange.move_stop(stop()), Unknown)

    run(scenario)


def test_10001_a_stop_beyond_the_price_is_crossed() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await moved(rig, "50500")
            assert isinstance(answer, Refusal)
            assert (answer.code, answer.crossed) == ("10001", True)
            assert await where(rig) == d(49000)

    run(scenario)


def test_10001_a_stop_without_a_position_may_be_tried_again() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await rig.exchange.place_stop(stop())
            assert isinstance(answer, Refusal)
            assert (answer.code, answer.for_good, answer.crossed) == ("10001", False, False)
            assert "no position" in answer.message

    run(scenario)


def test_110079_a_move_while_the_order_is_processed_is_tried_again_shortly() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await moved(rig, name="refuse", code=110079, count=2)
            assert isinstance(answer, StopReport)
            assert answer.live
            assert len(rig.sent(TRADING_STOP)) == 3

    run(scenario)


def test_110079_that_does_not_end_is_a_refusal_for_now() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.exchange.session.orders.pauses_s = (0.0, 0.01)
            answer = await moved(rig, name="refuse", code=110079)
            assert isinstance(answer, Refusal)
            assert (answer.code, answer.for_good) == ("110079", False)

    run(scenario)


@pytest.mark.parametrize("name", ["ack-lost", "request-lost", "gateway-504", "empty-body", "unknown-503"])
def test_a_move_without_a_clear_answer_is_unknown(name: str) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert isinstance(await moved(rig, name=name), Unknown)

    run(scenario)


@pytest.mark.parametrize("name", ["ack-lost", "request-lost", "gateway-504", "empty-body", "unknown-503"])
def test_a_move_whose_answer_is_lost_is_sent_again_and_is_where_it_was_wanted(name: str) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await moved(rig, name=name, count=1)
            assert isinstance(answer, StopReport)
            assert (answer.live, answer.trigger_price) == (True, d(49500))

    run(scenario)


def test_10002_a_move_that_was_refused_for_our_clock_is_sent_again_with_the_right_time() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await moved(rig, name="clock-skew", skew_ms=20_000, count=1)
            assert isinstance(answer, StopReport)
            assert (answer.live, answer.trigger_price) == (True, d(49500))

    run(scenario)


def test_a_stop_for_a_position_that_went_meanwhile_is_not_live() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.exchange.session.orders.pauses_s = (0.0, 0.01)
            await rig.buy()
            rig.fault("position-changed", path=POSITIONS, market=SYMBOL, qty="0", count=1)
            answer = await rig.exchange.move_stop(stop("49500"))
            assert isinstance(answer, StopReport)
            assert (answer.live, answer.reason) == (False, "the position is flat")

    run(scenario)


# ── attached: remove, list, trigger ─────────────────────────────────────────────────────────────────────────


def test_the_attached_stop_is_removed_by_setting_it_to_zero() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            answer = await rig.exchange.cancel_stop(SYMBOL, STOP)
            assert answer == StopReport(STOP, SYMBOL, live=False, reason="removed", attached=True)
            assert rig.sent(TRADING_STOP)[0]["stopLoss"] == "0"
            assert await where(rig) is None

    run(scenario)


def test_removing_the_stop_of_a_position_that_is_gone_counts_as_removed() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await rig.exchange.cancel_stop(SYMBOL, STOP)
            assert answer == StopReport(STOP, SYMBOL, live=False, reason="the position is flat", attached=True)

    run(scenario)


def test_the_attached_stop_is_listed_with_the_id_of_the_entry_it_came_with() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            (report,) = await rig.exchange.stops(SYMBOL)
            assert report == StopReport(ENTRY, SYMBOL, True, d(49000), d("0.010"), attached=True)

    run(scenario)


def test_a_stop_that_acts_is_triggered_and_its_fill_says_so() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.price(48990)
            seen = await rig.event(StopSeen, lambda event: not event.report.live)
            assert (seen.report.reason, seen.report.attached) == ("triggered", True)
            fill = (await rig.event(FillSeen, lambda event: event.fill.client_id == "")).fill
            assert (fill.cause, fill.quantity, fill.price) == ("stop", d("0.010"), d(48990))
            fills = await rig.exchange.fills(SYMBOL, time.time_ns() - 60 * 10**9)
            assert [(each.client_id, each.cause) for each in fills] == [(ENTRY, "order"), ("", "stop")]
            assert await rig.exchange.stops(SYMBOL) == ()

    run(scenario)


# ── of their own ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stop_of_its_own_is_a_conditional_reduce_only_order() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            answer = await rig.exchange.place_stop(stop("48000", attached=False))
            assert answer == StopReport(STOP, SYMBOL, True, d(48000), d("0.010"))
            sent = rig.sent(CREATE)[-1]
            assert (sent["triggerPrice"], sent["triggerDirection"], sent["triggerBy"]) == ("48000", 2, "LastPrice")
            assert (sent["reduceOnly"], sent["closeOnTrigger"], sent["orderLinkId"]) == (True, True, STOP)
            assert {report.client_id for report in await rig.exchange.stops(SYMBOL)} == {ENTRY, STOP}

    run(scenario)


def test_a_stop_of_its_own_is_moved_by_amending_it() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            await rig.exchange.place_stop(stop("48000", attached=False))
            answer = await rig.exchange.move_stop(stop("48500", attached=False))
            assert answer == StopReport(STOP, SYMBOL, True, d(48500), d("0.010"))
            assert [(sent["orderLinkId"], sent["triggerPrice"]) for sent in rig.sent(AMEND)] == [(STOP, "48500")]

    run(scenario)


def test_a_stop_of_its_own_is_cancelled_by_its_id_and_the_attached_one_stays() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            await rig.exchange.place_stop(stop("48000", attached=False))
            answer = await rig.exchange.cancel_stop(SYMBOL, STOP)
            assert isinstance(answer, StopReport)
            assert (answer.live, answer.attached) == (False, False)
            assert [sent["orderLinkId"] for sent in rig.sent(CANCEL)] == [STOP]
            assert await where(rig) == d(49000)

    run(scenario)


def test_110001_cancelling_a_stop_that_acted_just_before_says_triggered() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            await rig.exchange.place_stop(stop("48000", attached=False))
            rig.fault("trigger-races", path=CANCEL)
            answer = await rig.exchange.cancel_stop(SYMBOL, STOP)
            assert isinstance(answer, StopReport)
            assert (answer.live, answer.reason) == (False, "triggered")

    run(scenario)


def test_110001_cancelling_a_stop_of_its_own_that_never_landed_leaves_the_attached_one_alone() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.fault("request-lost", path=CREATE)
            await rig.exchange.place_stop(stop("48000", attached=False))
            rig.heal()
            answer = await rig.exchange.cancel_stop(SYMBOL, STOP)
            assert answer == StopReport(STOP, SYMBOL, live=False, reason="not found")
            assert await where(rig) == d(49000)

    run(scenario)


def test_110093_a_stop_of_its_own_beyond_the_price_is_crossed() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            answer = await rig.exchange.place_stop(stop("50500", attached=False))
            assert isinstance(answer, Refusal)
            assert (answer.code, answer.crossed) == ("110093", True)

    run(scenario)


def test_110072_a_stop_of_its_own_whose_id_exists_is_reported_as_it_rests() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            await rig.exchange.place_stop(stop("48000", attached=False))
            answer = await rig.exchange.place_stop(stop("48000", attached=False))
            assert answer == StopReport(STOP, SYMBOL, True, d(48000), d("0.010"))

    run(scenario)


def test_moving_a_stop_of_its_own_that_is_gone_says_what_became_of_it() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            await rig.exchange.place_stop(stop("48000", attached=False))
            await rig.exchange.cancel_stop(SYMBOL, STOP)
            answer = await rig.exchange.move_stop(stop("48500", attached=False))
            assert isinstance(answer, StopReport)
            assert not answer.live

    run(scenario)
