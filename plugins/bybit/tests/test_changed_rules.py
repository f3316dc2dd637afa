"""The venue changes the rules of a market while a position is open: the kernel is told, and all of it can be closed."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from framework import FillSeen, MarketsSeen, OrderReport, OrderStatus, Refusal, StopReport

from .rig import CLOSE, CREATE, SYMBOL, TRADING_STOP, Rig, close, d, run, stop, trading

SECOND = CLOSE.replace("-x0", "-x1")


def changed(rig: Rig, **rules: Any) -> None:
    """The venue changes the rules of the market; nobody is told."""
    market = rig.world.markets("bybit")[SYMBOL]
    rig.world.change_rules("bybit", evolve(market, rules=evolve(market.rules, **rules)))


def refused(answer: object) -> Refusal:
    assert isinstance(answer, Refusal)
    return answer


def test_a_stop_off_the_new_tick_is_refused_for_now_and_the_kernel_knows_the_rules_before_it_hears_so() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            changed(rig, tick_size=d(50))

            answer = refused(await rig.exchange.move_stop(stop("49510.0")))

            assert (answer.code, answer.for_good) == ("10001", False)
            assert "the market's tick is 50 now" in answer.message
            assert rig.seen(MarketsSeen)[-1].markets[SYMBOL].tick_size == d(50)
            assert rig.notices("venue_our_bug") == []
            again = await rig.exchange.move_stop(stop("49550"))
            assert isinstance(again, StopReport)
            assert again.trigger_price == d(49550)

    run(scenario)


def test_a_stop_that_keeps_all_rules_and_is_refused_all_the_same_is_refused_for_good() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.fault("refuse", path=TRADING_STOP, code=10001)

            answer = refused(await rig.exchange.move_stop(stop("49500")))

            assert (answer.code, answer.for_good) == ("10001", True)

    run(scenario)


def test_a_refusal_waits_no_longer_for_the_rules_than_it_may() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            changed(rig, tick_size=d(50))
            rig.fault("slow-response", path="/v5/market/instruments-info")

            answer = refused(await rig.exchange.move_stop(stop("49510.0")))

            assert answer.for_good, "the rules that are known are kept"

    run(scenario)


def test_a_position_below_the_new_step_is_closed_as_a_whole() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            changed(rig, step_size=d("0.1"), min_quantity=d("0.1"))

            first = refused(await rig.exchange.close_position(close()))
            again = await rig.exchange.close_position(close(client_id=SECOND))

            assert (first.code, first.for_good) == ("10001", False)
            assert isinstance(again, OrderReport)
            assert (again.client_id, again.status) == (SECOND, OrderStatus.NEW)
            sent = rig.sent(CREATE)[-1]
            assert (sent["qty"], sent["reduceOnly"], sent["closeOnTrigger"]) == ("0", True, True)
            fill = await rig.event(FillSeen, lambda event: event.fill.client_id == again.client_id)
            assert fill.fill.quantity == d("0.010")
            assert await rig.exchange.positions() == ()

    run(scenario)


def test_a_part_that_can_not_be_ordered_never_closes_all() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            changed(rig, step_size=d("0.1"), min_quantity=d("0.1"))
            part = evolve(close(), quantity=d("0.004"))

            await rig.exchange.close_position(part)
            refused(await rig.exchange.close_position(evolve(part, client_id=SECOND)))

            (position,) = await rig.exchange.positions()
            assert position.quantity == d("0.010")

    run(scenario)
