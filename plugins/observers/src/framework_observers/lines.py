"""Records as lines of a log: how much each matters, what it says in a sentence, and all of it as data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import attrs

from framework import (
    Decision,
    Event,
    FillRecorded,
    Intent,
    Outcome,
    PositionChanged,
    Record,
    SessionEnded,
    SessionStarted,
    SignalReceived,
    SignalRefused,
    StopMoved,
    WaveDecided,
    WaveOpened,
)

LEVELS = ("debug", "info", "warning", "error")
"""In rising order. ``error``: a person should look. ``debug``: each step on the way."""


def level_of(record: Record) -> str:
    """How much a record matters. Every kind has a level; what is unusual about it is told by an event of its own."""
    match record:
        case Event():
            return record.level
        case SignalRefused():
            return "warning"
        case Intent():
            return "debug"
        case PositionChanged() if record.from_state == record.to_state:
            return "debug"
        case Outcome(result="unknown"):
            return "warning"
        case Outcome():
            return "debug"
        case _:
            return "info"


def code_of(record: Record) -> str:
    """What kind of line it is: the code of an event, else the record's name."""
    if isinstance(record, Event):
        return record.code
    name = type(record).__name__
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def sentence_of(record: Record) -> str:
    """A record in one line for people."""
    match record:
        case Event():
            return record.message
        case SessionStarted():
            return f"version {record.version} started, {record.mode.value}: {', '.join(record.accounts)}"
        case SessionEnded():
            return f"ended: {record.reason}; {record.open_positions} positions stay open"
        case SignalReceived():
            signal = record.signal
            return f"signal {signal.id}: {signal.account} {signal.symbol} {signal.side.value}, wave {record.wave_id}"
        case SignalRefused():
            return f"signal refused: {record.bad.code}: {record.bad.message}"
        case WaveOpened():
            return f"wave {record.wave_id} began"
        case WaveDecided():
            opened = ", ".join(f"{name} {record.opened.get(name, 0)} of {n}" for name, n in record.targets.items())
            return f"wave {record.wave_id} is decided: {opened}"
        case Decision():
            why = f": {record.component}: {record.message or record.code}" if record.component else ""
            return f"signal {record.signal_id} {record.outcome}{f' at {record.stage}' if record.stage else ''}{why}"
        case Intent():
            return f"{record.action} {record.client_id} is about to be sent"
        case Outcome():
            said = f": {record.message}" if record.message else ""
            return f"{record.action} {record.client_id} was {record.result} after {record.took_ns / 1e6:.0f} ms{said}"
        case FillRecorded():
            fill = record.fill
            return f"{fill.side.value} {fill.quantity} at {fill.price}, {fill.cause}, fee {fill.fee_usd} USD"
        case PositionChanged():
            return f"{record.from_state or 'new'} -> {record.to_state} by {record.event}"
        case StopMoved():
            return f"stop {record.from_price} -> {record.to_price} by {record.component}"


def as_data(record: Record) -> dict[str, Any]:
    """A record as JSON-able data: when, how much it matters, what it is and says, and what it carries.

    Decimals and the like are text. The snapshot of a position is left out: the journal has it.
    """
    carried = {name: _plain(value) for name, value in _fields(record).items() if value not in ("", None)}
    when = datetime.fromtimestamp(record.time_ns / 1e9, UTC).isoformat(timespec="milliseconds")
    said = {"time": when.replace("+00:00", "Z"), "level": level_of(record), "code": code_of(record)}
    return {**said, "message": sentence_of(record), **carried}


_SAID = frozenset({"snapshot", "level", "code", "message"})


def _fields(record: Record) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in attrs.fields(type(record)) if field.name not in _SAID}


def _plain(value: Any) -> Any:
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if attrs.has(type(value)):
        return {field.name: _plain(getattr(value, field.name)) for field in attrs.fields(type(value))}
    return str(getattr(value, "value", value))
