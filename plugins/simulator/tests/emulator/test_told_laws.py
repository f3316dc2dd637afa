"""What holds of whatever the venues tell: books never cross, decimals have no exponent. And rare rules, on the wire."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .virtual import Virtual

TICK = Decimal("0.1")
QUOTES = st.lists(
    st.tuples(
        st.integers(1, 2_000_000),
        st.integers(0, 3000),
        st.sampled_from([None, "0.001", "0.02", "7"]),
        st.sampled_from(["BUY", "SELL", None]),
    ),
    min_size=1,
    max_size=6,
)


def _books(virtual: Virtual) -> Iterator[tuple[list[list[str]], list[list[str]]]]:
    for limit in (5, 100):
        told = virtual.binance("GET", "/fapi/v1/depth", symbol="BTCUSDT", limit=limit)
        yield told["bids"], told["asks"]
    for limit in (1, 50):
        told = virtual.bybit("GET", "/v5/market/orderbook", category="linear", symbol="BTCUSDT", limit=limit)["result"]
        yield told["b"], told["a"]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str):
        yield value


@settings(deadline=None, max_examples=40)
@given(QUOTES)
def test_told_books_never_cross_whatever_the_market_and_the_orders_do(quotes: list[Any]) -> None:
    virtual = Virtual.start()
    for ticks, spread, depth, side in quotes:
        bid, ask = ticks * TICK, (ticks + spread) * TICK
        quantities = {} if depth is None else {"bid_qty": depth, "ask_qty": depth}
        for venue in ("binance", "bybit"):
            virtual.price(venue, str(bid), str(ask), **quantities)
        if side is not None:
            virtual.order(side=side)
            virtual.bybit_order(side=side.title())
        for bids, asks in _books(virtual):
            told_bids, told_asks = [Decimal(row[0]) for row in bids], [Decimal(row[0]) for row in asks]
            assert told_bids == sorted(set(told_bids), reverse=True)
            assert told_asks == sorted(set(told_asks))
            assert not bids or not asks or told_bids[0] <= told_asks[0]
            assert all(Decimal(row[1]) > 0 for row in (*bids, *asks))


def test_decimals_are_told_without_an_exponent_however_small() -> None:
    virtual = Virtual.start()
    for venue in ("binance", "bybit"):
        virtual.price(venue, "0.00001", symbol="DOGEUSDT")
    virtual.order(quantity="0.001")
    private = {"category": "linear", "symbol": "BTCUSDT"}
    virtual.bybit_order(quantity="0.001")
    told = [
        *(virtual.binance("GET", f"/fapi/{name}") for name in ("v3/account", "v1/ticker/bookTicker", "v1/income")),
        *(virtual.bybit("GET", path, **private) for path in ("/v5/position/list", "/v5/execution/list")),
        virtual.bybit("GET", "/v5/market/tickers", category="linear"),
    ]
    assert "0.00001" in {text.rstrip("0") for text in _texts(told)}
    assert [text for text in _texts(told) if re.fullmatch(r"-?\d+(\.\d+)?[eE][+-]?\d+", text)] == []


# ── rare rules ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_market_order_does_not_fill_far_from_the_mark_price() -> None:
    virtual = Virtual.start()
    virtual.price("binance", "50000", mark="40000")
    order = virtual.order()
    assert (order["status"], order["executedQty"]) == ("EXPIRED", "0")


@pytest.mark.parametrize(("protect", "held"), [("TRUE", 0.01), ("FALSE", 0)])
def test_a_protected_stop_does_not_trigger_while_last_and_mark_price_are_far_apart(protect: str, held: float) -> None:
    virtual = Virtual.start()
    virtual.order()
    stop = {"symbol": "BTCUSDT", "side": "SELL", "algoType": "CONDITIONAL", "type": "STOP_MARKET", "quantity": "0.01"}
    virtual.binance("POST", "/fapi/v1/algoOrder", **stop, triggerPrice="49000", priceProtect=protect)
    virtual.price("binance", "48900", last="46000", mark="49000")
    virtual.wait_ms(50)
    assert float(virtual.held("binance")) == held


def test_deleveraging_is_told_in_each_venues_words() -> None:
    virtual = Virtual.start()
    virtual.order()
    virtual.bybit_order()
    user, private = virtual.binance_stream(), virtual.bybit_stream("execution", "order")
    for venue in ("binance", "bybit"):
        virtual.fault("adl", venue=venue, market="BTCUSDT", qty="0.004", at_ms=1)
    virtual.wait_ms(1)
    (forced,) = [
        frame["o"] for frame in user.frames if frame.get("e") == "ORDER_TRADE_UPDATE" if frame["o"]["l"] != "0"
    ]
    assert (forced["c"][:13], forced["l"], forced["R"]) == ("adl_autoclose", "0.004", True)
    rows = {topic: frame["data"][-1] for frame in private.frames if (topic := frame.get("topic"))}
    assert (rows["execution"]["execType"], rows["execution"]["execQty"]) == ("AdlTrade", "0.004")
    assert rows["order"]["createType"] == "CreateByAdl_PassThrough"
