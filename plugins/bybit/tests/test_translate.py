"""Bybit's rows in the kernel's terms, with the shapes that the venue documents."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import Balance, OrderSide, OrderStatus, Percent, StopReport, VenuePosition
from framework.testing import StillClock, make_rules
from framework_bybit.strange import StrangeAnswerError
from framework_bybit.translate import STATUSES, Translator
from framework_venue.clock import VenueClock

from .rig import ENTRY, SYMBOL, d

MINUTE_MS = 60_000


def words(skew_ms: int = 0) -> Translator:
    clock = VenueClock(StillClock())
    clock.skew_ms = skew_ms
    rules = make_rules(symbol=SYMBOL, tick_size=d("0.1"), step_size=d("0.001"))
    return Translator(Percent(d("0.06")), clock, {SYMBOL: rules})


def order(**changes: Any) -> dict[str, Any]:
    row = {
        "orderId": "1f2", "orderLinkId": ENTRY, "symbol": SYMBOL, "side": "Buy", "orderStatus": "Filled",
        "cancelType": "UNKNOWN", "rejectReason": "EC_NoError", "avgPrice": "50000.1", "cumExecQty": "0.01",
        "cumExecValue": "500.001", "stopOrderType": "", "triggerPrice": "", "qty": "0.01", "reduceOnly": False,
        "parentOrderLinkId": "",
    }  # fmt: skip
    return {**row, **changes}


def stop_row(**changes: Any) -> dict[str, Any]:
    row = order(orderLinkId="", orderStatus="Untriggered", stopOrderType="StopLoss", triggerPrice="49000", qty="0.01",
                avgPrice="", cumExecQty="0", cumExecValue="0", reduceOnly=True, parentOrderLinkId=ENTRY)  # fmt: skip
    return {**row, **changes}


def execution(**changes: Any) -> dict[str, Any]:
    row = {
        "symbol": SYMBOL, "orderId": "1f2", "orderLinkId": ENTRY, "side": "Buy", "execId": "e1", "execType": "Trade",
        "execPrice": "50000.1", "execQty": "0.010", "execFee": "0.275", "feeCurrency": "USDT",
        "execTime": "1700000000123", "stopOrderType": "UNKNOWN",
    }  # fmt: skip
    return {**row, **changes}


def position(**changes: Any) -> dict[str, Any]:
    row = {
        "positionIdx": 0, "symbol": SYMBOL, "side": "Buy", "size": "0.01", "avgPrice": "50000.1", "stopLoss": "49000",
    }  # fmt: skip
    return {**row, **changes}


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("told", "status"), STATUSES.items())
def test_every_documented_status_is_known(told: str, status: OrderStatus) -> None:
    assert words().order_report(order(orderStatus=told)).status is status


def test_prices_and_quantities_have_the_digits_of_tick_and_step() -> None:
    report = words().order_report(order(avgPrice="50000", cumExecQty="0.01"))

    assert (str(report.average_price), str(report.filled)) == ("50000.0", "0.010")


def test_an_average_that_is_no_multiple_of_the_tick_stays_exact() -> None:
    assert words().order_report(order(avgPrice="50000.123")).average_price == d("50000.123")


def test_a_market_without_known_rules_is_read_as_it_is_written() -> None:
    assert str(words().order_report(order(symbol="NEWUSDT", cumExecQty="0.01")).filled) == "0.01"


@pytest.mark.parametrize("average", ["", "0", None])
def test_without_a_told_average_it_is_the_value_by_the_quantity(average: str | None) -> None:
    assert words().order_report(order(avgPrice=average)).average_price == d("50000.1")


def test_an_order_without_executions_has_no_average() -> None:
    report = words().order_report(order(orderStatus="New", avgPrice="", cumExecQty="0"))

    assert (report.filled, report.average_price, report.reason) == (d(0), None, "")


def test_cancelled_with_executions_is_a_partial_fill() -> None:
    row = order(orderStatus="Cancelled", cumExecQty="0.004", leavesQty="0", rejectReason="EC_NoEnoughQtyToFill")
    report = words().order_report(row)

    assert (report.status, report.filled, report.reason) == (OrderStatus.CANCELLED, d("0.004"), "EC_NoEnoughQtyToFill")


def test_the_second_message_of_a_filled_order_says_the_same() -> None:
    again = order(cancelType="CancelByUser", rejectReason="EC_OrigClOrdIDDoesNotExist")

    assert words().order_report(again) == words().order_report(order())


@pytest.mark.parametrize(
    ("status", "rejected", "cancelled", "reason"),
    [
        ("Rejected", "EC_Others", "CancelByUser", "EC_Others"),
        ("Cancelled", "EC_PerCancelRequest", "CancelByUser", "CancelByUser"),
        ("Cancelled", "EC_NoImmediateQtyToFill", "UNKNOWN", "EC_NoImmediateQtyToFill"),
        ("Cancelled", "EC_NoError", "CancelByPrepareLiq", "CancelByPrepareLiq"),
        ("Cancelled", "EC_NoError", "", ""),
    ],
)
def test_the_reason_of_an_end_is_the_venues_word(status: str, rejected: str, cancelled: str, reason: str) -> None:
    row = order(orderStatus=status, cumExecQty="0", rejectReason=rejected, cancelType=cancelled)

    assert words().order_report(row).reason == reason


# ── stops ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_attached_stop_has_the_id_of_its_entry() -> None:
    assert words().stop_report(stop_row()) == StopReport(ENTRY, SYMBOL, True, d(49000), d("0.01"), attached=True)


def test_an_attached_stop_that_came_with_no_entry_has_no_id() -> None:
    assert words().stop_report(stop_row(parentOrderLinkId="")).client_id == ""


def test_a_stop_for_the_whole_position_may_tell_no_quantity() -> None:
    assert words().stop_report(stop_row(qty="0")).quantity is None


def test_a_stop_of_its_own_has_its_own_id() -> None:
    report = words().stop_report(stop_row(stopOrderType="Stop", orderLinkId="fw-x", parentOrderLinkId=""))

    assert (report.client_id, report.attached) == ("fw-x", False)


@pytest.mark.parametrize(
    "changes",
    [
        {"orderStatus": "Triggered"},
        {"orderStatus": "New"},
        {"orderStatus": "PartiallyFilled", "cumExecQty": "0.004"},
        {"orderStatus": "Filled", "cumExecQty": "0.01"},
        {"orderStatus": "Cancelled", "cumExecQty": "0.004"},
        {"orderStatus": "Cancelled", "rejectReason": "EC_NoImmediateQtyToFill"},
    ],
)
def test_a_stop_that_became_an_order_is_triggered_whatever_that_fills(changes: dict[str, Any]) -> None:
    report = words().stop_report(stop_row(**changes))

    assert (report.live, report.trigger_price, report.reason) == (False, None, "triggered")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"orderStatus": "Deactivated", "cancelType": "CancelByTpSlTsClear"}, "CancelByTpSlTsClear"),
        ({"orderStatus": "Cancelled", "cancelType": "CancelByUser"}, "CancelByUser"),
        ({"orderStatus": "Deactivated", "cancelType": "UNKNOWN"}, "cancelled"),
        ({"orderStatus": "Rejected", "rejectReason": "EC_Others"}, "EC_Others"),
    ],
)
def test_a_stop_that_ended_otherwise_is_not_triggered(changes: dict[str, Any], reason: str) -> None:
    report = words().stop_report(stop_row(**changes))

    assert (report.live, report.reason) == (False, reason)


# ── executions ──────────────────────────────────────────────────────────────────────────────────────────────


def test_an_execution_is_a_fill_at_our_time() -> None:
    fill = words(skew_ms=250).fill(execution())

    assert fill is not None
    assert (fill.id, fill.client_id, fill.side) == ("e1", ENTRY, OrderSide.BUY)
    assert (str(fill.quantity), str(fill.price), fill.fee_usd) == ("0.010", "50000.1", d("0.275"))
    assert fill.time_ns == 1_699_999_999_873 * 10**6


@pytest.mark.parametrize(
    ("changes", "client_id", "cause"),
    [
        ({}, ENTRY, "order"),
        ({"stopOrderType": "StopLoss", "orderLinkId": ""}, "", "stop"),
        ({"stopOrderType": "Stop", "orderLinkId": "fw-x"}, "fw-x", "stop"),
        ({"stopOrderType": "Stop", "orderLinkId": ""}, "", "order"),
        ({"stopOrderType": "TakeProfit", "orderLinkId": ""}, "", "order"),
        ({"execType": "BustTrade", "orderLinkId": ""}, "", "liquidation"),
        ({"execType": "AdlTrade", "orderLinkId": ""}, "", "adl"),
        ({"execType": "Settle", "orderLinkId": ""}, "", "settlement"),
        ({"execType": "Delivery", "orderLinkId": ""}, "", "settlement"),
    ],
)
def test_the_cause_of_an_execution(changes: dict[str, Any], client_id: str, cause: str) -> None:
    fill = words().fill(execution(**changes))

    assert fill is not None
    assert (fill.client_id, fill.cause) == (client_id, cause)


@pytest.mark.parametrize("kind", ["Funding", "SomethingNew"])
def test_what_changes_no_position_is_no_fill(kind: str) -> None:
    assert words().fill(execution(execType=kind)) is None


@pytest.mark.parametrize("coin", ["", "USDT", "USDC"])
def test_a_fee_in_dollars_is_as_told(coin: str) -> None:
    fill = words().fill(execution(feeCurrency=coin, execFee="-0.1"))

    assert fill is not None
    assert fill.fee_usd == d("-0.1")


def test_a_fee_in_another_coin_is_valued_by_the_setting() -> None:
    fill = words().fill(execution(feeCurrency="BTC", execFee="0.000004"))

    assert fill is not None
    assert fill.fee_usd == d("0.0006") * d("0.010") * d("50000.1")


# ── positions and money ─────────────────────────────────────────────────────────────────────────────────────


def test_a_position_is_signed_and_has_its_stop() -> None:
    assert words().position(position()) == VenuePosition(SYMBOL, d("0.010"), d("50000.1"), d("49000.0"))
    assert words().position(position(side="Sell")).quantity == d("-0.010")


def test_the_stream_says_entry_price() -> None:
    row = position(entryPrice="50001.0")
    del row["avgPrice"]

    assert words().position(row).entry_price == d(50001)


@pytest.mark.parametrize("stop", ["", "0", "0.0", None])
def test_a_position_without_a_stop_has_none(stop: str | None) -> None:
    assert words().position(position(stopLoss=stop)).stop_price is None


def test_a_flat_position_has_an_empty_side() -> None:
    assert words().position(position(side="", size="0", avgPrice="0", stopLoss="")).quantity == 0


def test_a_position_by_side_is_refused() -> None:
    with pytest.raises(StrangeAnswerError, match="one-way mode"):
        words().position(position(positionIdx=1))


def test_money_is_that_of_the_whole_account() -> None:
    wallet = {"totalEquity": "1000.5", "totalAvailableBalance": "800"}

    assert words().balance(wallet, d(10)) == Balance(d("1000.5"), d(800), d(10))


def test_in_isolated_margin_free_is_what_usdt_is_not_bound() -> None:
    coin = {"coin": "USDT", "walletBalance": "900", "totalPositionIM": "100", "totalOrderIM": "50", "locked": ""}
    wallet = {"totalEquity": "1000", "totalAvailableBalance": "", "coin": [{"coin": "BTC"}, coin]}

    assert words().balance(wallet, d(10)).available_usd == d(750)


# ── the market ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_ticker_is_a_quote_at_our_time() -> None:
    row = {"bid1Price": "1", "ask1Price": "2", "lastPrice": "1.5", "markPrice": "1.6"}
    quote = words(skew_ms=-100).quote(row, 1_000)

    assert quote is not None
    assert (quote.bid, quote.ask, quote.last, quote.mark) == (d(1), d(2), d("1.5"), d("1.6"))
    assert quote.time_ns == 1_100 * 10**6


@pytest.mark.parametrize("name", ["bid1Price", "ask1Price", "lastPrice", "markPrice"])
@pytest.mark.parametrize("value", ["", "0", "-1", None])
def test_a_ticker_without_one_of_its_prices_is_no_quote(name: str, value: str | None) -> None:
    row = {"bid1Price": "1", "ask1Price": "2", "lastPrice": "1.5", "markPrice": "1.6", name: value}

    assert words().quote(row, 1_000) is None


def candle(start_ms: int) -> list[str]:
    return [str(start_ms), "1", "4", "0.5", "2", "10", "15.5"]


def test_only_closed_candles_are_told_oldest_first() -> None:
    listed = [candle(120_000), candle(60_000), candle(0)]
    found = words().candles(listed, "1m", 2, now_ms=150_000)

    assert [each.open_ns for each in found] == [0, 60_000 * 10**6]
    assert found[0].close_ns == 60_000 * 10**6
    assert (found[0].open, found[0].high, found[0].low, found[0].close) == (d(1), d(4), d("0.5"), d(2))
    assert found[0].quote_volume == d("15.5")


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 50), st.integers(1, 20), st.integers(0, 49 * MINUTE_MS))
def test_no_candle_of_the_future_and_never_more_than_asked(rows: int, count: int, now_ms: int) -> None:
    listed = [candle(n * MINUTE_MS) for n in reversed(range(rows))]
    found = words().candles(listed, "1m", count, now_ms)

    assert len(found) <= count
    assert all(each.close_ns <= now_ms * 10**6 for each in found)
    assert [each.open_ns for each in found] == sorted(each.open_ns for each in found)


# ── what is strange ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("value", [None, 5, "", "x", "NaN", "Infinity", [], {}])
@pytest.mark.parametrize("name", ["execPrice", "execQty", "execTime", "execId", "side", "symbol", "execType"])
def test_a_strange_field_of_an_execution_is_never_a_fill(name: str, value: Any) -> None:
    if name == "execTime" and value == 5:
        value = "5.5"
    row = execution(**{name: value})
    if name == "execType" and isinstance(value, str) and value:
        assert words().fill(row) is None
        return
    if name in ("execId", "symbol") and isinstance(value, str) and value:
        return  # any text will do for these
    with pytest.raises(StrangeAnswerError):
        words().fill(row)


@pytest.mark.parametrize("value", [None, 1, "", "Sideways"])
@pytest.mark.parametrize("name", ["orderStatus", "orderId", "symbol"])
def test_a_strange_field_of_an_order_is_never_a_report(name: str, value: Any) -> None:
    if name != "orderStatus" and value == "Sideways":
        return  # any text will do for these
    with pytest.raises(StrangeAnswerError):
        words().order_report(order(**{name: value}))


def test_fills_without_a_price_are_no_report() -> None:
    with pytest.raises(StrangeAnswerError):
        words().order_report(order(avgPrice="", cumExecValue=""))


@pytest.mark.parametrize("value", [None, "", "x", "NaN"])
def test_a_strange_size_is_never_a_position(value: Any) -> None:
    with pytest.raises(StrangeAnswerError):
        words().position(position(size=value))


def test_a_position_without_an_entry_price_is_strange() -> None:
    with pytest.raises(StrangeAnswerError):
        words().position(position(avgPrice=""))


def test_instants_go_to_the_venues_clock_and_back() -> None:
    told = words(skew_ms=-1234)

    assert told.our_ns(told.venue_ms(5_000 * 10**6)) == 5_000 * 10**6
    assert Decimal(told.venue_ms(5_000 * 10**6)) == d(5_000 - 1234)


def test_a_difference_within_the_uncertainty_of_its_measurement_is_none() -> None:
    told = words(skew_ms=20)
    told.clock.uncertain_ms = 21

    assert told.our_ns(5_000) == 5_000 * 10**6
    told.clock.uncertain_ms = 19
    assert told.our_ns(5_000) == 4_980 * 10**6
