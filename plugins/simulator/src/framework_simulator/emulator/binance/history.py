"""Queries of plain orders and trades.

Source: "Binance USD-M Futures, Trade". They see the account as late as the venue's read side is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .call import Call, one_of_two
from .errors import VenueError
from .shapes import queried_order_row, trade_row
from .words import ms

DAY_MS = 24 * 60 * 60 * 1000
FORCED = ("autoclose-", "adl_autoclose")


def query(call: Call) -> dict[str, Any]:
    """GET order."""
    symbol = call.symbol()
    order_id, client_id = one_of_two(call.params, "orderId", "origClientOrderId")
    order = call.view.order(symbol, order_id=order_id, client_id=client_id)
    if order is None:
        raise VenueError(-2013)
    return queried_order_row(order)


def query_open(call: Call) -> dict[str, Any]:
    """GET openOrder: only while it is open."""
    symbol = call.symbol()
    order_id, client_id = one_of_two(call.params, "orderId", "origClientOrderId")
    order = call.view.order(symbol, order_id=order_id, client_id=client_id)
    if order is None or order.status.is_final:
        raise VenueError(-2013)
    return queried_order_row(order)


def list_open(call: Call) -> list[dict[str, Any]]:
    """GET openOrders, of one market or of all."""
    return [queried_order_row(order) for order in call.view.open_orders(call.some_symbol())]


def list_all(call: Call) -> list[dict[str, Any]]:
    """GET allOrders: from orderId on, or the newest within the times given (at most 7 days)."""
    symbol, limit = call.some_symbol(), call.params.limit(500, 1000)
    first = call.params.whole("orderId")
    within = time_filter(call)
    rows = [
        order
        for order in call.view.orders.values()
        if symbol in (None, order.symbol) and within(order.created_ns) and (first is None or int(order.id) >= first)
    ]
    return [queried_order_row(order) for order in (rows[:limit] if first is not None else rows[-limit:])]


def list_forced(call: Call) -> list[dict[str, Any]]:
    """GET forceOrders: liquidations and auto-deleveraging of the account."""
    symbol, within, limit = call.some_symbol(), time_filter(call), call.params.limit(50, 100)
    rows = [
        order
        for order in call.view.orders.values()
        if order.cause is not None
        and order.client_id.startswith(FORCED)
        and symbol in (None, order.symbol)
        and within(order.created_ns)
    ]
    return [queried_order_row(order) for order in rows[-limit:]]


def list_trades(call: Call) -> list[dict[str, Any]]:
    """GET userTrades: from fromId on, or the newest within the times given."""
    symbol, limit = call.symbol(), call.params.limit(500, 1000)
    order_id, first = call.params.whole("orderId"), call.params.whole("fromId")
    within = time_filter(call)
    rows = [
        trade_row(trade)
        for trade in call.view.trades
        if trade.fill.symbol == symbol
        and within(trade.fill.time_ns)
        and (order_id is None or trade.fill.order_id == str(order_id))
    ]
    if first is None:
        return rows[-limit:]
    return [row for row in rows if row["id"] >= first][:limit]


def time_filter(call: Call) -> Callable[[int], bool]:
    """Whether an instant (ns) lies within startTime and endTime. Raises for more than 7 days."""
    start, end = call.params.whole("startTime"), call.params.whole("endTime")
    if start is not None and end is not None and not 0 <= end - start <= 7 * DAY_MS:
        raise VenueError(-4166, message="Search window is restricted to recent 90 days and 7 days in length.")
    return lambda time_ns: (start is None or ms(time_ns) >= start) and (end is None or ms(time_ns) <= end)


def amendments(call: Call) -> list[dict[str, Any]]:
    """GET orderAmendment."""
    symbol = call.symbol()
    order_id, client_id = one_of_two(call.params, "orderId", "origClientOrderId")
    order = call.view.order(symbol, order_id=order_id, client_id=client_id)
    if order is None:
        raise VenueError(-2013)
    return call.state.amendments.get(order.id, [])
