"""Translation as pure functions: documented shapes in, the contract's words out, and strange fields never through."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as some

from framework import OrderSide, OrderStatus, OrderType, Percent
from framework.testing import make_rules
from framework_binance import translate
from framework_binance.strange import StrangeAnswerError
from framework_binance.translate import (
    balance,
    cause_of,
    entry_params,
    fee_usd,
    fill,
    order_report,
    position,
    stop_params,
    stop_report,
)

from .rig import ENTRY, STOP, SYMBOL, d, entry, stop

RULES = make_rules(SYMBOL, tick_size="0.1", step_size="0.001")

ORDER: dict[str, Any] = {
    "orderId": 22542179, "symbol": SYMBOL, "status": "FILLED", "clientOrderId": ENTRY, "price": "0",
    "avgPrice": "50000.10000", "origQty": "0.010", "executedQty": "0.010", "cumQty": "0.010", "cumQuote": "500.001",
    "timeInForce": "GTC",
    "type": "MARKET", "reduceOnly": False, "closePosition": False, "side": "BUY", "positionSide": "BOTH",
    "workingType": "CONTRACT_PRICE", "priceProtect": False, "origType": "MARKET", "updateTime": 1566818724722,
}  # fmt: skip
ALGO: dict[str, Any] = {
    "algoId": 2146760, "clientAlgoId": STOP, "algoType": "CONDITIONAL", "orderType": "STOP_MARKET", "symbol": SYMBOL,
    "side": "SELL", "positionSide": "BOTH", "timeInForce": "GTC", "quantity": "0.010", "algoStatus": "NEW",
    "triggerPrice": "49000.00", "price": "0.00", "workingType": "MARK_PRICE", "closePosition": False,
    "reduceOnly": True,
    "createTime": 1750485492076, "updateTime": 1750485492076, "triggerTime": 0,
}  # fmt: skip
TRADE: dict[str, Any] = {
    "buyer": True, "commission": "0.25", "commissionAsset": "USDT", "id": 698759, "maker": False, "orderId": 25851813,
    "price": "50000.1", "qty": "0.010", "quoteQty": "500.001", "realizedPnl": "0", "side": "BUY",
    "positionSide": "BOTH", "symbol": SYMBOL, "time": 1569514978020,
}  # fmt: skip


# ── parameters ──────────────────────────────────────────────────────────────────────────────────────────────


@settings(deadline=None, max_examples=200)
@given(some.decimals("0.00000001", "100000000", allow_nan=False, places=8))
def test_numbers_are_written_plainly_and_lose_nothing(number: Decimal) -> None:
    sent = entry_params(entry(str(number), price=str(number)))
    for name in ("quantity", "price"):
        assert set(sent[name]) <= set("0123456789.")
        assert Decimal(sent[name]) == number


def test_a_limit_entry_without_a_price_is_never_made() -> None:
    with pytest.raises(ValueError, match="needs a price"):
        entry_params(evolve(entry(), type=OrderType.LIMIT))
    with pytest.raises(ValueError, match="needs a price"):
        entry_params(evolve(entry(price="1"), type=OrderType.STOP_MARKET))


def test_every_stop_is_reduce_only_and_never_closes_by_position() -> None:
    sent = stop_params(stop())
    assert sent["reduceOnly"] == "true"
    assert "closePosition" not in sent


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_order_is_written_with_the_digits_of_its_market() -> None:
    report = order_report(ORDER, RULES)
    assert (str(report.average_price), str(report.filled), report.order_id) == ("50000.1", "0.010", "22542179")
    assert report.reason == ""


def test_an_average_off_the_tick_stays_as_it_is() -> None:
    assert order_report({**ORDER, "avgPrice": "50000.12345"}, RULES).average_price == d("50000.12345")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("NEW", OrderStatus.NEW),
        ("PARTIALLY_FILLED", OrderStatus.PARTIALLY_FILLED),
        ("FILLED", OrderStatus.FILLED),
        ("CANCELED", OrderStatus.CANCELLED),
        ("EXPIRED", OrderStatus.EXPIRED),
        ("EXPIRED_IN_MATCH", OrderStatus.EXPIRED),
        ("REJECTED", OrderStatus.REJECTED),
    ],
)
def test_every_status_has_its_meaning(name: str, status: OrderStatus) -> None:
    report = order_report({**ORDER, "status": name}, RULES)
    assert report.status is status
    assert bool(report.reason) == (status.is_final and status is not OrderStatus.FILLED)


def test_an_expired_order_keeps_what_it_filled() -> None:
    report = order_report({**ORDER, "status": "EXPIRED", "executedQty": "0.004"}, RULES)
    assert (report.status, report.filled, report.average_price) == (OrderStatus.EXPIRED, d("0.004"), d("50000.1"))


@pytest.mark.parametrize(
    "change",
    [
        {"orderId": None}, {"orderId": 0}, {"orderId": "x"}, {"status": "ODD"}, {"status": None}, {"clientOrderId": ""},
        {"executedQty": "NaN"}, {"executedQty": None}, {"avgPrice": "0"}, {"avgPrice": "Infinity"}, {"symbol": None},
    ],
    ids=str,
)  # fmt: skip
def test_an_order_with_a_strange_field_is_no_report(change: dict[str, Any]) -> None:
    with pytest.raises(StrangeAnswerError):
        order_report({**ORDER, **change}, RULES)


@pytest.mark.parametrize("name", ["orderId", "status", "clientOrderId", "executedQty", "avgPrice", "symbol"])
def test_an_order_that_lacks_a_field_is_no_report(name: str) -> None:
    with pytest.raises(StrangeAnswerError, match=name):
        order_report({key: value for key, value in ORDER.items() if key != name}, RULES)


@pytest.mark.parametrize("answer", [None, [], {}, "x", 1, [ORDER]])
def test_what_is_no_order_is_no_report(answer: Any) -> None:
    with pytest.raises(StrangeAnswerError):
        order_report(answer, RULES)


# ── stops ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_conditional_order_is_live() -> None:
    report = stop_report(ALGO, RULES)
    assert (report.client_id, report.live, str(report.trigger_price), str(report.quantity)) == (
        STOP,
        True,
        "49000.0",
        "0.010",
    )


@pytest.mark.parametrize("status", ["TRIGGERING", "TRIGGERED", "FINISHED"])
def test_one_that_acted_is_triggered_and_not_live(status: str) -> None:
    report = stop_report({**ALGO, "algoStatus": status}, RULES)
    assert (report.live, report.reason, report.trigger_price) == (False, "triggered", None)


@pytest.mark.parametrize(
    ("status", "word"), [("CANCELED", "cancelled"), ("EXPIRED", "expired"), ("REJECTED", "rejected")]
)
def test_one_that_ended_otherwise_is_not_called_triggered(status: str, word: str) -> None:
    report = stop_report({**ALGO, "algoStatus": status}, RULES)
    assert (report.live, report.reason) == (False, word)


def test_the_venue_s_own_words_for_an_end_are_kept() -> None:
    report = translate.stop_state(
        client_id=STOP,
        symbol=SYMBOL,
        status="REJECTED",
        trigger=None,
        quantity=None,
        why="Reduce Only reject",
        rules=None,
    )
    assert report.reason == "rejected: Reduce Only reject"


@pytest.mark.parametrize(
    "change",
    [{"algoId": None}, {"algoStatus": "ODD"}, {"triggerPrice": "0"}, {"clientAlgoId": ""}, {"quantity": "x"}],
    ids=str,
)
def test_a_strange_conditional_order_is_no_report(change: dict[str, Any]) -> None:
    with pytest.raises(StrangeAnswerError):
        stop_report({**ALGO, **change}, RULES)


# ── executions, positions, money ────────────────────────────────────────────────────────────────────────────


def told(row: dict[str, Any], skew_ms: int = 0) -> Any:
    return fill(row, client_id=ENTRY, cause="order", taker_fee=Percent(d("0.05")), skew_ms=skew_ms, rules=RULES)


def test_an_execution_is_told_in_our_time() -> None:
    assert told(TRADE).time_ns == 1569514978020 * 1_000_000
    assert told(TRADE, skew_ms=20).time_ns == 1569514978000 * 1_000_000
    assert (told(TRADE).side, told(TRADE).fee_usd, told(TRADE).id) == (OrderSide.BUY, d("0.25"), "698759")


@pytest.mark.parametrize(
    "change", [{"side": "LEFT"}, {"time": "x"}, {"time": True}, {"qty": None}, {"id": None}], ids=str
)
def test_a_strange_execution_is_none(change: dict[str, Any]) -> None:
    with pytest.raises(StrangeAnswerError):
        told({**TRADE, **change})


@pytest.mark.parametrize(
    ("fee", "coin", "usd"),
    [
        ("0.25", "USDT", "0.25"),
        ("-0.1", "USDC", "-0.1"),
        ("0.0004", "BNB", "0.5"),
        ("0", "BNB", "0"),
        (None, None, "0"),
    ],
)
def test_a_fee_in_dollars_counts_as_it_is_and_any_other_by_the_notional(fee: Any, coin: Any, usd: str) -> None:
    row = {"n": fee, "N": coin}
    assert fee_usd(row, "n", "N", d(1000), Percent(d("0.05"))) == d(usd)


@pytest.mark.parametrize(
    ("client_id", "cause"),
    [
        (ENTRY, "order"),
        ("web_x", "order"),
        ("autoclose-1", "liquidation"),
        ("adl_autoclose", "adl"),
        ("settlement_autoclose-2", "settlement"),
    ],
)
def test_the_venue_s_own_orders_are_known_by_their_client_ids(client_id: str, cause: str) -> None:
    assert cause_of(client_id, of_a_stop=False) == cause


def test_an_order_of_a_stop_is_a_stop_s() -> None:
    assert cause_of(STOP, of_a_stop=True) == "stop"


def test_a_flat_row_is_no_position_and_a_short_one_is_negative() -> None:
    row = {"symbol": SYMBOL, "positionSide": "BOTH", "positionAmt": "-0.010", "entryPrice": "50000.1"}
    held = position(row, {SYMBOL: RULES})
    assert held is not None
    assert (held.quantity, held.entry_price, held.stop_price) == (d("-0.010"), d("50000.1"), None)
    assert position({**row, "positionAmt": "0.000"}, {}) is None


def test_a_position_in_hedge_mode_is_an_error_not_half_of_the_truth() -> None:
    row = {"symbol": SYMBOL, "positionSide": "LONG", "positionAmt": "0.010", "entryPrice": "50000.1"}
    with pytest.raises(StrangeAnswerError, match="hedge mode"):
        position(row, {})


def test_money_is_that_of_usdt_or_of_all_assets() -> None:
    account = {
        "totalMarginBalance": "150", "availableBalance": "140",
        "assets": [{"asset": "BNB"}, {"asset": "USDT", "marginBalance": "100", "availableBalance": "90"}],
    }  # fmt: skip
    one, every = balance(account, 10, multi_assets=False), balance(account, 10, multi_assets=True)
    assert (one.equity_usd, one.available_usd, one.leverage) == (d(100), d(90), d(10))
    assert (every.equity_usd, every.available_usd) == (d(150), d(140))


@pytest.mark.parametrize("account", [{}, {"assets": []}, {"assets": [{"asset": "USDT"}]}, [], None], ids=str)
def test_money_that_is_not_told_is_not_zero(account: Any) -> None:
    with pytest.raises(StrangeAnswerError):
        balance(account, 10, multi_assets=False)
