"""Signals in: from a wave server's push to the first order request, and what a flood of alerts costs what is open."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from framework.journal import JournalReader, journal_path
from framework.testing import SignalServer, made_now

from .flooded import SECONDS, Flooded, flood
from .measure import ROOT, Figure

ROUNDS = 5
PUSH_BUDGET_MS = 250.0
DELAY_BUDGET_MS = 50.0
GROWTH_BUDGET_MB = 20.0
RATE = 1_000
PATIENCE_S = 60
TOKEN = "bench-token"  # noqa: S105 - of a server of our own


def figures() -> list[Figure]:
    """The push, then the flood beside the same minute without one."""
    delays = sorted(asyncio.run(_pushed()) for _ in range(ROUNDS))
    quiet, loud = flood(0, SECONDS), flood(RATE, SECONDS)
    return [
        Figure(
            "wave server's push of 57 signals to the first order request on paper, a process of its own",
            f"median {delays[len(delays) // 2]:.0f} ms, worst {delays[-1]:.0f} ms",
            f"{ROUNDS} starts",
            f"≤ {PUSH_BUDGET_MS:.0f} ms",
            delays[-1] <= PUSH_BUDGET_MS,
        ),
        *_flood_figures(quiet, loud),
    ]


def _flood_figures(quiet: Flooded, loud: Flooded) -> list[Figure]:
    added = max(0.0, loud.p99_ms - quiet.p99_ms)
    answers = ", ".join(f"{count} × {status}" for status, count in sorted(loud.answers.items()))
    return [
        Figure(
            f"webhook, {loud.sent / loud.seconds:.0f} alerts a second for {loud.seconds:.0f} s: price to stop request",
            f"p50 {loud.p50_ms:.1f}, p99 {loud.p99_ms:.1f} ms, {loud.moves} moves",
            f"without a flood p50 {quiet.p50_ms:.1f}, p99 {quiet.p99_ms:.1f} ms, {quiet.moves} moves",
            f"p99 ≤ {DELAY_BUDGET_MS:.0f} ms more",
            added <= DELAY_BUDGET_MS,
        ),
        Figure(
            "the same: memory from the tenth of its time to its end; answers",
            f"{loud.grown_mb:+.1f} MB of {loud.memory_mb:.0f} MB; {loud.cpu_share:.0%} of a core; {answers}",
            f"without a flood {quiet.grown_mb:+.1f} MB, {quiet.cpu_share:.0%} of a core",
            f"≤ {GROWTH_BUDGET_MB:.0f} MB more, all answered",
            loud.grown_mb - quiet.grown_mb <= GROWTH_BUDGET_MB and "none" not in loud.answers,
        ),
    ]


async def _pushed() -> float:
    """Milliseconds from the push to the first intent of an entry, whose request leaves right after it."""
    wave = SignalServer(token=TOKEN)
    url = await wave.start()
    with TemporaryDirectory() as state:
        try:
            process = await _product(url, state)
            try:
                return await _measured(wave, process, Path(state))
            finally:
                process.terminate()
                await process.communicate()
        finally:
            await wave.stop()


async def _product(url: str, state: str) -> asyncio.subprocess.Process:
    sets = ("--set", f"signals.websocket.url={url}")
    words: Sequence[str] = ("run", "--config", "examples/live-signals/config.toml", "--state", state, *sets)
    return await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("framework")), *words, cwd=ROOT,
        env={**os.environ, "SIGNALS_TOKEN": TOKEN}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def _measured(wave: SignalServer, process: asyncio.subprocess.Process, state: Path) -> float:
    message: dict[str, Any] = json.loads((ROOT / "examples/wave-2025-10-31/signals.json").read_text(encoding="utf-8"))
    async with asyncio.timeout(PATIENCE_S):
        await wave.until(listeners=1, heard=2)
        await asyncio.sleep(1)
        signals = made_now(message["data"], datetime.now(UTC))
        pushed_ns = time.time_ns()
        await wave.push(signals)
        said = process.stdout
        while said is not None and b"decided" not in await said.readline():
            if said.at_eof():
                raise RuntimeError("the product ended before it had decided")
    with JournalReader.open(journal_path(state)) as journal:
        first_ns = min(order.sent_ns for order in journal.orders())
    return (first_ns - pushed_ns) / 1e6
