"""The stops of a position: inside an entry, and by position/trading-stop. Source: "Bybit v5, Set Trading Stop"."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import frozen

from framework import OrderSide, PriceSource, ceil_to, floor_to

from ...engine.account import Position
from ...engine.orders import AttachedStop, StopKind, Trail
from .call import Call, Handler
from .errors import VenueError, bad_param
from .params import Params
from .words import SOURCES

MODES = frozenset({"Full", "Partial"})
MOST_PARTIAL = 20


@frozen
class Leg:
    """The names of the parameters of one of the two."""

    kind: StopKind
    price: str
    trigger_by: str
    size: str
    order_type: str
    limit_price: str


LEGS = (
    Leg(StopKind.STOP, "stopLoss", "slTriggerBy", "slSize", "slOrderType", "slLimitPrice"),
    Leg(StopKind.TAKE_PROFIT, "takeProfit", "tpTriggerBy", "tpSize", "tpOrderType", "tpLimitPrice"),
)


def entry_wishes(params: Params) -> tuple[AttachedStop | None, AttachedStop | None]:
    """Stop loss and take profit inside an entry. "0" is as good as none."""
    # Unverified: the mode of an entry that names none; Full is what the venue's own client is set to.
    partial = params.one_of("tpslMode", MODES, "Full") == "Partial"
    stop, profit = (_wish(params, leg, Decimal(1) if partial else None) for leg in LEGS)
    return stop, profit


def _wish(params: Params, leg: Leg, quantity: Decimal | None) -> AttachedStop | None:
    price = params.decimal(leg.price)
    if not price:
        return None
    limit = params.one_of(leg.order_type, frozenset({"Market", "Limit"}), "Market") == "Limit"
    limit_price = params.decimal(leg.limit_price) if limit else None
    if limit and quantity is None:
        raise VenueError(10001, f"{leg.order_type} must be Market in Full mode")
    if limit and not limit_price:
        raise VenueError(10001, f"{leg.limit_price} is required")
    return AttachedStop(
        client_id="",
        trigger_price=price,
        trigger_by=_source(params, leg.trigger_by),
        kind=leg.kind,
        limit_price=limit_price,
        quantity=quantity,
    )


def _source(params: Params, name: str) -> PriceSource:
    return SOURCES[params.one_of(name, SOURCES, "LastPrice")]


def trading_stop(call: Call) -> dict[str, Any]:
    """POST position/trading-stop: sets, moves and (with "0") removes the stops of a position."""
    call.params.linear()
    call.require_one_way()
    params, symbol = call.params, call.symbol()
    position = call.engine.position(call.account, symbol)
    if not position.quantity:
        raise VenueError(10001, message="can not set tp/sl/ts for zero position")
    # Documented as required; ccxt leaves it out with a trailing stop.
    partial = params.one_of("tpslMode", MODES, "Full") == "Partial"
    wishes: list[AttachedStop] = []
    removed: list[StopKind] = []
    for leg in LEGS:
        _add(params, leg, partial=partial, wishes=wishes, removed=removed)
    _add_trailing(call, symbol, position, wishes, removed)
    if not wishes and not removed:
        # Unverified: documented as "not modified, or a required parameter is missing".
        raise VenueError(34040)
    _require_room(call, symbol, wishes)
    call.act(lambda venue, account, now_ns: venue.set_attached_stops(account, symbol, wishes, removed, now_ns))
    return {}


def _add(params: Params, leg: Leg, *, partial: bool, wishes: list[AttachedStop], removed: list[StopKind]) -> None:
    price = params.decimal(leg.price)
    if price is None:
        return
    if not price:
        # In Partial mode stops are taken away by cancelling their orders.
        if not partial:
            removed.append(leg.kind)
        return
    quantity = params.decimal(leg.size)
    if partial and not quantity:
        raise VenueError(10001, f"{leg.size} is required in Partial mode")
    wish = _wish(params, leg, quantity if partial else None)
    if wish is not None:
        wishes.append(wish)


def _add_trailing(
    call: Call, symbol: str, position: Position, wishes: list[AttachedStop], removed: list[StopKind]
) -> None:
    distance = call.params.decimal("trailingStop")
    if distance is None:
        return
    if not distance:
        removed.append(StopKind.TRAILING)
        return
    if distance < 0:
        raise bad_param("trailingStop")
    book = call.book(symbol)
    if book is None:
        raise VenueError(110118)
    start = call.params.decimal("activePrice") or None
    tick = call.market(symbol).rules.tick_size
    base = book.quote.last if start is None else start
    selling = position.exit_side is OrderSide.SELL
    first = max(tick, floor_to(base - distance, tick)) if selling else ceil_to(base + distance, tick)
    wish = AttachedStop(
        client_id="",
        trigger_price=first,
        trigger_by=PriceSource.LAST,
        kind=StopKind.TRAILING,
        trail=Trail(distance=distance, activation_price=start),
    )
    wishes.append(wish)


def _require_room(call: Call, symbol: str, wishes: list[AttachedStop]) -> None:
    """Raises 110061 beyond 20 partial stops."""
    there = sum(stop.attached and stop.quantity is not None for stop in call.engine.stops(call.account, symbol))
    if there + sum(wish.quantity is not None for wish in wishes) > MOST_PARTIAL:
        raise VenueError(110061)


ROUTES: Mapping[str, Handler] = {"/v5/position/trading-stop": trading_stop}
