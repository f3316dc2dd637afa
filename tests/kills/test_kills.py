"""A few kills at chosen moments; ``make kills`` does a thousand, at moments that a seed draws."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

from tests.kills.moments import KINDS, MOST, Moment, drawn
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
    Moment("starting", delay_s=0.5),
)


def test_whenever_the_product_is_killed_nothing_is_naked_nothing_is_lost_and_nothing_is_opened_twice(
    tmp_path: Path,
) -> None:
    outcome = asyncio.run(Story("fixed", CHOSEN, tmp_path).told())

    assert outcome.problems == []
    assert len(outcome.endings) == len(CHOSEN)
    assert outcome.figures["binance"]["entries"] + outcome.figures["bybit"]["entries"] > 0


def test_every_kind_of_moment_is_drawn_and_the_same_seed_draws_the_same() -> None:
    many = [drawn(Random(seed)) for seed in range(200)]

    assert {moment.kind for moment in many} == set(KINDS)
    assert many == [drawn(Random(seed)) for seed in range(200)]
    assert all(1 <= moment.count <= MOST[moment.kind] for moment in many if moment.kind in MOST)
