"""How long the command takes to help, and to play the whole default deployment."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from .measure import Figure, cost_of

HELP_BUDGET_S = 0.150


def figures() -> list[Figure]:
    """Time and peak memory of the command, beside a bare interpreter in the same run."""
    command = str(Path(sys.executable).with_name("framework"))
    bare = cost_of([sys.executable, "-c", "pass"], runs=15)
    helping = cost_of([command, "--help"], runs=15)
    with TemporaryDirectory() as state:
        whole = cost_of([command, "run", "--config", "config.toml", "--state", state], runs=5)
    interpreter = f"bare interpreter {bare.seconds * 1000:.0f} ms, {bare.megabytes:.0f} MB"
    return [
        Figure(
            "framework --help",
            f"{helping.seconds * 1000:.0f} ms, {helping.megabytes:.0f} MB",
            interpreter,
            f"≤ {HELP_BUDGET_S * 1000:.0f} ms",
            helping.seconds <= HELP_BUDGET_S,
        ),
        Figure("the whole default run", f"{whole.seconds:.2f} s, {whole.megabytes:.0f} MB", interpreter),
    ]
