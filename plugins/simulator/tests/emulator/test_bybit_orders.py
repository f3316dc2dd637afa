"""Bybit's orders on the wire, under virtual time: ids, life-cycles, refusals, queries."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from framework import OrderStatus

from .virtual import ME, Virtual

CREATE, REALTIME, HISTORY = "/v5/order/create", "/v5/order/realtime", "/v5/order/history"
HERE = {"category": "linear", "symbol": "BTCUSDT"}
LIMIT = {**HERE, "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "49000"}
STOP = {**HERE, "side": "Sell", "orderType": "Market", "qty": "0.01", "triggerPrice": "48000", "triggerDirection": 2}


def rows(v: Virtual, path: str = REALTIME, **query: object) -> list[dict[str, Any]]:
    answer = v.bybit("GET", path, **{**HERE, **query})
    assert answer["retCode"] == 0, answer
    listed: list[dict[str, Any]] = answer["result"]["list"]
    return listed


def one(v: Virtual, order_id: str) -> dict[str, Any]:
    (row,) = rows(v, orderId=order_id)
    return row


def placed(v: Virtual, **body: object) -> str:
    answer = v.bybit("POST", CREATE, **body)
    assert answer["retCode"] == 0, answer
    return str(answer["result"]["orderId"])


def test_every_answer_comes_in_the_envelope_with_status_200_and_the_venues_time() -> None:
    v = Virtual.start()
    answer = v.bybit("POST", "/v5/order/cancel", **HERE, orderId="nothing")
    assert (answer["retCode"], answer["retMsg"]) == (110001, "order not exists or too late to cancel")
    assert set(answer) == {"retCode", "retMsg", "result", "retExtInfo", "time"}
    assert answer["time"] == v.world.told_ms("bybit")
    assert v.answers[-1].status == 200
    assert v.lines("response")[-1]["code"] == 110001


def test_an_order_without_a_client_id_is_told_without_one_and_several_can_be_open() -> None:
    v = Virtual.start()
    ids = {placed(v, **LIMIT), placed(v, **LIMIT)}
    assert len(ids) == 2
    assert [row["orderLinkId"] for row in rows(v)] == ["", ""]
    v.bybit_order(quantity="0.01")
    assert rows(v, "/v5/execution/list")[0]["orderLinkId"] == ""


def test_the_newest_order_is_listed_first_and_pages_follow_the_cursor() -> None:
    v = Virtual.start()
    for number in range(5):
        placed(v, **LIMIT, orderLinkId=f"o{number}")
        v.wait_ms(1000)
    first = v.bybit("GET", REALTIME, **HERE, limit=2)["result"]
    second = v.bybit("GET", REALTIME, **HERE, limit=2, cursor=first["nextPageCursor"])["result"]
    third = v.bybit("GET", REALTIME, **HERE, limit=2, cursor=second["nextPageCursor"])["result"]
    seen = [row["orderLinkId"] for page in (first, second, third) for row in page["list"]]
    assert seen == ["o4", "o3", "o2", "o1", "o0"]
    assert third["nextPageCursor"] == ""


def test_open_orders_leave_out_what_has_ended_unless_it_is_asked_for_by_id_or_with_open_only() -> None:
    v = Virtual.start()
    order_id = placed(v, **LIMIT, orderLinkId="gone")
    v.bybit("POST", "/v5/order/cancel", **HERE, orderLinkId="gone")
    assert rows(v) == []
    assert one(v, order_id)["orderStatus"] == "Cancelled"
    assert rows(v, orderLinkId="gone")[0]["orderId"] == order_id
    assert [row["orderId"] for row in rows(v, openOnly=1)] == [order_id]
    assert [row["orderId"] for row in rows(v, HISTORY)] == [order_id]
    assert rows(v, HISTORY, orderStatus="Filled") == []


def test_a_conditional_order_goes_on_as_an_order_under_the_same_id() -> None:
    v = Virtual.start()
    v.bybit_order()
    stop_id = placed(v, **STOP, orderLinkId="guard", reduceOnly=True)
    waiting = one(v, stop_id)
    assert (waiting["orderStatus"], waiting["stopOrderType"]) == ("Untriggered", "Stop")
    assert (waiting["triggerDirection"], waiting["triggerBy"]) == (2, "LastPrice")
    v.price("bybit", "47990")
    done = one(v, stop_id)
    assert (done["orderStatus"], done["createType"], done["orderLinkId"]) == ("Filled", "CreateByStopOrder", "guard")
    assert float(v.held("bybit")) == 0
    assert [row["orderId"] for row in rows(v, HISTORY)].count(stop_id) == 1


def test_a_conditional_order_looks_at_the_mark_price_if_it_is_told_to() -> None:
    v = Virtual.start()
    v.bybit_order()
    stop_id = placed(v, **STOP, triggerBy="MarkPrice")
    v.price("bybit", "47000", mark="48500", last="47000")
    assert one(v, stop_id)["orderStatus"] == "Untriggered"
    v.price("bybit", "47000", mark="47900", last="47000")
    assert one(v, stop_id)["orderStatus"] == "Filled"


def test_a_cancelled_conditional_order_ends_as_deactivated() -> None:
    v = Virtual.start()
    stop_id = placed(v, **STOP)
    v.bybit("POST", "/v5/order/cancel", **HERE, orderId=stop_id)
    assert (one(v, stop_id)["orderStatus"], one(v, stop_id)["cancelType"]) == ("Deactivated", "CancelByUser")


def test_a_conditional_order_can_be_amended_by_its_id() -> None:
    v = Virtual.start()
    stop_id = placed(v, **STOP)
    v.bybit("POST", "/v5/order/amend", **HERE, orderId=stop_id, triggerPrice="47500", qty="0.02")
    assert (one(v, stop_id)["triggerPrice"], one(v, stop_id)["qty"]) == ("47500", "0.02")


def test_no_more_than_ten_conditional_orders_wait_in_a_market() -> None:
    v = Virtual.start()
    for _ in range(10):
        placed(v, **STOP)
    assert v.bybit("POST", CREATE, **STOP)["retCode"] in (110009, 10006)
    v.wait_ms(1000)
    assert v.bybit("POST", CREATE, **STOP)["retCode"] == 110009


@pytest.mark.parametrize(
    ("time", "status", "reason"),
    [("IOC", "Cancelled", "EC_NoImmediateQtyToFill"), ("FOK", "Cancelled", "EC_CancelForNoFullFill")],
)
def test_a_limit_order_that_must_fill_at_once_and_cannot_is_cancelled(time: str, status: str, reason: str) -> None:
    v = Virtual.start()
    row = one(v, placed(v, **LIMIT, timeInForce=time))
    assert (row["orderStatus"], row["rejectReason"], row["cumExecQty"]) == (status, reason, "0")


def test_a_post_only_order_that_would_take_is_accepted_and_then_cancelled() -> None:
    v = Virtual.start()
    row = one(v, placed(v, **{**LIMIT, "price": "50100"}, timeInForce="PostOnly"))
    assert (row["orderStatus"], row["rejectReason"]) == ("Cancelled", "EC_PostOnlyWillTakeLiquidity")


def test_a_quantity_of_0_with_reduce_only_and_close_on_trigger_closes_the_whole_position() -> None:
    v = Virtual.start()
    v.bybit_order(quantity="0.03")
    close = {**HERE, "side": "Sell", "orderType": "Market", "qty": "0", "reduceOnly": True, "closeOnTrigger": True}
    row = one(v, placed(v, **close))
    assert (row["qty"], row["closeOnTrigger"], row["reduceOnly"]) == ("0.03", True, True)
    assert v.bybit("POST", CREATE, **close)["retCode"] == 110017


def test_an_order_that_reduces_only_is_exempt_from_the_least_notional() -> None:
    v = Virtual.start()
    v.price("bybit", "0.5", "0.5001", symbol="ADAUSDT")
    order = {"category": "linear", "symbol": "ADAUSDT", "orderType": "Market"}
    placed(v, **order, side="Buy", qty="20")
    assert v.bybit("POST", CREATE, **order, side="Sell", qty="1")["retCode"] == 110094
    placed(v, **order, side="Sell", qty="1", reduceOnly=True)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"side": "buy"}, "Side invalid"),
        ({"orderType": "Stop"}, "orderType"),
        ({"qty": None}, "qty"),
        ({"qty": "0.0105"}, "Qty invalid"),
        ({"qty": "abc"}, "qty"),
        ({"price": None}, "price"),
        ({"symbol": "NOPEUSDT"}, "Symbol Invalid"),
        ({"category": "spot"}, "category"),
        ({"category": None}, "category"),
        ({"positionIdx": 2}, "position idx not match position mode"),
        ({"positionIdx": 7}, "positionIdx"),
        ({"qty": "100000"}, "too large"),
        ({"stopLoss": {"triggerPrice": "45000"}}, "stopLoss"),
        ({"stopLoss": "45000", "reduceOnly": True}, "reduce-only"),
        ({"stopLoss": "45000", "slOrderType": "Limit", "slLimitPrice": "44000"}, "Full mode"),
        ({"triggerPrice": "48000"}, "triggerDirection"),
        ({"orderLinkId": "with space"}, "client id"),
    ],
)
def test_a_malformed_order_is_refused_as_a_parameter_error_that_names_it(change: dict[str, Any], text: str) -> None:
    v = Virtual.start()
    answer = v.bybit("POST", CREATE, **{**LIMIT, **change})
    assert answer["retCode"] == 10001
    assert text in answer["retMsg"]
    assert rows(v) == []


def test_amending_an_order_to_what_it_is_and_changing_its_stops_is_refused() -> None:
    v = Virtual.start()
    order_id = placed(v, **LIMIT)
    assert v.bybit("POST", "/v5/order/amend", **HERE, orderId=order_id, price="49000")["retCode"] == 10001
    assert v.bybit("POST", "/v5/order/amend", **HERE, orderId=order_id, stopLoss="45000")["retCode"] == 10001
    assert v.bybit("POST", "/v5/order/amend", **HERE, orderId="no", price="1")["retMsg"].endswith("too late to replace")


def test_a_fresh_order_is_unknown_to_queries_while_reads_lag_but_can_be_cancelled() -> None:
    v = Virtual.start()
    v.world.settings.read_lag_ns = 500_000_000
    order_id = placed(v, **LIMIT)
    assert rows(v, orderId=order_id) == []
    assert v.bybit("POST", "/v5/order/cancel", **HERE, orderId=order_id)["retCode"] == 0
    v.wait_ms(500)
    assert one(v, order_id)["orderStatus"] == "Cancelled"


def test_an_order_may_be_rejected_after_it_was_accepted() -> None:
    v = Virtual.start()
    order_id = placed(v, **LIMIT)
    reject = ("BTCUSDT", order_id, OrderStatus.REJECTED, "EC_Others")
    v.world.act("bybit", lambda venue, now_ns: venue.end_order(ME, *reject, now_ns))
    row = one(v, order_id)
    assert (row["orderStatus"], row["rejectReason"], row["leavesQty"]) == ("Rejected", "EC_Others", "0")


def test_executions_are_filtered_by_kind_order_and_time() -> None:
    v = Virtual.start()
    order_id = v.bybit_order()["result"]["orderId"]
    v.world.act("bybit", lambda venue, now_ns: venue.liquidate(ME, "BTCUSDT", now_ns))
    path = "/v5/execution/list"
    assert [row["execType"] for row in rows(v, path)] == ["BustTrade", "Trade"]
    assert [row["orderId"] for row in rows(v, path, execType="Trade")] == [order_id]
    assert len(rows(v, path, orderId=order_id)) == 1
    assert rows(v, path, startTime=v.world.told_ms("bybit") + 1) == []
    assert v.bybit("GET", path, **HERE, execType="None")["retCode"] == 10001
    liquidation = rows(v, HISTORY)[0]
    assert (liquidation["createType"], liquidation["orderLinkId"]) == ("CreateByLiq", "")


def test_a_liquidation_cancels_what_was_open_first() -> None:
    v = Virtual.start()
    v.bybit_order()
    order_id = placed(v, **LIMIT)
    v.world.act("bybit", lambda venue, now_ns: venue.liquidate(ME, "BTCUSDT", now_ns))
    assert one(v, order_id)["cancelType"] == "CancelByPrepareLiq"


def test_the_margin_of_an_order_must_be_there() -> None:
    v = Virtual.start()
    answer = v.bybit_order(quantity="2.1")
    assert (answer["retCode"], answer["retMsg"]) == (110007, "ab not enough for new order")


def test_batches_take_twenty_orders_and_no_more() -> None:
    v = Virtual.start()
    order = {name: value for name, value in LIMIT.items() if name != "category"}
    answer = v.bybit("POST", "/v5/order/create-batch", category="linear", request=[order] * 20)
    assert len(answer["result"]["list"]) == len(rows(v, limit=50)) == 20
    answer = v.bybit("POST", "/v5/order/create-batch", category="linear", request=[order] * 21)
    assert answer["retCode"] == 10001


@pytest.mark.parametrize(("side", "limit"), [("Buy", "52500"), ("Sell", "47500")])
def test_a_market_order_is_told_with_the_limit_price_that_protects_it(side: str, limit: str) -> None:
    v = Virtual.start()
    order_id = v.bybit_order(side=side)["result"]["orderId"]
    row = one(v, order_id)
    assert (row["price"], row["orderType"], row["timeInForce"]) == (limit, "Market", "IOC")
    assert row["lastPriceOnCreated"] == "50000"


def test_rules_that_change_show_in_the_instruments_at_once() -> None:
    v = Virtual.start()
    market = v.world.markets("bybit")["BTCUSDT"]
    path = "/v5/market/instruments-info"
    before = rows(v, path)[0]
    changed = evolve(market, rules=evolve(market.rules, tick_size=Decimal("0.5"), min_notional=Decimal(7)))
    v.world.venues["bybit"].change_market(changed)
    after = rows(v, path)[0]
    assert (before["priceFilter"]["tickSize"], after["priceFilter"]["tickSize"]) == ("0.10", "0.5")
    assert after["lotSizeFilter"] == {**before["lotSizeFilter"], "minNotionalValue": "7"}
