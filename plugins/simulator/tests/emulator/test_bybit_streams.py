"""Bybit's WebSockets under virtual time: subscriptions, pings, deltas, private topics, the trading socket."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from framework_simulator.emulator.funding import settle

from .test_bybit_orders import HERE, LIMIT, rows
from .virtual import KEY, SECRET, Inbox, Virtual

WRONG = "wrong"
PUBLIC, PRIVATE, TRADE = "/v5/public/linear", "/v5/private", "/v5/trade"


def subscribed(v: Virtual, *topics: str) -> tuple[Any, Inbox]:
    socket, inbox = v.open(PUBLIC)
    socket.receive(json.dumps({"op": "subscribe", "req_id": 7, "args": list(topics)}))
    v.wait_ms(50)
    return socket, inbox


def auth_frame(v: Virtual, *, secret: str = SECRET, key: str = KEY, ahead_ms: int = 1000, text: bool = False) -> str:
    expires = v.world.told_ms("bybit") + ahead_ms
    sign = hmac.new(secret.encode(), f"GET/realtime{expires}".encode(), hashlib.sha256).hexdigest()
    return json.dumps({"op": "auth", "args": [key, str(expires) if text else expires, sign]})


def data(inbox: Inbox, topic: str) -> list[Any]:
    return [row for frame in inbox.frames if frame.get("topic") == topic for row in frame["data"]]


# ── what all have in common ─────────────────────────────────────────────────────────────────────────────────


def test_a_subscription_is_answered_after_a_while_and_before_its_first_snapshot_with_the_id_as_it_was_sent() -> None:
    v = Virtual.start()
    socket, inbox = v.open(PUBLIC)
    for req_id in (7, "a-uuid"):
        socket.receive(json.dumps({"op": "subscribe", "req_id": req_id, "args": [f"kline.{len(str(req_id))}.BTCUSDT"]}))
    v.wait_ms(49)
    assert inbox.frames == []
    v.wait_ms(1)
    answer = inbox.frames[0]
    assert (answer["success"], answer["ret_msg"], answer["req_id"], answer["op"]) == (True, "", 7, "subscribe")
    assert inbox.frames[1]["topic"] == "kline.1.BTCUSDT"
    refused = inbox.frames[2]
    assert (refused["success"], refused["req_id"]) == (False, "a-uuid")
    assert refused["ret_msg"] == "error:handler not found,topic:kline.6.BTCUSDT"


def test_a_topic_that_is_subscribed_already_is_refused_and_goes_on() -> None:
    v = Virtual.start()
    socket, inbox = subscribed(v, "tickers.BTCUSDT")
    socket.receive(json.dumps({"op": "subscribe", "args": ["tickers.BTCUSDT"]}))
    v.wait_ms(50)
    assert inbox.frames[-1]["ret_msg"] == "error:already subscribed,topic:tickers.BTCUSDT"
    v.price("bybit", "50100")
    assert inbox.frames[-1]["type"] == "delta"


def test_after_unsubscribing_nothing_comes() -> None:
    v = Virtual.start()
    socket, inbox = subscribed(v, "tickers.BTCUSDT")
    socket.receive(json.dumps({"op": "unsubscribe", "req_id": 8, "args": ["tickers.BTCUSDT"]}))
    v.wait_ms(50)
    assert (inbox.frames[-1]["op"], inbox.frames[-1]["success"]) == ("unsubscribe", True)
    count = len(inbox.frames)
    v.price("bybit", "50100")
    assert len(inbox.frames) == count


@pytest.mark.parametrize(("path", "op"), [(PUBLIC, "ping"), (PRIVATE, "pong"), (TRADE, "pong")])
def test_pings_are_answered_in_the_form_of_the_socket(path: str, op: str) -> None:
    v = Virtual.start()
    socket, inbox = v.open(path)
    socket.receive(json.dumps({"op": "ping", "req_id": "9"}))
    assert inbox.frames[-1]["op"] == op
    if path != TRADE:
        assert inbox.frames[-1]["req_id"] == "9"


@pytest.mark.parametrize("path", [PUBLIC, PRIVATE, TRADE])
def test_a_client_that_says_nothing_for_ten_minutes_is_cut_off(path: str) -> None:
    v = Virtual.start()
    socket, inbox = v.open(path)
    v.wait_ms(599_000)
    socket.receive('{"op":"ping"}')
    v.wait_ms(599_999)
    assert inbox.closed is None
    v.wait_ms(1)
    assert inbox.closed == (1001, "")


def test_a_connection_ends_after_its_time() -> None:
    v = Virtual.start()
    v.world.settings.connection_ns = 5_000_000_000
    _, inbox = v.open(PUBLIC)
    v.wait_ms(5000)
    assert inbox.closed is not None


def test_other_paths_are_refused() -> None:
    v = Virtual.start()
    wire: Any = v.world.wires["bybit"]
    for path in ("/v5/public/spot", "/v5/public", "/v5/other"):
        assert wire.connect(path, "", {}, Inbox()).status == 404


# ── market streams ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_ticker_is_whole_once_and_then_tells_what_has_changed() -> None:
    v = Virtual.start()
    v.price("bybit", "50000", "50000.1")
    _, inbox = subscribed(v, "tickers.BTCUSDT")
    whole = inbox.frames[-1]
    assert (whole["type"], whole["data"]["symbol"], whole["data"]["lastPrice"]) == ("snapshot", "BTCUSDT", "50000")
    v.price("bybit", "50000", "50000.1", last="50001")
    change = inbox.frames[-1]
    assert (change["type"], change["data"]) == ("delta", {"symbol": "BTCUSDT", "lastPrice": "50001"})
    v.price("bybit", "50000", "50000.1", last="50001")
    assert inbox.frames[-1] is change


def test_a_newcomer_gets_the_ticker_as_the_others_know_it() -> None:
    v = Virtual.start()
    subscribed(v, "tickers.BTCUSDT")
    v.price("bybit", "50200")
    _, late = subscribed(v, "tickers.BTCUSDT")
    assert late.frames[-1]["data"]["lastPrice"] == "50200"


@pytest.mark.parametrize("levels", [50, 200])
def test_a_book_that_is_kept_by_its_changes_is_the_book_that_rest_tells(levels: int) -> None:
    v = Virtual.start()
    _, inbox = subscribed(v, f"orderbook.{levels}.BTCUSDT")
    for price in ("50000.3", "49990", "50500", "50499.9"):
        v.price("bybit", price, str(float(price) + 0.1))
    kept: dict[str, dict[str, str]] = {"b": {}, "a": {}}
    updates = []
    for frame in inbox.frames[1:]:
        updates.append(frame["data"]["u"])
        for side, levels_of in kept.items():
            for price, size in frame["data"][side]:
                if size == "0":
                    del levels_of[price]
                else:
                    levels_of[price] = size
    assert updates == list(range(updates[0], updates[0] + len(updates)))
    assert min(updates) > 1
    told = v.bybit("GET", "/v5/market/orderbook", **HERE, limit=levels)["result"]
    assert kept == {"b": dict(told["b"]), "a": dict(told["a"])}


def test_the_book_of_one_level_is_always_whole() -> None:
    v = Virtual.start()
    _, inbox = subscribed(v, "orderbook.1.BTCUSDT")
    v.price("bybit", "50100", "50100.1")
    assert [frame["type"] for frame in inbox.frames[1:]] == ["snapshot", "snapshot"]
    assert inbox.frames[-1]["data"]["b"][0][0] == "50100"


def test_a_market_without_a_price_begins_with_its_first_one() -> None:
    v = Virtual.start(prices=False)
    _, inbox = subscribed(v, "tickers.BTCUSDT", "orderbook.50.BTCUSDT", "kline.1.BTCUSDT", "publicTrade.BTCUSDT")
    assert len(inbox.frames) == 1
    v.price("bybit", "50000")
    assert [frame["type"] for frame in inbox.frames[1:]] == ["snapshot"] * 4


def test_a_closed_candle_is_confirmed_and_the_next_one_open() -> None:
    v = Virtual.start()
    _, inbox = subscribed(v, "kline.1.BTCUSDT")
    v.wait_ms(60_000)
    v.price("bybit", "50100")
    closed, opened = inbox.frames[-1]["data"]
    assert (closed["confirm"], closed["close"], opened["confirm"], opened["open"]) == (True, "50000", False, "50100")
    assert closed["end"] + 1 == opened["start"]


def test_public_trades_come_one_by_one() -> None:
    v = Virtual.start()
    _, inbox = subscribed(v, "publicTrade.BTCUSDT")
    v.price("bybit", "50100")
    v.price("bybit", "50050")
    assert [(row["p"], row["S"]) for row in data(inbox, "publicTrade.BTCUSDT")] == [("50100", "Buy"), ("50050", "Sell")]


# ── private streams ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("how", "fine"),
    [
        ({}, True),
        ({"text": True}, True),
        ({"secret": WRONG}, False),
        ({"key": "nobody"}, False),
        ({"ahead_ms": 0}, False),
    ],
)
def test_a_private_stream_is_opened_by_a_signature_that_has_not_expired(how: dict[str, Any], fine: bool) -> None:
    v = Virtual.start()
    socket, inbox = v.open(PRIVATE)
    socket.receive(auth_frame(v, **how))
    assert (inbox.frames[-1]["op"], inbox.frames[-1]["success"]) == ("auth", fine)
    socket.receive(json.dumps({"op": "subscribe", "args": ["order"]}))
    v.wait_ms(50)
    assert inbox.frames[-1]["success"] is fine


def test_an_entry_is_told_as_order_execution_position_and_wallet() -> None:
    v = Virtual.start()
    inbox = v.bybit_stream("order", "execution", "execution.fast", "position", "wallet")
    v.bybit_order(orderLinkId="x", stopLoss="45000")
    assert [(row["stopOrderType"], row["orderStatus"]) for row in data(inbox, "order")] == [
        ("", "New"),
        ("", "Filled"),
        ("StopLoss", "Untriggered"),
    ]
    (execution,) = data(inbox, "execution")
    assert (execution["execPrice"], execution["orderLinkId"], execution["category"]) == ("50000.1", "x", "linear")
    assert data(inbox, "execution.fast")[0]["execId"] == execution["execId"]
    last = data(inbox, "position")[-1]
    assert (last["side"], last["size"], last["entryPrice"], last["stopLoss"]) == ("Buy", "0.01", "50000.1", "45000")
    assert data(inbox, "wallet")[-1]["coin"][0]["walletBalance"] == "9999.72499945"
    assert {"id", "topic", "creationTime", "data"} <= set(inbox.frames[-1])


def test_the_position_is_told_with_every_order_even_without_a_change() -> None:
    v = Virtual.start()
    inbox = v.bybit_stream("position")
    v.bybit("POST", "/v5/order/create", **LIMIT)
    assert [row["size"] for row in data(inbox, "position")] == ["0"]


def test_a_closed_position_is_told_without_a_side() -> None:
    v = Virtual.start()
    v.bybit_order()
    inbox = v.bybit_stream("position.linear", "execution.linear")
    v.bybit_order(side="Sell", reduceOnly=True)
    last = data(inbox, "position.linear")[-1]
    assert (last["side"], last["size"], last["stopLoss"]) == ("", "0", "")
    assert data(inbox, "execution.linear")[-1]["closedSize"] == "0.01"


def test_funding_is_told_as_an_execution_and_a_wallet_without_an_order() -> None:
    v = Virtual.start()
    v.bybit_order()
    inbox = v.bybit_stream("order", "execution", "wallet")
    settle(v.world, "bybit", "BTCUSDT")
    assert data(inbox, "order") == []
    assert [row["execType"] for row in data(inbox, "execution")] == ["Funding"]


def test_each_sending_is_a_line_of_the_ledger_and_nobody_listening_is_none() -> None:
    v = Virtual.start()
    v.bybit_order()
    assert v.lines("stream") == []
    v.bybit_stream("order")
    v.bybit_order()
    assert [(line["topic"], line["event"]) for line in v.lines("stream")] == [("order", "New"), ("order", "Filled")]


def test_events_can_be_told_twice() -> None:
    v = Virtual.start()
    inbox = v.bybit_stream("order")
    v.fault("duplicate-event", venue="bybit", topic="order", event="Filled")
    v.bybit_order()
    assert [row["orderStatus"] for row in data(inbox, "order")] == ["New", "Filled", "Filled"]


# ── the trading socket ──────────────────────────────────────────────────────────────────────────────────────


def trading(v: Virtual) -> tuple[Any, Inbox]:
    socket, inbox = v.open(TRADE)
    socket.receive(auth_frame(v))
    assert (inbox.frames[-1]["retCode"], inbox.frames[-1]["op"]) == (0, "auth")
    return socket, inbox


def ask(v: Virtual, socket: Any, inbox: Inbox, op: str, body: dict[str, Any], **frame: Any) -> Any:
    header = {"X-BAPI-TIMESTAMP": str(v.world.told_ms("bybit"))}
    socket.receive(json.dumps({"reqId": f"r{len(inbox.frames)}", "header": header, "op": op, "args": [body], **frame}))
    v.wait_ms(5)
    return inbox.frames[-1]


def test_an_order_goes_over_the_trading_socket_as_it_goes_over_rest() -> None:
    v = Virtual.start()
    socket, inbox = trading(v)
    answer = ask(v, socket, inbox, "order.create", {**LIMIT, "orderLinkId": "ws"})
    assert (answer["retCode"], answer["op"], answer["data"]["orderLinkId"]) == (0, "order.create", "ws")
    assert answer["header"]["X-Bapi-Limit-Status"] == "9"
    assert rows(v)[0]["orderId"] == answer["data"]["orderId"]
    assert ask(v, socket, inbox, "order.cancel", {**HERE, "orderLinkId": "ws"})["retCode"] == 0
    assert ask(v, socket, inbox, "order.cancel", {**HERE, "orderLinkId": "ws"})["retCode"] == 110001


@pytest.mark.parametrize(
    ("op", "frame", "code"),
    [
        ("order.create", {"reqId": "same"}, 20006),
        ("order.steal", {}, 10404),
        ("order.create", {"header": {"X-BAPI-TIMESTAMP": "1"}}, 10002),
        ("order.create", {"header": None}, 10002),
        ("order.create", {"args": []}, 10001),
        ("order.create", {"args": "x"}, 10001),
    ],
)
def test_frames_that_are_not_in_order_are_refused(op: str, frame: dict[str, Any], code: int) -> None:
    v = Virtual.start()
    socket, inbox = trading(v)
    ask(v, socket, inbox, "order.create", LIMIT, reqId="same")
    assert ask(v, socket, inbox, op, LIMIT, **frame)["retCode"] == code
    assert len(rows(v)) == 1


def test_nobody_trades_before_saying_who_it_is() -> None:
    v = Virtual.start()
    socket, inbox = v.open(TRADE)
    assert ask(v, socket, inbox, "order.create", LIMIT)["retCode"] == 10003
    socket.receive(auth_frame(v, secret=WRONG))
    assert (inbox.frames[-1]["op"], inbox.frames[-1]["retCode"]) == ("auth", 10004)


def test_a_lost_answer_cuts_the_trading_socket_after_the_order_was_taken_in() -> None:
    v = Virtual.start()
    socket, inbox = trading(v)
    v.fault("ack-lost", venue="bybit", path="order.create")
    ask(v, socket, inbox, "order.create", LIMIT)
    assert inbox.closed is not None
    assert len(rows(v)) == 1
