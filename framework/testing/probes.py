"""The kernel's side of components that do I/O, for their tests: probes keep what a component says."""

from __future__ import annotations

import random
from typing import Literal

from attrs import define, field

from ..components import Clock, ExchangeLink
from ..core.events import ExchangeEvent
from ..core.feed import Batch, MarketUpdate
from ..core.market import Quote
from ..core.signal import BadSignal, Signal
from .builders import ACCOUNT, NOW_NS


@define
class StillClock:
    """A clock that shows `time_ns` until a test sets another instant."""

    time_ns: int = NOW_NS

    def now_ns(self) -> int:
        """The instant that was set, nanoseconds UTC."""
        return self.time_ns


@define
class SourceProbe:
    """The link of a signal source under test: pass it to `run`. What is submitted counts as durable at once."""

    clock: Clock = field(factory=StillClock)
    batches: list[Batch] = field(factory=list, init=False)
    updates: list[MarketUpdate] = field(factory=list, init=False)
    told: list[tuple[str, str, str]] = field(factory=list, init=False)

    async def submit(self, batch: Batch) -> None:
        """Keep signals."""
        self.batches.append(batch)

    def publish(self, update: MarketUpdate) -> None:
        """Keep recorded market data."""
        self.updates.append(update)

    async def until(self, t_ns: int) -> None:
        """Nothing is waited for: a still clock is set to the instant, another one is left as it is."""
        if isinstance(self.clock, StillClock):
            self.clock.time_ns = max(self.clock.time_ns, t_ns)

    def tell(self, level: Literal["info", "warning", "error"], code: str, message: str) -> None:
        """Keep what a source says of itself."""
        self.told.append((level, code, message))

    @property
    def signals(self) -> tuple[Signal | BadSignal, ...]:
        """All that was submitted, in order."""
        return tuple(signal for batch in self.batches for signal in batch.signals)


@define
class ExchangeProbe:
    """The link of an exchange under test: pass `link()` to `start`. Its randomness is the same in every test."""

    clock: Clock = field(factory=StillClock)
    events: list[ExchangeEvent] = field(factory=list, init=False)
    quotes: list[tuple[str, Quote]] = field(factory=list, init=False)

    def link(self, account: str = ACCOUNT) -> ExchangeLink:
        """What the kernel would give to the exchange of this account."""
        return ExchangeLink(
            account=account,
            clock=self.clock,
            random=random.Random(0),  # noqa: S311 - a test's own, no secret
            emit=self._emit,
            quote=self._quote,
        )

    def _emit(self, event: ExchangeEvent) -> None:
        self.events.append(event)

    def _quote(self, symbol: str, quote: Quote) -> None:
        self.quotes.append((symbol, quote))
