"""Whether a request is taken in: everything that is checked before an order or a stop exists.

Each function answers the refusal in the venue's own code, or what may be taken in.
"""

from __future__ import annotations

from decimal import Decimal

from attrs import evolve

from framework import OrderSide, OrderType, Refusal, TimeInForce

from .book import Book
from .desk import Desk
from .margin import margin_shortfall
from .matching import Matching
from .money import ZERO, opposite
from .orders import AttachedStop, Order, OrderRequest, Stop, StopRequest, Trail, crosses, falls, reaches
from .rules import Breach, order_breach, price_breach, quantity_breach
from .style import Reason


def admit_order(venue: Matching, desk: Desk, request: OrderRequest) -> OrderRequest | Refusal:
    """The order as it is taken in: a reduce-only one is cut to the position."""
    known = market_refusal(venue, request.symbol)
    if known is not None:
        return known
    book = venue.books[request.symbol]
    if desk.account.hedge_mode:
        return hedge_refusal(venue, request.symbol)
    if request.reduce_only:
        position = desk.account.position(request.symbol)
        reducible = position.reducible(request.side, position.size)
        if not reducible:
            return venue.style.refusal(Reason.NOTHING_TO_REDUCE, f"{request.symbol}: no position to reduce")
        left = reducible - _reduced_already(venue, desk, request)
        if left <= ZERO:
            message = f"{request.symbol}: resting reduce-only orders close the whole position already"
            return venue.style.refusal(Reason.REDUCED_ALREADY, message)
        request = evolve(request, quantity=min(request.quantity, left))
    market = venue.markets[request.symbol]
    taken = _order_id_taken(venue, desk, request.client_id)
    breach = _id_breach(venue, request.client_id, taken=taken) or order_breach(
        market, venue.style, request, book.quote.mark
    )
    refusal = _told(venue, request.symbol, breach) or _entry_stop_refusal(venue, request, book)
    if refusal is None:
        refusal = (
            _post_only_refusal(venue, request, book)
            or _fok_refusal(venue, request, book)
            or _margin_refusal(venue, desk, request)
            or _crowd_refusal(venue, desk, request)
        )
    return request if refusal is None else refusal


def _reduced_already(venue: Matching, desk: Desk, request: OrderRequest) -> Decimal:
    """What resting reduce-only orders will take off the position, where the venue keeps account of that."""
    if not venue.realism.counts_reduce_only:
        return ZERO
    resting = (one for one in desk.resting(request.symbol) if one.reduce_only and one.side is request.side)
    return sum((one.remaining for one in resting), ZERO)


def _crowd_refusal(venue: Matching, desk: Desk, request: OrderRequest) -> Refusal | None:
    most = venue.style.max_orders
    if request.type is OrderType.MARKET or len(desk.resting(request.symbol)) < most:
        return None
    return venue.style.refusal(Reason.TOO_MANY_ORDERS, f"{request.symbol}: no more than {most} orders may be open")


def hedge_refusal(venue: Matching, symbol: str) -> Refusal:
    """The account was switched to positions by side, which the engine does not model."""
    return venue.style.refusal(Reason.HEDGE_MODE, f"{symbol}: the order does not match the account's position mode")


def stop_refusal(venue: Matching, desk: Desk, request: StopRequest) -> Refusal | None:
    """Why a conditional order of its own is not taken in. No margin is asked for before the trigger."""
    known = market_refusal(venue, request.symbol)
    if known is not None:
        return known
    if desk.account.hedge_mode:
        return hedge_refusal(venue, request.symbol)
    market, style = venue.markets[request.symbol], venue.style
    waived = request.reduce_only and not style.limits_reduce_only_quantity
    largest = market.max_limit_quantity if request.limit_price is not None else market.rules.max_quantity
    breach = (
        _id_breach(venue, request.client_id, taken=_stop_id_taken(venue, desk, request.client_id))
        or conditional_breach(venue, request, None if waived else largest)
        or _position_breach(venue, desk, request)
        or _stops_breach(venue, desk, request.symbol)
    )
    return _told(venue, request.symbol, breach)


def conditional_breach(venue: Matching, request: StopRequest, largest: Decimal | None) -> Breach | None:
    """The first rule of the market that a conditional order breaks."""
    rules, base = venue.markets[request.symbol].rules, _base_price(venue, request)
    limit, quantity = request.limit_price, request.quantity
    if request.trail is not None:
        breach = trail_breach(request.trail, request.side, base)
    else:
        breach = price_breach(rules, request.trigger_price) or _crossed_breach(request, base)
    return (
        (None if quantity is None else quantity_breach(rules, quantity, largest))
        or breach
        or (None if limit is None else price_breach(rules, limit))
    )


def trail_breach(trail: Trail, side: OrderSide, base: Decimal) -> Breach | None:
    """Whether a trailing stop follows at a sane distance, and begins on the winning side of the market."""
    if trail.percent is not None and not Decimal("0.1") <= trail.percent <= 10:
        # The upper bound is unverified: 5 and 10 are both documented.
        return Breach(Reason.BAD_TRAIL, f"a callback rate of {trail.percent} is not within 0.1 and 10")
    if trail.percent is None and (trail.distance is None or trail.distance <= ZERO):
        return Breach(Reason.BAD_TRAIL, "a trailing stop needs a distance greater than 0")
    start = trail.activation_price
    if start is not None and (start <= base if side is OrderSide.SELL else start >= base):
        where = "above" if side is OrderSide.SELL else "below"
        return Breach(Reason.BAD_ACTIVATION, f"the activation price {start} must be {where} the price of {base}")
    return None


def _position_breach(venue: Matching, desk: Desk, request: StopRequest) -> Breach | None:
    """A stop that lives with the position needs one, and only one may close it on each side."""
    if not (request.ends_with_position or request.quantity is None):
        return None
    held, now_ns = desk.account.position(request.symbol), venue.now_ns
    fresh = now_ns - desk.opened_ns.get(request.symbol, 0) < venue.realism.position_lag_ns
    if not held.quantity or fresh or request.side is not held.exit_side:
        return Breach(Reason.NEEDS_POSITION, "this time in force needs an open position")
    closing = (stop for stop in desk.stops(request.symbol) if stop.close_position and stop.side is request.side)
    only_one = request.quantity is None and Reason.CLOSING_STOP_EXISTS in venue.style.codes
    if only_one and any(stop.falling is falls(request.side, request.kind) for stop in closing):
        return Breach(Reason.CLOSING_STOP_EXISTS, "a stop that closes the position exists already in that direction")
    return None


def _stops_breach(venue: Matching, desk: Desk, symbol: str) -> Breach | None:
    style = venue.style
    counted = desk.stops(symbol) if style.stops_counted_by_market else desk.all_stops()
    if sum(not stop.attached for stop in counted) < style.max_stops:
        return None
    return Breach(Reason.TOO_MANY_STOPS, f"no more than {style.max_stops} conditional orders may be open")


def amend_refusal(venue: Matching, request: StopRequest) -> Refusal | None:
    """Why a resting stop order can't be moved to what `request` says."""
    return _told(venue, request.symbol, conditional_breach(venue, request, None))


def order_amend_refusal(venue: Matching, order: Order, quantity: Decimal, price: Decimal | None) -> Refusal | None:
    """Why a resting order can't get this quantity and price."""
    style, symbol = venue.style, order.symbol
    if order.type is not OrderType.LIMIT or price is None:
        return style.refusal(Reason.NOT_LIMIT, f"{symbol}: only limit orders can be amended")
    if (quantity, price) == (order.quantity, order.price):
        return style.refusal(Reason.NOTHING_TO_AMEND, f"{symbol}: nothing changes")
    if quantity <= order.filled:
        message = f"{symbol}: {order.filled} is filled already, the quantity can't be {quantity}"
        return style.refusal(Reason.QUANTITY_TOO_SMALL, message)
    request = OrderRequest(
        client_id=order.client_id,
        symbol=symbol,
        side=order.side,
        type=order.type,
        quantity=quantity,
        price=price,
        time_in_force=order.time_in_force,
        reduce_only=order.reduce_only,
    )
    book = venue.books[symbol]
    breach = order_breach(venue.markets[symbol], style, request, book.quote.mark)
    return _told(venue, symbol, breach) or _post_only_refusal(venue, request, book)


def attached_refusal(venue: Matching, desk: Desk, symbol: str, wish: AttachedStop) -> Refusal | None:
    """Why the stop of a position can't be set: no such stops, no position, off the tick, wrong side, no change."""
    style = venue.style
    if not style.attaches_stops:
        return style.refusal(Reason.NO_ATTACHED_STOPS, f"{symbol}: {style.name} attaches no stops to positions")
    known = market_refusal(venue, symbol)
    if known is not None:
        return known
    position = desk.account.position(symbol)
    if not position.quantity:
        return style.refusal(Reason.FLAT, f"{symbol}: a stop can't be set for a position of zero")
    current = desk.attached_stop(symbol, wish.kind) if wish.quantity is None else None
    if current is not None and _says_the_same(current, wish):
        return style.refusal(Reason.NOT_MODIFIED, f"{symbol}: the stop is at {wish.trigger_price} already")
    if wish.quantity is not None:
        breach = quantity_breach(venue.markets[symbol].rules, wish.quantity, None)
        if breach is not None:
            return _told(venue, symbol, breach)
    base = venue.books[symbol].trigger_price(wish.trigger_by)
    if wish.trail is not None:
        return _told(venue, symbol, trail_breach(wish.trail, position.exit_side, base))
    return _wrong_stop_refusal(venue, symbol, position.exit_side, wish, base, crossed=True)


def _says_the_same(stop: Stop, wish: AttachedStop) -> bool:
    trail = None if stop.trail is None else evolve(stop.trail, best=None)
    same = (stop.client_id, stop.trigger_by, stop.limit_price, trail)
    if same != (wish.client_id, wish.trigger_by, wish.limit_price, wish.trail):
        return False
    # The trigger price of a trailing stop is not wished for: it follows.
    return wish.trail is not None or stop.trigger_price == wish.trigger_price


def market_refusal(venue: Matching, symbol: str) -> Refusal | None:
    """Why nothing can be ordered in a market at all."""
    if symbol not in venue.markets:
        return venue.style.refusal(Reason.UNKNOWN_SYMBOL, f"{symbol} is not listed")
    if symbol not in venue.books:
        return venue.style.refusal(Reason.NO_MARKET, f"{symbol} has no market price yet")
    return None


def _margin_refusal(venue: Matching, desk: Desk, request: OrderRequest) -> Refusal | None:
    if request.reduce_only:
        return None
    price = request.price if request.type is OrderType.LIMIT else None
    short = margin_shortfall(venue, desk, request.symbol, request.side, request.quantity, price)
    if short is None:
        return None
    message = f"{request.symbol}: a margin of {short[0]} is needed, {short[1]} is available"
    return venue.style.refusal(Reason.MARGIN_SHORT, message)


def _fok_refusal(venue: Matching, request: OrderRequest, book: Book) -> Refusal | None:
    """Binance refuses what can't be filled in full at once; Bybit takes it in, and cancels it."""
    if not request.all_or_nothing or Reason.FOK_UNFILLABLE not in venue.style.codes:
        return None
    best, depth = book.best_for(request.side), book.depth_for(request.side)
    reached = request.price is None or crosses(request.side, request.price, best)
    if reached and (depth is None or depth >= request.quantity):
        return None
    return venue.style.refusal(Reason.FOK_UNFILLABLE, f"{request.symbol}: it can't be filled in full at once")


def _post_only_refusal(venue: Matching, request: OrderRequest, book: Book) -> Refusal | None:
    maker_only = request.time_in_force is TimeInForce.POST_ONLY and venue.style.refuses_crossing_post_only
    if not maker_only or request.price is None:
        return None
    if not crosses(request.side, request.price, book.best_for(request.side)):
        return None
    message = f"{request.symbol}: a post-only order at {request.price} would take liquidity"
    return venue.style.refusal(Reason.POST_ONLY_CROSSES, message)


def _entry_stop_refusal(venue: Matching, request: OrderRequest, book: Book) -> Refusal | None:
    """An entry whose attached stop is invalid is refused as a whole. Its base is the limit price, or the market."""
    for wish in (request.stop, request.take_profit):
        if wish is None:
            continue
        if not venue.style.attaches_stops:
            message = f"{request.symbol}: {venue.style.name} takes no stop inside an entry"
            return venue.style.refusal(Reason.NO_ATTACHED_STOPS, message)
        base = request.price if request.type is OrderType.LIMIT else None
        base = book.trigger_price(wish.trigger_by) if base is None else base
        refusal = _wrong_stop_refusal(venue, request.symbol, opposite(request.side), wish, base, crossed=False)
        if refusal is not None:
            return refusal
    return None


def _wrong_stop_refusal(
    venue: Matching, symbol: str, side: OrderSide, wish: AttachedStop, base: Decimal, *, crossed: bool
) -> Refusal | None:
    breach = price_breach(venue.markets[symbol].rules, wish.trigger_price)
    if breach is not None:
        return _told(venue, symbol, breach)
    if not reaches(side, wish.trigger_price, base, wish.kind):
        return None
    where = "below" if falls(side, wish.kind) else "above"
    message = f"{symbol}: the {wish.kind.value} at {wish.trigger_price} must be {where} the base price of {base}"
    return venue.style.refusal(Reason.ATTACHED_ON_WRONG_SIDE, message, crossed=crossed)


def _crossed_breach(request: StopRequest, base: Decimal) -> Breach | None:
    if not reaches(request.side, request.trigger_price, base, request.kind):
        return None
    reason = Reason.CROSSED_FALLING if falls(request.side, request.kind) else Reason.CROSSED_RISING
    return Breach(reason, f"the stop at {request.trigger_price} would trigger at once: the price is {base}")


def _base_price(venue: Matching, request: StopRequest) -> Decimal:
    return venue.books[request.symbol].trigger_price(request.trigger_by)


def _id_breach(venue: Matching, client_id: str, *, taken: bool) -> Breach | None:
    if not venue.style.client_id_grammar.fullmatch(client_id):
        return Breach(Reason.BAD_CLIENT_ID, f"client id {client_id!r} is too long or has other characters")
    return Breach(Reason.DUPLICATE_ID, f"client id {client_id} is taken") if taken else None


def _order_id_taken(venue: Matching, desk: Desk, client_id: str) -> bool:
    return desk.id_was_used(client_id) if venue.style.ids_unique_for_ever else desk.id_is_open(client_id)


def _stop_id_taken(venue: Matching, desk: Desk, client_id: str) -> bool:
    # On Binance conditional orders have an id space of their own; on Bybit there is one for all orders.
    return desk.id_was_used(client_id) if venue.style.ids_unique_for_ever else desk.stop_id_is_open(client_id)


def _told(venue: Matching, symbol: str, breach: Breach | None) -> Refusal | None:
    return None if breach is None else venue.style.refusal(breach.reason, f"{symbol}: {breach.message}")
