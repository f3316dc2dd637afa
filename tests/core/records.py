"""Records for tests of what looks at records."""

from __future__ import annotations

from decimal import Decimal

from framework import PositionChanged, PositionSummary

SUMMARY = PositionSummary(
    side="long",
    status="open",
    quantity=Decimal(1),
    entry_price=Decimal(10),
    initial_stop_price=Decimal(9),
    stop_price=Decimal(9),
    exit_price=None,
    exit_reason=None,
    realized_pnl_usd=None,
    fees_usd=Decimal(0),
    decided_ns=1,
    opened_ns=2,
    protected_ns=None,
    closed_ns=None,
)


def changed(position_id: str, *, to: str, before: str = "unprotected", account: str = "one") -> PositionChanged:
    """A step of a position from one state to another."""
    return PositionChanged(
        1_000, position_id, "s-1", "w-1", account, "AVAXUSDT", "stop_answered", before, to, SUMMARY, {"secret": "no"}
    )
