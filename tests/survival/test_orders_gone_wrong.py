"""Requests whose answer is lost, damaged or a lie: every position ends protected or flat, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.survival import ledger
from tests.survival.house import SYMBOLS, House, Run, built, journalled_fills, play, running

ONE, CALM = SYMBOLS[2], SYMBOLS[3]

Rule = Mapping[str, Any]
ENTRY: Mapping[str, Rule] = {
    "binance": {"method": "POST", "path": "/fapi/v1/order", "params": {"symbol": ONE}},
    "bybit": {"path": "/v5/order/create", "params": {"symbol": ONE}},
}
STOP: Mapping[str, Rule] = {
    "binance": {"method": "POST", "path": "/fapi/v1/algoOrder", "params": {"symbol": ONE}},
    "bybit": {"path": "/v5/position/trading-stop", "params": {"symbol": ONE}},
}
CANCEL_STOP: Rule = {"method": "DELETE", "path": "/fapi/v1/algoOrder", "params": {"symbol": ONE}}

DAMAGED = ("ack-lost", "truncated-body", "empty-body", "gateway-504", "backend-timeout")
"""Carried out, and the product can't know."""


async def ended_well(run: Run) -> None:
    """Protected or flat, and the product knows which."""
    await run.until(lambda: run.state(ONE) in ("protected", "closed", "aborted"), "it has ended well")
    await run.until_quiet()


def judged(house: House, run: Run) -> None:
    """The venue has what the journal has: at most one entry, one stop for what is open, none for what is not."""
    is_open = ONE in house.held()
    assert is_open == (run.state(ONE) == "protected")
    assert len(house.triggers(ONE)) == (1 if is_open else 0)
    assert len(ledger.entries(house.lines, ONE)) <= 1
    assert journalled_fills(house, ONE) == ledger.fills(house.lines, ONE)
    assert len(house.triggers(CALM)) == 1
    house.check()


@pytest.mark.parametrize("fault", DAMAGED)
def test_an_entry_that_was_carried_out_without_an_answer_is_found_and_protected(
    fault: str, venue: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with built(venue, tmp_path) as house:
            async with running(house) as run:
                await run.open(CALM)
                house.fault(fault, **ENTRY[venue], count=1)
                await run.wave(ONE)
                await run.until_state("protected", ONE)
                await ended_well(run)

            assert house.fired() == 1
            assert ONE in house.held()
            judged(house, run)

    play(scenario)


def test_an_entry_that_never_arrived_is_given_up_and_not_sent_again(venue: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with built(venue, tmp_path) as house:
            async with running(house, fence_s=1) as run:
                await run.open(CALM)
                house.fault("request-lost", **ENTRY[venue], count=1)
                await run.wave(ONE)
                await run.until_state("aborted", ONE)
                await ended_well(run)

            sent = ledger.of_kind(house.lines, "request", method="POST", path=ENTRY[venue]["path"])
            assert [one["params"]["symbol"] for one in sent].count(ONE) == 1
            assert ledger.entries(house.lines, ONE) == []
            judged(house, run)

    play(scenario)


@pytest.mark.parametrize("fault", ["ack-lost", "request-lost", "truncated-body"])
def test_a_first_stop_whose_fate_nobody_knows_is_looked_for_and_there_in_the_end(fault: str, tmp_path: Path) -> None:
    """Of Binance: on Bybit the stop is in the entry."""

    async def scenario() -> None:
        async with built("binance", tmp_path) as house:
            async with running(house) as run:
                await run.open(CALM)
                house.fault(fault, **STOP["binance"], count=1)
                await run.wave(ONE)
                await run.until_state("protected", ONE)
                await ended_well(run)

            assert house.fired() == 1
            judged(house, run)

    play(scenario)


@pytest.mark.parametrize("code", [-4164, -4045])
def test_a_first_stop_that_is_refused_again_and_again_ends_the_position(code: int, tmp_path: Path) -> None:
    """For good, and for now: the account has as many conditional orders as it may have."""

    async def scenario() -> None:
        async with built("binance", tmp_path) as house:
            async with running(house) as run:
                await run.open(CALM)
                house.fault("refuse", **STOP["binance"], code=code)
                await run.wave(ONE)
                await run.until_state("closed", ONE)
                await ended_well(run)

            assert run.exit_reason(ONE) == "emergency:stop_refused"
            judged(house, run)

    play(scenario)


@pytest.mark.parametrize("fault", ["ack-lost", "request-lost", "truncated-body"])
def test_a_move_whose_fate_nobody_knows_leaves_one_stop_where_it_belongs(
    fault: str, venue: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with built(venue, tmp_path) as house:
            async with running(house) as run:
                await run.open(CALM, ONE)
                house.fault(fault, **STOP[venue], count=1)
                await run.until_followed(ONE, house.price(ONE, 3))
                await ended_well(run)

            assert house.fired() == 1
            judged(house, run)

    play(scenario)


@pytest.mark.parametrize("fault", ["ack-lost", "request-lost"])
def test_an_old_stop_whose_cancellation_got_lost_is_gone_in_the_end(fault: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with built("binance", tmp_path) as house:
            async with running(house) as run:
                await run.open(CALM, ONE)
                house.fault(fault, **CANCEL_STOP, count=1)
                await run.until_followed(ONE, house.price(ONE, 3))

            assert house.fired() == 1
            judged(house, run)

    play(scenario)


@pytest.mark.parametrize("fault", ["ack-lost", "request-lost", "truncated-body"])
def test_a_close_whose_fate_nobody_knows_closes_once(fault: str, venue: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with built(venue, tmp_path) as house:
            async with running(house) as run:
                await run.open(CALM, ONE)
                await run.until_quiet()
                reducing = {**ENTRY[venue], "params": {"symbol": ONE, "reduceOnly": "[tT]rue"}}
                house.fault(fault, **reducing, count=1)
                run.session.engine.close_all("a test")
                await run.until_state("closed", ONE, CALM)
                await ended_well(run)

            assert house.fired() == 1
            assert house.held() == {}
            assert [side for side, _, _ in ledger.fills(house.lines, ONE)] == ["buy", "sell"]
            assert [house.triggers(symbol) for symbol in (ONE, CALM)] == [[], []]
            assert journalled_fills(house, ONE) == ledger.fills(house.lines, ONE)
            house.check()

    play(scenario)


def test_a_stop_that_vanishes_is_placed_again(venue: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with built(venue, tmp_path) as house:
            async with running(house) as run:
                await run.open(CALM)
                house.fault("stop-vanishes", symbol=ONE, after_ms=100, count=1)
                await run.wave(ONE)
                await run.until(lambda: len(ledger.of_kind(house.lines, "stop", symbol=ONE, status="cancelled")) == 1)
                await run.until_one_stop(ONE)
                await run.until_state("protected", ONE)
                await ended_well(run)

            judged(house, run)

    play(scenario)


def test_a_stop_whose_order_does_not_fill_is_helped_by_a_close(venue: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with built(venue, tmp_path) as house:
            async with running(house) as run:
                await run.open(CALM, ONE)
                await run.until_quiet()
                house.fault("short-child", symbol=ONE, count=1)
                house.price(ONE, -5)
                await run.until_state("closed", ONE)
                await ended_well(run)

            assert house.fired() == 1
            judged(house, run)

    play(scenario)


def test_reads_that_trail_behind_after_a_lost_answer_do_not_open_twice(venue: str, tmp_path: Path) -> None:
    """The order is there, and for a while the venue does not show it."""

    async def scenario() -> None:
        async with built(venue, tmp_path) as house:
            async with running(house) as run:
                await run.open(CALM)
                house.fault("stale-reads", **ENTRY[venue], lag_ms=1500, for_ms=4000, count=1)
                house.fault("ack-lost", **ENTRY[venue], count=1)
                await run.wave(ONE)
                await run.until_state("protected", ONE)
                await ended_well(run)

            judged(house, run)

    play(scenario)
