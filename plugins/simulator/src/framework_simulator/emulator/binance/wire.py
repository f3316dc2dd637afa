"""Binance's face: every request on its way in and out, and the sockets behind their paths."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen

from ...engine.events import Event
from ..faults import FaultAnswer, RequestPlan
from ..wire import HttpRequest, HttpResponse, Peer, Socket
from ..world import KeyInfo, World
from . import auth
from .auth import Security
from .call import VENUE, Call
from .errors import VenueError
from .params import Params
from .routes import ROUTES, Route
from .state import State

ROOTS = ("/fapi/", "/sapi/", "/futures/", "/ws-fapi/", "/public/", "/market/", "/private/", "/ws", "/stream")
JSON_TYPE = {"Content-Type": "application/json;charset=UTF-8"}
NOTHING: Mapping[str, str] = {}


@frozen
class Answer:
    """What the venue says, before it is put into HTTP or into a frame. `code` is None when all went well."""

    status: int
    payload: Any
    code: int | None
    headers: Mapping[str, str]
    plan: RequestPlan
    raw: bytes | None = None


@define
class BinanceWire:
    """See `framework_simulator.emulator.wire.Wire`."""

    world: World
    state: State = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.state = State(self.world)

    @property
    def venue(self) -> str:
        """The venue's name."""
        return VENUE

    def owns(self, path: str) -> bool:
        """Whether a path is Binance's."""
        return path.startswith(ROOTS)

    def http(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        answer = self._answer_http(request)
        body = json.dumps(answer.payload, separators=(",", ":")).encode() if answer.raw is None else answer.raw
        return HttpResponse(answer.status, {**JSON_TYPE, **answer.headers}, body, answer.plan.transport)

    def connect(self, path: str, query: str, headers: Mapping[str, str], peer: Peer) -> Socket | HttpResponse:
        """Open a stream."""
        return HttpResponse(404, {}, b"")

    def on_event(self, account: str, event: Event) -> None:
        """Tell the account's streams."""

    def on_quote(self, symbol: str) -> None:
        """Tell the market's streams."""

    def _answer_http(self, request: HttpRequest) -> Answer:
        key, params, refused = None, Params({}), None
        route = ROUTES.get((request.method, request.path))
        try:
            params = Params.of_http(request.query, request.body, request.headers.get("content-type", ""))
            if route is None:
                raise VenueError(-5000, request.path, request.method)
            key = self._caller(route, request, params)
        except VenueError as error:
            refused = error
        return self.answer(request.method, request.path, route, params, key, refused)

    def _caller(self, route: Route, request: HttpRequest, params: Params) -> KeyInfo | None:
        if route.security is Security.NONE:
            return None
        key = auth.caller(self.world, request.headers.get("x-mbx-apikey"))
        if route.security is Security.SIGNED:
            auth.check_http(self.world, request, params, key)
        self.check_rights(route, key)
        return key

    @staticmethod
    def check_rights(route: Route, key: KeyInfo) -> None:
        """Raises -2015 for a key that may not do this."""
        if ("trade" if route.trades else "read") not in key.permissions:
            raise VenueError(-2015)

    def answer(
        self,
        method: str,
        path: str,
        route: Route | None,
        params: Params,
        key: KeyInfo | None,
        refused: VenueError | None,
    ) -> Answer:
        """Carry a request out, or say why not; both with a line in the ledger. Faults have their say."""
        world, account = self.world, None if key is None else key.account
        told = params.told()
        number = world.request_received(VENUE, account, method, path, told)
        plan = world.faults.for_request(VENUE, account, method, path, told)
        if plan.instead is not None:
            answer = self._of_fault(plan.instead, plan)
        else:
            answer = self._carried_out(route, params, key, refused, plan)
            if plan.replace is not None:
                answer = self._of_fault(plan.replace, plan)
        world.response_sent(VENUE, account, number, answer.status, answer.code)
        return answer

    def _carried_out(
        self, route: Route | None, params: Params, key: KeyInfo | None, refused: VenueError | None, plan: RequestPlan
    ) -> Answer:
        account = None if key is None else key.account
        counts_orders = route is not None and route.orders > 0
        try:
            self.state.limits.spend(1 if route is None else route.weigh(params))
            if refused is not None:
                raise refused
            if route is None:
                raise VenueError(-5000, "", "")
            if counts_orders and account is not None:
                self.state.limits.spend_orders(account, route.orders)
            payload = route.handler(Call(self.world, params, key, self.state))
        except VenueError as error:
            return self._refusal(error, account, plan)
        except Exception:
            self.world.defect(VENUE, "a request")
            return self._refusal(VenueError(-1000), account, plan)
        headers = self.state.limits.headers(account, orders=counts_orders)
        return Answer(200, payload, None, headers, plan)

    def _refusal(self, error: VenueError, account: str | None, plan: RequestPlan) -> Answer:
        headers = self.state.limits.headers(account, orders=False)
        if error.status in (418, 429):
            headers["Retry-After"] = str(self.state.limits.retry_after_s())
        return Answer(error.status, error.body, error.code, headers, plan)

    def _of_fault(self, fault: FaultAnswer, plan: RequestPlan) -> Answer:
        headers = {**self.state.limits.headers(None, orders=False), **fault.headers}
        if fault.body is not None:
            return Answer(fault.status, None, fault.code, headers, plan, fault.body)
        if fault.code is None:
            headers = {"Content-Type": "text/plain", **headers}
            return Answer(fault.status, None, None, headers, plan, fault.message.encode())
        return Answer(fault.status, {"code": fault.code, "msg": fault.message}, fault.code, headers, plan)
