"""Every order of the account that rests, in all markets: ours, those of others, conditional ones."""

from __future__ import annotations

import time
from typing import Any

import pytest

from framework import ExchangeError, OrderSide, RestingKind, RestingOrder
from framework_binance import translate
from framework_binance.strange import StrangeAnswerError

from .rig import ENTRY, STOP, SYMBOL, d, entry, run, stop, trading

PLAIN, CONDITIONAL = "/fapi/v1/openOrders", "/fapi/v1/openAlgoOrders"


def test_stops_and_entries_are_told_with_what_is_left_of_them() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert await rig.exchange.resting() == ()
            await rig.buy()
            await rig.exchange.place_stop(stop())
            await rig.exchange.place_entry(entry("0.020", price="49900", client_id=f"{ENTRY[:-1]}1"))
            waiting, rests = sorted(await rig.exchange.resting(), key=lambda order: order.kind.value)
            assert rests == RestingOrder(
                STOP, SYMBOL, RestingKind.STOP, OrderSide.SELL, d("0.010"), d("49000"), True, False, rests.created_ns
            )
            assert waiting == RestingOrder(
                f"{ENTRY[:-1]}1", SYMBOL, RestingKind.ENTRY, OrderSide.BUY, d("0.020"), d("49900"), False, False,
                waiting.created_ns,
            )  # fmt: skip
            assert abs(rests.created_ns - time.time_ns()) < 5_000_000_000
            assert [line["method"] for line in (*rig.requests(PLAIN), *rig.requests(CONDITIONAL))][-2:] == ["GET"] * 2

    run(scenario)


@pytest.mark.parametrize("path", [PLAIN, CONDITIONAL])
@pytest.mark.parametrize("fault", [{"name": "refuse", "code": -1000}, {"name": "empty-body"}, {"name": "html-body"}])
def test_a_part_that_can_not_be_read_is_a_failed_read(path: str, fault: dict[str, Any]) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            await rig.exchange.place_stop(stop())
            rig.fault(**fault, path=path)
            with pytest.raises(ExchangeError, match="account: "):
                await rig.exchange.resting()

    run(scenario)


def plain(**changes: Any) -> dict[str, Any]:
    row = {
        "symbol": SYMBOL, "clientOrderId": "web_1", "side": "SELL", "origQty": "0.020", "executedQty": "0.005",
        "price": "60000", "type": "LIMIT", "origType": "LIMIT", "reduceOnly": False, "closePosition": False,
        "time": 1_700_000_000_000,
    }  # fmt: skip
    return {**row, **changes}


def conditional(**changes: Any) -> dict[str, Any]:
    row = {
        "symbol": SYMBOL, "clientAlgoId": "web_2", "side": "SELL", "quantity": "0.010", "triggerPrice": "49000",
        "orderType": "STOP_MARKET", "algoStatus": "NEW", "reduceOnly": True, "closePosition": False,
        "createTime": 1_700_000_000_000,
    }  # fmt: skip
    return {**row, **changes}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, RestingKind.ENTRY),
        ({"reduceOnly": True}, RestingKind.OTHER),
        ({"origType": "TAKE_PROFIT"}, RestingKind.OTHER),
    ],
)
def test_a_plain_order_is_an_entry_unless_it_reduces(changes: dict[str, Any], kind: RestingKind) -> None:
    order = translate.resting_order(plain(**changes), {})
    assert (order.kind, order.quantity, order.price) == (kind, d("0.015"), d("60000"))


@pytest.mark.parametrize(
    ("changes", "kind", "quantity"),
    [
        ({}, RestingKind.STOP, "0.010"),
        ({"closePosition": True, "reduceOnly": False, "quantity": "0"}, RestingKind.STOP, None),
        ({"reduceOnly": False}, RestingKind.OTHER, "0.010"),
        ({"orderType": "TAKE_PROFIT_MARKET"}, RestingKind.OTHER, "0.010"),
        ({"orderType": "TRAILING_STOP_MARKET", "triggerPrice": ""}, RestingKind.OTHER, "0.010"),
    ],
)
def test_a_conditional_order_is_a_stop_when_it_only_reduces(
    changes: dict[str, Any], kind: RestingKind, quantity: str | None
) -> None:
    order = translate.resting_stop(conditional(**changes), {})
    assert order is not None
    assert (order.kind, order.quantity) == (kind, None if quantity is None else d(quantity))


@pytest.mark.parametrize("status", ["TRIGGERING", "TRIGGERED", "FINISHED", "CANCELED"])
def test_one_that_acts_already_does_not_rest(status: str) -> None:
    assert translate.resting_stop(conditional(algoStatus=status), {}) is None


@pytest.mark.parametrize("field", ["symbol", "clientOrderId", "side", "origQty", "executedQty", "time"])
def test_a_row_that_lacks_a_field_is_not_understood(field: str) -> None:
    with pytest.raises(StrangeAnswerError):
        translate.resting_order(plain(**{field: None}), {})
