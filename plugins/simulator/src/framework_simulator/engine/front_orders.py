"""The venue's front for orders: place, amend, cancel, look up."""

from __future__ import annotations

from decimal import Decimal

from attrs import define, evolve

from framework import Refusal

from . import admission
from .front import CANCELLED_BY_CLIENT, Front
from .orders import Order, OrderRequest
from .style import Reason


@define
class OrderFront(Front):
    """Requests about market and limit orders."""

    def place_order(self, account: str, request: OrderRequest, now_ns: int) -> Order | Refusal:
        """Take in an order; answers how it stands once it has met the book."""
        matching, desk = self._at(now_ns), self._desk(account)
        admitted = admission.admit_order(matching, desk, request)
        if isinstance(admitted, Refusal):
            return admitted
        number = matching.next_number()
        order = matching.submit(
            desk,
            Order(
                number=number,
                venue_id=matching.order_ids(number),
                client_id=admitted.client_id,
                symbol=admitted.symbol,
                side=admitted.side,
                type=admitted.type,
                quantity=admitted.quantity,
                price=admitted.price,
                time_in_force=admitted.time_in_force,
                reduce_only=admitted.reduce_only,
                stop=admitted.stop,
                take_profit=admitted.take_profit,
                all_or_nothing=admitted.all_or_nothing,
            ),
        )
        matching.settle(order.symbol, matching.books[order.symbol].quote.last)
        return order

    def test_order(self, account: str, request: OrderRequest, now_ns: int) -> Refusal | None:
        """Why an order would be refused; None if it would be taken in. Nothing happens."""
        admitted = admission.admit_order(self._at(now_ns), self._desk(account), request)
        return admitted if isinstance(admitted, Refusal) else None

    def amend_order(
        self,
        account: str,
        symbol: str,
        order_id: str,
        now_ns: int,
        *,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
    ) -> Order | Refusal:
        """Give a resting limit order another price or (total) quantity, in place; None: as it is."""
        matching, desk = self._at(now_ns), self._desk(account)
        order = desk.order_by_id(symbol, order_id)
        if order is None or order.status.is_final:
            return matching.style.refusal(Reason.UNKNOWN_ORDER, f"{symbol}: no open order {order_id}")
        quantity = order.quantity if quantity is None else quantity
        price = order.price if price is None else price
        refusal = admission.order_amend_refusal(matching, order, quantity, price)
        if refusal is not None:
            return refusal
        order = matching.amend(desk, evolve(order, quantity=quantity, price=price))
        matching.settle(symbol, matching.books[symbol].quote.last)
        return order

    def cancel_order(self, account: str, symbol: str, client_id: str, now_ns: int) -> Order | Refusal:
        """Cancel a resting order. One that is finished is as unknown as one that never was."""
        return self._cancel(account, symbol, self._desk(account).order_by_client_id(symbol, client_id), now_ns)

    def cancel_order_by_id(self, account: str, symbol: str, order_id: str, now_ns: int) -> Order | Refusal:
        """The same by the venue's id."""
        return self._cancel(account, symbol, self._desk(account).order_by_id(symbol, order_id), now_ns)

    def _cancel(self, account: str, symbol: str, order: Order | None, now_ns: int) -> Order | Refusal:
        matching, desk = self._at(now_ns), self._desk(account)
        if order is None or order.status.is_final:
            return matching.style.refusal(Reason.UNKNOWN_ORDER, f"{symbol}: no such open order")
        return matching.cancel(desk, order, CANCELLED_BY_CLIENT)

    def cancel_orders(self, account: str, symbol: str | None, now_ns: int) -> tuple[Order, ...]:
        """Cancel every resting order (no stops) of one market, or of all."""
        matching, desk = self._at(now_ns), self._desk(account)
        orders = desk.all_resting() if symbol is None else desk.resting(symbol)
        return tuple(matching.cancel(desk, order, CANCELLED_BY_CLIENT) for order in orders)

    def order(self, account: str, symbol: str, client_id: str) -> Order | None:
        """The newest order of a client under this id, finished or not."""
        return self._desk(account).order_by_client_id(symbol, client_id)

    def order_by_id(self, account: str, symbol: str, order_id: str) -> Order | None:
        """An order by the venue's id, finished or not."""
        return self._desk(account).order_by_id(symbol, order_id)

    def open_orders(self, account: str, symbol: str | None = None) -> tuple[Order, ...]:
        """The resting orders of one market, or of all, as they really are: queries of clients see `World.visible`."""
        desk = self._desk(account)
        return desk.all_resting() if symbol is None else desk.resting(symbol)
