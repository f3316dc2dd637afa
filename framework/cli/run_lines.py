"""The noteworthy of a run as plain lines: one for a record that people want to see go by, none for all others."""

from __future__ import annotations

from ..core.records import Decision, Event, Outcome, PositionChanged, Record, SignalRefused, WaveDecided, WaveOpened
from .run_view import PositionLine
from .words import instant, pnl, reason, safe, shown


def line_of(record: Record, before: PositionLine | None = None) -> str | None:
    """The line of a record. `before` is the position that it speaks of, as it was until now."""
    text = _text(record, before)
    return None if text is None else f"{instant(record.time_ns)}  {text}"


def _text(record: Record, before: PositionLine | None) -> str | None:
    match record:
        case WaveOpened():
            return f"wave {record.wave_id}: its first signals arrived"
        case SignalRefused():
            bad = record.bad
            who = "a signal without an id" if bad.id is None else f"signal {safe(bad.id)}"
            return f"{who} from {bad.source} is refused: {safe(bad.message)} ({safe(bad.code)})"
        case Decision(outcome="rejected"):
            why = reason(record.code, record.message, {})
            return f"{_market(record)}: signal {safe(record.signal_id)} rejected by {_who(record)}: {why}"
        case Outcome(result="refused"):
            return f"{_market(record)}: {record.action} refused by the venue: {safe(record.message)}"
        case PositionChanged():
            return _step(record, before)
        case WaveDecided():
            opened = ", ".join(f"{name} {record.opened.get(name, 0)} of {n}" for name, n in record.targets.items())
            return f"wave {record.wave_id} decided: opened {opened or 'nothing'}"
        case Event(code="resumed" | "flattened" | "account_up"):
            return safe(record.message)
        case Event(level="warning" | "error"):
            return f"{record.level}: {safe(record.message)} ({record.code})"
        case _:
            return None


def _who(record: Decision) -> str:
    return record.stage if record.component in ("", "kernel") else f"{record.stage} {record.component}"


def _market(record: Decision | Outcome | PositionChanged) -> str:
    return f"{record.account} {safe(record.symbol)}"


def _step(record: PositionChanged, before: PositionLine | None) -> str | None:
    now = record.summary
    if record.to_state == "closed" and record.from_state != "closed":
        return (
            f"{_market(record)}: closed at {shown(now.exit_price)} by {shown(now.exit_reason)}, "
            f"PnL {pnl(now.realized_pnl_usd)} USD"
        )
    if now.protected_ns is not None and (before is None or before.protected_ns is None):
        return (
            f"{_market(record)}: opened {now.side} {shown(now.quantity)} at {shown(now.entry_price)}, "
            f"protected by a stop at {shown(now.stop_price)}"
        )
    if before is not None and None not in (before.stop_price, now.stop_price) and before.stop_price != now.stop_price:
        return f"{_market(record)}: stop moved from {shown(before.stop_price)} to {shown(now.stop_price)}"
    return None
