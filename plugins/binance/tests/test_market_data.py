"""What decisions need to know: only what is asked for, shared by a wave, closed candles by the venue's clock."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from framework import Need, Quote
from framework_binance.limits import WEIGHT, candles
from framework_binance.strange import StrangeAnswerError
from framework_binance.translate import closed_candles

from .rig import SYMBOL, Rig, d, recorded, run, trading

EVERYTHING = frozenset({Need.BOOK_TOP, Need.OPEN_INTEREST, Need.candles("1m", 3), Need.candles("1h", 1)})
HOUR_MS = 3_600_000


def bulk_requests(rig: Rig) -> list[str]:
    paths = ("/ticker/bookTicker", "/ticker/price", "/premiumIndex")
    return [path for path in paths for _ in rig.requests(path)]


def row(open_ms: int, **more: Any) -> list[Any]:
    """A candle of an hour as klines answers it."""
    return [open_ms, "1", "2", "0.5", "1.5", "10", open_ms + HOUR_MS - 1, "15.5", 7, "5", "7.5", "0"]


def test_only_what_is_needed_is_asked_for() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            data = await rig.exchange.market_data(SYMBOL, frozenset({Need.POSITIONS}))
            assert (data.quote, data.open_interest_usd, dict(data.candles)) == (None, None, {})
            assert bulk_requests(rig) == []

    run(scenario)


def test_the_quote_has_all_four_prices_and_a_time() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.price(50000, 50001, last="50000.5", mark="50002")
            data = await rig.exchange.market_data(SYMBOL, frozenset({Need.BOOK_TOP}))
            assert isinstance(data.quote, Quote)
            assert (data.quote.bid, data.quote.ask, data.quote.last, data.quote.mark) == (
                d(50000),
                d(50001),
                d("50000.5"),
                d(50002),
            )
            assert 0 <= rig.probe.clock.now_ns() - data.quote.time_ns < 5_000_000_000

    run(scenario)


def test_a_wave_shares_the_requests_for_prices() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            symbols = list(await rig.exchange.markets())
            for symbol in symbols:
                rig.price(100, 101, symbol=symbol)
            found = await asyncio.gather(*(rig.exchange.market_data(one, EVERYTHING) for one in symbols * 5))
            assert {data.symbol for data in found} == set(symbols)
            assert all(data.quote is not None and data.quote.bid == 100 for data in found)
            assert len(rig.requests("/ticker/bookTicker")) == 1
            assert len(rig.requests("/ticker/price")) == 1
            assert len(rig.requests("/premiumIndex")) <= 2

    run(scenario)


def test_a_market_without_a_price_has_no_quote() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            data = await rig.exchange.market_data("ETHUSDT", frozenset({Need.BOOK_TOP, Need.OPEN_INTEREST}))
            assert (data.quote, data.open_interest_usd) == (None, None)

    run(scenario)


def test_an_empty_side_of_the_book_is_no_price() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.exchange._connection.best_prices.read = empty
            assert (await rig.exchange.market_data(SYMBOL, frozenset({Need.BOOK_TOP}))).quote is None

    async def empty() -> Any:
        return {SYMBOL: {"symbol": SYMBOL, "bidPrice": "50000", "askPrice": "0", "time": 1}}

    run(scenario)


def test_open_interest_is_in_usd_at_the_mark_price() -> None:
    async def scenario() -> None:
        body = '{"openInterest": "12.5", "symbol": "BTCUSDT", "time": 1}'
        async with trading() as rig, recorded(200, body) as address:
            rig.exchange.line.client.api.urls["api"]["fapiPublic"] = address
            rig.exchange._connection.mark_prices.read = marks
            data = await rig.exchange.market_data(SYMBOL, frozenset({Need.OPEN_INTEREST}))
            assert data.open_interest_usd == d(1250)

    async def marks() -> Any:
        return {SYMBOL: {"symbol": SYMBOL, "markPrice": "100", "time": 1}}

    run(scenario)


def test_candles_are_the_closed_ones_of_the_interval() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            data = await rig.exchange.market_data(SYMBOL, frozenset({Need.candles("1m", 2), Need.candles("1h", 1)}))
            assert set(data.candles) == {"1m", "1h"}
            asked = {one["params"]["interval"]: one["params"]["limit"] for one in rig.requests("/klines")}
            assert asked == {"1m": "3", "1h": "2"}

    run(scenario)


def test_the_unfinished_candle_is_left_out() -> None:
    rows = [row(0), row(HOUR_MS), row(2 * HOUR_MS)]
    found = closed_candles(rows, "1h", 5, now_ms=2 * HOUR_MS + 10)
    assert [one.open_ns for one in found] == [0, HOUR_MS * 1_000_000]
    assert [one.close_ns for one in found] == [HOUR_MS * 1_000_000, 2 * HOUR_MS * 1_000_000]
    assert (found[0].open, found[0].high, found[0].low, found[0].close) == (d(1), d(2), d("0.5"), d("1.5"))
    assert found[0].quote_volume == Decimal("15.5")


def test_a_candle_is_closed_from_its_last_instant_on() -> None:
    assert closed_candles([row(0)], "1h", 1, now_ms=HOUR_MS - 1) == ()
    assert len(closed_candles([row(0)], "1h", 1, now_ms=HOUR_MS)) == 1


def test_of_more_candles_the_newest_are_kept() -> None:
    found = closed_candles([row(number * HOUR_MS) for number in range(5)], "1h", 2, now_ms=9 * HOUR_MS)
    assert [one.open_ns // 1_000_000 for one in found] == [3 * HOUR_MS, 4 * HOUR_MS]


@pytest.mark.parametrize("answer", [{}, [[]], [["x"] * 12], [[1, "NaN", "1", "1", "1", "1", 2, "1"]], ["x"], None])
def test_strange_candles_are_no_candles(answer: Any) -> None:
    with pytest.raises(StrangeAnswerError):
        closed_candles(answer, "1h", 1, now_ms=9 * HOUR_MS)


@settings(deadline=None, max_examples=100)
@given(some.integers(1, 1500))
def test_candles_weigh_what_the_venue_counts(count: int) -> None:
    weight = candles(count).costs[WEIGHT]
    assert weight == (1 if count < 100 else 2 if count < 500 else 5 if count <= 1000 else 10)
