"""Judges what a run left behind, with the oracle: ``framework simulate --judge tests.simulation.judging:judge``."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from framework import PositionChanged, Record
from framework_simulator.simulation import Item, Outcome, Schedule
from tests.oracle.bounds import Bounds
from tests.oracle.judging import Case
from tests.oracle.judging import judge as judge_ledger
from tests.oracle.names import ENTRY, Names
from tests.oracle.plans import Plans, read_plans
from tests.oracle.uptime import Uptime

NAMES = Names("fw")
HOUR_MS = timedelta(hours=1) // timedelta(milliseconds=1)
DEADLINE_NS = 30_000_000_000
"""The deployment's `entry_deadline_s`."""

CLEAN = Bounds(naked_max_ms_binance=1_000, settling_s=5)
"""On Bybit a position is protected at once by a stop at the expected price; that of what was paid comes a moment later.
"""

UNPROTECTED_MS = 8_000
"""How long a position may be naked at most: within that time its stop is placed, or it is closed."""

FAULTY = Bounds(
    naked_max_ms_bybit=UNPROTECTED_MS,
    naked_fault_max_ms_binance=7 * HOUR_MS,
    naked_fault_max_ms_bybit=7 * HOUR_MS,
    settling_s=600,
    fault_window_s=75,
)
"""While nothing of ours arrives nobody can be protected: under a fault the oracle counts, and judges the end. What
was done to a stop while the product was down is mended within the time that an emergency may take. What was lost
without a word is found when the account is read as a whole, once a minute.
"""

KILLED = replace(FAULTY, settling_s=150)
"""A process that dies when a position has just been opened, again and again, is up again by then."""

STOPS_ALONE = replace(
    FAULTY,
    naked_fault_max_ms_binance=UNPROTECTED_MS,
    naked_fault_max_ms_bybit=UNPROTECTED_MS,
)
"""Where a position can be closed and read at any time, it is closed if it can't be protected: there is no excuse."""

STOP_PATHS = frozenset({"/fapi/v1/algoOrder", "/v5/position/trading-stop"})
MOMENT_MS = 5_000

RISK, ROUNDING = Decimal("0.02"), Decimal("0.003")
"""The deployment's stop loss, and by how much of the price a tick that grew tenfold may move it."""

LOSING_SIDE, TIGHTENING = 3, 8
STOPS_GO = frozenset({"stop-vanishes", "trigger-races", "short-child", "reject-order"})
"""Where a venue takes a new stop away again after it has confirmed it, the old one is on its way out already.

And while the product is down the price may run so far that the first stop of its next life is one that trails already.
"""

HARMLESS = frozenset({"signal", "jump"})


def judge(outcome: Outcome) -> list[str]:
    """What is wrong, a line each."""
    case = Case(
        bounds=bounds_of(outcome.schedule),
        uptime=Uptime(tuple(outcome.up)),
        plans=plans_of(outcome.records, outcome.lines, deadlines=not outcome.schedule.of("clock")),
        names=NAMES,
        hosts=["127.0.0.1"],
    )
    judgement = judge_ledger((json.dumps(line) for line in outcome.lines), case)
    return [
        f"{verdict.number} {verdict.name}: {verdict.count}; {violation.venue} {violation.symbol} at "
        f"{(violation.t - judgement.first_ns) / 1e9:.3f} s, seq {violation.seq}: {violation.what}"
        for verdict in judgement.verdicts
        for violation in verdict.first[:1]
        if not (verdict.number == TIGHTENING and STOPS_GO & outcome.met.keys())
        and not (verdict.number == LOSING_SIDE and len(outcome.lives) > 1)
    ]


def bounds_of(schedule: Schedule) -> Bounds:
    """What a run is judged by depends on what goes wrong in it."""
    faults = [item for item in schedule.items if item.kind not in HARMLESS]
    if not faults:
        return CLEAN
    if all(fault.kind == "kill" for fault in faults):
        return KILLED
    return STOPS_ALONE if all(map(_leaves_closes_alone, faults)) else FAULTY


def _leaves_closes_alone(fault: Item) -> bool:
    """Stops are refused, lost or taken away, or the streams are gone for a moment; everything else gets through."""
    own = fault.own
    if own.get("name") == "streams-closed":
        return int(own["for_ms"]) <= MOMENT_MS
    return fault.kind == "rule" and (own["name"] == "stop-vanishes" or own.get("path") in STOP_PATHS)


def plans_of(records: Sequence[Record], lines: Sequence[Mapping[str, Any]], *, deadlines: bool) -> Plans:
    """What the journal says was planned, and how far from what was paid the stop may lie at most.

    With our clock off, its instants are not the venue's. On Bybit the first stop travels in the entry: it lies where
    the price was expected.
    """
    paid = _paid(lines)
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
                **({} if record.account == "bybit" else _furthest_stop(record, paid[record.position_id])),
            }
        )
        for record in records
        if isinstance(record, PositionChanged) and record.event == "planned"
    ]
    return read_plans(rows, NAMES)


def _paid(lines: Sequence[Mapping[str, Any]]) -> dict[str, list[Decimal]]:
    """The prices of all fills of entries, by position."""
    positions: dict[tuple[str, str], str] = {}
    prices: dict[str, list[Decimal]] = defaultdict(list)
    for line in lines:
        if line["kind"] == "order" and (owner := NAMES.owner(line["client_id"])) is not None and owner.leg == ENTRY:
            positions[line["venue"], line["id"]] = owner.position
        elif line["kind"] == "fill" and (position := positions.get((line["venue"], line["order"]))) is not None:
            prices[position].append(Decimal(line["price"]))
    return prices


def _furthest_stop(record: PositionChanged, paid: Sequence[Decimal]) -> Mapping[str, str]:
    if not paid:
        return {}
    if record.summary.side == "long":
        return {"stop_low": str(min(paid) * (1 - RISK - ROUNDING))}
    return {"stop_high": str(max(paid) * (1 + RISK + ROUNDING))}
