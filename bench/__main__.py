"""``python -m bench``: what things cost, each figure beside its budget. Takes some six minutes."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from . import decisions, emulator, journal, live, restart, signals, start, ticks
from .measure import Figure

PARTS: tuple[Callable[[], list[Figure]], ...] = (
    start.figures,
    decisions.figures,
    journal.figures,
    ticks.figures,
    emulator.figures,
    live.figures,
    restart.figures,
    signals.figures,
)


def main() -> None:
    """Measure everything, and print the table."""
    table = Table(title=f"Python {platform.python_version()}, {platform.machine()}; medians", title_justify="left")
    for heading in ("what", "measured", "beside, in the same run", "budget", ""):
        table.add_column(heading, overflow="fold")
    verdicts = []
    for part in PARTS:
        for figure in part():
            word = {True: "ok", False: "MISSED", None: ""}[figure.ok]
            table.add_row(figure.what, figure.measured, figure.beside, figure.budget, word)
            verdicts += [] if figure.ok is None else [figure.ok]
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)
    console.print(f"{sum(verdicts)} of {len(verdicts)} budgets are met")


if __name__ == "__main__":
    main()
