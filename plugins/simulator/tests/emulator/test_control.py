"""The control surface: what a test does to the venues from outside."""

from __future__ import annotations

import pytest

from framework_simulator.emulator.control import ControlError

from .virtual import Virtual


def test_a_price_moves_the_market_and_is_in_the_ledger() -> None:
    virtual = Virtual.start()
    virtual.control.price(
        {"venue": "bybit", "symbol": "BTCUSDT", "bid": "61000", "ask": 61001, "mark": "61000.5", "last": "60999"}
    )
    line = virtual.lines("price", "bybit")[-1]
    assert [line[name] for name in ("symbol", "bid", "ask", "mark", "last")] == [
        "BTCUSDT", "61000", "61001", "61000.5", "60999",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"venue": "kraken", "symbol": "BTCUSDT", "bid": 1, "ask": 1}, "venue must be one of"),
        ({"venue": "binance", "symbol": "NOPE", "bid": 1, "ask": 1}, "does not list NOPE"),
        ({"venue": "binance", "symbol": "BTCUSDT", "ask": 1}, "bid is missing"),
        ({"venue": "binance", "symbol": "BTCUSDT", "bid": "x", "ask": 1}, "bid must be a decimal"),
        ({"venue": "binance", "symbol": "BTCUSDT", "bid": 2, "ask": 1}, "above the ask"),
        ({"venue": "binance", "symbol": "BTCUSDT", "bid": "NaN", "ask": 1}, "bid must be a decimal"),
        ({"venue": "binance", "symbol": ["BTCUSDT"], "bid": 1, "ask": 1}, "does not list"),
    ],
)
def test_a_price_that_can_not_be_is_refused(wish: dict[str, object], told: str) -> None:
    with pytest.raises(ControlError, match=told):
        Virtual.start().control.price(wish)


def test_somebody_else_changes_a_position() -> None:
    virtual = Virtual.start()
    virtual.control.position({"venue": "binance", "symbol": "BTCUSDT", "qty": "-0.5"})
    assert virtual.held("binance") == "-0.5"
    virtual.control.position({"venue": "binance", "symbol": "BTCUSDT", "qty": 0, "price": "49000"})
    assert virtual.held("binance") == "0"
    assert virtual.lines("fill")[-1]["price"] == "49000.0"


def test_the_clock_is_skewed_and_advanced() -> None:
    virtual = Virtual.start()
    before = virtual.world.now_ns()
    now_ms = before // 1_000_000
    assert virtual.control.clock({"skew_ms": 5000})["told_ms"] == {"binance": now_ms + 5000, "bybit": now_ms + 5000}
    told = virtual.control.clock({"skew_ms": -5000, "venue": "bybit"})
    assert told["told_ms"] == {"binance": now_ms + 5000, "bybit": now_ms - 5000}
    assert told["t"] == before
    with pytest.raises(ControlError, match="venue must be one of"):
        virtual.control.clock({"skew_ms": 1, "venue": "nope"})
    virtual.control.advance({"ms": 250})
    assert virtual.world.now_ns() - before == 250_000_000
    with pytest.raises(ControlError, match="never runs backwards"):
        virtual.control.advance({"ms": -1})


def test_rules_are_added_told_and_cleared() -> None:
    virtual = Virtual.start()
    told = virtual.control.faults({"fault": [{"name": "ack-lost", "venue": "binance", "count": 1}]})
    assert [rule["name"] for rule in told["fault"]] == ["ack-lost"]
    assert virtual.control.faults({"clear": True}) == {"fault": []}


def test_the_state_tells_what_is_open() -> None:
    virtual = Virtual.start()
    virtual.order(quantity="0.02")
    account = virtual.control.state()["venues"]["binance"]["accounts"]["demo"]
    assert account["positions"] == [{"symbol": "BTCUSDT", "qty": "0.020", "entry_price": "50000.1"}]
    assert virtual.control.state()["defects"] == []


def test_the_ledger_is_told_from_a_line_on() -> None:
    virtual = Virtual.start()
    last = virtual.tail.lines[-1]["seq"]
    virtual.price("binance", "51000")
    assert [line["kind"] for line in virtual.tail.since(last)] == ["price"]


def test_settings_are_changed_while_it_runs() -> None:
    virtual = Virtual.start()
    told = virtual.control.settings({"rate_limits": False, "read_lag_ms": 500})
    assert (told["rate_limits"], told["read_lag_ms"]) == (False, 500)
    assert virtual.world.settings.read_lag_ns == 500_000_000


@pytest.mark.parametrize(
    ("wish", "told"),
    [({"nope": 1}, "unknown setting"), ({"rate_limits": 1}, "true or false"), ({"read_lag_ms": "x"}, "decimal")],
)
def test_a_setting_that_can_not_be_is_refused(wish: dict[str, object], told: str) -> None:
    with pytest.raises(ControlError, match=told):
        Virtual.start().control.settings(wish)
