"""The in-process exchange: what it answers and what it tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from framework import (
    Candle,
    CandleUpdate,
    Capabilities,
    ConfigError,
    ExchangeError,
    FillSeen,
    Need,
    OpenInterestUpdate,
    OrderReport,
    OrderSeen,
    OrderSide,
    OrderStatus,
    Percent,
    PositionSeen,
    Refusal,
    RestingKind,
    Side,
    StopReport,
    StopSeen,
    VenuePosition,
)
from framework_simulator.paper import Paper

from .kit import (
    BINANCE_FILE,
    BYBIT_FILE,
    Told,
    d,
    kernel_close,
    kernel_entry,
    kernel_stop,
    on_virtual_time,
    paper,
    played,
)

CLOUD = "CLOUDUSDT"
AR = "ARUSDT"


async def _started(told: Told, rules: str = "bybit", **settings: Any) -> Paper:
    exchange = paper(rules, **settings)
    await exchange.start(told.link())
    exchange.play(played(CLOUD, "0.11790", "0.11803"))
    exchange.play(played(AR, "3.543", "3.544"))
    return exchange


async def _short_cloud(told: Told, **settings: Any) -> Paper:
    """Short 50 CLOUDUSDT at 0.11790 with an attached stop at 0.12497."""
    exchange = await _started(told, **settings)
    stop = kernel_stop("0.12497", symbol=CLOUD, quantity="50", side=Side.SHORT)
    answer = await exchange.place_entry(kernel_entry(CLOUD, "50", side=Side.SHORT, stop=stop))
    assert isinstance(answer, OrderReport)
    return exchange


def test_the_rules_decide_what_the_venue_can() -> None:
    bybit = Capabilities(simulated=True, attaches_stops=True, amends_stops=True, rests_targets=True)
    assert paper("bybit").capabilities == bybit
    assert paper("binance").capabilities == Capabilities(simulated=True, rests_targets=True)


def test_a_market_entry_is_answered_with_its_fill_in_the_digits_of_the_tick() -> None:
    async def body(told: Told) -> OrderReport:
        exchange = await _started(told)
        answer = await exchange.place_entry(kernel_entry(CLOUD, "50", side=Side.SHORT))
        assert isinstance(answer, OrderReport)
        assert await exchange.entry_report(CLOUD, "e0") == answer
        assert await exchange.entry_report(CLOUD, "e1") is None
        return answer

    answer = on_virtual_time(body)
    assert (answer.status, str(answer.average_price), str(answer.filled)) == (OrderStatus.FILLED, "0.11790", "50")


def test_an_entry_with_its_stop_is_told_in_a_fixed_order() -> None:
    async def body(told: Told) -> list[Any]:
        await _short_cloud(told)
        return told.take()

    fill, order, stop, position = on_virtual_time(body)
    assert isinstance(fill, FillSeen)
    assert (fill.fill.client_id, fill.fill.cause, str(fill.fill.price)) == ("e0", "order", "0.11790")
    assert fill.fill.fee_usd == d("0.0029475")
    assert isinstance(order, OrderSeen)
    assert order.report.status is OrderStatus.FILLED
    assert stop == StopSeen(StopReport("s0", CLOUD, True, d("0.12497"), d(50)))
    assert position == PositionSeen(VenuePosition(CLOUD, d(-50), d("0.11790"), d("0.12497")))


def test_after_the_entry_position_and_stop_can_be_read() -> None:
    async def body(told: Told) -> None:
        exchange = await _short_cloud(told)
        assert await exchange.positions() == (VenuePosition(CLOUD, d(-50), d("0.11790"), d("0.12497")),)
        assert await exchange.stops(CLOUD) == (StopReport("s0", CLOUD, True, d("0.12497"), d(50)),)
        assert await exchange.stops(AR) == ()
        assert [fill.client_id for fill in await exchange.fills(CLOUD, 0)] == ["e0"]
        assert await exchange.fills(CLOUD, 1) == ()

    on_virtual_time(body)


def test_every_order_that_rests_is_told_in_all_markets() -> None:
    async def body(told: Told) -> None:
        exchange = await _started(told)
        assert await exchange.resting() == ()
        await exchange.place_entry(kernel_entry(CLOUD, "50", side=Side.SHORT))
        await exchange.place_stop(kernel_stop("0.12497", symbol=CLOUD, quantity="50", side=Side.SHORT))
        own = kernel_stop("0.12600", symbol=CLOUD, quantity="40", side=Side.SHORT, attached=False, client_id="s1")
        await exchange.place_stop(own)
        await exchange.place_entry(kernel_entry(AR, "3", client_id="e1", price="3.400"))
        waiting, attached, rests = await exchange.resting()
        assert (waiting.client_id, waiting.kind, waiting.symbol) == ("e1", RestingKind.ENTRY, AR)
        assert (waiting.side, waiting.quantity, waiting.price) == (OrderSide.BUY, d(3), d("3.400"))
        assert (attached.client_id, attached.kind, attached.quantity) == ("s0", RestingKind.STOP, None)
        assert (rests.client_id, rests.kind, rests.symbol) == ("s1", RestingKind.STOP, CLOUD)
        assert (rests.side, rests.price, rests.quantity) == (OrderSide.BUY, d("0.12600"), d(40))

    on_virtual_time(body)


def test_a_stop_that_triggers_is_told_before_its_fill_and_its_fill_before_the_position() -> None:
    async def body(told: Told) -> list[Any]:
        exchange = await _short_cloud(told)
        exchange.watch(frozenset({CLOUD}))
        told.take()
        exchange.play(played(CLOUD, "0.12600", "0.12610"))
        return told.take()

    stop, fill, position, price = on_virtual_time(body)
    assert stop == StopSeen(StopReport("s0", CLOUD, False, None, None, "triggered"))
    assert isinstance(fill, FillSeen)
    assert (fill.fill.cause, fill.fill.client_id, fill.fill.price) == ("stop", "s0", d("0.12610"))
    assert position == PositionSeen(VenuePosition(CLOUD, d(0), d(0), None))
    assert price[0] == CLOUD


def test_a_close_is_reduce_only_and_takes_the_attached_stop_along() -> None:
    async def body(told: Told) -> None:
        exchange = await _short_cloud(told)
        told.take()
        answer = await exchange.close_position(kernel_close(CLOUD, "80", side=Side.SHORT))
        assert isinstance(answer, OrderReport)
        assert (answer.filled, answer.average_price) == (d(50), d("0.11803"))
        kinds = [type(event).__name__ for event in told.take()]
        assert kinds == ["FillSeen", "OrderSeen", "StopSeen", "PositionSeen"]
        assert (await exchange.positions(), await exchange.stops(CLOUD)) == ((), ())
        again = await exchange.close_position(kernel_close(CLOUD, "50", side=Side.SHORT, client_id="x1"))
        assert isinstance(again, Refusal)
        assert again.code == "110017"

    on_virtual_time(body)


def test_an_entry_whose_stop_is_on_the_wrong_side_opens_nothing() -> None:
    async def body(told: Told) -> None:
        exchange = await _started(told)
        stop = kernel_stop("0.11000", symbol=CLOUD, quantity="50", side=Side.SHORT)
        answer = await exchange.place_entry(kernel_entry(CLOUD, "50", side=Side.SHORT, stop=stop))
        assert isinstance(answer, Refusal)
        assert answer.code == "10001"
        assert (await exchange.positions(), told.take()) == ((), [])

    on_virtual_time(body)


def test_an_entry_is_not_sent_after_its_deadline() -> None:
    async def body(told: Told) -> None:
        exchange = await _started(told)
        told.clock.start_ns = 100
        late = await exchange.place_entry(kernel_entry(CLOUD, "50", send_before_ns=99))
        assert isinstance(late, Refusal)
        assert late.code == "too_late"
        assert isinstance(await exchange.place_entry(kernel_entry(CLOUD, "50", send_before_ns=100)), OrderReport)

    on_virtual_time(body)


def test_the_attached_stop_is_moved_and_setting_it_again_is_a_success() -> None:
    async def body(told: Told) -> None:
        exchange = await _short_cloud(told)
        told.take()
        moved = kernel_stop("0.12000", symbol=CLOUD, quantity="50", side=Side.SHORT)
        report = StopReport("s0", CLOUD, True, d("0.12000"), d(50))
        assert await exchange.move_stop(moved) == report
        assert told.take() == [StopSeen(report)]
        assert await exchange.place_stop(moved) == report
        crossed = await exchange.move_stop(kernel_stop("0.11000", symbol=CLOUD, quantity="50", side=Side.SHORT))
        assert isinstance(crossed, Refusal)
        assert crossed.crossed
        assert await exchange.stops(CLOUD) == (report,)

    on_virtual_time(body)


def test_bybit_moves_a_stop_order_of_its_own_too() -> None:
    async def body(told: Told) -> None:
        exchange = await _started(told)
        await exchange.place_entry(kernel_entry(AR, "2"))
        for send, trigger in ((exchange.place_stop, "3.3"), (exchange.move_stop, "3.4")):
            order = kernel_stop(trigger, symbol=AR, quantity="2", attached=False)
            assert await send(order) == StopReport("s0", AR, True, d(trigger), d(2))

    # ARUSDT is listed on Bybit as well.
    on_virtual_time(body)


def test_on_binance_stops_are_orders_of_their_own_that_can_not_be_moved() -> None:
    async def body(told: Told) -> None:
        exchange = await _started(told, "binance")
        stop = kernel_stop("3.756", symbol=AR, quantity="1.6", side=Side.SHORT, attached=False)
        refused = await exchange.place_entry(kernel_entry(AR, "1.6", side=Side.SHORT, stop=stop, client_id="e1"))
        assert isinstance(refused, Refusal)
        assert isinstance(await exchange.place_entry(kernel_entry(AR, "1.6", side=Side.SHORT)), OrderReport)
        report = StopReport("s0", AR, True, d("3.756"), d("1.6"))
        assert await exchange.place_stop(stop) == report
        assert await exchange.stops(AR) == (report,)
        assert (await exchange.positions())[0].stop_price is None
        moved = await exchange.move_stop(stop)
        assert isinstance(moved, Refusal)
        assert moved.code == "-5025"
        attached = await exchange.place_stop(kernel_stop("3.8", symbol=AR, quantity="1.6", side=Side.SHORT))
        assert isinstance(attached, Refusal)

    on_virtual_time(body)


@pytest.mark.parametrize("client_id", ["s0", "never-was"])
def test_a_cancelled_stop_is_reported_as_not_live_whether_it_was_there_or_not(client_id: str) -> None:
    async def body(told: Told) -> None:
        exchange = await _short_cloud(told)
        report = await exchange.cancel_stop(CLOUD, client_id)
        assert isinstance(report, StopReport)
        assert (report.live, report.reason == "not found") == (False, client_id != "s0")
        assert len(await exchange.stops(CLOUD)) == (0 if client_id == "s0" else 1)

    on_virtual_time(body)


def test_a_limit_entry_rests_is_cancelled_and_says_what_it_filled_before() -> None:
    async def body(told: Told) -> None:
        exchange = await _started(told)
        entry = kernel_entry(CLOUD, "50", price="0.11700")
        resting = await exchange.place_entry(entry)
        assert isinstance(resting, OrderReport)
        assert resting.status is OrderStatus.NEW
        exchange.play(played(CLOUD, "0.11690", "0.11700", ask_quantity="20"))
        for _ in range(2):  # the second time it has ended already, and is reported as it ended
            cancelled = await exchange.cancel_entry(CLOUD, "e0")
            assert isinstance(cancelled, OrderReport)
            assert (cancelled.status, cancelled.filled) == (OrderStatus.CANCELLED, d(20))
        unknown = await exchange.cancel_entry(CLOUD, "e1")
        assert isinstance(unknown, Refusal)
        assert unknown.code == "110001"
        (fill,) = await exchange.fills(CLOUD, 0)
        assert fill.fee_usd == d("0.0002") * 20 * d("0.117")

    on_virtual_time(body)


def test_the_balance_follows_the_market_and_states_the_leverage() -> None:
    async def body(told: Told) -> None:
        exchange = await _short_cloud(told, leverage=d(5))
        balance = await exchange.balance()
        fee = d("0.0029475")
        assert balance.equity_usd == 1000 - fee  # the recorded mark is the bid
        assert balance.available_usd == 1000 - fee - 50 * d("0.11790") / 5
        assert balance.leverage == 5
        exchange.play(played(CLOUD, "0.11000"))
        assert (await exchange.balance()).equity_usd == 1000 - fee + 50 * d("0.0079")

    on_virtual_time(body)


def test_the_markets_are_those_of_the_file() -> None:
    async def body(told: Told) -> None:
        markets = await (await _started(told)).markets()
        assert (len(markets), markets[CLOUD].symbol) == (500, CLOUD)

    on_virtual_time(body)


def test_market_data_is_what_was_recorded_for_this_account() -> None:
    async def body(told: Told) -> None:
        exchange = await _started(told)
        hour = 3_600_000_000_000
        told.clock.start_ns = 2 * hour
        candle = Candle(0, hour, d(1), d(1), d(1), d(1), d(30000))
        exchange.play(CandleUpdate("main", CLOUD, "1h", candle))
        exchange.play(CandleUpdate("other", CLOUD, "1h", Candle(hour, 2 * hour, d(1), d(1), d(1), d(1), d(1))))
        exchange.play(OpenInterestUpdate("main", CLOUD, d(7)))
        exchange.play(OpenInterestUpdate("other", CLOUD, d(8)))
        exchange.play(played(CLOUD, "9", account="other"))
        data = await exchange.market_data(CLOUD, frozenset({Need.BOOK_TOP, Need.candles("1h", 1)}))
        assert data.quote is not None
        assert (data.quote.bid, data.open_interest_usd, dict(data.candles)) == (d("0.11790"), d(7), {"1h": (candle,)})

    on_virtual_time(body)


def test_a_market_without_a_recording_has_no_data_and_one_that_is_not_listed_is_an_error() -> None:
    async def body(told: Told) -> None:
        exchange = await _started(told)
        assert (await exchange.market_data("BTCUSDT", frozenset())).quote is None
        exchange.play(played("FTMUSDT", "1"))
        with pytest.raises(ExchangeError, match="main: FTMUSDT is not listed"):
            await exchange.market_data("FTMUSDT", frozenset())

    on_virtual_time(body)


def test_only_watched_prices_are_told() -> None:
    async def body(told: Told) -> None:
        exchange = await _started(told)
        exchange.play(played(CLOUD, "0.1180"))
        assert told.take() == []
        exchange.watch(frozenset({CLOUD}))
        exchange.play(played(CLOUD, "0.1181"))
        exchange.play(played(AR, "3.5"))
        assert [symbol for symbol, _ in told.take()] == [CLOUD]
        exchange.watch(frozenset())
        exchange.play(played(CLOUD, "0.1182"))
        assert told.take() == []

    on_virtual_time(body)


def test_the_latency_passes_half_before_and_half_after_the_venue_acts() -> None:
    async def body(told: Told) -> None:
        exchange = await _started(told, latency_ms=80)
        answer = await exchange.place_entry(kernel_entry(CLOUD, "50"))
        assert isinstance(answer, OrderReport)
        assert told.clock.now_ns() == 80_000_000
        fill = told.take()[0]
        assert fill.fill.time_ns == 40_000_000
        await exchange.positions()
        assert told.clock.now_ns() == 160_000_000

    on_virtual_time(body)


@pytest.mark.parametrize(("latency_ms", "expected_ns"), [(0, 0), (10, 10_000_000)])
def test_every_request_takes_the_latency(latency_ms: int, expected_ns: int) -> None:
    async def body(told: Told) -> None:
        exchange = await _started(told, latency_ms=latency_ms)
        stop = kernel_stop("3.3", symbol=AR, quantity="2", attached=False)
        for send in (
            lambda: exchange.markets(),
            lambda: exchange.market_data(AR, frozenset()),
            lambda: exchange.balance(),
            lambda: exchange.positions(),
            lambda: exchange.entry_report(AR, "e0"),
            lambda: exchange.stops(AR),
            lambda: exchange.fills(AR, 0),
            lambda: exchange.place_entry(kernel_entry(AR, "2")),
            lambda: exchange.cancel_entry(AR, "e0"),
            lambda: exchange.place_stop(stop),
            lambda: exchange.move_stop(stop),
            lambda: exchange.cancel_stop(AR, "s0"),
            lambda: exchange.close_position(kernel_close(AR, "2")),
        ):
            before = told.clock.now_ns()
            await send()
            assert told.clock.now_ns() - before == expected_ns

    on_virtual_time(body)


def test_slippage_and_fees_are_those_of_the_settings() -> None:
    async def body(told: Told) -> None:
        exchange = await _started(
            told,
            slippage_percent=Percent("0.5"),
            taker_fee_percent=Percent("0.1"),
            maker_fee_percent=Percent("0.01"),
        )
        answer = await exchange.place_entry(kernel_entry(CLOUD, "50"))
        assert isinstance(answer, OrderReport)
        assert str(answer.average_price) == "0.11863"  # 0.11803 raised by 0.5 %, up to the next tick
        await exchange.place_entry(kernel_entry(CLOUD, "50", price="0.11700", client_id="e1"))
        exchange.play(played(CLOUD, "0.11600"))
        taker, maker = await exchange.fills(CLOUD, 0)
        assert (taker.fee_usd, maker.fee_usd) == (d("0.0059315"), d("0.000585"))

    on_virtual_time(body)


def test_the_ledger_is_written_where_the_setting_says(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"

    async def body(told: Told) -> None:
        exchange = await _short_cloud(told, ledger=path)
        await exchange.stop()

    on_virtual_time(body)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["kind"] for line in lines] == ["price", "price", "order", "fill", "position", "order", "stop"]
    assert {(line["venue"], line["account"]) for line in lines[2:]} == {("bybit", "main")}


def test_a_ledger_that_can_not_be_written_stops_the_start(tmp_path: Path) -> None:
    async def body(told: Told) -> None:
        with pytest.raises(ExchangeError, match=r"the ledger .* can't be written: Is a directory"):
            await paper(ledger=tmp_path).start(told.link())

    on_virtual_time(body)


def test_every_start_begins_anew() -> None:
    async def body(told: Told) -> None:
        exchange = await _short_cloud(told)
        await exchange.stop()
        await exchange.start(told.link())
        assert await exchange.positions() == ()

    on_virtual_time(body)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"balance_usd": d(0)}, "must be greater than 0"),
        ({"leverage": d(0)}, "must be greater than 0"),
        ({"taker_fee_percent": Percent("-0.1")}, "must not be negative"),
        ({"maker_fee_percent": Percent("100")}, "must be below 100 %"),
        ({"slippage_percent": Percent("-1")}, "must not be negative"),
        ({"latency_ms": -1}, "must not be negative"),
    ],
)
def test_absurd_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paper(**settings)


def test_a_market_file_that_is_not_the_venues_is_refused_with_the_settings() -> None:
    with pytest.raises(ConfigError, match="is it the answer of GET /v5/market/instruments-info"):
        Paper(rules="bybit", markets=BINANCE_FILE, balance_usd=d(1), taker_fee_percent=Percent("0"))


def test_the_checkup_states_markets_money_and_every_assumption() -> None:
    async def body(told: Told) -> None:
        exchange = paper(slippage_percent=Percent("0.1"), latency_ms=20, bar_path="best-first")
        markets, balance, assumptions = await exchange.checkup()
        assert (markets.ok, markets.numbers) == (True, {"markets": "500"})
        assert (balance.ok, balance.numbers) == (True, {"balance_usd": "1000", "leverage": "10"})
        assert assumptions.numbers == {
            "taker_fee_percent": "0.05",
            "maker_fee_percent": "0.02",
            "slippage_percent": "0.1",
            "latency_ms": "20",
            "bar_path": "best-first",
        }
        assert "no funding, no liquidation" in assumptions.message

    on_virtual_time(body)


def test_the_checkup_says_when_the_market_file_has_gone_bad(tmp_path: Path) -> None:
    async def body(told: Told) -> None:
        path = tmp_path / "markets.json"
        path.write_bytes(BYBIT_FILE.read_bytes())
        exchange = Paper(rules="bybit", markets=path, balance_usd=d(1), taker_fee_percent=Percent("0"))
        path.write_text("", encoding="utf-8")
        (checkup,) = await exchange.checkup()
        assert (checkup.subject, checkup.ok) == ("markets", False)
        assert "is no JSON" in checkup.message

    on_virtual_time(body)
