"""Trading over a WebSocket (the WS-API): the routes of REST under other names, one frame each.

Source: "Binance USD-M Futures, WebSocket API General Info". A frame is signed over its parameters, sorted by name;
`session.logon` (Ed25519 keys only) is not offered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, field

from ..clock import Cancel
from ..wire import Peer
from . import account, auth, conditional, history, market, orders
from .auth import Security
from .call import Handler
from .errors import VenueError
from .params import Params
from .routes import Route, by_symbol
from .streams import GOING_AWAY, PING_NS, dump

if TYPE_CHECKING:
    from .wire import Answer, BinanceWire

HANDSHAKE_WEIGHT = 5


def _signed(handler: Handler, weight: int = 1, orders: int = 0, *, trades: bool = False) -> Route:
    return Route(handler, Security.SIGNED, weight, orders, trades=trades)


METHODS: Mapping[str, Route] = {
    "ping": Route(market.ping, Security.NONE),
    "time": Route(market.time, Security.NONE),
    "depth": Route(market.depth, Security.NONE, market.depth_weight),
    "ticker.price": Route(market.price, Security.NONE, by_symbol(1, 2)),
    "ticker.book": Route(market.best, Security.NONE, by_symbol(2, 5)),
    "order.place": _signed(orders.place, 0, 1, trades=True),
    "order.modify": _signed(orders.amend, 1, 1, trades=True),
    "order.cancel": _signed(orders.cancel, trades=True),
    "order.status": _signed(history.query),
    "algoOrder.place": _signed(conditional.place, 0, 1, trades=True),
    "algoOrder.cancel": _signed(conditional.cancel, trades=True),
    "account.status": _signed(account.account_v2, 5),
    "v2/account.status": _signed(account.account_v3, 5),
    "account.balance": _signed(account.balance, 5),
    "v2/account.balance": _signed(account.balance, 5),
    "account.position": _signed(account.positions_v2, 5),
    "v2/account.position": _signed(account.positions_v3, 5),
    "userDataStream.start": Route(account.start_stream, Security.KEY, 5),
    "userDataStream.ping": Route(account.keep_stream, Security.KEY),
    "userDataStream.stop": Route(account.close_stream, Security.KEY),
}


@define(eq=False)
class TradeSocket:
    """One connection."""

    wire: BinanceWire
    peer: Peer
    _timers: list[Cancel] = field(factory=list, init=False)
    _open: bool = field(default=True, init=False)

    def __attrs_post_init__(self) -> None:
        world = self.wire.world
        life_ns = world.settings.connection_ns
        self._timers.append(world.schedule(life_ns, lambda: self.peer.close(GOING_AWAY, "24 hours")))
        self._ping_later()

    def receive(self, text: str) -> None:
        """A frame."""
        try:
            frame = json.loads(text)
        except (ValueError, RecursionError):
            frame = None
        if not isinstance(frame, dict):
            self._send({"id": None, "status": 400, "error": VenueError(-1135, message="Invalid JSON Request").body})
            return
        self._carry_out(frame)

    def pong(self) -> None:
        """The client is there."""

    def closed(self) -> None:
        """The client is gone."""
        self._open = False
        for cancel in self._timers:
            cancel()

    def _carry_out(self, frame: Mapping[str, Any]) -> None:
        name, raw = frame.get("method"), frame.get("params") or {}
        route = METHODS.get(name) if isinstance(name, str) else None
        params, key, refused = Params({}), None, None
        try:
            if not isinstance(raw, dict):
                raise VenueError(-1135, message="Invalid 'params' in JSON request; expected an object.")
            params = Params.of_frame(raw)
            if route is None:
                raise VenueError(-1135, message="Invalid 'method' in JSON request.")
            if route.security is not Security.NONE:
                key = auth.caller(self.wire.world, params.text("apiKey"))
                if route.security is Security.SIGNED:
                    auth.check_frame(self.wire.world, params, key)
                self.wire.check_rights(route, key)
        except VenueError as error:
            refused = error
        answer = self.wire.answer("WS", str(name), route, params, key, refused)
        self._reply(frame.get("id"), answer, params, counts_orders=route is not None and route.orders > 0)

    def _reply(self, number: Any, answer: Answer, params: Params, *, counts_orders: bool) -> None:
        how = answer.plan.transport
        if how.drop:
            self.peer.close(1006, "")
            return
        text = dump(self._frame(number, answer, params, counts_orders=counts_orders))
        if answer.raw is not None:
            text = answer.raw.decode("utf-8", errors="replace")
        if how.truncate is not None:
            text = text[: how.truncate]
        if how.delay_ns:
            self.wire.world.schedule(how.delay_ns, lambda: self.peer.send(text) if self._open else None)
        else:
            self.peer.send(text)

    def _frame(self, number: Any, answer: Answer, params: Params, *, counts_orders: bool) -> dict[str, Any]:
        told: dict[str, Any] = {"id": number, "status": answer.status}
        told["result" if answer.code is None else "error"] = answer.payload
        if (params.text("returnRateLimits") or "true").lower() != "false":
            account_name = answer.account
            told["rateLimits"] = self.wire.state.limits.frames(account_name, orders=counts_orders)
        return told

    def _send(self, told: Mapping[str, Any]) -> None:
        self.peer.send(dump(told))

    def _ping_later(self) -> None:
        self._timers[1:] = [self.wire.world.schedule(PING_NS, self._ping)]

    def _ping(self) -> None:
        self.peer.ping()
        self._ping_later()
