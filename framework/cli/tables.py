"""Which columns the tables of positions, signals and events have."""

from __future__ import annotations

from collections.abc import Iterable

from ..journal import EventRow, PositionRow, SignalRow
from .words import instant, pnl, safe, shown

POSITION_HEADINGS = (
    "account", "symbol", "side", "status", "quantity", "entry", "initial stop", "stop", "exit", "exit reason",
    "PnL USD", "signal",
)  # fmt: skip
POSITION_RIGHT = ("quantity", "entry", "initial stop", "stop", "exit", "PnL USD")

SIGNAL_HEADINGS = ("signal", "wave", "account", "symbol", "side", "score", "outcome", "stage", "component", "why")
SIGNAL_RIGHT = ("score",)

EVENT_HEADINGS = ("time", "level", "code", "account", "symbol", "message")


def position_rows(rows: Iterable[PositionRow]) -> list[tuple[str, ...]]:
    """Positions under `POSITION_HEADINGS`, those that were decided together by account and symbol."""
    return [position_cells(row) for row in sorted(rows, key=lambda row: (row.decided_ns, row.account, row.symbol))]


def position_cells(row: PositionRow) -> tuple[str, ...]:
    """A position under `POSITION_HEADINGS`."""
    return (
        row.account,
        row.symbol,
        row.side,
        row.status,
        shown(row.quantity),
        shown(row.entry_price),
        shown(row.initial_stop_price),
        shown(row.stop_price),
        shown(row.exit_price),
        shown(row.exit_reason),
        pnl(row.realized_pnl_usd),
        row.signal_id,
    )


def signal_cells(row: SignalRow) -> tuple[str, ...]:
    """A signal under `SIGNAL_HEADINGS`."""
    return (
        shown(row.signal_id),
        shown(row.wave_id),
        shown(row.account),
        shown(row.symbol),
        shown(row.side),
        shown(row.score),
        row.outcome,
        row.stage or "-",
        row.component or "-",
        safe(row.message) or row.code or "-",
    )


def event_cells(row: EventRow) -> tuple[str, ...]:
    """An event under `EVENT_HEADINGS`."""
    return (instant(row.time_ns), row.level, row.code, row.account or "-", row.symbol or "-", row.message)
