"""The source `jsonl`: messages from a file, one a line, as another program appends them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, ClassVar

from attrs import define, evolve, field

from framework import Batch, Checkup, Signal, SourceLink, SourceState, Timeline, not_negative, positive

from .alerts import Mapped
from .formats import ACCOUNTS, Format, Reader, body_of, known_fields
from .recording import venues_named
from .wishes import Namer, Rules

LOOK_EVERY_NS = 200_000_000
MOST_BYTES = 1_000_000
"""The longest line that is read; a longer one is refused, and passed over up to its end."""


@define(kw_only=True)
class JsonLinesSource:
    """Take messages from a file, one a line, and go on with what is appended to it.

    `path` is the file; it may not be there yet. Lines are in `format`, as the webhook takes them; a text of several
    lines is written as a JSON string. Only whole lines are read. With `from_end`, what is there at the start is passed
    over; otherwise all of it is read, and what an earlier run took is refused as a duplicate. A file that is replaced
    or cut is read anew. `fields`, `account`, `venues`, `bar_minutes`, `id_prefix` and `same_within_s` are those of the
    webhook.
    """

    name: ClassVar[str] = "jsonl"

    path: Path = field(metadata={"may_be_absent": True})
    format: Format = "wave"
    from_end: bool = False
    fields: Mapping[str, str] = field(factory=dict, validator=known_fields)
    account: str = ""
    venues: Mapping[str, str] = field(factory=lambda: dict(ACCOUNTS), validator=venues_named)
    bar_minutes: int = field(default=0, validator=not_negative)
    id_prefix: str = "jsonl:"
    same_within_s: int = field(default=60, validator=positive)
    _reader: Reader = field(init=False, repr=False)
    _state: SourceState = field(factory=lambda: SourceState(connected=False, authenticated=True), init=False)

    def __attrs_post_init__(self) -> None:
        venues = {name.lower(): account for name, account in self.venues.items()}
        rules = Rules(self.name, self.account, venues, self.bar_minutes, self.id_prefix)
        self._reader = Reader(self.format, rules, Mapped(self.fields), Namer(self.same_within_s))

    def timeline(self) -> Timeline | None:
        """None: a live source."""
        return None

    def state(self) -> SourceState:
        """Connected while the file is there."""
        return self._state

    async def run(self, link: SourceLink) -> None:
        """Read until cancelled."""
        passed_over = self.from_end
        while True:
            try:
                with self.path.open("rb") as file:
                    if passed_over:
                        file.seek(0, 2)
                    self._found(link, there=True)
                    await self._follow(link, file)
            except OSError as error:
                self._found(link, there=False, why=f"{self.path}: {error.strerror}")
            passed_over = False
            await link.until(link.clock.now_ns() + LOOK_EVERY_NS)

    async def checkup(self) -> tuple[Checkup, ...]:
        """Whether the file is there; it may come later."""
        there = self.path.is_file()
        return (Checkup(self.name, ok=True, message=f"{self.path}: {'is there' if there else 'is waited for'}"),)

    def _found(self, link: SourceLink, *, there: bool, why: str = "") -> None:
        if there == self._state.connected and self._state.since_ns is not None:
            return
        self._state = evolve(self._state, connected=there, since_ns=link.clock.now_ns(), trouble=why)
        if there:
            link.tell("info", "source_connected", f"reading {self.path}")
        else:
            link.tell("warning", "source_lost", f"{why}; it is waited for")

    async def _follow(self, link: SourceLink, file: BinaryIO) -> None:
        """Take whole lines as they come; returns when the file is not the one of that name any more."""
        while self._is_same(file):
            start = file.tell()
            line = file.readline(MOST_BYTES + 2)
            if line.endswith(b"\n") or len(line) > MOST_BYTES:
                await self._take(link, line.rstrip(b"\r\n"))
                while line and not line.endswith(b"\n"):
                    line = file.readline(MOST_BYTES)
                continue
            file.seek(start)  # it is still being written
            await link.until(link.clock.now_ns() + LOOK_EVERY_NS)

    def _is_same(self, file: BinaryIO) -> bool:
        mine, now = os.fstat(file.fileno()), self.path.stat()
        return os.path.samestat(mine, now) and now.st_size >= file.tell()

    async def _take(self, link: SourceLink, line: bytes) -> None:
        if not line.strip():
            return
        now_ns = link.clock.now_ns()
        found = self._reader.read(body_of(line.decode(errors="replace")), now_ns)
        await link.submit(Batch(found, complete=self.format == "wave"))
        self._state = evolve(self._state, heard_ns=now_ns)
        if any(isinstance(each, Signal) for each in found):
            self._state = evolve(self._state, signal_ns=now_ns)
