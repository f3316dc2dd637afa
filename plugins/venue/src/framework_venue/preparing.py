"""Brings the venue's settings of each market in order before it is traded: those in demand first, the rest in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from attrs import define, field

from framework import ExchangeError


@define(eq=False)
class Preparer:
    """`put` brings one market in order and raises `ExchangeError` where it can't. Each market is done once.

    Several who ask for one market share the work. What failed is tried again when it is asked for.
    """

    put: Callable[[str], Awaitable[None]]
    ready_now: set[str] = field(factory=set)
    failed: dict[str, str] = field(factory=dict, init=False)
    _under_way: dict[str, asyncio.Task[None]] = field(factory=dict, init=False)

    def known(self, symbols: Iterable[str]) -> None:
        """These are in order already."""
        self.ready_now.update(symbols)

    def changed(self, symbol: str) -> None:
        """Somebody changed this market's settings: it has to be brought in order again."""
        self.ready_now.discard(symbol)

    async def ready(self, symbol: str) -> None:
        """Return once a market is in order: at once, as a rule. Raises `ExchangeError`."""
        if symbol in self.ready_now:
            return
        task = self._under_way.get(symbol)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._do(symbol))
            self._under_way[symbol] = task
            task.add_done_callback(lambda done: self._over(symbol, done))
        await asyncio.shield(task)

    async def all_of(self, symbols: Iterable[str], *, at_once: int = 4) -> None:
        """Bring many markets in order, a few at a time. Raises `ExchangeError` for the first that can't be."""
        left = iter(list(symbols))

        async def lane() -> None:
            for symbol in left:
                await self.ready(symbol)

        ends = await asyncio.gather(*(lane() for _ in range(at_once)), return_exceptions=True)
        for failure in (end for end in ends if end is not None):
            raise failure

    async def walk(self, symbols: Iterable[str], *, pause_s: float) -> None:
        """Bring many markets in order, one after another with a pause; failures are kept in `failed`."""
        for symbol in symbols:
            if symbol in self.ready_now:
                continue
            try:
                await self.ready(symbol)
            except ExchangeError:
                continue  # kept in `failed`, and told to whoever wants to trade it
            finally:
                await asyncio.sleep(pause_s)

    async def aclose(self) -> None:
        """Give up what is under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _do(self, symbol: str) -> None:
        try:
            await self.put(symbol)
        except ExchangeError as error:
            self.failed[symbol] = str(error)
            raise
        self.failed.pop(symbol, None)
        self.ready_now.add(symbol)

    def _over(self, symbol: str, done: asyncio.Task[None]) -> None:
        self._under_way.pop(symbol, None)
        if not done.cancelled():
            done.exception()  # everybody who waited has it; asyncio must not tell it once more
