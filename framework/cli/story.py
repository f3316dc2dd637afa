"""The story of one signal as text, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..journal import CheckLine, Explanation, OrderRow, PositionRow, SignalRow
from .words import arithmetic, instant, pnl, reason, safe, shown, span


def story(found: Explanation, marks: Mapping[str, str]) -> Iterator[str]:
    """All lines of the story. `marks` has the mark of each verdict: ``passed``, ``notice``, ``rejected``."""
    yield from _signal(found.signal)
    for row in found.refusals:
        yield f"  also arrived {instant(row.received_ns)} and was refused: {reason(row.code, row.message, {})}"
    yield from _checks(found, marks)
    yield from _orders(found)
    if found.fills:
        yield "fills"
    for fill in found.fills:
        yield (
            f"  {instant(fill.time_ns)}  {fill.side} {shown(fill.quantity)} at {shown(fill.price)}, "
            f"fee {shown(fill.fee_usd)} USD ({safe(fill.cause)})"
        )
    yield from _stop_moves(found)
    if found.position is not None:
        yield from _position(found.position)
    if found.events:
        yield "events"
    for event in found.events:
        yield f"  {instant(event.time_ns)}  {event.level}: {reason(event.code, event.message, event.numbers)}"
    yield from _outcome(found.signal)


def _signal(row: SignalRow) -> Iterator[str]:
    what = " ".join(safe(part) for part in (row.side, row.symbol) if part) or "of no market"
    yield f"signal {shown(row.signal_id)}: {what} on {shown(row.account)}, score {shown(row.score)}, from {row.source}"
    yield (
        f"  bar {instant(row.bar_time_ns)}, made {instant(row.created_ns)}, received {instant(row.received_ns)}, "
        f"wave {shown(row.wave_id)}"
    )


def _checks(found: Explanation, marks: Mapping[str, str]) -> Iterator[str]:
    if found.checks:
        yield "checks"
    for check in found.checks:
        yield f"  {marks[check.verdict]} {check.kind} {check.component}{_said(check)}"
        if check.verdict != "passed" and check.numbers:
            yield f"      {arithmetic(check.numbers)}"


def _said(check: CheckLine) -> str:
    if check.verdict == "passed":
        return f": {arithmetic(check.numbers)}" if check.numbers else ""
    return f": {reason(check.code, check.message, {})}"


def _orders(found: Explanation) -> Iterator[str]:
    decided_ns = next((row.time_ns for row in found.decisions if row.outcome == "planned"), None)
    if found.orders:
        yield f"requests, from the decision at {instant(decided_ns)}"
    for order in found.orders:
        after = "-" if decided_ns is None else f"+{span(order.sent_ns - decided_ns)}"
        asked = f" ({arithmetic(order.request)})" if order.request else ""
        yield f"  {after}  {order.action} {order.client_id}{asked}: {_answer(order)}"


def _answer(order: OrderRow) -> str:
    if order.result is None:
        return "no answer yet"
    said = ", ".join(part for part in (safe(order.message), arithmetic(order.answer)) if part)
    return f"{order.result} after {span(order.took_ns)}{f': {said}' if said else ''}"


def _stop_moves(found: Explanation) -> Iterator[str]:
    if found.stop_moves:
        yield "stop"
    for move in found.stop_moves:
        way = shown(move.to_price) if move.from_price is None else f"{shown(move.from_price)} to {shown(move.to_price)}"
        numbers = f": {arithmetic(move.numbers)}" if move.numbers else ""
        yield f"  {instant(move.time_ns)}  {way} by {move.component}{numbers}"


def _position(row: PositionRow) -> Iterator[str]:
    yield f"position {row.position_id}: {row.status} ({row.state})"
    if row.opened_ns is not None:
        yield (
            f"  opened {instant(row.opened_ns)}: {row.side} {shown(row.quantity)} at {shown(row.entry_price)}, "
            f"first stop {shown(row.initial_stop_price)}, protected {instant(row.protected_ns)}"
        )
    if row.status not in ("closed", "failed"):
        yield f"  stop now {shown(row.stop_price)}"
    if row.closed_ns is not None and row.exit_price is not None:
        trigger = ""
        if row.exit_trigger_price is not None:
            trigger = f" (stop {shown(row.exit_trigger_price)}, triggered {instant(row.exit_triggered_ns)})"
        yield (
            f"  exit {instant(row.closed_ns)}: {shown(row.exit_reason)}{trigger} at {shown(row.exit_price)}, "
            f"PnL {pnl(row.realized_pnl_usd)} USD after fees of {shown(row.fees_usd)} USD"
        )


def _outcome(row: SignalRow) -> Iterator[str]:
    by = " ".join(part for part in (row.stage, row.component if row.component != "kernel" else "") if part)
    why = f": {reason(row.code, row.message, {})}" if row.code or row.message else ""
    yield f"outcome: {row.outcome.replace('_', ' ')}{f' ({safe(by)})' if by else ''}{why}"
