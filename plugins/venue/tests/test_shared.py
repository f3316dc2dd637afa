"""One read for many. Time skips."""

from __future__ import annotations

import asyncio

import pytest
from attrs import define, field

from framework_venue.shared import Shared, together

from .rig import run_skipping


@define(eq=False)
class Reads:
    """A read that takes a second, and answers how many there were before it began."""

    begun: int = 0
    at_once: int = 0
    most_at_once: int = 0
    cancelled: int = 0
    fails: bool = False
    shared: Shared[int] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.shared = Shared(self.read)

    async def read(self) -> int:
        self.begun += 1
        mine = self.begun
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.at_once -= 1
        if self.fails:
            raise OSError(f"read {mine}")
        return mine


def test_who_asks_in_one_turn_of_the_loop_shares_one_read() -> None:
    async def scenario() -> None:
        reads = Reads()
        assert await asyncio.gather(*(reads.shared.get() for _ in range(5))) == [1] * 5

    run_skipping(scenario)


def test_who_asks_while_a_read_is_under_way_gets_the_answer_of_the_next() -> None:
    async def scenario() -> None:
        reads = Reads()
        first = asyncio.create_task(reads.shared.get())
        await asyncio.sleep(0.5)
        later = [asyncio.create_task(reads.shared.get())]
        await asyncio.sleep(0.2)
        later.append(asyncio.create_task(reads.shared.get()))
        assert (await first, await asyncio.gather(*later)) == (1, [2, 2])
        assert reads.most_at_once == 1

    run_skipping(scenario)


def test_an_answer_is_not_kept_for_later() -> None:
    async def scenario() -> None:
        reads = Reads()
        assert [await reads.shared.get(), await reads.shared.get()] == [1, 2]

    run_skipping(scenario)


def test_an_exception_reaches_all_who_wait_and_the_next_read_is_not_hurt() -> None:
    async def scenario() -> None:
        reads = Reads(fails=True)
        got = await asyncio.gather(*(reads.shared.get() for _ in range(3)), return_exceptions=True)
        assert [str(each) for each in got] == ["read 1"] * 3
        reads.fails = False
        assert await reads.shared.get() == 2

    run_skipping(scenario)


def test_the_next_read_begins_although_the_present_one_fails() -> None:
    async def scenario() -> None:
        reads = Reads(fails=True)
        first = asyncio.create_task(reads.shared.get())
        await asyncio.sleep(0.5)
        second = asyncio.create_task(reads.shared.get())
        with pytest.raises(OSError, match="read 1"):
            await first
        reads.fails = False
        assert await second == 2

    run_skipping(scenario)


def test_cancelling_one_who_waits_leaves_the_read_to_the_others() -> None:
    async def scenario() -> None:
        reads = Reads()
        one, other = (asyncio.create_task(reads.shared.get()) for _ in range(2))
        await asyncio.sleep(0.5)
        one.cancel()
        assert await other == 1
        assert one.cancelled()

    run_skipping(scenario)


def test_a_read_that_nobody_waits_for_any_more_is_cancelled() -> None:
    async def scenario() -> None:
        reads = Reads()
        one = asyncio.create_task(reads.shared.get())
        await asyncio.sleep(0.5)
        one.cancel()
        await asyncio.sleep(0.1)
        assert (reads.begun, reads.cancelled) == (1, 1)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert await reads.shared.get() == 2

    run_skipping(scenario)


def test_the_next_read_does_not_begin_if_nobody_waits_for_it_any_more() -> None:
    async def scenario() -> None:
        reads = Reads()
        first = asyncio.create_task(reads.shared.get())
        await asyncio.sleep(0.5)
        second = asyncio.create_task(reads.shared.get())
        await asyncio.sleep(0.1)
        second.cancel()
        assert await first == 1
        await asyncio.sleep(0.1)
        assert reads.begun == 1
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_skipping(scenario)


# ── two at once ─────────────────────────────────────────────────────────────────────────────────────────────


def test_two_reads_take_as_long_as_the_longer_one() -> None:
    async def scenario() -> None:
        began_s = asyncio.get_running_loop().time()
        assert await together(asyncio.sleep(2, "one"), asyncio.sleep(3, "other")) == ("one", "other")
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(3)

    run_skipping(scenario)


def test_the_first_of_two_reads_to_fail_is_told_and_the_other_given_up() -> None:
    async def fails() -> str:
        await asyncio.sleep(1)
        raise ValueError("no answer")

    async def scenario() -> None:
        began_s = asyncio.get_running_loop().time()
        with pytest.raises(ValueError, match="no answer"):
            await together(asyncio.sleep(9, "one"), fails())
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(1)

    run_skipping(scenario)
