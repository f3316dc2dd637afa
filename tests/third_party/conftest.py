"""A clean environment with the kernel, the shipped plugins and a stranger's packages, all installed from wheels."""

from __future__ import annotations

import json
import os
import subprocess
import venv
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from tests.third_party.packages import (
    CANNOT_BE_IMPORTED,
    REJECTS_EVERYTHING,
    build_wheel,
    succeed,
    write_package,
)

ROOT = Path(__file__).parents[2]


@frozen
class Installation:
    """One deployment in the clean environment. The checkout is out of reach: commands start in its directory."""

    environment: Path
    directory: Path

    @property
    def config(self) -> Path:
        return self.directory / "config.toml"

    @property
    def state(self) -> Path:
        return self.directory / "var"

    def configure(self, *plugins: str, more: str = "") -> None:
        """The default deployment with these plugins listed too, and `more` at its end."""
        text = (ROOT / "config.toml").read_text().replace('"examples/', f'"{ROOT}/examples/')
        listed = "".join(f'"{plugin}", ' for plugin in plugins)
        assert "\nload = [" in text
        self.config.write_text(text.replace("\nload = [", f"\nload = [{listed}") + more)

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run an installed command to its end; nothing is raised, whatever its status."""
        marks = self.directory / "marks"
        marks.mkdir(exist_ok=True)
        variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        command = [str(self.environment / "bin" / words[0]), *words[1:]]
        return subprocess.run(
            command,
            cwd=self.directory,
            env={**variables, "MARKS": str(marks)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def json(self, *words: str) -> Any:
        """What ``framework … --json`` prints; it must end well."""
        done = self("framework", *words, "--json", "--config", str(self.config))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def run(self) -> subprocess.CompletedProcess[str]:
        """Play the deployment's recording."""
        return self("framework", "run", "--config", str(self.config))

    def imported(self) -> set[str]:
        """Which of the stranger's modules any command of this deployment has imported."""
        return {mark.name for mark in (self.directory / "marks").iterdir()}


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything installed side by side; which of it is used, a deployment's list decides."""
    place = tmp_path_factory.mktemp("third-party")
    wheels, environment = place / "wheels", place / "environment"
    trees = [
        ROOT,
        *(path.parent for path in sorted(ROOT.glob("plugins/*/pyproject.toml"))),
        write_package(place, "nay", REJECTS_EVERYTHING.format(use="nay")),
        write_package(place, "broken", CANNOT_BE_IMPORTED),
        write_package(place, "future", REJECTS_EVERYTHING.format(use="later"), requires="framework>=99"),
        write_package(place, "copycat", REJECTS_EVERYTHING.format(use="spread")),
    ]
    for tree in trees:
        build_wheel(tree, wheels)
    venv.create(environment, with_pip=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    succeed([*pip, "--require-hashes", "-r", str(ROOT / "requirements" / "run.txt")], cwd=place)
    succeed([*pip, "--no-deps", *(str(wheel) for wheel in sorted(wheels.iterdir()))], cwd=place)
    return environment


@pytest.fixture
def installation(environment: Path, tmp_path: Path) -> Installation:
    """A deployment of its own in the clean environment."""
    return Installation(environment, tmp_path)
