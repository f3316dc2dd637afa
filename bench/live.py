"""What it takes to open waves of 8, 20 and 50 on both venues at 100 ms a request, and to be ready for them."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen

from . import burst
from .emulator import KEY, emulator
from .measure import Figure, cost_of

SIZES = (8, 20, 50)
ROUNDS = 4
ALLOWED = {8: 1.10, 20: 1.10, 50: 1.20}
CPU_BUDGET_MS = 2.0
NAKED_TRIPS = 1.15
READY_S, READY_MB = 1.0, 100.0


@frozen
class Round:
    """One session and one run of the floor, against one emulator: waves in the order of `SIZES`."""

    ours: Sequence[burst.Wave]
    floor: Sequence[burst.Wave]
    covered_s: Sequence[float]
    naked_ms: Sequence[Sequence[float]]


def figures() -> list[Figure]:
    """Waves on each venue, then the start."""
    made = []
    for venue in ("binance", "bybit"):
        rounds: list[Round] = [burst.with_latency(partial(_round, venue=venue)) for _ in range(ROUNDS)]
        for place, size in enumerate(SIZES):
            made += _wave_figures(venue, size, rounds, place)
    return [*made, *_ready()]


def _round(urls: dict[str, Any], *, venue: str) -> Round:
    floor = burst.raw_waves(urls, venue, SIZES)
    ours = burst.product_waves(urls, venue, SIZES)
    lines = [json.loads(line) for line in burst.ask(f"{urls['control']}/ledger").splitlines()]
    judged = [burst.covering(lines, KEY, wave) for wave in ours]
    return Round(ours, floor, [covered for covered, _ in judged], [naked for _, naked in judged])


def _wave_figures(venue: str, size: int, rounds: Sequence[Round], place: int) -> list[Figure]:
    trips = burst.TRIPS[venue]
    limit_ms = trips * burst.LATENCY_MS * ALLOWED[size]
    covered = sorted(each.covered_s[place] * 1000 for each in rounds)
    known = sorted(max(each.ours[place].protected_s) * 1000 for each in rounds)
    floor = sorted(max(each.floor[place].protected_s) * 1000 for each in rounds)
    naked = sorted(ms for each in rounds for ms in each.naked_ms[place])
    cpu_ms = statistics.median(each.ours[place].cpu_s for each in rounds) * 1000 / size
    raw_cpu_ms = statistics.median(each.floor[place].cpu_s for each in rounds) * 1000 / size
    allowed_ms = 0.0 if trips == 1 else burst.LATENCY_MS * NAKED_TRIPS
    return [
        Figure(
            f"{venue}, wave of {size}: decision to last stop at the venue; to last known to us",
            f"p50 {_p(covered, 50)}, worst {_p(covered, 100)} ms; p50 {_p(known, 50)}, worst {_p(known, 100)} ms",
            f"raw aiohttp {_p(floor, 50)}, worst {_p(floor, 100)} ms; floor {trips * burst.LATENCY_MS} ms",
            f"≤ {limit_ms:.0f} ms",
            covered[-1] <= limit_ms,
        ),
        Figure(
            f"{venue}, wave of {size}: naked time a position, by the venue's ledger",
            f"p50 {_p(naked, 50)}, p99 {_p(naked, 99)}, worst {_p(naked, 100)} ms",
            f"floor {(trips - 1) * burst.LATENCY_MS} ms",
            f"≤ {allowed_ms:.0f} ms",
            naked[-1] <= allowed_ms,
        ),
        Figure(
            f"{venue}, wave of {size}: CPU a position, everything included",
            f"{cpu_ms:.1f} ms",
            f"raw aiohttp {raw_cpu_ms:.1f} ms",
            f"≤ {CPU_BUDGET_MS:.0f} ms" if size == max(SIZES) else "",
            cpu_ms <= CPU_BUDGET_MS if size == max(SIZES) else None,
        ),
    ]


def _p(values: Sequence[float], percent: int) -> str:
    """A percentile of sorted values, for people: the nearest one that was measured."""
    return f"{values[min(len(values) - 1, round((len(values) - 1) * percent / 100))]:.0f}"


def _ready() -> list[Figure]:
    """From the start of the process until both venues are connected; markets are read in that time."""
    command = str(Path(sys.executable))
    bare = cost_of([command, "-c", "pass"], runs=5)
    imported = cost_of([command, "-m", "bench.ready"], runs=3)
    with emulator() as urls:
        ready = cost_of([command, "-m", "bench.ready", json.dumps(urls)], runs=3)
    return [
        Figure(
            "kernel and both exchange plugins with ccxt in memory, no market loaded",
            f"{imported.seconds:.2f} s, {imported.megabytes:.0f} MB",
            f"bare interpreter {bare.seconds * 1000:.0f} ms, {bare.megabytes:.0f} MB",
            f"≤ {READY_S:.0f} s, ≤ {READY_MB:.0f} MB",
            imported.seconds <= READY_S and imported.megabytes <= READY_MB,
        ),
        Figure(
            "start to ready on both (emulated) venues, and down again",
            f"{ready.seconds:.2f} s, {ready.megabytes:.0f} MB",
            f"bare interpreter {bare.seconds * 1000:.0f} ms, {bare.megabytes:.0f} MB",
        ),
    ]
