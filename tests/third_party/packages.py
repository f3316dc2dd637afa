"""What a stranger publishes: whole packages as text, built into wheels outside of the checkout."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{distribution}"
version = "{version}"
dependencies = ["{requires}"]

[project.entry-points."framework.plugins"]
{plugin} = "{module}"

[tool.hatch.build.targets.wheel]
only-include = ["{module}.py"]
"""

LEAVES_A_MARK = """\
import os
import pathlib

pathlib.Path(os.environ["MARKS"], __name__).touch()
"""
"""Whoever imports the module can be seen to have done so."""

REJECTS_EVERYTHING = """
from typing import ClassVar

from attrs import frozen

from framework import MarketSnapshot, Need, Rejection, Signal, hookimpl


@frozen
class Nay:
    \"\"\"Refuse every signal, and say so in the words of the deployment.\"\"\"

    name: ClassVar[str] = "{use}"
    needs: ClassVar[frozenset[Need]] = frozenset()

    words: str = "no"

    def check(self, signal: Signal, market: MarketSnapshot) -> Rejection:
        return Rejection("nay", self.words, {{"symbol": signal.symbol}})


@hookimpl
def filters() -> list[type[Nay]]:
    return [Nay]
"""

CANNOT_BE_IMPORTED = """
import a_module_that_nobody_has
"""


def write_package(directory: Path, plugin: str, source: str, *, requires: str = "framework>=0.1,<0.2") -> Path:
    """The source tree of the distribution ``acme-PLUGIN``, version 1.2."""
    tree = directory / f"acme-{plugin}"
    tree.mkdir(parents=True)
    module = f"acme_{plugin}"
    project = PROJECT.format(
        distribution=f"acme-{plugin}", version="1.2", plugin=plugin, module=module, requires=requires
    )
    (tree / "pyproject.toml").write_text(project)
    (tree / f"{module}.py").write_text(LEAVES_A_MARK + source)
    return tree


def build_wheel(tree: Path, target: Path) -> None:
    """Build the wheel of a source tree; nothing is written into the tree."""
    succeed([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)], cwd=tree)


def succeed(command: Sequence[str], cwd: Path) -> None:
    """Run a command that has to end well."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
