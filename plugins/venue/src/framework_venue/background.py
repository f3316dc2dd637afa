"""Work that goes on beside the requests: each piece is a task that is started again when it breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from attrs import define, field

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0


@define(eq=False)
class Background:
    """The tasks of one account. `on_broken` hears (name, why) when a piece raised what it should not have."""

    on_broken: Callable[[str, str], None]
    _tasks: set[asyncio.Task[None]] = field(factory=set, init=False)

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run a piece of work until it returns. If it raises, it is told, and begun again after a growing pause."""
        self._keep(asyncio.get_running_loop().create_task(self._run(name, work), name=name))

    def every(self, name: str, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Run a piece of work again and again, the first time after `seconds`."""

        async def again() -> None:
            while True:
                await asyncio.sleep(seconds)
                await work()

        self.start(name, again)

    async def aclose(self) -> None:
        """Cancel everything and wait for its end."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def names(self) -> frozenset[str]:
        """What is running."""
        return frozenset(task.get_name() for task in self._tasks)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        time = asyncio.get_running_loop().time
        pause = FIRST_PAUSE_S
        while True:
            began_s = time()
            try:
                return await work()
            except Exception as error:
                self.on_broken(name, f"{type(error).__name__}: {error}")
                if time() - began_s > LONGEST_PAUSE_S:
                    pause = FIRST_PAUSE_S  # it went well for a while: this is another trouble than the last one
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE_S, pause * 2)
