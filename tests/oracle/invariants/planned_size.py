"""Invariant 6."""

from __future__ import annotations

from decimal import Decimal

from ..ledger import Line
from ..names import ENTRY
from ..state import Holding, Order
from ..verdicts import Judge


class PlannedSize(Judge):
    """Quantity and exposure never exceed what was planned.

    Counts: `fill` lines of orders of ours. All entries of a position together stay within ``max_qty`` of its plan;
    without plans, within the largest ``qty`` that one of its entries was taken in with. With plans, an entry without
    one was not planned at all. No order of another leg adds to a position.
    """

    number = 6
    name = "quantity and exposure stay within the plan"

    def on_fill(self, holding: Holding, order: Order | None, line: Line, before: Decimal) -> None:
        """Judge a fill of ours."""
        if order is None or order.owner is None:
            return
        if order.owner.leg != ENTRY:
            if abs(holding.quantity) > abs(before):
                self.tell_of(holding, f"{order.client_id or 'an attached stop'} is no entry, and added to the position")
            return
        quantity = Decimal(line["qty"])
        book = self.scene.books.of(holding.venue, holding.account, order.owner, holding.symbol, order.side)
        plan = self.scene.plan_of(holding, order.owner.position)
        most = book.largest if plan is None or plan.max_qty is None else plan.max_qty
        if book.filled - quantity <= most < book.filled:
            self.tell_of(
                holding, f"the entries of position {order.owner.position} filled {book.filled}, planned: {most}"
            )
        if self.scene.plans is None or order.filled != quantity:
            return
        if plan is None:
            self.tell_of(holding, f"{order.client_id} filled, and nothing was planned for it")
        elif (plan.symbol, plan.side) != (holding.symbol, order.side):
            self.tell_of(holding, f"{order.client_id} filled as {order.side}, planned: {plan.side} {plan.symbol}")
