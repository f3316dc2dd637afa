"""ccxt.pro, unmodified, against the emulated Bybit: what a bot watches, and trading over a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import ccxt
import ccxt.pro as ccxtpro
import pytest

from .bybit_kit import UNIFIED, Rig, ccxt_config, code_of, run, running, until

QUIET = {"watchPositions": {"fetchPositionsSnapshot": False}}


@asynccontextmanager
async def watching(**settings: Any) -> AsyncIterator[tuple[Any, Rig]]:
    """ccxt.pro with its markets loaded."""
    async with running(**settings) as rig:
        exchange = ccxtpro.bybit(ccxt_config(rig, options=QUIET))
        try:
            await exchange.load_markets()
            yield exchange, rig
        finally:
            await exchange.close()


async def watched(rig: Rig, *calls: Any) -> list[asyncio.Task[Any]]:
    """Watches of the private stream that are pending, their topics subscribed at the venue."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    await until(lambda: topics(rig) == len(tasks))
    return tasks


def topics(rig: Rig) -> int:
    wire: Any = rig.world.wires["bybit"]
    return sum(len(sockets) for sockets in wire.private._sockets.values())


def test_tickers_books_trades_and_candles_come_as_snapshots_and_then_as_changes() -> None:
    async def scenario() -> None:
        async with watching() as (exchange, rig):
            ticker = await exchange.watch_ticker(UNIFIED)
            assert (ticker["last"], ticker["markPrice"]) == (50000, 50000.05)
            book = await exchange.watch_order_book(UNIFIED)
            assert (book["bids"][0][0], len(book["asks"])) == (50000, 50)
            best = (await exchange.watch_bids_asks([UNIFIED]))[UNIFIED]
            assert (best["bid"], best["ask"]) == (50000, 50000.1)
            candles = await exchange.watch_ohlcv(UNIFIED, "1m")
            assert candles[-1][4] == 50000
            pending = [
                asyncio.ensure_future(exchange.watch_ticker(UNIFIED)),
                asyncio.ensure_future(exchange.watch_order_book(UNIFIED)),
                asyncio.ensure_future(exchange.watch_trades(UNIFIED)),
            ]
            wire: Any = rig.world.wires["bybit"]
            await until(lambda: "publicTrade.BTCUSDT" in wire.public._topics["BTCUSDT"])
            rig.price(50100)
            ticker, book, trades = await asyncio.gather(*pending)
            assert (ticker["last"], ticker["bid"], ticker["high"]) == (50100, 50100, 50000)
            assert (book["bids"][0][0], book["asks"][0][0]) == (50100, 50100.1)
            assert (trades[-1]["price"], trades[-1]["side"]) == (50100, "buy")

    run(scenario)


def test_an_entry_is_seen_as_order_trade_position_and_wallet() -> None:
    async def scenario() -> None:
        async with watching() as (exchange, rig):
            calls = (exchange.watch_orders(), exchange.watch_my_trades(), exchange.watch_positions())
            orders, trades, positions = await watched(rig, *calls)
            wish = {"clientOrderId": "seen", "stopLoss": {"triggerPrice": 45000}, "tpslMode": "Full"}
            await exchange.create_order(UNIFIED, "market", "buy", 0.01, None, wish)
            order = (await orders)[0]
            assert (order["clientOrderId"], order["type"]) == ("seen", "market")
            trade = (await trades)[-1]
            assert (trade["price"], trade["amount"], trade["takerOrMaker"]) == (50000.1, 0.01, "taker")
            assert (await positions)[-1]["symbol"] == UNIFIED
            held = (await exchange.fetch_positions([UNIFIED]))[0]
            assert (held["contracts"], held["stopLossPrice"]) == (0.01, 45000)

    run(scenario)


def test_the_stream_tells_of_every_stage_of_an_order_in_turn() -> None:
    async def scenario() -> None:
        async with watching() as (exchange, rig):
            heard: list[tuple[str, str]] = []
            original = exchange.handle_message

            def tap(client: Any, message: Any) -> Any:
                if message.get("topic") == "order":
                    heard.extend((row["stopOrderType"], row["orderStatus"]) for row in message["data"])
                return original(client, message)

            exchange.handle_message = tap
            (pending,) = await watched(rig, exchange.watch_orders())
            wish = {"stopLoss": {"triggerPrice": 49000}, "tpslMode": "Full"}
            await exchange.create_order(UNIFIED, "market", "buy", 0.01, None, wish)
            rig.price(48990)
            await until(lambda: heard[-1:] == [("StopLoss", "Filled")])
            assert heard == [
                ("", "New"),
                ("", "Filled"),
                ("StopLoss", "Untriggered"),
                ("StopLoss", "Triggered"),
                ("StopLoss", "New"),
                ("StopLoss", "Filled"),
            ]
            await pending

    run(scenario)


def test_the_wallet_is_told_after_a_fill() -> None:
    async def scenario() -> None:
        async with watching() as (exchange, rig):
            (balance,) = await watched(rig, exchange.watch_balance())
            await exchange.create_order(UNIFIED, "market", "buy", 0.01)
            assert (await balance)["USDT"]["total"] == pytest.approx(10000 - 0.275 - 0.0005, abs=1e-4)

    run(scenario)


def test_orders_are_placed_amended_and_cancelled_over_the_trading_socket() -> None:
    async def scenario() -> None:
        async with watching() as (exchange, rig):
            order = await exchange.create_order_ws(UNIFIED, "limit", "buy", 0.01, 49000, {"clientOrderId": "ws-1"})
            await exchange.edit_order_ws(order["id"], UNIFIED, "limit", "buy", 0.01, 49100)
            assert (await exchange.fetch_open_orders(UNIFIED))[0]["price"] == 49100
            await exchange.cancel_order_ws(order["id"], UNIFIED)
            assert await exchange.fetch_open_orders(UNIFIED) == []
            with pytest.raises(ccxt.OrderNotFound) as caught:
                await exchange.cancel_order_ws(order["id"], UNIFIED)
            assert code_of(caught.value) == 110001
            assert [line["path"] for line in rig.lines("request") if line["method"] == "WS"] == [
                "order.create",
                "order.amend",
                "order.cancel",
                "order.cancel",
            ]

    run(scenario)


def test_a_wrong_secret_can_not_watch() -> None:
    async def scenario() -> None:
        async with watching() as (exchange, _):
            exchange.secret = "wrong"  # noqa: S105 - no secret
            with pytest.raises(ccxt.BaseError):
                await exchange.watch_orders()

    run(scenario)
