"""The product as a user starts it with a live source: processes of their own, and a wave server of the test's."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from attrs import define

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).parent / "framework"
EXAMPLE = ROOT / "examples/live-signals/config.toml"
WITHIN_S = 60.0
WAVE: list[dict[str, Any]] = json.loads((ROOT / "examples/wave-2025-10-31/signals.json").read_text("utf-8"))["data"]


@define
class Live:
    """A deployment with a state directory of its own."""

    state: Path
    config: Path = EXAMPLE
    token: str = "swordfish"  # noqa: S105

    @contextlib.asynccontextmanager
    async def running(self, *sets: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """`framework run`, ended in order at the end."""
        words = ["--config", str(self.config), "--state", str(self.state)]
        words += [word for each in sets for word in ("--set", each)]
        environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "SIGNALS_TOKEN": self.token}
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            COMMAND, "run", *words, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, limit=1 << 20
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await asyncio.wait_for(process.communicate(), WITHIN_S)

    async def json(self, command: str, *arguments: str) -> Any:
        """What a command prints with ``--json``."""
        words = [command, *arguments, "--json", "--config", str(self.config), "--state", str(self.state)]
        environment = {**os.environ, "SIGNALS_TOKEN": self.token}
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            COMMAND, *words, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe
        )
        out, err = await asyncio.wait_for(process.communicate(), WITHIN_S)
        assert process.returncode == 0, err.decode()
        return json.loads(out)


async def said(process: asyncio.subprocess.Process, words: Sequence[str]) -> str:
    """Read what the product prints until a line holds all these words; that line."""
    assert process.stdout is not None
    async with asyncio.timeout(WITHIN_S):
        while line := (await process.stdout.readline()).decode():
            if all(word in line for word in words):
                return line
    raise AssertionError(f"it ended without saying {words}")
