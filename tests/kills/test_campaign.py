"""The campaign counts what it did; a story that breaks, and a kill that nobody judged, are failures of it."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import define

from tests.kills import campaign as campaigns
from tests.kills.campaign import A_JOB, A_STORY, Campaign, main
from tests.kills.moments import Moment
from tests.kills.report import lines_of, share
from tests.kills.story import Ending, Outcome, Story

VENUE = {"positions": 3, "entries": 3, "fills": 4, "naked_at_the_end": 0, "naked_ms": {"worst": 900.0}}
FIGURES: dict[str, Any] = {
    "binance": VENUE,
    "bybit": VENUE,
    "stops_moved": 2,
    "signals_acknowledged": 9,
    "acknowledgements_lost": 1,
    "double_openings": 2,
    "sessions_begun": 8,
    "starts_that_waited": 1,
    "requests": 50,
    "naked_up_ms": {"binance": [0.0, 40.0, 20.0], "bybit": [0.0]},
}


@define(eq=False)
class Tale(Story):
    """A story that nobody lives; the second one breaks."""

    async def told(self) -> Outcome:
        self.outcome.endings += [Ending("fill", "fill", 1, 0.1, True) for _ in self.moments]
        if self.seed.endswith("/1"):
            raise AssertionError("it never came to its end")
        self.outcome.figures, self.outcome.judged = FIGURES, True
        return self.outcome


class Told(Campaign):
    def _story(self, seed: str, moments: Sequence[Moment], directory: Path) -> Story:
        return Tale(seed, moments, directory)


def test_a_story_that_breaks_is_a_violation_and_none_of_its_kills_counts_as_judged(tmp_path: Path) -> None:
    said: list[str] = []
    out = io.StringIO()
    campaign = Told(2 * A_STORY + 1, 3, tmp_path, None, out, 1, said.append)

    asyncio.run(campaign.run())

    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert sorted((row["seed"], len(row["endings"]), row["judged"]) for row in rows) == [
        ("3/0", A_STORY, True),
        ("3/1", A_STORY, False),
        ("3/2", 1, True),
    ]
    assert (campaign.violations, campaign.unjudged) == (1, A_STORY)
    assert [line.strip() for line in said if "story" in line] == [
        "story 3/1: the story broke: AssertionError: it never came to its end"
    ]
    assert campaign.report()[0].startswith(f"seed 3: {2 * A_STORY + 1} kills in 3 stories")


def test_one_story_is_told_again_by_its_number_with_the_same_moments(tmp_path: Path) -> None:
    whole, again = Told(3 * A_STORY, 3, tmp_path), Told(3 * A_STORY, 3, tmp_path, say=lambda line: None)

    asyncio.run(again.run(only=2))

    assert [one.seed for one in again.outcomes] == ["3/2"]
    assert again.story(2).moments == whole.story(2).moments != whole.story(0).moments


def test_for_each_processor_so_many_stories_are_told_at_a_time(tmp_path: Path) -> None:
    at_once = most = 0

    class Slow(Campaign):
        def _story(self, seed: str, moments: Sequence[Moment], directory: Path) -> Story:
            return Counted(seed, moments, directory)

    class Counted(Story):
        async def told(self) -> Outcome:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            for _ in range(5):
                await asyncio.sleep(0)
            at_once -= 1
            return self.outcome

    asyncio.run(Slow(20 * A_STORY, 3, tmp_path, jobs=2, say=lambda line: None).run())

    assert most == 2 * A_JOB


@pytest.mark.parametrize(
    ("problems", "judged", "status"), [([], True, 0), (["signal 1-0 is lost"], True, 1), ([], False, 1)]
)
def test_the_command_fails_when_something_was_wrong_and_when_something_was_not_judged(
    problems: list[str], judged: bool, status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Fixed(Story):
        async def told(self) -> Outcome:
            self.outcome.problems, self.outcome.judged = problems, judged
            return self.outcome

    monkeypatch.setattr(campaigns, "Story", Fixed)

    assert main(["--count", "3", "--out", str(tmp_path / "kills.jsonl")]) == status


def test_a_story_that_is_not_in_the_campaign_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--count", "16", "--story", "2"])

    assert "told in 2 stories: there is no story 2" in capsys.readouterr().err


def test_the_report_says_what_was_wrong_when_lives_were_ended_and_how_long_positions_were_naked() -> None:
    endings = [
        Ending("anytime", "anytime", 0, 1.0, True),
        Ending("order", "late", 8, 1.0, True),
        Ending("reading", "reading", 2, 1.0, False, recovering=True),
        Ending("fill", "", 2, 1.0, True),
    ]
    outcomes = [
        Outcome("3/0", 4, judged=True, endings=endings, figures=FIGURES),
        Outcome("3/1", 8, problems=["the story broke"]),
    ]

    lines = lines_of(3, outcomes, 2.0)

    assert lines[0] == "seed 3: 4 kills in 2 stories and 0.0 min (2.00 a second)"
    assert lines[1].strip() == ("1 violations, 8 kills unjudged, 2 double openings, 1 acknowledgements lost")
    assert lines[2].strip() == (
        "killed at a random moment 2, at a chosen one 1; of these while recovering 1, before the session was up 1"
    )
    assert lines[3].strip() == "killed at: its own end 1, anytime 1, late 1, reading 1"
    assert "naked while up p99 40 ms, worst 40 ms; with the time it was down worst 900 ms" in lines[4]
    assert lines[6].strip() == (
        "requests 50, stops moved 2, signals acknowledged 9, sessions begun 8, starts that waited 1"
    )
    assert share([1.0, 2.0, 3.0, 4.0], 50) == 2.0
