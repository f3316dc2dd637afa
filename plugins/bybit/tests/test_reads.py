"""What is read of the account and of the markets: all pages, never empty when it failed, only what is needed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from itertools import pairwise
from typing import Any

import pytest
from attrs import define

from framework import ExchangeError, Fill, MarketData, Need, OrderStatus
from framework.testing import StillClock
from framework_bybit import limits
from framework_bybit.reads import Reads
from framework_simulator.emulator.build import DEFAULT_KEY
from framework_venue.clock import VenueClock

from .rig import (
    ENTRY,
    EXECUTIONS,
    OPEN_ORDERS,
    POSITIONS,
    SYMBOL,
    TICKERS,
    Rig,
    close,
    d,
    emulated,
    entry,
    make,
    run,
    stop,
    trading,
)
from .test_translate import execution, order, position, words

KLINE = "/v5/market/kline"
WALLET = "/v5/account/wallet-balance"
DAY_NS = 24 * 3600 * 10**9

READS: Mapping[str, tuple[str, Callable[[Rig], Awaitable[Any]]]] = {
    "positions": (POSITIONS, lambda rig: rig.exchange.positions()),
    "stops": (OPEN_ORDERS, lambda rig: rig.exchange.stops(SYMBOL)),
    "entry_report": (OPEN_ORDERS, lambda rig: rig.exchange.entry_report(SYMBOL, ENTRY)),
    "fills": (EXECUTIONS, lambda rig: rig.exchange.fills(SYMBOL, rig.probe.clock.now_ns() - DAY_NS)),
    "balance": (WALLET, lambda rig: rig.exchange.balance()),
    "quote": (TICKERS, lambda rig: rig.exchange.market_data(SYMBOL, frozenset({Need.BOOK_TOP}))),
    "candles": (KLINE, lambda rig: rig.exchange.market_data(SYMBOL, frozenset({Need.candles("1h", 1)}))),
}
FAILURES: tuple[dict[str, Any], ...] = (
    {"name": "refuse", "code": 10016},
    {"name": "refuse", "code": 10006},
    {"name": "empty-body"},
    {"name": "html-body"},
    {"name": "list-body"},
    {"name": "null-body"},
    {"name": "truncated-body"},
    {"name": "request-lost"},
    {"name": "gateway-504"},
)


@pytest.mark.parametrize("fault", FAILURES, ids=lambda fault: fault["name"])
def test_a_read_that_failed_is_an_error_and_never_empty(fault: dict[str, Any]) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            for path, read in READS.values():
                rig.fault(**fault, path=path)
                with pytest.raises(ExchangeError, match="account: ") as raised:
                    await read(rig)
                assert raised.value.account == "account"
                rig.heal()

    run(scenario)


class Scripted:
    """A client whose answers are given, by route; each question takes the next one."""

    def __init__(self, **answers: list[Any]) -> None:
        self.account = "account"
        self.clock = VenueClock(StillClock())
        self.answers = {getattr(limits, name).method: list(bodies) for name, bodies in answers.items()}
        self.asked: list[Mapping[str, Any]] = []

    async def read(self, route: Any, params: Mapping[str, Any], purpose: Any = None) -> Any:
        self.asked.append(params)
        return self.answers[route.method].pop(0)

    @property
    def reads(self) -> Reads:
        return Reads(self, words())  # type: ignore[arg-type]


def page(*rows: Any, after: str = "") -> dict[str, Any]:
    return {"retCode": 0, "result": {"list": list(rows), "nextPageCursor": after}}


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_all_pages_of_a_list_are_read() -> None:
    other = position(symbol="ETHUSDT")
    client = Scripted(POSITIONS=[page(position(), after="one"), page(other)])

    found = asyncio.run(client.reads.positions())

    assert [one.symbol for one in found] == [SYMBOL, "ETHUSDT"]
    assert [params.get("cursor") for params in client.asked] == [None, "one"]


def test_an_empty_page_ends_a_list() -> None:
    client = Scripted(POSITIONS=[page(position(), after="one"), page(after="two")])

    assert len(asyncio.run(client.reads.positions())) == 1


def test_a_list_that_never_ends_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework_bybit.reads.MOST_PAGES", 3)
    client = Scripted(POSITIONS=[page(position(), after=str(n)) for n in range(5)])

    with pytest.raises(ExchangeError, match="more than 3 pages"):
        asyncio.run(client.reads.positions())


@pytest.mark.parametrize(
    "body", [None, [], {}, {"result": None}, {"result": {"list": None}}, {"result": {"list": [1]}}]
)
def test_a_list_in_another_form_is_an_error(body: Any) -> None:
    with pytest.raises(ExchangeError, match="not what the venue documents"):
        asyncio.run(Scripted(POSITIONS=[body]).reads.positions())


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_order_is_looked_for_among_the_open_then_among_the_past_ones_whatever_its_end() -> None:
    past = order(orderStatus="Cancelled", cumExecQty="0", avgPrice="")
    client = Scripted(OPEN_ORDERS=[page()], PAST_ORDERS=[page(past)])

    report = asyncio.run(client.reads.order(SYMBOL, ENTRY))

    assert report is not None
    assert report.status is OrderStatus.CANCELLED
    assert all("orderStatus" not in params for params in client.asked)


def test_an_order_is_unknown_only_when_both_lists_are_without_it() -> None:
    client = Scripted(OPEN_ORDERS=[page()], PAST_ORDERS=[page()])

    assert asyncio.run(client.reads.order(SYMBOL, ENTRY)) is None
    assert len(client.asked) == 2


def test_another_order_is_not_taken_for_ours() -> None:
    client = Scripted(OPEN_ORDERS=[page(order(orderLinkId="other"))], PAST_ORDERS=[page()])

    assert asyncio.run(client.reads.order(SYMBOL, ENTRY)) is None


# ── executions ──────────────────────────────────────────────────────────────────────────────────────────────


def test_more_than_a_week_is_asked_for_in_parts_without_a_gap() -> None:
    now_ms = VenueClock(StillClock()).now_ms()
    client = Scripted(EXECUTIONS=[page(), page(), page()])

    asyncio.run(client.reads.fills(SYMBOL, (now_ms - 15 * 86_400_000) * 10**6))

    spans = [(params["startTime"], params["endTime"]) for params in client.asked]
    assert spans[0][0] == now_ms - 15 * 86_400_000
    assert spans[-1][1] >= now_ms
    assert all(later[0] == earlier[1] + 1 for earlier, later in pairwise(spans))
    assert all(end - start < 7 * 86_400_000 for start, end in spans)


def test_executions_are_all_types_that_change_a_position_oldest_first_and_each_once() -> None:
    newest_first = [
        execution(execId="e3", execType="BustTrade", execTime="1700000000003"),
        execution(execId="e2", execType="Funding", execTime="1700000000002"),
        execution(execId="e1", execTime="1700000000001"),
    ]
    client = Scripted(EXECUTIONS=[page(*newest_first, after="x"), page(newest_first[-1])])

    fills = asyncio.run(client.reads.fills(SYMBOL, client.clock.now_ms() * 10**6))

    assert [(fill.id, fill.cause) for fill in fills] == [("e1", "order"), ("e3", "liquidation")]
    assert all("execType" not in params for params in client.asked)


def test_of_one_millisecond_the_older_execution_comes_first() -> None:
    client = Scripted(EXECUTIONS=[page(execution(execId="late"), execution(execId="early"))])

    fills: tuple[Fill, ...] = asyncio.run(client.reads.fills(SYMBOL, client.clock.now_ms() * 10**6))

    assert [fill.id for fill in fills] == ["early", "late"]


def test_fills_of_a_liquidation_and_of_a_deleveraging_are_told_with_their_cause() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.fault("adl", at_ms=1, account=DEFAULT_KEY.account, market=SYMBOL, qty="0.004")
            rig.fault("liquidation", at_ms=20, account=DEFAULT_KEY.account, market=SYMBOL)
            since = rig.probe.clock.now_ns() - DAY_NS
            async with asyncio.timeout(5):
                while len(fills := await rig.exchange.fills(SYMBOL, since)) < 3:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert [fill.cause for fill in fills] == ["order", "adl", "liquidation"]

    run(scenario)


# ── money, positions, stops ─────────────────────────────────────────────────────────────────────────────────


def test_the_balance_has_equity_free_margin_and_leverage() -> None:
    async def scenario() -> None:
        async with trading(leverage=5) as rig:
            balance = await rig.exchange.balance()
            assert (balance.equity_usd, balance.available_usd, balance.leverage) == (d(10000), d(10000), d(5))
            await rig.buy()
            assert d(9890) < (await rig.exchange.balance()).available_usd < d(9901)

    run(scenario)


def test_flat_positions_are_not_told() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            (held,) = await rig.exchange.positions()
            assert (held.symbol, held.quantity, held.stop_price) == (SYMBOL, d("0.010"), d(49000))
            await rig.exchange.close_position(close())
            assert await rig.exchange.positions() == ()

    run(scenario)


def test_many_who_ask_for_the_positions_at_once_share_one_request() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            before = len(rig.requests(POSITIONS))
            await asyncio.gather(*(rig.exchange.positions() for _ in range(50)))
            assert len(rig.requests(POSITIONS)) == before + 1

    run(scenario)


def test_a_resting_entry_is_no_stop() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.exchange.place_entry(entry(price="49500"))
            assert await rig.exchange.stops(SYMBOL) == ()
            await rig.exchange.place_stop(stop("48000", attached=False))
            assert len(await rig.exchange.stops(SYMBOL)) == 1

    run(scenario)


# ── market data ─────────────────────────────────────────────────────────────────────────────────────────────


def test_only_what_is_needed_is_asked_for() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert await rig.exchange.market_data(SYMBOL, frozenset()) == MarketData(SYMBOL)
            assert rig.requests(TICKERS) == []
            assert rig.requests(KLINE) == []

    run(scenario)


def test_quote_and_open_interest_come_from_one_request() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            data = await rig.exchange.market_data(SYMBOL, frozenset({Need.BOOK_TOP, Need.OPEN_INTEREST}))
            assert data.quote is not None
            assert (data.quote.bid, data.quote.ask) == (d(50000), d("50000.1"))
            assert data.open_interest_usd == d(1000) * d("50000.05")
            assert len(rig.requests(TICKERS)) == 1

    run(scenario)


def test_a_waves_questions_share_one_request() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.price(3000, symbol="ETHUSDT")
            needs = frozenset({Need.BOOK_TOP})
            found = await asyncio.gather(*(rig.exchange.market_data(s, needs) for s in (SYMBOL, "ETHUSDT") * 10))
            assert all(data.quote is not None for data in found)
            assert len(rig.requests(TICKERS)) == 1

    run(scenario)


def test_a_market_without_a_price_has_no_quote() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            data = await rig.exchange.market_data("ETHUSDT", frozenset({Need.BOOK_TOP, Need.OPEN_INTEREST}))
            assert (data.quote, data.open_interest_usd) == (None, None)

    run(scenario)


@pytest.mark.parametrize("interval", ["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "12h", "1d"])
def test_every_interval_is_asked_for_by_the_venues_name_and_the_open_candle_is_left_out(interval: str) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            data = await rig.exchange.market_data(SYMBOL, frozenset({Need.candles(interval, 2)}))
            now_ns = rig.probe.clock.now_ns()
            assert set(data.candles) == {interval}
            assert all(candle.close_ns <= now_ns for candle in data.candles[interval])
            (asked,) = rig.sent(KLINE)
            assert asked["limit"] == "4"

    run(scenario)


def test_a_candle_that_is_closed_by_the_venues_clock_alone_is_left_out() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            rig.exchange.line.clock.skew_ms = 120_000
            data = await rig.exchange.market_data(SYMBOL, frozenset({Need.candles("1m", 5)}))
            assert all(candle.close_ns <= rig.probe.clock.now_ns() for candle in data.candles["1m"])

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


def test_before_the_start_and_after_the_stop_nothing_is_answered() -> None:
    async def scenario() -> None:
        async with emulated() as venue:
            with pytest.raises(RuntimeError, match="not started"):
                await make(venue.rest).positions()
        async with trading() as rig:
            pass
        with pytest.raises(RuntimeError, match="not started"):
            await rig.exchange.positions()

    run(scenario)
