"""Bybit's codes: what each one means and what has to be done. Nothing else decides what an answer is.

Most rows are from "Bybit v5, Error Codes"; the words are our own. Where a code stands for several things, its text
decides (`TEXTS`), where there is no code, the HTTP status (`STATUSES`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from framework_venue.answers import Answer, Hint, Kind, Reply, Row, of_row, strange_body, table, unlisted

VENUE = "Bybit"
CODES_PAGE = "Bybit v5, Error Codes"
LIMITS_PAGE = "Bybit v5, Rate Limit"
STOP_PAGE = "Bybit v5, Set Trading Stop"

BAN_S = 600.0
"""After a 403: end all traffic for ten minutes ("Bybit v5, Rate Limit")."""

ADDRESS_PAUSE_S = 5.0
"""The window in which requests of an address are counted."""

SYSTEM_PAUSE_S = 1.0
"""After a 429 that names no time: the venue says to try again, not when."""

_K, _H = Kind, Hint


def _row(code: int | str, kind: Kind, meaning: str, hint: Hint | None = None, source: str = CODES_PAGE) -> Row:
    return Row(str(code), kind, meaning, source, hint)


def _rows(codes: range | tuple[int, ...], kind: Kind, meaning: str, hint: Hint | None = None) -> tuple[Row, ...]:
    return tuple(_row(code, kind, meaning, hint) for code in codes)


TABLE: Mapping[str, Row] = table(
    (
        # the venue, its limits, the key
        _row(-1, _K.NOT_NOW, "the request was too old when it arrived", _H.CLOCK),
        _row(429, _K.NOT_NOW, "the trading service is overloaded", _H.LIMIT),
        _row(-2015, _K.CREDENTIALS, "the API key has expired"),
        _row(33004, _K.CREDENTIALS, "the API key has expired"),
        _row(10000, _K.UNKNOWN, "the server timed out: it may have been carried out"),
        _row(10002, _K.NOT_NOW, "our clock is off: not carried out", _H.CLOCK),
        _row(10003, _K.CREDENTIALS, "the API key is not valid here"),
        _row(10004, _K.CREDENTIALS, "the signature is wrong: look at api_secret"),
        _row(10005, _K.CREDENTIALS, "the API key lacks the right for this"),
        _row(10006, _K.NOT_NOW, "too many requests of this kind in a second: not carried out", _H.LIMIT, LIMITS_PAGE),
        _row(10007, _K.CREDENTIALS, "the request could not be authenticated"),
        _row(10008, _K.CREDENTIALS, "the account is banned"),
        _row(10009, _K.BANNED, "this address is banned"),
        _row(10010, _K.CREDENTIALS, "the API key is bound to another address"),
        _row(10014, _K.UNKNOWN, "the request came twice: one of them may have been carried out"),
        _row(10016, _K.UNKNOWN, "a server failed or restarts: it may have been carried out"),
        _row(10017, _K.OUR_BUG, "there is no such route"),
        _row(10018, _K.NOT_NOW, "too many requests of this address: not carried out", _H.LIMIT, LIMITS_PAGE),
        _row(10020, _K.CREDENTIALS, "the account is not a unified one"),
        _row(10024, _K.CREDENTIALS, "compliance rules forbid this"),
        _row(10027, _K.CREDENTIALS, "trading is banned on this account"),
        _row(10028, _K.CREDENTIALS, "this needs a unified account"),
        _row(10029, _K.REJECTED, "the API key's list of symbols does not have this one"),
        # the trading socket, which shares some codes with the routes
        _row(10019, _K.NOT_NOW, "the trading socket's server restarts"),
        _row(10403, _K.NOT_NOW, "too many requests of this address on trading sockets", _H.LIMIT),
        _row(10404, _K.OUR_BUG, "there is no such operation, or category"),
        _row(10429, _K.NOT_NOW, "the trading service is overloaded", _H.LIMIT),
        _row(20003, _K.NOT_NOW, "too many requests on one trading socket", _H.LIMIT),
        _row(20006, _K.OUR_BUG, "the id of the request was used before"),
        # orders
        _row(110001, _K.REJECTED, "the order is not there, or has ended", _H.GONE),
        _row(110003, _K.REJECTED, "the price is outside the allowed range"),
        _row(110008, _K.NO_OP, "the order has ended already", _H.GONE),
        _row(110010, _K.NO_OP, "the order was cancelled already", _H.GONE),
        _row(110009, _K.NOT_NOW, "too many conditional orders rest"),
        _row(110017, _K.REJECTED, "there is no position to reduce", _H.NO_POSITION),
        _row(110018, _K.OUR_BUG, "the user's id is not valid"),
        _row(110019, _K.OUR_BUG, "the order's id is not valid"),
        _row(110020, _K.REJECTED, "more than 500 orders rest in this market"),
        _row(110021, _K.REJECTED, "the position would be too large beside the open interest"),
        _row(110022, _K.REJECTED, "the quantity is limited now and can't be raised"),
        _row(110023, _K.REJECTED, "positions in this market may only be reduced now"),
        _row(110030, _K.REJECTED, "an order of this id exists", _H.DUPLICATE),
        _row(110032, _K.REJECTED, "the order is not allowed"),
        _row(110034, _K.REJECTED, "there is no position", _H.NO_POSITION),
        _row(110035, _K.NOT_NOW, "orders are being cancelled ahead of a liquidation"),
        _row(110042, _K.REJECTED, "before delivery positions may only be reduced"),
        _row(110063, _K.NOT_NOW, "the market is being settled"),
        _row(110064, _K.REJECTED, "the new quantity is not above what is filled already"),
        _row(110066, _K.NOT_NOW, "no trading is allowed at this moment"),
        _row(110070, _K.REJECTED, "this kind of market can't be traded"),
        _row(110072, _K.REJECTED, "an order of this client id exists", _H.DUPLICATE),
        _row(110074, _K.NOT_NOW, "the market is not live"),
        _row(110079, _K.NOT_NOW, "the order is still being processed"),
        _row(110092, _K.REJECTED, "the price has risen past the trigger already", _H.CROSSED),
        _row(110093, _K.REJECTED, "the price has fallen past the trigger already", _H.CROSSED),
        _row(110094, _K.REJECTED, "the value is below the market's minimum", _H.RULES),
        _row(110118, _K.NOT_NOW, "the market has no price"),
        _row(110120, _K.REJECTED, "the price is below the lowest allowed one"),
        _row(110121, _K.REJECTED, "the price is above the highest allowed one"),
        _row(30208, _K.REJECTED, "the price is above the highest one for buying"),
        _row(30209, _K.REJECTED, "the price is below the lowest one for selling"),
        _row(30228, _K.REJECTED, "the market is being delisted: no new positions", _H.RULES),
        # money
        *_rows((110004, 110006, 110007, 110012, 110014), _K.REJECTED, "the balance is not enough"),
        *_rows((110044, 110045, 110051, 110052, 110053), _K.REJECTED, "the balance is not enough"),
        *_rows((110011, 110039, 110040, 110046), _K.REJECTED, "this would lead to a liquidation"),
        _row(110041, _K.REJECTED, "not possible while a position or order is there"),
        _row(110005, _K.NOT_NOW, "the position is being liquidated or deleveraged"),
        _row(110016, _K.REJECTED, "the quantity exceeds the risk limit"),
        _row(110031, _K.OUR_BUG, "there is no such risk limit"),
        _row(110033, _K.REJECTED, "margin can't be set without a position", _H.NO_POSITION),
        *_rows((110047, 110048), _K.REJECTED, "the risk limit can't be changed now"),
        *_rows((110085, 110086, 110089), _K.REJECTED, "the position would exceed what its risk limit allows"),
        # settings
        _row(110013, _K.REJECTED, "the risk limit does not allow this leverage"),
        _row(110015, _K.REJECTED, "the position is in cross margin"),
        _row(110024, _K.REJECTED, "the position mode can't be changed while a position is open"),
        _row(110025, _K.NO_OP, "the position mode is set already", _H.UNCHANGED),
        _row(110026, _K.NO_OP, "the margin mode is set already", _H.UNCHANGED),
        _row(110027, _K.NO_OP, "the margin is set already", _H.UNCHANGED),
        _row(110028, _K.REJECTED, "the position mode can't be changed while an order is open"),
        _row(110029, _K.REJECTED, "the market has no hedge mode"),
        _row(110036, _K.REJECTED, "leverage can't be changed in this margin mode"),
        _row(110037, _K.REJECTED, "the account has no settings for this market"),
        _row(110038, _K.REJECTED, "leverage can't be changed in portfolio margin"),
        _row(110043, _K.NO_OP, "the leverage is set already", _H.UNCHANGED),
        _row(34036, _K.NO_OP, "the leverage is set already", _H.UNCHANGED, "Bybit, earlier API versions, leverage"),
        *_rows((110049, 110050), _K.OUR_BUG, "a parameter has an impossible value"),
        _row(110065, _K.REJECTED, "market maker protection is not enabled"),
        *_rows((110067, 110068, 110069), _K.REJECTED, "this account may not trade this"),
        _row(110071, _K.NOT_NOW, "the unified account is being worked on"),
        _row(110073, _K.REJECTED, "the margin mode could not be set"),
        _row(110090, _K.REJECTED, "the leverage is above what the position's risk limit allows"),
        *_rows((110123, 110124, 110125), _K.CREDENTIALS, "terms have to be accepted, or the account is cooling off"),
        # stops of a position
        _row(34040, _K.NO_OP, "set already, or a required parameter is missing", _H.UNCHANGED, STOP_PAGE),
        *_rows((110054, 110055, 110056), _K.REJECTED, "the mode of the stops can't be switched while one rests"),
        _row(110057, _K.REJECTED, "these stops can't be part of such an order"),
        _row(110058, _K.REJECTED, "too little of the position is left for a partial stop"),
        _row(110059, _K.REJECTED, "the order is filled in part: its stops can't be changed"),
        _row(110060, _K.REJECTED, "stops for the whole position can't be changed this way"),
        _row(110061, _K.REJECTED, "more than 20 partial stops"),
        _row(110062, _K.REJECTED, "there is no profile for market maker protection"),
        # other families of the venue's services, which linear markets are not expected to speak for
        _row(3400214, _K.UNKNOWN, "a server failed: it may have been carried out"),
        _row(170007, _K.UNKNOWN, "a backend timed out: it may have been carried out"),
        _row(170131, _K.REJECTED, "the balance is not enough"),
        _row(170210, _K.REJECTED, "the order was refused"),
        _row(170213, _K.REJECTED, "the order is not there", _H.GONE),
        _row(170222, _K.NOT_NOW, "too many requests", _H.LIMIT),
        _row(182021, _K.REJECTED, "not possible in isolated margin"),
    )
)

_PARAMS = "10001"
_BASE_PRICE = "ccxt issue 19089: the text of a stop on the wrong side"
_REPORTED = "public reports of users; the documentation has no text for it"

# 10001 stands for every wrong parameter. Some of them are facts about the market, and those have to be told apart.
TEXTS: tuple[tuple[re.Pattern[str], Row], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), _row(_PARAMS, kind, meaning, hint, source))
    for pattern, kind, meaning, hint, source in (
        (r"zero position", _K.REJECTED, "there is no position to protect", _H.NO_POSITION, _REPORTED),
        (
            r"(stop\s?loss|\bsl)\b.* should .*base_?price",
            _K.REJECTED,
            "the stop is on the wrong side of the price",
            _H.CROSSED,
            _BASE_PRICE,
        ),
        (
            r"position idx not match",
            _K.REJECTED,
            "the account holds positions by side: switch it to one-way mode",
            None,
            _REPORTED,
        ),
        (r"remains? unchanged", _K.NO_OP, "the order is like that already", _H.UNCHANGED, "Bybit v5, Amend Order"),
        (
            r"(number of contracts|qty|quantity|price) .*(exceed|invalid|limit|too)|(qty|price) invalid",
            _K.REJECTED,
            "the quantity or price is not what the market allows",
            _H.RULES,
            _REPORTED,
        ),
        (
            r"\b(tick|step|decimals?|multiple|precision)\b",
            _K.REJECTED,
            "the quantity or price is off the market's step or tick",
            _H.RULES,
            _REPORTED,
        ),
        (r"symbol .*(invalid|not exist)|symbol invalid", _K.REJECTED, "there is no such market", _H.RULES, _REPORTED),
        (r"", _K.OUR_BUG, "a parameter is wrong", None, CODES_PAGE),
    )
)

STATUSES: Mapping[int, Row] = {
    400: _row("http_400", _K.OUR_BUG, "the request could not be read"),
    401: _row("http_401", _K.CREDENTIALS, "the request was not authenticated"),
    403: _row("http_403", _K.BANNED, "this address has asked too often, or is in a forbidden place", None, LIMITS_PAGE),
    404: _row("http_404", _K.OUR_BUG, "there is no such path"),
    429: _row("http_429", _K.NOT_NOW, "the venue protects itself: not carried out", _H.LIMIT),
    500: _row("http_500", _K.UNKNOWN, "a server failed: it may have been carried out"),
    502: _row("http_502", _K.UNKNOWN, "a server could not be reached: it may have been carried out"),
    503: _row("http_503", _K.UNKNOWN, "a server is not available: it may have been carried out"),
    504: _row("http_504", _K.UNKNOWN, "a server did not answer in time: it may have been carried out"),
}


def classify(reply: Reply) -> Answer:
    """What a reply means: by its `retCode`, and where it has none by its HTTP status."""
    body, status = reply.body, reply.status
    code = body.get("retCode") if isinstance(body, dict) else None
    if isinstance(code, bool) or not isinstance(code, int):
        return _by_status(reply)
    message = str(body.get("retMsg") or "")
    if code == 0:
        if status != 200:
            return strange_body(reply)
        return Answer(Kind.ACCEPTED, "0", message, body, None, status)
    row = _by_text(message) if str(code) == _PARAMS else TABLE.get(str(code))
    if row is None:
        return unlisted(str(code), reply, message, VENUE)
    return of_row(row, reply, message, retry_after_s=_silence_s(row))


def _by_text(message: str) -> Row:
    return next(row for pattern, row in TEXTS if pattern.search(message))


def _by_status(reply: Reply) -> Answer:
    row = STATUSES.get(reply.status or 0)
    if row is None:
        return strange_body(reply)
    shown = " ".join(reply.text.split())[:80]
    return of_row(row, reply, f"HTTP {reply.status} {shown}".rstrip(), retry_after_s=_silence_s(row, reply))


def _silence_s(row: Row, reply: Reply | None = None) -> float | None:
    """How long to say nothing at all. 10006 is about one route, and is heard by the budget (`limits`)."""
    if row.kind is Kind.BANNED:
        return BAN_S
    if row.code == "10018":
        return ADDRESS_PAUSE_S
    if row.code in ("http_429", "429"):
        told = "" if reply is None else reply.headers.get("retry-after", "")
        return float(told) if told.isascii() and told.isdigit() else SYSTEM_PAUSE_S
    return None
