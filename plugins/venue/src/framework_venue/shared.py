"""Reads side by side: one read for many who ask at the same time, and never an old answer; two reads at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

from attrs import define, field

T = TypeVar("T")
U = TypeVar("U")


@define(eq=False)
class _Turn(Generic[T]):
    """One read: the task that carries it out, and how many wait for it."""

    task: asyncio.Task[T]
    waiting: int = 0


@define(eq=False)
class Shared(Generic[T]):
    """Shares a read among those who ask for it.

    An answer is never older than the question: who asks while a read is under way gets the answer of the next one,
    which begins when the present one has ended. All who ask before it begins share it, as do all who ask in one turn of
    the event loop. At most one read is under way, however many ask.
    """

    read: Callable[[], Awaitable[T]]
    _next: _Turn[T] | None = field(default=None, init=False)
    _present: asyncio.Task[T] | None = field(default=None, init=False)

    async def get(self) -> T:
        """The answer of a read that began after this call. What the read raises reaches all who wait for it.

        Cancelling one who waits leaves the read to the others; a read that nobody waits for any more is cancelled.
        """
        turn = self._next
        if turn is None:
            task = asyncio.get_running_loop().create_task(self._carry_out(self._present))
            task.add_done_callback(_retrieve)
            turn = self._next = _Turn(task)
        turn.waiting += 1
        try:
            return await asyncio.shield(turn.task)
        finally:
            turn.waiting -= 1
            if not turn.waiting:
                turn.task.cancel()
                if self._next is turn:
                    self._next = None

    async def _carry_out(self, before: asyncio.Task[T] | None) -> T:
        if before is not None and not before.done():
            await asyncio.wait({before})
        # From here on the read is under way: whoever asks now needs another one.
        self._present, self._next = asyncio.current_task(), None
        return await self.read()


async def together(one: Coroutine[Any, Any, T], other: Coroutine[Any, Any, U]) -> tuple[T, U]:
    """Both answers, asked for at once. What the first of them to fail raises; the other is given up then."""
    try:
        async with asyncio.TaskGroup() as group:
            first, second = group.create_task(one), group.create_task(other)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return first.result(), second.result()


def _retrieve(task: asyncio.Task[T]) -> None:
    """Look at the error of a read that nobody waits for any more: asyncio would complain of it."""
    if not task.cancelled():
        task.exception()
