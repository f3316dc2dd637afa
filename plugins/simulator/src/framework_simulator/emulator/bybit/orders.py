"""Placing, amending and cancelling orders, plain and conditional. Source: "Bybit v5, Trade".

The same functions serve REST and the trading socket. Acknowledgements carry ids only: the outcome comes by stream or
query.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from attrs import evolve, frozen

from framework import OrderSide, OrderType, PriceSource, TimeInForce

from ...engine.orders import AttachedStop, Order, OrderRequest, Stop, StopKind, StopRequest
from .call import Answer, Call, Handler, Row
from .conditional import entry_wishes
from .errors import VenueError, bad_param, missing
from .params import Params
from .words import ANONYMOUS, SIDES, SOURCES, TIMES, link_id, order_link_id, stop_type_name

BATCH = 20
SENT_TO = {"orderId": "", "orderLinkId": ""}


# ── placing ─────────────────────────────────────────────────────────────────────────────────────────────────


@frozen
class Wanted:
    """What an order/create asks for, in the engine's words."""

    client_id: str
    symbol: str
    side: OrderSide
    quantity: Decimal
    price: Decimal | None
    time_in_force: TimeInForce
    all_or_nothing: bool
    reduce_only: bool
    stop: AttachedStop | None
    take_profit: AttachedStop | None


def create(call: Call) -> dict[str, Any]:
    """POST order/create."""
    call.params.linear()
    call.require_one_way()
    wanted = _wanted(call)
    if call.params.truth("closeOnTrigger"):
        call.notes.closes(call.account, wanted.client_id)
    trigger_price = call.params.decimal("triggerPrice")
    if trigger_price is None:
        placed: Order | Stop = _place_order(call, wanted)
    else:
        placed = _place_conditional(call, wanted, trigger_price)
    return {"orderId": placed.id, "orderLinkId": link_id(placed.client_id)}


def _wanted(call: Call) -> Wanted:
    params, symbol = call.params, call.symbol()
    side = SIDES.get(params.need("side"))
    if side is None:
        raise VenueError(10001, "Side invalid")
    limit = params.one_of("orderType", frozenset({"Market", "Limit"}), "") == "Limit"
    time, all_or_nothing = TIMES[params.one_of("timeInForce", TIMES, "GTC" if limit else "IOC")]
    price = params.decimal("price") if limit else None
    if limit and price is None:
        raise missing("price")
    reduce_only = params.truth("reduceOnly")
    stop, take_profit = entry_wishes(params)
    if reduce_only and (stop is not None or take_profit is not None):
        raise VenueError(10001, "TP/SL can't be set with a reduce-only order")
    client_id = params.text("orderLinkId")
    if client_id is not None and client_id.startswith(ANONYMOUS):
        raise bad_param("orderLinkId")
    return Wanted(
        client_id=client_id or call.notes.anonymous_id(),
        symbol=symbol,
        side=side,
        quantity=_quantity(call, symbol, side, reduce_only=reduce_only),
        price=price,
        time_in_force=time if limit else TimeInForce.IOC,
        all_or_nothing=all_or_nothing and limit,
        reduce_only=reduce_only,
        stop=stop,
        take_profit=take_profit,
    )


def _quantity(call: Call, symbol: str, side: OrderSide, *, reduce_only: bool) -> Decimal:
    """The quantity; all of the position where it says so."""
    if not _stands_for_all(call, reduce_only=reduce_only):
        return call.params.need_decimal("qty")
    position = call.engine.position(call.account, symbol)
    if not position.quantity or side is not position.exit_side:
        raise VenueError(110017)
    return position.size


def _stands_for_all(call: Call, *, reduce_only: bool) -> bool:
    """Whether the quantity is "0" with reduceOnly and closeOnTrigger ("Bybit v5, Place Order": all of the position).

    That what is left below the market's step goes, too, follows from "all"; nobody has seen it.
    """
    return reduce_only and call.params.truth("closeOnTrigger") and not call.params.need_decimal("qty")


def _place_order(call: Call, wanted: Wanted) -> Order:
    request = OrderRequest(
        client_id=wanted.client_id,
        symbol=wanted.symbol,
        side=wanted.side,
        type=OrderType.MARKET if wanted.price is None else OrderType.LIMIT,
        quantity=wanted.quantity,
        price=wanted.price,
        time_in_force=wanted.time_in_force,
        reduce_only=wanted.reduce_only,
        stop=wanted.stop,
        take_profit=wanted.take_profit,
        all_or_nothing=wanted.all_or_nothing,
        closes_all=_stands_for_all(call, reduce_only=wanted.reduce_only),
    )
    return call.act(lambda venue, account, now_ns: venue.place_order(account, request, now_ns))


def _place_conditional(call: Call, wanted: Wanted, trigger_price: Decimal) -> Stop:
    direction = call.params.whole("triggerDirection")
    if direction not in (1, 2):
        raise VenueError(10001, "triggerDirection invalid")
    falling = direction == 2
    # A sale at a falling price, or a purchase at a rising one, is what the engine calls a stop.
    kind = StopKind.STOP if falling is (wanted.side is OrderSide.SELL) else StopKind.TAKE_PROFIT
    request = StopRequest(
        client_id=wanted.client_id,
        symbol=wanted.symbol,
        side=wanted.side,
        quantity=wanted.quantity,
        trigger_price=trigger_price,
        trigger_by=source(call.params, "triggerBy"),
        kind=kind,
        limit_price=wanted.price,
        time_in_force=wanted.time_in_force,
        all_or_nothing=wanted.all_or_nothing,
        reduce_only=wanted.reduce_only,
        stop=wanted.stop,
        take_profit=wanted.take_profit,
    )
    return call.act(lambda venue, account, now_ns: venue.place_stop(account, request, now_ns))


def source(params: Params, name: str) -> PriceSource:
    """The price that triggers; LastPrice unless told otherwise."""
    return SOURCES[params.one_of(name, SOURCES, "LastPrice")]


# ── amending and cancelling ─────────────────────────────────────────────────────────────────────────────────


def amend(call: Call) -> dict[str, Any]:
    """POST order/amend: price and quantity of an order, and the trigger of a conditional one or of an attached stop."""
    call.params.linear()
    found = _find(call, "replace")
    quantity, price, trigger = (call.params.decimal(name) for name in ("qty", "price", "triggerPrice"))
    for name in ("stopLoss", "takeProfit"):
        if call.params.text(name) is not None:
            raise VenueError(10001, f"changing {name} of an open order is not emulated")
    symbol, found_id = found.symbol, found.id
    if isinstance(found, Stop):
        changed: Order | Stop = call.act(
            lambda venue, account, now_ns: venue.change_stop(
                account, symbol, found_id, now_ns, trigger_price=trigger, limit_price=price, quantity=quantity
            )
        )
    else:
        if found.parent is not None and found.filled:
            raise VenueError(110059, message="Order Modification failed: it is partially filled TP/SL")
        changed = call.act(
            lambda venue, account, now_ns: venue.amend_order(
                account, symbol, found_id, now_ns, quantity=quantity, price=price
            )
        )
    return ids(changed)


def cancel(call: Call) -> dict[str, Any]:
    """POST order/cancel."""
    call.params.linear()
    found = _find(call, "cancel")
    symbol, found_id = found.symbol, found.id
    if isinstance(found, Stop):
        gone: Order | Stop = call.act(lambda v, account, now: v.cancel_stop_by_id(account, symbol, found_id, now))
    else:
        gone = call.act(lambda v, account, now: v.cancel_order_by_id(account, symbol, found_id, now))
    return ids(gone)


def ids(order: Order | Stop) -> dict[str, Any]:
    """The two ids of an order."""
    name = order_link_id(order) if isinstance(order, Order) else link_id(order.client_id)
    return {"orderId": order.id, "orderLinkId": name}


def _find(call: Call, doing: str) -> Order | Stop:
    """The live order that is meant, as it really is. Raises 110001 where there is none (left)."""
    symbol, engine, account = call.symbol(), call.engine, call.account
    order_id, name = call.params.text("orderId"), call.params.text("orderLinkId")
    if order_id is None and name is None:
        raise VenueError(10001, "OrderId or orderLinkId is required")
    # Where both are sent, the venue's id decides ("Cancel Order").
    if order_id is not None:
        order, stop = engine.order_by_id(account, symbol, order_id), engine.stop_by_id(account, symbol, order_id)
    else:
        order, stop = engine.order(account, symbol, name or ""), engine.stop_by_client_id(account, symbol, name or "")
    if stop is not None:
        return stop
    if order is None or order.status.is_final:
        raise VenueError(110001, doing)
    return order


def cancel_all(call: Call) -> dict[str, Any]:
    """POST order/cancel-all: without a filter everything in the market, the stops of the position included."""
    call.params.linear()
    symbol = call.symbol_or_coin()
    kinds = frozenset({"Order", "StopOrder", "tpslOrder"})
    which = call.params.one_of("orderFilter", kinds | {""}, "")
    stop_type = call.params.text("stopOrderType")
    gone: list[Order | Stop] = []
    if which in ("", "Order"):
        gone += call.act(lambda venue, account, now_ns: venue.cancel_orders(account, symbol, now_ns))
    if which in ("", "StopOrder", "tpslOrder"):
        chosen = _stops_to_cancel(which, stop_type)
        gone += call.act(lambda venue, account, now_ns: venue.cancel_stops(account, symbol, now_ns, chosen))
    return {"list": [ids(one) for one in gone], "success": "1"}


def _stops_to_cancel(which: str, stop_type: str | None) -> Callable[[Stop], bool]:
    def chosen(stop: Stop) -> bool:
        if which == "tpslOrder":
            return stop.attached
        return stop_type is None or stop_type_name(stop) == stop_type

    return chosen


# ── batches ─────────────────────────────────────────────────────────────────────────────────────────────────


def batch(one: Callable[[Call], Row], *, dated: bool) -> Handler:
    """A route that does the same to up to 20 orders, and says of each how it went."""

    def carry_out(call: Call) -> Answer:
        call.params.linear()
        rows: list[Row] = []
        words: list[Row] = []
        for item in call.params.items("request", BATCH):
            part = evolve(call, params=Params({**item.values, "category": "linear"}))
            try:
                row, word = one(part), {"code": 0, "msg": "OK"}
            except VenueError as error:
                row, word = {**SENT_TO}, {"code": error.code, "msg": error.message}
            moment = {"createAt": str(call.world.told_ms("bybit"))} if dated else {}
            named = {"category": "linear", "symbol": str(item.values.get("symbol", ""))[:36]}
            rows.append({**named, **row, **moment})
            words.append(word)
        return Answer({"list": rows}, {"list": words})

    return carry_out


def disconnected_cancel_all(call: Call) -> dict[str, Any]:
    """POST order/disconnected-cancel-all: for institutional clients only, which nobody is here."""
    raise VenueError(10005)


ROUTES: Mapping[str, Handler] = {
    "/v5/order/create": create,
    "/v5/order/amend": amend,
    "/v5/order/cancel": cancel,
    "/v5/order/cancel-all": cancel_all,
    "/v5/order/create-batch": batch(create, dated=True),
    "/v5/order/amend-batch": batch(amend, dated=False),
    "/v5/order/cancel-batch": batch(cancel, dated=False),
    "/v5/order/disconnected-cancel-all": disconnected_cancel_all,
}
