"""The source `recording`: a session that happened, played again, signals and market on one time line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, ClassVar

import attrs
from attrs import define, field

from framework import (
    BadSignal,
    Batch,
    Checkup,
    ConfigError,
    Signal,
    SourceLink,
    Timeline,
)

from .instants import write_instant
from .recording_file import Recording, load_recording, messages
from .recording_lines import Message
from .wave_server import VENUES, parse_message

FASTEST = Decimal(1_000_000)


def _speed(instance: object, attribute: attrs.Attribute[Any], value: str) -> None:
    try:
        valid = value == "max" or 0 < Decimal(value) <= FASTEST
    except InvalidOperation:
        valid = False
    if not valid:
        raise ValueError(f'must be "max" or a number up to {FASTEST} such as "1" or "60", got {value!r}')


def venues_named(instance: object, attribute: attrs.Attribute[Any], value: Mapping[str, str]) -> None:
    """Validator for `venues`: neither an ``exchange_id`` nor an account may be empty."""
    for number, account in value.items():
        if not number or not account:
            raise ValueError(f"must name an account for each exchange_id, got {number!r} = {account!r}")


@define
class RecordingSource:
    """Play a recorded session: the signals of a wave server and the market on one time line.

    `path` is the recording's directory, with a ``timeline.jsonl``. `speed` is "max" (as fast as the machine can) or
    how many times faster than it happened: "1", "60". `venues` names the account for each ``exchange_id`` that the
    signals carry.
    """

    name: ClassVar[str] = "recording"

    path: Path
    speed: str = field(default="max", validator=_speed)
    venues: Mapping[str, str] = field(factory=lambda: dict(VENUES), validator=venues_named)
    _loaded: Recording | None = field(default=None, init=False, repr=False, eq=False)

    def timeline(self) -> Timeline:
        """The session's clock. Reads the whole recording; raises `ConfigError` with every mistake in it."""
        return Timeline(self._recording().start_ns, None if self.speed == "max" else Decimal(self.speed))

    async def run(self, link: SourceLink) -> None:
        """Play every line at its instant on the link's clock; returns at the instant of the end."""
        recording = self._recording()
        for line in recording.lines:
            await link.until(line.t_ns)
            if isinstance(line.what, Message):
                signals = self._signals(line.what, link.clock.now_ns())
                await link.submit(Batch(signals, complete=True))
            else:
                link.publish(line.what)
        await link.until(recording.end_ns)

    async def checkup(self) -> tuple[Checkup, ...]:
        """What the recording holds. Bad signals are counted, but no fault: they will be refused, each by name."""
        try:
            recording = self._recording()
        except ConfigError as error:
            return tuple(Checkup("recording", False, str(problem)) for problem in error.problems)
        kinds = Counter(type(line.what).__name__ for line in recording.lines)
        signals = [s for line, message in messages(recording) for s in self._signals(message, line.t_ns)]
        bad = sum(isinstance(signal, BadSignal) for signal in signals)
        span = f"{write_instant(recording.start_ns)} to {write_instant(recording.end_ns)}"
        numbers = {
            "lines": str(len(recording.lines)),
            "messages": str(kinds[Message.__name__]),
            "signals": str(len(signals) - bad),
            "bad_signals": str(bad),
        }
        found = f"{len(recording.lines)} lines, {len(signals) - bad} good signals, {bad} bad"
        return (Checkup("recording", True, f"{recording.title or self.path}: {span}, {found}", numbers),)

    def _recording(self) -> Recording:
        if self._loaded is None:
            self._loaded = load_recording(self.path)
        return self._loaded

    def _signals(self, message: Message, received_ns: int) -> tuple[Signal | BadSignal, ...]:
        return parse_message(message.content, source=self.name, venues=self.venues, received_ns=received_ns)
