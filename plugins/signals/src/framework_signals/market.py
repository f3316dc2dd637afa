"""The source `market`: the market of a recording, as if it were now. It brings no signals of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from attrs import define, evolve, field

from framework import (
    BarUpdate,
    CandleUpdate,
    Checkup,
    ConfigError,
    MarketUpdate,
    QuoteUpdate,
    SourceLink,
    Timeline,
    positive,
)

from .recording_file import Recording, load_recording
from .recording_lines import Message

SECOND_NS = 1_000_000_000


@define(kw_only=True)
class MarketSource:
    """Play the market of a recording to the simulated venues as if it were now, beside a live source of signals.

    `path` is the recording's directory. The session begins where the recording's first message came: what was there
    before is told at once, what came after follows in real time. Quotes stand until the next one and are repeated
    every `quote_every_s` seconds, so that they do not grow old.
    """

    name: ClassVar[str] = "market"

    path: Path
    quote_every_s: int = field(default=5, validator=positive)
    _loaded: Recording | None = field(default=None, init=False, repr=False, eq=False)

    def timeline(self) -> Timeline | None:
        """None: it plays in real time."""
        return None

    async def run(self, link: SourceLink) -> None:
        """Play until cancelled: the last quotes go on standing."""
        recording = self._recording()
        shift_ns = link.clock.now_ns() - _beginning(recording)
        standing: dict[tuple[str, str], QuoteUpdate] = {}
        for line in recording.lines:
            if isinstance(line.what, Message):
                continue
            await self._stand_until(link, line.t_ns + shift_ns, standing)
            update = _moved(line.what, shift_ns)
            _note(standing, update)
            link.publish(update)
        await self._stand_until(link, None, standing)

    async def checkup(self) -> tuple[Checkup, ...]:
        """Whether the recording can be read."""
        try:
            recording = self._recording()
        except ConfigError as error:
            return tuple(Checkup("market", ok=False, message=str(problem)) for problem in error.problems)
        count = sum(not isinstance(line.what, Message) for line in recording.lines)
        return (Checkup("market", ok=True, message=f"{recording.title or self.path}: {count} lines of market"),)

    async def _stand_until(
        self, link: SourceLink, t_ns: int | None, standing: dict[tuple[str, str], QuoteUpdate]
    ) -> None:
        """Repeat the quotes that stand until an instant; None: for ever."""
        while t_ns is None or link.clock.now_ns() < t_ns:
            next_ns = link.clock.now_ns() + self.quote_every_s * SECOND_NS
            await link.until(next_ns if t_ns is None else min(t_ns, next_ns))
            for update in standing.values():
                link.publish(evolve(update, quote=evolve(update.quote, time_ns=link.clock.now_ns())))

    def _recording(self) -> Recording:
        if self._loaded is None:
            self._loaded = load_recording(self.path)
        return self._loaded


def _beginning(recording: Recording) -> int:
    """The instant of the first message; of a recording without one its start."""
    return next((line.t_ns for line in recording.lines if isinstance(line.what, Message)), recording.start_ns)


def _moved(update: MarketUpdate, by_ns: int) -> MarketUpdate:
    """The same piece of market, later."""
    match update:
        case QuoteUpdate():
            return evolve(update, quote=evolve(update.quote, time_ns=update.quote.time_ns + by_ns))
        case CandleUpdate() | BarUpdate():
            candle = update.candle
            moved: Any = evolve(candle, open_ns=candle.open_ns + by_ns, close_ns=candle.close_ns + by_ns)
            return evolve(update, candle=moved)
        case _:
            return update


def _note(standing: dict[tuple[str, str], QuoteUpdate], update: MarketUpdate) -> None:
    """A quote stands until the next one, or until a bar takes over."""
    if isinstance(update, QuoteUpdate):
        standing[update.account, update.symbol] = update
    elif isinstance(update, BarUpdate):
        standing.pop((update.account, update.symbol), None)
