"""Binance's wire without sockets: signatures, time, limits, listen keys, streams, faults. Time is virtual."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from framework_simulator.emulator.binance.auth import sign
from framework_simulator.emulator.build import DEFAULT_KEY
from framework_simulator.emulator.world import KeyInfo

from .binance_kit import MS, SYMBOL, Desk, d

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
    body = f"quantity=5&timestamp={desk.world.told_ms()}"
    signed = f"{body}&signature={sign(DEFAULT_KEY.secret, query + body).upper()}".encode()
    answer = json.loads(desk.raw("POST", "/fapi/v1/order", query, signed, **KEY).body)
    assert answer["origQty"] == "0.01"


def test_the_signature_is_made_over_the_text_as_it_was_sent(desk: Desk) -> None:
    text = f"symbol=%42TCUSDT&timestamp={desk.world.told_ms()}"
    query = f"{text}&signature={sign(DEFAULT_KEY.secret, text)}"
    assert desk.raw("GET", "/fapi/v1/openOrders", query, **KEY).status == 200
    assert desk.raw("GET", "/fapi/v1/openOrders", query.replace("%42", "B"), **KEY).status == 400


@pytest.mark.parametrize(
    ("offset_ms", "window", "code"),
    [(0, None, None), (-5000, None, None), (-5001, None, -1021), (999, None, None), (1000, None, -1021),
     (-5001, 6000, None), (0, 60001, -1131), (0, 0, -1131)],
)  # fmt: skip
def test_a_request_is_taken_within_its_window(desk: Desk, offset_ms: int, window: int | None, code: int | None) -> None:
    params = {"timestamp": desk.world.told_ms() + offset_ms, **({} if window is None else {"recvWindow": window})}
    text = urlencode(params)
    response = desk.raw("GET", "/fapi/v3/account", f"{text}&signature={sign(DEFAULT_KEY.secret, text)}", **KEY)
    assert json.loads(response.body).get("code") == code


def test_a_key_is_asked_for_before_anything_else(desk: Desk) -> None:
    response = desk.raw("GET", "/fapi/v3/account")
    assert (response.status, json.loads(response.body)["code"]) == (401, -2014)
    assert desk.raw("GET", "/fapi/v1/time").status == 200


def test_a_key_that_may_only_read_places_no_order(desk: Desk) -> None:
    desk.world.keys["reader"] = KeyInfo("reader", "s", DEFAULT_KEY.account, frozenset({"read"}))
    text = urlencode(
        {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": "1", "timestamp": desk.world.told_ms()}
    )
    query = f"{text}&signature={sign('s', text)}"
    assert json.loads(desk.raw("POST", "/fapi/v1/order", query, **{"x-mbx-apikey": "reader"}).body)["code"] == -2015
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
    late = desk.world.told_ms() + 700_000
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


# ── user streams ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_listen_key_is_the_same_until_it_expires(desk: Desk) -> None:
    def start() -> str:
        return str(json.loads(desk.raw("POST", "/fapi/v1/listenKey", **KEY).body)["listenKey"])

    first = start()
    desk.wait(59 * MINUTE_MS)
    assert start() == first
    desk.wait(59 * MINUTE_MS)
    assert json.loads(desk.raw("PUT", "/fapi/v1/listenKey", **KEY).body)["listenKey"] == first
    desk.wait(60 * MINUTE_MS)
    assert json.loads(desk.raw("PUT", "/fapi/v1/listenKey", **KEY).body)["code"] == -1125
    assert start() != first


def test_a_socket_hears_only_the_kinds_that_it_named(desk: Desk) -> None:
    everything = desk.listen()
    key = json.loads(desk.raw("POST", "/fapi/v1/listenKey", **KEY).body)["listenKey"]
    some, _ = desk.connect("/private/stream", f"listenKey={key}&events=ORDER_TRADE_UPDATE")
    desk.order("BUY", "0.01")
    assert [one["data"]["e"] for one in some.frames] == ["ORDER_TRADE_UPDATE"] * 2
    assert {one["stream"] for one in some.frames} == {key}
    kinds = [one["e"] for one in everything.frames]
    assert kinds == ["ORDER_TRADE_UPDATE", "TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]


def test_order_and_account_events_can_be_turned_around(desk: Desk) -> None:
    tap = desk.listen()
    desk.world.settings.reverse_events = True
    desk.order("BUY", "0.01")
    assert [one["e"] for one in tap.frames[2:]] == ["ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"]


def test_every_part_of_a_fill_is_told_with_the_cash_that_it_left(desk: Desk) -> None:
    tap = desk.listen()
    desk.order("BUY", "0.01")
    desk.order("SELL", "0.03")
    updates = tap.events("ACCOUNT_UPDATE")
    assert [one["a"]["P"][0]["pa"] for one in updates] == ["0.01", "0", "-0.02"]
    cash = desk.call("GET", "/fapi/v3/account")["totalWalletBalance"]
    assert updates[-1]["a"]["B"][0]["wb"] == cash
    trades = [one["o"]["t"] for one in tap.events("ORDER_TRADE_UPDATE") if one["o"]["x"] == "TRADE"]
    assert trades == [row["id"] for row in desk.call("GET", "/fapi/v1/userTrades", symbol=SYMBOL)]


def test_amending_cancelling_and_running_out_of_depth_are_told(desk: Desk) -> None:
    tap = desk.listen()
    order = desk.order("BUY", "0.01", "49000")
    wish = {"symbol": SYMBOL, "side": "BUY", "orderId": order["orderId"], "quantity": "0.02", "price": "49000"}
    desk.call("PUT", "/fapi/v1/order", **wish)
    assert desk.call("PUT", "/fapi/v1/order", **wish)["code"] == -5027
    desk.call("DELETE", "/fapi/v1/order", symbol=SYMBOL, orderId=order["orderId"])
    desk.world.price("binance", SYMBOL, d(50000), d(50001), ask_quantity=d("0.004"))
    desk.order("BUY", "0.01")
    told = [(one["o"]["x"], one["o"]["X"], one["o"]["er"]) for one in tap.events("ORDER_TRADE_UPDATE")]
    assert told == [
        ("NEW", "NEW", "0"),
        ("AMENDMENT", "NEW", "0"),
        ("CANCELED", "CANCELED", "0"),
        ("NEW", "NEW", "0"),
        ("TRADE", "PARTIALLY_FILLED", "0"),
        ("EXPIRED", "EXPIRED", "9"),
    ]


def test_a_liquidation_is_told_to_the_account_and_to_everybody(desk: Desk) -> None:
    tap = desk.listen()
    public, _ = desk.connect("/market/ws/btcusdt@forceOrder/!forceOrder@arr")
    desk.order("BUY", "3")
    desk.price(46980)
    assert len(tap.events("MARGIN_CALL")) == 1
    desk.price(46000)
    forced = tap.events("ORDER_TRADE_UPDATE")[-1]["o"]
    assert (forced["x"], forced["X"], forced["o"], forced["f"]) == ("CALCULATED", "FILLED", "LIMIT", "IOC")
    assert forced["c"].startswith("autoclose-")
    assert len(public.events("forceOrder")) == 2
    assert len(desk.call("GET", "/fapi/v1/forceOrders")) == 1


def test_funding_moves_the_balance_and_tells_the_position_only_where_it_is_isolated(desk: Desk) -> None:
    tap = desk.listen()
    desk.order("BUY", "0.01")
    desk.world.act("binance", lambda venue, now: venue.settle_funding(SYMBOL, d("0.001"), now))
    told = tap.events("ACCOUNT_UPDATE")[-1]["a"]
    assert (told["m"], told["P"], told["B"][0]["bc"]) == ("FUNDING_FEE", [], "-0.5000005")


# ── market streams ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_frames_are_answered_with_the_id_as_it_was_sent(desk: Desk) -> None:
    tap, socket = desk.connect("/market/ws/0")
    for number in (7, "an-uuid"):
        socket.receive(json.dumps({"method": "SUBSCRIBE", "params": ["btcusdt@aggTrade"], "id": number}))
    socket.receive(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": 3}))
    desk.wait(50)
    assert tap.frames == [
        {"result": None, "id": 7},
        {"result": None, "id": "an-uuid"},
        {"result": ["btcusdt@aggTrade"], "id": 3},
    ]


def test_combined_streams_are_wrapped_and_raw_ones_are_not(desk: Desk) -> None:
    raw, _ = desk.connect("/public/ws/btcusdt@bookTicker")
    wrapped, _ = desk.connect("/public/stream", "streams=btcusdt@bookTicker/ethusdt@bookTicker")
    desk.price(50100)
    assert raw.frames[-1]["b"] == "50100"
    assert wrapped.frames[-1] == {"stream": "btcusdt@bookTicker", "data": raw.frames[-1]}


def test_the_undivided_roots_take_connections_and_say_nothing(desk: Desk) -> None:
    for path, query in (("/ws/btcusdt@bookTicker", ""), ("/stream", "streams=btcusdt@bookTicker")):
        tap, _ = desk.connect(path, query)
        desk.price(50100)
        assert tap.frames == []


def test_streams_keep_their_rhythm(desk: Desk) -> None:
    tap, _ = desk.connect("/market/ws/btcusdt@miniTicker/btcusdt@markPrice@1s")
    tap.frames.clear()
    for n in range(40):
        desk.price(50000 + n)
        desk.wait(100)
    assert len(tap.events("24hrMiniTicker")) == 3
    assert len(tap.events("markPriceUpdate")) == 4


def test_depth_events_join_without_a_gap_and_lead_to_the_book(desk: Desk) -> None:
    tap, _ = desk.connect("/public/ws/btcusdt@depth@100ms")
    snapshot = desk.call("GET", "/fapi/v1/depth", symbol=SYMBOL, limit=1000)
    for bid in (50000.1, 50003, 49990, 51000):
        desk.price(str(bid))
        desk.wait(100)
    bids = dict(snapshot["bids"])
    last = None
    for event in tap.events("depthUpdate"):
        assert event["U"] <= event["u"]
        assert last is None or event["pu"] == last
        last = event["u"]
        for at, quantity in event["b"]:
            bids.pop(at, None) if quantity == "0" else bids.update({at: quantity})
    assert bids == dict(desk.call("GET", "/fapi/v1/depth", symbol=SYMBOL, limit=1000)["bids"])


def test_a_candle_is_told_closed_once_and_on_time(desk: Desk) -> None:
    tap, _ = desk.connect("/market/ws/btcusdt@kline_1m")
    desk.price(50500)
    desk.wait(3 * MINUTE_MS)
    desk.price(50600)
    closed = [one["k"] for one in tap.events("kline") if one["k"]["x"]]
    assert [(one["o"], one["c"], one["h"]) for one in closed] == [("50000", "50500", "50500")]
    assert tap.events("kline")[-1]["k"]["o"] == "50600"


def test_a_connection_ends_after_a_day_and_is_pinged_every_three_minutes(desk: Desk) -> None:
    tap, _ = desk.connect("/market/ws/0")
    desk.wait(9 * MINUTE_MS)
    assert tap.pings == 3
    desk.wait(24 * 60 * MINUTE_MS)
    assert tap.closed_with == 1001


def test_more_than_ten_frames_a_second_end_the_connection(desk: Desk) -> None:
    tap, socket = desk.connect("/market/ws/0")
    for number in range(11):
        socket.receive(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": number}))
    assert tap.closed_with == 1008


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
