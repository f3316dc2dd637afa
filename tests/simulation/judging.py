"""Judges what a run left behind, with the oracle: ``framework simulate --judge tests.simulation.judging:judge``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

from framework import PositionChanged, Record
from framework_simulator.simulation import Outcome
from tests.oracle.bounds import Bounds
from tests.oracle.judging import Case
from tests.oracle.judging import judge as judge_ledger
from tests.oracle.names import Names
from tests.oracle.plans import Plans, read_plans
from tests.oracle.uptime import Uptime

NAMES = Names("fw")
HOUR_MS = timedelta(hours=1) // timedelta(milliseconds=1)
DEADLINE_NS = 30_000_000_000
"""The deployment's `entry_deadline_s`."""

CLEAN = Bounds(settling_s=600)
"""On Bybit a position is protected at once by a stop at the expected price; that of what was paid comes a moment later.
"""

FAULTY = Bounds(
    naked_max_ms_bybit=CLEAN.naked_max_ms_binance,
    naked_fault_max_ms_binance=7 * HOUR_MS,
    naked_fault_max_ms_bybit=7 * HOUR_MS,
    settling_s=600,
    fault_window_s=75,
)
"""While nothing of ours arrives nobody can be protected: under a fault the oracle counts, and judges the end. What
was done to a stop while the product was down is mended within the time that an emergency may take. What was lost
without a word is found when the account is read as a whole, once a minute.
"""

LOSING_SIDE, TIGHTENING = 3, 8
STOPS_GO = frozenset({"stop-vanishes", "trigger-races", "short-child", "reject-order"})
"""Where a venue takes a new stop away again after it has confirmed it, the old one is on its way out already.

And while the product is down the price may run so far that the first stop of its next life is one that trails already.
"""

HARMLESS = frozenset({"signal", "jump"})


def judge(outcome: Outcome) -> list[str]:
    """What is wrong, a line each."""
    case = Case(
        bounds=CLEAN if all(item.kind in HARMLESS for item in outcome.schedule.items) else FAULTY,
        uptime=Uptime(tuple(outcome.up)),
        plans=plans_of(outcome.records, deadlines=not outcome.schedule.of("clock")),
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
