"""Invariant 4."""

from __future__ import annotations

from decimal import Decimal

from ..entries import Entry, PositionBook
from ..ledger import Line
from ..names import Owner
from ..state import Holding, Order
from ..verdicts import Judge


class OneEntry(Judge):
    """At most one filled entry for each signal; no second position where one is open.

    Counts: the first `fill` line of every order (by the `order` line of its ``order``) whose ``client_id`` is ours
    with the leg ``e``. A position id stands for a signal. A further entry of it (another sequence) may fill only what
    an earlier one, which had ended before, left; and nothing once the position had been opened and was flat.
    """

    number = 4
    name = "at most one filled entry for each signal, one position for each market"

    def on_fill(self, holding: Holding, order: Order | None, line: Line, before: Decimal) -> None:
        """Judge the first fill of an entry."""
        if order is None or order.owner is None or not order.is_entry or order.filled != Decimal(line["qty"]):
            return
        book = self.scene.books.of(holding.venue, holding.account, order.owner, holding.symbol, order.side)
        if (what := _twice(book, book.entry(order.owner.sequence), order)) is not None:
            self.tell_of(holding, f"{order.client_id} filled: {what}")
        elif holding.episode is not None and _another(holding.episode.position, order.owner):
            self.tell_of(holding, f"{order.client_id} filled while position {holding.episode.position} is open")


def _twice(book: PositionBook, entry: Entry, order: Order) -> str | None:
    """Why this is one fill too many; None: it is not."""
    if entry.filled > order.filled:
        return "it had filled before, under another order"
    for other in book.entries.values():
        if other is entry or not other.filled:
            continue
        if other.in_full:
            return "another entry of the signal had filled in full"
        if not 0 < other.ended_seq < entry.begun_seq:
            return "another entry of the signal had filled, and had not ended when this one was taken in"
    if book.flat_seq:
        return "the signal's position had been opened before, and was flat again"
    return None


def _another(position: str | None, owner: Owner) -> bool:
    return position is not None and position != owner.position
