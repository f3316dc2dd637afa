"""Invariant 5."""

from __future__ import annotations

from decimal import Decimal

from ..ledger import Line
from ..state import Holding, Order
from ..verdicts import Judge


class Sums(Judge):
    """The sum of signed fills is the position, after every line. No fill of ours carries a position through zero.

    Counts: every `fill` line must be followed at once by the `position` line of its market, and that must tell the
    sum of all fills of the market so far, whoever's they are. An `order` line's ``filled`` is the sum of the order's
    fills and within its ``qty``. A fill that passes through zero is told as two lines of one order. An entry may, where
    somebody else took the market to the other side while one of that position rested, or within `crossing_ms` before
    it came: nobody can know it in time.
    """

    number = 5
    name = "the sum of fills is the position, and none of ours carries through zero"

    def on_fill(self, holding: Holding, order: Order | None, line: Line, before: Decimal) -> None:
        """Judge a fill by itself; the position that it led to comes next."""
        self.scene.filled = lambda line: self._follows(holding, line)
        if order is None:
            self.tell_of(holding, f"a fill of order {line['order']}, of which no line told")
            return
        after = holding.quantity
        passes = before * after < 0 or (order.has_reduced and abs(after) > abs(before))
        if before and abs(after) < abs(before):
            order.has_reduced = True
        if passes and order.owner is not None and not (order.is_entry and order.owner.position in holding.crossed):
            self.tell_of(holding, f"order {order.id} ({order.client_id}) carried the position through zero")

    def on_position(self, holding: Holding, line: Line) -> None:
        """Compare what is told with the fills."""
        if Decimal(line["qty"]) != holding.quantity:
            self.tell_of(holding, f"the position is told as {line['qty']}, the fills say {holding.quantity}")

    def on_order(self, holding: Holding, order: Order, line: Line, *, is_new: bool) -> None:
        """Compare what is told with the order's fills."""
        if Decimal(line["filled"]) != order.filled:
            self.tell_of(holding, f"order {order.id} tells {line['filled']} as filled, its fills say {order.filled}")
        elif order.filled > order.quantity:
            self.tell_of(holding, f"order {order.id} over {order.quantity} filled {order.filled}")

    def _follows(self, holding: Holding, line: Line) -> None:
        """What follows a fill must be its position."""
        of = (line["venue"], line["account"], line.get("symbol"))
        if line["kind"] != "position" or of != (holding.venue, holding.account, holding.symbol):
            self.tell_of(holding, "a fill was not followed by the position after it")
