"""Whether a request is taken in: everything that is checked before an order or a stop exists.

Each function answers the refusal in the venue's own code, or what may be taken in.
"""

from __future__ import annotations

from decimal import Decimal

from attrs import evolve

from framework import OrderSide, OrderType, Refusal, TimeInForce

from .book import Book
from .desk import Desk
from .matching import Matching
from .money import ZERO, opposite
from .orders import AttachedStop, OrderRequest, StopRequest, crosses, reaches
from .rules import Breach, order_breach, price_breach, quantity_breach
from .style import Reason


def admit_order(venue: Matching, desk: Desk, request: OrderRequest) -> OrderRequest | Refusal:
    """The order as it is taken in: a reduce-only one is cut to the position."""
    known = market_refusal(venue, request.symbol)
    if known is not None:
        return known
    book = venue.books[request.symbol]
    if request.reduce_only:
        reducible = desk.account.position(request.symbol).reducible(request.side, request.quantity)
        if not reducible:
            return venue.style.refusal(Reason.NOTHING_TO_REDUCE, f"{request.symbol}: no position to reduce")
        request = evolve(request, quantity=reducible)
    market = venue.markets[request.symbol]
    taken = _order_id_taken(venue, desk, request.client_id)
    breach = _id_breach(venue, request.client_id, taken=taken) or order_breach(
        market, venue.style, request, book.quote.mark
    )
    refusal = _told(venue, request.symbol, breach) or _entry_stop_refusal(venue, request, book)
    if refusal is None:
        refusal = _post_only_refusal(venue, request, book) or _margin_refusal(venue, desk, request, book)
    return request if refusal is None else refusal


def stop_refusal(venue: Matching, desk: Desk, request: StopRequest) -> Refusal | None:
    """Why a stop order of its own is not taken in."""
    known = market_refusal(venue, request.symbol)
    if known is not None:
        return known
    market, style = venue.markets[request.symbol], venue.style
    largest = market.rules.max_quantity if style.limits_reduce_only_quantity else None
    breach = (
        _id_breach(venue, request.client_id, taken=_stop_id_taken(venue, desk, request.client_id))
        or price_breach(market.rules, request.trigger_price)
        or quantity_breach(market.rules, request.quantity, largest)
        or _crossed_breach(request.side, request.trigger_price, _base_price(venue, request))
    )
    return _told(venue, request.symbol, breach)


def amend_refusal(venue: Matching, request: StopRequest) -> Refusal | None:
    """Why a resting stop order can't be moved to what `request` says."""
    market = venue.markets[request.symbol]
    breach = (
        price_breach(market.rules, request.trigger_price)
        or quantity_breach(market.rules, request.quantity, None)
        or _crossed_breach(request.side, request.trigger_price, _base_price(venue, request))
    )
    return _told(venue, request.symbol, breach)


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
    current = desk.attached_stop(symbol)
    if current is not None and AttachedStop(current.client_id, current.trigger_price, current.trigger_by) == wish:
        return style.refusal(Reason.NOT_MODIFIED, f"{symbol}: the stop is at {wish.trigger_price} already")
    base = venue.books[symbol].trigger_price(wish.trigger_by)
    return _wrong_stop_refusal(venue, symbol, position.exit_side, wish, base, crossed=True)


def market_refusal(venue: Matching, symbol: str) -> Refusal | None:
    """Why nothing can be ordered in a market at all."""
    if symbol not in venue.markets:
        return venue.style.refusal(Reason.UNKNOWN_SYMBOL, f"{symbol} is not listed")
    if symbol not in venue.books:
        return venue.style.refusal(Reason.NO_MARKET, f"{symbol} has no market price yet")
    return None


def margin_used(venue: Matching, desk: Desk) -> Decimal:
    """The initial margin that positions (at entry) and resting orders (at their prices) bind."""
    positions = sum((p.cost / leverage_in(venue, desk, p.symbol) for p in desk.account.positions.values()), ZERO)
    return positions + sum(
        (
            order.remaining * order.price / leverage_in(venue, desk, order.symbol)
            for order in desk.all_resting()
            if order.price is not None and not order.reduce_only
        ),
        ZERO,
    )


def leverage_in(venue: Matching, desk: Desk, symbol: str) -> Decimal:
    """The leverage in force in a market: what the account chose, but never more than the market allows."""
    allowed = venue.markets[symbol].rules.max_leverage
    return desk.account.leverage if allowed is None else min(desk.account.leverage, allowed)


def equity(venue: Matching, desk: Desk) -> Decimal:
    """Cash plus unrealised PnL at the mark prices."""
    return desk.account.equity(lambda symbol: venue.books[symbol].quote.mark)


def _margin_refusal(venue: Matching, desk: Desk, request: OrderRequest, book: Book) -> Refusal | None:
    """What the order opens must be covered, at the price it may get, together with the fee for it."""
    position = desk.account.position(request.symbol)
    opens = request.quantity - position.reducible(request.side, request.quantity)
    if request.reduce_only or not opens:
        return None
    price = request.price if request.type is OrderType.LIMIT and request.price else book.best_for(request.side)
    notional = opens * price
    needed = notional / leverage_in(venue, desk, request.symbol) + desk.account.taker_fee.of(notional)
    available = equity(venue, desk) - margin_used(venue, desk)
    if needed <= available:
        return None
    message = f"{request.symbol}: a margin of {needed} is needed, {available} is available"
    return venue.style.refusal(Reason.MARGIN_SHORT, message)


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
    wish = request.stop
    if wish is None:
        return None
    if not venue.style.attaches_stops:
        message = f"{request.symbol}: {venue.style.name} takes no stop inside an entry"
        return venue.style.refusal(Reason.NO_ATTACHED_STOPS, message)
    base = request.price if request.type is OrderType.LIMIT else None
    base = book.trigger_price(wish.trigger_by) if base is None else base
    return _wrong_stop_refusal(venue, request.symbol, opposite(request.side), wish, base, crossed=False)


def _wrong_stop_refusal(
    venue: Matching, symbol: str, side: OrderSide, wish: AttachedStop, base: Decimal, *, crossed: bool
) -> Refusal | None:
    breach = price_breach(venue.markets[symbol].rules, wish.trigger_price)
    if breach is not None:
        return _told(venue, symbol, breach)
    if not reaches(side, wish.trigger_price, base):
        return None
    where = "below" if side is OrderSide.SELL else "above"
    message = f"{symbol}: the stop at {wish.trigger_price} must be {where} the base price of {base}"
    return venue.style.refusal(Reason.ATTACHED_ON_WRONG_SIDE, message, crossed=crossed)


def _crossed_breach(side: OrderSide, trigger_price: Decimal, base: Decimal) -> Breach | None:
    if not reaches(side, trigger_price, base):
        return None
    reason = Reason.CROSSED_RISING if side is OrderSide.BUY else Reason.CROSSED_FALLING
    return Breach(reason, f"the stop at {trigger_price} would trigger at once: the price is {base}")


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
