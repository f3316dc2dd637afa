"""One writer: an advisory lock beside the journal. The operating system releases it when its holder dies."""

from __future__ import annotations

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path

from ..errors import JournalError


class InUseError(JournalError):
    """Another process writes this journal. `holder` says which one, and since when."""

    def __init__(self, journal: Path, holder: str) -> None:
        self.holder = holder
        super().__init__(f"{journal}: is in use by {holder}; stop it, or choose another state")


class WriterLock:
    """The right to write one journal. The lock file stays: removing it would let two holders in."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, journal: Path) -> WriterLock:
        """Take the lock of a journal. Raises `InUseError`, which says who holds it, or `JournalError`."""
        path = journal.with_name(journal.name + ".lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise JournalError(
                f"{journal}: can't be written: {error.strerror}; make {path.parent} writable, or choose another state"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip() or "another process"
            os.close(descriptor)
            raise InUseError(journal, holder) from error
        # The clock of the machine, not that of a recorded session: this line is for the person who looks for a process.
        since = datetime.now(UTC).isoformat(timespec="seconds")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}, running since {since}\n".encode(), 0)
        return cls(path, descriptor)

    def trouble(self) -> str:
        """Why this lock keeps nobody out any more; empty: it does. Its file may have been removed or replaced."""
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return f"{self._path} was removed: another instance may start on the same journal"
        except OSError as error:
            return f"{self._path} can't be looked at: {error.strerror}"
        if not os.path.samestat(now, os.fstat(self._descriptor)):
            return f"{self._path} was replaced: another instance may have started on the same journal"
        return ""

    def release(self) -> None:
        """Let go. The process may take the lock anew afterwards."""
        os.close(self._descriptor)
