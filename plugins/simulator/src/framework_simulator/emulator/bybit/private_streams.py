"""Private streams: order, execution, position, wallet. Source: "Bybit v5, WebSocket Stream, Private".

In which order the topics speak of one thing is not documented; here it is the order in which the venue decided it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import define, field

from ...engine.account import Position
from ...engine.events import CashChanged, Event, Filled, FundingPaid, OrderChanged, PositionChanged, StopChanged
from ..compact import dump_own
from ..view import View
from ..wire import Peer
from ..world import KeyInfo, World
from . import auth
from .account import wallet
from .call import Call
from .errors import VenueError
from .notes import VENUE, Notes
from .params import Params
from .queries import position_row
from .shapes import execution_row, funding_row, money, order_row, stop_row
from .sockets import Connection, StreamSocket

Row = dict[str, Any]
BASES = ("order", "execution", "execution.fast", "position", "wallet")
TOPICS: Mapping[str, str] = {
    **{base: base for base in BASES},
    **{f"{base}.linear": base for base in BASES if base != "wallet"},
}
_FAST = (
    "category", "symbol", "execId", "execPrice", "execQty", "orderId", "isMaker", "orderLinkId", "side", "execTime",
    "seq",
)  # fmt: skip


@define
class PrivateHub:
    """Who hears of which account. It keeps a view of its own, which trails behind as far as the streams do."""

    world: World
    notes: Notes
    _views: dict[str, View] = field(factory=dict, init=False)
    _sockets: dict[tuple[str, str], dict[PrivateSocket, str]] = field(factory=dict, init=False)
    _numbers: int = field(default=0, init=False)

    def join(self, account: str, topic: str, socket: PrivateSocket) -> None:
        """A subscriber more."""
        self._sockets.setdefault((account, TOPICS[topic]), {})[socket] = topic

    def leave(self, account: str, topic: str, socket: PrivateSocket) -> None:
        """A subscriber less."""
        self._sockets.get((account, TOPICS[topic]), {}).pop(socket, None)

    def tell(self, account: str, event: Event) -> None:
        """Something happened on an account."""
        view = self._views.setdefault(account, View())
        view.apply(event, self.world.now_ns())
        if not any(self._sockets.get((account, base)) for base in BASES):
            return
        call = Call(self.world, Params({}), KeyInfo("", "", account), self.notes)
        match event:
            case OrderChanged():
                row = order_row(event.order, self.notes, account)
                self._send(account, "order", row["orderStatus"], row)
                self._position(call, view, view.position(event.order.symbol))
            case StopChanged():
                size = view.position(event.stop.symbol).size
                row = stop_row(event.stop, size, self.notes, account)
                self._send(account, "order", row["orderStatus"], row)
                self._position(call, view, view.position(event.stop.symbol))
            case Filled():
                self._execution(call, view, event.realized_pnl)
                self._wallet(call)
            case PositionChanged():
                self._position(call, view, event.position)
            case FundingPaid():
                row = {**funding_row(view.funding[-1]), "execPnl": "0"}
                self._send(account, "execution", row["execType"], row)
                self._wallet(call)
            case CashChanged():
                self._wallet(call)
            case _:
                pass

    def _execution(self, call: Call, view: View, realized_pnl: Decimal) -> None:
        trade = view.trades[-1]
        book = self.world.book(VENUE, trade.fill.symbol)
        row = execution_row(trade, self.notes, None if book is None else book.quote.mark)
        row["execPnl"] = money(realized_pnl)
        self._send(call.account, "execution", row["execType"], row)
        if row["execType"] == "Trade":
            self._send(call.account, "execution.fast", row["execType"], row)

    def _position(self, call: Call, view: View, position: Position) -> None:
        if self._sockets.get((call.account, "position")):
            row = position_row(call, view, position)
            # The stream says entryPrice where the route says avgPrice.
            row["entryPrice"] = row.pop("avgPrice")
            self._send(call.account, "position", row["side"] or "flat", row)

    def _wallet(self, call: Call) -> None:
        if self._sockets.get((call.account, "wallet")):
            self._send(call.account, "wallet", "wallet", wallet(call))

    def _send(self, account: str, base: str, event: str, row: Row) -> None:
        sockets = self._sockets.get((account, base))
        if not sockets:
            return
        told = row if base == "wallet" else {"category": "linear", **row}
        if base == "execution.fast":
            told = {name: told[name] for name in _FAST}
        self._numbers += 1
        head = {"id": f"emulator-push-{self._numbers}", "creationTime": self.world.told_ms("bybit"), "data": [told]}

        def go() -> None:
            frames: dict[str, str] = {}
            for socket, topic in tuple(sockets.items()):
                if topic not in frames:
                    frames[topic] = dump_own({**head, "topic": topic})
                socket.connection.peer.send(frames[topic])

        self.world.deliver(VENUE, account, base, event, str(row.get("symbol", "")), go)


@define(eq=False)
class PrivateSocket(StreamSocket):
    """The venue's end of a private stream."""

    hub: PrivateHub
    account: str | None = field(default=None, init=False)

    @classmethod
    def open(cls, world: World, peer: Peer, hub: PrivateHub) -> PrivateSocket:
        """A client has connected; it has to say who it is before it may hear anything."""
        return cls(Connection(world, peer), hub)

    def _ping(self, frame: dict[str, Any]) -> None:
        named = {"req_id": frame["req_id"]} if "req_id" in frame else {}
        told = [str(self.connection.world.told_ms("bybit"))]
        self.connection.send({**named, "op": "pong", "args": told, "conn_id": self.connection.id})

    def _auth(self, frame: dict[str, Any]) -> None:
        try:
            key = auth.check_socket(self.connection.world, frame.get("args"))
        except VenueError as error:
            self._answer(frame, "auth", error.message)
            return
        if self.account is not None and self.account != key.account:
            self._answer(frame, "auth", "error:already authorized")
            return
        self.account = key.account
        self._answer(frame, "auth", "")

    def _may_join(self, topic: str) -> str:
        if self.account is None:
            return "error:request not authorized"
        return "" if topic in TOPICS else f"error:handler not found,topic:{topic}"

    def _join(self, topic: str) -> None:
        if self.account is not None:
            self.hub.join(self.account, topic, self)

    def _leave(self, topic: str) -> None:
        if self.account is not None:
            self.hub.leave(self.account, topic, self)
