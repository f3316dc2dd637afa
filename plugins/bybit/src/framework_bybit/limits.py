"""How often what may be asked: windows of the rate budget, every route that is used, and what answers tell of both.

Source: "Bybit v5, Rate Limit": so many requests of an account on a route within any second, and 600 of an address
within any five.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from attrs import frozen

from framework import Percent
from framework_venue.answers import Reply
from framework_venue.budget import Budget, Window
from framework_venue.client import Route

ADDRESS = "address"
BY_ADDRESS = 600
ADDRESS_WINDOW_S = 5.1
SECOND_S = 1.1
"""A little longer than the venue's second: the way there does not take every request equally long."""

TOO_MANY_VISITS = 10006

ORDERS = "order/create"
"""The window of new orders, entries and closes alike."""

_CANCEL, _AMEND, _STOP = "order/cancel", "order/amend", "position/trading-stop"
_LEVERAGE, _POSITION_MODE = "position/set-leverage", "position/switch-mode"

# Requests per second of an account without a VIP level, and the share that only stops and closes may use. Stops travel
# inside entries, so little of order/create has to be kept, for closes; what only protects needs nothing kept. Of the
# queries some is kept for reading back what was just set.
_PER_SECOND: dict[str, tuple[int, float]] = {
    ORDERS: (10, 0.2),
    _CANCEL: (10, 0.0),
    _AMEND: (10, 0.0),
    _STOP: (10, 0.0),
    _LEVERAGE: (10, 0.0),
    _POSITION_MODE: (10, 0.0),
    "account/set-margin-mode": (10, 0.0),
    "account/info": (50, 0.0),
    "account/wallet-balance": (50, 0.0),
    "user/query-api": (10, 0.0),
    "position/list": (50, 0.3),
    "order/realtime": (50, 0.3),
    "order/history": (50, 0.3),
    "execution/list": (50, 0.3),
}


def _public(path: str) -> Route:
    return Route(f"publicGetV5{_camel(path)}", {ADDRESS: 1})


def _private(method: str, path: str) -> Route:
    return Route(f"private{method}V5{_camel(path)}", {ADDRESS: 1, path: 1})


def _camel(path: str) -> str:
    return "".join(word.capitalize() for word in path.replace("/", "-").split("-"))


TIME = _public("market/time")
INSTRUMENTS = _public("market/instruments-info")
TICKERS = _public("market/tickers")
CANDLES = _public("market/kline")

CREATE = _private("Post", ORDERS)
CANCEL = _private("Post", _CANCEL)
AMEND = _private("Post", _AMEND)
TRADING_STOP = _private("Post", _STOP)
SET_LEVERAGE = _private("Post", _LEVERAGE)
SWITCH_MODE = _private("Post", _POSITION_MODE)
SET_MARGIN_MODE = _private("Post", "account/set-margin-mode")
ACCOUNT = _private("Get", "account/info")
WALLET = _private("Get", "account/wallet-balance")
API_KEY = _private("Get", "user/query-api")
POSITIONS = _private("Get", "position/list")
OPEN_ORDERS = _private("Get", "order/realtime")
PAST_ORDERS = _private("Get", "order/history")
EXECUTIONS = _private("Get", "execution/list")

ROUTES: tuple[Route, ...] = (
    TIME, INSTRUMENTS, TICKERS, CANDLES, CREATE, CANCEL, AMEND, TRADING_STOP, SET_LEVERAGE, SWITCH_MODE,
    SET_MARGIN_MODE, ACCOUNT, WALLET, API_KEY, POSITIONS, OPEN_ORDERS, PAST_ORDERS, EXECUTIONS,
)  # fmt: skip
"""Every request that this plugin sends."""


@frozen
class Limits:
    """The limits of one account. `percent` of them may be used; `orders_per_s` is what its VIP level allows."""

    percent: Percent
    orders_per_s: int

    def windows(self) -> Iterator[Window]:
        """All windows, as far as they are known before the first answer."""
        yield Window(ADDRESS, self._part(BY_ADDRESS), ADDRESS_WINDOW_S)
        for name, (limit, _) in _PER_SECOND.items():
            yield self._window(name, self.orders_per_s if name == ORDERS else limit)

    def heard(self, budget: Budget, route: Route, reply: Reply) -> None:
        """Take over what the headers of an answer say of its route: how much is allowed, how much is left.

        After 10006 nothing is sent on that route until the venue's reset time, counted by the venue's own clock.
        """
        name = next((one for one in route.costs if one != ADDRESS), None)
        limit, left = _whole(reply, "x-bapi-limit"), _whole(reply, "x-bapi-limit-status")
        if name is None or limit is None or left is None or limit < 1:
            return
        budget.set(self._window(name, limit))
        if _code(reply) == TOO_MANY_VISITS:
            self._shut(budget, name, limit, reply)
        else:
            budget.heard(name, limit - left)

    def _shut(self, budget: Budget, name: str, limit: int, reply: Reply) -> None:
        reset_ms, told_ms = _whole(reply, "x-bapi-limit-reset-timestamp"), _time_ms(reply)
        seconds = SECOND_S
        if reset_ms is not None and told_ms is not None:
            seconds = max(seconds, (reset_ms - told_ms) / 1000)
        # A window that is full from now on, and so long; the next answer brings its usual length back.
        budget.set(self._window(name, limit, seconds))
        budget.heard(name, budget.used(name) + limit)

    def _window(self, name: str, limit: int, length_s: float = SECOND_S) -> Window:
        return Window(name, self._part(limit), length_s, _PER_SECOND[name][1])

    def _part(self, limit: int) -> int:
        return max(1, int(self.percent.of(Decimal(limit))))


def _whole(reply: Reply, header: str) -> int | None:
    text = reply.headers.get(header, "")
    return int(text) if text.isascii() and text.isdigit() else None


def _code(reply: Reply) -> object:
    return reply.body.get("retCode") if isinstance(reply.body, dict) else None


def _time_ms(reply: Reply) -> int | None:
    told = reply.body.get("time") if isinstance(reply.body, dict) else None
    return told if isinstance(told, int) else None
