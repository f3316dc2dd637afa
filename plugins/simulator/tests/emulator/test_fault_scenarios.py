"""What several switches, or a switch at the wrong moment, do to a client: the troubles that cost money."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from framework_simulator.emulator.clock import ManualClock
from framework_simulator.emulator.transport import open_socket

from .virtual import Inbox, Virtual

STOP = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "algoType": "CONDITIONAL",
    "type": "STOP_MARKET",
    "triggerPrice": "49000",
    "quantity": "0.01",
    "reduceOnly": "true",
}
TRADING_STOP = {"category": "linear", "symbol": "BTCUSDT", "tpslMode": "Full", "positionIdx": 0, "stopLoss": "48000"}


def _limit(virtual: Virtual, price: str = "49000", quantity: str = "0.01") -> Any:
    return virtual.order(type="LIMIT", timeInForce="GTC", price=price, quantity=quantity)


def _rows(inbox: Inbox, topic: str) -> list[dict[str, Any]]:
    return [row for frame in inbox.frames if frame.get("topic") == topic for row in frame["data"]]


def _reopened(virtual: Virtual, path: str, query: str = "") -> int | None:
    """The status that keeps a socket from being opened; None: it is open."""
    return getattr(open_socket(virtual.world, path, query, {}, Inbox()), "status", None)


# ── away from the stream ────────────────────────────────────────────────────────────────────────────────────


def test_an_order_fills_while_the_client_is_disconnected_and_only_queries_tell() -> None:
    virtual = Virtual.start()
    inbox = virtual.binance_stream()
    order = _limit(virtual)
    heard = len(inbox.frames)
    virtual.fault("streams-closed", venue="binance", sockets="/private/*", for_ms=1000, at_ms=100)
    virtual.fault("orders-fill", venue="binance", market="BTCUSDT", at_ms=500)
    virtual.wait_ms(600)
    assert (inbox.closed, len(inbox.frames)) == ((1006, ""), heard)
    assert _reopened(virtual, "/private/ws", "listenKey=any") == 503
    assert _reopened(virtual, "/market/ws") is None, "only the named sockets are shut"
    query = {"symbol": "BTCUSDT", "orderId": order["orderId"]}
    assert virtual.binance("GET", "/fapi/v1/order", **query)["status"] == "FILLED"
    virtual.wait_ms(500)
    late = virtual.binance_stream()
    virtual.wait_ms(100)
    assert [frame["e"] for frame in late.frames if "e" in frame] == [], "nothing is told twice"


def test_a_position_is_liquidated_while_the_client_reconnects() -> None:
    virtual = Virtual.start()
    inbox = virtual.bybit_stream("position")
    virtual.bybit_order()
    heard = len(inbox.frames)
    virtual.fault("streams-closed", venue="bybit", sockets="/v5/private", for_ms=1000, at_ms=100)
    virtual.fault("liquidation", venue="bybit", market="BTCUSDT", at_ms=500)
    virtual.wait_ms(600)
    assert (len(inbox.frames), _reopened(virtual, "/v5/private")) == (heard, 503)
    (row,) = virtual.bybit("GET", "/v5/position/list", category="linear", symbol="BTCUSDT")["result"]["list"]
    assert (row["side"], row["size"]) == ("", "0")


def test_the_last_fill_of_an_order_comes_at_once_after_the_one_before() -> None:
    virtual = Virtual.start()
    inbox = virtual.binance_stream()
    order = _limit(virtual, quantity="0.02")
    virtual.price("binance", "48999", ask_qty="0.015")
    virtual.fault("orders-fill", venue="binance", market="BTCUSDT", at_ms=0)
    virtual.wait_ms(0)
    told = [frame["o"] for frame in inbox.frames if frame.get("e") == "ORDER_TRADE_UPDATE"]
    assert [(one["X"], one["z"]) for one in told] == [
        ("NEW", "0"), ("PARTIALLY_FILLED", "0.015"), ("FILLED", "0.02"),
    ]  # fmt: skip
    assert {one["i"] for one in told} == {order["orderId"]}
    assert told[-1]["T"] == told[-2]["T"]


# ── the entry stands, its stop does not ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("code", "status"),
    [(-2021, 400), (-4509, 400), (-4130, 400), (-4045, 400), (-1008, 503), (-1003, 429), (-1007, 408)],
)
def test_a_stop_is_refused_after_its_entry_was_accepted(code: int, status: int) -> None:
    virtual = Virtual.start()
    virtual.fault("refuse", code=code, path="/fapi/v1/algoOrder", count=1)
    assert virtual.order()["status"] == "FILLED"
    told = virtual.binance("POST", "/fapi/v1/algoOrder", **STOP)
    assert (told["code"], virtual.answers[-1].status) == (code, status)
    assert told["msg"], "the venue's own words"
    assert virtual.lines("stop") == []
    assert virtual.binance("POST", "/fapi/v1/algoOrder", **STOP)["algoStatus"] == "NEW"


@pytest.mark.parametrize("executed", [True, False])
def test_not_modified_is_told_of_a_stop_that_is_there_and_of_one_that_is_not(executed: bool) -> None:
    virtual = Virtual.start()
    virtual.bybit_order()
    virtual.fault("refuse", code=34040, path="/v5/position/trading-stop", executed=executed)
    told = virtual.bybit("POST", "/v5/position/trading-stop", **TRADING_STOP)
    assert (told["retCode"], told["retMsg"]) == (34040, "not modified")
    (row,) = virtual.bybit("GET", "/v5/position/list", category="linear", symbol="BTCUSDT")["result"]["list"]
    assert (row["stopLoss"] != "") is executed


def test_the_stop_of_a_position_triggers_while_it_is_amended() -> None:
    virtual = Virtual.start()
    virtual.bybit_order()
    virtual.bybit("POST", "/v5/position/trading-stop", **TRADING_STOP)
    (stop,) = virtual.bybit("GET", "/v5/order/realtime", category="linear", symbol="BTCUSDT")["result"]["list"]
    virtual.fault("trigger-races", path="/v5/order/amend")
    here = {"category": "linear", "symbol": "BTCUSDT", "orderId": stop["orderId"]}
    assert virtual.bybit("POST", "/v5/order/amend", **here, triggerPrice="48500")["retCode"] == 110001
    assert float(virtual.held("bybit")) == 0


def test_an_order_is_in_process_when_it_is_amended() -> None:
    virtual = Virtual.start()
    virtual.fault("refuse", code=110079, path="/v5/order/amend")
    told = virtual.bybit("POST", "/v5/order/amend", category="linear", symbol="BTCUSDT", orderId="x", price="1")
    assert (told["retCode"], "processing" in told["retMsg"]) == (110079, True)


# ── pushes that clients trip over ───────────────────────────────────────────────────────────────────────────


def test_a_filled_order_is_pushed_twice() -> None:
    virtual = Virtual.start()
    inbox = virtual.bybit_stream("order")
    virtual.fault("duplicate-event", topic="order", event="Filled")
    virtual.bybit_order()
    assert [row["orderStatus"] for row in _rows(inbox, "order")].count("Filled") == 2


def test_a_position_that_is_gone_is_pushed_without_a_side() -> None:
    virtual = Virtual.start()
    virtual.bybit_order()
    inbox = virtual.bybit_stream("position")
    virtual.fault("liquidation", venue="bybit", market="BTCUSDT", at_ms=1)
    virtual.wait_ms(1)
    assert (_rows(inbox, "position")[-1]["side"], _rows(inbox, "position")[-1]["size"]) == ("", "0")


def test_funding_settles_while_the_account_is_flat_and_costs_nothing() -> None:
    virtual = Virtual.start()
    inboxes = virtual.binance_stream(), virtual.bybit_stream("execution", "wallet")
    heard = [len(inbox.frames) for inbox in inboxes]
    for venue in ("binance", "bybit"):
        virtual.fault("funding", venue=venue, market="BTCUSDT", rate="0.01", at_ms=1)
    virtual.wait_ms(1)
    assert (virtual.lines("cash"), [len(inbox.frames) for inbox in inboxes]) == ([], heard)
    history = virtual.binance("GET", "/fapi/v1/fundingRate", symbol="BTCUSDT")
    assert float(history[-1]["fundingRate"]) == 0.01


@pytest.mark.parametrize("skew_ms", [5100, -5100])
def test_a_venue_whose_clock_is_five_seconds_off_refuses_a_client_whose_clock_is_right(skew_ms: int) -> None:
    virtual = Virtual.start()
    virtual.fault("clock-skew", venue="binance", skew_ms=skew_ms, at_ms=0)
    virtual.fault("clock-skew", venue="bybit", skew_ms=skew_ms, at_ms=0)
    virtual.wait_ms(1)
    virtual.behind_ms = skew_ms
    assert (virtual.order()["code"], virtual.bybit_order()["retCode"]) == (-1021, 10002)
    virtual.behind_ms = 0
    assert (virtual.order()["status"], virtual.bybit_order()["retCode"]) == ("FILLED", 0)


@pytest.mark.parametrize("fault", ["short-child", "reject-order"])
def test_a_fault_in_the_middle_of_what_the_venue_does_has_the_time_of_it_while_real_time_goes_on(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    virtual = Virtual.start()
    virtual.fault(fault)
    told = ManualClock.now_ns
    ticks = itertools.count()
    monkeypatch.setattr(ManualClock, "now_ns", lambda clock: told(clock) + next(ticks))
    virtual.order()
    virtual.binance("POST", "/fapi/v1/algoOrder", **STOP)
    virtual.price("binance", "48900")
    virtual.wait_ms(200)

    assert virtual.lines("fault")
    times = [line["t"] for line in virtual.lines()]
    assert times == sorted(times)
