"""The life of stops and other conditional orders: they rest, follow, trigger, become orders, or end before."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import evolve

from framework import OrderSide, OrderStatus, OrderType, TimeInForce, ceil_to, floor_to

from .account import Position
from .desk import Desk
from .events import StopChanged
from .margin import margin_shortfall
from .money import ZERO
from .orders import AttachedStop, CreatedBy, Order, Stop, Trail

if TYPE_CHECKING:
    from .matching import Matching

POSITION_CLOSED = "position closed"
NOTHING_TO_REDUCE = "nothing to reduce"
OTHER_TRIGGERED = "the other one of the pair has triggered"
REPLACED = "replaced"
MARGIN_SHORT = "margin is short"


def rest(venue: Matching, desk: Desk, stop: Stop) -> Stop:
    """Let a stop rest, new or moved."""
    created_ns = stop.created_ns or venue.now_ns
    stop = evolve(stop, created_ns=created_ns, updated_ns=venue.now_ns)
    desk.put_stop(stop)
    return _tell(venue, desk, stop)


def end(venue: Matching, desk: Desk, stop: Stop, status: OrderStatus, reason: str) -> Stop:
    """Take a resting stop out."""
    if stop.status is OrderStatus.TRIGGERED:
        desk.drop_triggering(stop)
    else:
        desk.drop_stop(stop)
    return _tell(venue, desk, evolve(stop, status=status, reason=reason, updated_ns=venue.now_ns))


def attach(
    venue: Matching, desk: Desk, symbol: str, wish: AttachedStop, *, pair: int | None = None, parent: str = ""
) -> Stop:
    """Set the stop of a position: moves the one that is there, or replaces it when the label differs.

    A wish with a quantity adds a partial one. `pair` links it to another; `parent` is the entry's client id.
    """
    current = desk.attached_stop(symbol, wish.kind) if wish.quantity is None else None
    if current is not None and current.client_id == wish.client_id:
        return rest(
            venue,
            desk,
            evolve(
                current,
                trigger_price=wish.trigger_price,
                trigger_by=wish.trigger_by,
                limit_price=wish.limit_price,
                trail=wish.trail,
            ),
        )
    if current is not None:
        end(venue, desk, current, OrderStatus.CANCELLED, REPLACED)
    number = venue.next_number()
    stop = Stop(
        number=number,
        venue_id=venue.stop_ids(number),
        client_id=wish.client_id,
        symbol=symbol,
        side=desk.account.position(symbol).exit_side,
        quantity=wish.quantity,
        trigger_price=wish.trigger_price,
        trigger_by=wish.trigger_by,
        attached=True,
        kind=wish.kind,
        limit_price=wish.limit_price,
        trail=wish.trail,
        pair=pair,
        parent_client_id=parent,
    )
    return rest(venue, desk, stop)


def attach_all(venue: Matching, desk: Desk, order: Order, opened: Decimal) -> None:
    """The stops that travelled in an order are set once it has `opened` something."""
    wishes = [wish for wish in (order.stop, order.take_profit) if wish is not None]
    partial = [wish for wish in wishes if wish.quantity is not None]
    pair = venue.next_number() if len(partial) > 1 else None
    for wish in wishes:
        part = wish if wish.quantity is None else evolve(wish, quantity=opened)
        attach(venue, desk, order.symbol, part, pair=pair if wish in partial else None, parent=order.client_id)


def clear(venue: Matching, desk: Desk, symbol: str, held: Position, by: Order) -> None:
    """A position is gone: attached stops go with it, and those of their own that need it. Others stay behind."""
    cause = by.parent if by.parent is not None and by.parent.attached else None
    for stop in desk.stops(symbol):
        if stop.side is not held.exit_side:
            continue
        if stop.attached:
            other = cause is not None and cause.kind is not stop.kind
            end(venue, desk, stop, OrderStatus.CANCELLED, OTHER_TRIGGERED if other else POSITION_CLOSED)
        elif stop.ends_with_position or stop.close_position:
            end(venue, desk, stop, OrderStatus.EXPIRED, POSITION_CLOSED)


def follow(venue: Matching, symbol: str) -> None:
    """Trailing stops take notice of the market: they begin to follow, or move to a better price."""
    book = venue.books[symbol]
    for desk, stop in resting(venue, symbol):
        if stop.trail is None:
            continue
        trail = followed(stop.trail, stop.side, book.trigger_price(stop.trigger_by))
        if trail is not stop.trail:
            tick = venue.markets[symbol].rules.tick_size
            moved = evolve(stop, trail=trail, trigger_price=trailing_price(trail, stop.side, tick))
            desk.put_stop(moved)
            # The venues tell nobody how a trailing stop moves; the ledger knows.
            venue.ledger.stop(venue.now_ns, desk.name, moved)


def followed(trail: Trail, side: OrderSide, price: Decimal) -> Trail:
    """The trail after a price was seen; the very same one if that changes nothing."""
    selling = side is OrderSide.SELL
    best, start = trail.best, trail.activation_price
    if best is None:
        begins = start is None or (price >= start if selling else price <= start)
        return evolve(trail, best=price) if begins else trail
    better = price > best if selling else price < best
    return evolve(trail, best=price) if better else trail


def trailing_price(trail: Trail, side: OrderSide, tick: Decimal) -> Decimal:
    """Where a trailing stop that follows triggers, on the tick that is further from the market."""
    best = trail.best if trail.best is not None else ZERO
    behind = trail.distance if trail.distance is not None else best * (trail.percent or ZERO) / 100
    if side is OrderSide.SELL:
        return max(tick, floor_to(best - behind, tick))
    return ceil_to(best + behind, tick)


def may_trigger(venue: Matching, stop: Stop) -> bool:
    """Whether the market has reached a stop, and nothing protects it from a price that may be a mere spike."""
    book = venue.books[stop.symbol]
    if not stop.reached_at(book.trigger_price(stop.trigger_by)):
        return False
    limit = venue.markets[stop.symbol].trigger_protect
    if not stop.price_protect or limit is None:
        return True
    return abs(book.quote.last - book.quote.mark) <= limit * book.quote.mark


def trigger(venue: Matching, desk: Desk, stop: Stop) -> None:
    """A stop's price was reached: it becomes an order, now or after the venue's delay."""
    if not venue.realism.trigger_delay_ns or venue.realism.stop_becomes_order:
        become_order(venue, desk, stop)
        return
    desk.drop_stop(stop)
    now_ns = venue.now_ns
    stop = evolve(stop, status=OrderStatus.TRIGGERED, reason="triggered", triggered_ns=now_ns, updated_ns=now_ns)
    desk.put_triggering(stop)
    venue.triggering.append((now_ns + venue.realism.trigger_delay_ns, desk, stop))
    _tell(venue, desk, stop)


def become_order(venue: Matching, desk: Desk, stop: Stop) -> None:
    """A stop becomes an order, or ends where there is nothing to reduce, or no margin for what it would open."""
    position = desk.account.position(stop.symbol)
    quantity = position.size if stop.quantity is None else stop.quantity
    if stop.reduce_only or stop.quantity is None:
        quantity = position.reducible(stop.side, quantity)
    if not quantity:
        # Where stages are told apart, an order that the matching engine refuses is not one that merely lapsed.
        refused = OrderStatus.REJECTED if venue.realism.tells_stages else OrderStatus.EXPIRED
        end(venue, desk, stop, refused, NOTHING_TO_REDUCE)
        return
    number = stop.number if venue.realism.stop_becomes_order else venue.next_number()
    stop = evolve(stop, triggered_ns=stop.triggered_ns or venue.now_ns)
    child = _child(venue, stop, number, quantity)
    if not child.reduce_only and margin_shortfall(venue, desk, child.symbol, child.side, quantity, child.price):
        end(venue, desk, stop, OrderStatus.REJECTED, MARGIN_SHORT)
        return
    triggered = end(venue, desk, evolve(stop, order_id=child.id), OrderStatus.TRIGGERED, "triggered")
    if stop.pair is not None:
        _end_pair(venue, desk, stop)
    part = venue.realism.child_fill(desk.name, stop.symbol)
    venue.submit(desk, evolve(child, parent=triggered, fill_limit=None if part is None else quantity * part))


def finish(venue: Matching, desk: Desk, order: Order) -> None:
    """The order of a stop has come to its end: so has the stop."""
    if order.parent is None or not venue.realism.tells_stages or venue.realism.stop_becomes_order:
        return
    done = evolve(
        order.parent,
        finished=True,
        order_filled=order.filled,
        order_price=order.average_price,
        updated_ns=venue.now_ns,
    )
    _tell(venue, desk, done)


def resting(venue: Matching, symbol: str) -> Iterator[tuple[Desk, Stop]]:
    """Every stop that rests in a market."""
    return ((desk, stop) for desk in venue.desks.values() for stop in desk.stops(symbol))


def _child(venue: Matching, stop: Stop, number: int, quantity: Decimal) -> Order:
    limit = stop.limit_price
    return Order(
        number=number,
        venue_id=stop.venue_id if venue.realism.stop_becomes_order else venue.order_ids(number),
        client_id=stop.client_id,
        symbol=stop.symbol,
        side=stop.side,
        type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        quantity=quantity,
        price=limit,
        time_in_force=TimeInForce.IOC if limit is None else stop.time_in_force,
        all_or_nothing=stop.all_or_nothing,
        reduce_only=stop.reduce_only or stop.quantity is None,
        close_position=stop.close_position,
        created_by=CreatedBy.STOP,
        stop=stop.stop,
        take_profit=stop.take_profit,
        parent=stop,
    )


def _end_pair(venue: Matching, desk: Desk, stop: Stop) -> None:
    for other in desk.stops(stop.symbol):
        if other.pair == stop.pair:
            end(venue, desk, other, OrderStatus.CANCELLED, OTHER_TRIGGERED)


def _tell(venue: Matching, desk: Desk, stop: Stop) -> Stop:
    venue.ledger.stop(venue.now_ns, desk.name, stop)
    venue.events.append(StopChanged(desk.name, stop))
    return stop
