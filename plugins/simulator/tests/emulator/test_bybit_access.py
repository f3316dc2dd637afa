"""Who may ask Bybit what, and how often: keys, signatures, time, limits, faults. Under virtual time."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from framework_simulator.emulator.wire import HttpRequest, HttpResponse
from framework_simulator.emulator.world import KeyInfo

from .test_bybit_orders import CREATE, HERE, LIMIT, REALTIME, rows
from .virtual import KEY, ME, SECRET, Virtual

WRONG = "wrong"
WALLET = ("GET", "/v5/account/wallet-balance")


def signed(
    v: Virtual,
    *,
    key: str = KEY,
    secret: str = SECRET,
    age_ms: int = 0,
    window: str | None = "5000",
    query: str = "accountType=UNIFIED",
) -> Any:
    """A signed question for the wallet, made by hand."""
    stamp = str(v.world.told_ms("bybit") - age_ms)
    text = f"{stamp}{key}{window or ''}{query}"
    sign = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    headers = {"x-bapi-api-key": key, "x-bapi-timestamp": stamp, "x-bapi-sign": sign}
    if window is not None:
        headers["x-bapi-recv-window"] = window
    return json.loads(v.send(HttpRequest(*WALLET, query, headers)).body)


def test_the_signature_is_over_the_raw_text_so_its_spacing_counts() -> None:
    v = Virtual.start()
    body = b'{ "category":"linear",\n "symbol": "BTCUSDT", "buyLeverage": "7", "sellLeverage" : "7"}'
    stamp = str(v.world.told_ms("bybit"))
    sign = hmac.new(SECRET.encode(), f"{stamp}{KEY}5000".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "x-bapi-api-key": KEY,
        "x-bapi-timestamp": stamp,
        "x-bapi-recv-window": "5000",
        "x-bapi-sign": sign.upper(),
    }
    send = HttpRequest("POST", "/v5/position/set-leverage", "", headers, body)
    assert json.loads(v.send(send).body)["retCode"] == 0
    respaced = HttpRequest("POST", "/v5/position/set-leverage", "", headers, body.replace(b"\n", b""))
    assert json.loads(v.send(respaced).body)["retCode"] == 10004


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({}, 0),
        ({"age_ms": 5000}, 0),
        ({"age_ms": 5001}, 10002),
        ({"age_ms": -999}, 0),
        ({"age_ms": -1000}, 10002),
        ({"age_ms": 6000, "window": "7000"}, 0),
        ({"window": None}, 0),
        ({"window": "soon"}, 10004),
        ({"secret": "wrong"}, 10004),
        ({"key": "nobody"}, 10003),
        ({"key": ""}, 10003),
    ],
)
def test_a_request_is_let_in_only_with_a_known_key_in_time_and_rightly_signed(how: dict[str, Any], code: int) -> None:
    assert signed(Virtual.start(), **how)["retCode"] in ({0, 10002} if how == {"window": "soon"} else {code})


def test_signatures_can_be_left_unchecked() -> None:
    v = Virtual.start()
    v.world.settings.check_signatures = False
    assert signed(v, secret=WRONG)["retCode"] == 0


def test_time_is_checked_against_the_skewed_clock() -> None:
    v = Virtual.start()
    v.world.skew("bybit", 60_000_000_000)
    assert v.bybit("GET", "/v5/market/time")["time"] == v.world.told_ms("bybit")
    assert signed(v, age_ms=60_000)["retCode"] == 10002


def test_a_key_that_may_only_read_can_not_trade_and_query_api_says_so() -> None:
    v = Virtual.start()
    v.world.keys[KEY] = KeyInfo(KEY, SECRET, ME, frozenset({"read"}))
    assert v.bybit_order()["retCode"] == 10005
    assert rows(v) == []
    told = v.bybit("GET", "/v5/user/query-api")["result"]
    assert (told["readOnly"], told["permissions"]["ContractTrade"], told["uta"]) == (1, [], 1)


def test_a_key_that_may_withdraw_can_be_told_by_its_permissions() -> None:
    v = Virtual.start()
    v.world.keys[KEY] = KeyInfo(KEY, SECRET, ME, frozenset({"read", "trade", "withdraw"}))
    assert "Withdraw" in v.bybit("GET", "/v5/user/query-api")["result"]["permissions"]["Wallet"]


def test_a_route_that_is_not_there_is_not_found() -> None:
    v = Virtual.start()
    assert v.bybit("GET", "/v5/asset/withdraw")["retCode"] == 10017
    assert v.answers[-1].status == 404
    assert v.bybit("GET", CREATE)["retCode"] == 10017


def test_orders_beyond_ten_a_second_are_refused_until_the_time_that_the_header_names() -> None:
    v = Virtual.start()
    codes = [v.bybit("POST", CREATE, **LIMIT)["retCode"] for _ in range(12)]
    assert codes == [0] * 10 + [10006] * 2
    headers = v.answers[-1].headers
    assert (headers["X-Bapi-Limit"], headers["X-Bapi-Limit-Status"]) == ("10", "0")
    v.wait_ms(int(headers["X-Bapi-Limit-Reset-Timestamp"]) - v.world.told_ms("bybit"))
    assert v.bybit("POST", CREATE, **LIMIT)["retCode"] == 0
    assert v.answers[-1].headers["X-Bapi-Limit-Status"] == "9"
    assert len(rows(v)) == 11


def test_limits_can_be_switched_off() -> None:
    v = Virtual.start()
    v.world.settings.rate_limits = False
    assert {v.bybit("POST", CREATE, **LIMIT)["retCode"] for _ in range(30)} == {0}


def test_an_address_that_asks_too_often_is_shut_out_for_ten_minutes() -> None:
    v = Virtual.start()

    def ask() -> HttpResponse:
        return v.send(HttpRequest("GET", "/v5/market/time", "", {}))

    assert {ask().status for _ in range(600)} == {200}
    refused = ask()
    assert (refused.status, refused.body) == (403, b"access too frequent")
    v.wait_ms(599_000)
    assert ask().status == 403
    v.wait_ms(1_000)
    assert ask().status == 200


@pytest.mark.parametrize("executed", [True, False])
def test_a_server_error_may_or_may_not_have_carried_the_order_out(executed: bool) -> None:
    v = Virtual.start()
    v.fault("unknown-503", venue="bybit", path=CREATE, executed=executed)
    assert v.bybit("POST", CREATE, **LIMIT)["retCode"] == 10016
    assert len(rows(v)) == int(executed)
    assert v.lines("fault")[0]["name"] == "unknown-503"


def test_a_lost_answer_leaves_the_order_and_drops_the_connection() -> None:
    v = Virtual.start()
    v.fault("ack-lost", venue="bybit", path=CREATE)
    v.bybit("POST", CREATE, **LIMIT)
    assert v.answers[-1].transport.drop
    assert len(rows(v)) == 1


def test_bodies_can_be_spoiled() -> None:
    v = Virtual.start()
    v.fault("html-body", venue="bybit", path=REALTIME)
    assert b"<html>" in v.bybit("GET", REALTIME, **HERE)


def test_a_rate_limit_of_a_fault_names_when_to_come_back_too() -> None:
    v = Virtual.start()
    v.fault("rate-limited", venue="bybit", path=CREATE)
    assert v.bybit("POST", CREATE, **LIMIT)["retCode"] == 10006
    assert int(v.answers[-1].headers["X-Bapi-Limit-Reset-Timestamp"]) > v.world.told_ms("bybit")


def test_the_ledger_has_every_request_and_its_answer_without_secrets() -> None:
    v = Virtual.start()
    v.bybit("POST", CREATE, **LIMIT)
    request, response = v.lines("request")[-1], v.lines("response")[-1]
    assert (request["venue"], request["account"], request["path"]) == ("bybit", ME, CREATE)
    assert request["params"] == LIMIT
    assert (response["request"], response["status"], response["code"]) == (request["id"], 200, 0)
    assert SECRET not in json.dumps(v.tail.lines if isinstance(v.tail.lines, list) else list(v.tail.lines))
