"""Fault switches: each by name, when it fires, and what a client and the ledger see of it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from framework import ConfigError
from framework_simulator.emulator.fault_switches import SWITCHES

from .virtual import ORDER, Virtual, faulty

# ── when a rule fires ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("when", "fires"),
    [
        ({}, "11111111"),
        ({"count": 2}, "11000000"),
        ({"after": 3}, "00011111"),
        ({"every": 3}, "10010010"),
        ({"after": 1, "every": 2, "count": 2}, "01010000"),
    ],
)
def test_a_rule_fires_when_it_says(when: dict[str, int], fires: str) -> None:
    virtual = faulty("refuse", code=-1, message="no", path="/fapi/v1/ping", **when)
    answers = [virtual.binance("GET", "/fapi/v1/ping") for _ in fires]
    assert "".join("1" if answer == {"code": -1, "msg": "no"} else "0" for answer in answers) == fires


def test_chance_is_the_same_for_the_same_seed() -> None:
    told = []
    for seed in (1, 1, 5):
        virtual = Virtual.start(seed=seed)
        virtual.fault("refuse", code=-1, path="/fapi/v1/ping", probability=0.5)
        told.append([bool(virtual.binance("GET", "/fapi/v1/ping")) for _ in range(40)])
    assert told[0] == told[1] != told[2]
    assert 5 < sum(told[0]) < 35


@pytest.mark.parametrize(
    "place",
    [
        {"venue": "bybit"},
        {"account": "somebody"},
        {"method": "GET"},
        {"path": "/fapi/v1/algo*"},
        {"params": {"symbol": "ETH*"}},
        {"symbol": "ETHUSDT"},
    ],
)
def test_a_rule_leaves_other_requests_alone(place: dict[str, Any]) -> None:
    assert faulty("refuse", code=-1, **place).order()["status"] == "FILLED"


def test_a_request_that_one_rule_answers_is_met_by_no_other_that_would_answer_it() -> None:
    virtual = faulty("refuse", code=-2021, count=1, **ORDER)
    virtual.fault("unknown-503", count=1, **ORDER)

    assert virtual.order()["code"] == -2021
    assert virtual.order()["code"] == -1000

    assert [fault["name"] for fault in virtual.lines("fault")] == ["refuse", "unknown-503"]


def test_each_firing_is_in_the_ledger_between_request_and_response() -> None:
    virtual = faulty("refuse", code=-2021, **ORDER)
    virtual.order()
    assert [line["kind"] for line in virtual.lines()][-3:] == ["request", "fault", "response"]
    fault = virtual.lines("fault")[0]
    assert (fault["name"], fault["path"], fault["venue"], fault["account"]) == (
        "refuse", "/fapi/v1/order", "binance", "demo",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"name": "nope"}, "there is no fault 'nope'"),
        ({"name": "ack-lost", "evry": 2}, "unknown key 'evry'"),
        ({"name": "refuse"}, "code is missing"),
        ({"name": "ack-lost", "every": 0}, "every must be 1 or more"),
        ({"name": "ack-lost", "count": "two"}, "count must be a number"),
        ({"name": "slow-response", "delay_ms": "long"}, "delay_ms must be like 15000"),
        ({"name": "funding", "market": "BTCUSDT", "at_ms": 5}, "needs a venue"),
        ({}, "a rule is a table with a name"),
        ("text", "a rule is a table with a name"),
    ],
)
def test_a_wrong_rule_is_refused_by_number_and_name(table: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Virtual.start().world.faults.parse([table])


def test_a_file_of_rules_is_read(tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    file.write_text('[[fault]]\nname = "ack-lost"\nvenue = "binance"\n\n[[fault]]\nname = "overload"\nevery = 3\n')
    virtual = Virtual.start()
    virtual.world.faults.load(file)
    assert [rule["name"] for rule in virtual.world.faults.describe()] == ["ack-lost", "overload"]


@pytest.mark.parametrize("text", ["no toml [", '[[fault]]\nname = "nope"', "other = 1", "fault = 3"])
def test_a_file_that_is_wrong_is_a_configuration_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "faults.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=str(file)):
        Virtual.start().world.faults.load(file)


# ── streams ─────────────────────────────────────────────────────────────────────────────────────────────────


def _events(virtual: Virtual, inbox: Any) -> list[str]:
    return [frame["e"] for frame in inbox.frames if "e" in frame]


def test_an_event_is_lost_or_doubled_or_late() -> None:
    counts = {}
    for name in ("lose-event", "duplicate-event", "delay-event"):
        virtual = Virtual.start()
        inbox = virtual.binance_stream()
        virtual.fault(name, topic="ORDER_TRADE_UPDATE", symbol="BTCUSDT")
        virtual.order()
        now = _events(virtual, inbox).count("ORDER_TRADE_UPDATE")
        virtual.wait_ms(1000)
        counts[name] = (now, _events(virtual, inbox).count("ORDER_TRADE_UPDATE"))
    usual = counts["delay-event"][1]
    assert usual >= 2
    assert counts == {
        "lose-event": (0, 0),
        "duplicate-event": (2 * usual, 2 * usual),
        "delay-event": (0, usual),
    }


def test_two_events_change_places() -> None:
    def told(*, swapped: bool) -> list[str]:
        virtual = Virtual.start()
        inbox = virtual.binance_stream()
        if swapped:
            virtual.fault("swap-events", count=1)
        virtual.order()
        return _events(virtual, inbox)

    plain, changed = told(swapped=False), told(swapped=True)
    assert changed != plain
    assert sorted(changed) == sorted(plain)


def test_a_silent_stream_stays_open_and_says_nothing_until_it_is_over() -> None:
    virtual = Virtual.start()
    inbox = virtual.binance_stream()
    virtual.fault("streams-silent", venue="binance", sockets="/private/*", for_ms=5000, at_ms=0)
    virtual.wait_ms(1)
    virtual.order()
    assert (inbox.frames, inbox.closed) == ([], None)
    virtual.wait_ms(5000)
    virtual.order()
    assert _events(virtual, inbox)


def test_streams_are_closed_from_the_venues_side() -> None:
    virtual = Virtual.start()
    inbox = virtual.binance_stream()
    virtual.fault("streams-closed", venue="binance", close_code=1001, at_ms=10)
    virtual.wait_ms(10)
    assert inbox.closed == (1001, "")


def test_a_listen_key_dies_without_a_goodbye() -> None:
    virtual = Virtual.start()
    inbox = virtual.binance_stream()
    virtual.fault("listen-keys-expire", venue="binance", at_ms=10)
    virtual.wait_ms(10)
    virtual.order()
    assert "ORDER_TRADE_UPDATE" not in _events(virtual, inbox)
    assert inbox.closed is None


# ── the engine, others, the venue ───────────────────────────────────────────────────────────────────────────


def _stop(virtual: Virtual, **rest: object) -> Any:
    return virtual.binance(
        "POST",
        "/fapi/v1/algoOrder",
        symbol="BTCUSDT",
        side="SELL",
        algoType="CONDITIONAL",
        type="STOP_MARKET",
        quantity="0.01",
        triggerPrice="49000",
        reduceOnly="true",
        **rest,
    )


def _last_stop(virtual: Virtual) -> str:
    return str(virtual.lines("stop")[-1]["status"])


def test_an_accepted_stop_vanishes_soon_after() -> None:
    virtual = faulty("stop-vanishes", after_ms=50)
    virtual.order()
    assert _stop(virtual)["algoStatus"] == "NEW"
    virtual.wait_ms(49)
    assert _last_stop(virtual) == "untriggered"
    virtual.wait_ms(1)
    assert _last_stop(virtual) == "cancelled"


def test_the_order_of_a_stop_comes_out_short() -> None:
    virtual = faulty("short-child", filled_percent=50)
    virtual.order()
    _stop(virtual)
    virtual.price("binance", "48900")
    virtual.wait_ms(20)
    assert virtual.held("binance") == "0.005"
    assert virtual.lines("order")[-1]["status"] == "expired"


@pytest.mark.parametrize("rest", [{}, {"orderType": "Limit", "price": "50100"}])
def test_an_acknowledged_order_is_rejected_a_little_later_and_does_not_fill_meanwhile(rest: dict[str, str]) -> None:
    virtual = Virtual.start()
    inbox = virtual.bybit_stream("order")
    virtual.fault("reject-order", after_ms=100)
    wish = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.01"}
    assert virtual.bybit("POST", "/v5/order/create", **{**wish, **rest})["retCode"] == 0
    virtual.wait_ms(99)
    virtual.price("bybit", "40000")
    assert virtual.lines("order")[-1]["status"] == "new"
    virtual.wait_ms(1)
    told = [row for frame in inbox.frames if frame.get("topic") == "order" for row in frame["data"]]
    assert [(row["orderStatus"], row["rejectReason"]) for row in told] == [
        ("New", "EC_NoError"), ("Rejected", "EC_Others"),
    ]  # fmt: skip
    assert (virtual.lines("order")[-1]["status"], virtual.held("bybit")) == ("rejected", "0")


def test_an_order_that_is_cancelled_before_its_rejection_stays_cancelled() -> None:
    virtual = faulty("reject-order", after_ms=100)
    order = virtual.bybit_order()["result"]["orderId"]
    gone = virtual.bybit("POST", "/v5/order/cancel", category="linear", symbol="BTCUSDT", orderId=order)
    assert gone["retCode"] == 0
    virtual.wait_ms(200)
    assert virtual.lines("order")[-1]["status"] == "cancelled"


def test_what_is_cancelled_fills_just_before() -> None:
    virtual = faulty("fill-races", method="DELETE")
    order = virtual.binance(
        "POST",
        "/fapi/v1/order",
        symbol="BTCUSDT",
        side="BUY",
        type="LIMIT",
        timeInForce="GTC",
        price="49000",
        quantity="0.01",
    )
    answer = virtual.binance("DELETE", "/fapi/v1/order", symbol="BTCUSDT", orderId=order["orderId"])
    assert (answer["code"], virtual.held("binance")) == (-2011, "0.01")


def test_what_is_cancelled_triggers_just_before() -> None:
    virtual = faulty("trigger-races", method="DELETE")
    virtual.order()
    stop = _stop(virtual)
    answer = virtual.binance("DELETE", "/fapi/v1/algoOrder", algoId=stop["algoId"])
    assert answer["code"] == -4117
    virtual.wait_ms(20)
    assert virtual.held("binance") == "0"


def test_queries_trail_behind_for_a_while() -> None:
    virtual = Virtual.start()
    virtual.fault("stale-reads", venue="binance", lag_ms=3000, for_ms=10_000, at_ms=0)
    virtual.wait_ms(1)
    order = virtual.order()
    query = {"symbol": "BTCUSDT", "orderId": order["orderId"]}
    assert virtual.binance("GET", "/fapi/v1/order", **query)["code"] == -2013
    assert virtual.binance("GET", "/fapi/v3/positionRisk") == []
    virtual.wait_ms(3000)
    assert virtual.binance("GET", "/fapi/v1/order", **query)["status"] == "FILLED"
    assert len(virtual.binance("GET", "/fapi/v3/positionRisk")) == 1


@pytest.mark.parametrize(
    ("name", "rule", "held"),
    [
        ("liquidation", {"market": "BTCUSDT"}, "0"),
        ("adl", {"market": "BTCUSDT", "qty": "0.004"}, "0.006"),
        ("position-changed", {"market": "BTCUSDT", "qty": "-0.02"}, "-0.02"),
    ],
)
def test_others_change_a_position(name: str, rule: dict[str, object], held: str) -> None:
    for venue in ("binance", "bybit"):
        virtual = Virtual.start()
        virtual.order() if venue == "binance" else virtual.bybit_order()
        virtual.fault(name, venue=venue, at_ms=100, **rule)
        virtual.wait_ms(100)
        assert float(virtual.held(venue)) == float(held)


def test_funding_is_paid_by_who_holds_a_position() -> None:
    virtual = Virtual.start()
    virtual.order()
    virtual.fault("funding", venue="binance", market="BTCUSDT", rate="0.001", at_ms=10)
    virtual.wait_ms(10)
    assert [line["amount"] for line in virtual.lines("cash")] == ["-0.5000000"]


def test_the_position_mode_changes_under_the_clients_feet() -> None:
    virtual = faulty("position-mode-changed", venue="binance", count=1)
    assert virtual.order()["code"] == -4061


def test_leverage_and_brackets_change_under_the_clients_feet() -> None:
    virtual = Virtual.start()
    virtual.fault("leverage-changed", venue="binance", market="BTCUSDT", leverage=3, at_ms=1)
    virtual.fault("bracket-lowered", venue="binance", market="ETHUSDT", max_leverage=5, at_ms=1)
    virtual.wait_ms(1)
    engine = virtual.world.venues["binance"]
    assert (engine.leverage("demo", "BTCUSDT"), engine.leverage("demo", "ETHUSDT")) == (Decimal(3), Decimal(5))


def test_filters_change_in_the_engine_and_in_the_markets_answer() -> None:
    virtual = Virtual.start()
    virtual.fault("filters-change", venue="binance", market="BTCUSDT", step_factor=10, at_ms=1)
    virtual.wait_ms(1)
    assert virtual.order(quantity="0.011")["code"] < 0
    rows = virtual.binance("GET", "/fapi/v1/exchangeInfo")["symbols"]
    lot = next(f for row in rows if row["symbol"] == "BTCUSDT" for f in row["filters"] if f["filterType"] == "LOT_SIZE")
    assert float(lot["stepSize"]) == 0.01


def test_the_clock_of_the_venue_is_off() -> None:
    virtual = faulty("clock-skew", venue="binance", skew_ms=-60_000, at_ms=1)
    before_ms = virtual.world.told_ms("binance")
    virtual.wait_ms(1)
    assert virtual.binance("GET", "/fapi/v1/time") == {"serverTime": before_ms + 1 - 60_000}
    assert virtual.world.told_ms("bybit") == before_ms + 1, "the clock of the other venue is right"


def test_a_key_is_revoked() -> None:
    virtual = faulty("key-revoked", venue="binance", key="demo-key", at_ms=1)
    virtual.wait_ms(1)
    assert virtual.order()["code"] in (-2014, -2015)


def test_every_switch_is_in_the_documentation() -> None:
    text = (Path(__file__).parents[4] / "docs" / "emulator.md").read_text()
    assert [name for name in SWITCHES if f"`{name}`" not in text] == []
