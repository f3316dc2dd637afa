"""How long after a kill fifty open positions are verified against the venues again, at 100 ms a request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

from attrs import frozen

from . import burst
from .measure import ROOT, Figure

EACH = 25
RUNS = 3
BUDGET_S = 5.0
PATIENCE_S = 60.0
REST_S = 2.0
"""What follows an opening (reads of its executions) is over after so long."""


@frozen
class Restart:
    """One restart: seconds from the start of the process until all is verified, and the requests that it took."""

    seconds: float
    requests: int


def figures() -> list[Figure]:
    """Restarts over positions that were at rest, and over a wave whose entries nobody has heard the answers of."""
    made = []
    for what, in_doubt in (("at rest", False), ("killed before any answer to the entries", True)):
        runs: list[Restart] = [burst.with_latency(partial(_restart, in_doubt=in_doubt)) for _ in range(RUNS)]
        worst = max(each.seconds for each in runs)
        seconds = ", ".join(f"{each.seconds:.2f}" for each in runs)
        requests = max(each.requests for each in runs)
        made.append(
            Figure(
                f"restart with {2 * EACH} open positions, {what}: start of the process to all verified",
                f"{seconds} s",
                f"{requests} requests at {burst.LATENCY_MS} ms",
                f"≤ {BUDGET_S:.0f} s",
                worst <= BUDGET_S,
            )
        )
    return made


def _restart(urls: dict[str, Any], *, in_doubt: bool) -> Restart:
    symbols = {venue: burst.tradable(venue)[:EACH] for venue in ("binance", "bybit")}
    with TemporaryDirectory() as state:
        first = _begin(state, urls, symbols, "open")
        try:
            if in_doubt:
                _until_filled(urls)
            else:
                _until_verified(first)
                time.sleep(REST_S)
        finally:
            first.kill()
            first.wait()
        asked = _requests(urls)
        began = time.perf_counter()
        second = _begin(state, urls, symbols)
        try:
            _until_verified(second)
            return Restart(time.perf_counter() - began, _requests(urls) - asked)
        finally:
            second.kill()
            second.wait()


def _begin(state: str, urls: dict[str, Any], symbols: dict[str, list[str]], *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.restarted", state, json.dumps(urls), json.dumps(symbols), *words]
    # With byte code on the disk, as everywhere but on a machine that forbids it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def _until_verified(process: subprocess.Popen[str]) -> None:
    if process.stdout is None or process.stdout.readline() != "verified\n":
        raise RuntimeError(f"the process ended with status {process.wait()} before its positions were verified")


def _until_filled(urls: dict[str, Any]) -> None:
    """Wait until every entry has been filled: its answer is on its way for another 100 ms."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        state = json.loads(burst.ask(f"{urls['control']}/state"))
        if _held(state) == 2 * EACH:
            return
    raise RuntimeError(f"not all of {2 * EACH} entries were filled within {PATIENCE_S:.0f} s")


def _held(state: dict[str, Any]) -> int:
    accounts = [account for venue in state["venues"].values() for account in venue["accounts"].values()]
    return sum(len(account["positions"]) for account in accounts)


def _requests(urls: dict[str, Any]) -> int:
    lines = burst.ask(f"{urls['control']}/ledger").splitlines()
    return sum(json.loads(line)["kind"] == "request" for line in lines)


__all__ = ["figures"]
