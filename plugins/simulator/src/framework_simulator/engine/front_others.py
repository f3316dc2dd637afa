"""What the venue itself, or somebody else, does to an account."""

from __future__ import annotations

from decimal import Decimal

from attrs import define

from framework import OrderStatus

from . import conditional, forced, margin
from .front import Front
from .money import ZERO
from .orders import Cause, Order, Stop


@define
class OthersFront(Front):
    """Changes that no request of the account asked for."""

    def settle_funding(self, symbol: str, rate: Decimal, now_ns: int) -> None:
        """Positions in a market pay, or get, `rate` of their value."""
        forced.settle_funding(self._at(now_ns), symbol, rate)

    def transfer(self, account: str, amount: Decimal, now_ns: int) -> None:
        """Money comes in, or goes out (negative)."""
        forced.transfer(self._at(now_ns), self._desk(account), amount)

    def change_position(
        self, account: str, symbol: str, target: Decimal, now_ns: int, *, price: Decimal | None = None
    ) -> Order | None:
        """Somebody else trades on the account until its position is `target` (signed)."""
        matching = self._at(now_ns)
        order = forced.change_position(matching, self._desk(account), symbol, target, price)
        matching.settle(symbol, matching.books[symbol].quote.last)
        return order

    def fill_order(self, account: str, order: Order, now_ns: int) -> None:
        """A resting order fills at its own price now, as if somebody had met it."""
        matching, desk = self._at(now_ns), self._desk(account)
        current = desk.order_by_id(order.symbol, order.id)
        if current is not None and not current.status.is_final:
            matching.fill(desk, current)

    def trigger_stop(self, account: str, stop: Stop, now_ns: int) -> None:
        """A resting stop triggers now, wherever the price is."""
        matching, desk = self._at(now_ns), self._desk(account)
        current = desk.stop_by_id(stop.symbol, stop.id)
        if current is not None and current.status is OrderStatus.UNTRIGGERED:
            conditional.trigger(matching, desk, current)

    def liquidate(self, account: str, symbol: str, now_ns: int) -> Order | None:
        """The venue takes the position over; None while flat."""
        matching, position = self._at(now_ns), self._desk(account).account.position(symbol)
        return forced.liquidate(matching, self._desk(account), position) if position.quantity else None

    def deleverage(self, account: str, symbol: str, quantity: Decimal, now_ns: int) -> Order | None:
        """Auto-deleveraging takes up to `quantity` of the position, at the mark price; None while flat."""
        matching, position = self._at(now_ns), self._desk(account).account.position(symbol)
        part = min(quantity, position.size)
        if part <= ZERO:
            return None
        at_mark = margin.mark(matching, symbol)
        return forced.reduce(matching, self._desk(account), position, part, at_mark, Cause.ADL)

    def end_stop(self, account: str, symbol: str, stop_id: str, status: OrderStatus, reason: str, now_ns: int) -> None:
        """The venue itself ends a resting stop; one that is gone stays gone."""
        matching, desk = self._at(now_ns), self._desk(account)
        stop = desk.stop_by_id(symbol, stop_id)
        if stop is not None:
            conditional.end(matching, desk, stop, status, reason)

    def end_order(
        self, account: str, symbol: str, order_id: str, status: OrderStatus, reason: str, now_ns: int
    ) -> None:
        """The venue itself ends a resting order; one that is finished stays as it is."""
        matching, desk = self._at(now_ns), self._desk(account)
        order = desk.order_by_id(symbol, order_id)
        if order is not None and not order.status.is_final:
            matching.end(desk, order, status, reason)
