"""No input of any kind makes Bybit's wire raise, answer with a trace, or spoil the books. Under virtual time."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framework_simulator.emulator.bybit.wire import ROUTES
from framework_simulator.emulator.wire import HttpRequest

from .test_bybit_streams import PRIVATE, PUBLIC, TRADE, auth_frame
from .virtual import ME, Virtual

NAMES = (
    "category", "symbol", "side", "orderType", "qty", "price", "triggerPrice", "triggerDirection", "triggerBy",
    "timeInForce", "orderLinkId", "orderId", "reduceOnly", "closeOnTrigger", "positionIdx", "stopLoss", "takeProfit",
    "slTriggerBy", "tpslMode", "slSize", "tpSize", "trailingStop", "activePrice", "request", "limit", "cursor",
    "settleCoin", "interval", "start", "end", "startTime", "endTime", "execType", "orderFilter", "mode", "buyLeverage",
    "sellLeverage", "setMarginMode", "accountType", "openOnly", "slOrderType", "slLimitPrice", "intervalTime",
)  # fmt: skip
WORDS = (
    "linear", "BTCUSDT", "Buy", "Sell", "Market", "Limit", "0.01", "0", "-1", "1", "2", "50000", "45000", "55000.1",
    "GTC", "IOC", "FOK", "PostOnly", "true", "Full", "Partial", "MarkPrice", "LastPrice", "500", "Trade", "Order",
    "StopOrder", "UNIFIED", "ISOLATED_MARGIN", "NaN", "1e9", "Infinity", "9" * 40, "0." + "1" * 40, "'; DROP TABLE",
    "%s", "../../etc", "\x00", "\ud800", "١٢", "5min",
)  # fmt: skip
SCALARS = st.one_of(st.sampled_from(WORDS), st.text(max_size=8), st.integers(), st.floats(), st.booleans(), st.none())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
PLAUSIBLE = st.fixed_dictionaries(
    {"category": st.just("linear"), "symbol": st.just("BTCUSDT")},
    optional={name: SCALARS for name in NAMES if name not in ("category", "symbol")},
)
BODIES = st.one_of(PLAUSIBLE, st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8))
SIGNED = [route for route, how in ROUTES.items() if how.needs is not None]
CAREFUL = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def sound(v: Virtual) -> None:
    """No defect, and the money adds up."""
    assert [one.trace for one in v.world.defects] == []
    account = v.world.venues["bybit"].account(ME)
    cost = sum(p.cost.copy_sign(p.quantity) for p in account.positions.values())
    spent = sum(
        (f.price * f.quantity * (1 if f.side.value == "buy" else -1))
        for f in v.world.venues["bybit"].fills(ME, "BTCUSDT", 0)
    )
    assert account.cash == 10_000 + account.received - account.fees - spent + cost


@CAREFUL
@given(st.lists(st.tuples(st.sampled_from(sorted(ROUTES)), BODIES), min_size=1, max_size=6))
def test_any_signed_request_is_answered_in_the_envelope(asked: list[tuple[tuple[str, str], dict[str, Any]]]) -> None:
    v = Virtual.start()
    v.world.settings.rate_limits = False
    v.world.settings.check_signatures = False
    v.bybit_order(stopLoss="45000")
    for (method, path), body in asked:
        stamp = str(v.world.told_ms("bybit"))
        headers = {"x-bapi-api-key": "demo-key", "x-bapi-timestamp": stamp, "x-bapi-sign": "0"}
        if method == "GET":
            query = "&".join(f"{name}={value}" for name, value in body.items())
            request = HttpRequest(method, path, query, headers)
        else:
            request = HttpRequest(method, path, "", headers, json.dumps(body).encode())
        answer = json.loads(v.send(request).body)
        assert isinstance(answer["retCode"], int)
        assert answer["retCode"] != 10016
        assert "Traceback" not in answer["retMsg"]
        v.wait_ms(100)
    v.price("bybit", "46000")
    sound(v)


@CAREFUL
@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "x"]),
    st.one_of(st.sampled_from([path for _, path in ROUTES]), st.text(max_size=10).map(lambda t: f"/v5/{t}")),
    st.text(max_size=40),
    st.dictionaries(
        st.sampled_from(["x-bapi-api-key", "x-bapi-timestamp", "x-bapi-recv-window", "x-bapi-sign"]),
        st.one_of(st.text(max_size=20), st.just("demo-key"), st.integers().map(str)),
    ),
    st.binary(max_size=60),
)
def test_any_bytes_are_answered(method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> None:
    v = Virtual.start()
    answer = v.send(HttpRequest(method, path, query, headers, body))
    assert isinstance(json.loads(answer.body)["retCode"], int)
    sound(v)


@CAREFUL
@given(
    st.sampled_from([PUBLIC, PRIVATE, TRADE]),
    st.booleans(),
    st.lists(
        st.one_of(
            st.text(max_size=30),
            VALUES.map(lambda value: json.dumps(value)),
            st.fixed_dictionaries(
                {
                    "op": st.sampled_from(
                        [
                            "ping",
                            "auth",
                            "subscribe",
                            "unsubscribe",
                            "order.create",
                            "order.cancel",
                            "order.create-batch",
                        ]
                    )
                },
                optional={
                    "args": st.one_of(
                        VALUES,
                        st.lists(BODIES, max_size=2),
                        st.lists(
                            st.sampled_from(
                                ["order", "position", "wallet", "tickers.BTCUSDT", "orderbook.50.BTCUSDT", "x."]
                            ),
                            max_size=3,
                        ),
                    ),
                    "req_id": VALUES,
                    "reqId": VALUES,
                    "header": VALUES,
                },
            ).map(lambda frame: json.dumps(frame)),
        ),
        max_size=6,
    ),
)
def test_any_frames_are_answered_or_ignored(path: str, known: bool, frames: list[str]) -> None:
    v = Virtual.start()
    socket, _ = v.open(path)
    if known:
        socket.receive(auth_frame(v))
    for frame in frames:
        socket.receive(frame)
        v.wait_ms(60)
    v.price("bybit", "50500")
    v.bybit_order()
    socket.closed()
    sound(v)
