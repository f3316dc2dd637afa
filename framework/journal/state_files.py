"""Small files beside the journal, each a JSON object: whole or not at all, and on the disk once they are written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from attrs import Factory, field, frozen

from ..errors import JournalError


@frozen
class StateFiles:
    """The small files of one state directory. Writing raises `JournalError` if it can't be done."""

    directory: Path
    _prefix: str = field(init=False, repr=False, default=Factory(lambda self: f"{self.directory}/", takes_self=True))

    def read(self, name: str) -> Any:
        """What is in a file, None where there is none. Raises OSError or ValueError for one that can't be read."""
        path = self._prefix + name
        try:
            os.stat(path)  # noqa: PTH116 - twice a second there is nothing, and a Path would cost three times as much
            return json.loads(Path(path).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, name: str, content: dict[str, object]) -> None:
        """Put this in the place of a file: after a crash it is the old one or the new one."""
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

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no trouble."""
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
