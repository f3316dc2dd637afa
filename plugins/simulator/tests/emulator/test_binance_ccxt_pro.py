"""ccxt.pro, unmodified, against the emulated Binance: market streams, the user stream, trading over a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import ccxt.pro as ccxt
import pytest

from .binance_kit import MS, UNIFIED, Rig, ccxt_config, code_of, run, running, until


class Tapped(ccxt.binanceusdm):  # type: ignore[misc]
    """Keeps every raw message: how a bot makes sure that it misses none."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.heard: list[Any] = []

    def handle_message(self, client: Any, message: Any) -> Any:
        self.heard.append(message)
        return super().handle_message(client, message)

    def kinds(self) -> list[str]:
        return [one["e"] for one in self.heard if isinstance(one, dict) and "e" in one]


@asynccontextmanager
async def watching(**settings: Any) -> AsyncIterator[tuple[Any, Rig]]:
    """ccxt.pro with its markets loaded."""
    async with running(**settings) as rig:
        exchange = Tapped(ccxt_config(rig))
        try:
            await exchange.load_markets()
            yield exchange, rig
        finally:
            await exchange.close()


@asynccontextmanager
async def hearing(exchange: Any, rig: Rig) -> AsyncIterator[list[str]]:
    """The user stream is connected; answers the kinds of events that it tells, as they come."""
    waiting = asyncio.ensure_future(exchange.watch_orders(UNIFIED))
    await until(lambda: any("/private/" in one.path for one in rig.world.sockets.values()))
    await asyncio.sleep(0.02)
    yield exchange.heard
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


WATCHES: list[tuple[str, tuple[Any, ...], Callable[[Any], Any], Any]] = [
    ("watch_ticker", (UNIFIED,), lambda got: got["last"], 50000),
    ("watch_tickers", ([UNIFIED],), lambda got: got[UNIFIED]["last"], 50000),
    ("watch_bids_asks", ([UNIFIED],), lambda got: (got[UNIFIED]["bid"], got[UNIFIED]["ask"]), (50000, 50000.1)),
    ("watch_mark_price", (UNIFIED,), lambda got: got["markPrice"], 50000.05),
    ("watch_ohlcv", (UNIFIED, "1m"), lambda got: got[-1][4], 50000),
    ("watch_order_book", (UNIFIED,), lambda got: (got["bids"][0][0], len(got["asks"])), (50000, 20)),
]


@pytest.mark.parametrize(("name", "args", "told", "expected"), WATCHES)
def test_market_streams_say_at_once_how_things_are(
    name: str, args: tuple[Any, ...], told: Callable[[Any], Any], expected: Any
) -> None:
    async def scenario() -> None:
        async with watching() as (exchange, _):
            assert told(await getattr(exchange, name)(*args)) == expected

    run(scenario)


def test_market_streams_follow_the_market() -> None:
    async def scenario() -> None:
        async with watching() as (exchange, rig):
            await exchange.watch_bids_asks([UNIFIED])
            waiting = asyncio.ensure_future(exchange.watch_bids_asks([UNIFIED]))
            await asyncio.sleep(0)
            rig.price(50100)
            assert (await waiting)[UNIFIED]["bid"] == 50100
            trades = asyncio.ensure_future(exchange.watch_trades(UNIFIED))
            await until(lambda: any(one.get("result", 0) is None for one in exchange.heard[-1:]))
            rig.price(50200)
            assert (await trades)[-1]["price"] == 50200

    run(scenario)


def test_the_order_book_follows_by_differences() -> None:
    async def scenario() -> None:
        async with watching() as (exchange, rig):
            await exchange.watch_order_book(UNIFIED)
            for bid in (50001, 49990, 50300):
                waiting = asyncio.ensure_future(exchange.watch_order_book(UNIFIED))
                await asyncio.sleep(0)
                rig.price(bid)
                rig.world.clock.advance(100 * MS)
                book = await waiting
                assert (book["bids"][0][0], book["asks"][0][0]) == (bid, bid + 0.1)
                assert len(book["bids"]) == 20

    run(scenario)


def test_a_fill_is_told_as_trade_account_and_order() -> None:
    async def scenario() -> None:
        async with watching() as (exchange, rig), hearing(exchange, rig):
            await exchange.create_order(UNIFIED, "market", "buy", 0.01, None, {"clientOrderId": "told-1"})
            await until(lambda: exchange.kinds().count("ORDER_TRADE_UPDATE") == 2)
            assert exchange.kinds() == ["ORDER_TRADE_UPDATE", "TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]
            new, lite, account, filled = exchange.heard[-4:]
            assert (new["o"]["x"], new["o"]["X"]) == ("NEW", "NEW")
            assert (filled["o"]["x"], filled["o"]["X"], filled["o"]["z"]) == ("TRADE", "FILLED", "0.01")
            assert lite["T"] == account["T"] == filled["T"]
            assert account["a"]["B"][0]["wb"] == "9999.7499995"
            assert account["a"]["P"][0]["pa"] == "0.01"

    run(scenario)


def test_orders_trades_positions_and_balance_are_watched() -> None:
    async def scenario() -> None:
        async with watching() as (exchange, rig):
            # The first private call of all answers with what there is; later ones wait for an event.
            assert await exchange.watch_positions([UNIFIED]) == []
            calls = [
                exchange.watch_orders(UNIFIED),
                exchange.watch_my_trades(UNIFIED),
                exchange.watch_balance(),
                exchange.watch_positions([UNIFIED]),
            ]
            waiting = [asyncio.ensure_future(call) for call in calls]
            await until(lambda: any("/private/" in one.path for one in rig.world.sockets.values()))
            await asyncio.sleep(0.02)
            await exchange.create_order(UNIFIED, "market", "buy", 0.01)
            orders, trades, balance, positions = await asyncio.gather(*waiting)
            assert orders[-1]["symbol"] == UNIFIED
            assert (trades[-1]["amount"], trades[-1]["fee"]["cost"]) == (0.01, 0.2500005)
            assert balance["USDT"]["total"] == 9999.7499995
            assert (positions[-1]["contracts"], positions[-1]["side"]) == (0.01, "long")

    run(scenario)


def test_a_stop_tells_its_stages() -> None:
    async def scenario() -> None:
        async with watching() as (exchange, rig), hearing(exchange, rig):
            await exchange.create_order(UNIFIED, "market", "buy", 0.01)
            await exchange.create_order(UNIFIED, "market", "sell", 0.01, None, {"stopLossPrice": 49000})
            rig.price(48990)
            rig.world.clock.advance(12 * MS)

            def stages() -> list[str]:
                return [one["o"]["X"] for one in exchange.heard if one.get("e") == "ALGO_UPDATE"]

            await until(lambda: "FINISHED" in stages())
            assert stages() == ["NEW", "TRIGGERING", "TRIGGERED", "FINISHED"]
            last = exchange.heard[-1]["o"]
            assert (last["aq"], last["ap"], last["act"]) == ("0.01", "48990", "MARKET")

    run(scenario)


def test_an_expired_listen_key_is_told_and_then_there_is_silence_on_an_open_socket() -> None:
    async def scenario() -> None:
        async with watching() as (exchange, rig), hearing(exchange, rig):
            rig.world.clock.advance(3600 * 1000 * MS)
            await until(lambda: "listenKeyExpired" in exchange.kinds())
            heard = len(exchange.heard)
            await exchange.load_time_difference()
            await exchange.create_order(UNIFIED, "market", "buy", 0.01)
            assert len(exchange.heard) == heard
            assert any("/private/" in one.path for one in rig.world.sockets.values())

    run(scenario)


def test_orders_are_placed_and_cancelled_over_a_websocket() -> None:
    async def scenario() -> None:
        async with watching() as (exchange, _):
            order = await exchange.create_order_ws(UNIFIED, "limit", "buy", 0.01, 49000)
            assert order["status"] == "open"
            assert (await exchange.fetch_order_ws(order["id"], UNIFIED))["status"] == "open"
            assert (await exchange.edit_order_ws(order["id"], UNIFIED, "limit", "buy", 0.01, 49100))["price"] == 49100
            assert (await exchange.cancel_order_ws(order["id"], UNIFIED))["status"] == "canceled"
            filled = await exchange.create_order_ws(UNIFIED, "market", "buy", 0.01)
            assert filled["status"] == "closed"
            stop = await exchange.create_order_ws(UNIFIED, "market", "sell", 0.01, None, {"stopLossPrice": 49000})
            assert stop["info"]["algoStatus"] == "NEW"
            await exchange.cancel_order_ws(stop["id"], UNIFIED, {"trigger": True})
            assert (await exchange.fetch_balance_ws())["USDT"]["total"] < 10000
            assert (await exchange.fetch_positions_ws([UNIFIED]))[0]["contracts"] == 0.01
            await exchange.create_order_ws(UNIFIED, "market", "sell", 0.02, None, {"reduceOnly": True})
            with pytest.raises(ccxt.BaseError) as caught:
                await exchange.create_order_ws(UNIFIED, "market", "sell", 0.02, None, {"reduceOnly": True})
            assert code_of(caught.value) == -2022

    run(scenario)


def test_a_dropped_stream_is_an_error_and_the_next_watch_connects_again() -> None:
    async def scenario() -> None:
        async with watching() as (exchange, rig):
            await exchange.watch_bids_asks([UNIFIED])
            waiting = asyncio.ensure_future(exchange.watch_bids_asks([UNIFIED]))
            await asyncio.sleep(0)
            for one in tuple(rig.world.sockets.values()):
                one.close(1001, "")
            with pytest.raises(ccxt.NetworkError):
                await waiting
            await exchange.watch_bids_asks([UNIFIED])

    run(scenario)
