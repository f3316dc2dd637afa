"""What became of waves: a pure calculation over rows of the journal, and the collecting of those rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Any

from attrs import frozen

from ..core.numbers import HUNDRED, ZERO
from .exits import exit_lines, slippage_of, to_flat
from .figures import (
    STAGES,
    Counts,
    Coverage,
    ErrorCount,
    ExitCount,
    Figures,
    Latencies,
    Latency,
    NakedTime,
    Report,
    WaveReport,
)
from .reader import JournalReader
from .rows import EventRow, FillRow, OrderRow, PositionRow, SignalRow, WaveRow


@frozen
class Material:
    """The rows that a report is made of."""

    waves: Sequence[WaveRow]
    signals: Sequence[SignalRow]
    positions: Sequence[PositionRow]
    orders: Sequence[OrderRow]
    events: Sequence[EventRow]
    fills: Sequence[FillRow] = ()

    def of_wave(self, wave: WaveRow) -> Material:
        """The part that belongs to one wave."""
        signals = [row for row in self.signals if row.wave_id == wave.wave_id]
        positions = [row for row in self.positions if row.wave_id == wave.wave_id]
        signal_ids = {row.signal_id for row in signals}
        # A position that failed before it was recorded has its orders all the same.
        position_ids = {row.position_id for row in positions} | {row.position_id for row in signals}
        orders = [row for row in self.orders if row.position_id in position_ids]
        events = [row for row in self.events if row.position_id in position_ids or row.signal_id in signal_ids]
        fills = [row for row in self.fills if row.position_id in position_ids]
        return Material((wave,), signals, positions, orders, events, fills)


def report(
    reader: JournalReader, *, wave_id: str | None = None, since_ns: int | None = None, until_ns: int | None = None
) -> Report:
    """The report on one wave, on those whose bar opened within a period (`until_ns` excluded), or on all."""
    waves = [
        wave
        for wave in reader.waves()
        if wave_id in (None, wave.wave_id)
        and (since_ns is None or wave.bar_time_ns >= since_ns)
        and (until_ns is None or wave.bar_time_ns < until_ns)
    ]
    signals, positions, orders = reader.signals(), reader.positions(), reader.orders()
    return report_of(Material(waves, signals, positions, orders, reader.events("error"), reader.fills()))


def report_of(material: Material) -> Report:
    """The report on the waves of the material. Everything that belongs to another wave is left out."""
    parts = [material.of_wave(wave) for wave in material.waves]
    whole = Material(
        material.waves,
        [row for part in parts for row in part.signals],
        [row for part in parts for row in part.positions],
        [row for part in parts for row in part.orders],
        # Events that concern no wave (a lost stream) belong to the sum alone.
        [row for row in material.events if not row.position_id and not row.signal_id]
        + [row for part in parts for row in part.events],
        [row for part in parts for row in part.fills],
    )
    waves = tuple(
        WaveReport(**_figures(part), wave_id=wave.wave_id, bar_time_ns=wave.bar_time_ns, targets=wave.targets)
        for wave, part in zip(material.waves, parts, strict=True)
    )
    homeless = sum(1 for row in material.signals if row.outcome == "refused" and row.wave_id is None)
    return Report(waves=waves, total=Figures(**_figures(whole)), refused_without_wave=homeless)


def _figures(material: Material) -> dict[str, Any]:
    positions = material.positions
    accounts = sorted({row.account for row in material.signals if row.account is not None})
    opened = [row for row in positions if row.opened_ns is not None]
    exited = [row for row in opened if row.closed_ns is not None]
    lines = exit_lines(exited, material.fills)
    by_account = {
        account: Counts(
            **_counts(
                [row for row in material.signals if row.account == account],
                [row for row in positions if row.account == account],
            )
        )
        for account in accounts
    }
    return {
        **_counts(material.signals, positions),
        "latencies": _latencies(material, opened),
        "coverage": _coverage(opened),
        "errors": _errors(material.orders, material.events),
        "exits": _exits(exited),
        "exit_lines": lines,
        "slippage": slippage_of(lines),
        "trigger_to_flat": to_flat(lines),
        "still_open": len(opened) - len(exited),
        "realized_pnl_usd": _sum(row.realized_pnl_usd for row in positions),
        "fees_usd": _sum(row.fees_usd for row in positions),
        "accounts": by_account,
    }


def _counts(signals: Sequence[SignalRow], positions: Sequence[PositionRow]) -> dict[str, Any]:
    outcomes = Counter(row.outcome for row in signals)
    rejected = Counter(row.stage for row in signals if row.outcome == "rejected")
    opened = [row for row in positions if row.opened_ns is not None]
    return {
        "received": len(signals),
        "adapted": len(signals) - outcomes["refused"],
        "attempted": outcomes["planned"] + outcomes["opened"] + outcomes["rejected"] - rejected["filter"],
        "opened": len(opened),
        "protected": sum(1 for row in opened if row.protected_ns is not None),
        "rejected": {stage: rejected[stage] for stage in STAGES},
        "not_attempted": outcomes["not_attempted"],
        "refused": outcomes["refused"],
        "undecided": outcomes["received"],
    }


def _latencies(material: Material, opened: Sequence[PositionRow]) -> Latencies:
    received = {row.signal_id: row.received_ns for row in material.signals if row.outcome != "refused"}
    requested: dict[str, int] = {}
    for order in material.orders:
        if order.action == "entry":
            requested.setdefault(order.position_id, order.sent_ns)
    stretches: list[tuple[int | None, int | None, int | None, int | None]] = [
        (received.get(row.signal_id), row.decided_ns, requested.get(row.position_id), row.protected_ns)
        for row in opened
    ]
    return Latencies(
        received_to_decided=_latency((way[0], way[1]) for way in stretches),
        decided_to_request=_latency((way[1], way[2]) for way in stretches),
        request_to_protected=_latency((way[2], way[3]) for way in stretches),
        received_to_protected=_latency((way[0], way[3]) for way in stretches),
    )


def _latency(stretches: Iterable[tuple[int | None, int | None]]) -> Latency:
    took = sorted(end - start for start, end in stretches if start is not None and end is not None)
    if not took:
        return Latency(0, None, None)
    return Latency(len(took), took[(len(took) - 1) // 2], took[-1])


def _coverage(opened: Sequence[PositionRow]) -> Coverage:
    naked = tuple(NakedTime(row.position_id, row.account, row.symbol, _naked_ns(row)) for row in opened)
    times = [entry.naked_ns for entry in naked if entry.naked_ns is not None]
    share = None
    if opened:
        # Cut, not rounded: 100 is said of nothing less.
        share = (HUNDRED * len(times) / len(opened)).quantize(Decimal("0.01"), rounding=ROUND_DOWN)
    return Coverage(len(opened), len(times), share, max(times, default=None), naked)


def _naked_ns(position: PositionRow) -> int | None:
    if position.opened_ns is None or position.protected_ns is None:
        return None
    # A stop that travels inside the entry may be reported before the fill is.
    return max(0, position.protected_ns - position.opened_ns)


def _errors(orders: Sequence[OrderRow], events: Sequence[EventRow]) -> tuple[ErrorCount, ...]:
    outcomes = Counter(
        (row.result, row.account, row.action, row.message) for row in orders if row.result in ("refused", "unknown")
    )
    found = [
        ErrorCount(str(result), account, action, message, count)
        for (result, account, action, message), count in outcomes.items()
    ]
    first_message = {(row.account, row.code): row.message for row in reversed(events)}
    codes = Counter((row.account, row.code) for row in events)
    found += [
        ErrorCount("event", account, code, first_message[account, code], count)
        for (account, code), count in codes.items()
    ]
    return tuple(sorted(found, key=lambda error: (-error.count, error.kind, error.account, error.what, error.message)))


def _exits(closed: Sequence[PositionRow]) -> tuple[ExitCount, ...]:
    by_reason: dict[str, list[PositionRow]] = {}
    for row in closed:
        by_reason.setdefault(row.exit_reason or "unknown", []).append(row)
    return tuple(
        ExitCount(reason, len(group), _sum(row.realized_pnl_usd for row in group), _sum(row.fees_usd for row in group))
        for reason, group in sorted(by_reason.items())
    )


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), ZERO)
