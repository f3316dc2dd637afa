"""How long a stream waits before it knocks again. Time skips; no socket is opened."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

from framework_venue.stream import FIRST_PAUSE_S, HURRIED_PAUSE_S, LONGEST_PAUSE_S, Frames, Stream

from .rig import Ear, run_skipping


def times_of_attempts(count: int, seed: int = 1, *, hurried: tuple[int, float] | None = None) -> list[float]:
    """When a stream asked for its address, whose fetching always fails.

    `hurried`: after which attempt, and how long after it, the stream is told to hurry.
    """
    times: list[float] = []

    async def scenario() -> None:
        ear = Ear()

        async def address() -> str:
            times.append(asyncio.get_running_loop().time())
            ear.news.set()
            if hurried is not None and len(times) == hurried[0]:
                asyncio.get_running_loop().call_later(hurried[1], stream.hurry)
            raise OSError("no network")

        chance = Random(seed)  # noqa: S311 - no secret
        stream = Stream("test", None, address, ear.frame, ear.up, ear.down, silence_s=20, random=chance)
        task = asyncio.create_task(stream.run())
        while len(times) < count:
            ear.news.clear()
            await ear.news.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert (stream.last_end, ear.ups, ear.downs) == ("OSError: no network", 0, [])

    run_skipping(scenario)
    return times


def test_the_first_attempt_is_at_once_and_the_pauses_double_up_to_the_longest() -> None:
    times = times_of_attempts(15)
    assert times[0] == 1000.0
    for number in range(14):
        pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**number)
        assert 0.49 * pause <= times[number + 1] - times[number] <= 1.01 * pause


def test_pauses_are_spread_by_chance() -> None:
    assert times_of_attempts(5, seed=1) != times_of_attempts(5, seed=2)


@pytest.mark.parametrize(("told_s", "pause_s"), [(0.5, HURRIED_PAUSE_S), (4, 4), (10, 10)])
def test_a_stream_that_is_hurried_waits_no_longer_than_three_seconds_for_its_next_attempt(
    told_s: float, pause_s: float
) -> None:
    before, after = times_of_attempts(11, hurried=(10, told_s))[-2:]
    assert after - before == pytest.approx(pause_s)


def test_only_the_pause_that_is_hurried_is_cut_short() -> None:
    times = times_of_attempts(12, hurried=(10, 4))
    assert times[11] - times[10] >= 0.49 * LONGEST_PAUSE_S


def test_a_short_pause_is_as_long_as_ever_when_it_is_hurried() -> None:
    assert times_of_attempts(4, hurried=(3, 0.001)) == times_of_attempts(4)


def test_frames_of_a_connection_that_is_no_streams_are_dropped() -> None:
    ear = Ear()
    nobody: Any = None
    stream = Stream("test", None, nobody, ear.frame, ear.up, ear.down, silence_s=20)
    Frames([stream])(object(), {"price": 1})
    assert ear.frames == []
