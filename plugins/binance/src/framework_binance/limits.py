"""Binance's limits, what each request costs of them, and how the answers' headers correct the count.

Source: "Binance USD-M Futures, General Info, Limits"; the weight is that of each endpoint's page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from framework import Percent
from framework_venue.answers import Reply
from framework_venue.budget import Budget, Window
from framework_venue.client import Route

WEIGHT, ORDERS_10S, ORDERS_1M = "weight", "orders-10s", "orders-1m"

KEPT = {WEIGHT: 0.25, ORDERS_10S: 0.5, ORDERS_1M: 0.5}
"""The share of each window that only stops and closes may use. A stop follows every entry: of orders they get half."""

DEFAULTS = {WEIGHT: (2400, 60.0), ORDERS_10S: (300, 10.0), ORDERS_1M: (1200, 60.0)}
"""Limit and length in seconds until the venue has told its own (`rateLimits` of exchangeInfo)."""

_UNITS_S = {"SECOND": 1.0, "MINUTE": 60.0}

_NAMES = {("REQUEST_WEIGHT", 60.0): WEIGHT, ("ORDERS", 10.0): ORDERS_10S, ("ORDERS", 60.0): ORDERS_1M}

_HEADERS = {
    "x-mbx-used-weight-1m": WEIGHT,
    "x-mbx-order-count-10s": ORDERS_10S,
    "x-mbx-order-count-1m": ORDERS_1M,
}

_ORDER = {ORDERS_10S: 1, ORDERS_1M: 1}

TIME = Route("fapiPublicGetTime", {WEIGHT: 1})
RULES = Route("fapiPublicGetExchangeInfo", {WEIGHT: 1})
BEST_PRICES = Route("fapiPublicGetTickerBookTicker", {WEIGHT: 5})
LAST_PRICES = Route("fapiPublicV2GetTickerPrice", {WEIGHT: 2})
MARK_PRICES = Route("fapiPublicGetPremiumIndex", {WEIGHT: 10})
OPEN_INTEREST = Route("fapiPublicGetOpenInterest", {WEIGHT: 1})

PLACE = Route("fapiPrivatePostOrder", _ORDER)
CANCEL = Route("fapiPrivateDeleteOrder", {WEIGHT: 1})
ORDER = Route("fapiPrivateGetOrder", {WEIGHT: 1})
TRADES = Route("fapiPrivateGetUserTrades", {WEIGHT: 5})
PLACE_STOP = Route("fapiPrivatePostAlgoOrder", _ORDER)
CANCEL_STOP = Route("fapiPrivateDeleteAlgoOrder", {WEIGHT: 1})
OPEN_ORDERS = Route("fapiPrivateGetOpenOrders", {WEIGHT: 40})
"""Of all markets at once."""

STOP = Route("fapiPrivateGetAlgoOrder", {WEIGHT: 1})
STOPS = Route("fapiPrivateGetOpenAlgoOrders", {WEIGHT: 1})
ALL_OPEN_STOPS = Route("fapiPrivateGetOpenAlgoOrders", {WEIGHT: 40})
PAST_STOPS = Route("fapiPrivateGetAllAlgoOrders", {WEIGHT: 5})

ACCOUNT = Route("fapiPrivateV3GetAccount", {WEIGHT: 5})
POSITIONS = Route("fapiPrivateV3GetPositionRisk", {WEIGHT: 5})
BRACKETS = Route("fapiPrivateGetLeverageBracket", {WEIGHT: 1})
CONFIG = Route("fapiPrivateGetAccountConfig", {WEIGHT: 5})
SYMBOL_CONFIG = Route("fapiPrivateGetSymbolConfig", {WEIGHT: 5})
SET_MODE = Route("fapiPrivatePostPositionSideDual", {WEIGHT: 1})
SET_MARGIN = Route("fapiPrivatePostMarginType", {WEIGHT: 1})
SET_LEVERAGE = Route("fapiPrivatePostLeverage", {WEIGHT: 1})
OPEN_STREAM = Route("fapiPrivatePostListenKey", {WEIGHT: 1})
KEEP_STREAM = Route("fapiPrivatePutListenKey", {WEIGHT: 1})
KEY_RIGHTS = Route("sapiGetAccountApiRestrictions", {})
"""On the wallet's own host, with limits of its own."""

MOST_CANDLES = 1500


def candles(count: int) -> Route:
    """The request for so many candles: what it weighs depends on their number."""
    weight = next(weight for below, weight in ((100, 1), (500, 2), (1001, 5), (MOST_CANDLES + 1, 10)) if count < below)
    return Route("fapiPublicGetKlines", {WEIGHT: weight})


def windows(share: Percent) -> list[Window]:
    """The limits as they are documented; `share` of each may be used."""
    return [_window(name, limit, length_s, share) for name, (limit, length_s) in DEFAULTS.items()]


def told(rows: Any, share: Percent) -> list[Window]:
    """The limits as the venue tells them. What is of another kind, or malformed, is left out."""
    found: list[Window] = []
    for row in rows if isinstance(rows, list) else []:
        try:
            length_s = _UNITS_S[row["interval"]] * int(row["intervalNum"])
            name, limit = _NAMES[row["rateLimitType"], length_s], int(row["limit"])
        except (KeyError, TypeError, ValueError):
            continue
        if limit > 0:
            found.append(_window(name, limit, length_s, share))
    return found


def hear(budget: Budget, headers: Mapping[str, str]) -> None:
    """Correct the count by what the venue says is used."""
    for header, name in _HEADERS.items():
        used = headers.get(header, "")
        if used.isascii() and used.isdigit():
            budget.heard(name, int(used))


def retry_after_s(reply: Reply) -> float | None:
    """How long the venue wants silence, as its header says; None where it does not."""
    header = reply.headers.get("retry-after", "")
    if re.fullmatch(r"\d+(\.\d+)?", header):
        return float(header)
    return None


def _window(name: str, limit: int, length_s: float, share: Percent) -> Window:
    allowed = max(1, int(share.value * limit / 100))
    return Window(name, min(limit, allowed), length_s, KEPT[name], counted_anew=True)
