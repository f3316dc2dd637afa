"""A session obeys its operator: it looks for the files of the state directory that ask it to halt, or to close."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from attrs import define

from ..components import Clock
from ..core.records import Event
from ..errors import JournalError
from ..journal import Control, Halt, iso_utc
from .engine import Engine

LOOK_EVERY_S = 0.5


@define
class Obedience:
    """Looks at what is asked for, and does it. `append` takes records for the journal."""

    control: Control
    engine: Engine
    clock: Clock
    append: Callable[..., object]

    def begin(self) -> None:
        """The start of a session: a halt holds; a wish to close that an earlier session left is not carried out."""
        self._obey_halt()
        left = self.control.flatten_wanted()
        if left is not None:
            self._drop()
            text = "a wish to flatten, from before this session, is not carried out; ask again if it still holds"
            self._say("warning", "flatten_dropped", text)

    async def keep(self) -> None:
        """Look again and again."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        """Do what is asked for now."""
        self._obey_halt()
        wish = self.control.flatten_wanted()
        if wish is None:
            return
        self._drop()
        whose = "every position" if wish.strangers else "every position of ours"
        where = f"of {wish.account} " if wish.account else ""
        self._say("warning", "flatten", f"an operator asked to flatten: {whose} {where}is closed")
        self.engine.close_all("flatten", [wish.account] if wish.account else None, strangers=wish.strangers)

    def _obey_halt(self) -> None:
        halt = self.control.halted()
        text = "" if halt is None else halt_text(halt)
        if text == self.engine.halted:
            return
        self.engine.halted = text
        if text:
            self._say("warning", "halted", f"{text}; what is open stays protected")
        else:
            self._say("info", "resumed", "positions may be opened again")

    def _drop(self) -> None:
        with contextlib.suppress(JournalError):  # taken up all the same; on a broken disk it would be again
            self.control.take_flatten()

    def _say(self, level: str, code: str, text: str) -> None:
        self.append(Event(self.clock.now_ns(), level, code, text))


def halt_text(halt: Halt) -> str:
    """A halt in words: since when, and why."""
    since = f" since {iso_utc(halt.since_ns)[:19]}Z" if halt.since_ns else ""
    return f"halted{since}: {halt.reason}"
