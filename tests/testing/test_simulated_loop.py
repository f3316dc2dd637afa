"""The loop of simulations: virtual time, seeded order, and a process that is gone when it is killed."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from attrs import define, field

from framework.testing import KilledError, SimulatedLoop, StandstillError

SECOND = 1_000_000_000


@define
class Sky:
    """An outside with timers."""

    time_ns: int = 1_000 * SECOND
    timers: list[tuple[int, int, Callable[[], None]]] = field(factory=list)

    def now_ns(self) -> int:
        return self.time_ns

    def next_due_ns(self) -> int | None:
        return self.timers[0][0] if self.timers else None

    def advance(self, delta_ns: int) -> None:
        end_ns = self.time_ns + delta_ns
        while self.timers and self.timers[0][0] <= end_ns:
            self.time_ns, _, do = heapq.heappop(self.timers)
            do()
        self.time_ns = end_ns

    def at(self, after_s: float, do: Callable[[], None]) -> None:
        heapq.heappush(self.timers, (self.time_ns + round(after_s * SECOND), len(self.timers), do))


def loop_of(sky: Sky, seed: int = 0) -> SimulatedLoop:
    return SimulatedLoop(sky, random.Random(seed))


def ran(main: Coroutine[Any, Any, Any], sky: Sky | None = None, seed: int = 0) -> Any:
    loop = loop_of(sky or Sky(), seed)
    try:
        return loop.run_until_complete(main)
    finally:
        loop.bury()


def test_a_sleep_takes_its_time_outside_and_none_on_the_machine() -> None:
    sky = Sky()

    async def main() -> float:
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    assert ran(main(), sky) == 86_400
    assert sky.now_ns() == (1_000 + 86_400) * SECOND


def test_what_happens_outside_on_the_way_happens_at_its_instant() -> None:
    sky, seen = Sky(), []

    async def main() -> None:
        sky.at(1.5, lambda: seen.append(sky.now_ns()))
        await asyncio.sleep(2)

    ran(main(), sky)

    assert seen == [1_000 * SECOND + SECOND * 3 // 2]


def test_a_timer_between_two_nanoseconds_is_run_and_time_goes_on() -> None:
    async def main() -> int:
        turns = 0
        for _ in range(100):
            await asyncio.sleep(1e-10)
            turns += 1
        return turns

    assert ran(main()) == 100


def order_of(seed: int) -> list[int]:
    seen: list[int] = []

    async def note(number: int) -> None:
        seen.append(number)

    async def main() -> None:
        await asyncio.gather(*(note(number) for number in range(20)))

    ran(main(), seed=seed)
    return seen


def test_what_is_ready_in_one_turn_runs_in_an_order_that_the_seed_decides() -> None:
    orders = [order_of(seed) for seed in range(5)]

    assert orders == [order_of(seed) for seed in range(5)]
    assert len({tuple(order) for order in orders}) == 5
    assert all(sorted(order) == list(range(20)) for order in orders)


def test_a_process_that_waits_for_ever_is_told_apart_from_one_that_waits() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(StandstillError, match="nothing will ever happen"):
        ran(main())


def test_what_comes_after_a_kill_never_happens() -> None:
    sky, seen = Sky(), []
    loop = loop_of(sky)

    async def other() -> None:
        await asyncio.sleep(1)
        seen.append("the other task went on")

    async def main() -> None:
        task = asyncio.get_running_loop().create_task(other())
        loop.kill()
        await asyncio.sleep(0)
        seen.append("the killed task went on")
        await task

    with pytest.raises(KilledError):
        loop.run_until_complete(main())
    loop.bury()

    assert seen == []


def test_a_buried_task_that_insists_on_cleaning_up_does_not_come_back() -> None:
    sky, seen = Sky(), []
    loop = loop_of(sky)

    async def stubborn() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(1)
            seen.append("cleaned up")

    async def main() -> None:
        task = asyncio.get_running_loop().create_task(stubborn())
        await asyncio.sleep(1)
        loop.kill()
        await task

    with pytest.raises(KilledError):
        loop.run_until_complete(main())
    loop.bury()

    assert seen == []
    assert loop.is_closed()


def test_what_a_generator_waits_for_when_its_process_is_killed_ends_on_the_loop_of_that_process() -> None:
    ended_on: list[asyncio.AbstractEventLoop | None] = []
    loop = loop_of(Sky())

    async def page() -> int:
        try:
            return await asyncio.sleep(100, 1)
        finally:
            ended_on.append(asyncio._get_running_loop())

    async def pages() -> AsyncIterator[int]:
        yield await page()

    async def main() -> None:
        loop.call_later(1, loop.kill)
        async for _ in pages():
            pass

    with pytest.raises(KilledError):
        loop.run_until_complete(main())
    loop.bury()

    assert ended_on == [loop]


def test_a_kill_out_of_a_callback_ends_the_process_too() -> None:
    loop = loop_of(Sky())

    def dies() -> None:
        raise KilledError

    async def main() -> None:
        asyncio.get_running_loop().call_soon(dies)
        await asyncio.sleep(1)

    with pytest.raises(KilledError):
        loop.run_until_complete(main())
    loop.bury()


def test_a_timer_that_was_called_off_does_not_hold_time_up() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        for _ in range(500):
            loop.call_later(1, lambda: None).cancel()
        async with asyncio.timeout(5):
            await asyncio.sleep(3)
        return loop.time()

    assert ran(main()) == 3
