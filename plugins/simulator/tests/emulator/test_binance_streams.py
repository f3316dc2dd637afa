"""Binance's streams without sockets: user events, listen keys, market streams. Time is virtual."""

from __future__ import annotations

import json
from typing import Any

import pytest

from framework_simulator.emulator.build import DEFAULT_KEY

from .binance_kit import SYMBOL, Desk, d
from .rig import set_price
from .virtual import Virtual

KEY = {"x-mbx-apikey": DEFAULT_KEY.key}
MINUTE_MS = 60_000


@pytest.fixture
def desk() -> Any:
    desk = Desk()
    yield desk
    assert [one.trace for one in desk.world.defects] == []


# ── user streams ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_listen_key_is_the_same_until_it_expires(desk: Desk) -> None:
    def start() -> str:
        return str(json.loads(desk.raw("POST", "/fapi/v1/listenKey", headers=KEY).body)["listenKey"])

    first = start()
    desk.wait(59 * MINUTE_MS)
    assert start() == first
    desk.wait(59 * MINUTE_MS)
    assert json.loads(desk.raw("PUT", "/fapi/v1/listenKey", headers=KEY).body)["listenKey"] == first
    desk.wait(60 * MINUTE_MS)
    assert json.loads(desk.raw("PUT", "/fapi/v1/listenKey", headers=KEY).body)["code"] == -1125
    assert start() != first


def test_a_socket_hears_only_the_kinds_that_it_named(desk: Desk) -> None:
    everything = desk.listen()
    key = json.loads(desk.raw("POST", "/fapi/v1/listenKey", headers=KEY).body)["listenKey"]
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
    assert raw.frames[-1]["b"] == "50100.0"
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
            bids.pop(at, None) if float(quantity) == 0 else bids.update({at: quantity})
    assert bids == dict(desk.call("GET", "/fapi/v1/depth", symbol=SYMBOL, limit=1000)["bids"])


def test_a_candle_is_told_closed_once_and_on_time(desk: Desk) -> None:
    tap, _ = desk.connect("/market/ws/btcusdt@kline_1m")
    desk.price(50500)
    desk.wait(3 * MINUTE_MS)
    desk.price(50600)
    closed = [one["k"] for one in tap.events("kline") if one["k"]["x"]]
    assert [(one["o"], one["c"], one["h"]) for one in closed] == [("50000.0", "50500.0", "50500.0")]
    assert tap.events("kline")[-1]["k"]["o"] == "50600.0"


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


@pytest.mark.parametrize(("stream", "interval_ms"), [("markPrice", 3000), ("miniTicker", 2000)])
def test_the_wire_is_behind_until_a_stream_with_a_rhythm_has_told_of_a_move(stream: str, interval_ms: int) -> None:
    virtual = Virtual.start()
    wire = virtual.world.wires["binance"]
    virtual.open(f"/market/ws/btcusdt@{stream}")
    for bid in ("50001", "50002"):  # the first one may be told at once
        set_price(virtual.world, "binance", bid)
    assert wire.is_behind
    virtual.wait_ms(interval_ms)
    assert not wire.is_behind


def test_the_wire_is_not_behind_when_nobody_listens() -> None:
    virtual = Virtual.start()
    socket, _ = virtual.open("/market/ws/btcusdt@markPrice")
    set_price(virtual.world, "binance", "50001")
    socket.closed()
    assert not virtual.world.wires["binance"].is_behind
