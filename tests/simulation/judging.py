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
from framework_simulator.simulation import Outcome, Schedule
from tests.oracle.bounds import NS_PER_MS, NS_PER_S, Bounds
from tests.oracle.judging import Case, Judgement
from tests.oracle.judging import judge as judge_ledger
from tests.oracle.names import ENTRY, Names
from tests.oracle.outages import Window
from tests.oracle.plans import Plans, read_plans
from tests.oracle.uptime import Uptime
from tests.simulation.windows import absences, impossible, unheard

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

EXPECTED_NS = 15 * NS_PER_S
"""A price may be so old when an entry arrives that was planned with it."""

HARMLESS = frozenset({"signal", "jump"})
GENTLE = HARMLESS | {"kill"}
WHOSE = frozenset({1, 13})
"""Where somebody else adds to a position of ours, what is left when ours is closed is theirs: the policy is to leave it
alone. The ledger can't tell it from ours.
"""

TAKES_AWAY = frozenset({"stop-vanishes"})


def judge(
    outcome: Outcome, bounds: Bounds | None = None, shut: Mapping[str, Sequence[Window]] | None = None
) -> list[str]:
    """What is wrong, a line each. How long positions were naked is added to the outcome's figures.

    `bounds`: those of the schedule, unless told. `shut`: more times at which nothing could be done, by venue.
    """
    outages = impossible(outcome.lines)
    if outcome.schedule.keeps_time:  # else the instants of records are not the venue's
        for venue, away in absences(outcome.records, outcome.lines).items():
            outages.setdefault(venue, []).extend(away)
    for venue, windows in (shut or {}).items():
        outages.setdefault(venue, []).extend(windows)
    case = Case(
        bounds=bounds or bounds_of(outcome.schedule),
        uptime=Uptime(tuple(outcome.up)),
        plans=plans_of(outcome.records, outcome.lines, deadlines=not outcome.schedule.of("clock")),
        names=NAMES,
        hosts=["127.0.0.1"],
        outages=outages,
        unheard=unheard(outcome.lines, _lag_s(outcome.schedule)),
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


def is_gentle(schedule: Schedule) -> bool:
    """Whether requests and streams do what they should: only prices, deaths and late reads."""
    return all(item.kind in GENTLE or item.own.get("name") == "stale-reads" for item in schedule.items)


def _lag_s(schedule: Schedule) -> int:
    """How old what reads show may be."""
    return max((int(item.own.get("lag_ms", 0)) for item in schedule.items), default=0) // 1_000


def bounds_of(schedule: Schedule) -> Bounds:
    """Where nothing goes wrong, a stop may take one round trip on Binance, after each fill of an entry.

    Where the price has passed the stop before it rests, it is refused, and the close that follows is one turn more.

    On Bybit it may take no time, unless the venue itself takes stops away: then, after that, as long as on Binance.
    Where reads are late, what nobody tells is seen twice as much later: if nothing else goes wrong, only what happened
    while the process was down, and on Binance.
    """
    bounds, late_s = STRICT, 2 * _lag_s(schedule)
    if is_gentle(schedule):
        bounds = replace(bounds, naked_turn_ms_binance=ROUND_TRIP * schedule.latency_ms + MARGIN_MS)
        if not late_s:
            return bounds
        bounds = replace(bounds, naked_blind_max_ms_binance=bounds.naked_max_ms_binance + 1_000 * late_s)
        return _patient(bounds, late_s)
    if any(item.own.get("name") in TAKES_AWAY for item in schedule.items):
        bounds = replace(bounds, naked_taken_max_ms=bounds.naked_max_ms_binance + 1_000 * late_s)
    if late_s:
        bounds = replace(bounds, naked_max_ms_bybit=bounds.naked_max_ms_binance + 1_000 * late_s)
    bounds = replace(bounds, naked_max_ms_binance=bounds.naked_max_ms_binance + 1_000 * late_s)
    return _patient(bounds, late_s)


def _patient(bounds: Bounds, late_s: int) -> Bounds:
    """What only reads can tell is judged so much later."""
    return replace(
        bounds,
        settling_s=bounds.settling_s + late_s,
        flat_bound_s=bounds.flat_bound_s + late_s,
        liveness_s=bounds.liveness_s + late_s,
    )


def plans_of(records: Sequence[Record], lines: Sequence[Mapping[str, Any]], *, deadlines: bool) -> Plans:
    """What the journal says was planned, how far from what was paid the stop lies, and how far behind the market.

    With our clock off, its instants are not the venue's. On Bybit the first stop travels in the entry: it lies where
    the price was expected.
    """
    prices = _prices(lines)
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
                **_first_stop(record, prices[record.position_id], rounding),
            }
        )
        for record in records
        if isinstance(record, PositionChanged) and record.event == "planned"
    ]
    return read_plans(rows, NAMES)


def _prices(lines: Sequence[Mapping[str, Any]]) -> dict[str, list[Decimal]]:
    """By position, the prices that its first stop may follow from: those of the fills of its entries.

    On Bybit also those of the market since a little before each entry arrived: one of them was expected.
    """
    prices: dict[str, list[Decimal]] = defaultdict(list)
    positions: dict[tuple[str, str], str] = {}
    quotes: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for line in lines:
        if line["kind"] == "price":
            quotes[line["venue"], line["symbol"]].append(line)
        elif line["kind"] == "order" and (owner := NAMES.owner(line["client_id"])) is not None and owner.leg == ENTRY:
            if positions.setdefault((line["venue"], line["id"]), owner.position) and line["venue"] == "bybit":
                prices[owner.position] += _lately(quotes["bybit", line["symbol"]], line["t"])
        elif line["kind"] == "fill" and (position := positions.get((line["venue"], line["order"]))) is not None:
            prices[position].append(Decimal(line["price"]))
    return prices


def _lately(quotes: Sequence[Mapping[str, Any]], now_ns: int) -> list[Decimal]:
    """The prices of a market that may be taken for its price now."""
    found: list[Decimal] = []
    for quote in reversed(quotes):
        found += [Decimal(quote[name]) for name in ("bid", "ask", "last")]
        if quote["t"] <= now_ns - EXPECTED_NS:
            break
    return found


def _first_stop(record: PositionChanged, prices: Sequence[Decimal], rounding: Decimal) -> Mapping[str, str]:
    """Where it may lie: it follows from the average of what was paid so far, or from what was expected."""
    if not prices:
        return {}
    stop = 1 - RISK if record.summary.side == "long" else 1 + RISK
    return {"stop_low": str(min(prices) * (stop - rounding)), "stop_high": str(max(prices) * (stop + rounding))}
