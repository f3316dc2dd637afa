"""From a record to what changes in the read models: a pure function, so that replaying the facts rebuilds them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from itertools import groupby
from typing import Any

import attrs
from attrs import frozen

from ..core import records
from ..core.ids import leg_of
from ..core.numbers import plain
from ..core.records import Record
from . import codec, statements
from .statements import Statement

Column = str | int | bytes | None

_REFERENCES = ("wave_id", "signal_id", "position_id", "account", "symbol")
_LARGEST_INTEGER = 2**63 - 1
_SUMMARY_FIELDS = tuple(attribute.name for attribute in attrs.fields(records.PositionSummary))


@frozen
class Change:
    """One statement and its values."""

    statement: Statement
    values: Mapping[str, Column]


def fact_of(seq: int, record: Record) -> dict[str, Column]:
    """The row of the append-only table: the record's text, and the ids that it can be found by."""
    kind, body = codec.encode(record)
    return _storable({"seq": seq, "time_ns": record.time_ns, "kind": kind, **_references(record), "body": body})


def project(seq: int, record: Record) -> tuple[Change, ...]:
    """What a record changes. The order of the changes matters."""
    handler: Callable[[int, Any], tuple[Change, ...]] = _HANDLERS[type(record)]
    return handler(seq, record)


def apply(connection: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """Carry changes out, in their order, in the transaction of the caller."""
    for statement, group in groupby(changes, key=lambda change: change.statement):
        connection.executemany(statement.sql, [change.values for change in group])


def _references(record: Record) -> dict[str, Column]:
    found: tuple[str | None, ...] = tuple([getattr(record, name, None) for name in _REFERENCES])
    if isinstance(record, records.SignalReceived):
        signal = record.signal
        found = (record.wave_id, signal.id, None, signal.account, signal.symbol)
    elif isinstance(record, records.SignalRefused):
        found = (None, record.bad.id, None, record.bad.account, record.bad.symbol)
    elif isinstance(record, records.FillRecorded):
        found = (None, None, record.position_id, record.account, record.fill.symbol)
    # An empty text means that there is none.
    return {name: value or None for name, value in zip(_REFERENCES, found, strict=True)}


def _change(statement: Statement, **values: Column) -> Change:
    return Change(statement, _storable(values))


def _storable(values: dict[str, Column]) -> dict[str, Column]:
    """The values as SQLite can hold them.

    What arrives as a signal is chosen by others: a lone surrogate or a number beyond 64 bits in it must not stop the
    journal. The columns hold the nearest thing that can be stored, the fact's body the value itself.
    """
    for name, value in values.items():
        if isinstance(value, str):
            if not value.isascii():
                values[name] = value.encode("utf-8", "backslashreplace").decode()
        elif isinstance(value, int) and abs(value) > _LARGEST_INTEGER:
            values[name] = _LARGEST_INTEGER if value > 0 else -_LARGEST_INTEGER
    return values


def _session_started(seq: int, record: records.SessionStarted) -> tuple[Change, ...]:
    change = _change(
        statements.INSERT_SESSION,
        seq=seq,
        started_ns=record.time_ns,
        version=record.version,
        config_digest=record.config_digest,
        accounts=codec.dump_json(record.accounts),
        recorded=int(record.recorded),
        ended_ns=None,
        reason=None,
        open_positions=None,
        mode=record.mode.value,
    )
    return (change,)


def _session_ended(seq: int, record: records.SessionEnded) -> tuple[Change, ...]:
    change = _change(
        statements.END_SESSION,
        ended_ns=record.time_ns,
        reason=record.reason,
        open_positions=record.open_positions,
    )
    return (change,)


def _signal_received(seq: int, record: records.SignalReceived) -> tuple[Change, ...]:
    signal = record.signal
    change = _change(
        statements.INSERT_SIGNAL,
        seq=seq,
        signal_id=signal.id,
        wave_id=record.wave_id,
        source=signal.source,
        account=signal.account,
        symbol=signal.symbol,
        side=signal.side.value,
        bar_time_ns=signal.bar_time_ns,
        created_ns=signal.created_ns,
        received_ns=signal.received_ns,
        score=plain(signal.score),
        outcome="received",
        stage="",
        component="",
        code="",
        message="",
        numbers="{}",
        position_id=None,
    )
    return (change,)


def _signal_refused(seq: int, record: records.SignalRefused) -> tuple[Change, ...]:
    bad = record.bad
    change = _change(
        statements.REFUSE_SIGNAL,
        seq=seq,
        signal_id=bad.id,
        source=bad.source,
        account=bad.account,
        symbol=bad.symbol,
        side=None,
        bar_time_ns=bad.bar_time_ns,
        created_ns=None,
        received_ns=bad.received_ns,
        score=None,
        outcome="refused",
        stage="",
        component="",
        code=bad.code,
        message=bad.message,
        numbers="{}",
        position_id=None,
    )
    return (change,)


def _wave_opened(seq: int, record: records.WaveOpened) -> tuple[Change, ...]:
    wave = _change(
        statements.INSERT_WAVE,
        wave_id=record.wave_id,
        bar_time_ns=record.bar_time_ns,
        opened_ns=record.time_ns,
        decided_ns=None,
        targets="{}",
        opened="{}",
    )
    return wave, _change(statements.ADOPT_REFUSED, wave_id=record.wave_id, bar_time_ns=record.bar_time_ns)


def _wave_decided(seq: int, record: records.WaveDecided) -> tuple[Change, ...]:
    change = _change(
        statements.DECIDE_WAVE,
        wave_id=record.wave_id,
        decided_ns=record.time_ns,
        targets=codec.dump_json(record.targets),
        opened=codec.dump_json(record.opened),
    )
    return (change,)


def _decision(seq: int, record: records.Decision) -> tuple[Change, ...]:
    shared: dict[str, Column] = {
        "signal_id": record.signal_id,
        "stage": record.stage,
        "outcome": record.outcome,
        "component": record.component,
        "code": record.code,
        "message": record.message,
        "numbers": codec.dump_numbers(record.numbers),
        "position_id": record.position_id or None,
    }
    decision = _change(
        statements.INSERT_DECISION,
        seq=seq,
        time_ns=record.time_ns,
        wave_id=record.wave_id,
        account=record.account,
        symbol=record.symbol,
        checks=codec.dump_checks(record.checks),
        **shared,
    )
    return decision, _change(statements.DECIDE_SIGNAL, **shared)


def _intent(seq: int, record: records.Intent) -> tuple[Change, ...]:
    leg = leg_of(record.client_id)
    change = _change(
        statements.INSERT_ORDER,
        seq=seq,
        client_id=record.client_id,
        position_id=record.position_id,
        account=record.account,
        symbol=record.symbol,
        action=record.action,
        leg="" if leg is None else leg.name.lower(),
        sent_ns=record.time_ns,
        request=codec.dump_numbers(record.request),
        result=None,
        took_ns=None,
        message="",
        answer="{}",
    )
    return (change,)


def _outcome(seq: int, record: records.Outcome) -> tuple[Change, ...]:
    change = _change(
        statements.ANSWER_ORDER,
        client_id=record.client_id,
        action=record.action,
        position_id=record.position_id,
        result=record.result,
        took_ns=record.took_ns,
        message=record.message,
        answer=codec.dump_numbers(record.numbers),
    )
    return (change,)


def _fill_recorded(seq: int, record: records.FillRecorded) -> tuple[Change, ...]:
    fill = record.fill
    change = _change(
        statements.INSERT_FILL,
        seq=seq,
        account=record.account,
        symbol=fill.symbol,
        fill_id=fill.id,
        position_id=record.position_id,
        order_id=fill.order_id,
        client_id=fill.client_id,
        side=fill.side.value,
        quantity=plain(fill.quantity),
        price=plain(fill.price),
        fee_usd=plain(fill.fee_usd),
        time_ns=fill.time_ns,
        cause=fill.cause,
    )
    return (change,)


def _position_changed(seq: int, record: records.PositionChanged) -> tuple[Change, ...]:
    summary = {name: _plain_if_decimal(getattr(record.summary, name)) for name in _SUMMARY_FIELDS}
    change = _change(
        statements.UPSERT_POSITION,
        position_id=record.position_id,
        seq=seq,
        changed_ns=record.time_ns,
        signal_id=record.signal_id,
        wave_id=record.wave_id,
        account=record.account,
        symbol=record.symbol,
        state=record.to_state,
        **summary,
    )
    return (change,)


def _stop_moved(seq: int, record: records.StopMoved) -> tuple[Change, ...]:
    change = _change(
        statements.INSERT_STOP_MOVE,
        seq=seq,
        time_ns=record.time_ns,
        position_id=record.position_id,
        account=record.account,
        symbol=record.symbol,
        from_price=_plain_if_decimal(record.from_price),
        to_price=plain(record.to_price),
        component=record.component,
        numbers=codec.dump_numbers(record.numbers),
    )
    return (change,)


def _event(seq: int, record: records.Event) -> tuple[Change, ...]:
    change = _change(
        statements.INSERT_EVENT,
        seq=seq,
        time_ns=record.time_ns,
        level=record.level,
        code=record.code,
        message=record.message,
        account=record.account,
        symbol=record.symbol,
        position_id=record.position_id,
        signal_id=record.signal_id,
        numbers=codec.dump_numbers(record.numbers),
    )
    return (change,)


def _plain_if_decimal(value: Any) -> Any:
    return plain(value) if isinstance(value, Decimal) else value


_HANDLERS: dict[type, Callable[[int, Any], tuple[Change, ...]]] = {
    records.SessionStarted: _session_started,
    records.SessionEnded: _session_ended,
    records.SignalReceived: _signal_received,
    records.SignalRefused: _signal_refused,
    records.WaveOpened: _wave_opened,
    records.WaveDecided: _wave_decided,
    records.Decision: _decision,
    records.Intent: _intent,
    records.Outcome: _outcome,
    records.FillRecorded: _fill_recorded,
    records.PositionChanged: _position_changed,
    records.StopMoved: _stop_moved,
    records.Event: _event,
}
