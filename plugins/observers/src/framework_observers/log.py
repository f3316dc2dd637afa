"""The observer `log`."""

from __future__ import annotations

import json
import logging
import logging.handlers
import sys
from pathlib import Path
from typing import ClassVar, Literal

from attrs import define, field, validators

from framework import Checkup, Record, positive

from .lines import LEVELS, as_data, level_of

MEGABYTE = 1_000_000


@define
class Log:
    """Write what happens as lines: one JSON object each, or text for people.

    `file`: where to; without it, standard error. A file that would grow beyond `max_megabytes` is put aside under its
    name with a number, and `keep_files` of those are kept. `level`: the least that is written; ``error`` means that a
    person should look, ``debug`` shows every request. Secrets of the deployment never reach an observer.
    """

    name: ClassVar[str] = "log"

    file: Path | None = field(default=None, metadata={"may_be_absent": True})
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "text"] = "json"
    max_megabytes: int = field(default=50, validator=positive)
    keep_files: int = field(default=5, validator=validators.ge(1))
    _handler: logging.Handler | None = field(default=None, init=False, repr=False)

    async def observe(self, record: Record) -> None:
        """Write one line, if it matters enough. Raises `OSError` when it can't be written."""
        if LEVELS.index(level_of(record)) < LEVELS.index(self.level):
            return
        self._written_by().handle(_line(self._text(record)))

    async def checkup(self) -> tuple[Checkup, ...]:
        """Whether there is a place to write to."""
        if self.file is None:
            return (Checkup(self.name, True, "writes to standard error"),)
        there = self.file.parent.is_dir()
        return (Checkup(self.name, there, f"{self.file}: " + ("fine" if there else "make its directory first")),)

    def _text(self, record: Record) -> str:
        data = as_data(record)
        if self.format == "json":
            return json.dumps(data)
        about = " ".join(str(data[name]) for name in ("account", "symbol") if data.get(name))
        return f"{data['time']} {data['level']:7} {data['code']}: {f'{about}: ' if about else ''}{data['message']}"

    def _written_by(self) -> logging.Handler:
        if self._handler is None:
            self._handler = _Stderr() if self.file is None else _File(self.file, self.max_megabytes, self.keep_files)
        return self._handler


class _Stderr(logging.StreamHandler):  # type: ignore[type-arg]  # generic in the stubs alone
    def __init__(self) -> None:
        super().__init__(sys.stderr)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        raise


class _File(logging.handlers.RotatingFileHandler):
    def __init__(self, path: Path, megabytes: int, keep: int) -> None:
        super().__init__(path, maxBytes=megabytes * MEGABYTE, backupCount=keep, encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        raise


def _line(text: str) -> logging.LogRecord:
    """Text as the library's handlers take it. One line, whatever is in it."""
    return logging.LogRecord("framework", logging.INFO, "", 0, text.replace("\n", "\\n"), None, None)
