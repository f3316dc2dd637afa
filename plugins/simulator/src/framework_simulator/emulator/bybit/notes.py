"""What Bybit tells of an order that the engine has no use for."""

from __future__ import annotations

from decimal import Decimal

from attrs import define, field, frozen

from framework import OrderSide, floor_to

from ...engine.events import Event, OrderChanged, StopChanged
from ...engine.orders import Order, Stop
from ..world import World
from .words import ANONYMOUS

VENUE = "bybit"
SLIPPAGE = Decimal("0.05")
"""How far from the last price the limit of a market order is shown. Unverified: it depends on the symbol."""


@frozen
class Note:
    """`last` is the last price when the order came; `protective` the limit price that a market order is told with."""

    last: Decimal | None = None
    protective: Decimal | None = None


_NOTHING = Note()


@define
class Notes:
    """Notes by the venue's id, taken when an order is first heard of."""

    world: World
    _notes: dict[str, Note] = field(factory=dict, init=False)
    _closing: set[tuple[str, str]] = field(factory=set, init=False)
    _anonymous: int = field(default=0, init=False)

    def saw(self, event: Event) -> None:
        """Take a note of a new order."""
        if isinstance(event, OrderChanged):
            self._take(event.order)
        elif isinstance(event, StopChanged):
            self._take(event.stop)

    def of(self, order: Order | Stop) -> Note:
        """The note on an order."""
        return self._notes.get(order.id, _NOTHING)

    def anonymous_id(self) -> str:
        """An id for an order that the client gave none."""
        self._anonymous += 1
        return f"{ANONYMOUS}{self._anonymous}"

    def closes(self, account: str, client_id: str) -> None:
        """An order that is about to be placed has closeOnTrigger."""
        self._closing.add((account, client_id))

    def is_closing(self, account: str, client_id: str) -> bool:
        """Whether an order was placed with closeOnTrigger."""
        return (account, client_id) in self._closing

    def _take(self, order: Order | Stop) -> None:
        if order.id in self._notes:
            return
        book = self.world.book(VENUE, order.symbol)
        if book is None:
            return
        last = book.quote.last
        away = SLIPPAGE if order.side is OrderSide.BUY else -SLIPPAGE
        tick = self.world.markets(VENUE)[order.symbol].rules.tick_size
        self._notes[order.id] = Note(last, max(tick, floor_to(last * (1 + away), tick)))
