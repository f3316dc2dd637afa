"""Measuring: a figure is the median of several runs, and stands beside its budget."""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parent.parent

# A process's peak memory counts from its parent's at the fork, so the parent has to be a small one: this program.
_LAUNCHER = """
import json, os, sys, time
times, runs = [], int(sys.argv[1])
for _ in range(runs):
    quiet = [(os.POSIX_SPAWN_OPEN, n, os.devnull, os.O_RDWR, 0) for n in (1, 2)]
    began = time.perf_counter()
    pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ, file_actions=quiet)
    _, status, usage = os.wait4(pid, 0)
    times.append((time.perf_counter() - began, usage.ru_maxrss, os.waitstatus_to_exitcode(status)))
print(json.dumps(times))
"""


@frozen
class Figure:
    """One line of the table. `beside` is what it is compared with; `ok` is None where there is no budget."""

    what: str
    measured: str
    beside: str = ""
    budget: str = ""
    ok: bool | None = None


@frozen
class Cost:
    """What one command costs: seconds and peak memory in MB, medians."""

    seconds: float
    megabytes: float


def cost_of(command: Sequence[str], runs: int) -> Cost:
    """Run a command several times, its output thrown away. Raises `RuntimeError` if it fails."""
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(runs), *command]
    # With byte code on the disk, as everywhere but on a machine that forbids it: the first run writes it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(launcher, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    results = json.loads(done.stdout)
    if any(status != 0 for _, _, status in results):
        raise RuntimeError(f"{' '.join(command)} ended with status {results[0][2]}; run it alone to see why")
    return Cost(statistics.median(r[0] for r in results), statistics.median(r[1] for r in results) / 1024)


def median_s(work: Callable[[], object], runs: int) -> float:
    """The median time in seconds that `work` takes, the garbage collector as it is in production."""
    times = []
    for _ in range(runs):
        gc.collect()
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def count(value: float) -> str:
    """A large number for people: three significant digits and separators."""
    digits = max(0, len(str(int(value))) - 3)
    return f"{round(value, -digits):,.0f}"
