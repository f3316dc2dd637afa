"""Binance's wire without sockets: signatures, time, limits, listen keys, streams, faults. Time is virtual."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from framework_simulator.emulator.binance.auth import sign
from framework_simulator.emulator.build import DEFAULT_KEY
from framework_simulator.emulator.world import KeyInfo

from .binance_kit import MS, SYMBOL, Desk

KEY = {"x-mbx-apikey": DEFAULT_KEY.key}
MINUTE_MS = 60_000


@pytest.fixture
def desk() -> Any:
    desk = Desk()
    yield desk
    assert [one.trace for one in desk.world.defects] == []


# ── who asks, and when ──────────────────────────────────────────────────────────────────────────────────────────────


def test_query_and_body_are_signed_as_one_text_and_the_query_wins(desk: Desk) -> None:
    query = f"symbol={SYMBOL}&side=BUY&type=MARKET&quantity=0.01"
    body = f"quantity=5&timestamp={desk.world.told_ms('binance')}"
    signed = f"{body}&signature={sign(DEFAULT_KEY.secret, query + body).upper()}".encode()
    answer = json.loads(desk.raw("POST", "/fapi/v1/order", query, signed, headers=KEY).body)
    assert answer["origQty"] == "0.01"


def test_the_signature_is_made_over_the_text_as_it_was_sent(desk: Desk) -> None:
    text = f"symbol=%42TCUSDT&timestamp={desk.world.told_ms('binance')}"
    query = f"{text}&signature={sign(DEFAULT_KEY.secret, text)}"
    assert desk.raw("GET", "/fapi/v1/openOrders", query, headers=KEY).status == 200
    assert desk.raw("GET", "/fapi/v1/openOrders", query.replace("%42", "B"), headers=KEY).status == 400


@pytest.mark.parametrize(
    ("offset_ms", "window", "code"),
    [(0, None, None), (-5000, None, None), (-5001, None, -1021), (999, None, None), (1000, None, -1021),
     (-5001, 6000, None), (0, 60001, -1131), (0, 0, -1131)],
)  # fmt: skip
def test_a_request_is_taken_within_its_window(desk: Desk, offset_ms: int, window: int | None, code: int | None) -> None:
    params = {
        "timestamp": desk.world.told_ms("binance") + offset_ms,
        **({} if window is None else {"recvWindow": window}),
    }
    text = urlencode(params)
    response = desk.raw("GET", "/fapi/v3/account", f"{text}&signature={sign(DEFAULT_KEY.secret, text)}", headers=KEY)
    assert json.loads(response.body).get("code") == code


def test_a_key_is_asked_for_before_anything_else(desk: Desk) -> None:
    response = desk.raw("GET", "/fapi/v3/account")
    assert (response.status, json.loads(response.body)["code"]) == (401, -2014)
    assert desk.raw("GET", "/fapi/v1/time").status == 200


def test_a_key_that_may_only_read_places_no_order(desk: Desk) -> None:
    desk.world.keys["reader"] = KeyInfo("reader", "s", DEFAULT_KEY.account, frozenset({"read"}))
    text = urlencode(
        {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": "1", "timestamp": desk.world.told_ms("binance")}
    )
    query = f"{text}&signature={sign('s', text)}"
    assert (
        json.loads(desk.raw("POST", "/fapi/v1/order", query, headers={"x-mbx-apikey": "reader"}).body)["code"] == -2015
    )
    assert desk.call("GET", "/sapi/v1/account/apiRestrictions")["enableWithdrawals"] is False


def test_an_unknown_route_is_a_404_in_the_venues_words(desk: Desk) -> None:
    response = desk.raw("GET", "/fapi/v9/nothing")
    assert (response.status, json.loads(response.body)["code"]) == (404, -5000)


# ── limits ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_goes_on_after_429_is_banned_for_longer_each_time(desk: Desk) -> None:
    def hammer() -> Any:
        response = None
        for _ in range(200):
            response = desk.raw("GET", "/fapi/v1/ticker/24hr", "")
        return response

    first = hammer()
    assert (first.status, json.loads(first.body)["code"], first.headers["Retry-After"]) == (418, -1003, "120")
    assert desk.call("GET", "/fapi/v1/time")["status"] == 418
    desk.wait(120_000)
    assert "status" not in desk.call("GET", "/fapi/v1/time")
    assert hammer().headers["Retry-After"] == "480"


def test_new_orders_are_counted_for_ten_seconds_and_a_minute(desk: Desk) -> None:
    for _ in range(300):
        desk.order("BUY", "0.01", "30000")
    refused = desk.response("POST", "/fapi/v1/order", symbol=SYMBOL, side="BUY", type="MARKET", quantity="0.01")
    assert (refused.status, json.loads(refused.body)["code"]) == (429, -1015)
    desk.wait(10_000)
    fine = desk.response("POST", "/fapi/v1/order", symbol=SYMBOL, side="BUY", type="MARKET", quantity="0.01")
    assert (fine.status, fine.headers["X-MBX-ORDER-COUNT-10S"]) == (200, "1")


def test_limits_can_be_switched_off(desk: Desk) -> None:
    desk.world.settings.rate_limits = False
    assert {desk.raw("GET", "/fapi/v1/ticker/24hr").status for _ in range(200)} == {200}


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_acknowledgement_shows_an_order_before_it_met_the_book(desk: Desk) -> None:
    order = desk.order("BUY", "0.01", newOrderRespType="ACK")
    assert (order["status"], order["executedQty"]) == ("NEW", "0")
    assert desk.call("GET", "/fapi/v1/order", symbol=SYMBOL, orderId=order["orderId"])["status"] == "FILLED"


def test_every_conditional_type_is_refused_on_the_plain_route_and_in_batches(desk: Desk) -> None:
    for kind in ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"):
        assert desk.order("SELL", "0.01", type=kind)["code"] == -4120
    batch = json.dumps([{"symbol": SYMBOL, "side": "SELL", "type": "STOP_MARKET", "quantity": "0.01"}])
    assert desk.call("POST", "/fapi/v1/batchOrders", batchOrders=batch)[0]["code"] == -4120


def test_a_batch_goes_on_after_an_order_that_is_refused(desk: Desk) -> None:
    good = {
        "symbol": SYMBOL,
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01",
        "price": "49000",
    }
    answers = desk.call("POST", "/fapi/v1/batchOrders", batchOrders=json.dumps([{**good, "side": "UP"}, good]))
    assert [one.get("code", one.get("status")) for one in answers] == [-1117, "NEW"]
    too_many = desk.call("POST", "/fapi/v1/batchOrders", batchOrders=json.dumps([good] * 6))
    assert too_many["code"] == -4082


def test_the_dead_mans_switch_cancels_plain_orders_and_leaves_stops(desk: Desk) -> None:
    desk.order("BUY", "0.01")
    desk.order("BUY", "0.01", "49000")
    desk.algo("SELL", "0.01", "48000", reduceOnly="true")
    desk.call("POST", "/fapi/v1/countdownCancelAll", symbol=SYMBOL, countdownTime=1000)
    desk.wait(999)
    assert len(desk.call("GET", "/fapi/v1/openOrders")) == 1
    desk.wait(1)
    assert desk.call("GET", "/fapi/v1/openOrders") == []
    assert len(desk.call("GET", "/fapi/v1/openAlgoOrders")) == 1


def test_an_order_good_till_a_date_expires_then(desk: Desk) -> None:
    late = desk.world.told_ms("binance") + 700_000
    order = desk.order("BUY", "0.01", "49000", timeInForce="GTD", goodTillDate=late)
    assert desk.order("BUY", "0.01", "49000", timeInForce="GTD", goodTillDate=late - 200_000)["code"] == -1130
    desk.wait(700_000)
    assert desk.call("GET", "/fapi/v1/order", symbol=SYMBOL, orderId=order["orderId"])["status"] == "EXPIRED"


def test_a_resting_full_size_reduce_only_order_crowds_out_another(desk: Desk) -> None:
    desk.order("BUY", "0.01")
    desk.order("SELL", "0.01", "51000", reduceOnly="true")
    assert desk.order("SELL", "0.01", reduceOnly="true")["code"] == -4118


def test_queries_trail_behind_while_cancels_do_not(desk: Desk) -> None:
    desk.world.settings.read_lag_ns = 500 * MS
    order = desk.order("BUY", "0.01", "49000")
    query = {"symbol": SYMBOL, "orderId": order["orderId"]}
    assert desk.call("GET", "/fapi/v1/order", **query)["code"] == -2013
    assert desk.call("DELETE", "/fapi/v1/order", **query)["status"] == "CANCELED"
    desk.wait(500)
    assert desk.call("GET", "/fapi/v1/order", **query)["status"] == "CANCELED"


def test_stops_trigger_by_the_price_that_they_name(desk: Desk) -> None:
    desk.order("BUY", "0.01")
    desk.algo("SELL", "0.01", "49000", workingType="MARK_PRICE", clientAlgoId="by-mark")
    desk.price(48000, mark=49500)
    assert desk.call("GET", "/fapi/v1/algoOrder", clientAlgoId="by-mark")["algoStatus"] == "NEW"
    desk.price(49500, mark=48999)
    desk.wait(12)
    assert desk.call("GET", "/fapi/v1/algoOrder", clientAlgoId="by-mark")["algoStatus"] == "FINISHED"


def test_a_gte_stop_with_a_quantity_goes_with_the_position(desk: Desk) -> None:
    assert desk.algo("SELL", "0.01", "49000", timeInForce="GTE_GTC")["code"] == -4509
    desk.order("BUY", "0.01")
    desk.wait(2000)
    stop = desk.algo("SELL", "0.01", "49000", timeInForce="GTE_GTC")
    assert stop["timeInForce"] == "GTE_GTC"
    desk.order("SELL", "0.01", reduceOnly="true")
    assert desk.call("GET", "/fapi/v1/algoOrder", algoId=stop["algoId"])["algoStatus"] == "EXPIRED"


# ── faults ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_can_be_replaced_after_the_order_was_carried_out(desk: Desk) -> None:
    faults = desk.world.faults
    faults.add(faults.parse([{"name": "backend-timeout", "path": "/fapi/v1/order", "method": "POST"}]))
    answer = desk.order("BUY", "0.01", newClientOrderId="lost")
    assert (answer["status"], answer["code"]) == (408, -1007)
    found = desk.call("GET", "/fapi/v1/order", symbol=SYMBOL, origClientOrderId="lost")
    assert found["status"] == "FILLED"


def test_events_can_be_lost_and_doubled(desk: Desk) -> None:
    tap = desk.listen()
    faults = desk.world.faults
    faults.add(faults.parse([{"name": "lose-event", "topic": "ACCOUNT_UPDATE"}]))
    faults.add(faults.parse([{"name": "duplicate-event", "topic": "ORDER_TRADE_UPDATE", "event": "FILLED"}]))
    desk.order("BUY", "0.01")
    kinds = [one["e"] for one in tap.frames]
    assert kinds == ["ORDER_TRADE_UPDATE", "TRADE_LITE", "ORDER_TRADE_UPDATE", "ORDER_TRADE_UPDATE"]


def test_listen_keys_can_die_on_an_open_socket(desk: Desk) -> None:
    tap = desk.listen()
    faults = desk.world.faults
    faults.add(faults.parse([{"name": "listen-keys-expire", "venue": "binance", "path": "/fapi/v1/time"}]))
    desk.call("GET", "/fapi/v1/time")
    assert [one["e"] for one in tap.frames] == ["listenKeyExpired"]
    desk.order("BUY", "0.01")
    assert len(tap.frames) == 1
    assert tap.closed_with is None
