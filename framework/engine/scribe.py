"""From a position's step to the records that the journal keeps of it."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.happenings import Alert, Command, Happening, NoteStop
from ..core.position import Position
from ..core.records import Event, FillRecorded, PositionChanged, PositionSummary, Record, StopMoved
from .snapshot import freeze


def summary_of(position: Position) -> PositionSummary:
    """The fields of a position that people and reports ask for."""
    live = position.live_stop
    exit_ = position.exit
    return PositionSummary(
        side=position.side.value,
        status=position.status,
        quantity=position.entered or position.plan.quantity,
        entry_price=position.entry_price,
        initial_stop_price=position.initial_stop,
        stop_price=live.trigger_price if live is not None and not position.state.is_final else None,
        exit_price=position.exit_price,
        exit_reason=None if exit_ is None else exit_.reason,
        realized_pnl_usd=position.realized_pnl_usd,
        fees_usd=position.fees_usd,
        decided_ns=position.decided_ns,
        opened_ns=position.opened_ns,
        protected_ns=position.protected_ns,
        closed_ns=position.closed_ns,
        exit_trigger_price=None if exit_ is None else exit_.trigger_price,
        exit_triggered_ns=None if exit_ is None else exit_.triggered_ns,
    )


def records_of(
    before: Position | None, after: Position, happening: Happening | None, commands: tuple[Command, ...], now_ns: int
) -> list[Record]:
    """What is to be written down of one step: the position itself, new executions, stop moves and alerts."""
    records: list[Record] = []
    known: Mapping[str, object] = {} if before is None else before.fills
    for fill in after.fills.values():
        if fill.id not in known:
            records.append(FillRecorded(now_ns, after.id, after.account, fill))
    if after != before:
        records.append(
            PositionChanged(
                time_ns=now_ns,
                position_id=after.id,
                signal_id=after.signal_id,
                wave_id=after.wave_id,
                account=after.account,
                symbol=after.symbol,
                event=_event_name(before, after, happening),
                from_state="" if before is None else before.state.value,
                to_state=after.state.value,
                summary=summary_of(after),
                snapshot=freeze(after),
            )
        )
    for command in commands:
        if isinstance(command, NoteStop):
            records.append(_stop_moved(after, command, now_ns))
        elif isinstance(command, Alert):
            records.append(_event(after, command, now_ns))
    return records


def _stop_moved(position: Position, note: NoteStop, now_ns: int) -> StopMoved:
    return StopMoved(
        now_ns,
        position.id,
        position.account,
        position.symbol,
        note.from_price,
        note.to_price,
        note.component,
        note.numbers,
    )


def _event(position: Position, alert: Alert, now_ns: int) -> Event:
    return Event(
        now_ns,
        alert.level.value,
        alert.code,
        alert.message,
        position.account,
        position.symbol,
        position.id,
        position.signal_id,
        alert.numbers,
    )


def _event_name(before: Position | None, after: Position, happening: Happening | None) -> str:
    if happening is not None:
        return _snake(type(happening).__name__)
    if before is not None:
        return "taken_over"
    return "adopted" if after.first_sequence else "planned"


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
