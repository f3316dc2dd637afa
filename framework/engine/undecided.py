"""Signals that an earlier run took in and never decided: each gets an outcome, so that nothing stays unexplained."""

from __future__ import annotations

from ..core.records import Decision
from ..journal import SignalRow


def never_decided(row: SignalRow, now_ns: int) -> Decision:
    """The record that a signal was not attempted: it is late, whatever it was worth when it came."""
    return Decision(
        now_ns, row.wave_id or "", row.signal_id or "", row.account or "", row.symbol or "", "wave", "not_attempted",
        "kernel", "run_ended", "the run that took it in ended before it was decided; it is too late for it now",
    )  # fmt: skip
