"""The product as a user starts it: the installed command, in a process of its own, in the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).parent / "framework"


class Product:
    """The command with one state directory. `run` plays the default deployment, with overrides."""

    def __init__(self, state: Path, config: Path = ROOT / "config.toml") -> None:
        self.state = state
        self.config = config

    def __call__(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end; nothing is raised, whatever its status."""
        words = [str(COMMAND), command, *arguments, "--config", str(self.config), "--state", str(self.state)]
        environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"}
        return subprocess.run(
            words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def run(self, sets: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """Play the recording."""
        return self("run", *(word for each in sets for word in ("--set", each)))

    def json(self, command: str, *arguments: str) -> Any:
        """What a command prints with ``--json``; it must have ended well."""
        done = self(command, *arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


class Played(Product):
    """The default deployment after its recording was played once: what the journal says of it does not change."""

    @cached_property
    def signals(self) -> dict[str, dict[str, Any]]:
        """Every signal, by id."""
        return {row["signal_id"]: row for row in self.json("signals")}

    @cached_property
    def positions(self) -> dict[str, dict[str, Any]]:
        """Every position, by the id of its signal."""
        return {row["signal_id"]: row for row in self.json("positions", "--all")}

    @cached_property
    def explanations(self) -> dict[str, dict[str, Any]]:
        """The whole chain of each signal that was opened, by id."""
        return {signal_id: self.json("explain", signal_id) for signal_id in self.positions}


@pytest.fixture(scope="session")
def wave(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The default deployment after its recording was played once."""
    product = Played(tmp_path_factory.mktemp("wave"))
    done = product.run()
    assert done.returncode == 0, done.stderr
    return product


@pytest.fixture
def fresh(tmp_path: Path) -> Product:
    """The default deployment with an empty state directory."""
    return Product(tmp_path / "state")
