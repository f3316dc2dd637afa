"""Judges what a run left behind, with the oracle: ``framework simulate --judge tests.simulation.judging:judge``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from framework import PositionChanged, Record
from framework_simulator.simulation import Outcome, Schedule
from tests.oracle.bounds import NS_PER_MS, NS_PER_S, Bounds
from tests.oracle.judging import Case
from tests.oracle.judging import judge as judge_ledger
from tests.oracle.names import Names
from tests.oracle.outages import Window
from tests.oracle.plans import Plans, read_plans
from tests.oracle.uptime import Uptime

NAMES = Names("fw")
HOUR_MS = timedelta(hours=1) // timedelta(milliseconds=1)
DEADLINE_NS = 30_000_000_000
"""The deployment's `entry_deadline_s`."""

ROUND_TRIP = 3
"""The longest round trip in units of a schedule's latency: each way takes half of it to one and a half."""

MARGIN_MS = 5

SETTLING_S = 60
"""On Bybit a position is protected at once by a stop at the expected price; that of what was paid comes a moment later.
"""

STRICT = Bounds(
    naked_fault_max_ms_binance=7 * HOUR_MS,
    naked_fault_max_ms_bybit=7 * HOUR_MS,
    settling_s=SETTLING_S,
)
"""Under a fault is only what is so by the schedule: nothing of ours gets through. That may last as long as it does."""

HARMLESS = frozenset({"signal", "jump"})
LATE_MS = 30_000
NEEDS_SIGHT = frozenset({1, 7, 8, 13})
"""What can't be kept by somebody who is shown the past: to cover, to sweep, to tighten, to be done in time."""

TAKES_AWAY = frozenset({"stop-vanishes"})
SILENCES_S = {"rate-limited": 10, "banned": 120, "forbidden": 600}
"""How long a venue wants not to hear of us where its answer does not say: the emulator's defaults, and Bybit's rule."""


def judge(outcome: Outcome) -> list[str]:
    """What is wrong, a line each. How long positions were naked is added to the outcome's figures."""
    case = Case(
        bounds=bounds_of(outcome.schedule),
        uptime=Uptime(tuple(outcome.up)),
        plans=plans_of(outcome.records, deadlines=not outcome.schedule.of("clock")),
        names=NAMES,
        hosts=["127.0.0.1"],
        outages=impossible(outcome.lines),
    )
    judgement = judge_ledger((json.dumps(line) for line in outcome.lines), case)
    for bare in () if are_reads_late(outcome.schedule) else judgement.naked:
        outcome.figures[f"naked ms on {bare.venue}"].append(bare.up_ns / NS_PER_MS)
        inside_ns = bare.down_ns + bare.fault_ns
        outcome.figures[f"naked ms on {bare.venue} while nothing could be done"].append(inside_ns / NS_PER_MS)
    found = []
    for verdict in judgement.verdicts:
        if verdict.count and verdict.number in NEEDS_SIGHT and are_reads_late(outcome.schedule):
            outcome.met[f"excused by late reads: {verdict.name}"] += 1
            continue
        found += [
            f"{verdict.number} {verdict.name}: {verdict.count}; {violation.venue} {violation.symbol} at "
            f"{(violation.t - judgement.first_ns) / 1e9:.3f} s, seq {violation.seq}: {violation.what}"
            for violation in verdict.first[:1]
        ]
    return found


def are_reads_late(schedule: Schedule) -> bool:
    """Whether reads show what was long ago. Who was down in between, or does not hear, can't know what is so now."""
    return any(int(item.own.get("lag_ms", 0)) > LATE_MS for item in schedule.items)


def bounds_of(schedule: Schedule) -> Bounds:
    """Where nothing goes wrong, a stop may take one round trip on Binance.

    On Bybit it may take no time, unless the venue itself takes stops away: then as long as on Binance.
    """
    if all(item.kind in HARMLESS for item in schedule.items):
        return replace(STRICT, naked_max_ms_binance=ROUND_TRIP * schedule.latency_ms + MARGIN_MS)
    if any(item.own.get("name") in TAKES_AWAY for item in schedule.items):
        return replace(STRICT, naked_max_ms_bybit=STRICT.naked_max_ms_binance)
    return STRICT


def impossible(lines: Sequence[Mapping[str, Any]]) -> dict[str, list[Window]]:
    """When nothing could be done at a venue: requests do not get through, or it has asked not to hear of us."""
    windows: dict[str, list[Window]] = {}
    for line in lines:
        if line["kind"] != "fault":
            continue
        told = line.get("parameters") or {}
        if line["name"] in ("partition-all", "partition-writes"):
            lasts_ns = told["for_ms"] * NS_PER_MS
        elif line["name"] in SILENCES_S:
            lasts_ns = int(told.get("retry_after_s", SILENCES_S[line["name"]])) * NS_PER_S
        else:
            continue
        windows.setdefault(line["venue"], []).append((line["t"], line["t"] + lasts_ns))
    return windows


def plans_of(records: Sequence[Record], *, deadlines: bool) -> Plans:
    """What the journal says was planned. With our clock off, its instants are not the venue's."""
    rows = [
        json.dumps(
            {
                "venue": record.account,
                "account": "simulated",
                "symbol": record.symbol,
                "side": "buy" if record.summary.side == "long" else "sell",
                "position": record.position_id,
                "max_qty": str(record.summary.quantity),
                "deadline_ns": record.summary.decided_ns + DEADLINE_NS if deadlines else None,
            }
        )
        for record in records
        if isinstance(record, PositionChanged) and record.event == "planned"
    ]
    return read_plans(rows, NAMES)
