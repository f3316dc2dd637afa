"""Bybit's return codes and their texts. Errors come with HTTP status 200 unless the table says otherwise.

Source: "Bybit v5, Error Codes". Code 10001 stands for many things, which clients can tell apart only by the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from framework import Refusal

OK = 200
LONGEST = 500
"""Texts repeat what a client has sent, and that may be long."""

# A text with {} gets what the error is about.
CODES: Mapping[int, str] = {
    10001: "params error: {}",
    10002: (
        "invalid request, please check your server timestamp or recv_window param. "
        "req_timestamp[{}],server_timestamp[{}],recv_window[{}]"
    ),
    10003: "API key is invalid.",
    10004: "error sign! origin_string[{}]",
    10005: "Permission denied, please check your API key permissions.",
    10006: "Too many visits. Exceeded the API Rate Limit.",
    10016: "Server error.",
    10017: "Route not found.",
    10404: "op type is not found, or category is not correct or supported.",
    20006: "reqId is duplicated.",
    30208: "Failed to place order: the order price is higher than the maximum buying price.",
    30209: "Failed to place order: the order price is lower than the minimum selling price.",
    34040: "not modified",
    110001: "order not exists or too late to {}",
    110003: "Order price exceeds the allowable range.",
    110007: "ab not enough for new order",
    110009: "The number of stop orders exceeds the maximum allowable limit.",
    110013: "cannot set leverage due to risk limit level",
    110017: "current position is zero, cannot fix reduce-only order qty",
    110020: "Not allowed to have more than 500 active orders.",
    110024: "You have an existing position, so position mode cannot be switched.",
    110025: "Position mode is not modified",
    110026: "Cross/isolated margin mode is not modified",
    110028: "You have existing open orders, so position mode cannot be switched.",
    110043: "leverage not modified",
    110061: "More than 20 TP/SLs under Partial tpSlMode.",
    110072: "OrderLinkedID is duplicate",
    110073: "Set margin mode failed",
    110079: "The order is processing and can not be operated, please try again later.",
    110090: "Leverage is above the maximum that the risk limit of the position allows.",
    110092: "expect Rising, but trigger_price is below or at the current price",
    110093: "expect Falling, but trigger_price is above or at the current price",
    110094: "Order does not meet minimum order value",
    110118: "There is no market price.",
}

HTTP_STATUSES: Mapping[int, int] = {10017: 404}

# What the engine says of code 10001, and what Bybit says of it. The scale of the prices in the texts on stops is
# unverified: the venue is reported to write them as whole numbers.
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"the (?P<kind>[a-z-]+) at (?P<price>\S+) must be (?P<where>\w+) the base price of (?P<base>\S+)"), ""),
    (re.compile(r"position of zero|flat"), "can not set tp/sl/ts for zero position"),
    (re.compile(r"position mode"), "position idx not match position mode"),
    (
        re.compile(r"quantity \S+ is above the maximum"),
        "The number of contracts exceeds maximum limit allowed: too large",
    ),
    (re.compile(r"quantity \S+ is below the minimum"), "The number of contracts exceeds minimum limit allowed"),
    (re.compile(r"quantity "), "Qty invalid"),
)
# The engine has one code for too many conditional orders in a market; Bybit's error table names 110009 for them.
_CORRECTED = {"110021": 110009}
_KINDS = {"stop": "StopLoss", "take-profit": "TakeProfit", "trailing": "TrailingProfit"}


class VenueError(Exception):
    """The venue says no. `code` is Bybit's; the text follows from it unless one is given."""

    def __init__(self, code: int, *about: object, message: str | None = None, status: int | None = None) -> None:
        self.code = code
        self.status = HTTP_STATUSES.get(code, OK) if status is None else status
        whole = _filled(CODES.get(code, "Request failed."), about) if message is None else message
        self.message = whole[:LONGEST]
        self.result: dict[str, Any] = {}
        super().__init__(f"{code}: {self.message}")


def from_refusal(refusal: Refusal) -> VenueError:
    """The engine's refusal in Bybit's own words, where they are known."""
    code = _CORRECTED.get(refusal.code, int(refusal.code))
    if code == 10001:
        return VenueError(code, message=_worded(refusal.message))
    if code not in CODES or code in (30208, 30209, 110003, 110092, 110093, 110094):
        return VenueError(code, message=refusal.message if code not in CODES else f"{CODES[code]} {refusal.message}")
    return VenueError(code, "cancel")


def bad_param(name: str, why: str = "invalid") -> VenueError:
    """A parameter that can't be used."""
    return VenueError(10001, f"{name} {why}")


def missing(name: str) -> VenueError:
    """A mandatory parameter is missing."""
    return VenueError(10001, f"Missing some parameters that must be filled in, {name} can't be empty")


def _worded(message: str) -> str:
    for pattern, words in _WORDS:
        found = pattern.search(message)
        if found is None:
            continue
        if words:
            return words
        long = (found["where"] == "below") is (found["kind"] != "take-profit")
        side, than = ("Buy" if long else "Sell"), ("lower" if found["where"] == "below" else "higher")
        kind = _KINDS.get(found["kind"], "StopLoss")
        return f"{kind}:{found['price']} set for {side} position should {than} than base_price:{found['base']}"
    return f"params error: {message}"


def _filled(text: str, about: tuple[object, ...]) -> str:
    for one in about:
        text = text.replace("{}", str(one), 1)
    return text
