"""The product as a user runs it: a process of its own that can be killed at any moment."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from attrs import define, field

from .nursery import Nursery

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from framework.cli import main; main()")
LEFT_OUT = ("COLUMNS", "FRAMEWORK_DEBUG", "PYTHONDONTWRITEBYTECODE")
"""Of our environment. With byte code on the disk, as everywhere but where that is forbidden, a start is quicker."""

METADATA = "Metadata-Version: 2.1\nName: kills-wire\nVersion: 1.0\nRequires-Dist: framework>=0.1\n"


def installed(directory: Path) -> Path:
    """The plugin `wire`, as an installer would leave it in a directory."""
    place = directory / "site"
    described = place / "kills_wire-1.0.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text(METADATA)
    (described / "entry_points.txt").write_text("[framework.plugins]\nwire = tests.kills.wire\n")
    return place


def environment(site: Path, more: Mapping[str, str]) -> dict[str, str]:
    """The environment of the product's processes."""
    kept = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    return {**kept, "PYTHONPATH": os.pathsep.join((str(ROOT), str(site))), "PYTHONUNBUFFERED": "1", **more}


class Running(Protocol):
    """A process that was begun: by asyncio, or by a nursery."""

    @property
    def pid(self) -> int: ...
    @property
    def stdout(self) -> asyncio.StreamReader | None: ...
    @property
    def stderr(self) -> asyncio.StreamReader | None: ...
    @property
    def returncode(self) -> int | None: ...
    def send_signal(self, number: int, /) -> None: ...
    async def wait(self) -> int: ...


@define(eq=False)
class Process:
    """A command that runs, and what it has printed. `on_line` is called with each line of its output."""

    running: Running
    on_line: Callable[[str], None] = lambda line: None
    out: list[str] = field(factory=list, init=False)
    err: list[str] = field(factory=list, init=False)
    _readers: asyncio.Future[Any] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._readers = asyncio.gather(
            self._read(self.running.stdout, self.out, self.on_line),
            self._read(self.running.stderr, self.err, lambda line: None),
        )

    @classmethod
    async def start(
        cls,
        *words: str,
        environ: Mapping[str, str],
        on_line: Callable[[str], None] = lambda line: None,
        before: Callable[[], None] | None = None,
    ) -> Process:
        """Begin the command. `before` is done in the new process, before the command."""
        running = await asyncio.create_subprocess_exec(
            *COMMAND, *words, cwd=ROOT, env=environ, preexec_fn=before,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        return cls(running, on_line)

    @classmethod
    async def copied(
        cls, nursery: Nursery, *words: str, environ: Mapping[str, str], on_line: Callable[[str], None]
    ) -> Process:
        """Begin the command in a process that has the product's modules in its memory already."""
        return cls(await nursery.born(words, str(ROOT), environ), on_line)

    @property
    def status(self) -> int | None:
        """Its exit status; negative: the signal that ended it; None: it runs."""
        return self.running.returncode

    def signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        with suppress(ProcessLookupError):
            self.running.send_signal(number)

    def kill(self) -> None:
        """End it as the out-of-memory killer would."""
        if self.status is None:
            self.signal(signal.SIGKILL)

    async def ended(self, within_s: float = 120.0) -> int:
        """Wait for its end, and for the last of what it has printed; answers its status."""
        async with asyncio.timeout(within_s):
            await self._readers
            return await self.running.wait()

    async def _read(self, pipe: asyncio.StreamReader | None, into: list[str], tell: Callable[[str], None]) -> None:
        assert pipe is not None
        while line := await pipe.readline():
            if line.endswith(b"\n"):  # what was cut off by a kill was not said
                into.append(line.decode().rstrip("\n"))
                tell(into[-1])
