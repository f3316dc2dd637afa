"""What signal sources are given by a session, and what they are called in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from attrs import frozen

from ..components import Clock
from ..core.feed import Batch, MarketUpdate
from ..core.records import Event, Record
from .engine import Engine


@frozen
class Listening:
    """The link of one source: see `framework.SourceLink`. `write` takes records for the journal."""

    name: str
    clock: Clock
    engine: Engine
    publish: Callable[[MarketUpdate], None]
    until: Callable[[int], Coroutine[Any, Any, None]]
    write: Callable[[Record], object]

    async def submit(self, batch: Batch) -> None:
        """Hand signals to the engine; done once they are durable."""
        await self.engine.submit(batch)

    def tell(self, level: str, code: str, message: str) -> None:
        """Write an event of the source down."""
        self.write(Event(self.clock.now_ns(), level, code, f"signal source {self.name}: {message}"))


def numbered(names: Iterable[str]) -> list[str]:
    """Names that tell everyone apart: the second of a name is `name 2`."""
    seen: Counter[str] = Counter()
    told = []
    for name in names:
        seen[name] += 1
        told.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return told
