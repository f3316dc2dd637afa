"""Reads: None and nothing only where the venue says so, and a failed read is an error."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
from attrs import define

from framework import Balance, ExchangeError, FillSeen, Need, OrderStatus, Percent, StopSeen, VenuePosition
from framework_binance import reads
from framework_binance.translate import fee_usd

from .rig import CLOSE, ENTRY, MS, STOP, SYMBOL, Rig, at, close, d, emulated, entry, run, stop, trading, until


def since_start() -> int:
    return time.time_ns() - 60_000_000_000


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_order_is_found_by_its_client_id_resting_and_ended() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.exchange.place_entry(entry(price="49900"))
            resting = await rig.exchange.entry_report(SYMBOL, ENTRY)
            await rig.exchange.cancel_entry(SYMBOL, ENTRY)
            ended = await rig.exchange.entry_report(SYMBOL, ENTRY)
            assert resting is not None
            assert ended is not None
            assert (resting.status, ended.status) == (OrderStatus.NEW, OrderStatus.CANCELLED)

    run(scenario)


def test_2013_an_order_that_the_venue_does_not_know_is_none() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert await rig.exchange.entry_report(SYMBOL, ENTRY) is None

    run(scenario)


def test_a_fresh_order_may_not_be_seen_yet() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.fault("stale-reads", method="POST", lag_ms=60_000)
            await rig.buy()
            assert await rig.exchange.entry_report(SYMBOL, ENTRY) is None

    run(scenario)


READS: dict[str, tuple[str, Callable[[Rig], Awaitable[Any]]]] = {
    "entry_report": ("/fapi/v1/order", lambda rig: rig.exchange.entry_report(SYMBOL, ENTRY)),
    "stops": ("/fapi/v1/openAlgoOrders", lambda rig: rig.exchange.stops(SYMBOL)),
    "fills": ("/fapi/v1/userTrades", lambda rig: rig.exchange.fills(SYMBOL, since_start())),
    "positions": ("/fapi/v3/positionRisk", lambda rig: rig.exchange.positions()),
    "balance": ("/fapi/v3/account", lambda rig: rig.exchange.balance()),
    "book": (
        "/fapi/v1/ticker/bookTicker",
        lambda rig: rig.exchange.market_data(SYMBOL, frozenset({Need.BOOK_TOP})),
    ),
    "open interest": (
        "/fapi/v1/openInterest",
        lambda rig: rig.exchange.market_data(SYMBOL, frozenset({Need.OPEN_INTEREST})),
    ),
    "candles": ("/fapi/v1/klines", lambda rig: rig.exchange.market_data(SYMBOL, frozenset({Need.candles("1m", 1)}))),
}
FAULTS: dict[str, dict[str, Any]] = {
    "the venue fails": {"name": "refuse", "code": -1000},
    "an empty body": {"name": "empty-body"},
    "no body": {"name": "null-body"},
    "HTML": {"name": "html-body"},
    "a lost answer": {"name": "ack-lost"},
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_read_is_an_error_and_never_empty(read: str, fault: str) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            path, ask = READS[read]
            rig.fault(path=path, **FAULTS[fault])
            with pytest.raises(ExchangeError):
                await ask(rig)

    run(scenario)


@pytest.mark.parametrize("read", ["entry_report", "balance", "open interest"])
def test_a_list_where_an_object_is_due_is_an_error(read: str) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            path, ask = READS[read]
            rig.fault("list-body", path=path)
            with pytest.raises(ExchangeError):
                await ask(rig)

    run(scenario)


# ── stops and positions ─────────────────────────────────────────────────────────────────────────────────────


def test_the_stops_that_rest_are_listed_with_their_place_and_size() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            await rig.exchange.place_stop(stop("49000.5"))
            (found,) = await rig.exchange.stops(SYMBOL)
            assert (found.client_id, found.live) == (STOP, True)
            assert (found.trigger_price, found.quantity) == (d("49000.5"), d("0.010"))

    run(scenario)


def test_positions_are_signed_and_a_flat_one_is_none() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert await rig.exchange.positions() == ()
            rig.fault("position-changed", path="/fapi/v1/time", market=SYMBOL, qty="-0.02")
            await rig.exchange.line.client.sync_clock()
            (held,) = await rig.exchange.positions()
            liquidation = held.liquidation_price
            assert held == VenuePosition(SYMBOL, d("-0.020"), held.entry_price, liquidation_price=liquidation)
            assert held.entry_price > 0
            assert liquidation is not None
            assert liquidation > held.entry_price

    run(scenario)


def test_positions_that_many_ask_for_are_one_request() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            before = len(rig.requests("/fapi/v3/positionRisk"))
            await asyncio.gather(*(rig.exchange.positions() for _ in range(20)))
            assert len(rig.requests("/fapi/v3/positionRisk")) - before == 1

    run(scenario)


def test_the_balance_is_that_of_usdt_with_the_leverage_that_is_set() -> None:
    async def scenario() -> None:
        async with trading(leverage=7) as rig:
            assert await rig.exchange.balance() == Balance(d(10000), d(10000), d(7))

    run(scenario)


# ── executions ──────────────────────────────────────────────────────────────────────────────────────────────


def test_fills_carry_the_client_id_of_their_order_and_why_they_happened() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy("0.020")
            await rig.exchange.close_position(close("0.010"))
            await rig.exchange.place_stop(stop())
            rig.price(48000)
            await rig.event(FillSeen, lambda seen: seen.fill.cause == "stop")
            found = await rig.exchange.fills(SYMBOL, since_start())
            assert [(one.client_id, one.cause) for one in found] == [
                (ENTRY, "order"),
                (CLOSE, "order"),
                (STOP, "stop"),
            ]
            assert [one.quantity for one in found] == [d("0.020"), d("0.010"), d("0.010")]
            assert all(one.fee_usd > 0 for one in found)

    run(scenario)


def test_fills_read_and_pushed_are_the_same() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            seen = await rig.event(FillSeen)
            (read,) = await rig.exchange.fills(SYMBOL, since_start())
            assert abs(read.time_ns - seen.fill.time_ns) <= 2_000_000  # the clock may have been set in between
            assert read.id == seen.fill.id
            assert (read.quantity, read.price, read.fee_usd) == (
                seen.fill.quantity,
                seen.fill.price,
                seen.fill.fee_usd,
            )

    run(scenario)


def test_after_a_restart_the_fills_of_orders_and_stops_still_have_their_names() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            async with at(venue) as rig:
                await rig.buy()
                await rig.exchange.place_stop(stop())
                rig.price(48000)
                await rig.event(StopSeen, lambda seen: seen.report.reason == "triggered")
            async with at(venue) as rig:
                found = await rig.exchange.fills(SYMBOL, since_start())
                assert [(one.client_id, one.cause) for one in found] == [(ENTRY, "order"), (STOP, "stop")]

    run(scenario)


def test_after_a_restart_the_names_of_executions_are_asked_for_at_once() -> None:
    """What is open waits for them: one wait, whichever answers are late."""

    async def scenario() -> None:
        async with emulated() as venue:
            async with at(venue) as rig:
                await rig.buy()
                await rig.buy(client_id=ENTRY.replace("-e0", "-e1"))
            async with at(venue, repeat_after_ms=5_000) as rig:
                for path in ("/fapi/v1/allAlgoOrders", "/fapi/v1/order"):
                    rig.fault("slow-response", path=path, delay_ms=500)
                reading = asyncio.create_task(rig.exchange.fills(SYMBOL, since_start()))
                await until(lambda: rig.requests("/fapi/v1/allAlgoOrders"))
                await until(lambda: len(rig.requests("/fapi/v1/order", "GET")) == 2)
                assert rig.exchange.line.client.trips.under_way >= 3
                assert [one.client_id[-2:] for one in await reading] == ["e0", "e1"]

    run(scenario)


def test_a_liquidation_is_told_as_the_venue_s_doing() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.fault("liquidation", path="/fapi/v1/time", market=SYMBOL)
            await rig.exchange.line.client.sync_clock()
            pushed = await rig.event(FillSeen, lambda seen: seen.fill.cause == "liquidation")
            found = await rig.exchange.fills(SYMBOL, since_start())
            assert found[-1].cause == "liquidation"
            assert pushed.fill.client_id.startswith("autoclose-")

    run(scenario)


def test_fills_of_more_than_a_page_are_all_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "MOST_ROWS", 3)

    async def scenario() -> None:
        async with trading() as rig:
            for number in range(10):
                await rig.buy("0.002", client_id=f"fw-aaaaaaaaaaaaaaaa-e{number}")
                rig.price(50000 + number)
            found = await rig.exchange.fills(SYMBOL, since_start())
            assert [one.client_id for one in found] == [f"fw-aaaaaaaaaaaaaaaa-e{number}" for number in range(10)]

    run(scenario)


def test_executions_that_can_t_all_be_read_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "MOST_ROWS", 1)

    async def scenario() -> None:
        async with trading() as rig:
            rig.price(50000, 50001, ask_quantity="0.005")
            await rig.exchange.place_entry(entry("0.005"))
            with pytest.raises(ExchangeError, match="within one millisecond"):
                await rig.exchange.fills(SYMBOL, since_start())

    run(scenario)


def test_a_week_and_more_is_read_in_windows_that_the_venue_takes() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            month_ns = 30 * 86_400 * 1_000_000_000
            found = await rig.exchange.fills(SYMBOL, time.time_ns() - month_ns)
            assert [one.client_id for one in found] == [ENTRY]
            asked = rig.requests("/fapi/v1/userTrades")
            assert len(asked) == 5
            spans = [int(one["params"]["endTime"]) - int(one["params"]["startTime"]) for one in asked]
            assert max(spans) < 7 * 86_400_000

    run(scenario)


def test_executions_before_the_instant_are_left_out() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            assert await rig.exchange.fills(SYMBOL, time.time_ns() + 60_000_000_000) == ()

    run(scenario)


@pytest.mark.parametrize("skew_ms", [-700, 700])
def test_with_a_clock_that_is_off_no_execution_is_missed(skew_ms: int) -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            venue.world.skew("binance", skew_ms * MS)
            async with at(venue) as rig:
                before = time.time_ns()
                await rig.buy()
                assert [one.client_id for one in await rig.exchange.fills(SYMBOL, before)] == [ENTRY]

    run(scenario)


@define
class OffClock:
    """This machine's clock after somebody set it wrong."""

    off_s: int

    def now_ns(self) -> int:
        return time.time_ns() + self.off_s * 1_000_000_000


@pytest.mark.parametrize("off_s", [-3600, 3600])
def test_with_a_clock_that_was_set_wrong_in_between_no_execution_is_missed(off_s: int) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            before = time.time_ns()
            await rig.buy()
            rig.exchange.line.clock.ours = OffClock(off_s)
            assert [one.client_id for one in await rig.exchange.fills(SYMBOL, before - 7_200_000_000_000)] == [ENTRY]

    run(scenario)


def test_a_fee_in_another_coin_is_valued_by_the_taker_s_fee() -> None:
    row = {"commission": "0.0001", "commissionAsset": "BNB"}
    assert fee_usd(row, "commission", "commissionAsset", d(1000), Percent(Decimal("0.05"))) == d("0.5")
