"""Work beside the requests. Time skips."""

from __future__ import annotations

import asyncio

from framework_venue.background import Background

from .rig import run_skipping


def test_work_that_breaks_is_told_and_begun_again_after_growing_pauses() -> None:
    async def scenario() -> None:
        began: list[float] = []
        done = asyncio.Event()

        async def work() -> None:
            began.append(asyncio.get_running_loop().time() - 1000)
            if len(began) < 9:
                raise ValueError("no")
            done.set()

        told: list[tuple[str, str]] = []
        background = Background(lambda name, why: told.append((name, why)))
        background.start("reading", work)
        await done.wait()
        assert began == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 61.5, 91.5]
        assert told == [("reading", "ValueError: no")] * 8

    run_skipping(scenario)


def test_after_a_good_while_the_pause_is_short_again() -> None:
    async def scenario() -> None:
        ended: list[float] = []
        began: list[float] = []
        done = asyncio.Event()
        time = asyncio.get_running_loop().time

        async def work() -> None:
            began.append(time())
            if len(began) == 8:
                done.set()
            await asyncio.sleep(60 if len(began) == 6 else 0)
            ended.append(time())
            raise ValueError

        background = Background(lambda name, why: None)
        background.start("reading", work)
        await done.wait()
        pauses = [after - before for before, after in zip(ended, began[1:], strict=False)]
        assert pauses == [0.5, 1, 2, 4, 8, 0.5, 1]
        await background.aclose()

    run_skipping(scenario)


def test_repeated_work_waits_first_and_survives_a_failure() -> None:
    async def scenario() -> None:
        times: list[float] = []
        done = asyncio.Event()

        async def work() -> None:
            times.append(asyncio.get_running_loop().time() - 1000)
            if len(times) == 2:
                raise OSError
            if len(times) == 4:
                done.set()

        background = Background(lambda name, why: None)
        background.every("warming", 10, work)
        await done.wait()
        assert times == [10, 20, 30.5, 40.5]
        assert background.names == {"warming"}
        await background.aclose()
        assert background.names == frozenset()

    run_skipping(scenario)


def test_closing_cancels_everything_and_waits_for_it() -> None:
    async def scenario() -> None:
        ended: list[str] = []

        async def work() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("in order")

        background = Background(lambda name, why: None)
        background.start("one", work)
        background.start("two", work)
        await asyncio.sleep(0)
        await background.aclose()
        assert ended == ["in order"] * 2
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_skipping(scenario)
