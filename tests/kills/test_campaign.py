"""The campaign counts what it did, and a story that breaks is a violation."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

from attrs import define

from tests.kills.campaign import A_STORY, Campaign
from tests.kills.moments import Moment
from tests.kills.story import Ending, Outcome, Story


@define(eq=False)
class Tale(Story):
    """A story that nobody lives."""

    async def told(self) -> Outcome:
        if self.seed.endswith("/1"):
            raise AssertionError("it never began")
        self.outcome.endings += [Ending("fill", "fill", 1, 0.1, True) for _ in self.moments]
        return self.outcome


class Told(Campaign):
    def _story(self, number: int, size: int) -> Story:
        return Tale(f"{self.seed}/{number}", [Moment("fill", 1)] * size, Path())


def test_every_kill_is_in_a_story_and_a_story_that_breaks_is_a_violation(tmp_path: Path) -> None:
    said: list[str] = []
    out = io.StringIO()
    campaign = Told(2 * A_STORY + 1, 3, tmp_path, out, 2, said.append)

    asyncio.run(campaign.run())

    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert sorted((row["seed"], len(row["endings"])) for row in rows) == [("3/0", A_STORY), ("3/1", 0), ("3/2", 1)]
    assert campaign.violations == 1
    assert [line.strip() for line in said if "story" in line] == [
        "story 3/1: the story broke: AssertionError: it never began"
    ]
    assert campaign.report()[0].startswith(f"seed 3: {A_STORY + 1} kills in 3 stories")
    assert "fill 9" in campaign.report()[2]
