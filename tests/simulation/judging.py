"""Judges what a run left behind, with the oracle: ``framework simulate --judge tests.simulation.judging:judge``."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from framework import Event, PositionChanged, Record, SessionStarted
from framework_simulator.simulation import Outcome, Schedule
from tests.oracle.bounds import NS_PER_MS, NS_PER_S, Bounds
from tests.oracle.judging import Case, Judgement
from tests.oracle.judging import judge as judge_ledger
from tests.oracle.names import ENTRY, Names
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
    crossing_ms=500,
)
"""Under a fault is only what is so by the schedule: nothing of ours gets through. That may last as long as it does."""

RISK, TRAIL = Decimal("0.02"), Decimal("0.005")
"""The deployment's stop loss and trailing distance."""

ROUNDING, COARSE = Decimal("0.0002"), Decimal("0.002")
"""By how much of the price a tick may move a stop; and one that grew tenfold, to which stops are rounded tighter."""

HARMLESS = frozenset({"signal", "jump"})
WHOSE = frozenset({1, 13})
"""Where somebody else adds to a position of ours, what is left when ours is closed is theirs: the policy is to leave it
alone. The ledger can't tell it from ours.
"""

PASSED = -2021
"""Binance refuses a stop that would trigger at once."""

TAKES_AWAY = frozenset({"stop-vanishes"})
UNTOLD = frozenset({"frame-lost", "frame-late", "lose-event", "delay-event"})
DEAF = UNTOLD | {"partition-all", "listen-keys-expire", "streams-silent", "streams-closed"}
READ_EVERY_S = 60
"""The deployment's `reconcile_every_s`: a stop that is gone without a word is missed by the next reading."""

SILENCES_S = {"rate-limited": 10, "banned": 120, "forbidden": 600}
"""How long a venue wants not to hear of us where its answer does not say: the emulator's defaults, and Bybit's rule."""


def judge(
    outcome: Outcome, bounds: Bounds | None = None, shut: Mapping[str, Sequence[Window]] | None = None
) -> list[str]:
    """What is wrong, a line each. How long positions were naked is added to the outcome's figures.

    `bounds`: those of the schedule, unless told. `shut`: more times at which nothing could be done, by venue.
    """
    outages = impossible(outcome.lines)
    if outcome.schedule.keeps_time:  # else the instants of records are not the venue's
        for venue, away in absences(outcome.records).items():
            outages.setdefault(venue, []).extend(away)
    for venue, windows in (shut or {}).items():
        outages.setdefault(venue, []).extend(windows)
    case = Case(
        bounds=bounds or bounds_of(outcome.schedule, turns_of(outcome.lines) + passed_of(outcome.lines)),
        uptime=Uptime(tuple(outcome.up)),
        plans=plans_of(outcome.records, outcome.lines, deadlines=not outcome.schedule.of("clock")),
        names=NAMES,
        hosts=["127.0.0.1"],
        outages=outages,
    )
    judgement = judge_ledger((json.dumps(line) for line in outcome.lines), case)
    _measure(outcome, judgement)
    touched = outcome.schedule.touched
    return [
        f"{verdict.number} {verdict.name}: {verdict.count}; {violation.venue} {violation.symbol} at "
        f"{(violation.t - judgement.first_ns) / 1e9:.3f} s, seq {violation.seq}: {violation.what}"
        for verdict in judgement.verdicts
        for violation in verdict.first[:1]
        if not (verdict.number in WHOSE and verdict.count == 1 and (violation.venue, violation.symbol) in touched)
    ]


def _measure(outcome: Outcome, judgement: Judgement) -> None:
    """Add how long each position was naked, in ms; apart, where nothing goes wrong and where reads are late."""
    apart = ", reads late" if _lag_s(outcome.schedule) else ", no faults" if is_harmless(outcome.schedule) else ""
    for bare in judgement.naked:
        if (bare.venue, bare.symbol) not in outcome.schedule.touched:
            name = f"naked ms on {bare.venue}{apart}"
            outcome.figures[name].append(bare.up_ns / NS_PER_MS)
            outcome.figures[f"{name}, while nothing could be done"].append((bare.down_ns + bare.fault_ns) / NS_PER_MS)


def is_harmless(schedule: Schedule) -> bool:
    """Whether nothing goes wrong but prices."""
    return all(item.kind in HARMLESS for item in schedule.items)


def _lag_s(schedule: Schedule) -> int:
    """How old what reads show may be."""
    return max((int(item.own.get("lag_ms", 0)) for item in schedule.items), default=0) // 1_000


def bounds_of(schedule: Schedule, turns: int = 1) -> Bounds:
    """Where nothing goes wrong, a stop may take one round trip on Binance, for each of the `turns` of an entry.

    Where the price has passed the stop before it rests, it is refused, and the close that follows is one turn more.

    On Bybit it may take no time, unless the venue itself takes stops away: then as long as on Binance. Where reads are
    late, what nobody tells is seen twice as much later; where the venue's word of a stop that it took away may be lost,
    with the next reading.
    """
    if is_harmless(schedule):
        return replace(STRICT, naked_max_ms_binance=turns * (ROUND_TRIP * schedule.latency_ms + MARGIN_MS))
    bounds, late_s = STRICT, 2 * _lag_s(schedule)
    kinds = {str(item.own.get("name", "")) for item in schedule.items} | {
        kind for item in schedule.of("weather") for kind in item.own
    }
    takes_away = bool(kinds & TAKES_AWAY)
    naked_s = late_s + (READ_EVERY_S if takes_away and kinds & UNTOLD else 0)
    if late_s or takes_away:
        bounds = replace(bounds, naked_max_ms_bybit=bounds.naked_max_ms_binance + 1_000 * naked_s)
    return replace(
        bounds,
        naked_max_ms_binance=bounds.naked_max_ms_binance + 1_000 * naked_s,
        settling_s=bounds.settling_s + late_s,
        flat_bound_s=bounds.flat_bound_s + late_s,
        liveness_s=bounds.liveness_s + late_s,
    )


def impossible(lines: Sequence[Mapping[str, Any]]) -> dict[str, list[Window]]:
    """When nothing could be done at a venue: requests do not get through, or it has asked not to hear of us.

    Or nothing could be known: reads do not get through, and something keeps streams from telling.
    """
    windows: dict[str, list[Window]] = {}
    untold = {line["venue"] for line in lines if line["kind"] == "fault" and line["name"] in DEAF}
    for line in lines:
        if line["kind"] != "fault":
            continue
        told = line.get("parameters") or {}
        deaf = line["name"] == "partition-reads" and line["venue"] in untold
        if deaf or line["name"] in ("partition-all", "partition-writes"):
            lasts_ns = told["for_ms"] * NS_PER_MS
        elif line["name"] in SILENCES_S:
            lasts_ns = int(told.get("retry_after_s", SILENCES_S[line["name"]])) * NS_PER_S
        else:
            continue
        windows.setdefault(line["venue"], []).append((line["t"], line["t"] + lasts_ns))
    return windows


def absences(records: Sequence[Record]) -> dict[str, list[Window]]:
    """When an account was not connected while others were: from the start of the session until it was."""
    windows: dict[str, list[Window]] = {}
    since_ns = 0
    for record in records:
        if isinstance(record, SessionStarted):
            since_ns = record.time_ns
        elif isinstance(record, Event) and record.code == "account_up":
            windows.setdefault(record.account, []).append((since_ns, record.time_ns))
    return windows


def plans_of(records: Sequence[Record], lines: Sequence[Mapping[str, Any]], *, deadlines: bool) -> Plans:
    """What the journal says was planned, how far from what was paid the stop lies, and how far behind the market.

    With our clock off, its instants are not the venue's. On Bybit the first stop travels in the entry: it lies where
    the price was expected.
    """
    paid = _paid(lines)
    has_grown = any(line["kind"] == "fault" and line["name"] == "filters-change" for line in lines)
    rounding = COARSE if has_grown else ROUNDING
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
                "trails_by": str(TRAIL - rounding),
                **({} if record.account == "bybit" else _first_stop(record, paid[record.position_id], rounding)),
            }
        )
        for record in records
        if isinstance(record, PositionChanged) and record.event == "planned"
    ]
    return read_plans(rows, NAMES)


def turns_of(lines: Sequence[Mapping[str, Any]]) -> int:
    """At how many instants a position grew at most: each needs a stop of its own."""
    instants = {position: {line["t"] for line in fills} for position, fills in _entered(lines).items()}
    return max(map(len, instants.values()), default=1)


def passed_of(lines: Sequence[Mapping[str, Any]]) -> int:
    """How many stops were refused because the price had passed them already."""
    return sum(1 for line in lines if line["kind"] == "response" and line["code"] == PASSED)


def _paid(lines: Sequence[Mapping[str, Any]]) -> dict[str, list[Decimal]]:
    """The prices of all fills of entries, by position."""
    prices = {position: [Decimal(line["price"]) for line in fills] for position, fills in _entered(lines).items()}
    return defaultdict(list, prices)


def _entered(lines: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """All fills of entries, by position."""
    positions: dict[tuple[str, str], str] = {}
    fills: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for line in lines:
        if line["kind"] == "order" and (owner := NAMES.owner(line["client_id"])) is not None and owner.leg == ENTRY:
            positions[line["venue"], line["id"]] = owner.position
        elif line["kind"] == "fill" and (position := positions.get((line["venue"], line["order"]))) is not None:
            fills[position].append(line)
    return fills


def _first_stop(record: PositionChanged, paid: Sequence[Decimal], rounding: Decimal) -> Mapping[str, str]:
    """Where it may lie: it follows from the average of what was paid so far."""
    if not paid:
        return {}
    stop = 1 - RISK if record.summary.side == "long" else 1 + RISK
    return {"stop_low": str(min(paid) * (stop - rounding)), "stop_high": str(max(paid) * (stop + rounding))}
