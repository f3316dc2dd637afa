"""The sign of life of a session: a small file beside the journal that says how its parts are, and when that was.

It is read by another process, also when the journal can't be written. Each writing replaces the file as a whole; it is
not forced to the disk, for after a crash of the machine nobody is alive.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from ..core.health import Condition, Health
from ..errors import JournalError

FILE = "health.json"


@frozen
class Vitals:
    """How a session was at `time_ns` (UTC, the machine's own clock). `ended`: why it ended; empty while it runs."""

    time_ns: int
    process: int
    ended: str
    conditions: tuple[Condition, ...]


@frozen
class Pulse:
    """Writes and reads the sign of life of one state directory."""

    directory: Path

    def beat(self, conditions: Sequence[Condition], *, ended: str = "") -> None:
        """Replace what is there. Raises `OSError`."""
        told = [
            {"part": c.part, "name": c.name, "health": c.health.value, "reason": c.reason, "since_ns": c.since_ns}
            for c in conditions
        ]
        # The clock of the machine, not that of a recorded session: it is compared with the clock of whoever reads.
        content = {"time_ns": time.time_ns(), "process": os.getpid(), "ended": ended, "conditions": told}
        fresh = self.directory / f"{FILE}.new"
        fresh.write_text(json.dumps(content), encoding="utf-8")
        fresh.replace(self.directory / FILE)

    def read(self) -> Vitals | None:
        """What was told last; None where no session has run. Raises `JournalError` for a file that can't be read."""
        path = self.directory / FILE
        try:
            return _vitals(json.loads(path.read_bytes()))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise JournalError(
                f"{path}: can't be read ({type(error).__name__}: {error}); the next session replaces it"
            ) from error


def _vitals(found: Any) -> Vitals:
    conditions = tuple(
        Condition(str(c["part"]), str(c["name"]), Health(c["health"]), str(c["reason"]), int(c["since_ns"]))
        for c in found["conditions"]
    )
    return Vitals(int(found["time_ns"]), int(found["process"]), str(found["ended"]), conditions)
