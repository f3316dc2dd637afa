"""Binance's own SDK, unmodified, with its strict typed models: REST, streams and the WebSocket API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pydantic
import pytest
from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_common.errors import BadRequestError, UnauthorizedError
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import (
    DerivativesTradingUsdsFutures,
)

from framework_simulator.emulator.build import DEFAULT_KEY

from .binance_kit import MS, SYMBOL, Rig, d, run, running, until

# What the models name and the venue leaves out: fields of other order types, and of the coin-margined sister venue.
LEFT_OUT = {
    "activatePrice", "priceRate", "pair", "cumBase", "baseQty", "marginAsset", "icebergQuantity", "code", "msg",
    "HEDGE", "ACCOUNT", "BTCUSDT", "ETHUSDT",
}  # fmt: skip
OF_ONE_FILTER = {
    "maxQty", "minQty", "stepSize", "limit", "notional", "multiplierUp", "multiplierDown", "multiplierDecimal",
    "maxPrice", "minPrice", "tickSize",
}  # fmt: skip


def missing(told: Any) -> set[str]:
    """The fields that a model names and the answer lacks."""
    if isinstance(told, list):
        return set().union(*map(missing, told)) if told else set()
    if not isinstance(told, pydantic.BaseModel):
        return set()
    if (chosen := getattr(told, "actual_instance", None)) is not None:
        return missing(chosen)
    found: set[str] = set()
    for name, info in type(told).model_fields.items():
        if name == "additional_properties" or name.startswith(("oneof", "one_of", "actual")):
            continue
        value = getattr(told, name)
        found |= {info.alias or name} if value is None else missing(value)
    return found - LEFT_OUT


def client_for(rig: Rig) -> Any:
    key, secret = DEFAULT_KEY.key, DEFAULT_KEY.secret
    return DerivativesTradingUsdsFutures(
        config_rest_api=ConfigurationRestAPI(key, secret, base_path=rig.rest),
        config_ws_api=ConfigurationWebSocketAPI(key, secret, stream_url=f"{rig.ws}/ws-fapi/v1"),
        config_ws_streams=ConfigurationWebSocketStreams(stream_url=rig.ws),
    )


@asynccontextmanager
async def calling(**settings: Any) -> AsyncIterator[tuple[Callable[..., Any], Rig]]:
    """Call a method of the SDK's REST client by name; answers what its model made of it, complete or not at all."""
    async with running(**settings) as rig:
        rest = client_for(rig).rest_api

        async def call(name: str, *, may_lack: frozenset[str] = frozenset(), **params: Any) -> Any:
            # The SDK's REST client blocks, so it lives in a thread.
            told = await asyncio.to_thread(lambda: getattr(rest, name)(**params).data())
            assert missing(told) <= may_lack, name
            return told

        yield call, rig


def test_market_data_fits_the_models() -> None:
    async def scenario() -> None:
        async with calling() as (call, rig):
            rig.price(50001)
            await call("exchange_information", may_lack=frozenset(OF_ONE_FILTER))
            for name in ("check_server_time", "test_connectivity", "get_funding_rate_info"):
                await call(name)
            for name in (
                "adl_risk",
                "compressed_aggregate_trades_list",
                "mark_price",
                "old_trades_lookup",
                "open_interest",
                "order_book",
                "query_index_price_constituents",
                "recent_trades_list",
                "symbol_order_book_ticker",
                "symbol_price_ticker",
                "symbol_price_ticker_v2",
                "ticker24hr_price_change_statistics",
            ):
                assert await call(name, symbol=SYMBOL)
            for name in ("mark_price", "symbol_order_book_ticker", "symbol_price_ticker", "adl_risk"):
                assert await call(name)
            candles = await call("kline_candlestick_data", symbol=SYMBOL, interval="1m")
            assert candles[-1][4] == "50001.0"

    run(scenario)


def test_orders_fit_the_models_from_placing_to_cancelling() -> None:
    async def scenario() -> None:
        async with calling() as (call, _):
            limit = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 0.01}
            order = await call("new_order", price=49000.0, **limit)
            assert order.status == "NEW"
            await call("test_order", price=49000.0, **limit)
            params = {"symbol": SYMBOL, "order_id": order.order_id}
            moved = await call("modify_order", side="BUY", quantity=0.02, price=49100.0, **params)
            assert (moved.orig_qty, moved.price) == ("0.02", "49100")
            (change,) = await call("get_order_modify_history", **params)
            assert change.amendment.price.before == "49000"
            for name, status in (("query_order", "NEW"), ("query_current_open_order", "NEW")):
                assert (await call(name, **params)).status == status
            assert len(await call("current_all_open_orders", symbol=SYMBOL)) == 1
            assert (await call("cancel_order", **params)).status == "CANCELED"
            batch = [
                {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": p}
                for p in ("49000", "49001")
            ]
            placed = await call("place_multiple_orders", batch_orders=batch)
            ids = [one.order_id for one in placed]
            gone = await call("cancel_multiple_orders", symbol=SYMBOL, order_id_list=ids)
            assert [one.status for one in gone] == ["CANCELED", "CANCELED"]
            await call("new_order", symbol=SYMBOL, side="BUY", type="MARKET", quantity=0.01)
            for name in ("all_orders", "account_trade_list"):
                assert await call(name, symbol=SYMBOL)
            assert (await call("cancel_all_open_orders", symbol=SYMBOL)).code == 200
            switch = await call("auto_cancel_all_open_orders", symbol=SYMBOL, countdown_time=1000)
            assert switch.countdown_time == "1000"

    run(scenario)


def test_conditional_orders_fit_the_models() -> None:
    async def scenario() -> None:
        async with calling() as (call, rig):
            await call("new_order", symbol=SYMBOL, side="BUY", type="MARKET", quantity=0.01)
            common = {"algo_type": "CONDITIONAL", "symbol": SYMBOL, "side": "SELL", "quantity": 0.01}
            stop = await call("new_algo_order", type="STOP_MARKET", trigger_price=49000.0, reduce_only="true", **common)
            await call("new_algo_order", type="TRAILING_STOP_MARKET", callback_rate=1.0, **common)
            assert (await call("query_algo_order", algo_id=stop.algo_id)).algo_status == "NEW"
            assert len(await call("current_all_algo_open_orders", symbol=SYMBOL)) == 2
            assert (await call("cancel_algo_order", algo_id=stop.algo_id)).code == "200"
            assert (await call("cancel_all_algo_open_orders", symbol=SYMBOL)).code == 200
            assert len(await call("query_all_algo_orders", symbol=SYMBOL)) == 2
            with pytest.raises(BadRequestError) as caught:
                await call("new_order", symbol=SYMBOL, side="SELL", type="STOP_MARKET", quantity=0.01)
            assert "-4120" in str(caught.value)
            assert rig.lines("stop")[-1]["status"] == "cancelled"

    run(scenario)


def test_the_account_fits_the_models() -> None:
    async def scenario() -> None:
        async with calling() as (call, _):
            await call("new_order", symbol=SYMBOL, side="BUY", type="MARKET", quantity=0.01)
            for name in (
                "account_information_v2",
                "account_information_v3",
                "futures_account_balance_v2",
                "futures_account_balance_v3",
                "futures_account_configuration",
                "futures_trading_quantitative_rules_indicators",
                "get_bnb_burn_status",
                "get_current_multi_assets_mode",
                "get_current_position_mode",
                "get_income_history",
                "notional_and_leverage_brackets",
                "position_adl_quantile_estimation",
                "position_information_v2",
                "position_information_v3",
                "query_user_rate_limit",
                "symbol_configuration",
                "users_force_orders",
                "start_user_data_stream",
                "keepalive_user_data_stream",
                "close_user_data_stream",
            ):
                await call(name)
            assert (await call("user_commission_rate", symbol=SYMBOL)).taker_commission_rate == "0.0005"
            assert (await call("change_initial_leverage", symbol=SYMBOL, leverage=5)).leverage == 5
            assert (await call("change_margin_type", symbol="ETHUSDT", margin_type="ISOLATED")).code == 200

    run(scenario)


def test_errors_arrive_as_the_sdks_own() -> None:
    async def scenario() -> None:
        async with running() as rig:
            config = ConfigurationRestAPI("nobody", "x", base_path=rig.rest)
            rest = DerivativesTradingUsdsFutures(config_rest_api=config).rest_api
            with pytest.raises(UnauthorizedError):
                await asyncio.to_thread(rest.account_information_v3)

    run(scenario)


def test_market_streams_fit_the_models() -> None:
    async def scenario() -> None:
        async with running() as rig:
            streams = client_for(rig).websocket_streams
            await streams.create_connection()
            heard: dict[str, Any] = {}
            for name, params in (
                ("individual_symbol_book_ticker_streams", {"symbol": "btcusdt"}),
                ("individual_symbol_ticker_streams", {"symbol": "btcusdt"}),
                ("individual_symbol_mini_ticker_stream", {"symbol": "btcusdt"}),
                ("mark_price_stream", {"symbol": "btcusdt", "update_speed": "1s"}),
                ("kline_candlestick_streams", {"symbol": "btcusdt", "interval": "1m"}),
                ("partial_book_depth_streams", {"symbol": "btcusdt", "levels": 5}),
                ("all_book_tickers_stream", {}),
            ):
                handle = await getattr(streams, name)(**params)
                handle.on("message", partial(heard.__setitem__, name))
                await until(partial(heard.get, name))
            lacking = {name: missing(told) - {"ps", "st", "e"} for name, told in heard.items()}
            assert lacking == {name: set() for name in heard}
            assert heard["individual_symbol_book_ticker_streams"].b == "50000.0"
            await streams.close_connection()

    run(scenario)


def test_user_events_fit_the_models() -> None:
    async def scenario() -> None:
        async with running() as rig:
            client = client_for(rig)
            start = client.rest_api.start_user_data_stream
            key = (await asyncio.to_thread(start)).data().listen_key
            streams = client.websocket_streams
            await streams.create_connection()
            heard: list[Any] = []
            handle = await streams.user_data(key)
            handle.on("message", lambda told: heard.append(told.actual_instance))
            await asyncio.sleep(0.02)
            act = rig.world.act
            act("binance", lambda venue, now: venue.set_leverage("demo", SYMBOL, d(9), now))
            act("binance", lambda venue, now: venue.transfer("demo", d(100), now))
            rest = client.rest_api
            await asyncio.to_thread(rest.new_order, symbol=SYMBOL, side="BUY", type="MARKET", quantity=0.01)
            await asyncio.to_thread(
                rest.new_algo_order,
                algo_type="CONDITIONAL",
                symbol=SYMBOL,
                side="SELL",
                type="STOP_MARKET",
                quantity=0.01,
                trigger_price=49000.0,
            )
            rig.price(48990)
            rig.world.clock.advance(12 * MS)
            await until(lambda: heard and type(heard[-1]).__name__ == "AlgoUpdate" and heard[-1].o.X == "FINISHED")
            kinds = [type(one).__name__ for one in heard]
            assert {"AccountConfigUpdate", "AccountUpdate", "TradeLite", "OrderTradeUpdate", "AlgoUpdate"} <= {*kinds}
            optional = {"ai", "ac", "N", "n", "AP", "cr", "ap", "aq", "act", "ia", "S", "M"}
            assert set().union(*map(missing, heard)) <= optional
            await streams.close_connection()

    run(scenario)


@pytest.mark.filterwarnings("ignore:parameter 'timeout':DeprecationWarning")
def test_the_websocket_api_fits_the_models() -> None:
    async def scenario() -> None:
        async with running() as rig:
            api = client_for(rig).websocket_api
            await api.create_connection()

            async def call(name: str, **params: Any) -> Any:
                told = (await getattr(api, name)(**params)).data()
                assert missing(told) <= {"bids", "asks"}, name
                return getattr(told, "result", None)

            await call("symbol_price_ticker", symbol=SYMBOL)
            await call("symbol_order_book_ticker", symbol=SYMBOL)
            await call("order_book", symbol=SYMBOL, limit=5)
            limit = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 0.01}
            order = await call("new_order", price=49000.0, **limit)
            params = {"symbol": SYMBOL, "order_id": order.order_id}
            await call("query_order", **params)
            await call("modify_order", side="BUY", quantity=0.02, price=49100.0, **params)
            assert (await call("cancel_order", **params)).status == "CANCELED"
            await call("new_order", symbol=SYMBOL, side="BUY", type="MARKET", quantity=0.01)
            stop = await call(
                "new_algo_order",
                algo_type="CONDITIONAL",
                symbol=SYMBOL,
                side="SELL",
                type="STOP_MARKET",
                quantity=0.01,
                trigger_price=49000.0,
            )
            await call("cancel_algo_order", algo_id=stop.algo_id)
            for name in (
                "account_information",
                "account_information_v2",
                "futures_account_balance",
                "futures_account_balance_v2",
                "position_information",
                "position_information_v2",
                "start_user_data_stream",
                "keepalive_user_data_stream",
                "close_user_data_stream",
            ):
                await call(name)
            await api.close_connection()

    run(scenario)
