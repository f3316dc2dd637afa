"""What a report says: counts, latencies, protection, errors and exits, for each wave and in all.

How the counts fit together: ``received = adapted + refused`` and
``adapted = attempted + rejected[filter] + not_attempted + undecided``; of the attempted some were rejected at a later
stage (``plan``, ``sizing``, ``risk``, ``execution``), the others opened or are still being opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from attrs import field, frozen

from .rows import DURATION

STAGES = ("filter", "plan", "sizing", "risk", "execution")
"""Where a signal may be rejected, in the order in which it gets there."""


@frozen(kw_only=True)
class Counts:
    """How far the signals got. `protected` counts those opened positions that had a live stop at some time.

    `attempted` passed all filters; `rejected` is by stage; `undecided` have no outcome yet.
    """

    received: int
    adapted: int
    attempted: int
    opened: int
    protected: int
    rejected: Mapping[str, int]
    not_attempted: int
    refused: int
    undecided: int


@frozen
class Latency:
    """How long something took, over `count` positions: the median (the lower of two) and the worst."""

    count: int
    p50_ns: int | None = field(metadata=DURATION)
    worst_ns: int | None = field(metadata=DURATION)


@frozen
class Latencies:
    """The stretches on the way from the signal to the live stop, for opened positions."""

    received_to_decided: Latency
    decided_to_request: Latency
    request_to_protected: Latency
    received_to_protected: Latency


@frozen
class NakedTime:
    """How long a position was open before a live stop first covered it. None: no stop ever did."""

    position_id: str
    account: str
    symbol: str
    naked_ns: int | None = field(metadata=DURATION)


@frozen
class Coverage:
    """How well opened positions were protected. `share_percent` is cut to two digits, None without positions."""

    opened: int
    protected: int
    share_percent: Decimal | None
    worst_naked_ns: int | None = field(metadata=DURATION)
    positions: tuple[NakedTime, ...]


@frozen
class ErrorCount:
    """Errors of one kind: ``refused`` and ``unknown`` outcomes by action and message, error events by code."""

    kind: str
    account: str
    what: str
    message: str
    count: int


@frozen
class ExitCount:
    """Closed positions by the reason of their exit. `realized_pnl_usd` is after fees."""

    reason: str
    count: int
    realized_pnl_usd: Decimal = field(metadata={"json": "realized_pnl"})
    fees_usd: Decimal


@frozen
class ExitLine:
    """How one position ended. `trigger_price` is that of the stop that acted, None for a close of ours.

    `fill_price` is what the exit got on average, parts that were closed in profit before it left out.
    `slippage_percent` is how much worse that is than the trigger, in percent of it; below zero: better. `to_flat_ns`
    is the time from the trigger, or the decision to close, to the last execution.
    """

    position_id: str
    account: str
    symbol: str
    reason: str
    trigger_price: Decimal | None
    fill_price: Decimal | None
    slippage_percent: Decimal | None
    to_flat_ns: int | None = field(metadata=DURATION)
    closed_ns: int


@frozen
class Slippage:
    """The slippage of `count` exits by a stop, in percent of the trigger: the median (the lower of two), the worst."""

    count: int
    p50_percent: Decimal | None
    worst_percent: Decimal | None


@frozen(kw_only=True)
class Figures(Counts):
    """Counts and what came of them. `still_open` positions were opened and are not closed."""

    latencies: Latencies
    coverage: Coverage
    errors: tuple[ErrorCount, ...]
    exits: tuple[ExitCount, ...]
    exit_lines: tuple[ExitLine, ...]
    slippage: Slippage
    trigger_to_flat: Latency
    still_open: int
    realized_pnl_usd: Decimal = field(metadata={"json": "realized_pnl"})
    fees_usd: Decimal
    accounts: Mapping[str, Counts]


@frozen(kw_only=True)
class WaveReport(Figures):
    """One wave. `targets` is how many positions each account wanted; empty while the wave is undecided."""

    wave_id: str
    bar_time_ns: int
    targets: Mapping[str, int]


@frozen(kw_only=True)
class Report:
    """Some waves and their sum. `refused_without_wave` counts what can't be given to any bar that had a wave."""

    waves: tuple[WaveReport, ...]
    total: Figures
    refused_without_wave: int
