"""The high-water mark: a small file beside the journal that says how far it had been written.

A database can't know what it has lost: one flipped bit in SQLite's write-ahead log silently drops all that was
committed after it. The mark is written after each commit and never claims more than what is on the disk. It may lag
behind: after the death of the process not at all behind what was acknowledged, after a power cut by up to
`SYNC_EVERY` commits, because making each mark durable would double the time that an intent waits for the disk.
"""

from __future__ import annotations

import contextlib
import os
import re
import zlib
from pathlib import Path

from attrs import frozen

SYNC_EVERY = 64
"""How many commits may lie between a mark that is surely on the disk and the newest one."""

_READS = 3
_WORD = "framework-journal-mark"
_LINE = re.compile(_WORD.encode() + rb" 1 ([0-9a-f]{32}) ([0-9]{20}) ([0-9a-f]{64}) ([0-9a-f]{8})\n")


class TornMarkError(Exception):
    """The file is there, but what it says can't be read."""


@frozen
class Mark:
    """Which journal, how many facts it had, and the hash of the newest of them."""

    journal_id: str
    seq: int
    hash: bytes

    def line(self) -> bytes:
        """The content of the file. Always of one length, so that writing over an older one leaves nothing of it."""
        text = f"{_WORD} 1 {self.journal_id} {self.seq:020d} {self.hash.hex()}".encode()
        return text + f" {zlib.crc32(text):08x}\n".encode()


def mark_path(journal: Path) -> Path:
    """Where the mark of a journal lives."""
    return journal.with_name(journal.name + ".mark")


def read_mark(journal: Path) -> Mark | None:
    """The mark of a journal; None when there is none. Raises `TornMarkError`, and `OSError` for what can't be read."""
    content = b""
    for _ in range(_READS):  # the writer may be in the middle of its line
        try:
            content = mark_path(journal).read_bytes()
        except FileNotFoundError:
            return None
        mark = _parsed(content)
        if mark is not None:
            return mark
    raise TornMarkError(f"{len(content)} bytes")


def _parsed(content: bytes) -> Mark | None:
    match = _LINE.fullmatch(content)
    if match is None:
        return None
    mark = Mark(match[1].decode(), int(match[2]), bytes.fromhex(match[3].decode()))
    return mark if mark.line() == content else None


def create_mark(journal: Path, mark: Mark) -> None:
    """Write a mark that is on the disk when this returns, in place of any other. Raises `OSError`."""
    path = mark_path(journal)
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, mark.line())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.replace(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make names that were given or taken away in a directory durable. Raises `OSError`."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class MarkWriter:
    """Moves the mark of one journal on, in place."""

    def __init__(self, journal: Path) -> None:
        """Raises `OSError`: there is no mark, or it can't be written."""
        self._descriptor = os.open(mark_path(journal), os.O_WRONLY | os.O_CLOEXEC)
        self._unsynced = 0

    def advance(self, mark: Mark) -> None:
        """Write down how far the journal is durable. Raises `OSError`."""
        os.pwrite(self._descriptor, mark.line(), 0)
        self._unsynced += 1
        if self._unsynced >= SYNC_EVERY:
            os.fdatasync(self._descriptor)
            self._unsynced = 0

    def close(self) -> None:
        """Make the mark durable and let go of it."""
        with contextlib.suppress(OSError):  # it is written already, and lags behind at worst
            os.fdatasync(self._descriptor)
        os.close(self._descriptor)
