"""ccxt, unmodified, against the emulated Bybit: every unified call that a futures bot makes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import ccxt.async_support as ccxt
import pytest

from framework_simulator.emulator.build import DEFAULT_KEY
from framework_simulator.emulator.funding import settle

from .bybit_kit import SYMBOL, UNIFIED, Rig, ccxt_config, code_of, run, running

ATTACHED = {"slTriggerBy": "MarkPrice", "tpslMode": "Full", "positionIdx": 0}


@asynccontextmanager
async def trading(**settings: Any) -> AsyncIterator[tuple[Any, Rig]]:
    """ccxt with its markets loaded."""
    async with running(**settings) as rig:
        exchange = ccxt.bybit(ccxt_config(rig))
        try:
            await exchange.load_markets()
            yield exchange, rig
        finally:
            await exchange.close()


async def refusal(call: Any) -> int:
    """The code that a call is refused with."""
    with pytest.raises(ccxt.BaseError) as caught:
        await call
    return code_of(caught.value)


def stop_move(price: str) -> dict[str, Any]:
    return {"category": "linear", "symbol": SYMBOL, "stopLoss": price, "slTriggerBy": "MarkPrice", **_FULL}


_FULL = {"tpslMode": "Full", "positionIdx": 0}


def test_markets_load_with_the_venues_limits() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, rig):
            market = exchange.market(UNIFIED)
            assert (market["swap"], market["linear"], market["contractSize"]) == (True, True, 1)
            assert market["precision"] == {"amount": 0.001, "price": 0.1}
            assert market["info"]["lotSizeFilter"]["minNotionalValue"] == "5"
            paths = [line["path"] for line in rig.lines("request")]
            assert paths.count("/v5/market/instruments-info") == 2
            assert "/v5/asset/coin/query-info" in paths

    run(scenario)


def test_public_market_data_is_there_under_every_unified_call() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, rig):
            rig.price(50010, mark="50009")
            assert abs(await exchange.fetch_time() - rig.world.told_ms("bybit")) < 5000
            ticker = await exchange.fetch_ticker(UNIFIED)
            assert (ticker["symbol"], ticker["last"], ticker["bid"], ticker["ask"]) == (UNIFIED, 50010, 50010, 50010.1)
            assert (await exchange.fetch_tickers())[UNIFIED]["markPrice"] == 50009
            book = await exchange.fetch_order_book(UNIFIED, 5)
            assert (book["bids"][0][0], book["asks"][0][0], len(book["bids"])) == (50010, 50010.1, 5)
            assert (await exchange.fetch_ohlcv(UNIFIED, "1m"))[-1][1:5] == [50000, 50010, 50000, 50010]
            assert (await exchange.fetch_mark_ohlcv(UNIFIED, "5m"))[-1][4] == 50009
            assert (await exchange.fetch_index_ohlcv(UNIFIED, "1h"))[-1][4] == 50009
            assert (await exchange.fetch_trades(UNIFIED))[-1]["price"] == 50010
            rate = await exchange.fetch_funding_rate(UNIFIED)
            assert (rate["fundingRate"], rate["markPrice"]) == (0.0001, 50009)
            assert rate["fundingTimestamp"] > rig.world.told_ms("bybit")
            assert (await exchange.fetch_open_interest(UNIFIED))["openInterestAmount"] > 0
            assert (await exchange.fetch_market_leverage_tiers(UNIFIED))[0]["maxLeverage"] == 100

    run(scenario)


def test_account_settings_can_be_read_and_set() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, _):
            assert (await exchange.fetch_balance())["USDT"]["total"] == 10000
            assert (await exchange.fetch_trading_fee(UNIFIED))["taker"] == 0.00055
            assert (await exchange.fetch_margin_mode(UNIFIED))["marginMode"] == "cross"
            await exchange.set_leverage(7, UNIFIED)
            assert (await exchange.fetch_leverage(UNIFIED))["longLeverage"] == 7
            assert await refusal(exchange.set_leverage(7, UNIFIED)) == 110043
            assert await refusal(exchange.set_position_mode(False, UNIFIED)) == 110025
            await exchange.set_margin_mode("isolated", UNIFIED)
            assert (await exchange.fetch_margin_mode(UNIFIED))["marginMode"] == "isolated"

    run(scenario)


def test_an_entry_brings_its_stop_along_and_the_position_shows_it() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, rig):
            wish = {"clientOrderId": "entry-1", "stopLoss": {"triggerPrice": 45000}, **ATTACHED}
            order = await exchange.create_order(UNIFIED, "market", "buy", 0.01, None, wish)
            assert (order["clientOrderId"], order["filled"], order["status"]) == ("entry-1", None, None)
            position = (await exchange.fetch_positions([UNIFIED]))[0]
            assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 0.01, 50000.1)
            assert (position["stopLossPrice"], position["leverage"], position["hedged"]) == (45000, 10, False)
            assert [one["symbol"] for one in await exchange.fetch_positions()] == [UNIFIED]
            stop = (await exchange.fetch_open_orders(UNIFIED))[0]
            assert (stop["info"]["stopOrderType"], stop["info"]["orderStatus"]) == ("StopLoss", "Untriggered")
            assert (stop["amount"], stop["triggerPrice"], stop["reduceOnly"]) == (0.01, 45000, True)
            assert stop["info"]["triggerBy"] == "MarkPrice"
            assert rig.lines("stop")[-1]["attached"] is True

    run(scenario)


def test_the_stop_of_a_position_is_moved_in_place_and_a_move_to_where_it_is_is_refused() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, _):
            wish = {"stopLoss": {"triggerPrice": 45000}, **ATTACHED}
            await exchange.create_order(UNIFIED, "market", "buy", 0.01, None, wish)
            before = (await exchange.fetch_open_orders(UNIFIED))[0]["id"]
            move = exchange.private_post_v5_position_trading_stop
            await move(stop_move("45100"))
            after = (await exchange.fetch_open_orders(UNIFIED))[0]
            assert (after["id"], after["triggerPrice"]) == (before, 45100)
            assert await refusal(move(stop_move("45100"))) == 34040
            with pytest.raises(
                ccxt.BadRequest, match="StopLoss:51000 set for Buy position should lower than base_price"
            ):
                await move(stop_move("51000"))
            await move(stop_move("0"))
            assert await exchange.fetch_open_orders(UNIFIED) == []

    run(scenario)


def test_stop_loss_and_take_profit_together_and_a_trailing_stop_go_by_trading_stop() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, _):
            await exchange.create_order(UNIFIED, "market", "sell", 0.01)
            both = {"stopLossPrice": 55000, "takeProfitPrice": 45000}
            await exchange.create_order(UNIFIED, "market", "buy", 0, None, both)
            position = (await exchange.fetch_positions([UNIFIED]))[0]
            assert (position["side"], position["stopLossPrice"], position["takeProfitPrice"]) == ("short", 55000, 45000)
            trail = {"trailingAmount": 500, "trailingTriggerPrice": 49000}
            await exchange.create_order(UNIFIED, "market", "buy", 0, None, trail)
            row = (await exchange.fetch_positions([UNIFIED]))[0]["info"]
            assert (row["trailingStop"], row["activePrice"]) == ("500", "49000")
            kinds = {one["info"]["stopOrderType"] for one in await exchange.fetch_open_orders(UNIFIED)}
            assert kinds == {"StopLoss", "TakeProfit", "TrailingStop"}

    run(scenario)


def test_a_triggered_stop_goes_on_under_its_own_id_and_the_closed_pnl_tells_the_outcome() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, rig):
            wish = {"stopLoss": {"triggerPrice": 49000}, **ATTACHED}
            await exchange.create_order(UNIFIED, "market", "buy", 0.01, None, wish)
            stop_id = (await exchange.fetch_open_orders(UNIFIED))[0]["id"]
            rig.price(48990)
            closed = await exchange.fetch_open_order(stop_id, UNIFIED)
            assert (closed["status"], closed["filled"], closed["average"]) == ("closed", 0.01, 48990)
            assert closed["info"]["createType"] == "CreateByStopLoss"
            assert (await exchange.fetch_positions([UNIFIED]))[0]["contracts"] == 0
            row = (await exchange.fetch_positions_history([UNIFIED]))[0]
            assert (row["side"], row["info"]["orderId"], row["contracts"]) == ("long", stop_id, 0.01)
            # 500.001 in, 489.9 out, and 0.055 % of both as fees.
            assert row["info"]["closedPnl"] == "-10.64544555"
            trade = (await exchange.fetch_my_trades(UNIFIED))[-1]
            assert (trade["order"], trade["price"], trade["side"]) == (stop_id, 48990, "sell")
            assert trade["fee"]["cost"] == pytest.approx(0.269445)

    run(scenario)


def test_limit_orders_rest_are_amended_and_cancelled() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, _):
            name = {"clientOrderId": "rest-1"}
            order = await exchange.create_order(UNIFIED, "limit", "buy", 0.01, 49000, {"postOnly": True, **name})
            await exchange.edit_order(order["id"], UNIFIED, "limit", "buy", 0.02, 49100)
            seen = await exchange.fetch_order(order["id"], UNIFIED, {"acknowledged": True})
            assert (seen["status"], seen["amount"], seen["price"], seen["postOnly"]) == ("open", 0.02, 49100, True)
            found = await exchange.fetch_open_orders(UNIFIED, params={"orderLinkId": "rest-1"})
            assert [one["id"] for one in found] == [order["id"]]
            await exchange.cancel_order(None, UNIFIED, {"orderLinkId": "rest-1"})
            assert await refusal(exchange.cancel_order(order["id"], UNIFIED)) == 110001
            gone = (await exchange.fetch_canceled_orders(UNIFIED))[0]
            assert (gone["id"], gone["status"], gone["info"]["cancelType"]) == (order["id"], "canceled", "CancelByUser")
            assert await exchange.fetch_closed_orders(UNIFIED) == []

    run(scenario)


def test_a_partly_filled_and_cancelled_order_is_cancelled_with_what_was_filled() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, rig):
            rig.price(50000, bid_quantity="0.004", ask_quantity="0.004")
            await exchange.create_order(UNIFIED, "market", "buy", 0.01)
            order = (await exchange.fetch_canceled_and_closed_orders(UNIFIED))[0]
            assert (order["status"], order["filled"], order["remaining"]) == ("canceled", 0.004, 0)
            assert order["info"]["rejectReason"] == "EC_NoEnoughQtyToFill"

    run(scenario)


def test_conditional_orders_wait_apart_from_the_stops_of_the_position() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, rig):
            wish = {"stopLoss": {"triggerPrice": 45000}, **ATTACHED}
            await exchange.create_order(UNIFIED, "market", "buy", 0.01, None, wish)
            await exchange.create_order(UNIFIED, "market", "sell", 0.01, None, {"stopLossPrice": 46000})
            entry = {"triggerPrice": 52000, "triggerDirection": "ascending", "clientOrderId": "breakout"}
            await exchange.create_order(UNIFIED, "limit", "buy", 0.01, 52100, entry)
            await exchange.create_order(UNIFIED, "limit", "buy", 0.01, 49000)
            kinds = [one["info"]["stopOrderType"] for one in await exchange.fetch_open_orders(UNIFIED)]
            assert sorted(kinds) == ["", "Stop", "Stop", "StopLoss"]
            waiting = await exchange.fetch_open_orders(UNIFIED, params={"trigger": True})
            assert len(waiting) == 3
            only = {"orderFilter": "StopOrder", "stopOrderType": "Stop"}
            assert len(await exchange.cancel_all_orders(UNIFIED, only)) == 2
            await exchange.cancel_all_orders(UNIFIED, {"orderFilter": "Order"})
            left = await exchange.fetch_open_orders(UNIFIED)
            assert [one["info"]["stopOrderType"] for one in left] == ["StopLoss"]
            await exchange.cancel_all_orders(UNIFIED)
            assert await exchange.fetch_open_orders(UNIFIED) == []
            rig.price(44000)
            assert (await exchange.fetch_positions([UNIFIED]))[0]["contracts"] == 0.01

    run(scenario)


def test_orders_go_in_batches_with_a_word_on_each() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, _):
            fine = {"symbol": UNIFIED, "type": "limit", "side": "buy", "amount": 0.01, "price": 49000}
            orders = await exchange.create_orders([fine, {**fine, "price": 90000}])
            assert [one["status"] for one in orders] == [None, "rejected"]
            await exchange.cancel_orders([orders[0]["id"]], UNIFIED)
            assert await exchange.fetch_open_orders(UNIFIED) == []

    run(scenario)


@pytest.mark.parametrize(
    ("amount", "price", "params", "code"),
    [
        (0.01, 90000, {}, 30208),
        (2.0, 50000, {}, 110007),
        (0.01, 49000, {"reduceOnly": True}, 110017),
        (0.01, 49000, {"stopLoss": {"triggerPrice": 49500}}, 10001),
        (0.01, 49000, {"positionIdx": 1}, 10001),
        (0.01, 49000, {"clientOrderId": "x" * 37}, 10001),
        (0.01, 49000, {"triggerPrice": 49000, "triggerDirection": "ascending"}, 110092),
        (0.01, 49000, {"triggerPrice": 51000, "triggerDirection": "descending"}, 110093),
    ],
)
def test_what_the_venue_refuses_is_refused_with_its_code(
    amount: float, price: float, params: dict[str, Any], code: int
) -> None:
    async def scenario() -> None:
        async with trading() as (exchange, _):
            assert await refusal(exchange.create_order(UNIFIED, "limit", "buy", amount, price, params)) == code

    run(scenario)


def test_an_order_below_the_minimum_notional_is_refused() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, rig):
            rig.world.price("bybit", "ADAUSDT", Decimal("0.5"), Decimal("0.5001"))
            assert await refusal(exchange.create_order("ADA/USDT:USDT", "limit", "buy", 9, 0.5)) == 110094

    run(scenario)


def test_a_client_id_is_never_taken_twice_not_even_after_the_order_has_ended() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, _):
            await exchange.create_order(UNIFIED, "market", "buy", 0.01, None, {"clientOrderId": "once"})
            again = exchange.create_order(UNIFIED, "market", "buy", 0.01, None, {"clientOrderId": "once"})
            assert await refusal(again) == 110072
            assert (await exchange.fetch_positions([UNIFIED]))[0]["contracts"] == 0.01

    run(scenario)


def test_funding_is_an_execution_of_its_own_kind() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, rig):
            await exchange.create_order(UNIFIED, "market", "buy", 0.01)
            settle(rig.world, "bybit", SYMBOL, Decimal("0.0001"))
            assert len(await exchange.fetch_my_trades(UNIFIED)) == 1
            # A hundredth of a percent of 0.01 at the mark price of 50000.05.
            paid = (await exchange.fetch_funding_history(UNIFIED))[0]
            assert (await exchange.fetch_funding_rate_history(UNIFIED))[-1]["fundingRate"] == 0.0001
            assert paid["amount"] == pytest.approx(0.05000005)

    run(scenario)


def test_a_wrong_secret_an_unknown_key_and_a_slow_clock_are_told_apart() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, rig):
            exchange.secret = "wrong"  # noqa: S105 - no secret
            with pytest.raises(ccxt.AuthenticationError) as caught:
                await exchange.fetch_balance()
            assert code_of(caught.value) == 10004
            exchange.secret, exchange.apiKey = DEFAULT_KEY.secret, "nobody"
            assert await refusal(exchange.fetch_balance()) == 10003
            exchange.apiKey = DEFAULT_KEY.key
            rig.world.skew("bybit", 20_000_000_000)
            with pytest.raises(ccxt.InvalidNonce):
                await exchange.fetch_balance()

    run(scenario)
