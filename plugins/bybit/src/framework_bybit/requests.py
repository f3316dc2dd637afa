"""The kernel's orders as the parameters of Bybit's requests. Pure. Source: "Bybit v5, Trade" and "Set Trading Stop".

Every order is for one-way mode (positionIdx 0), and numbers are written as plain decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framework import (
    CloseOrder,
    EntryOrder,
    OrderSide,
    OrderType,
    PriceSource,
    StopOrder,
    TimeInForce,
    plain,
)

Params = dict[str, Any]

CATEGORY = "linear"
COIN = "USDT"

_SIDES = {OrderSide.BUY: "Buy", OrderSide.SELL: "Sell"}
_TIMES = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.POST_ONLY: "PostOnly"}
_SOURCES = {PriceSource.LAST: "LastPrice", PriceSource.MARK: "MarkPrice"}
RISES_TO, FALLS_TO = 1, 2

INTERVALS: Mapping[str, str] = {
    "1m": "1", "3m": "3", "5m": "5", "15m": "15", "30m": "30",
    "1h": "60", "2h": "120", "4h": "240", "12h": "720", "1d": "D",
}  # fmt: skip


def linear(**params: Any) -> Params:
    """Parameters of a request about linear markets."""
    return {"category": CATEGORY, **params}


def entry(order: EntryOrder) -> Params:
    """order/create for an entry, with its stop inside.

    All four fields of the stop are sent: the venue has no documented default for its mode, and takes the last price
    for its source unless told otherwise.
    """
    params = _order(order.client_id, order.symbol, order.side, plain(order.quantity))
    if order.type is OrderType.LIMIT and order.price is not None:
        params |= {"orderType": "Limit", "timeInForce": _TIMES[order.time_in_force], "price": plain(order.price)}
    if order.stop is not None:
        params |= {
            "stopLoss": plain(order.stop.trigger_price),
            "slTriggerBy": _SOURCES[order.stop.trigger_by],
            "tpslMode": "Full",
            "slOrderType": "Market",
        }
    return params


def close(order: CloseOrder) -> Params:
    """order/create for a reduce-only order, at the market or good till cancelled. Stops can't be part of one."""
    params = {**_order(order.client_id, order.symbol, order.side, plain(order.quantity)), "reduceOnly": True}
    if order.price is None:
        return params
    return params | {"orderType": "Limit", "timeInForce": _TIMES[TimeInForce.GTC], "price": plain(order.price)}


def close_all(order: CloseOrder) -> Params:
    """order/create that closes all of a position, whatever the step and the smallest quantity of its market are.

    A quantity of 0 with reduceOnly and closeOnTrigger stands for all ("Bybit v5, Place Order", qty).
    """
    return {**close(order), "qty": "0", "closeOnTrigger": True}


def own_stop(order: StopOrder) -> Params:
    """order/create for a stop of its own: conditional, at the market, reduce-only."""
    return {
        **_order(order.client_id, order.symbol, order.side, plain(order.quantity)),
        "triggerPrice": plain(order.trigger_price),
        "triggerDirection": FALLS_TO if order.side is OrderSide.SELL else RISES_TO,
        "triggerBy": _SOURCES[order.trigger_by],
        "reduceOnly": True,
        "closeOnTrigger": True,
    }


def amended_stop(order: StopOrder) -> Params:
    """order/amend for a stop of its own."""
    return named(order.symbol, order.client_id, triggerPrice=plain(order.trigger_price), qty=plain(order.quantity))


def attached_stop(order: StopOrder) -> Params:
    """position/trading-stop: set or move the stop of the whole position."""
    return _stop_of(order.symbol, plain(order.trigger_price), slTriggerBy=_SOURCES[order.trigger_by])


def no_attached_stop(symbol: str) -> Params:
    """position/trading-stop: take the stop of the whole position away."""
    return _stop_of(symbol, "0")


def named(symbol: str, client_id: str, **more: Any) -> Params:
    """A request about one order of ours."""
    return linear(symbol=symbol, orderLinkId=client_id, **more)


def _order(client_id: str, symbol: str, side: OrderSide, quantity: str) -> Params:
    return linear(
        symbol=symbol,
        side=_SIDES[side],
        orderType="Market",
        qty=quantity,
        timeInForce="IOC",
        positionIdx=0,
        orderLinkId=client_id,
    )


def _stop_of(symbol: str, price: str, **more: Any) -> Params:
    return linear(symbol=symbol, tpslMode="Full", positionIdx=0, stopLoss=price, **more)
