"""Every order of the account that rests, in all markets: attached stops, stops of their own, and all others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from framework import ExchangeError, OrderSide, RestingKind, RestingOrder

from .rig import ENTRY, OPEN_ORDERS, STOP, SYMBOL, d, entry, run, stop, trading
from .test_reads import Scripted, page
from .test_translate import order, stop_row, words

TIME = {"createdTime": "1700000000000"}


def test_attached_stops_own_stops_and_entries_are_told() -> None:
    async def scenario() -> None:
        async with trading() as rig:
            assert await rig.exchange.resting() == ()
            await rig.buy()
            await rig.exchange.place_stop(stop("48000", attached=False))
            waiting_id = f"{ENTRY[:-1]}1"
            await rig.exchange.place_entry(entry("0.020", price="49900", client_id=waiting_id))
            found = {each.client_id: each for each in await rig.exchange.resting()}
            assert found.keys() == {ENTRY, STOP, waiting_id}
            attached, own, waiting = found[ENTRY], found[STOP], found[waiting_id]
            assert attached == RestingOrder(
                ENTRY, SYMBOL, RestingKind.STOP, OrderSide.SELL, None, d("49000"), True, True, attached.created_ns
            )
            assert own == RestingOrder(
                STOP, SYMBOL, RestingKind.STOP, OrderSide.SELL, d("0.010"), d("48000"), True, False, own.created_ns
            )
            assert (waiting.kind, waiting.quantity, waiting.price) == (RestingKind.ENTRY, d("0.020"), d("49900"))

    run(scenario)


def test_all_pages_are_read() -> None:
    row = {**stop_row(), **TIME}
    client = Scripted(OPEN_ORDERS=[page(row, after="one"), page({**row, "symbol": "ETHUSDT"})])
    found = asyncio.run(client.reads.resting())
    assert [each.symbol for each in found] == [SYMBOL, "ETHUSDT"]
    assert [(params.get("settleCoin"), params.get("cursor")) for params in client.asked] == [
        ("USDT", None),
        ("USDT", "one"),
    ]


@pytest.mark.parametrize("fault", [{"name": "refuse", "code": 10016}, {"name": "empty-body"}, {"name": "html-body"}])
def test_a_list_that_can_not_be_read_is_a_failed_read(fault: dict[str, Any]) -> None:
    async def scenario() -> None:
        async with trading() as rig:
            await rig.buy()
            rig.fault(**fault, path=OPEN_ORDERS)
            with pytest.raises(ExchangeError, match="account: "):
                await rig.exchange.resting()

    run(scenario)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"stopOrderType": "StopLoss"}, RestingKind.STOP),
        ({"stopOrderType": "Stop", "orderLinkId": "by-hand"}, RestingKind.STOP),
        ({"stopOrderType": "Stop", "reduceOnly": False}, RestingKind.OTHER),
        ({"stopOrderType": "TakeProfit"}, RestingKind.OTHER),
        ({"stopOrderType": "PartialStopLoss"}, RestingKind.OTHER),
    ],
)
def test_a_conditional_order_is_a_stop_when_it_only_reduces(changes: dict[str, Any], kind: RestingKind) -> None:
    found = words().resting_order({**stop_row(**changes), **TIME})
    assert found is not None
    assert found.kind is kind


@pytest.mark.parametrize(("reduces", "kind"), [(False, RestingKind.ENTRY), (True, RestingKind.OTHER)])
def test_an_order_in_the_book_is_an_entry_unless_it_reduces(reduces: bool, kind: RestingKind) -> None:
    row = order(orderStatus="PartiallyFilled", price="49900", leavesQty="0.004", reduceOnly=reduces, **TIME)
    found = words().resting_order(row)
    assert found is not None
    assert (found.kind, found.quantity, found.price) == (kind, d("0.004"), d("49900"))


@pytest.mark.parametrize("status", ["Triggered", "Filled", "Cancelled", "Deactivated", "Rejected"])
def test_what_acts_or_has_ended_does_not_rest(status: str) -> None:
    assert words().resting_order({**stop_row(orderStatus=status), **TIME}) is None
