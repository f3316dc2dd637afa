"""A few kills at chosen moments; ``make kills`` does a thousand, at moments that a seed draws."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.kills import moments
from tests.kills.house import House, until
from tests.kills.moments import KINDS, MOST, READINGS, Doom, Moment, drawn
from tests.kills.product import Process
from tests.kills.story import Story

CHOSEN = (
    Moment("order", 1),
    Moment("answer", 1),
    Moment("fill", 2),
    Moment("stop", 3),
    Moment("commit", 12),
    Moment("acknowledged", 1),
    Moment("event", 4, breath_s=0.001),
    Moment("printed", 3),
    Moment("request", 6),
    Moment("reading", 2),
    Moment("starting", delay_s=0.5),
)


def test_whenever_the_product_is_killed_nothing_is_naked_nothing_is_lost_and_nothing_is_opened_twice(
    tmp_path: Path,
) -> None:
    outcome = asyncio.run(Story("fixed", CHOSEN, tmp_path).told())

    assert outcome.problems == []
    assert len(outcome.endings) == len(CHOSEN)
    assert outcome.figures["binance"]["entries"] + outcome.figures["bybit"]["entries"] > 0


def test_a_moment_that_is_met_before_anybody_knows_of_the_process_ends_it_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story, run = Story("early", (Moment("printed", 1),), tmp_path), House.run

    async def told_late(house: House, *words: str, **how: Any) -> Process:
        life = await run(house, *words, **how)
        doom = story._doom
        if doom is not None:
            await until(lambda: doom.struck != "", "the moment is met")
        return life

    monkeypatch.setattr(House, "run", told_late)
    outcome = asyncio.run(story.told())

    assert outcome.problems == []
    assert [ending.struck for ending in outcome.endings] == ["printed"]


def test_every_kind_of_moment_is_drawn_and_the_same_seed_draws_the_same() -> None:
    many = [drawn(Random(seed)) for seed in range(200)]

    assert {moment.kind for moment in many} == set(KINDS)
    assert many == [drawn(Random(seed)) for seed in range(200)]
    assert all(1 <= moment.count <= MOST[moment.kind] for moment in many if moment.kind in MOST)


def test_a_life_that_never_comes_up_is_ended_and_the_moment_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moments, "UP_WITHIN_S", 0.01)

    async def scenario() -> None:
        struck = asyncio.Event()
        doom = Doom(Moment("fill", 1), struck.set, tmp_path / "journal.db")
        doom.born()
        await struck.wait()
        assert doom.struck == moments.NEVER

    asyncio.run(scenario())


def test_a_life_recovers_until_everything_that_tells_what_is_open_was_read(tmp_path: Path) -> None:
    def line(kind: str, number: int, venue: str = "", path: str = "") -> dict[str, Any]:
        return {"kind": kind, "id": number, "request": number, "venue": venue, "path": path, "method": "GET"}

    routes = [(venue, path) for venue, paths in READINGS.items() for path in sorted(paths)]

    def told(answers: int, *, recovers: bool) -> bool:
        doom = Doom(Moment("acknowledged", 1), lambda: None, tmp_path / "journal.db", recovers)
        for number, route in enumerate(routes):
            doom.line(line("request", number, *route))
        for number in range(answers):
            doom.line(line("response", number))
        doom.acknowledged()
        return doom.struck_recovering

    assert told(len(routes) - 1, recovers=True)
    assert not told(len(routes), recovers=True)
    assert not told(0, recovers=False)
