"""Every setting of the emulated venues, acting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import fields_dict

from framework_simulator.emulator.settings import Settings

from .virtual import Inbox, Virtual

HERE = {"category": "linear", "symbol": "BTCUSDT"}


def _set(**settings: Any) -> Virtual:
    virtual = Virtual.start()
    virtual.control.settings(settings)
    return virtual


def _told(inbox: Inbox) -> int:
    return len([frame for frame in inbox.frames if "e" in frame or "topic" in frame])


def test_every_setting_is_tried_here_and_told_by_the_control_port() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    told = Virtual.start().control.settings({})
    names = [f"{name[:-3]}_ms" if name.endswith("_ns") else name for name in fields_dict(Settings)]
    assert sorted(told) == sorted(names)
    assert [name for name in names if f"_set({name}=" not in text] == []


@pytest.mark.parametrize("venue", ["binance", "bybit"])
def test_private_streams_trail_behind_by_the_stream_lag(venue: str) -> None:
    virtual = _set(stream_lag_ms=300)
    inbox = virtual.binance_stream() if venue == "binance" else virtual.bybit_stream("order", "position")
    virtual.order() if venue == "binance" else virtual.bybit_order()
    assert float(virtual.held(venue)) == 0.01
    virtual.wait_ms(299)
    assert _told(inbox) == 0
    virtual.wait_ms(1)
    assert _told(inbox) >= 2


def test_queries_trail_behind_by_the_read_lag_and_streams_do_not() -> None:
    virtual = _set(read_lag_ms=300)
    inbox = virtual.binance_stream()
    query = {"symbol": "BTCUSDT", "orderId": virtual.order()["orderId"]}
    assert _told(inbox) >= 2
    virtual.wait_ms(299)
    assert virtual.binance("GET", "/fapi/v1/order", **query)["code"] == -2013
    virtual.wait_ms(1)
    assert virtual.binance("GET", "/fapi/v1/order", **query)["status"] == "FILLED"


def test_a_listen_key_lives_as_long_as_is_set() -> None:
    virtual = _set(listen_key_ms=1000)
    inbox = virtual.binance_stream()
    virtual.wait_ms(999)
    virtual.order()
    before = _told(inbox)
    assert before >= 2
    virtual.wait_ms(1)
    virtual.order()
    assert [frame["e"] for frame in inbox.frames[before:]] == ["listenKeyExpired"]
    assert inbox.closed is None
    assert virtual.binance("PUT", "/fapi/v1/listenKey")["code"] == -1125


def test_keeping_a_listen_key_alive_begins_its_life_anew() -> None:
    virtual = _set(listen_key_ms=1000)
    inbox = virtual.binance_stream()
    virtual.wait_ms(900)
    virtual.binance("PUT", "/fapi/v1/listenKey")
    virtual.wait_ms(900)
    virtual.order()
    assert "listenKeyExpired" not in [frame["e"] for frame in inbox.frames]


def test_a_closing_stop_takes_a_position_for_none_during_the_position_lag() -> None:
    virtual = _set(position_lag_ms=700)
    virtual.order()
    stop = {"symbol": "BTCUSDT", "side": "SELL", "algoType": "CONDITIONAL", "type": "STOP_MARKET"}
    closing = {**stop, "triggerPrice": "49000", "closePosition": "true"}
    virtual.wait_ms(699)
    assert virtual.binance("POST", "/fapi/v1/algoOrder", **closing)["code"] == -4509
    virtual.wait_ms(1)
    assert virtual.binance("POST", "/fapi/v1/algoOrder", **closing)["algoStatus"] == "NEW"


@pytest.mark.parametrize(
    ("path", "frame"),
    [
        ("/market/ws", '{"method":"SUBSCRIBE","params":["btcusdt@aggTrade"],"id":1}'),
        ("/v5/public/linear", '{"op":"subscribe","req_id":1,"args":["tickers.BTCUSDT"]}'),
    ],
)
def test_a_subscription_is_answered_after_the_delay(path: str, frame: str) -> None:
    virtual = _set(subscribe_delay_ms=200)
    socket, inbox = virtual.open(path)
    socket.receive(frame)
    virtual.wait_ms(199)
    assert inbox.frames == []
    virtual.wait_ms(1)
    assert (inbox.frames[0].get("id") or inbox.frames[0].get("req_id")) == 1


@pytest.mark.parametrize("path", ["/market/ws", "/ws-fapi/v1", "/v5/public/linear", "/v5/private", "/v5/trade"])
def test_a_connection_lives_as_long_as_is_set(path: str) -> None:
    virtual = _set(connection_ms=5000)
    _, inbox = virtual.open(path)
    virtual.wait_ms(4999)
    assert inbox.closed is None
    virtual.wait_ms(1)
    assert inbox.closed is not None


def test_signatures_are_checked_unless_it_is_switched_off() -> None:
    wrong = {"symbol": "BTCUSDT", "leverage": 5, "signature": "0" * 64}
    assert _set(check_signatures=True).binance("POST", "/fapi/v1/leverage", **wrong)["code"] == -1022
    assert _set(check_signatures=False).binance("POST", "/fapi/v1/leverage", **wrong)["leverage"] == 5


def test_rate_limits_are_kept_unless_they_are_switched_off() -> None:
    def statuses(virtual: Virtual) -> set[int]:
        for _ in range(70):
            virtual.binance("GET", "/fapi/v1/ticker/24hr")
        return {answer.status for answer in virtual.answers}

    assert statuses(_set(rate_limits=True)) == {200, 429}
    assert statuses(_set(rate_limits=False)) == {200}


def test_account_updates_come_before_order_updates_unless_they_are_reversed() -> None:
    def last_two(virtual: Virtual) -> list[str]:
        inbox = virtual.binance_stream()
        virtual.order()
        return [frame["e"] for frame in inbox.frames][-2:]

    usual = last_two(_set(reverse_events=False))
    assert sorted(usual) == ["ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]
    assert last_two(_set(reverse_events=True)) == usual[::-1]


def test_every_answer_is_as_late_as_is_set_and_carried_out_at_once() -> None:
    virtual = _set(latency_ms=70)
    virtual.order()
    assert float(virtual.held("binance")) == 0.01
    virtual.bybit("GET", "/v5/market/time")
    assert [answer.transport.delay_ns for answer in virtual.answers] == [70_000_000] * 2


def test_an_account_may_send_as_many_orders_a_second_as_is_set() -> None:
    def codes(virtual: Virtual) -> list[int]:
        cancel = {**HERE, "orderId": "unknown"}
        return [virtual.bybit("POST", "/v5/order/cancel", **cancel)["retCode"] for _ in range(12)]

    assert codes(_set(orders_per_s=10))[-2:] == [10006] * 2
    assert 10006 not in codes(_set(orders_per_s=12))


def test_the_headers_of_a_route_for_orders_tell_the_limit_that_is_set() -> None:
    virtual = _set(orders_per_s=200)
    virtual.bybit("POST", "/v5/position/trading-stop", **HERE, positionIdx=0, tpslMode="Full", stopLoss="49000")
    assert virtual.answers[-1].headers["X-Bapi-Limit"] == "200"
