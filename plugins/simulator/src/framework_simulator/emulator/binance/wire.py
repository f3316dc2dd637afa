"""Binance's face: every request on its way in and out, and the sockets behind their paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen

from ...engine.events import Event, OrderChanged
from ...engine.orders import Cause
from ..compact import dump_own
from ..faults import FaultAnswer, RequestPlan
from ..wire import HttpRequest, HttpResponse, Peer, Socket
from ..world import KeyInfo, World
from . import auth
from .auth import Security
from .call import VENUE, Call
from .errors import VenueError
from .feeds import force_order_event
from .params import Params
from .routes import ROUTES, Route
from .state import State
from .streams import Hub, UserHub, dump, open_stream
from .trade_socket import HANDSHAKE_WEIGHT, TradeSocket
from .user_events import UserEvents

ROOTS = (
    "/fapi/",
    "/api/",
    "/dapi/",
    "/sapi/",
    "/futures/",
    "/ws-fapi/",
    "/public/",
    "/market/",
    "/private/",
    "/ws",
    "/stream",
)
JSON_TYPE = {"Content-Type": "application/json;charset=UTF-8"}
TRADING_PATH = "/ws-fapi/v1"


@frozen
class Answer:
    """What the venue says, before it is put into HTTP or into a frame. `code` is None when all went well."""

    status: int
    payload: Any
    code: int | None
    headers: Mapping[str, str]
    plan: RequestPlan
    account: str | None
    raw: bytes | None = None


@define
class BinanceWire:
    """See `framework_simulator.emulator.wire.Wire`."""

    world: World
    state: State = field(init=False)
    _call: Call = field(init=False)
    _market: Hub = field(init=False)
    _users: UserHub = field(init=False)
    _events: UserEvents = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.state = State(self.world)
        self._call = Call(self.world, Params({}), None, self.state)
        self._market, self._users = Hub(self._call), UserHub(self._call)
        self._events = UserEvents(self.world, self._users.tell)
        self.state.listen_keys.expired = self._listen_key_expired
        self.world.hooks["expire-listen-keys"] = self.state.listen_keys.expire_all

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
        body = dump_own(answer.payload).encode() if answer.raw is None else answer.raw
        return HttpResponse(answer.status, {**JSON_TYPE, **answer.headers}, body, answer.plan.transport)

    def connect(self, path: str, query: str, headers: Mapping[str, str], peer: Peer) -> Socket | HttpResponse:
        """Open a stream, or a trading socket."""
        if path.rstrip("/") == TRADING_PATH:
            try:
                self.state.limits.spend(HANDSHAKE_WEIGHT)
            except VenueError as error:
                return HttpResponse(error.status, JSON_TYPE, dump(error.body).encode())
            return TradeSocket(self, peer)
        opened = open_stream(self._call, self._market, self._users, path, query, peer)
        return HttpResponse(404, JSON_TYPE, b"{}") if opened is None else opened

    def on_event(self, account: str, event: Event) -> None:
        """Tell the account's streams; a liquidation is told to everybody."""
        self._events.on_event(account, event)
        if isinstance(event, OrderChanged) and event.order.cause is Cause.LIQUIDATION and event.order.filled:
            names = (f"{event.order.symbol.lower()}@forceOrder", "!forceOrder@arr")
            self._market.tell(names, force_order_event(self._call, event.order))

    def on_quote(self, symbol: str) -> None:
        """Tell the market's streams."""
        self._market.on_quote(symbol)
        self._events.on_quote(symbol)

    @property
    def is_behind(self) -> bool:
        """Whether a stream waits for its rhythm to tell of a move."""
        return self._market.is_behind

    def _listen_key_expired(self, account: str, key: str) -> None:
        event = {"e": "listenKeyExpired", "E": self.world.told_ms("binance"), "listenKey": key}
        self._users.tell_key(account, key, "listenKeyExpired", "listenKeyExpired", "", event)

    def _answer_http(self, request: HttpRequest) -> Answer:
        key, params, refused = None, Params({}), None
        route = ROUTES.get((request.method, request.path))
        try:
            params = Params.of_http(request.query, request.body)
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
            answer = self._of_fault(plan.instead, plan, account)
        else:
            answer = self._carried_out(route, params, key, refused, plan)
            if plan.replace is not None:
                answer = self._of_fault(plan.replace, plan, account)
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
        return Answer(200, payload, None, headers, plan, account)

    def _refusal(self, error: VenueError, account: str | None, plan: RequestPlan) -> Answer:
        headers = self.state.limits.headers(account, orders=False)
        if error.status in (418, 429):
            headers["Retry-After"] = str(self.state.limits.retry_after_s())
        return Answer(error.status, error.body, error.code, headers, plan, account)

    def _of_fault(self, fault: FaultAnswer, plan: RequestPlan, account: str | None) -> Answer:
        headers = {**self.state.limits.headers(None, orders=False), **fault.headers}
        if fault.body is not None:
            return Answer(fault.status, None, fault.code, headers, plan, account, fault.body)
        if fault.code is None:
            headers = {"Content-Type": "text/plain", **headers}
            return Answer(fault.status, None, None, headers, plan, account, fault.message.encode())
        return Answer(fault.status, {"code": fault.code, "msg": fault.message}, fault.code, headers, plan, account)
