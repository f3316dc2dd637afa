"""What the commands for emergencies share: the halt in words, and what is open."""

from __future__ import annotations

from ..journal import Control, Halt
from .words import instant, safe


def halt_line(control: Control) -> str:
    """The halt that holds, on a line; empty when none does."""
    halt = control.halted()
    return "" if halt is None else halt_words(halt)


def halt_words(halt: Halt) -> str:
    """A halt in words."""
    since = f" since {instant(halt.since_ns)}" if halt.since_ns else ""
    return f"halted{since}: {safe(halt.reason)}; nothing is opened until `framework resume`"
