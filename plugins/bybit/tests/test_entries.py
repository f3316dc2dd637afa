"""Entries and their cancellation: sent once with their stop, never taken for refused in doubt."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from framework import (
    EntryAnswer,
    FillSeen,
    OrderReport,
    OrderSeen,
    OrderSide,
    OrderStatus,
    PositionSeen,
    Refusal,
    StopSeen,
    TimeInForce,
    Unknown,
)

from .rig import CANCEL, CREATE, ENTRY, SYMBOL, Rig, d, entry, run, trading


async def placed(rig: Rig, **fault: Any) -> EntryAnswer:
    """The answer to an entry while a fault holds for order/create."""
    rig.fault(**{"path": CREATE, **fault})
    return await rig.exchange.place_entry(entry())


def test_an_entry_carries_its_stop_in_the_same_request() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.exchange.place_entry(entry())
            assert rig.sent(CREATE) == [
                {
                    "category": "linear",
                    "symbol": SYMBOL,
                    "side": "Buy",
                    "orderType": "Market",
                    "qty": "0.010",
                    "timeInForce": "IOC",
                    "positionIdx": 0,
                    "orderLinkId": ENTRY,
                    "stopLoss": "49000",
                    "slTriggerBy": "LastPrice",
                    "tpslMode": "Full",
                    "slOrderType": "Market",
                }
            ]

    run(scenario)


def test_an_acknowledged_entry_is_new_with_the_venues_id() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await rig.exchange.place_entry(entry())
            assert isinstance(answer, OrderReport)
            assert (answer.client_id, answer.symbol, answer.status) == (ENTRY, SYMBOL, OrderStatus.NEW)
            assert answer.order_id
            assert answer.filled == 0

    run(scenario)


def test_fill_stop_order_and_position_of_an_entry_are_told_by_the_stream() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.exchange.place_entry(entry())
            fill = (await rig.event(FillSeen)).fill
            assert (fill.client_id, fill.quantity, fill.price, fill.cause) == (ENTRY, d("0.010"), d("50000.1"), "order")
            assert fill.fee_usd == d("0.010") * d("50000.1") * d("0.00055")
            order = (await rig.event(OrderSeen, lambda event: event.report.status is OrderStatus.FILLED)).report
            assert (order.client_id, order.filled, order.average_price) == (ENTRY, d("0.010"), d("50000.1"))
            stop = (await rig.event(StopSeen)).report
            assert (stop.attached, stop.live, stop.trigger_price, stop.symbol) == (True, True, d(49000), SYMBOL)
            held = (await rig.event(PositionSeen, lambda event: event.position.quantity != 0)).position
            assert (held.quantity, held.entry_price, held.stop_price) == (d("0.010"), d("50000.1"), d(49000))

    run(scenario)


def test_a_short_is_sold_with_its_stop_above() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.exchange.place_entry(entry(side=OrderSide.SELL, trigger="51000"))
            held = (await rig.event(PositionSeen, lambda event: event.position.quantity != 0)).position
            assert (held.quantity, held.stop_price) == (d("-0.010"), d(51000))

    run(scenario)


@pytest.mark.parametrize(
    ("time_in_force", "name"),
    [(TimeInForce.GTC, "GTC"), (TimeInForce.IOC, "IOC"), (TimeInForce.POST_ONLY, "PostOnly")],
)
def test_a_limit_entry_has_its_price_and_time_in_force(time_in_force: TimeInForce, name: str) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.exchange.place_entry(entry(price="49500.0", time_in_force=time_in_force))
            (sent,) = rig.sent(CREATE)
            assert (sent["orderType"], sent["price"], sent["timeInForce"]) == ("Limit", "49500.0", name)

    run(scenario)


def test_an_entry_whose_deadline_has_passed_is_not_sent() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await rig.exchange.place_entry(entry(left_s=-0.001))
            assert isinstance(answer, Refusal)
            assert answer.code == "too_late"
            assert rig.sent(CREATE) == []

    run(scenario)


def test_an_entry_that_waits_for_its_turn_beyond_the_deadline_is_not_sent() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            budget = rig.exchange.line.budget
            budget.heard("order/create", 100)
            answer = await rig.exchange.place_entry(entry(left_s=0.05))
            assert isinstance(answer, Refusal)
            assert (answer.code, answer.for_good) == ("rate_budget", False)
            assert rig.sent(CREATE) == []

    run(scenario)


def test_an_entry_in_a_market_whose_settings_cant_be_put_in_order_is_refused() -> None:
    async def scenario() -> None:
        async with trading(leverage=10) as rig:
            rig.exchange.line.preparing.changed(SYMBOL)
            rig.fault("leverage-changed", path="/v5/position/list", market=SYMBOL, leverage="3", count=1)
            rig.fault("refuse", path="/v5/position/set-leverage", code=110013)
            await rig.exchange.positions()
            answer = await rig.exchange.place_entry(entry())
            assert isinstance(answer, Refusal)
            assert (answer.code, answer.for_good) == ("settings", False)
            assert "leverage of BTCUSDT" in answer.message
            assert rig.sent(CREATE) == []

    run(scenario)


# ── doubt ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["ack-lost", "request-lost", "gateway-504", "backend-timeout", "unknown-503"])
def test_an_entry_without_a_clear_answer_is_unknown_and_sent_once(name: str) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await placed(rig, name=name)
            assert isinstance(answer, Unknown)
            assert len(rig.sent(CREATE)) == 1

    run(scenario)


@pytest.mark.parametrize("name", ["empty-body", "html-body", "list-body", "null-body", "truncated-body"])
def test_an_entry_whose_answer_is_no_answer_of_the_venue_is_unknown(name: str) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await placed(rig, name=name)
            assert isinstance(answer, Unknown)
            assert len(rig.sent(CREATE)) == 1

    run(scenario)


def test_an_entry_that_is_answered_too_late_is_unknown() -> None:
    async def scenario() -> None:
        async with trading(request_timeout_s=d("0.2")) as rig:
            answer = await placed(rig, name="slow-response", delay_ms=1000)
            assert isinstance(answer, Unknown)

    run(scenario)


@pytest.mark.parametrize("code", [10000, 10014, 10016, 3400214, 999999])
def test_codes_that_tell_nothing_make_an_entry_unknown(code: int) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await placed(rig, name="refuse", code=code, message="server error")
            assert isinstance(answer, Unknown)
            assert str(code) in answer.message
            assert len(rig.sent(CREATE)) == 1

    run(scenario)


def test_10002_an_entry_that_was_refused_for_our_clock_is_not_sent_again_but_the_clock_is_set() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("clock-skew", path=CREATE, skew_ms=20_000, count=1)
            answer = await rig.exchange.place_entry(entry())
            assert isinstance(answer, Refusal)
            assert (answer.code, answer.for_good) == ("10002", False)
            assert len(rig.sent(CREATE)) == 1
            assert abs(rig.exchange.line.clock.skew_ms - 20_000) < 1000

    run(scenario)


def test_110007_an_entry_without_enough_balance_is_refused_for_good() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await rig.exchange.place_entry(entry("20"))
            assert isinstance(answer, Refusal)
            assert (answer.code, answer.for_good) == ("110007", True)
            assert "balance" in answer.message

    run(scenario)


def test_110072_an_entry_whose_id_exists_is_answered_with_the_first_one() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            answer = await rig.exchange.place_entry(entry())
            assert isinstance(answer, OrderReport)
            assert (answer.client_id, answer.status, answer.filled) == (ENTRY, OrderStatus.FILLED, d("0.010"))

    run(scenario)


def test_110072_without_a_first_one_to_be_seen_is_unknown() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await placed(rig, name="refuse", code=110072)
            assert isinstance(answer, Unknown)
            assert "110072" in answer.message

    run(scenario)


def test_10001_an_entry_whose_stop_is_on_the_wrong_side_is_refused_as_crossed() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await rig.exchange.place_entry(entry(trigger="51000"))
            assert isinstance(answer, Refusal)
            assert (answer.code, answer.crossed, answer.for_good) == ("10001", True, True)

    run(scenario)


def test_10006_an_entry_over_the_limit_is_refused_for_now_and_the_route_waits_for_its_reset() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await placed(rig, name="rate-limited", count=1)
            assert isinstance(answer, Refusal)
            assert (answer.code, answer.for_good) == ("10006", False)
            second = await rig.exchange.place_entry(entry(client_id=ENTRY + "1", left_s=0.2))
            assert isinstance(second, Refusal)
            assert second.code == "rate_budget"
            assert len(rig.sent(CREATE)) == 1
            assert await rig.exchange.positions() == ()  # other routes go on

    run(scenario)


def test_403_silences_everything_for_ten_minutes() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await placed(rig, name="banned", count=1)
            assert isinstance(answer, Refusal)
            assert (answer.code, answer.for_good) == ("http_403", False)
            assert rig.exchange.line.budget.silent_for_s == pytest.approx(600, abs=5)
            assert [notice.level for notice in rig.notices("venue_banned")] == ["error"]

    run(scenario)


def test_an_order_that_is_rejected_after_its_acknowledgement_is_told_by_the_stream() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("reject-order", after_ms=20)
            answer = await rig.exchange.place_entry(entry())
            assert isinstance(answer, OrderReport)
            seen = await rig.event(OrderSeen, lambda event: event.report.status.is_final)
            assert (seen.report.client_id, seen.report.status) == (ENTRY, OrderStatus.REJECTED)
            assert seen.report.reason == "EC_Others"

    run(scenario)


# ── reports and cancellation ────────────────────────────────────────────────────────────────────────────────


def test_a_report_finds_an_entry_whether_it_rests_has_ended_or_was_cancelled() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.exchange.place_entry(entry(price="49500"))
            resting = await rig.exchange.entry_report(SYMBOL, ENTRY)
            await rig.exchange.cancel_entry(SYMBOL, ENTRY)
            gone = await rig.exchange.entry_report(SYMBOL, ENTRY)
            assert resting is not None
            assert resting.status is OrderStatus.NEW
            assert gone is not None
            assert (gone.status, gone.filled) == (OrderStatus.CANCELLED, d(0))

    run(scenario)


def test_only_a_venue_that_does_not_know_an_id_makes_a_report_none() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert await rig.exchange.entry_report(SYMBOL, "fw-nobody") is None

    run(scenario)


def test_cancelling_a_resting_entry_reports_it_cancelled() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.exchange.place_entry(entry(price="49500"))
            answer = await rig.exchange.cancel_entry(SYMBOL, ENTRY)
            assert isinstance(answer, OrderReport)
            assert (answer.status, answer.filled, answer.reason) == (OrderStatus.CANCELLED, d(0), "CancelByUser")

    run(scenario)


def test_110001_cancelling_what_was_filled_just_before_reports_the_fill() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.exchange.place_entry(entry(price="49500"))
            rig.fault("fill-races", path=CANCEL)
            answer = await rig.exchange.cancel_entry(SYMBOL, ENTRY)
            assert isinstance(answer, OrderReport)
            assert (answer.status, answer.filled) == (OrderStatus.FILLED, d("0.010"))

    run(scenario)


def test_110079_a_cancellation_of_what_is_being_processed_is_tried_again() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.exchange.place_entry(entry(price="49500"))
            rig.fault("refuse", path=CANCEL, code=110079, count=2)
            answer = await rig.exchange.cancel_entry(SYMBOL, ENTRY)
            assert isinstance(answer, OrderReport)
            assert answer.status is OrderStatus.CANCELLED
            assert len(rig.sent(CANCEL)) == 3

    run(scenario)


def test_cancelling_what_the_venue_does_not_know_is_unknown() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.exchange.session.orders.pauses_s = (0.0,)
            answer = await rig.exchange.cancel_entry(SYMBOL, ENTRY)
            assert isinstance(answer, Unknown)
            assert "110001" in answer.message

    run(scenario)


def test_a_cancellation_whose_answer_is_lost_is_unknown() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.exchange.place_entry(entry(price="49500"))
            rig.fault("ack-lost", path=CANCEL)
            assert isinstance(await rig.exchange.cancel_entry(SYMBOL, ENTRY), Unknown)

    run(scenario)


def test_fifty_entries_at_once_are_not_throttled_where_the_account_may_place_them() -> None:
    async def scenario() -> None:
        async with trading({"orders_per_s": 200}, orders_per_s=200) as rig:
            orders = [entry("0.001", client_id=f"{ENTRY}{number}", left_s=1) for number in range(50)]
            answers = await asyncio.gather(*(rig.exchange.place_entry(order) for order in orders))
            assert all(isinstance(answer, OrderReport) for answer in answers)

    run(scenario)


def test_more_entries_than_the_venue_takes_in_a_second_wait_and_none_is_refused_by_it() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            orders = [entry("0.001", client_id=f"{ENTRY}{number}") for number in range(12)]
            answers = await asyncio.gather(*(rig.exchange.place_entry(order) for order in orders))
            assert all(isinstance(answer, OrderReport) for answer in answers)
            assert len(rig.sent(CREATE)) == 12

    run(scenario)


def test_eight_entries_at_once_all_go_out_at_once() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            orders = [entry("0.001", client_id=f"{ENTRY}{number}", left_s=0.9) for number in range(8)]
            answers = await asyncio.gather(*(rig.exchange.place_entry(order) for order in orders))
            assert all(isinstance(answer, OrderReport) for answer in answers)

    run(scenario)
