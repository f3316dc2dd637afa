"""What an operator asked for: small files beside the journal, which a session that runs obeys.

They work without a database and without plugins, and outlast the process: a halt holds until it is taken back.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from attrs import frozen

from ..errors import JournalError

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

    def halt(self, reason: str, now_ns: int) -> None:
        """Stop opening positions, from now on and after every restart. One that is halted already stays as it is."""
        if self.halted() is None:
            self._write(HALT, {"since_ns": now_ns, "reason": reason})

    def resume(self) -> Halt | None:
        """Take a halt back; answers what was taken back, None when there was nothing."""
        halt = self.halted()
        self._remove(HALT)
        return halt

    def halted(self) -> Halt | None:
        """The halt that holds. A file that is there and can't be read is a halt, too: nothing is opened on a doubt."""
        try:
            found = self._read(HALT)
            return None if found is None else Halt(int(found["since_ns"]), str(found["reason"]))
        except (OSError, ValueError, LookupError, TypeError):
            return Halt(0, f"{self.directory / HALT} is there and can't be read; `framework resume` removes it")

    def ask_to_flatten(self, wish: FlattenWish) -> None:
        """Ask the session that runs to close positions. Its own file until `taken` or `withdraw`."""
        self._write(FLATTEN, {"since_ns": wish.since_ns, "account": wish.account, "strangers": wish.strangers})

    def flatten_wanted(self) -> FlattenWish | None:
        """What was asked for and nobody has taken up; a file that can't be read asks for nothing."""
        try:
            found = self._read(FLATTEN)
            if found is None:
                return None
            return FlattenWish(int(found["since_ns"]), str(found["account"]), found["strangers"] is True)
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def take_flatten(self) -> None:
        """The wish has been taken up, or is withdrawn."""
        self._remove(FLATTEN)

    def _read(self, name: str) -> Any:
        path = f"{self.directory}/{name}"
        try:
            os.stat(path)  # noqa: PTH116 - twice a second there is nothing, and a Path would cost three times as much
            return json.loads(Path(path).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _write(self, name: str, content: dict[str, object]) -> None:
        """Whole or not at all, and on the disk when it returns."""
        path, fresh = self.directory / name, self.directory / f"{name}.new"
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with fresh.open("w", encoding="utf-8") as file:
                json.dump(content, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
            self._sync()
        except OSError as error:
            raise _trouble(path, error) from error

    def _remove(self, name: str) -> None:
        try:
            (self.directory / name).unlink()
            self._sync()
        except FileNotFoundError:
            return
        except OSError as error:
            raise _trouble(self.directory / name, error) from error

    def _sync(self) -> None:
        descriptor = os.open(self.directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _trouble(path: Path, error: OSError) -> JournalError:
    return JournalError(f"{path}: can't be written: {error.strerror}; make {path.parent} writable")
