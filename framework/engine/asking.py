"""Protections that want to be asked at a time, whatever the price does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from attrs import define, field

from ..components import Clock
from ..core.guards import next_ask
from ..core.happenings import Happening, PriceReached
from ..core.position import Position
from ..core.steering import SECOND_NS
from .desk import Desk


@define
class Asking:
    """Asks in time, with the last price known then. `post` queues what happens to a position, by its id."""

    clock: Clock
    desks: dict[str, Desk]
    post: Callable[[str, Happening], None]
    _asked_at: dict[str, int] = field(factory=dict, init=False)

    def next_ns(self) -> int | None:
        """When a protection next wants to be asked; None: none asks for a time."""
        wishes = [next_ask(position).at_ns for position in self._open()]
        return min((at_ns for at_ns in wishes if at_ns is not None and at_ns > self.clock.now_ns()), default=None)

    def due(self) -> None:
        """Ask the protections whose time has come."""
        for position in self._open():
            at_ns = next_ask(position).at_ns
            if at_ns is not None and at_ns <= self.clock.now_ns():
                self._ask(position.account, position.id, at_ns)

    def later(self, position: Position) -> None:
        """Ask the protections of a position at the time they want."""
        at_ns = next_ask(position).at_ns
        if at_ns is None or position.state.is_final or self._asked_at.get(position.id) == at_ns:
            return
        self._asked_at[position.id] = at_ns
        delay_s = max(0, at_ns - self.clock.now_ns()) / SECOND_NS
        asyncio.get_running_loop().call_later(delay_s, self._ask, position.account, position.id, at_ns)

    def at_once(self, before: Position | None, after: Position) -> None:
        """Ask the protections that have just begun, if the price reached their levels while nobody knew of the entry.

        A venue tells a price when it changes: without this they would be asked at the next change only. A price from
        before the position was open says nothing.
        """
        if before is None or before.guarded_price == after.guarded_price or after.opened_ns is None:
            return
        desk = self.desks[after.account]
        quote, levels = desk.quotes.get(after.symbol), desk.levels.get(after.symbol)
        if quote is not None and levels is not None and quote.time_ns >= after.opened_ns:
            for owner in levels.reached(quote.last):
                self.post(owner, PriceReached(quote.last, quote.time_ns))

    def _open(self) -> list[Position]:
        return [position for desk in self.desks.values() for position in desk.open_positions()]

    def _ask(self, account: str, position_id: str, at_ns: int) -> None:
        desk = self.desks[account]
        position = desk.positions.get(position_id)
        if position is None or position.state.is_final:
            return
        quote = desk.quotes.get(position.symbol)
        price = quote.last if quote is not None else position.entry_price
        if price is not None:
            self.post(position_id, PriceReached(price, at_ns))
