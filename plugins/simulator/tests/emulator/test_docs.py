"""What the documents say is what happens: the ledger's fields, and the lines that point clients at the emulator."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import ccxt.pro
import pybit._websocket_trading
import pybit.unified_trading
import pytest
from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import (
    DerivativesTradingUsdsFutures,
)

from framework_simulator.emulator.prices import still
from framework_simulator.engine.ledger import replay

from .binance_kit import run, running
from .virtual import Virtual

DOCS = Path(__file__).parents[4] / "docs"
COMMON = {"seq", "t", "venue", "account", "kind"}
SOMETIMES = {"fault": {"method", "path", "topic", "event", "symbol", "parameters"}}


def _kinds() -> dict[str, str]:
    """What docs/ledger.md says of each kind."""
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", (DOCS / "ledger.md").read_text(encoding="utf-8"), re.MULTILINE)
    return {kind: told for kind, told in rows if kind not in COMMON}


def _fields(told: str) -> set[str]:
    """The fields that a row names: what stands in parentheses explains them."""
    return set(re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", told)))


@pytest.fixture(scope="module")
def busy() -> Virtual:
    """Everything that a ledger tells of, on both venues."""
    virtual = Virtual.start()
    virtual.binance_stream()
    virtual.bybit_stream("order")
    virtual.fault("slow-response", path="/fapi/v1/order", delay_ms=1)
    virtual.fault("duplicate-event", topic="ORDER_TRADE_UPDATE")
    virtual.binance("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=5)
    virtual.order()
    virtual.order(type="LIMIT", timeInForce="GTC", price="49000")
    stop = {"symbol": "BTCUSDT", "side": "SELL", "algoType": "CONDITIONAL", "type": "STOP_MARKET"}
    virtual.binance("POST", "/fapi/v1/algoOrder", **stop, quantity="0.005", triggerPrice="48000", reduceOnly="true")
    virtual.bybit_order(stopLoss="48000")
    virtual.fault("funding", venue="binance", market="BTCUSDT", at_ms=1)
    virtual.fault("adl", venue="bybit", market="BTCUSDT", qty="0.004", at_ms=1)
    virtual.wait_ms(2)
    for venue in ("binance", "bybit"):
        virtual.price(venue, "47900")
    virtual.wait_ms(100)
    virtual.binance("DELETE", "/fapi/v1/order", symbol="BTCUSDT", orderId="1")
    return virtual


def test_every_field_of_the_ledger_is_documented_and_every_documented_field_is_written(busy: Virtual) -> None:
    kinds = _kinds()
    assert {line["kind"] for line in busy.lines()} == set(kinds)
    for line in busy.lines():
        kind, found = line["kind"], set(line) - COMMON
        sometimes = SOMETIMES.get(kind, set())
        assert set(line) >= COMMON
        assert found - sometimes == _fields(kinds[kind]) - sometimes, kind
        assert all(f"`{name}`" in kinds[kind] for name in found & sometimes)


def test_every_word_that_a_line_may_hold_is_documented(busy: Virtual) -> None:
    text = (DOCS / "ledger.md").read_text(encoding="utf-8")
    words = ("status", "type", "created_by", "trigger_by", "reason", "side")
    told = {line[key] for line in busy.lines() for key in words if line["kind"] != "response" and key in line}
    assert {"client", "stop", "venue", "filled", "funding", "untriggered", "finished"} <= told
    assert [word for word in told if f"`{word}`" not in text] == []


def test_decimals_are_strings_without_an_exponent_and_numbers_have_no_gaps(busy: Virtual) -> None:
    lines = busy.lines()
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert [line["t"] for line in lines] == sorted(line["t"] for line in lines)
    amounts = {"qty", "filled", "price", "avg_price", "fee", "realized_pnl", "entry_price", "trigger_price", "bid",
               "ask", "mark", "last", "amount", "cash"}  # fmt: skip
    for line in lines:
        for name in amounts & set(line):
            assert line[name] is None or re.fullmatch(r"-?\d+(\.\d+)?", line[name]), line


def test_what_the_ledger_adds_up_to_is_what_the_venues_hold(busy: Virtual) -> None:
    for (venue, name), account in replay(busy.lines()).items():
        held = busy.world.venues[venue].account(name)
        assert {s: p.quantity for s, p in account.positions.items() if p.quantity} == {
            s: p.quantity for s, p in held.positions.items() if p.quantity
        }
        assert held.cash == account.cash + 10_000


# ── five lines for each client ──────────────────────────────────────────────────────────────────────────────


def _snippet(title: str) -> str:
    found = re.search(rf"^## {title}\n+```\n(.*?)```", (DOCS / "emulator.md").read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_the_lines_for_ccxt_point_it_at_both_venues() -> None:
    async def scenario() -> None:
        async with running() as rig:
            still(rig.world)
            for part in re.split(r"^(?=exchange = )", _snippet("ccxt"), flags=re.MULTILINE)[1:]:
                names: dict[str, Any] = {"ccxt": ccxt, "rest": rig.rest, "ws": rig.ws}
                exec(part, names)  # noqa: S102 - the document's own lines
                exchange = names["exchange"]
                try:
                    exchange.options["fetchMarkets"] = {"types": ["linear"]}
                    order = await exchange.create_order("ETH/USDT:USDT", "market", "buy", 0.1)
                    assert order["id"]
                    watched = await exchange.watch_ticker("ETH/USDT:USDT")
                    assert watched["last"]
                finally:
                    await exchange.close()

    run(scenario)


def test_the_lines_for_pybit_point_it_here(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (pybit.unified_trading, "PUBLIC_WSS"),
        (pybit.unified_trading, "PRIVATE_WSS"),
        (pybit._websocket_trading, "TRADE_WSS"),
    ):
        monkeypatch.setattr(module, name, "ws://nowhere")

    async def scenario() -> None:
        async with running() as rig:
            still(rig.world)
            names: dict[str, Any] = {"pybit": pybit, "rest": rig.rest, "ws": rig.ws}
            exec(_snippet("pybit"), names)  # noqa: S102
            wish = {"category": "linear", "symbol": "ETHUSDT", "side": "Buy", "orderType": "Market", "qty": "0.1"}
            told = await asyncio.to_thread(names["session"].place_order, **wish)
            assert told["retCode"] == 0

    run(scenario)
    modules = (pybit.unified_trading.PUBLIC_WSS, pybit.unified_trading.PRIVATE_WSS, pybit._websocket_trading.TRADE_WSS)
    assert all(url.startswith("ws://127.0.0.1:") for url in modules)


def test_the_lines_for_the_binance_sdk_point_it_here() -> None:
    names: dict[str, Any] = {
        "ConfigurationRestAPI": ConfigurationRestAPI,
        "ConfigurationWebSocketAPI": ConfigurationWebSocketAPI,
        "ConfigurationWebSocketStreams": ConfigurationWebSocketStreams,
        "DerivativesTradingUsdsFutures": DerivativesTradingUsdsFutures,
    }

    async def scenario() -> None:
        async with running() as rig:
            names.update(rest=rig.rest, ws=rig.ws)
            await asyncio.to_thread(exec, _snippet("Binance SDK"), names)
            assert rig.lines("fill")[-1]["symbol"] == "BTCUSDT"

    run(scenario)
