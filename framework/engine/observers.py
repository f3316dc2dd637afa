"""Observers see what is durable, each at its own pace: one that is slow or broken loses records, never time of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from attrs import define, field

from ..components import Clock, Observer, SeesMarket
from ..core.market import MarketData, Quote
from ..core.records import Event, Record
from .redaction import Redactor

LIMIT = 10_000
"""Records that may wait for one observer; what comes after is dropped for it, and counted."""


@define
class Gallery:
    """All observers, each with a bounded queue and a task of its own."""

    clock: Clock
    observers: Sequence[Observer]
    write: Callable[[Record], object]
    redactor: Redactor = Redactor(())
    dropped: dict[str, int] = field(factory=dict, init=False)
    _queues: list[tuple[Observer, asyncio.Queue[Record]]] = field(factory=list, init=False)
    _tasks: list[asyncio.Task[None]] = field(factory=list, init=False)
    _failed: set[str] = field(factory=set, init=False)

    def start(self) -> None:
        """Begin to pass records on."""
        loop = asyncio.get_running_loop()
        for observer in self.observers:
            queue: asyncio.Queue[Record] = asyncio.Queue(LIMIT)
            self._queues.append((observer, queue))
            self._tasks.append(loop.create_task(self._serve(observer, queue)))

    def saw(self, account: str, data: MarketData) -> None:
        """Tell who wants to know what is about to be decided on."""
        for each in self._watchers:
            self._tell(each, lambda watcher: watcher.saw(account, data))

    def ticked(self, account: str, symbol: str, quote: Quote) -> None:
        """Tell who wants to know every price."""
        for each in self._watchers:
            self._tell(each, lambda watcher: watcher.ticked(account, symbol, quote))

    @property
    def sees_market(self) -> bool:
        """Whether any observer wants to know of the market: where none does, no price takes longer."""
        return bool(self._watchers)

    @property
    def _watchers(self) -> list[SeesMarket]:
        return [each for each in self.observers if isinstance(each, SeesMarket)]

    def _tell(self, watcher: SeesMarket, what: Callable[[SeesMarket], None]) -> None:
        try:
            what(watcher)
        except Exception as error:
            self._fails(getattr(watcher, "name", "?"), error)

    def show(self, record: Record) -> None:
        """Hand a record to every observer, without the deployment's secrets; returns at once."""
        if not self._queues:
            return
        record = self.redactor.clean(record)
        for observer, queue in self._queues:
            try:
                queue.put_nowait(record)
            except asyncio.QueueFull:
                self._drop(observer.name)

    async def aclose(self, within_s: float) -> None:
        """Let observers see what is queued, for a limited time, and end."""
        waiting = [asyncio.ensure_future(queue.join()) for _, queue in self._queues]
        if waiting:
            await asyncio.wait(waiting, timeout=within_s)
        for task in [*waiting, *self._tasks]:
            task.cancel()
        await asyncio.gather(*waiting, *self._tasks, return_exceptions=True)

    async def _serve(self, observer: Observer, queue: asyncio.Queue[Record]) -> None:
        while True:
            record = await queue.get()
            try:
                await observer.observe(record)
            except Exception as error:
                self._fails(observer.name, error)
            finally:
                queue.task_done()

    def _fails(self, name: str, error: Exception) -> None:
        """Say it once: an observer must not fill the journal with its failures."""
        if name not in self._failed:
            self._failed.add(name)
            text = f"observer {name} raised {type(error).__name__}: {error}"
            self.write(Event(self.clock.now_ns(), "warning", "observer_failed", text))

    def _drop(self, name: str) -> None:
        self.dropped[name] = self.dropped.get(name, 0) + 1
        if self.dropped[name] == 1:
            text = f"observer {name} is more than {LIMIT} records behind: it misses some"
            self.write(Event(self.clock.now_ns(), "warning", "observer_slow", text))
