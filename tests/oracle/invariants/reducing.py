"""Invariant 12."""

from __future__ import annotations

from ..asks import Ask
from ..hearing import Asked
from ..ledger import Line
from ..names import ENTRY
from ..scene import Scene
from ..state import Holding, Order, Stop
from ..verdicts import Judge


class Reducing(Judge):
    """Every reducing order is reduce-only or close-position.

    Counts: `request` lines that place an order with a client id of ours and another leg than ``e`` (``reduceOnly`` or
    ``closePosition`` among the `params` is true), even if it was refused; new `order` and `stop` lines of such ids
    (``reduce_only``, ``close_position``, or a ``qty`` of null); and a new `order` with the leg ``e`` against an open
    position, unless somebody else opened that while an entry of the same position rested, or within `crossing_ms`
    before. An id is told of once.
    """

    number = 12
    name = "every reducing order is reduce-only or close-position"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._told: set[str] = set()

    def on_place(self, asked: Asked, ask: Ask) -> None:
        """Judge what is asked for."""
        if ask.owner is not None and ask.owner.leg != ENTRY and not ask.reduces:
            self._once(asked.line["venue"], asked.line["account"], ask.symbol, str(ask.client_id))

    def on_order(self, holding: Holding, order: Order, line: Line, *, is_new: bool) -> None:
        """Judge what was taken in."""
        if not is_new or order.owner is None or order.reduces:
            return
        against = holding.quantity > 0 if order.side == "sell" else holding.quantity < 0
        against = against and order.owner.position not in holding.crossed
        if order.owner.leg != ENTRY or against:
            self._once(holding.venue, holding.account, holding.symbol, str(order.client_id))

    def on_stop(self, holding: Holding, stop: Stop, line: Line, *, is_new: bool) -> None:
        """The same for a stop."""
        if is_new and stop.owner is not None and stop.owner.leg != ENTRY and not stop.reduces:
            self._once(holding.venue, holding.account, holding.symbol, str(stop.client_id))

    def _once(self, venue: str, account: str, symbol: str, client_id: str) -> None:
        if client_id not in self._told:
            self._told.add(client_id)
            self.tell(venue, account, symbol, f"{client_id} is to reduce a position, and is not reduce-only")
