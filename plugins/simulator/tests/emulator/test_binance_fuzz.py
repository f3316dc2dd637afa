"""Laws of Binance's wire: whatever arrives, the venue answers in its own words, and nothing breaks."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framework_simulator.emulator.binance.auth import sign
from framework_simulator.emulator.binance.routes import ROUTES
from framework_simulator.emulator.binance.trade_socket import METHODS
from framework_simulator.emulator.build import DEFAULT_KEY

from .binance_kit import Desk

CALM = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])

# What a parameter is mostly given, so that many requests get through to the engine.
LIKELY: dict[str, list[str]] = {
    "symbol": ["BTCUSDT", "BTCUSDT", "BTCUSDT", "ETHUSDT", "NOPE"],
    "pair": ["BTCUSDT"],
    "contractType": ["PERPETUAL"],
    "side": ["BUY", "SELL"],
    "type": [
        "LIMIT",
        "MARKET",
        "STOP",
        "STOP_MARKET",
        "TAKE_PROFIT",
        "TAKE_PROFIT_MARKET",
        "TRAILING_STOP_MARKET",
        "1",
    ],
    "algoType": ["CONDITIONAL"],
    "quantity": ["0.01", "0.02", "1", "0", "-1", "1000000", "0.0001"],
    "price": ["49000", "50000.05", "51000", "0", "48999.9"],
    "triggerPrice": ["49000", "51000", "50000", "0"],
    "callbackRate": ["1", "0.05", "11"],
    "activatePrice": ["49000", "51000"],
    "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD", "GTE_GTC"],
    "workingType": ["MARK_PRICE", "CONTRACT_PRICE"],
    "reduceOnly": ["true", "false"],
    "closePosition": ["true", "false"],
    "priceProtect": ["true", "false"],
    "positionSide": ["BOTH", "LONG"],
    "dualSidePosition": ["true", "false"],
    "newOrderRespType": ["RESULT", "ACK", "FULL"],
    "newClientOrderId": ["a", "a", "b", "c" * 37],
    "origClientOrderId": ["a", "auto000000000000000002"],
    "clientAlgoId": ["a", "b"],
    "orderId": ["8389765000002", "1"],
    "algoId": ["3000000000000003", "1"],
    "orderIdList": ["[8389765000002]", "[]", "[1,2]", "[{}]"],
    "batchOrders": [
        "[]",
        "[{}]",
        "[1]",
        '[{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":0.01}]',
        '[{"symbol":"BTCUSDT","side":"BUY","orderId":8389765000002,"quantity":"0.02","price":"48000"}]',
    ],
    "goodTillDate": ["1700000700000", "1800000000000", "999999999999999999"],
    "countdownTime": ["1000", "0", "-1"],
    "leverage": ["5", "0", "125", "126"],
    "marginType": ["ISOLATED", "CROSSED", "X"],
    "limit": ["5", "1000", "0", "9999"],
    "interval": ["1m", "1M", "7m"],
    "startTime": ["0", "1700000000000"],
    "endTime": ["1700000000000", "-5"],
    "fromId": ["1", "0"],
    "incomeType": ["COMMISSION"],
    "amount": ["1", "-1"],
    "recvWindow": ["5000", "0"],
    "multiAssetsMargin": ["true", "false"],
    "feeBurn": ["true", "false"],
}
STRANGE = st.sampled_from(["9" * 18, "9" * 40, "1e5", "NaN", "Infinity", "{}", "null", "", "0x1", "١"]) | st.text(
    max_size=8
)


def likely(*names: str, **fixed: str) -> st.SearchStrategy[dict[str, str]]:
    """Parameters that belong together, some of them left out."""
    given_always = {name: st.sampled_from(LIKELY[name]) for name in ("symbol", "side", "quantity")}
    some = {name: st.sampled_from(LIKELY[name]) for name in names}
    return st.fixed_dictionaries({**given_always, **{k: st.just(v) for k, v in fixed.items()}}, optional=some)


ORDERS = likely("reduceOnly", "newOrderRespType", "newClientOrderId", "positionSide", type="MARKET") | likely(
    "reduceOnly", "newOrderRespType", "goodTillDate", "newClientOrderId", type="LIMIT", price="49000", timeInForce="GTC"
)
STOPS = likely("reduceOnly", "workingType", "timeInForce", "clientAlgoId", type="STOP_MARKET", triggerPrice="49000")
TRAILS = likely("activatePrice", "reduceOnly", type="TRAILING_STOP_MARKET", callbackRate="1")
IDS = likely("orderId", "origClientOrderId", "algoId", "clientAlgoId", "price", "orderIdList", "batchOrders")
STRANGE_ONES = st.dictionaries(st.sampled_from(sorted(LIKELY)), STRANGE, max_size=6)
EVERYTHING = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) | STRANGE for name, values in LIKELY.items()}
)
PARAMS = st.one_of(
    ORDERS, STOPS.map(lambda one: {**one, "algoType": "CONDITIONAL"}), TRAILS, IDS, STRANGE_ONES, EVERYTHING
)
TRADING = [
    ("POST", "/fapi/v1/order"),
    ("PUT", "/fapi/v1/order"),
    ("DELETE", "/fapi/v1/order"),
    ("POST", "/fapi/v1/batchOrders"),
    ("POST", "/fapi/v1/algoOrder"),
    ("DELETE", "/fapi/v1/algoOrder"),
]
REQUESTS = st.sampled_from(sorted(ROUTES)) | st.sampled_from(TRADING)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
BROKEN_JSON = st.text(max_size=20).map(lambda one: f"{{{one}".encode())


def ready() -> Desk:
    """A desk with something to ask for, and no limits."""
    desk = Desk()
    desk.world.settings.rate_limits = False
    desk.listen()
    desk.order("BUY", "0.01")
    desk.order("BUY", "0.01", "49000")
    desk.algo("SELL", "0.01", "48000", reduceOnly="true")
    return desk


def fine(desk: Desk) -> None:
    """Nothing broke, and the venue still works."""
    assert [one.trace for one in desk.world.defects] == []
    assert "serverTime" in desk.call("GET", "/fapi/v1/time")


@CALM
@given(requests=st.lists(st.tuples(REQUESTS, PARAMS), min_size=1, max_size=6))
def test_signed_requests_of_any_content_are_answered_in_the_venues_words(requests: list[Any]) -> None:
    desk = ready()
    for (method, path), params in requests:
        response = desk.response(method, path, **params)
        answer = json.loads(response.body)
        if response.status != 200:
            assert set(answer) == {"code", "msg"}
            assert answer["code"] < 0
            assert "Traceback" not in answer["msg"]
    fine(desk)


@CALM
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "X"]),
    path=st.sampled_from(sorted({path for _, path in ROUTES})) | st.text(max_size=10).map(lambda one: f"/fapi/{one}"),
    query=st.text(max_size=40),
    body=st.binary(max_size=60) | ANY_JSON.map(lambda one: json.dumps(one).encode()) | BROKEN_JSON,
    key=st.sampled_from(["", DEFAULT_KEY.key, "nobody"]),
)
def test_requests_of_any_form_are_answered(method: str, path: str, query: str, body: bytes, key: str) -> None:
    desk = ready()
    response = desk.raw(method, path, query, body, {"x-mbx-apikey": key, "content-type": "application/json"})
    assert 200 <= response.status < 600
    json.loads(response.body)
    fine(desk)


@CALM
@given(
    path=st.sampled_from(["/public/ws/0", "/market/stream", "/private/ws", "/ws", "/stream", "/ws-fapi/v1"]),
    query=st.text(max_size=20) | st.just("streams=btcusdt@bookTicker/!ticker@arr"),
    frames=st.lists(st.text(max_size=20) | ANY_JSON.map(json.dumps), max_size=6),
)
def test_frames_of_any_form_are_survived(path: str, query: str, frames: list[str]) -> None:
    desk = ready()
    _, socket = desk.connect(path, query)
    for frame in frames:
        socket.receive(frame)
    socket.pong()
    desk.price(50100)
    desk.wait(5000)
    socket.closed()
    fine(desk)


STREAMS = st.sampled_from(
    ["btcusdt@bookTicker", "btcusdt@kline_1m", "btcusdt@kline_9x", "btcusdt@depth@100ms", "btcusdt@depth5",
     "BTCUSDT@ticker", "!ticker@arr", "!markPrice@arr@1s", "@", "!", "btcusdt_perpetual@continuousKline_1m", "x@y@z"]
) | st.text(max_size=12)  # fmt: skip


@CALM
@given(
    calls=st.lists(
        st.tuples(st.sampled_from(["SUBSCRIBE", "UNSUBSCRIBE"]), st.lists(STREAMS, max_size=4), ANY_JSON), max_size=6
    )
)
def test_any_streams_can_be_named(calls: list[Any]) -> None:
    desk = ready()
    tap, socket = desk.connect("/market/stream")
    for method, names, number in calls:
        socket.receive(json.dumps({"method": method, "params": names, "id": number}))
        desk.price(50200)
        desk.wait(1000)
    assert sum("result" in one for one in tap.frames if isinstance(one, dict)) == len(calls)
    socket.closed()
    fine(desk)


@CALM
@given(
    calls=st.lists(
        st.tuples(st.sampled_from([*sorted(METHODS), "order.place", "algoOrder.place", "nothing"]), PARAMS, ANY_JSON),
        max_size=6,
    )
)
def test_signed_frames_of_any_content_are_answered_with_their_id(calls: list[Any]) -> None:
    desk = ready()
    tap, socket = desk.connect("/ws-fapi/v1")
    for method, params, number in calls:
        signed = {**params, "apiKey": DEFAULT_KEY.key, "timestamp": desk.world.told_ms("binance")}
        text = "&".join(f"{name}={value}" for name, value in sorted(signed.items()))
        frame = {"id": number, "method": method, "params": {**signed, "signature": sign(DEFAULT_KEY.secret, text)}}
        socket.receive(json.dumps(frame))
    assert [json.dumps(one["id"]) for one in tap.frames] == [json.dumps(number) for _, _, number in calls]
    assert {one["status"] for one in tap.frames} <= {200, 400, 401, 404}
    fine(desk)


@CALM
@given(text=st.text(max_size=30), secret=st.text(min_size=1, max_size=5))
def test_a_signature_of_another_secret_is_never_taken(text: str, secret: str) -> None:
    desk = ready()
    query = urlencode({"symbol": text, "timestamp": desk.world.told_ms("binance")})
    wrong = sign(f"{secret}not-the-secret", query)
    response = desk.raw(
        "GET", "/fapi/v1/openOrders", f"{query}&signature={wrong}", headers={"x-mbx-apikey": DEFAULT_KEY.key}
    )
    assert json.loads(response.body)["code"] == -1022
