"""ccxt, unmodified, against the emulated Binance: every unified call that a futures bot makes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import ccxt.async_support as ccxt
import pytest

from .binance_kit import MS, UNIFIED, Rig, ccxt_config, code_of, d, run, running, until

TRIGGER = {"trigger": True}


@asynccontextmanager
async def trading(**settings: Any) -> AsyncIterator[tuple[Any, Rig]]:
    """ccxt with its markets loaded."""
    async with running(**settings) as rig:
        exchange = ccxt.binanceusdm(ccxt_config(rig))
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


def test_markets_load_from_exchange_info_alone_and_carry_the_venues_limits() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, rig):
            market = exchange.market(UNIFIED)
            assert (market["swap"], market["linear"], market["precision"]["price"]) == (True, True, 0.1)
            assert market["limits"]["amount"]["min"] == 0.001
            assert [line["path"] for line in rig.lines("request")] == ["/fapi/v1/exchangeInfo"]
            # The spot side's calls, which are on by default, are answered too.
            await exchange.fetch_currencies()

    run(scenario)


def test_public_market_data_is_there_under_every_unified_call() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, rig):
            rig.price(50010, mark="50009")
            assert abs(await exchange.fetch_time() - rig.world.told_ms("binance")) < 5000
            assert (await exchange.fetch_ticker(UNIFIED))["last"] == 50010
            assert (await exchange.fetch_tickers())[UNIFIED]["last"] == 50010
            best = (await exchange.fetch_bids_asks([UNIFIED]))[UNIFIED]
            assert (best["bid"], best["ask"]) == (50010, 50010.1)
            assert (await exchange.fetch_last_prices([UNIFIED]))[UNIFIED]["price"] == 50010
            book = await exchange.fetch_order_book(UNIFIED, 5)
            assert (book["bids"][0][0], book["asks"][0][0], len(book["bids"])) == (50010, 50010.1, 5)
            assert (await exchange.fetch_ohlcv(UNIFIED, "1m"))[-1][1:5] == [50000, 50010, 50000, 50010]
            assert (await exchange.fetch_ohlcv(UNIFIED, "1m", params={"price": "mark"}))[-1][4] == 50009
            assert (await exchange.fetch_mark_price(UNIFIED))["markPrice"] == 50009
            assert (await exchange.fetch_funding_rate(UNIFIED))["fundingRate"] == 0.0001
            assert (await exchange.fetch_funding_interval(UNIFIED))["interval"] == "8h"
            assert await exchange.fetch_funding_rate_history(UNIFIED) == []
            assert (await exchange.fetch_trades(UNIFIED))[-1]["price"] == 50010
            assert (await exchange.fetch_open_interest(UNIFIED))["openInterestAmount"] == 0

    run(scenario)


def test_account_settings_are_read_and_changed() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, _):
            balance = await exchange.fetch_balance()
            assert (balance["USDT"]["free"], balance["USDT"]["total"]) == (10000, 10000)
            assert (await exchange.fetch_position_mode(UNIFIED))["hedged"] is False
            assert (await exchange.set_leverage(7, UNIFIED))["leverage"] == 7
            assert (await exchange.fetch_leverage(UNIFIED))["longLeverage"] == 7
            assert (await exchange.fetch_margin_mode(UNIFIED))["marginMode"] == "cross"
            await exchange.set_margin_mode("isolated", UNIFIED)
            assert (await exchange.fetch_margin_mode(UNIFIED))["marginMode"] == "isolated"
            with pytest.raises(ccxt.MarginModeAlreadySet):
                await exchange.set_margin_mode("isolated", UNIFIED)
            assert await refusal(exchange.set_position_mode(False)) == -4059
            await exchange.set_position_mode(True)
            assert (await exchange.fetch_position_mode(UNIFIED))["hedged"] is True
            assert await refusal(exchange.create_order(UNIFIED, "market", "buy", 0.01)) == -4061
            await exchange.set_position_mode(False)
            assert (await exchange.fetch_trading_fee(UNIFIED))["taker"] == 0.0005
            assert (await exchange.fetch_leverage_tiers([UNIFIED]))[UNIFIED][0]["maintenanceMarginRate"] == 0.005

    run(scenario)


def test_a_market_order_opens_a_position_that_the_account_shows() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, _):
            order = await exchange.create_order(UNIFIED, "market", "buy", 0.01, None, {"clientOrderId": "entry-1"})
            assert (order["status"], order["average"], order["filled"]) == ("closed", 50000.1, 0.01)
            (position,) = await exchange.fetch_positions([UNIFIED])
            assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 0.01, 50000.1)
            assert position["marginMode"] == "cross"
            (trade,) = await exchange.fetch_my_trades(UNIFIED)
            assert (trade["order"], trade["takerOrMaker"], trade["fee"]["cost"]) == (order["id"], "taker", 0.2500005)
            found = await exchange.fetch_order(None, UNIFIED, {"clientOrderId": "entry-1"})
            assert found["id"] == order["id"]
            assert [one["id"] for one in await exchange.fetch_closed_orders(UNIFIED)] == [order["id"]]
            balance = await exchange.fetch_balance()
            assert balance["USDT"]["used"] > 0

    run(scenario)


def test_limit_orders_rest_are_amended_and_cancelled() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, _):
            order = await exchange.create_order(UNIFIED, "limit", "buy", 0.01, 49000)
            assert order["status"] == "open"
            edited = await exchange.edit_order(order["id"], UNIFIED, "limit", "buy", 0.02, 49100)
            assert (edited["id"], edited["price"], edited["amount"]) == (order["id"], 49100, 0.02)
            assert [one["id"] for one in await exchange.fetch_open_orders(UNIFIED)] == [order["id"]]
            cancelled = await exchange.cancel_order(order["id"], UNIFIED)
            assert cancelled["status"] == "canceled"
            assert await refusal(exchange.cancel_order(order["id"], UNIFIED)) == -2011
            assert await refusal(exchange.fetch_order("1", UNIFIED)) == -2013
            maker = await exchange.create_order(UNIFIED, "limit", "sell", 0.01, 51000, {"postOnly": True})
            assert (maker["status"], maker["timeInForce"]) == ("open", "PO")
            crossing = exchange.create_order(UNIFIED, "limit", "buy", 0.01, 50500, {"postOnly": True})
            assert await refusal(crossing) == -5022
            batch = [
                {"symbol": UNIFIED, "type": "limit", "side": "buy", "amount": 0.01, "price": 48000 + n}
                for n in range(2)
            ]
            placed = await exchange.create_orders(batch)
            gone = await exchange.cancel_orders([one["id"] for one in placed], UNIFIED)
            assert [one["status"] for one in gone] == ["canceled", "canceled"]
            await exchange.cancel_all_orders(UNIFIED)
            assert await exchange.fetch_open_orders(UNIFIED) == []

    run(scenario)


def test_a_thin_book_leaves_a_market_order_expired_with_a_part_filled() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, rig):
            rig.price(50000, ask_quantity="0.004")
            order = await exchange.create_order(UNIFIED, "market", "buy", 0.01)
            assert (order["status"], order["filled"]) == ("expired", 0.004)

    run(scenario)


STOPS: list[tuple[str, str, float, float | None, dict[str, Any], str]] = [
    ("market", "sell", 0.01, None, {"stopLossPrice": 49000}, "STOP_MARKET"),
    ("limit", "sell", 0.01, 48900, {"triggerPrice": 49000}, "STOP"),
    ("market", "sell", 0.01, None, {"takeProfitPrice": 51000}, "TAKE_PROFIT_MARKET"),
    ("limit", "sell", 0.01, 51100, {"takeProfitPrice": 51000}, "TAKE_PROFIT"),
    ("market", "sell", 0.01, None, {"trailingPercent": 1.5, "trailingTriggerPrice": 51000}, "TRAILING_STOP_MARKET"),
    ("STOP_MARKET", "sell", 0.01, None, {"stopPrice": 49000, "workingType": "MARK_PRICE"}, "STOP_MARKET"),
]


@pytest.mark.parametrize(("kind", "side", "amount", "price", "params", "placed_as"), STOPS)
def test_conditional_orders_live_in_a_space_of_their_own(
    kind: str, side: str, amount: float, price: float | None, params: dict[str, Any], placed_as: str
) -> None:
    async def scenario() -> None:
        async with trading() as (exchange, _):
            await exchange.create_order(UNIFIED, "market", "buy", 0.01)
            stop = await exchange.create_order(UNIFIED, kind, side, amount, price, {**params, "reduceOnly": True})
            assert (stop["status"], stop["info"]["orderType"], stop["reduceOnly"]) == ("open", placed_as, True)
            assert await exchange.fetch_open_orders(UNIFIED) == []
            (listed,) = await exchange.fetch_open_orders(UNIFIED, params=TRIGGER)
            assert listed["id"] == stop["id"]
            assert await refusal(exchange.fetch_order(stop["id"], UNIFIED)) == -2013
            assert (await exchange.fetch_order(stop["id"], UNIFIED, TRIGGER))["status"] == "open"
            # "All orders" are the plain ones; conditional ones go with a call of their own.
            await exchange.cancel_all_orders(UNIFIED)
            assert len(await exchange.fetch_open_orders(UNIFIED, params=TRIGGER)) == 1
            await exchange.cancel_order(stop["id"], UNIFIED, TRIGGER)
            assert (await exchange.fetch_order(stop["id"], UNIFIED, TRIGGER))["status"] == "canceled"
            assert await refusal(exchange.cancel_order(stop["id"], UNIFIED, TRIGGER)) == -2011

    run(scenario)


def test_a_stop_triggers_becomes_an_order_of_its_own_id_and_finishes() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, rig):
            rig.world.venues["binance"].realism.trigger_delay_ns = 5000 * MS  # only `advance` gets there
            await exchange.create_order(UNIFIED, "market", "buy", 0.01)
            stop = await exchange.create_order(UNIFIED, "market", "sell", 0.01, None, {"stopLossPrice": 49000})
            rig.price(48990)
            assert (await exchange.fetch_order(stop["id"], UNIFIED, TRIGGER))["info"]["algoStatus"] == "TRIGGERING"
            assert await refusal(exchange.cancel_order(stop["id"], UNIFIED, TRIGGER)) == -4117
            rig.world.clock.advance(5000 * MS)
            info = (await exchange.fetch_order(stop["id"], UNIFIED, TRIGGER))["info"]
            assert (info["algoStatus"], info["actualPrice"], info["actualQty"]) == ("FINISHED", "48990", "0.01")
            child = await exchange.fetch_order(info["actualOrderId"], UNIFIED)
            assert (child["status"], child["clientOrderId"]) == ("closed", info["clientAlgoId"])
            assert child["id"] != stop["id"]
            assert await exchange.fetch_positions([UNIFIED]) == []

    run(scenario)


def test_a_closing_stop_needs_a_position_that_the_service_sees_and_is_the_only_one() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, rig):

            def close(price: int, **params: Any) -> Any:
                wish = {"stopLossPrice": price, "closePosition": True, **params}
                return exchange.create_order(UNIFIED, "market", "sell", None, None, wish)

            assert await refusal(close(49000)) == -4509
            await exchange.create_order(UNIFIED, "market", "buy", 0.01)
            assert await refusal(close(49000)) == -4509
            rig.world.clock.advance(2000 * MS)
            stop = await close(49000)
            assert (stop["amount"], stop["info"]["closePosition"], stop["info"]["quantity"]) == (None, True, "0")
            assert await refusal(close(48000)) == -4130
            assert await refusal(close(48000, reduceOnly=True)) == -1106
            await exchange.create_order(UNIFIED, "market", "sell", 0.01, None, {"reduceOnly": True})
            gone = await exchange.fetch_order(stop["id"], UNIFIED, TRIGGER)
            assert gone["info"]["algoStatus"] == "EXPIRED"

    run(scenario)


def test_a_quantity_stop_stays_behind_when_the_position_goes() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, rig):
            await exchange.create_order(UNIFIED, "market", "buy", 0.01)
            params = {"stopLossPrice": 49000, "reduceOnly": True}
            stop = await exchange.create_order(UNIFIED, "market", "sell", 0.01, None, params)
            await exchange.create_order(UNIFIED, "market", "sell", 0.01, None, {"reduceOnly": True})
            assert len(await exchange.fetch_open_orders(UNIFIED, params=TRIGGER)) == 1
            rig.price(48990)
            rig.world.clock.advance(12 * MS)
            # With nothing to reduce its order is refused, and it says so.
            assert (await exchange.fetch_order(stop["id"], UNIFIED, TRIGGER))["info"]["algoStatus"] == "REJECTED"

    run(scenario)


REFUSED: list[tuple[int, tuple[Any, ...], dict[str, Any]]] = [
    (-2022, ("market", "sell", 0.01, None), {"reduceOnly": True}),
    (-4164, ("limit", "buy", 0.001, 49000), {}),
    (-2019, ("market", "buy", 100, None), {}),
    (-4005, ("market", "buy", 500, None), {}),
    (-4016, ("limit", "buy", 0.01, 60000), {}),
    (-4014, ("limit", "buy", 0.01, None), {"price": "49000.05"}),
    (-1111, ("market", "buy", None, None), {"quantity": "0.0111"}),
    (-4015, ("market", "buy", 0.01, None), {"newClientOrderId": "no spaces please"}),
    (-4061, ("market", "buy", 0.01, None), {"positionSide": "LONG"}),
    (-1102, ("market", "buy", None, None), {"quantity": ""}),
    (-1136, ("market", "buy", 0.01, None), {"newOrderRespType": "FULL"}),
    (-5021, ("limit", "buy", 0.01, 49000), {"timeInForce": "FOK"}),
    (-2021, ("market", "sell", 0.01, None), {"stopLossPrice": 50001}),
    (-4137, ("market", "sell", None, None), {"triggerPrice": 49000, "closePosition": True, "quantity": "0.01"}),
]


@pytest.mark.parametrize(("code", "order", "params"), REFUSED)
def test_the_venue_refuses_in_its_own_codes(code: int, order: tuple[Any, ...], params: dict[str, Any]) -> None:
    async def scenario() -> None:
        async with trading() as (exchange, _):
            kind, side, amount, price = order
            wanted = {"price": 49000} if price is None and "price" in params else {}
            call = exchange.create_order(UNIFIED, kind, side, amount or 0.01, price or wanted.get("price"), params)
            assert await refusal(call) == code

    run(scenario)


def test_a_client_id_is_taken_while_its_order_is_open_and_free_again_afterwards() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, _):
            params = {"clientOrderId": "same"}
            first = await exchange.create_order(UNIFIED, "limit", "buy", 0.01, 49000, params)
            assert await refusal(exchange.create_order(UNIFIED, "limit", "buy", 0.01, 49000, params)) == -4116
            await exchange.cancel_order(first["id"], UNIFIED)
            second = await exchange.create_order(UNIFIED, "limit", "buy", 0.01, 49000, params)
            assert second["id"] != first["id"]

    run(scenario)


def test_income_tells_profit_fees_and_funding() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, rig):
            await exchange.create_order(UNIFIED, "market", "buy", 0.01)
            rig.world.act("binance", lambda venue, now: venue.settle_funding("BTCUSDT", d("0.0001"), now))
            rig.price(51000)
            await exchange.create_order(UNIFIED, "market", "sell", 0.01, None, {"reduceOnly": True})
            rows = await exchange.fapiPrivateGetIncome({"symbol": "BTCUSDT"})
            assert [row["incomeType"] for row in rows] == ["COMMISSION", "FUNDING_FEE", "REALIZED_PNL", "COMMISSION"]
            (paid,) = await exchange.fetch_funding_history(UNIFIED)
            assert paid["amount"] < 0
            (ledger, *_) = await exchange.fetch_ledger(None, None, None, {"type": "swap"})
            assert ledger["currency"] == "USDT"

    run(scenario)


def test_a_wrong_secret_a_wrong_key_and_a_late_clock_are_refused() -> None:
    async def scenario() -> None:
        async with running() as rig:
            for change, code in (({"secret": "other"}, -1022), ({"apiKey": "other"}, -2015)):
                exchange = ccxt.binanceusdm({**ccxt_config(rig), **change})
                assert await refusal(exchange.fapiPrivateV3GetAccount()) == code
                await exchange.close()
            exchange = ccxt.binanceusdm(ccxt_config(rig))
            rig.world.skew("binance", -5_000 * MS)
            assert await refusal(exchange.fapiPrivateV3GetAccount()) == -1021
            await exchange.load_time_difference()
            await exchange.fapiPrivateV3GetAccount()
            await exchange.close()

    run(scenario)


def test_the_weight_of_requests_is_told_and_limited() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, _):
            await exchange.fetch_position_mode(UNIFIED)
            headers = {key.lower(): value for key, value in exchange.last_response_headers.items()}
            used = int(headers["x-mbx-used-weight-1m"])
            assert used == 31
            for _ in range(78):
                await exchange.fetch_position_mode(UNIFIED)
            with pytest.raises(ccxt.DDoSProtection):
                await exchange.fetch_position_mode(UNIFIED)
            headers = {key.lower(): value for key, value in exchange.last_response_headers.items()}
            assert 1 <= int(headers["retry-after"]) <= 60

    run(scenario)


def test_an_answer_that_never_comes_leaves_an_order_that_can_be_found() -> None:
    async def scenario() -> None:
        async with trading() as (exchange, rig):
            rig.emulator.control.faults({"name": "ack-lost", "method": "POST", "path": "/fapi/v1/order"})
            with pytest.raises(ccxt.NetworkError):
                await exchange.create_order(UNIFIED, "market", "buy", 0.01, None, {"clientOrderId": "lost-1"})
            found = await exchange.fetch_order(None, UNIFIED, {"clientOrderId": "lost-1"})
            assert found["status"] == "closed"
            await until(lambda: rig.lines("fault"))

    run(scenario)
