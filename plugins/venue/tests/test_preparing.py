"""Markets are brought in order once each, before they are traded. Time skips."""

from __future__ import annotations

import asyncio

import pytest
from attrs import define, field

from framework import ExchangeError
from framework_venue.preparing import Preparer

from .rig import run_skipping


@define(eq=False)
class Puts:
    """Brings markets in order in a second each; those in `refused` fail."""

    refused: set[str] = field(factory=set)
    done: list[tuple[float, str]] = field(factory=list)
    preparer: Preparer = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.preparer = Preparer(self.put)

    async def put(self, symbol: str) -> None:
        await asyncio.sleep(1)
        self.done.append((asyncio.get_running_loop().time() - 1000, symbol))
        if symbol in self.refused:
            raise ExchangeError("main", f"{symbol}: no")


def test_a_market_is_brought_in_order_once_however_many_ask() -> None:
    async def scenario() -> None:
        puts = Puts()
        await asyncio.gather(*(puts.preparer.ready("BTCUSDT") for _ in range(3)))
        await puts.preparer.ready("BTCUSDT")
        assert puts.done == [(1, "BTCUSDT")]

    run_skipping(scenario)


def test_what_is_in_order_already_costs_nothing_until_somebody_changes_it() -> None:
    async def scenario() -> None:
        puts = Puts()
        puts.preparer.known(["BTCUSDT"])
        await puts.preparer.ready("BTCUSDT")
        assert puts.done == []
        puts.preparer.changed("BTCUSDT")
        await puts.preparer.ready("BTCUSDT")
        assert puts.done == [(1, "BTCUSDT")]

    run_skipping(scenario)


def test_a_failure_reaches_all_who_asked_and_the_next_one_tries_again() -> None:
    async def scenario() -> None:
        puts = Puts({"BTCUSDT"})
        asked = await asyncio.gather(*(puts.preparer.ready("BTCUSDT") for _ in range(2)), return_exceptions=True)
        assert [str(each) for each in asked] == ["main: BTCUSDT: no"] * 2
        assert puts.preparer.failed == {"BTCUSDT": "main: BTCUSDT: no"}
        puts.refused.clear()
        await puts.preparer.ready("BTCUSDT")
        assert (len(puts.done), puts.preparer.failed) == (2, {})

    run_skipping(scenario)


def test_cancelling_one_who_asked_leaves_the_work_to_the_others() -> None:
    async def scenario() -> None:
        puts = Puts()
        one, other = (asyncio.create_task(puts.preparer.ready("BTCUSDT")) for _ in range(2))
        await asyncio.sleep(0.5)
        one.cancel()
        await other
        assert puts.done == [(1, "BTCUSDT")]

    run_skipping(scenario)


def test_many_are_done_one_after_another_with_a_pause_and_a_failure_stops_nothing() -> None:
    async def scenario() -> None:
        puts = Puts({"B"})
        puts.preparer.known(["C"])
        await puts.preparer.walk("ABCD", pause_s=0.5)
        assert puts.done == [(1, "A"), (2.5, "B"), (4, "D")]
        assert set(puts.preparer.failed) == {"B"}

    run_skipping(scenario)


def test_a_few_are_done_at_once_where_all_are_needed() -> None:
    async def scenario() -> None:
        puts = Puts()
        await puts.preparer.all_of("ABCDE", at_once=2)
        assert sorted(puts.done) == [(1, "A"), (1, "B"), (2, "C"), (2, "D"), (3, "E")]

    run_skipping(scenario)


def test_one_that_cannot_be_brought_in_order_fails_all_that_are_needed() -> None:
    async def scenario() -> None:
        puts = Puts({"B"})
        with pytest.raises(ExchangeError, match="B: no"):
            await puts.preparer.all_of("ABC", at_once=2)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_skipping(scenario)


def test_closing_gives_up_what_is_under_way() -> None:
    async def scenario() -> None:
        puts = Puts()
        asked = asyncio.create_task(puts.preparer.ready("BTCUSDT"))
        await asyncio.sleep(0.5)
        await puts.preparer.aclose()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert (puts.done, asyncio.all_tasks()) == ([], {asyncio.current_task()})

    run_skipping(scenario)


def test_many_markets_are_brought_in_order_a_few_at_a_time() -> None:
    async def scenario() -> None:
        puts = Puts()
        await puts.preparer.all_of([f"S{number}" for number in range(8)], at_once=4)
        assert [at for at, _ in puts.done] == [1, 1, 1, 1, 2, 2, 2, 2]

    run_skipping(scenario)


def test_the_first_market_that_cannot_be_brought_in_order_is_told() -> None:
    async def scenario() -> None:
        puts = Puts(refused={"S1"})
        with pytest.raises(ExchangeError, match="S1: no"):
            await puts.preparer.all_of(["S0", "S1", "S2"], at_once=2)

    run_skipping(scenario)
