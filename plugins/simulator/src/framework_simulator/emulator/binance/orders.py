"""Plain orders: place, test, amend, cancel, the dead-man switch.

Source: "Binance USD-M Futures, Trade". Conditional types have routes of their own (``conditional.py``).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from framework import OrderSide, OrderStatus, OrderType, TimeInForce

from ...engine.orders import Order, OrderRequest
from .call import VENUE, Call, one_of_two
from .errors import VenueError, from_refusal, missing
from .params import Params
from .shapes import acknowledged, order_row
from .words import CONDITIONAL_TYPES, LIMIT_TIMES, ms, side

BATCH = 5
RESPONSES = frozenset({"ACK", "RESULT"})
SIDE_MODES = frozenset({"BOTH", "LONG", "SHORT"})
# Documented: goodTillDate must lie more than 600 s ahead. The code is unverified.
GOOD_TILL_LEAST_MS = 600_000
EMPTIED = {"code": 200, "msg": "The operation of cancel all open order is done."}


def place(call: Call) -> dict[str, Any]:
    """POST order."""
    return place_one(call, call.params)


def place_one(call: Call, params: Params) -> dict[str, Any]:
    """Place one order, alone or out of a batch."""
    request = _request(call, params)
    shape = _response_shape(params)
    order = call.act(lambda venue, account, now_ns: venue.place_order(account, request, now_ns))
    if params.text("timeInForce") == "GTD":
        _end_on_date(call, order, params.need_whole("goodTillDate"))
    return shape(order)


def test(call: Call) -> dict[str, Any]:
    """POST order/test: whether the order would be taken in. Nothing happens."""
    request = _request(call, call.params)
    _response_shape(call.params)
    refusal = call.engine.test_order(call.account, request, call.world.now_ns())
    if refusal is not None:
        raise from_refusal(refusal)
    told = Order(
        number=0,
        client_id=request.client_id,
        symbol=request.symbol,
        side=request.side,
        type=request.type,
        quantity=request.quantity,
        price=request.price,
        time_in_force=request.time_in_force,
        reduce_only=request.reduce_only,
        all_or_nothing=request.all_or_nothing,
        updated_ns=call.world.now_ns(),
    )
    return order_row(told)


def place_batch(call: Call) -> list[dict[str, Any]]:
    """POST batchOrders: each for itself, in the order of the list. An error stands where the order would."""
    return [_or_error(partial(place_one, call, params)) for params in _batch(call.params)]


def amend(call: Call) -> dict[str, Any]:
    """PUT order."""
    return amend_one(call, call.params)


def amend_batch(call: Call) -> list[dict[str, Any]]:
    """PUT batchOrders."""
    return [_or_error(partial(amend_one, call, params)) for params in _batch(call.params)]


def amend_one(call: Call, params: Params) -> dict[str, Any]:
    """Give a limit order another price and quantity. It has to be the same side."""
    symbol = params.need("symbol")
    call.market(symbol)
    order_id, client_id = one_of_two(params, "orderId", "origClientOrderId")
    wanted = side(params.need("side"))
    quantity, price = params.need_decimal("quantity"), params.need_decimal("price")
    check_precision(call, symbol, quantity=quantity, prices=(price,))
    before = _find(call, symbol, order_id, client_id)
    if before is None:
        raise VenueError(-2013)
    if before.side is not wanted:
        raise VenueError(-1117)
    order = call.act(
        lambda venue, account, now_ns: venue.amend_order(
            account, symbol, before.id, now_ns, quantity=quantity, price=price
        )
    )
    done = call.state.amendments.setdefault(order.id, [])
    done.append(_amendment(len(done) + 1, before, order))
    return {**order_row(order), "modifyId": len(done)}


def cancel(call: Call) -> dict[str, Any]:
    """DELETE order."""
    symbol = call.symbol()
    order_id, client_id = one_of_two(call.params, "orderId", "origClientOrderId")
    return _cancelled_row(call, symbol, order_id, client_id)


def cancel_batch(call: Call) -> list[dict[str, Any]]:
    """DELETE batchOrders: by ids of the venue or of the client, at most 10."""
    symbol = call.symbol()
    numbers = _list(call.params, "orderIdList", "orderidlist")
    names = _list(call.params, "origClientOrderIdList", "origclientorderidlist")
    if not numbers and not names:
        raise missing("orderIdList")
    wanted = [(str(one), None) for one in numbers] if numbers else [(None, str(one)) for one in names]
    return [_or_error(partial(_cancelled_row, call, symbol, *one)) for one in wanted[:10]]


def cancel_all(call: Call) -> dict[str, Any]:
    """DELETE allOpenOrders: the plain orders of a market. Conditional ones stay."""
    symbol = call.symbol()
    call.act(lambda venue, account, now_ns: venue.cancel_orders(account, symbol, now_ns))
    return EMPTIED


def count_down(call: Call) -> dict[str, Any]:
    """POST countdownCancelAll. Unverified: that conditional orders are left alone."""
    symbol, delay_ms = call.symbol(), call.params.need_whole("countdownTime")
    account = call.account

    def cancel_now() -> None:
        call.world.act(VENUE, lambda venue, now_ns: venue.cancel_orders(account, symbol, now_ns))

    call.state.count_down(account, symbol, delay_ms, cancel_now)
    return {"symbol": symbol, "countdownTime": str(delay_ms)}


def check_precision(call: Call, symbol: str, *, quantity: Decimal | None, prices: tuple[Decimal | None, ...]) -> None:
    """Raises -1111 for more decimals than the symbol has at all; the tick and step are the engine's business."""
    row = call.world.rows.get(VENUE, {}).get(symbol, {})
    checks = [(quantity, row.get("quantityPrecision")), *((price, row.get("pricePrecision")) for price in prices)]
    for value, most in checks:
        if value is None or most is None:
            continue
        exponent = value.normalize().as_tuple().exponent
        if isinstance(exponent, int) and -exponent > most:
            raise VenueError(-1111)


def check_side_mode(call: Call, params: Params) -> None:
    """Raises -4061 where positionSide is not that of the account's mode, -1106 for reduceOnly in hedge mode."""
    wanted = params.one_of("positionSide", SIDE_MODES, "BOTH")
    hedge = call.engine.account(call.account).hedge_mode
    if (wanted == "BOTH") is hedge:
        raise VenueError(-4061)
    if hedge and params.text("reduceOnly") is not None:
        raise VenueError(-1106, "reduceOnly")


def _request(call: Call, params: Params) -> OrderRequest:
    symbol = params.need("symbol")
    call.market(symbol)
    order_side, kind = side(params.need("side")), params.need("type")
    if kind in CONDITIONAL_TYPES:
        raise VenueError(-4120)
    if kind not in ("LIMIT", "MARKET"):
        raise VenueError(-1116)
    check_side_mode(call, params)
    if params.truth("closePosition"):
        raise VenueError(-4136)
    client_id = params.text("newClientOrderId") or call.state.next_client_id()
    quantity, reduce_only = params.need_decimal("quantity"), params.truth("reduceOnly")
    if kind == "MARKET":
        return _market_request(call, params, symbol, order_side, quantity, client_id, reduce_only=reduce_only)
    times = LIMIT_TIMES.get(params.need("timeInForce"))
    if times is None:
        raise VenueError(-1115)
    price = params.need_decimal("price")
    check_precision(call, symbol, quantity=quantity, prices=(price,))
    if params.text("timeInForce") == "GTD":
        _check_date(call, params.need_whole("goodTillDate"))
    return OrderRequest(
        client_id=client_id,
        symbol=symbol,
        side=order_side,
        type=OrderType.LIMIT,
        quantity=quantity,
        price=price,
        time_in_force=times[0],
        all_or_nothing=times[1],
        reduce_only=reduce_only,
    )


def _market_request(
    call: Call,
    params: Params,
    symbol: str,
    order_side: OrderSide,
    quantity: Decimal,
    client_id: str,
    *,
    reduce_only: bool,
) -> OrderRequest:
    for name in ("price", "timeInForce", "goodTillDate"):
        if params.text(name) is not None:
            raise VenueError(-1106, name)
    check_precision(call, symbol, quantity=quantity, prices=())
    return OrderRequest(
        client_id=client_id,
        symbol=symbol,
        side=order_side,
        type=OrderType.MARKET,
        quantity=quantity,
        time_in_force=TimeInForce.IOC,
        reduce_only=reduce_only,
    )


def _response_shape(params: Params) -> Callable[[Order], dict[str, Any]]:
    wanted = params.text("newOrderRespType") or "ACK"
    if wanted not in RESPONSES:
        raise VenueError(-1136)
    return acknowledged if wanted == "ACK" else order_row


def _check_date(call: Call, date_ms: int) -> None:
    if date_ms <= call.world.told_ms("binance") + GOOD_TILL_LEAST_MS:
        raise VenueError(-1130, "goodTillDate")


def _end_on_date(call: Call, order: Order, date_ms: int) -> None:
    account = call.account

    def end() -> None:
        call.world.act(
            VENUE,
            lambda venue, now_ns: venue.end_order(
                account, order.symbol, order.id, OrderStatus.EXPIRED, "good till date", now_ns
            ),
        )

    call.world.at(date_ms * 1_000_000, end)


def _find(call: Call, symbol: str, order_id: str | None, client_id: str | None) -> Order | None:
    if order_id is not None:
        return call.engine.order_by_id(call.account, symbol, order_id)
    return call.engine.order(call.account, symbol, client_id or "")


def _cancelled_row(call: Call, symbol: str, order_id: str | None, client_id: str | None) -> dict[str, Any]:
    return order_row(_cancel(call, symbol, order_id, client_id))


def _cancel(call: Call, symbol: str, order_id: str | None, client_id: str | None) -> Order:
    if order_id is not None:
        return call.act(lambda venue, account, now_ns: venue.cancel_order_by_id(account, symbol, order_id, now_ns))
    return call.act(lambda venue, account, now_ns: venue.cancel_order(account, symbol, client_id or "", now_ns))


def _amendment(number: int, before: Order, after: Order) -> dict[str, Any]:
    told_before, told_after = order_row(before), order_row(after)
    return {
        "amendmentId": after.number * 1000 + number,
        "symbol": after.symbol,
        "pair": after.symbol,
        "orderId": told_after["orderId"],
        "clientOrderId": after.client_id,
        "time": ms(after.updated_ns),
        "amendment": {
            "price": {"before": told_before["price"], "after": told_after["price"]},
            "origQty": {"before": told_before["origQty"], "after": told_after["origQty"]},
            "count": number,
            "modifyId": number,
        },
        "priceMatch": "NONE",
    }


def _batch(params: Params) -> list[Params]:
    rows = _list(params, "batchOrders")
    if not rows:
        raise missing("batchOrders")
    if len(rows) > BATCH:
        raise VenueError(-4082, message="Invalid number of batch place orders.")
    if not all(isinstance(row, dict) for row in rows):
        raise VenueError(-4083, message="Fail to place batch orders.")
    return [Params.of_frame(row) for row in rows]


def _list(params: Params, *names: str) -> list[Any]:
    raw = next((value for name in names if (value := params.text(name)) is not None), None)
    if raw is None:
        return []
    try:
        rows = json.loads(raw)
    except (ValueError, RecursionError):
        raise VenueError(-1130, names[0]) from None
    if not isinstance(rows, list):
        raise VenueError(-1130, names[0])
    return rows


def _or_error(do: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return do()
    except VenueError as error:
        return error.body
