"""What the engine's orders, stops and executions look like in Binance's JSON. Numbers are strings, ids are not."""

from __future__ import annotations

from typing import Any

from ...engine.orders import Order, Stop
from ..view import Income, Trade
from .words import (
    ASSET,
    STP,
    algo_status_name,
    ms,
    order_number,
    original_type_name,
    side_name,
    source_name,
    status_name,
    stop_time_name,
    stop_type_name,
    text,
    time_name,
    trade_number,
    type_name,
)

DONE = {"code": 200, "msg": "success"}

_INCOME_TYPES = {
    "realized-pnl": "REALIZED_PNL",
    "commission": "COMMISSION",
    "funding": "FUNDING_FEE",
    "transfer": "TRANSFER",
}


def order_row(order: Order) -> dict[str, Any]:
    """A plain order, as placing, amending and cancelling answer it."""
    average = order.average_price
    parent = order.parent
    return {
        "orderId": order_number(order.id),
        "symbol": order.symbol,
        "status": status_name(order.status),
        "clientOrderId": order.client_id,
        "price": text(order.price),
        "avgPrice": "0.00" if average is None else text(average),
        "origQty": text(order.quantity),
        "executedQty": text(order.filled),
        "cumQty": text(order.filled),
        "cumQuote": text(order.cost),
        "timeInForce": time_name(order),
        "type": type_name(order),
        "reduceOnly": order.reduce_only,
        "closePosition": order.close_position,
        "side": side_name(order.side),
        "positionSide": "BOTH",
        "stopPrice": text(None if parent is None else parent.trigger_price),
        "workingType": "CONTRACT_PRICE" if parent is None else source_name(parent.trigger_by),
        "priceProtect": parent is not None and parent.price_protect,
        "origType": original_type_name(order),
        "priceMatch": "NONE",
        "selfTradePreventionMode": STP,
        "goodTillDate": 0,
        "updateTime": ms(order.updated_ns),
    }


def queried_order_row(order: Order) -> dict[str, Any]:
    """The same as queries answer it: with the time it was placed."""
    return {**order_row(order), "time": ms(order.created_ns)}


def acknowledged(order: Order) -> dict[str, Any]:
    """An order as it was taken in, before it met the book (newOrderRespType=ACK)."""
    zero = {"status": "NEW", "avgPrice": "0.00", "executedQty": "0", "cumQty": "0", "cumQuote": "0"}
    return {**order_row(order), **zero}


def algo_row(stop: Stop) -> dict[str, Any]:
    """A conditional order, as placing answers it."""
    trail = stop.trail
    percent = None if trail is None else trail.percent
    return {
        "algoId": order_number(stop.id),
        "clientAlgoId": stop.client_id,
        "algoType": "CONDITIONAL",
        "orderType": stop_type_name(stop),
        "symbol": stop.symbol,
        "side": side_name(stop.side),
        "positionSide": "BOTH",
        "timeInForce": stop_time_name(stop),
        "quantity": text(stop.quantity),
        "algoStatus": algo_status_name(stop),
        "triggerPrice": text(stop.trigger_price),
        "price": text(stop.limit_price),
        "icebergQuantity": None,
        "selfTradePreventionMode": STP,
        "workingType": source_name(stop.trigger_by),
        "priceMatch": "NONE",
        "closePosition": stop.close_position,
        "priceProtect": stop.price_protect,
        "reduceOnly": stop.reduce_only and not stop.close_position,
        "activatePrice": "" if trail is None else text(trail.activation_price),
        "callbackRate": "" if percent is None else text(percent),
        "createTime": ms(stop.created_ns),
        "updateTime": ms(stop.updated_ns),
        "triggerTime": ms(stop.triggered_ns),
        "goodTillDate": 0,
    }


def listed_algo_row(stop: Stop) -> dict[str, Any]:
    """The same as lists answer it: with the order that it became."""
    return {
        **algo_row(stop),
        "actualOrderId": stop.order_id or "",
        "actualPrice": text(stop.order_price),
        "tpTriggerPrice": "0",
        "tpPrice": "0",
        "slTriggerPrice": "0",
        "slPrice": "0",
        "tpOrderType": "",
    }


def queried_algo_row(stop: Stop) -> dict[str, Any]:
    """The same as a query answers it."""
    kind = "" if stop.order_id is None else ("MARKET" if stop.limit_price is None else "LIMIT")
    return {**listed_algo_row(stop), "actualType": kind, "actualQty": text(stop.order_filled)}


def trade_row(trade: Trade) -> dict[str, Any]:
    """An execution of the account's."""
    fill = trade.fill
    return {
        "symbol": fill.symbol,
        "id": trade_number(fill.id),
        "orderId": order_number(fill.order_id),
        "side": side_name(fill.side),
        "price": text(fill.price),
        "qty": text(fill.quantity),
        "realizedPnl": text(trade.realized_pnl),
        "quoteQty": text(fill.price * fill.quantity),
        "commission": text(fill.fee_usd),
        "commissionAsset": ASSET,
        "time": ms(fill.time_ns),
        "positionSide": "BOTH",
        "buyer": side_name(fill.side) == "BUY",
        "maker": trade.maker,
    }


def income_row(income: Income) -> dict[str, Any]:
    """Money that came or went."""
    trade = str(trade_number(income.trade_id)) if income.trade_id else ""
    return {
        "symbol": income.symbol,
        "incomeType": _INCOME_TYPES[income.kind],
        "income": text(income.amount),
        "asset": ASSET,
        "info": trade if income.kind in ("realized-pnl", "commission") else _INCOME_TYPES[income.kind],
        "time": ms(income.time_ns),
        "tranId": income.number,
        "tradeId": trade,
    }
