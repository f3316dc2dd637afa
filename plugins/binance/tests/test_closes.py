"""Closes: reduce-only at the market; refused because nothing is left, they say that the position is flat."""

from __future__ import annotations

import pytest
from attrs import evolve

from framework import OrderReport, OrderStatus, Refusal, RestingKind, Unknown

from .rig import CLOSE, SYMBOL, close, d, run, trading

POST = {"method": "POST", "path": "/fapi/v1/order"}


def test_a_close_is_a_reduce_only_market_order() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            answer = await rig.exchange.close_position(close())
            assert isinstance(answer, OrderReport)
            assert (answer.client_id, answer.status, answer.filled) == (CLOSE, OrderStatus.FILLED, d("0.010"))
            sent = rig.requests("/fapi/v1/order", "POST")[-1]["params"]
            assert (sent["type"], sent["side"], sent["reduceOnly"]) == ("MARKET", "SELL", "true")
            assert await rig.exchange.positions() == ()

    run(scenario)


def test_2022_a_close_of_a_flat_position_says_that_it_is_flat() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await rig.exchange.close_position(close())
            assert isinstance(answer, OrderReport)
            assert (answer.status, answer.filled) == (OrderStatus.REJECTED, d(0))
            assert "-2022: the position is flat already" in answer.reason

    run(scenario)


@pytest.mark.parametrize("code", [-2022, -4118, -2024])
def test_2022_with_a_position_left_is_refused_but_not_for_good(code: int) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.fault("refuse", method="POST", path="/fapi/v1/order", code=code)
            answer = await rig.exchange.close_position(close())
            assert isinstance(answer, Refusal)
            assert (answer.code, answer.for_good) == (str(code), False)

    run(scenario)


def test_2022_is_not_taken_for_flat_when_the_position_can_t_be_read() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("refuse", path="/fapi/v3/positionRisk", code=-1000)
            answer = await rig.exchange.close_position(close())
            assert isinstance(answer, Refusal)
            assert not answer.for_good

    run(scenario)


def test_1021_a_close_is_sent_again_once_the_clock_is_set() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.world.skew("binance", -60_000_000_000)
            answer = await rig.exchange.close_position(close())
            assert isinstance(answer, OrderReport)
            assert answer.status is OrderStatus.FILLED

    run(scenario)


def test_a_close_without_an_answer_is_unknown() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.fault("ack-lost", method="POST", path="/fapi/v1/order")
            assert isinstance(await rig.exchange.close_position(close()), Unknown)
            report = await rig.exchange.entry_report(SYMBOL, CLOSE)
            assert report is not None
            assert report.status is OrderStatus.FILLED

    run(scenario)


def test_a_close_whose_answer_is_late_is_looked_for_and_sent_once() -> None:
    async def scenario() -> None:
        async with trading(repeat_after_ms=200) as rig:
            await rig.buy()
            rig.fault("slow-response", **POST, delay_ms=1_500)
            answer = await rig.exchange.close_position(close())
            assert isinstance(answer, OrderReport)
            assert answer.status is OrderStatus.FILLED
            assert len([line for line in rig.requests("/fapi/v1/order", "POST") if "reduceOnly" in line["params"]]) == 1

    run(scenario)


def test_a_close_whose_answer_does_not_come_is_unknown_after_twice_the_time_before_a_repetition() -> None:
    async def scenario() -> None:
        async with trading(repeat_after_ms=50) as rig:
            await rig.buy()
            rig.fault("slow-response", **POST, delay_ms=1_500)
            rig.fault("refuse", method="GET", path="/fapi/v1/order", code=-2013)
            assert isinstance(await rig.exchange.close_position(close()), Unknown)

    run(scenario)


def test_4116_a_close_that_was_sent_before_is_answered_with_what_became_of_it() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            await rig.exchange.close_position(close())
            rig.fault("refuse", method="POST", path="/fapi/v1/order", code=-4116)
            answer = await rig.exchange.close_position(close())
            assert isinstance(answer, OrderReport)
            assert answer.filled == d("0.010")

    run(scenario)


def test_a_close_with_a_price_rests_as_a_reduce_only_limit_order_and_can_be_cancelled() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            answer = await rig.exchange.close_position(evolve(close("0.004"), price=d("70000")))
            assert isinstance(answer, OrderReport)
            assert answer.status is OrderStatus.NEW
            sent = rig.requests("/fapi/v1/order", "POST")[-1]["params"]
            wanted = {"type": "LIMIT", "price": "70000", "timeInForce": "GTC", "reduceOnly": "true", "side": "SELL"}
            assert wanted.items() <= sent.items()
            (rests,) = [each for each in await rig.exchange.resting() if each.client_id == CLOSE]
            assert (rests.kind, rests.quantity, rests.price) == (RestingKind.OTHER, d("0.004"), d("70000"))
            gone = await rig.exchange.cancel_entry(SYMBOL, CLOSE)
            assert isinstance(gone, OrderReport)
            assert gone.status is OrderStatus.CANCELLED

    run(scenario)
