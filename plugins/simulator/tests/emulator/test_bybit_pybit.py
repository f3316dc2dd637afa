"""pybit, unmodified, against the emulated Bybit: REST, public and private streams, trading over a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pybit.unified_trading as pybit
import pytest
from pybit import _websocket_trading
from pybit.exceptions import InvalidRequestError

from .bybit_kit import SYMBOL, Rig, run, running, until

LINEAR = {"category": "linear", "symbol": SYMBOL}
KEYS = {"api_key": "demo-key", "api_secret": "demo-secret"}
LIMIT = {**LINEAR, "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "49000", "timeInForce": "GTC"}
MARKET = {**LINEAR, "side": "Buy", "orderType": "Market", "qty": "0.01"}


def session(rig: Rig) -> Any:
    client = pybit.HTTP(**KEYS)
    client.endpoint = rig.rest
    return client


@contextmanager
def pointed_at(rig: Rig, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """pybit takes its addresses from module constants."""
    patch.setattr(pybit, "PUBLIC_WSS", f"{rig.ws}/v5/public/{{CHANNEL_TYPE}}")
    patch.setattr(pybit, "PRIVATE_WSS", f"{rig.ws}/v5/private")
    patch.setattr(_websocket_trading, "TRADE_WSS", f"{rig.ws}/v5/trade")
    yield


def test_every_call_of_a_bot_is_answered_over_rest() -> None:
    async def scenario() -> None:
        async with running() as rig:
            await asyncio.to_thread(_use, session(rig), rig)

    run(scenario)


def _use(client: Any, rig: Rig) -> None:
    assert client.get_server_time()["retCode"] == 0
    assert client.get_instruments_info(**LINEAR)["result"]["list"][0]["symbol"] == SYMBOL
    assert client.get_tickers(**LINEAR)["result"]["list"][0]["lastPrice"] == "50000"
    assert client.get_orderbook(**LINEAR, limit=1)["result"]["b"] == [["50000", "2"]]
    assert client.get_kline(**LINEAR, interval=1)["result"]["list"][0][4] == "50000"
    assert client.get_api_key_information()["result"]["readOnly"] == 0
    assert client.get_account_info()["result"]["unifiedMarginStatus"] == 6
    assert client.get_wallet_balance(accountType="UNIFIED")["result"]["list"][0]["totalEquity"] == "10000"
    with pytest.raises(InvalidRequestError) as same:
        client.set_leverage(**LINEAR, buyLeverage="10", sellLeverage="10")
    assert same.value.status_code == 110043
    entry = {**MARKET, "orderLinkId": "py-1", "stopLoss": "45000", "slTriggerBy": "MarkPrice", "tpslMode": "Full"}
    order_id = client.place_order(**entry, positionIdx=0)["result"]["orderId"]
    position = client.get_positions(**LINEAR)["result"]["list"][0]
    assert (position["side"], position["size"], position["stopLoss"]) == ("Buy", "0.01", "45000")
    client.set_trading_stop(**LINEAR, stopLoss="45500", tpslMode="Full", positionIdx=0)
    found = client.get_open_orders(**LINEAR, orderFilter="StopOrder")["result"]["list"]
    assert [one["triggerPrice"] for one in found] == ["45500"]
    done = client.get_order_history(**LINEAR, orderLinkId="py-1")["result"]["list"][0]
    assert (done["orderId"], done["orderStatus"], done["avgPrice"]) == (order_id, "Filled", "50000.1")
    resting = client.place_order(**LIMIT)["result"]["orderId"]
    client.amend_order(**LINEAR, orderId=resting, price="49100")
    client.cancel_order(**LINEAR, orderId=resting)
    client.place_order(**LINEAR, side="Sell", orderType="Market", qty="0", reduceOnly=True, closeOnTrigger=True)
    assert client.get_positions(**LINEAR)["result"]["list"][0]["side"] == ""
    assert len(client.get_executions(category="linear")["result"]["list"]) == 2
    assert client.get_closed_pnl(category="linear")["result"]["list"][0]["closedSize"] == "0.01"
    batch = client.place_batch_order(category="linear", request=[LIMIT, {**LIMIT, "qty": "0"}])
    assert [one["code"] for one in batch["retExtInfo"]["list"]] == [0, 10001]
    assert len(client.cancel_all_orders(**LINEAR)["result"]["list"]) == 1


def test_public_streams_tell_the_whole_and_then_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with running() as rig:
            with pointed_at(rig, monkeypatch):
                socket = await asyncio.to_thread(lambda: pybit.WebSocket("linear", testnet=False))
            tickers: list[Any] = []
            books: list[Any] = []
            await asyncio.to_thread(socket.ticker_stream, SYMBOL, tickers.append)
            await asyncio.to_thread(socket.orderbook_stream, 50, SYMBOL, books.append)
            await until(lambda: tickers and books)
            rig.price(50100)
            await until(lambda: tickers[-1]["data"]["lastPrice"] == "50100" and len(books) > 1)
            assert tickers[-1]["data"]["openInterest"] == "1000"
            bids = {price for price, _ in books[-1]["data"]["b"]}
            assert len(bids) == 50
            assert "50100" in bids
            assert "49999.9" not in bids
            await asyncio.to_thread(socket.exit)

    run(scenario)


def test_private_streams_tell_of_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with running() as rig:
            with pointed_at(rig, monkeypatch):
                socket = await asyncio.to_thread(
                    lambda: pybit.WebSocket("private", testnet=False, **KEYS, private_auth_expire=5)
                )
            heard: dict[str, list[Any]] = {"order": [], "execution": [], "position": [], "wallet": []}
            for topic, frames in heard.items():
                await asyncio.to_thread(getattr(socket, f"{topic}_stream"), frames.append)
            wire: Any = rig.world.wires["bybit"]
            await until(lambda: sum(len(one) for one in wire.private._sockets.values()) == 4)
            await asyncio.to_thread(lambda: session(rig).place_order(**MARKET, orderLinkId="py-2"))
            await until(lambda: all(heard.values()) and heard["order"][-1]["data"][0]["orderStatus"] == "Filled")
            assert heard["execution"][0]["data"][0]["execPrice"] == "50000.1"
            await until(lambda: heard["position"][-1]["data"][0]["size"] == "0.01")
            assert heard["position"][-1]["data"][0]["entryPrice"] == "50000.1"
            await asyncio.to_thread(socket.exit)

    run(scenario)


def test_orders_go_over_the_trading_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with running() as rig:
            with pointed_at(rig, monkeypatch):
                socket = await asyncio.to_thread(
                    lambda: pybit.WebSocketTrading(testnet=False, **KEYS, private_auth_expire=5)
                )
            answers: list[Any] = []
            errors: list[Any] = []

            async def ask(operation: str, **params: Any) -> None:
                before = len(answers) + len(errors)
                await asyncio.to_thread(lambda: getattr(socket, operation)(answers.append, errors.append, **params))
                await until(lambda: len(answers) + len(errors) > before)

            await ask("place_order", **LIMIT, orderLinkId="py-3")
            await ask("amend_order", **LINEAR, orderLinkId="py-3", price="49100")
            await ask("cancel_order", **LINEAR, orderLinkId="py-3")
            await ask("cancel_order", **LINEAR, orderLinkId="py-3")
            await ask("place_batch_order", category="linear", request=[LIMIT])
            assert [one["op"] for one in answers] == [
                "order.create",
                "order.amend",
                "order.cancel",
                "order.create-batch",
            ]
            assert answers[-1]["retExtInfo"]["list"] == [{"code": 0, "msg": "OK"}]
            assert [one["retCode"] for one in errors] == [110001]
            await asyncio.to_thread(socket.exit)

    run(scenario)
