"""Closes: reduce-only at the market; refused because nothing is left, they say that the position is flat."""

from __future__ import annotations

import pytest
from attrs import evolve

from framework import FillSeen, OrderReport, OrderStatus, PositionSeen, Refusal, RestingKind, Unknown

from .rig import CLOSE, CREATE, POSITIONS, SYMBOL, close, d, run, trading


def test_a_close_is_a_reduce_only_market_order_without_stops() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            answer = await rig.exchange.close_position(close())
            assert isinstance(answer, OrderReport)
            assert (answer.client_id, answer.status) == (CLOSE, OrderStatus.NEW)
            sent = rig.sent(CREATE)[-1]
            assert (sent["orderType"], sent["side"], sent["reduceOnly"], sent["qty"]) == (
                "Market",
                "Sell",
                True,
                "0.010",
            )
            assert "stopLoss" not in sent
            fill = await rig.event(FillSeen, lambda event: event.fill.client_id == CLOSE)
            assert fill.fill.quantity == d("0.010")
            await rig.event(PositionSeen, lambda event: event.position.quantity == 0)
            assert await rig.exchange.positions() == ()

    run(scenario)


def test_110017_a_close_of_what_is_flat_reports_so() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            answer = await rig.exchange.close_position(close())
            assert answer == OrderReport(CLOSE, SYMBOL, OrderStatus.REJECTED, reason="the position is flat")

    run(scenario)


def test_110017_while_a_position_is_there_is_a_refusal_for_now() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.fault("refuse", path=CREATE, code=110017)
            answer = await rig.exchange.close_position(close())
            assert isinstance(answer, Refusal)
            assert (answer.code, answer.for_good) == ("110017", False)
            assert "0.010 are held" in answer.message

    run(scenario)


def test_110017_whose_read_fails_is_unknown() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("refuse", path=CREATE, code=110017)
            rig.fault("refuse", path=POSITIONS, code=10016)
            assert isinstance(await rig.exchange.close_position(close()), Unknown)

    run(scenario)


@pytest.mark.parametrize("name", ["ack-lost", "request-lost", "empty-body", "backend-timeout"])
def test_a_close_without_a_clear_answer_is_unknown(name: str) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.fault(name, path=CREATE)
            assert isinstance(await rig.exchange.close_position(close()), Unknown)

    run(scenario)


def test_110072_a_close_whose_id_exists_is_answered_with_the_first_one() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            await rig.exchange.close_position(close("0.004"))
            answer = await rig.exchange.close_position(close("0.004"))
            assert isinstance(answer, OrderReport)
            assert (answer.status, answer.filled) == (OrderStatus.FILLED, d("0.004"))

    run(scenario)


def test_a_close_may_use_what_is_kept_from_entries() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.exchange.line.budget.heard("order/create", 8)
            answer = await rig.exchange.close_position(close())
            assert isinstance(answer, OrderReport)

    run(scenario)


def test_a_close_with_a_price_rests_as_a_reduce_only_limit_order_and_can_be_cancelled() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            answer = await rig.exchange.close_position(evolve(close("0.004"), price=d("70000")))
            assert isinstance(answer, OrderReport)
            assert answer.status is OrderStatus.NEW
            wanted = {"orderType": "Limit", "price": "70000", "timeInForce": "GTC", "reduceOnly": True, "side": "Sell"}
            assert wanted.items() <= rig.sent(CREATE)[-1].items()
            (rests,) = [each for each in await rig.exchange.resting() if each.client_id == CLOSE]
            assert (rests.kind, rests.quantity, rests.price) == (RestingKind.OTHER, d("0.004"), d("70000"))
            gone = await rig.exchange.cancel_entry(SYMBOL, CLOSE)
            assert isinstance(gone, OrderReport)
            assert gone.status is OrderStatus.CANCELLED

    run(scenario)
