"""Conditional ("algo") orders: an id space, lists and cancels of their own.

Source: "Binance USD-M Futures, Trade, New Algo Order" and the announcement of 2025-11-06. Where the venue's code is
not documented for these routes, that of plain orders stands: unverified for -2011, -2013 and -4116.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from framework import TimeInForce

from ...engine.money import ZERO
from ...engine.orders import Stop, StopKind, StopRequest, Trail
from .call import Call, one_of_two
from .errors import VenueError
from .history import time_filter
from .orders import check_precision, check_side_mode
from .params import Params
from .shapes import algo_row, listed_algo_row, queried_algo_row
from .words import CONDITIONAL_TYPES, LIMIT_TIMES, SOURCES, side

CLOSING_TYPES = frozenset({"STOP_MARKET", "TAKE_PROFIT_MARKET"})
WORKING_TYPES = frozenset(SOURCES)


def place(call: Call) -> dict[str, Any]:
    """POST algoOrder."""
    params = call.params
    if params.need("algoType") != "CONDITIONAL":
        raise VenueError(-1130, "algoType")
    request = _request(call, params)
    return algo_row(call.act(lambda venue, account, now_ns: venue.place_stop(account, request, now_ns)))


def cancel(call: Call) -> dict[str, Any]:
    """DELETE algoOrder."""
    stop_id, client_id = one_of_two(call.params, "algoId", "clientAlgoId")
    symbol = call.some_symbol() or _symbol_of(call, stop_id, client_id)
    if stop_id is not None:
        stop = call.act(lambda venue, account, now_ns: venue.cancel_stop_by_id(account, symbol, stop_id, now_ns))
    else:
        name = client_id or ""
        stop = call.act(lambda venue, account, now_ns: venue.cancel_stop(account, symbol, name, now_ns))
    return {"algoId": int(stop.id), "clientAlgoId": stop.client_id, "code": "200", "msg": "success"}


def cancel_all(call: Call) -> dict[str, Any]:
    """DELETE algoOpenOrders: the conditional orders of a market. Plain ones stay."""
    symbol = call.symbol()
    call.act(lambda venue, account, now_ns: venue.cancel_stops(account, symbol, now_ns))
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def query(call: Call) -> dict[str, Any]:
    """GET algoOrder."""
    stop_id, client_id = one_of_two(call.params, "algoId", "clientAlgoId")
    stop = call.view.stop(call.some_symbol(), stop_id=stop_id, client_id=client_id)
    if stop is None:
        raise VenueError(-2013)
    return queried_algo_row(stop)


def list_open(call: Call) -> list[dict[str, Any]]:
    """GET openAlgoOrders, of one market or of all."""
    symbol, number = call.some_symbol(), call.params.whole("algoId")
    stops = call.view.resting_stops(symbol)
    return [listed_algo_row(stop) for stop in stops if number is None or stop.id == str(number)]


def list_all(call: Call) -> list[dict[str, Any]]:
    """GET allAlgoOrders: from algoId on, or the newest within the times given."""
    symbol, limit = call.some_symbol(), call.params.limit(500, 1000)
    first, within = call.params.whole("algoId"), time_filter(call)
    rows = [
        stop
        for stop in call.view.stops.values()
        if symbol in (None, stop.symbol) and within(stop.created_ns) and (first is None or int(stop.id) >= first)
    ]
    return [listed_algo_row(stop) for stop in (rows[:limit] if first is not None else rows[-limit:])]


def _request(call: Call, params: Params) -> StopRequest:
    symbol = params.need("symbol")
    call.market(symbol)
    order_side, name = side(params.need("side")), params.need("type")
    known = CONDITIONAL_TYPES.get(name)
    if known is None:
        raise VenueError(-1116)
    kind, is_limit = known
    check_side_mode(call, params)
    closes = _closes(params, name)
    quantity = None if closes else params.need_decimal("quantity")
    price = params.need_decimal("price") if is_limit else None
    if not is_limit:
        _not_wanted(params, "price")
    trigger_price, trail = _trigger(params, kind)
    check_precision(call, symbol, quantity=quantity, prices=(price, trigger_price))
    time_in_force, all_or_nothing, ends = _times(params)
    return StopRequest(
        client_id=params.text("clientAlgoId") or call.state.next_client_id(),
        symbol=symbol,
        side=order_side,
        quantity=quantity,
        trigger_price=trigger_price,
        trigger_by=SOURCES[params.one_of("workingType", WORKING_TYPES, "CONTRACT_PRICE")],
        kind=kind,
        limit_price=price,
        time_in_force=time_in_force,
        all_or_nothing=all_or_nothing,
        reduce_only=closes or params.truth("reduceOnly"),
        ends_with_position=ends or closes,
        price_protect=params.truth("priceProtect"),
        trail=trail,
    )


def _closes(params: Params, name: str) -> bool:
    """Whether it closes the whole position, and goes with it."""
    if not params.truth("closePosition"):
        return False
    if name not in CLOSING_TYPES:
        raise VenueError(-4136)
    if params.text("quantity") is not None:
        raise VenueError(-4137)
    # Documented is only that the two exclude one another; the code is unverified.
    if params.truth("reduceOnly"):
        raise VenueError(-1106, "reduceOnly")
    return True


def _trigger(params: Params, kind: StopKind) -> tuple[Decimal, Trail | None]:
    if kind is not StopKind.TRAILING:
        for name in ("callbackRate", "activatePrice", "activationPrice"):
            _not_wanted(params, name)
        return params.need_decimal("triggerPrice"), None
    _not_wanted(params, "triggerPrice")
    return ZERO, Trail(percent=params.need_decimal("callbackRate"), activation_price=params.decimal("activatePrice"))


def _times(params: Params) -> tuple[TimeInForce, bool, bool]:
    """The time in force of the later order, whether it is all or nothing, and whether it ends with the position."""
    name = params.text("timeInForce") or "GTC"
    if name == "GTE_GTC":
        return TimeInForce.GTC, False, True
    known = LIMIT_TIMES.get(name)
    if known is None or name == "GTD":
        raise VenueError(-1115)
    return known[0], known[1], False


def _not_wanted(params: Params, name: str) -> None:
    if params.text(name) is not None:
        raise VenueError(-1106, name)


def _symbol_of(call: Call, stop_id: str | None, client_id: str | None) -> str:
    """The symbol of a live conditional order that was named without one."""
    found: Stop | None = None
    for symbol in call.engine.markets:
        if stop_id is not None:
            found = call.engine.stop_by_id(call.account, symbol, stop_id)
        else:
            found = call.engine.stop_by_client_id(call.account, symbol, client_id or "")
        if found is not None:
            return found.symbol
    raise VenueError(-2011)
