"""Trading over a WebSocket. Source: "Bybit v5, WebSocket Trade, Guideline"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field

from ..clock import NS_PER_MS
from ..faults import FaultAnswer
from ..wire import Peer, Transport
from ..world import KeyInfo, World
from . import auth, orders
from .call import Answer, Call, Handler
from .errors import CODES, OK, VenueError
from .limits import Limits, TooManyVisitsError
from .notes import VENUE, Notes
from .params import Params
from .sockets import GOING_AWAY, Connection, dump, parse

OPERATIONS: Mapping[str, Handler] = {
    "order.create": orders.create,
    "order.amend": orders.amend,
    "order.cancel": orders.cancel,
    "order.create-batch": orders.ROUTES["/v5/order/create-batch"],
    "order.amend-batch": orders.ROUTES["/v5/order/amend-batch"],
    "order.cancel-batch": orders.ROUTES["/v5/order/cancel-batch"],
}
MAX_REQUEST_IDS = 10_000
ANSWER_NS = 5 * NS_PER_MS
"""A reply takes a while: pybit registers what to call only after it has sent the request."""


@define(eq=False)
class TradeSocket:
    """The venue's end of a trading socket."""

    connection: Connection
    notes: Notes
    limits: Limits
    _key: KeyInfo | None = field(default=None, init=False)
    _used: dict[str, None] = field(factory=dict, init=False)
    _sent: int = field(default=0, init=False)

    @classmethod
    def open(cls, world: World, peer: Peer, notes: Notes, limits: Limits) -> TradeSocket:
        """A client has connected; it has to say who it is before it may trade."""
        return cls(Connection(world, peer), notes, limits)

    @property
    def world(self) -> World:
        """The world behind it."""
        return self.connection.world

    def receive(self, text: str) -> None:
        """Answer a frame."""
        self.connection.heard()
        frame = parse(text)
        if frame is None:
            self.connection.send(self._reply({}, 10001, "invalid request, expect JSON object"))
            return
        op = frame.get("op")
        if op == "ping":
            told = [str(self.world.told_ms("bybit"))]
            self.connection.send({**self._reply(frame, 0, "OK"), "op": "pong", "data": told})
        elif op == "auth":
            self._auth(frame)
        elif isinstance(op, str) and op in OPERATIONS:
            self._trade(frame, op)
        else:
            self.connection.send(self._reply(frame, 10404, CODES[10404]))

    def pong(self) -> None:
        """Nothing hangs on it."""

    def closed(self) -> None:
        """Forget the client."""
        self.connection.end()

    def _auth(self, frame: dict[str, Any]) -> None:
        try:
            self._key = auth.check_socket(self.world, frame.get("args"))
        except VenueError as error:
            self.connection.send(self._reply(frame, error.code, error.message))
            return
        self.connection.send(self._reply(frame, 0, "OK"))

    def _trade(self, frame: dict[str, Any], op: str) -> None:
        world, key = self.world, self._key
        name = None if key is None else key.account
        args = frame.get("args")
        first = args[0] if isinstance(args, list) and args else None
        told = first if isinstance(first, dict) else {}
        number = world.request_received(VENUE, name, "WS", op, told)
        plan = world.faults.for_request(VENUE, name, "WS", op, told)
        if plan.instead is not None:
            world.response_sent(VENUE, name, number, plan.instead.status, plan.instead.code)
            self._deliver(self._faulty(frame, plan.instead), plan.transport)
            return
        reply = self._carried_out(frame, op, first)
        if plan.replace is not None:
            world.response_sent(VENUE, name, number, plan.replace.status, plan.replace.code)
            self._deliver(self._faulty(frame, plan.replace), plan.transport)
            return
        world.response_sent(VENUE, name, number, OK, reply["retCode"])
        self._deliver(dump(reply), plan.transport)

    def _carried_out(self, frame: dict[str, Any], op: str, first: object) -> dict[str, Any]:
        headers: dict[str, str] = {}
        try:
            key = self._admitted(frame)
            headers = self.limits.spend(key.account, f"WS {op}", self.world.settings.orders_per_s)
            answer = OPERATIONS[op](Call(self.world, Params.of_object(first), key, self.notes))
        except VenueError as error:
            headers = error.headers if isinstance(error, TooManyVisitsError) else headers
            return self._reply(frame, error.code, error.message, headers=headers)
        except Exception:
            # The client is told as the venue would tell it; the trace is kept for whoever runs the emulator.
            self.world.defect(VENUE, f"WS {op}")
            return self._reply(frame, 10016, CODES[10016])
        if isinstance(answer, Answer):
            return self._reply(frame, 0, "OK", answer.result, answer.extra, headers=headers)
        return self._reply(frame, 0, "OK", answer, headers=headers)

    def _admitted(self, frame: dict[str, Any]) -> KeyInfo:
        """Whose request it is. Raises 10003 before `auth`, 10005, 20006 for a reqId once more, 10002."""
        if self._key is None:
            raise VenueError(10003, message="Request not authorized")
        if "trade" not in self._key.permissions:
            raise VenueError(10005)
        request_id = frame.get("reqId")
        if request_id is not None:
            told = dump(request_id)
            if told in self._used:
                raise VenueError(20006)
            self._used[told] = None
            if len(self._used) > MAX_REQUEST_IDS:
                del self._used[next(iter(self._used))]
        header = frame.get("header")
        header = header if isinstance(header, dict) else {}
        auth.check_time(self.world, header.get("X-BAPI-TIMESTAMP"), header.get("X-BAPI-RECV-WINDOW"))
        return self._key

    def _reply(
        self,
        frame: Mapping[str, Any],
        code: int,
        message: str,
        data: Mapping[str, Any] | None = None,
        extra: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        named = {"reqId": frame["reqId"]} if "reqId" in frame else {}
        op = frame.get("op")
        return {
            **named,
            "retCode": code,
            "retMsg": message,
            "op": op[:50] if isinstance(op, str) else "",
            "data": data or {},
            "retExtInfo": extra or {},
            "header": {**(headers or {}), "Traceid": self.connection.id, "Timenow": str(self.world.told_ms("bybit"))},
            "connId": self.connection.id,
        }

    def _faulty(self, frame: Mapping[str, Any], fault: FaultAnswer) -> str:
        if fault.body is not None:
            return fault.body.decode("utf-8", "replace")
        return dump(self._reply(frame, 10016 if fault.code is None else fault.code, fault.message))

    def _deliver(self, text: str, how: Transport) -> None:
        if how.drop:
            self.connection.peer.close(GOING_AWAY, "")
            return
        shown = text if how.truncate is None else text[: how.truncate]
        self._sent += 1
        delay_ns = ANSWER_NS + how.delay_ns
        self.connection.later(delay_ns, f"answer {self._sent}", lambda: self.connection.peer.send(shown))
