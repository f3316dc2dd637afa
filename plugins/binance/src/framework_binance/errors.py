"""What each answer of Binance USD-M futures means: by its status and text where the venue says so, else by its code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from framework_venue.answers import Answer, Hint, Kind, Reply, Row, of_row, strange_body, table, unlisted

from .limits import retry_after_s

VENUE = "Binance"

CODES = "Binance USD-M Futures, Error Codes"
GENERAL = "Binance USD-M Futures, General Info, HTTP Return Codes"
ALGO = "Binance USD-M Futures, Trade, New Algo Order; announcement of 2025-11-06"
REPORTS = "public reports of trading bots, 2026"

OK, NO_OP, NO, LATER = Kind.ACCEPTED, Kind.NO_OP, Kind.REJECTED, Kind.NOT_NOW
UNKNOWN, BANNED, KEYS, BUG = Kind.UNKNOWN, Kind.BANNED, Kind.CREDENTIALS, Kind.OUR_BUG


def _rows(kind: Kind, source: str, meanings: Mapping[int, str], hint: Hint | None = None) -> Iterable[Row]:
    return (Row(str(code), kind, meaning, source, hint) for code, meaning in meanings.items())


TABLE: Mapping[str, Row] = table([
    # ── nobody knows whether it was carried out ──
    *_rows(UNKNOWN, CODES, {
        -1000: "the venue failed while processing it",
        -1001: "the venue lost a connection inside",
        -1006: "the venue's backend answered strangely",
        -1007: "the venue's backend did not answer in time",
    }),
    # ── not carried out, but may be later ──
    *_rows(LATER, CODES, {
        -1003: "too many requests from this address",
        -1015: "too many new orders on this account",
    }, Hint.LIMIT),
    *_rows(LATER, CODES, {
        -1008: "the venue is overloaded; stops and closes are exempt",
        -1010: "the venue refused without a reason",
        -1112: "the order book is empty",
        -2012: "cancelling several orders failed",
        -2020: "the order could not be filled",
        -2023: "the account is being liquidated",
        -4131: "the best price is too far from the mark price for a market order",
        -4192: "the account is in a cooling-off period: it may only be closed",
        -4400: "a trading rule restricts the account: it may only reduce positions",
        -4401: "the account is restricted: it may only reduce positions",
        -5041: "there is no depth for a price-matched order, or it waited too long",
    }),
    *_rows(LATER, CODES, {
        -1021: "the request's time was outside recvWindow",
        -5028: "the request reached the matching engine too late",
    }, Hint.CLOCK),
    # It passes as soon as another stop of the account goes: what is moved is tried again, what is new soon is closed.
    *_rows(LATER, CODES, {-4045: "too many conditional orders are open"}),
    *_rows(LATER, CODES, {-1125: "the listen key is not valid any more"}, Hint.GONE),
    # ── credentials ──
    *_rows(KEYS, CODES, {
        -1002: "the key may not do this",
        -1011: "this address may not use the key",
        -1022: "the signature is wrong: check api_secret",
        -1109: "the account is not valid",
        -2014: "the key is malformed: check api_key",
        -2015: "the key is unknown, may not be used from this address, or lacks the right",
        -2017: "the key is locked",
        -4056: "the kind of key is not valid",
        -4087: "the account may only reduce positions",
        -4088: "the account may not place orders",
        -4109: "the account is not active: move funds to it",
    }),
    # ── malformed: our own bug ──
    *_rows(BUG, CODES, {
        -1013: "the message is malformed",
        -1014: "the combination of parameters is not supported",
        -1016: "the service is gone",
        -1020: "the operation is not supported",
        -1100: "a parameter has illegal characters",
        -1101: "too many parameters",
        -1102: "a mandatory parameter is missing",
        -1103: "an unknown parameter",
        -1104: "not all parameters were read",
        -1105: "a parameter is empty",
        -1106: "a parameter is not wanted here",
        -1114: "timeInForce is not wanted here",
        -1115: "timeInForce is not valid",
        -1116: "the type of order is not valid",
        -1117: "the side is not valid",
        -1118: "the client id is empty",
        -1119: "the client id to cancel is empty",
        -1120: "the interval is not valid",
        -1127: "the time range is too long",
        -1128: "the combination of optional parameters is not valid",
        -1130: "a parameter's value is not valid",
        -1136: "newOrderRespType is not valid",
        -2026: "this type of order can't be reduce-only",
        -4015: "the client id is too long, or has illegal characters",
        -4135: "the activation price is not valid",
        -4136: "this type of order can't close the whole position",
        -4137: "a quantity was sent with closePosition",
        -4138: "reduceOnly must be true with closePosition",
        -5025: "only limit orders can be amended",
    }),
    *_rows(BUG, ALGO, {-4120: "conditional orders have to go to the algo service: the routing is wrong"}),
    *_rows(BUG, GENERAL, {-5000: "there is no such path"}),
    # ── no, and the same again can't succeed ──
    *_rows(NO, CODES, {
        -1108: "the symbol is unknown",
        -1111: "more decimals than the market allows",
        -1121: "the symbol is not valid",
        -4001: "the price is zero or below",
        -4002: "the price is above the market's largest",
        -4003: "the quantity is zero or below",
        -4004: "the quantity is below the market's smallest",
        -4005: "the quantity is above the market's largest",
        -4013: "the price is below the market's smallest",
        -4014: "the price is off the tick",
        -4023: "the quantity is off the step",
        -4029: "the price has more decimals than the tick",
        -4030: "the quantity has more decimals than the step",
        -4140: "the market can't be traded",
        -4141: "the market is closed",
        -5024: "the market is not being traded",
    }, Hint.RULES),
    *_rows(NO, CODES, {
        -2010: "the order was rejected",
        -2018: "the balance is too small",
        -2019: "the margin is too small",
        -2025: "too many orders are open",
        -2027: "the position would be larger than the leverage allows",
        -2028: "the margin is too small for this leverage",
        -4000: "the order's status does not allow it",
        -4016: "the limit price is too far above the mark price",
        -4024: "the limit price is too far below the mark price",
        -4028: "the leverage is not valid for this market",
        -4047: "the margin type can't change while orders are open",
        -4048: "the margin type can't change while a position is open",
        -4050: "the cross balance is too small",
        -4051: "the isolated balance is too small",
        -4061: "positionSide contradicts the position mode: the account must be in one-way mode",
        -4067: "the position mode can't change while orders are open",
        -4068: "the position mode can't change while a position is open",
        -4161: "leverage can't be lowered while an isolated position is open",
        -4164: "the notional is below the market's smallest",
        -4183: "the trigger price is too far above the market",
        -4184: "the trigger price is too far below the market",
        -4210: "the trigger price is above what the market allows",
        -4211: "the trigger price is below what the market allows",
        -5021: "the order could not be filled as a whole",
        -5022: "the order would not have been a maker's",
        -5026: "the order was amended too often",
    }),
    *_rows(NO, CODES, {
        -2011: "the order to cancel is unknown, or has ended",
        -2013: "the order is unknown",
    }, Hint.GONE),
    *_rows(NO, CODES, {
        -2021: "the stop would trigger at once",
        -4142: "the stop would trigger at once (older text)",
    }, Hint.CROSSED),
    *_rows(NO, CODES, {
        -2022: "a reduce-only order was refused: no position, the wrong side, or other such orders",
        -2024: "the position is too small",
        -4118: "other reduce-only orders take up the position",
    }, Hint.NO_POSITION),
    *_rows(NO, REPORTS, {
        -4129: "a stop that ends with its position needs one (older text)",
        -4509: "a stop that ends with its position needs one, and it may not be seen yet",
    }, Hint.NO_POSITION),
    *_rows(NO, REPORTS, {-4130: "a stop that closes the position rests in that direction"}, Hint.HAS_STOP),
    *_rows(NO, CODES, {-4116: "an open order has this client id"}, Hint.DUPLICATE),
    *_rows(LATER, CODES, {-4117: "the stop is triggering: it can't be touched"}, Hint.GONE),
    # ── it is so already ──
    *_rows(NO_OP, CODES, {
        -4046: "the margin type is this one already",
        -4059: "the position mode is this one already",
        -4171: "the multi-assets mode is this one already",
        -5027: "there is nothing to amend",
    }, Hint.UNCHANGED),
    # ── told by the HTTP status ──
    Row("http-403", BANNED, "the venue's firewall refuses this address", GENERAL, Hint.LIMIT),
    Row("http-408", UNKNOWN, "the venue did not answer in time", GENERAL),
    Row("http-418", BANNED, "this address is banned for a time", GENERAL, Hint.LIMIT),
    Row("http-429", LATER, "too many requests", GENERAL, Hint.LIMIT),
    Row("http-401", KEYS, "the key is refused", GENERAL),
    Row("http-404", BUG, "there is no such path", GENERAL),
    Row("http-504", UNKNOWN, "the venue's gateway gave up waiting", GENERAL),
    Row("http-5xx", UNKNOWN, "the venue failed inside", GENERAL),
    Row("503-unknown", UNKNOWN, "the venue took it in and does not know what became of it", GENERAL),
    Row("503-unavailable", LATER, "the venue is unavailable: it was not carried out", GENERAL),
    Row("503-failed", LATER, "the venue failed before it carried it out", GENERAL),
])  # fmt: skip

TEXTS_OF_503 = (
    ("Unknown error", "503-unknown"),
    ("Service Unavailable", "503-unavailable"),
    ("Internal error; unable to process", "503-failed"),
)
"""How the text of a 503 begins, and the row it means. The code beside it is the same for several of them."""

SILENCE_S = {"http-403": 10.0, "http-418": 120.0, "http-429": 10.0}
"""Silence where the venue names none: its shortest ban, and for the others long enough for its windows to move on."""


def classify(reply: Reply) -> Answer:
    """What a reply means. Pure."""
    code, message = _code_and_text(reply)
    status = reply.status or 0
    row = _by_status(status, code, message)
    if row is None:
        row = None if code is None else TABLE.get(code)
    if row is None and code is not None:
        return unlisted(code, reply, message, VENUE)
    if row is None and 200 <= status < 300:
        return _success(reply)
    if row is None:
        row = _by_class(status)
    if row is None:
        return strange_body(reply)
    # A code says more than the status it came with.
    shown = Row(code, row.kind, row.meaning, row.source, row.hint) if code is not None else row
    return of_row(shown, reply, message, retry_after_s=_silence_s(reply, row))


def _code_and_text(reply: Reply) -> tuple[str | None, str]:
    """The negative code of an answer, and what it says. 200 is how some successes are told."""
    body: Any = reply.body
    if not isinstance(body, dict):
        return None, "" if isinstance(body, list) else " ".join(reply.text.split())[:200]
    message = str(body.get("msg", ""))
    found = re.fullmatch(r"-\d+", str(body.get("code", "")))
    return (None if found is None else found[0]), message


def _by_status(status: int, code: str | None, message: str) -> Row | None:
    """Where the status says more than the code."""
    if status == 503:
        return next((TABLE[name] for text, name in TEXTS_OF_503 if message.startswith(text)), None)
    if status == 418:
        return TABLE["http-418"]
    if status == 429 and code in (None, "-1003"):
        return TABLE["http-429"]
    return None


def _by_class(status: int) -> Row | None:
    """What a status means that came without a code."""
    exact = TABLE.get(f"http-{status}")
    if exact is not None:
        return exact
    return TABLE["http-5xx"] if 500 <= status < 600 else None


def _success(reply: Reply) -> Answer:
    """An object or a list is in the venue's form; whether it holds what was asked for is the caller's to see."""
    if isinstance(reply.body, (dict, list)):
        return Answer(OK, body=reply.body, status=reply.status)
    return strange_body(reply)


def _silence_s(reply: Reply, row: Row) -> float | None:
    """To the letter where the venue says how long."""
    asked = retry_after_s(reply)
    return asked if asked is not None else SILENCE_S.get(row.code)
