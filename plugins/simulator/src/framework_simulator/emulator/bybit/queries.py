"""What an account asks: orders, executions, positions, closed PnL. Source: "Bybit v5, Trade" and "Position".

Everything comes from the lagging view, so that what was just accepted may not be there yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from ...engine.account import Position
from ...engine.money import ZERO, average, share_of
from ...engine.orders import Order, Stop
from ...engine.tiers import tier_for
from ..view import Trade, View
from .call import Call, Handler, Row, newest_first, page
from .errors import bad_param
from .shapes import execution_row, funding_row, money, order_row, stop_fields, stop_row
from .words import EXEC_TYPES, OPEN_STATUSES, ms, order_link_id, price_text, side_name, text, type_name

CLOSED_IN_REALTIME = 500

# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────


def realtime(call: Call) -> dict[str, Any]:
    """GET order/realtime: open orders, newest first; by id, or with openOnly=1, recently closed ones as well."""
    call.params.linear()
    named = call.params.text("orderId") is not None or call.params.text("orderLinkId") is not None
    symbol = call.some_symbol() if named else call.symbol_or_coin()
    kinds = frozenset({"Order", "StopOrder", "tpslOrder", "OcoOrder", "BidirectionalTpslOrder", ""})
    which = call.params.one_of("orderFilter", kinds, "")
    rows = list(_named(call, symbol) if named else _open(call, symbol))
    if call.params.whole("openOnly") == 1 and not named:
        closed = (row for row in _all(call, symbol) if row["orderStatus"] not in OPEN_STATUSES)
        rows += list(closed)[-CLOSED_IN_REALTIME:]
    rows = [row for row in rows if _passes(which, row)]
    return page(call, newest_first(rows, "createdTime"), "orderId", default=20, largest=50)


def history(call: Call) -> dict[str, Any]:
    """GET order/history: orders that have come to their end, newest first."""
    call.params.linear()
    named = call.params.text("orderId") is not None or call.params.text("orderLinkId") is not None
    symbol, status = call.some_symbol(), call.params.text("orderStatus")
    which = call.params.text("orderFilter") or ""
    found = _named(call, symbol) if named else _all(call, symbol)
    rows = [
        row
        for row in found
        if row["orderStatus"] not in OPEN_STATUSES and status in (None, row["orderStatus"]) and _passes(which, row)
    ]
    rows = call.window(lambda row: int(row["createdTime"]) * 1_000_000, rows)
    return page(call, newest_first(rows, "createdTime"), "orderId", default=20, largest=50)


def _passes(which: str, row: Row) -> bool:
    """Whether a row belongs to an orderFilter: conditional orders and stops, or all others."""
    conditional = row["orderStatus"] == "Untriggered" or bool(row["stopOrderType"])
    return not which or (which == "Order") is not conditional


def _open(call: Call, symbol: str | None) -> Iterator[Row]:
    view = call.view
    for order in view.open_orders(symbol):
        if call.settles(order.symbol):
            yield order_row(order, call.notes, call.account)
    for stop in view.resting_stops(symbol):
        if call.settles(stop.symbol):
            yield _stop(call, view, stop)


def _all(call: Call, symbol: str | None) -> Iterator[Row]:
    view = call.view
    for order in view.orders.values():
        if symbol in (None, order.symbol) and call.settles(order.symbol):
            yield order_row(order, call.notes, call.account)
    for stop in view.stops.values():
        # A stop that has become an order is that order: the id is the same.
        if stop.id not in view.orders and symbol in (None, stop.symbol) and call.settles(stop.symbol):
            yield _stop(call, view, stop)


def _named(call: Call, symbol: str | None) -> Iterator[Row]:
    view = call.view
    order_id, name = call.params.text("orderId"), call.params.text("orderLinkId")
    order: Order | None = view.order(symbol, order_id=order_id, client_id=name)
    if order is not None:
        yield order_row(order, call.notes, call.account)
        return
    stop = view.stop(symbol, stop_id=order_id, client_id=name)
    if stop is not None:
        yield _stop(call, view, stop)


def _stop(call: Call, view: View, stop: Stop) -> Row:
    if stop.trail is not None:
        # How a trailing stop moves is no event: where it stands is seen by looking.
        stop = call.engine.stop_by_id(call.account, stop.symbol, stop.id) or stop
    return stop_row(stop, view.position(stop.symbol).size, call.notes, call.account)


# ── executions ──────────────────────────────────────────────────────────────────────────────────────────────


def executions(call: Call) -> dict[str, Any]:
    """GET execution/list, newest first. Without execType (or with an empty one) all kinds, funding included."""
    call.params.linear()
    symbol, kind = call.some_symbol(), call.params.text("execType")
    order_id, name = call.params.text("orderId"), call.params.text("orderLinkId")
    if kind is not None and kind not in EXEC_TYPES:
        raise bad_param("execType")
    view = call.view
    trades = (trade for trade in view.trades if symbol in (None, trade.fill.symbol))
    rows = [execution_row(t, call.notes, None) for t in trades if order_id in (None, t.fill.order_id)]
    rows += [funding_row(funding) for funding in view.funding]
    rows = [
        row
        for row in rows
        if symbol in (None, row["symbol"])
        and kind in (None, row["execType"])
        and order_id in (None, row["orderId"])
        and name in (None, row["orderLinkId"])
    ]
    rows = call.window(lambda row: int(row["execTime"]) * 1_000_000, rows)
    newest = newest_first(rows, "execTime")
    return page(call, newest, "execId", default=50, largest=100)


# ── positions ───────────────────────────────────────────────────────────────────────────────────────────────


def positions(call: Call) -> dict[str, Any]:
    """GET position/list: with a symbol its position, flat or not; else every position that is not flat."""
    call.params.linear()
    symbol = call.symbol_or_coin()
    view = call.view
    held = [view.position(symbol)] if symbol is not None else list(view.positions.values())
    rows = [row for one in held if call.settles(one.symbol) for row in _by_side(call, view, one)]
    return page(call, rows, "symbol", default=20, largest=200)


def _by_side(call: Call, view: View, position: Position) -> list[Row]:
    """One row, or in hedge mode one for each side: clients tell the mode by `positionIdx`."""
    row = position_row(call, view, position)
    if not call.engine.account(call.account).hedge_mode:
        return [row]
    index = {"Buy": 1, "Sell": 2, "": 0}[row["side"]]
    flat = position_row(call, View(), Position(position.symbol))
    return [{**(row if one == index else flat), "positionIdx": one} for one in (1, 2)]


def position_row(call: Call, view: View, position: Position) -> Row:
    """A position with its stops, as the route and (nearly so) the topic tell it."""
    symbol, engine, account = position.symbol, call.engine, call.account
    book = call.book(symbol)
    mark = ZERO if book is None else book.quote.mark
    market, leverage = call.market(symbol), engine.leverage(account, symbol)
    notional = position.size * mark
    tier = tier_for(market.tiers, notional)
    initial, maintenance = position.cost / leverage, (tier.maintenance(notional) if position.quantity else ZERO)
    side = "" if not position.quantity else ("Buy" if position.quantity > ZERO else "Sell")
    realized = view.realized.get(symbol, ZERO)
    liquidation = engine.liquidation_price(account, symbol) if position.quantity and book is not None else None
    updated = ms(view.updated_ns.get(symbol, 0))
    return {
        "positionIdx": 0,
        "riskId": market.tiers.index(tier) + 1,
        "riskLimitValue": text(tier.cap),
        "symbol": symbol,
        "side": side,
        "size": text(position.size),
        "avgPrice": text(position.entry_price),
        "positionValue": text(position.cost),
        "tradeMode": 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 2 if position.quantity else 0,
        "leverage": text(leverage),
        "breakEvenPrice": text(position.entry_price),
        "positionBalance": money(initial) if position.quantity else "0",
        "markPrice": text(mark),
        "liqPrice": "" if liquidation is None else price_text(liquidation.quantize(market.rules.tick_size)),
        "bustPrice": "",
        "positionIM": money(initial),
        "positionIMByMp": money(initial),
        "positionMM": money(maintenance),
        "positionMMByMp": money(maintenance),
        "tpslMode": "Full",
        **stop_fields(view.attached(symbol)),
        "unrealisedPnl": money(position.unrealized_pnl(mark)) if position.quantity else "0",
        "curRealisedPnl": money(realized),
        "cumRealisedPnl": money(realized),
        "seq": len(view.trades),
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "sessionAvgPrice": "",
        "createdTime": updated,
        "updatedTime": updated,
    }


def closed_pnl(call: Call) -> dict[str, Any]:
    """GET position/closed-pnl: one row for each order that reduced a position, newest first."""
    call.params.linear()
    symbol = call.some_symbol()
    rows = [row for row in _closings(call.view) if symbol in (None, row["symbol"])]
    for row in rows:
        row["leverage"] = text(call.engine.leverage(call.account, row["symbol"]))
    rows = call.window(lambda row: int(row["updatedTime"]) * 1_000_000, rows)
    newest = newest_first(rows, "updatedTime")
    return page(call, newest, "orderId", default=50, largest=100)


def _closings(view: View) -> list[Row]:
    """The PnL of an order is after the fees of opening and of closing."""
    open_fees: dict[str, Decimal] = {}
    by_order: dict[str, list[tuple[Trade, Decimal]]] = {}
    for trade in view.trades:
        symbol = trade.fill.symbol
        paid = open_fees.get(symbol, ZERO)
        if not trade.closed:
            open_fees[symbol] = paid + trade.fill.fee_usd
            continue
        share = share_of(paid, trade.closed, trade.closed + trade.position.size)
        open_fees[symbol] = paid - share
        by_order.setdefault(trade.fill.order_id, []).append((trade, trade.fill.fee_usd + share))
    return [_closing_row(parts) for parts in by_order.values()]


def _closing_row(parts: list[tuple[Trade, Decimal]]) -> Row:
    trades = [trade for trade, _ in parts]
    last = trades[-1]
    order, size = last.order, sum((trade.closed for trade in trades), ZERO)
    entry = sum((trade.closed * trade.entry_price for trade in trades), ZERO)
    exit_ = sum((trade.closed * trade.fill.price for trade in trades), ZERO)
    pnl = sum((trade.realized_pnl - fees for trade, fees in parts), ZERO)
    return {
        "symbol": last.fill.symbol,
        "orderId": order.id,
        "orderLinkId": order_link_id(order),
        "side": side_name(order.side),
        "qty": text(order.quantity),
        "orderPrice": text(last.fill.price if order.price is None else order.price),
        "orderType": type_name(order.price is not None),
        "execType": {"liquidation": "BustTrade", "adl": "AdlTrade"}.get(last.fill.cause, "Trade"),
        "closedSize": text(size),
        "cumEntryValue": money(entry),
        "avgEntryPrice": text(average(entry, size)),
        "cumExitValue": money(exit_),
        "avgExitPrice": text(average(exit_, size)),
        "closedPnl": money(pnl),
        "fillCount": str(len(trades)),
        "openFee": money(sum((fees - trade.fill.fee_usd for trade, fees in parts), ZERO)),
        "closeFee": money(sum((trade.fill.fee_usd for trade in trades), ZERO)),
        "createdTime": ms(trades[0].fill.time_ns),
        "updatedTime": ms(last.fill.time_ns),
    }


ROUTES: Mapping[str, Handler] = {
    "/v5/order/realtime": realtime,
    "/v5/order/history": history,
    "/v5/execution/list": executions,
    "/v5/position/list": positions,
    "/v5/position/closed-pnl": closed_pnl,
}
