"""The venue changes the rules of a market while a position is open: the kernel is told before it hears of a refusal."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from framework import MarketsSeen, Refusal, StopReport

from .rig import SYMBOL, Rig, close, d, run, stop, trading


def changed(rig: Rig, **rules: Any) -> None:
    """The venue changes the rules of the market; nobody is told."""
    market = rig.world.markets("binance")[SYMBOL]
    rig.world.change_rules("binance", evolve(market, rules=evolve(market.rules, **rules)))


def refused(answer: object) -> Refusal:
    assert isinstance(answer, Refusal)
    return answer


def test_a_stop_off_the_new_tick_is_refused_for_now_and_placed_on_it() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            tick = rig.world.markets("binance")[SYMBOL].rules.tick_size * 500
            changed(rig, tick_size=tick)
            wanted = stop()

            answer = refused(
                await rig.exchange.place_stop(evolve(wanted, trigger_price=wanted.trigger_price + tick / 5))
            )

            assert (answer.code, answer.for_good) == ("-4014", False)
            assert rig.seen(MarketsSeen)[-1].markets[SYMBOL].tick_size == tick
            assert isinstance(await rig.exchange.place_stop(wanted), StopReport)

    run(scenario)


def test_a_close_below_the_new_step_is_refused_for_now_and_for_good_once_the_rules_are_known() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            changed(rig, step_size=d(5), min_quantity=d(5))

            first = refused(await rig.exchange.close_position(close()))
            second = refused(await rig.exchange.close_position(close()))

            assert (first.for_good, second.for_good) == (False, True)
            assert "its step 5" in first.message

    run(scenario)


def test_a_stop_that_keeps_all_rules_and_is_refused_all_the_same_is_refused_for_good() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.fault("refuse", path="/fapi/v1/algoOrder", code=-4014)

            answer = refused(await rig.exchange.place_stop(stop()))

            assert (answer.code, answer.for_good) == ("-4014", True)

    run(scenario)
