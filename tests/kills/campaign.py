"""The campaign: story after story, several at a time, until so many lives have been ended; and what came of it.

``python -m tests.kills --count 1000 --seed 0 --out kills.jsonl``. Exit status: 0 no violation, 1 some.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, TextIO

from attrs import asdict, define, field

from .moments import drawn
from .story import Outcome, Story

A_STORY = 8
"""Kills in one story. So many starts within a minute use up most of what Binance allows an address: some 190 each."""

AT_ONCE = 2


@define(eq=False)
class Campaign:
    """Tells stories until `count` lives were ended. `say` is given a line now and then, `out` each result."""

    count: int
    seed: int
    scratch: Path
    out: TextIO | None = None
    at_once: int = AT_ONCE
    say: Callable[[str], None] = print
    outcomes: list[Outcome] = field(factory=list, init=False)
    _begun: float = field(factory=time.monotonic, init=False)

    @property
    def violations(self) -> int:
        """How many things were wrong."""
        return sum(len(one.problems) for one in self.outcomes)

    async def run(self) -> None:
        """Do it."""
        sizes = [min(A_STORY, self.count - begun) for begun in range(0, self.count, A_STORY)]
        waiting = [self._story(number, size) for number, size in enumerate(sizes)]
        await asyncio.gather(*(self._tell(waiting) for _ in range(self.at_once)))

    def _story(self, number: int, size: int) -> Story:
        seed = f"{self.seed}/{number}"
        chance = Random(seed)
        return Story(seed, [drawn(chance) for _ in range(size)], self.scratch / str(number))

    async def _tell(self, waiting: list[Story]) -> None:
        while waiting:
            story = waiting.pop(0)
            try:
                outcome = await story.told()
            except Exception as error:  # one story that breaks must not hide the others
                outcome = story.outcome
                outcome.problems.append(f"the story broke: {type(error).__name__}: {error}")
            self._add(outcome)

    def _add(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        if self.out is not None:
            self.out.write(json.dumps(asdict(outcome)) + "\n")
            self.out.flush()
        kills = sum(len(one.endings) for one in self.outcomes)
        minutes = (time.monotonic() - self._begun) / 60
        self.say(f"{kills} of {self.count} kills in {minutes:.1f} min, {self.violations} violations")
        for problem in outcome.problems:
            self.say(f"  story {outcome.seed}: {problem}")

    def report(self) -> list[str]:
        """The figures, a line each."""
        endings = [one for outcome in self.outcomes for one in outcome.endings]
        struck = Counter(one.struck for one in endings)
        minutes = (time.monotonic() - self._begun) / 60
        lines = [
            f"seed {self.seed}: {len(endings)} kills in {len(self.outcomes)} stories and {minutes:.1f} min, "
            f"{self.violations} violations",
            f"  killed while starting or before its session was up: {sum(not one.was_up for one in endings)}",
            "  killed at: " + ", ".join(f"{kind} {count}" for kind, count in sorted(struck.items())),
        ]
        for venue in ("binance", "bybit"):
            told = [one.figures[venue] for one in self.outcomes if venue in one.figures]
            lines.append(
                f"  {venue}: {_sum(told, 'positions')} positions, {_sum(told, 'entries')} entries, "
                f"{_sum(told, 'fills')} fills, {_sum(told, 'naked_at_the_end')} naked at the end; longest naked "
                f"{max((one['naked_ms']['worst'] for one in told), default=0):.0f} ms with the time it was down"
            )
        figures = [one.figures for one in self.outcomes if one.figures]
        names = ("requests", "stops_moved", "signals_acknowledged", "sessions_begun")
        lines.append("  " + ", ".join(f"{name.replace('_', ' ')} {_sum(figures, name)}" for name in names))
        return lines


def _sum(rows: Sequence[dict[str, Any]], name: str) -> int:
    return sum(row[name] for row in rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; answers its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description="Kills the product, and looks at it.")
    parser.add_argument("--count", type=int, default=1000, metavar="N", help="how many kills (1000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="what chance follows (0)")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, metavar="N", help=f"stories at a time ({AT_ONCE})")
    parser.add_argument("--out", type=Path, metavar="FILE", help="a line of JSON for each story")
    wish = parser.parse_args(arguments)
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    with TemporaryDirectory() as scratch:
        out = None if wish.out is None else _opened(wish.out)
        campaign = Campaign(wish.count, wish.seed, Path(scratch), out, wish.at_once)
        try:
            asyncio.run(campaign.run())
        finally:
            if out is not None:
                out.close()
    print("\n".join(campaign.report()))  # noqa: T201 - a command
    return 1 if campaign.violations else 0


def _opened(path: Path) -> TextIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w", encoding="utf-8")
