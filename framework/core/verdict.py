"""Answers with a reason: what filters, risk rules and sizers say, and what the screen makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from attrs import field, frozen

from .market import MarketSnapshot
from .signal import Signal

Number = Decimal | int | str


@frozen
class Rejection:
    """No, for a reason: a machine-readable `code`, one readable line, and the numbers behind it."""

    code: str
    message: str
    numbers: Mapping[str, Number] = field(factory=dict)


@frozen
class Notice:
    """Yes, but somebody should know: the signal goes on, the notice is kept and shown by ``explain``."""

    code: str
    message: str
    numbers: Mapping[str, Number] = field(factory=dict)


@frozen
class Passed:
    """Yes, with the numbers that were compared, so that ``explain`` can show why it was yes."""

    numbers: Mapping[str, Number] = field(factory=dict)


Verdict = Passed | Notice | Rejection


@frozen
class Check:
    """One verdict in the life of a signal: which component of which kind said what."""

    kind: str
    component: str
    verdict: Verdict


@frozen
class Accepted:
    """A signal that every filter let through. `framework.core.screen` alone makes it: a plan needs one."""

    signal: Signal
    market: MarketSnapshot
    checks: tuple[Check, ...]


@frozen
class Refused:
    """A signal that ended here: the stage (``filter``, ``plan``, ``sizing``, ``risk``), the component, why."""

    signal: Signal
    stage: str
    component: str
    rejection: Rejection
    checks: tuple[Check, ...]


@frozen
class Size:
    """How much to buy or sell, in the base asset, and the arithmetic that led there, for ``explain``."""

    quantity: Decimal
    numbers: Mapping[str, Number] = field(factory=dict)
