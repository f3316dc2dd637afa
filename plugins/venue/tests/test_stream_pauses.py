"""How long a stream waits before it knocks again. Time skips; no socket is opened."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

from framework_venue.stream import FIRST_PAUSE_S, LONGEST_PAUSE_S, Frames, Stream

from .rig import Ear, run_skipping


def times_of_attempts(count: int, seed: int = 1) -> list[float]:
    """When a stream asked for its address, whose fetching always fails."""
    times: list[float] = []

    async def scenario() -> None:
        ear = Ear()

        async def address() -> str:
            times.append(asyncio.get_running_loop().time())
            ear.news.set()
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


def test_frames_of_a_connection_that_is_no_streams_are_dropped() -> None:
    ear = Ear()
    nobody: Any = None
    stream = Stream("test", None, nobody, ear.frame, ear.up, ear.down, silence_s=20)
    Frames([stream])(object(), {"price": 1})
    assert ear.frames == []
