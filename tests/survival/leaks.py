"""What a session may leave behind: nothing. Tasks, descriptors, and complaints of the event loop are counted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import define, field

SERVERS = ("aiohttp/web", "framework_simulator", "tests/survival")
"""Where the tasks of the emulated venue and of these tests come from."""

PATIENCE_S = 5.0


def descriptors() -> dict[int, str]:
    """The open file descriptors of this process, and what they lead to."""
    found = {}
    for one in Path("/proc/self/fd").iterdir():
        try:
            found[int(one.name)] = str(one.readlink())
        except OSError:
            continue  # that of the listing itself
    return found


def tasks_of_the_product() -> set[asyncio.Task[Any]]:
    """The tasks that neither the venue nor the test has made."""
    return {task for task in asyncio.all_tasks() if not any(part in _file(task) for part in SERVERS)}


@define(eq=False)
class Leaks:
    """Made before something begins; afterwards it knows what was not there."""

    before: int = field(factory=lambda: len(descriptors()), init=False)
    complaints: list[str] = field(factory=list, init=False)

    def listen(self) -> None:
        """Take down what the event loop complains of: forgotten errors, destroyed tasks, unclosed sessions."""
        asyncio.get_running_loop().set_exception_handler(self._complain)

    def _complain(self, loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        self.complaints.append(f"{context.get('message')}: {context.get('exception')!r}")

    async def nothing_left(self) -> None:
        """The product has no task any more, now, and soon no socket: the other end hears of it first."""
        own = asyncio.current_task()
        left = [repr(task) for task in tasks_of_the_product() if task is not own]
        assert left == [], left
        try:
            async with asyncio.timeout(PATIENCE_S):
                while len(descriptors()) > self.before:  # noqa: ASYNC110 - the venue closes its ends
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise AssertionError(f"{self.before} descriptors became {descriptors()}") from None

    def check(self) -> None:
        """Nothing is open that was not, and nobody complained."""
        assert self.complaints == []
        assert len(descriptors()) <= self.before, descriptors()


def _file(task: asyncio.Task[Any]) -> str:
    code = getattr(task.get_coro(), "cr_code", None)
    return "" if code is None else str(code.co_filename)
