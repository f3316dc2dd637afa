"""Calling the command in this process, and as a user does, in a process of its own."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from attrs import frozen
from click.testing import CliRunner, Result

from framework.cli.group import cli
from tests.hooks.stage import Stage

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from framework.cli import main; main()"]


def call(*words: object) -> Result:
    """Run one command in this process; nothing is raised, whatever its status."""
    return CliRunner().invoke(cli, [str(word) for word in words], prog_name="framework")


def environment(stage: Stage | None = None) -> dict[str, str]:
    """The environment of a process of its own; with a stage, its plugins are installed there, too."""
    places = [str(ROOT)]
    if stage is not None:
        places += [str(place) for place in sorted(stage.site.directory.iterdir())]
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FRAMEWORK_DEBUG")}
    return {**kept, "PYTHONPATH": os.pathsep.join(places), "PYTHONUNBUFFERED": "1"}


@frozen
class Shell:
    """Commands that read one state directory."""

    state: Path

    def __call__(self, *words: object) -> Result:
        return call(*words, "--state", self.state)

    def lines(self, *words: object) -> list[str]:
        """What a command prints, which must have ended well."""
        result = self(*words)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout.splitlines()

    def json(self, *words: object) -> Any:
        """What a command prints with ``--json``."""
        return json.loads("\n".join(self.lines(*words, "--json")))
