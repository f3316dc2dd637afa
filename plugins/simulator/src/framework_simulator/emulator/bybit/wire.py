"""Bybit's face: routes, who may use them, how often, and the envelope that every answer comes in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen

from ...engine.events import Event
from ..compact import dump_own
from ..faults import FaultAnswer
from ..wire import PLAIN, HttpRequest, HttpResponse, Peer, Socket, Transport
from ..world import World
from . import account, auth, conditional, market, orders, queries
from .call import Answer, Call, Handler
from .errors import OK, VenueError
from .limits import FORBIDDEN, TOO_MANY_VISITS, Limits, TooManyVisitsError
from .notes import VENUE, Notes
from .params import Params
from .private_streams import PrivateHub, PrivateSocket
from .public_streams import PublicHub, PublicSocket
from .trade_socket import TradeSocket

PUBLIC_PATH = "/v5/public/linear"
PRIVATE_PATH = "/v5/private"
TRADE_PATH = "/v5/trade"
PER_SECOND = 50


@frozen
class Route:
    """A route: who answers it, what the key must be allowed to do (None: no key), and how often in a second.

    `per_second` None: as often as the settings allow for orders.
    """

    handler: Handler
    needs: str | None
    per_second: int | None = PER_SECOND


# Requests per second of an account, where they are not 50 ("Bybit v5, Rate Limit", linear). None: what is documented
# is the 10 of ordinary accounts, but accounts with a PRO level have more: `Settings.orders_per_s`.
_RATES: Mapping[str, int | None] = {
    "/v5/order/create": None,
    "/v5/order/amend": None,
    "/v5/order/cancel": None,
    "/v5/order/cancel-all": None,
    "/v5/order/create-batch": None,
    "/v5/order/amend-batch": None,
    "/v5/order/cancel-batch": None,
    "/v5/order/disconnected-cancel-all": 5,
    "/v5/position/trading-stop": None,
    "/v5/position/set-leverage": 10,
    "/v5/position/switch-mode": 10,
}


# Lists that clients ask for in every category: where nothing is emulated, nothing is listed.
_LISTS = frozenset(
    {
        "/v5/market/instruments-info",
        "/v5/market/tickers",
        "/v5/position/list",
        "/v5/position/closed-pnl",
        "/v5/order/realtime",
        "/v5/order/history",
        "/v5/execution/list",
    }
)
_ELSEWHERE = frozenset({"spot", "inverse", "option"})


def nothing_there(call: Call) -> dict[str, Any]:
    """The answer for a category that the venue has, and in which nothing is emulated."""
    return {"category": call.params.need("category"), "list": [], "nextPageCursor": ""}


def _asks_elsewhere(request: HttpRequest, params: Params) -> bool:
    listing = request.method == "GET" and request.path in _LISTS
    return listing and params.text("category") in _ELSEWHERE


def _table() -> Mapping[tuple[str, str], Route]:
    groups: tuple[tuple[str, str | None, Mapping[str, Handler]], ...] = (
        ("GET", None, {**market.ROUTES, "/v5/system/status": account.system_status}),
        ("GET", "read", {**account.READS, **queries.ROUTES}),
        ("POST", "trade", {**account.WRITES, **orders.ROUTES, **conditional.ROUTES}),
    )
    return {
        (method, path): Route(handler, needs, _RATES.get(path, PER_SECOND))
        for method, needs, routes in groups
        for path, handler in routes.items()
    }


ROUTES = _table()


@define
class BybitWire:
    """One venue's face; see `wire.Wire`."""

    world: World
    notes: Notes = field(init=False)
    limits: Limits = field(init=False)
    public: PublicHub = field(init=False)
    private: PrivateHub = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.notes = Notes(self.world)
        self.limits = Limits(self.world)
        self.public = PublicHub(self.world)
        self.private = PrivateHub(self.world, self.notes)

    @property
    def venue(self) -> str:
        """ "bybit"."""
        return VENUE

    def owns(self, path: str) -> bool:
        """All of /v5."""
        return path == "/v5" or path.startswith("/v5/")

    # ── requests ────────────────────────────────────────────────────────────────────────────────────────────

    def http(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        try:
            return self._http(request)
        except Exception:
            self.world.defect(VENUE, f"{request.method} {request.path}")
            return self._response(OK, self._envelope(10016, "Server error.", {}, {}), {})

    def connect(self, path: str, query: str, headers: Mapping[str, str], peer: Peer) -> Socket | HttpResponse:
        """Open a stream, or the trading socket."""
        if path == PUBLIC_PATH:
            return PublicSocket.open(self.world, peer, self.public)
        if path == PRIVATE_PATH:
            return PrivateSocket.open(self.world, peer, self.private)
        if path == TRADE_PATH:
            return TradeSocket.open(self.world, peer, self.notes, self.limits)
        return self._response(404, self._envelope(10017, "Route not found.", {}, {}), {})

    def on_event(self, account: str, event: Event) -> None:
        """Tell the private streams."""
        self.notes.saw(event)
        self.private.tell(account, event)

    def on_quote(self, symbol: str) -> None:
        """Tell the public streams."""
        self.public.tell(symbol)

    @property
    def is_behind(self) -> bool:
        """Never: every topic is told at once, or not at all."""
        return False

    def _http(self, request: HttpRequest) -> HttpResponse:
        if self.limits.refuses_address():
            return HttpResponse(FORBIDDEN, {"Content-Type": "text/plain"}, b"access too frequent")
        key = auth.known_key(self.world, request.headers.get("x-bapi-api-key"))
        name = None if key is None else key.account
        try:
            params = Params.of_http(request.method, request.query, request.body)
            told, spoiled = params.told(), None
        except VenueError as error:
            params, told, spoiled = Params({}), {}, error
        number = self.world.request_received(VENUE, name, request.method, request.path, told)
        plan = self.world.faults.for_request(VENUE, name, request.method, request.path, told)
        if plan.instead is not None:
            return self._faulty(number, name, plan.instead, {}, plan.transport)
        headers: dict[str, str] = {}
        try:
            route = ROUTES.get((request.method, request.path))
            if route is None:
                raise VenueError(10017)
            if route.needs is not None:
                key = auth.check_http(self.world, request, key)
                if route.needs not in key.permissions:
                    raise VenueError(10005)
                limit = self.world.settings.orders_per_s if route.per_second is None else route.per_second
                headers = self.limits.spend(key.account, request.path, limit)
            if spoiled is not None:
                raise spoiled
            call = Call(self.world, params, None if route.needs is None else key, self.notes)
            handler = nothing_there if _asks_elsewhere(request, params) else route.handler
            code, status, body = self._carried_out(handler, call)
        except VenueError as error:
            code, status = error.code, error.status
            headers = error.headers if isinstance(error, TooManyVisitsError) else headers
            body = self._envelope(code, error.message, error.result, {})
        except Exception:
            # The client is told as the venue would tell it; the trace is kept for whoever runs the emulator.
            self.world.defect(VENUE, f"{request.method} {request.path}")
            code, status, body = 10016, OK, self._envelope(10016, "Server error.", {}, {})
        if plan.replace is not None:
            return self._faulty(number, name, plan.replace, headers, plan.transport)
        self.world.response_sent(VENUE, name, number, status, code)
        return self._response(status, body, headers, plan.transport)

    def _carried_out(self, handler: Handler, call: Call) -> tuple[int, int, bytes]:
        answer = handler(call)
        if isinstance(answer, Answer):
            return 0, OK, self._envelope(0, "OK", answer.result, answer.extra)
        return 0, OK, self._envelope(0, "OK", answer, {})

    def _envelope(self, code: int, message: str, result: Mapping[str, Any], extra: Mapping[str, Any]) -> bytes:
        whole = {
            "retCode": code,
            "retMsg": message,
            "result": result,
            "retExtInfo": extra,
            "time": self.world.told_ms("bybit"),
        }
        return dump_own(whole).encode()

    def _faulty(
        self, number: int, name: str | None, fault: FaultAnswer, headers: Mapping[str, str], transport: Transport
    ) -> HttpResponse:
        self.world.response_sent(VENUE, name, number, fault.status, fault.code)
        if fault.body is not None:
            body = fault.body
        elif fault.code is None:
            body = fault.message.encode()
        else:
            body = self._envelope(fault.code, fault.message, {}, {})
        if fault.code == TOO_MANY_VISITS:
            headers = {**headers, **self.limits.used_up()}
        return self._response(fault.status, body, {**headers, **fault.headers}, transport)

    def _response(
        self, status: int, body: bytes, headers: Mapping[str, str], transport: Transport = PLAIN
    ) -> HttpResponse:
        return HttpResponse(status, {"Content-Type": "application/json", **headers}, body, transport)
