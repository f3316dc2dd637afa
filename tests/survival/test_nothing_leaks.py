"""Every test here ends with a count of tasks and descriptors; these look at what adds up."""

from __future__ import annotations

from pathlib import Path

from tests.survival.house import SYMBOLS, built, play, running
from tests.survival.leaks import descriptors

VENUES, CYCLES = 3, 9
"""Fifty sessions and more, on both venues: one venue allows only so many starts within a minute."""


def test_sessions_that_come_and_go_leave_no_task_and_no_descriptor(venue: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        for number in range(VENUES):
            # Nor so many within a second: the product would wait, and that is not what is looked at here.
            async with built(venue, tmp_path / str(number), rate_limits=False) as house:
                async with running(house, rate_budget_percent="1000") as run:
                    await run.open(SYMBOLS[0])
                before = len(descriptors())
                for _ in range(CYCLES - 1):
                    async with running(house, rate_budget_percent="1000"):
                        pass  # what it leaves behind is looked at when it ends
                assert len(descriptors()) <= before
                assert len(house.triggers(SYMBOLS[0])) == 1
                house.check()

    play(scenario)
