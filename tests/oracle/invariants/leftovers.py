"""Invariant 7."""

from __future__ import annotations

from ..asks import CANCEL
from ..bounds import NS_PER_S
from ..ledger import Line
from ..state import Episode, Holding, Order, Stop
from ..verdicts import Judge


class Leftovers(Judge):
    """Flat for longer than a bound: none of our orders is left. Orders that are not ours are untouched.

    Counts: `order` lines that have not ended and `stop` lines of status ``untriggered`` whose ``client_id`` is ours;
    the bound is time up since the market was flat, since the order came, or since something could be done at the venue
    again, whichever was last. And: an `order` or `stop` line of status ``cancelled``, of neither our client ids nor
    ``attached``, between a `request` that cancels and its `response`. Every request of an account is taken for the
    product's.
    """

    number = 7
    name = "flat leaves nothing of ours behind, and what is not ours is untouched"

    def on_flat(self, holding: Holding, episode: Episode) -> None:
        """From now on what rests here is a leftover."""
        for order in holding.orders.values():
            self._watch(holding, order)
        for stop in holding.stops.values():
            self._watch(holding, stop)

    def on_order(self, holding: Holding, order: Order, line: Line, *, is_new: bool) -> None:
        """A new order of ours in a flat market is watched; somebody else's must not be cancelled."""
        if is_new and not holding.quantity:
            self._watch(holding, order)
        attached = order.stop is not None and order.stop.attached
        if line["status"] == "cancelled" and order.owner is None and not attached:
            self._cancelled(holding, f"order {order.id} ({order.client_id})")

    def on_stop(self, holding: Holding, stop: Stop, line: Line, *, is_new: bool) -> None:
        """The same for a stop."""
        if is_new and not holding.quantity:
            self._watch(holding, stop)
        if stop.status == "cancelled" and stop.owner is None and not stop.attached:
            self._cancelled(holding, f"stop {stop.id} ({stop.client_id})")

    def _cancelled(self, holding: Holding, what: str) -> None:
        current = self.scene.current
        key = (holding.venue, holding.account, holding.symbol)
        # What the venue cancels because the request's own doing left the market flat was not asked for.
        if current is not None and current.has(CANCEL) and key not in current.flat:
            self.tell_of(holding, f"{what} is not ours, and was cancelled by request {current.line['id']}")

    def _watch(self, holding: Holding, item: Order | Stop) -> None:
        if item.owner is None or (isinstance(item, Stop) and item.attached):
            return
        self._look_after(holding, item, self.scene.now_ns, holding.flat_since_ns)

    def _look_after(self, holding: Holding, item: Order | Stop, since_ns: int, flat_since_ns: int) -> None:
        bound_ns = self.scene.bounds.flat_bound_s * NS_PER_S
        due_ns = self.scene.uptime.after_ns(since_ns, bound_ns)

        def check() -> None:
            rests = holding.orders.get(item.id) is item or holding.stops.get(item.id) is item
            if not rests or holding.quantity or holding.flat_since_ns != flat_since_ns:
                return
            shut_ns = self.scene.outages.shut_until_ns(holding.venue, self.scene.now_ns)
            if shut_ns > since_ns:
                self._look_after(holding, item, shut_ns, flat_since_ns)
            else:
                kind = "stop" if isinstance(item, Stop) else "order"
                self.tell_of(holding, f"flat for {bound_ns // NS_PER_S} s, and {kind} {item.client_id} still rests")

        if due_ns is not None:
            self.scene.at(due_ns, check)
