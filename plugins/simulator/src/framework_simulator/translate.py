"""From the engine's words to the contract's: reports and events as the kernel knows them.

Prices are written with the digits of the tick, quantities with those of the step.
"""

from __future__ import annotations

from decimal import Decimal

from framework import (
    ExchangeEvent,
    FillSeen,
    MarketRules,
    OrderReport,
    OrderSeen,
    OrderStatus,
    PositionSeen,
    RestingKind,
    RestingOrder,
    StopReport,
    StopSeen,
    VenuePosition,
)

from .engine.account import Position
from .engine.events import Filled, OrderChanged, PositionChanged, StopChanged, TradeEvent
from .engine.money import in_digits_of
from .engine.orders import CreatedBy, Order, Stop, StopKind


def order_report(order: Order, rules: MarketRules) -> OrderReport:
    """What the venue says of an order."""
    average = order.average_price
    return OrderReport(
        client_id=order.client_id,
        symbol=order.symbol,
        status=order.status,
        filled=in_digits_of(rules.step_size, order.filled),
        average_price=None if average is None else in_digits_of(rules.tick_size, average),
        order_id=order.id,
        reason=order.reason,
    )


def stop_report(stop: Stop, rules: MarketRules, position: Position) -> StopReport:
    """What the venue says of a stop. One for the whole position is told with the position's present size."""
    live = stop.status is OrderStatus.UNTRIGGERED
    quantity = position.size if stop.quantity is None else stop.quantity
    return StopReport(
        client_id=stop.client_id,
        symbol=stop.symbol,
        live=live,
        trigger_price=in_digits_of(rules.tick_size, stop.trigger_price) if live else None,
        quantity=in_digits_of(rules.step_size, quantity) if live else None,
        reason=stop.reason,
    )


def resting_order(order: Order) -> RestingOrder:
    """An order that waits in the book."""
    return RestingOrder(
        client_id=order.client_id,
        symbol=order.symbol,
        kind=RestingKind.OTHER if order.reduce_only else RestingKind.ENTRY,
        side=order.side,
        quantity=order.remaining,
        price=order.price,
        reduce_only=order.reduce_only,
        created_ns=order.created_ns,
    )


def resting_stop(stop: Stop) -> RestingOrder:
    """A stop that rests, an attached one as well: it keeps the client id that it was given."""
    protects = stop.kind is not StopKind.TAKE_PROFIT and stop.reduce_only
    return RestingOrder(
        client_id=stop.client_id,
        symbol=stop.symbol,
        kind=RestingKind.STOP if protects else RestingKind.OTHER,
        side=stop.side,
        quantity=stop.quantity,
        price=stop.trigger_price,
        reduce_only=stop.reduce_only,
        created_ns=stop.created_ns,
    )


def venue_position(position: Position, rules: MarketRules, stop_price: Decimal | None) -> VenuePosition:
    """What the venue says of a position."""
    return VenuePosition(
        symbol=position.symbol,
        quantity=in_digits_of(rules.step_size, position.quantity),
        entry_price=in_digits_of(rules.tick_size, position.entry_price),
        stop_price=None if stop_price is None else in_digits_of(rules.tick_size, stop_price),
    )


def event_seen(event: TradeEvent, rules: MarketRules, position: Position) -> ExchangeEvent | None:
    """An engine event as the kernel sees it; None for the market order that a stop became: its fills tell it."""
    match event:
        case Filled():
            return FillSeen(event.fill)
        case StopChanged():
            return StopSeen(stop_report(event.stop, rules, position))
        case PositionChanged():
            return PositionSeen(venue_position(event.position, rules, event.stop_price))
        case OrderChanged():
            by_client = event.order.created_by is CreatedBy.CLIENT
            return OrderSeen(order_report(event.order, rules)) if by_client else None


def symbol_of(event: TradeEvent) -> str:
    """The market that an event is about."""
    match event:
        case Filled():
            return event.fill.symbol
        case StopChanged():
            return event.stop.symbol
        case PositionChanged():
            return event.position.symbol
        case OrderChanged():
            return event.order.symbol
