"""Closing everything while no session runs: a session of its own that opens nothing, closes, and ends when flat.

It closes as every session does: reduce-only, under ids of its own, read back before each try; stops leave only once
the venue is flat. It needs neither signals nor protections, and if it must be, not even a journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from attrs import define, field

from ..core.position import Position
from ..core.records import Record
from ..errors import JournalError
from .session import Session

REASON = "flatten"
MOMENT_S = 0.1


@define
class Flattening(Session):
    """Closes every position of its deployment's accounts; with `strangers` those that are not ours, too.

    It gives up after `within_s`; what is open then is still protected, as far as it was.
    """

    strangers: bool = False
    within_s: float = 60.0

    async def _until_the_end(self) -> str:
        self.engine.close_all(REASON, strangers=self.strangers)
        stop = asyncio.get_running_loop().create_task(self.stopped.wait())
        await self._patiently(self.within_s, self._flat(), stop, self.engine.consumer)
        stop.cancel()
        left = [account for account in self.engine.desks if not self._is_flat(account)]
        if left:
            self.failures.append(f"not flat within {self.within_s:g} s: {', '.join(left)}; look at the venue")
            return f"failed: {self.failures[-1]}"
        return "flat"

    async def _flat(self) -> None:
        while not all(self._is_flat(account) for account in self.engine.desks):  # noqa: ASYNC110 - many things end it
            await asyncio.sleep(MOMENT_S)

    def _is_flat(self, account: str) -> bool:
        return self.engine.reconciler.is_clean(account) and not self.engine.desks[account].open_positions()

    def _left_open(self) -> list[Position]:
        return [] if isinstance(self.journal, Unwritten) else super()._left_open()

    def _restore(self) -> list[Position]:
        return [] if isinstance(self.journal, Unwritten) else super()._restore()


@define(eq=False)
class Unwritten:
    """Stands where the journal is when it can't be opened: everything is told and nothing is kept."""

    on_durable: list[Callable[[Record], None]] = field(factory=list)
    on_failed: list[Callable[[JournalError], None]] = field(factory=list)
    found_ns: int = 0
    """Nobody knows what an earlier run did last."""

    def append(self, *records: Record) -> asyncio.Future[None]:
        """Tell the records, and be done."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for record in records:
            for hear in self.on_durable:
                hear(record)
        future.set_result(None)
        return future

    def lease_trouble(self) -> str:
        """There is nothing that others could write."""
        return ""

    async def aclose(self) -> None:
        """There is nothing to write."""
