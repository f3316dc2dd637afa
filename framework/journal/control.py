"""What an operator asked for: small files beside the journal, which a session that runs obeys.

They work without a database and without plugins, and outlast the process: a halt holds until it is taken back.
"""

from __future__ import annotations

from pathlib import Path

from attrs import Factory, field, frozen

from .state_files import StateFiles

HALT, FLATTEN = "halt.json", "flatten.json"


@frozen
class Halt:
    """Nothing is opened since `since_ns` (UTC); `since_ns` is 0 where the file can't be read."""

    since_ns: int
    reason: str


@frozen
class FlattenWish:
    """Close every position: of one account or, with an empty `account`, of all; with `strangers` not only ours."""

    since_ns: int
    account: str = ""
    strangers: bool = False


@frozen
class Control:
    """The wishes of the operator of one state directory. Writing raises `JournalError` if it can't be done."""

    directory: Path
    _files: StateFiles = field(
        init=False, repr=False, default=Factory(lambda self: StateFiles(self.directory), takes_self=True)
    )

    def halt(self, reason: str, now_ns: int) -> None:
        """Stop opening positions, from now on and after every restart. One that is halted already stays as it is."""
        if self.halted() is None:
            self._files.write(HALT, {"since_ns": now_ns, "reason": reason})

    def resume(self) -> Halt | None:
        """Take a halt back; answers what was taken back, None when there was nothing."""
        halt = self.halted()
        self._files.remove(HALT)
        return halt

    def halted(self) -> Halt | None:
        """The halt that holds. A file that is there and can't be read is a halt, too: nothing is opened on a doubt."""
        try:
            found = self._files.read(HALT)
            return None if found is None else Halt(int(found["since_ns"]), str(found["reason"]))
        except (OSError, ValueError, LookupError, TypeError):
            return Halt(0, f"{self.directory / HALT} is there and can't be read; `framework resume` removes it")

    def ask_to_flatten(self, wish: FlattenWish) -> None:
        """Ask the session that runs to close positions. Its own file until `taken` or `withdraw`."""
        self._files.write(FLATTEN, {"since_ns": wish.since_ns, "account": wish.account, "strangers": wish.strangers})

    def flatten_wanted(self) -> FlattenWish | None:
        """What was asked for and nobody has taken up; a file that can't be read asks for nothing."""
        try:
            found = self._files.read(FLATTEN)
            if found is None:
                return None
            return FlattenWish(int(found["since_ns"]), str(found["account"]), found["strangers"] is True)
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def take_flatten(self) -> None:
        """The wish has been taken up, or is withdrawn."""
        self._files.remove(FLATTEN)
