"""Alerts: a JSON object with the names that alert senders commonly use, or a line such as ``BUY BTCUSDT``.

TradingView sends whatever text its user wrote, with placeholders already replaced, so numbers may be quoted and
markets are called ``BTCUSDT.P`` (its page "How to configure webhook alerts"). The names are those of the common
receivers of such alerts. Sizes, prices and targets are not read: those are the deployment's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from attrs import frozen

from framework import BadSignal, Signal

from .instants import parse_instant
from .json_values import (
    Bounds,
    ValueRefusedError,
    decode,
    identity,
    keyed,
    number,
    shown,
    text_of,
)
from .wishes import NO_ENTRY, SECOND_NS, SIDES, Namer, Rules, Wish, as_signal, refused, side_of, word_of

NAMES: Mapping[str, tuple[str, ...]] = {
    "symbol": ("symbol", "ticker", "pair"),
    "action": ("action", "side", "data"),
    "venue": ("exchange", "venue"),
    "id": ("id", "signal_id"),
    "time": ("time", "timenow", "timestamp", "date"),
    "score": ("score", "confidence"),
    "stop_percent": ("percentage_sl", "stop_percent"),
}
"""What we read, and how senders call it: the first that is there counts, and no two may disagree."""

SENTIMENTS: Mapping[str, str] = {"bullish": "long", "long": "long", "bearish": "short", "short": "short"}
FLAT = frozenset({"flat", "closed", "none"})
CHANGES = ("update_tp", "update_sl", "reverse_order_close", "reduce_only", "reduceonly")
"""What is true of an alert that changes a position instead of opening one."""

SCORE = Bounds(Decimal(0), Decimal(100))
STOP_PERCENT = Bounds(Decimal("0.01"), Decimal(50))
LINE = re.compile(r"\s*([A-Za-z_]+)\s+(\S+)\s*")
NUMBER = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
EPOCH_DIGITS = {10: SECOND_NS, 13: 1_000_000}
"""Seconds and milliseconds since 1970, told apart by their digits."""


@frozen
class Mapped:
    """Where a sender's own objects hold what we read: our name to theirs; dots lead into objects, ``a.b``."""

    fields: Mapping[str, str]

    def read(self, body: Mapping[str, object], name: str) -> object:
        """The value of one of our names; None if it is not there or null. Raises ``ambiguous``."""
        if name in self.fields:
            return _at(body, self.fields[name])
        found = {each: body[each] for each in NAMES[name] if body.get(each) is not None}
        if len({_meaning(name, value) for value in found.values()} - {None}) > 1:
            said = ", ".join(f"{key} {shown(value)}" for key, value in found.items())
            raise ValueRefusedError("ambiguous", f"the alert names its {name} twice, differently: {said}")
        return next(iter(found.values()), None)


def _meaning(name: str, value: object) -> object:
    """What must not differ between two fields of one name; None: anything may."""
    if name == "symbol":
        return str(value).upper()
    word = word_of(str(value)) if name == "action" else ""
    if word in SIDES:
        return SIDES[word]
    return "none" if word in NO_ENTRY else None


def parse_alert(
    text: str | bytes, rules: Rules, mapped: Mapped, namer: Namer, received_ns: int
) -> tuple[Signal | BadSignal, ...]:
    """The signal of one alert, or why it is none. Never raises."""
    try:
        return (as_signal(_wish(text, mapped), rules, namer, received_ns),)
    except ValueRefusedError as error:
        return (refused(text, error, rules, received_ns),)


def _wish(text: str | bytes, mapped: Mapped) -> Wish:
    plain = text.decode(errors="replace") if isinstance(text, bytes) else text
    line = LINE.fullmatch(plain) if len(plain) <= 200 else None
    if line:
        return Wish(action=line[1], market=line[2])
    return wish_of(keyed(decode(text), "an alert"), mapped)


def wish_of(body: Mapping[str, object], mapped: Mapped) -> Wish:
    """What an alert's object asks for. Raises `ValueRefusedError`."""
    opens = "action" not in mapped.fields and str(body.get("action")).strip().lower() == "open"
    action = _direction(body) if opens else _needed(body, mapped, "action")
    _check_change(body, action)
    stop = mapped.read(body, "stop_percent")
    if stop is None and "stop_percent" not in mapped.fields:
        stop = _at(body, "stopLoss.percent")
    score = mapped.read(body, "score")
    own = mapped.read(body, "id")
    venue = mapped.read(body, "venue")
    return Wish(
        action=action,
        market=_needed(body, mapped, "symbol"),
        venue=None if venue is None else text_of("the venue", venue),
        id=None if own is None else identity("the id", own),
        created_ns=_instant(mapped.read(body, "time")),
        score=Decimal(0) if score is None else number("the score", _numeric(score), SCORE),
        stop_percent=None if stop is None else number("the stop's percent", _numeric(stop), STOP_PERCENT),
    )


def _needed(body: Mapping[str, object], mapped: Mapped, name: str) -> str:
    value = mapped.read(body, name)
    if value is None:
        known = mapped.fields.get(name) or " or ".join(NAMES[name])
        raise ValueRefusedError("missing_field", f"the alert does not say its {name} ({known})")
    return text_of(f"the {name}", value)


def _direction(body: Mapping[str, object]) -> str:
    """Which side ``open`` means."""
    for name in ("side", "direction"):
        value = body.get(name)
        if isinstance(value, str):
            return value
    raise ValueRefusedError("no_direction", 'the alert says "open", but neither long nor short')


def _check_change(body: Mapping[str, object], action: str) -> None:
    """Refuse what would only reduce, close or change a position: it must not open another one."""
    for name in CHANGES:
        if str(body.get(name, "")).lower() in ("true", "1", "yes"):
            raise ValueRefusedError("not_an_entry", f"{name} asks for a change of a position; signals only open")
    for name in ("sentiment", "market_position"):
        meant = str(body.get(name) or "").strip().lower()
        if meant in FLAT:
            raise ValueRefusedError("not_an_entry", f"{name} is {shown(meant)}: it closes; signals only open")
        if meant and SENTIMENTS.get(meant) is None:
            raise ValueRefusedError("unknown_action", f"{name} {shown(meant)} is nothing that we know")
        if meant and SENTIMENTS[meant] != side_of(action).value:
            text = f"{shown(action)} that leaves the position {shown(meant)} only reduces it; signals only open"
            raise ValueRefusedError("not_an_entry", text)


def _at(body: object, path: str) -> object:
    for name in path.split("."):
        body = body.get(name) if isinstance(body, Mapping) else None
    return body


def _numeric(value: object) -> object:
    """A number, also one in quotes: that is how placeholders come."""
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    return value


def _instant(value: object) -> int | None:
    """When the alert was made: ISO-8601 with its zone, or seconds or milliseconds since 1970."""
    if value is None:
        return None
    digits = str(value).strip()
    if not isinstance(value, bool) and digits.isascii() and digits.isdigit() and len(digits) in EPOCH_DIGITS:
        return int(digits) * EPOCH_DIGITS[len(digits)]
    try:
        return parse_instant(text_of("the time", value))
    except ValueError as error:
        raise ValueRefusedError("bad_time", f"the time {error}, got {shown(value)}") from None
