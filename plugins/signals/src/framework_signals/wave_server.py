"""The messages of the wave server: JSON of type ``signals`` whose ``data`` lists signals of fifteen fields each.

Pure: text in, signals out, nothing raised. Every signal is judged alone, so that one that cannot be used is handed
on as a `BadSignal` with its reason and never spoils the others of its message. Fields that this version does not
know are ignored; a known one that is missing is an error, for then the format is no longer this one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import TypeVar

from framework import BadSignal, Percent, Side, Signal, SignalSettings

from .json_values import (
    MAX_DIGITS,
    Bounds,
    ValueRefusedError,
    decode,
    identity,
    instant,
    keyed,
    number,
    raw_of,
    required,
    shown,
    symbol_of,
    text_of,
    whole,
)

VENUES: Mapping[str, str] = {"1": "binance", "2": "bybit"}
"""The accounts that the server's ``exchange_id`` stands for, unless the deployment says otherwise."""

SIDES: Mapping[str, Side] = {"BUY": Side.LONG, "SELL": Side.SHORT}

SCORE = Bounds(Decimal(0), Decimal(100))
STOP_PERCENT = Bounds(Decimal("0.01"), Decimal(50))
ACTIVATION_PERCENT = Bounds(Decimal("0.01"), Decimal(100))
DISTANCE_PERCENT = Bounds(Decimal("0.01"), Decimal(50))
MAX_TRADES = Bounds(Decimal(0), Decimal(1000))
ANY_ID = Bounds(Decimal(0), Decimal(10**MAX_DIGITS))

MAX_AHEAD_NS = 5 * 60 * 1_000_000_000
"""How far the sender's clock may be ahead of ours. A later time would defeat every limit on a signal's age."""

_T = TypeVar("_T")


def parse_message(
    message: object, *, source: str, venues: Mapping[str, str] = VENUES, received_ns: int
) -> tuple[Signal | BadSignal, ...]:
    """The signals of one message, in its order: text (str or bytes), or what a JSON decoder made of it.

    `venues` names the account of each ``exchange_id``; `source` and `received_ns` (UTC) are handed on. Never raises:
    a message that cannot be read at all is one `BadSignal`. Codes: ``no_json``, ``too_large``, ``not_an_object``,
    ``unknown_message``, ``missing_field``, ``duplicate_field``, ``wrong_type``, ``not_a_number``, ``out_of_range``,
    ``unknown_venue``, ``unknown_action``, ``bad_time``, ``bad_symbol``.
    """
    try:
        items = _items(decode(message) if isinstance(message, str | bytes) else message)
    except ValueRefusedError as refused:
        return (BadSignal(source, refused.code, refused.message, received_ns, raw_of(message)),)
    return parse_items(items, source=source, venues=venues, received_ns=received_ns)


def parse_items(
    items: Sequence[object], *, source: str, venues: Mapping[str, str] = VENUES, received_ns: int
) -> tuple[Signal | BadSignal, ...]:
    """As `parse_message`, for the items of a list that is decoded already; one answer for each, in order."""
    return tuple(_judged(item, source, venues, received_ns) for item in items)


def items_of(message: object) -> list[object] | None:
    """The items of a decoded message; None if it is no list of signals."""
    try:
        return _items(message)
    except ValueRefusedError:
        return None


def is_whole(message: object) -> bool:
    """Whether a list holds as many signals as it says; one that does not say so is taken for whole."""
    if not isinstance(message, Mapping) or "count" not in message:
        return True
    items = message.get("data")
    return isinstance(items, list) and message["count"] == len(items)


def _items(message: object) -> list[object]:
    fields = keyed(message, "the message")
    kind = text_of("type", required(fields, "type"))
    if kind != "signals":
        raise ValueRefusedError("unknown_message", f'type must be "signals", got {shown(kind)}')
    items = required(fields, "data")
    if not isinstance(items, list):
        raise ValueRefusedError("wrong_type", f"data must be a list of signals, got {shown(items)}")
    return items


def _judged(item: object, source: str, venues: Mapping[str, str], received_ns: int) -> Signal | BadSignal:
    try:
        fields = keyed(item, "a signal")
        return _signal(fields, source, venues, received_ns)
    except ValueRefusedError as refused:
        known = item if isinstance(item, Mapping) else {}
        return BadSignal(
            source=source,
            code=refused.code,
            message=refused.message,
            received_ns=received_ns,
            raw=raw_of(item),
            id=_if_readable(_id, known),
            account=_if_readable(lambda fields: _account(fields, venues), known),
            symbol=_if_readable(_symbol, known),
            bar_time_ns=_if_readable(_bar_time, known),
        )


def _signal(fields: Mapping[str, object], source: str, venues: Mapping[str, str], received_ns: int) -> Signal:
    scores = {"week": _score(fields, "score_week"), "month": _score(fields, "score_month")}
    # Read to be sure that this is the format we know; nothing depends on it.
    whole("trading_pair_id", required(fields, "trading_pair_id"), ANY_ID)
    bar_time_ns = _bar_time(fields)
    return Signal(
        id=_id(fields),
        source=source,
        account=_account(fields, venues),
        symbol=_symbol(fields),
        side=_side(fields),
        bar_time_ns=bar_time_ns,
        created_ns=_created(fields, bar_time_ns, received_ns),
        received_ns=received_ns,
        score=scores["week"],
        scores=scores,
        settings=_settings(fields),
    )


def _settings(fields: Mapping[str, object]) -> SignalSettings:
    most = required(fields, "max_trades_filter")
    minimums = {
        name: minimum
        for name, field in (("week", "score_week_filter"), ("month", "score_month_filter"))
        if (minimum := _number_or_null(fields, field, SCORE)) is not None
    }
    return SignalSettings(
        stop_percent=_percent(fields, "stop_loss_filter", STOP_PERCENT),
        trailing_activation_percent=_percent(fields, "trailing_activation_filter", ACTIVATION_PERCENT),
        trailing_distance_percent=_percent(fields, "trailing_distance_filter", DISTANCE_PERCENT),
        max_positions=None if most is None else whole("max_trades_filter", most, MAX_TRADES),
        min_scores=minimums,
    )


def _id(fields: Mapping[str, object]) -> str:
    return identity("id", required(fields, "id"))


def _symbol(fields: Mapping[str, object]) -> str:
    return symbol_of("pair_symbol", required(fields, "pair_symbol"))


def _bar_time(fields: Mapping[str, object]) -> int:
    return instant("timestamp", required(fields, "timestamp"))


def _created(fields: Mapping[str, object], bar_time_ns: int, received_ns: int) -> int:
    value = required(fields, "created_at")
    created_ns = instant("created_at", value)
    if created_ns < bar_time_ns:
        raise ValueRefusedError("bad_time", f"created_at is before the bar it speaks of: {shown(value)}")
    if created_ns > received_ns + MAX_AHEAD_NS:
        raise ValueRefusedError("bad_time", f"created_at is more than 5 minutes after it was received: {shown(value)}")
    return created_ns


def _account(fields: Mapping[str, object], venues: Mapping[str, str]) -> str:
    value = required(fields, "exchange_id")
    account = venues.get(identity("exchange_id", value))
    if account is None:
        known = ", ".join(f"{number} is {name}" for number, name in venues.items())
        raise ValueRefusedError("unknown_venue", f"exchange_id {shown(value)} is no venue that we know ({known})")
    return account


def _side(fields: Mapping[str, object]) -> Side:
    action = text_of("recommended_action", required(fields, "recommended_action"))
    if action not in SIDES:
        raise ValueRefusedError("unknown_action", f"recommended_action must be BUY or SELL, got {shown(action)}")
    return SIDES[action]


def _score(fields: Mapping[str, object], name: str) -> Decimal:
    """A score; null counts as 0, as the server itself sends it."""
    return _number_or_null(fields, name, SCORE) or Decimal(0)


def _percent(fields: Mapping[str, object], name: str, bounds: Bounds) -> Percent | None:
    value = _number_or_null(fields, name, bounds)
    return None if value is None else Percent(value)


def _number_or_null(fields: Mapping[str, object], name: str, bounds: Bounds) -> Decimal | None:
    value = required(fields, name)
    return None if value is None else number(name, value, bounds)


def _if_readable(read: Callable[[Mapping[str, object]], _T], fields: Mapping[str, object]) -> _T | None:
    with suppress(ValueRefusedError):
        return read(fields)
    return None
