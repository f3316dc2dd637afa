"""Invariant 9."""

from __future__ import annotations

from ..asks import Ask
from ..hearing import Asked
from ..ledger import Line
from ..names import ENTRY, Owner
from ..scene import Scene
from ..state import Holding, Order, Stop
from ..verdicts import Judge


class Ids(Judge):
    """Every request id follows the grammar; none is used again with other parameters.

    Counts: `request` lines that place orders, plain, conditional or in a batch: ``newClientOrderId``,
    ``clientAlgoId`` or ``orderLinkId`` among their `params`. An id that begins as somebody else's are known to begin
    is theirs; any other must be there and follow the grammar. Used again, in the same account, symbol, side, type,
    quantities, prices and flags must be the same. A position id belongs to one symbol and one side. `order` and
    `stop` lines count for ids that begin like ours.
    """

    number = 9
    name = "ids follow the grammar, and none is used again with other parameters"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._used: dict[tuple[str, str, str], int] = {}
        self._positions: dict[tuple[str, str, str], tuple[str, str]] = {}
        self._told: set[str] = set()

    def on_place(self, asked: Asked, ask: Ask) -> None:
        """Judge the id of what is to be placed."""
        if not self.scene.names.is_strangers(ask.client_id):
            self._judge(asked.line, ask)

    def on_order(self, holding: Holding, order: Order, line: Line, *, is_new: bool) -> None:
        """Judge the id of an order that came in another way."""
        if is_new and order.owner is None:
            self._judge_seen(holding, order.client_id)

    def on_stop(self, holding: Holding, stop: Stop, line: Line, *, is_new: bool) -> None:
        """The same for a stop."""
        if is_new and stop.owner is None:
            self._judge_seen(holding, stop.client_id)

    def _judge(self, line: Line, ask: Ask) -> None:
        venue, account = line["venue"], line["account"]
        if ask.client_id is None:
            self.tell(venue, account, ask.symbol, f"request {line['id']} places an order without a client id")
        elif ask.owner is None:
            self._told.add(ask.client_id)
            self.tell(venue, account, ask.symbol, f"the client id {ask.client_id!r} does not follow the grammar")
        elif self._used.setdefault((venue, account, ask.client_id), ask.parameters) != ask.parameters:
            self.tell(venue, account, ask.symbol, f"{ask.client_id} is used again with other parameters")
        else:
            self._judge_position(line, ask, ask.owner)

    def _judge_position(self, line: Line, ask: Ask, owner: Owner) -> None:
        side = ask.side if owner.leg == ENTRY else {"buy": "sell", "sell": "buy"}.get(ask.side, "")
        known = self._positions.setdefault((line["venue"], line["account"], owner.position), (ask.symbol, side))
        if known != (ask.symbol, side):
            what = f"{ask.client_id} is for {side} {ask.symbol}, its position for {known[1]} {known[0]}"
            self.tell(line["venue"], line["account"], ask.symbol, what)

    def _judge_seen(self, holding: Holding, client_id: str | None) -> None:
        if client_id and client_id.startswith(f"{self.scene.names.prefix}-") and client_id not in self._told:
            self.tell_of(holding, f"the client id {client_id!r} does not follow the grammar")
