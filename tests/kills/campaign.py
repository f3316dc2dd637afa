"""The campaign: story after story, several at a time, until so many lives have been ended; and what came of it.

``python -m tests.kills --count 1000 --seed 0 --out kills.jsonl``; ``--story 17`` tells one story of it again. Exit
status: 0 every kill was judged and nothing was wrong, 1 otherwise.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TextIO

from attrs import asdict, define, field

from .moments import Moment, drawn
from .nursery import Nursery
from .report import lines_of
from .story import Outcome, Story

A_STORY = 8
"""Kills in one story. So many starts within a minute use up much of what Binance allows an address."""

A_JOB = 2
"""Stories at a time for each processor: while one waits for its product, another one's is busy."""


@define(eq=False)
class Campaign:
    """Tells stories until `count` lives were ended. `say` is given a line now and then, `out` each result."""

    count: int
    seed: int
    scratch: Path
    nursery: Nursery | None = None
    out: TextIO | None = None
    jobs: int = 1
    say: Callable[[str], None] = print
    outcomes: list[Outcome] = field(factory=list, init=False)
    _begun: float = field(factory=time.monotonic, init=False)

    @property
    def violations(self) -> int:
        """How many things were wrong."""
        return sum(len(one.problems) for one in self.outcomes)

    @property
    def unjudged(self) -> int:
        """How many of the kills that were planned nobody has judged."""
        return sum(one.unjudged for one in self.outcomes)

    async def run(self, only: int | None = None) -> None:
        """Tell all stories, or `only` one of them, by its number."""
        waiting = self._stories() if only is None else iter([self.story(only)])
        await asyncio.gather(*(self._tell(waiting) for _ in range(A_JOB * self.jobs)))

    def story(self, number: int) -> Story:
        """A story by its number. The last one is shorter where the count is no multiple."""
        seed = f"{self.seed}/{number}"
        chance = Random(seed)
        size = min(A_STORY, self.count - number * A_STORY)
        return self._story(seed, [drawn(chance) for _ in range(size)], self.scratch / str(number))

    def report(self) -> list[str]:
        """The figures, a line each."""
        return lines_of(self.seed, self.outcomes, time.monotonic() - self._begun)

    def _stories(self) -> Iterator[Story]:
        return (self.story(number) for number in range(-(-self.count // A_STORY)))

    def _story(self, seed: str, moments: Sequence[Moment], directory: Path) -> Story:
        return Story(seed, moments, directory, self.nursery)

    async def _tell(self, waiting: Iterator[Story]) -> None:
        for story in waiting:
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


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; answers its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description="Kills the product, and looks at it.")
    parser.add_argument("--count", type=int, default=1000, metavar="N", help="how many kills (1000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="what chance follows (0)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="how many processors to keep busy (1)")
    parser.add_argument("--story", type=int, metavar="N", help="tell only this story of the campaign")
    parser.add_argument("--out", type=Path, metavar="FILE", help="a line of JSON for each story")
    wish = parser.parse_args(arguments)
    if wish.story is not None and not 0 <= wish.story * A_STORY < wish.count:
        parser.error(
            f"{wish.count} kills are told in {-(-wish.count // A_STORY)} stories: there is no story {wish.story}"
        )
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    with TemporaryDirectory() as scratch, Nursery.opened() as nursery:
        out = None if wish.out is None else _opened(wish.out)
        campaign = Campaign(wish.count, wish.seed, Path(scratch), nursery, out, wish.jobs)
        try:
            asyncio.run(campaign.run(wish.story))
        finally:
            if out is not None:
                out.close()
    print("\n".join(campaign.report()))  # noqa: T201 - a command
    return 1 if campaign.violations or campaign.unjudged else 0


def _opened(path: Path) -> TextIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w", encoding="utf-8")
