"""From the contract's orders to the engine's requests."""

from __future__ import annotations

from framework import CloseOrder, EntryOrder, OrderType, StopOrder

from .engine.orders import AttachedStop, OrderRequest, StopRequest


def entry_request(order: EntryOrder) -> OrderRequest:
    """An entry, with the stop that travels in it."""
    return OrderRequest(
        client_id=order.client_id,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        quantity=order.quantity,
        price=order.price,
        time_in_force=order.time_in_force,
        stop=None if order.stop is None else attached_stop(order.stop),
    )


def close_request(order: CloseOrder) -> OrderRequest:
    """A reduce-only order: at the market, or at its price."""
    return OrderRequest(
        client_id=order.client_id,
        symbol=order.symbol,
        side=order.side,
        type=OrderType.MARKET if order.price is None else OrderType.LIMIT,
        quantity=order.quantity,
        price=order.price,
        reduce_only=True,
    )


def attached_stop(order: StopOrder) -> AttachedStop:
    """The stop of a position: its side and size are the position's."""
    return AttachedStop(order.client_id, order.trigger_price, order.trigger_by)


def stop_request(order: StopOrder) -> StopRequest:
    """A stop order of its own."""
    return StopRequest(
        client_id=order.client_id,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        trigger_price=order.trigger_price,
        trigger_by=order.trigger_by,
    )
