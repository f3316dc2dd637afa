from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import frozen

from framework.config import Deployment, load_deployment
from framework.errors import ConfigError
from tests.registry.packages import Site

SAMPLE = """\
[framework]
state = "var"

[plugins]
load = ["sample"]

[exchanges.main]
use = "venue"
max_positions_per_wave = 4

[[signals]]
use = "source"

[[filters]]
use = "typed"

[sizing]
use = "one"
position_usd = "6"

[[risk]]
use = "rule"

[execution]
use = "at-once"

[[protection]]
use = "stop"

[[observers]]
use = "watcher"
"""


@frozen
class Desk:
    """Writes configurations into a directory of their own and reads them."""

    directory: Path
    environ: dict[str, str]

    @property
    def path(self) -> Path:
        return self.directory / "config.toml"

    def load(self, text: str = SAMPLE, *sets: str, state: Path | None = None) -> Deployment:
        self.path.write_bytes(text.encode())
        environ: Mapping[str, str] = self.environ
        return load_deployment(self.path, sets=sets, state=state, environ=environ)

    def problems(self, text: str = SAMPLE, *sets: str) -> list[str]:
        """The lines of the error that this configuration raises, without the directory."""
        with pytest.raises(ConfigError) as raised:
            self.load(text, *sets)
        return [str(problem).removeprefix(f"{self.directory}/") for problem in raised.value.problems]

    def problem(self, text: str = SAMPLE, *sets: str) -> str:
        """The one line of the error that this configuration raises."""
        (line,) = self.problems(text, *sets)
        return line

    def filter_with(self, settings: str) -> str:
        """The sample with these lines in its filter, the first of them on line 16."""
        return SAMPLE.replace('use = "typed"', f'use = "typed"\n{settings}')

    def exchange_with(self, settings: str) -> str:
        """The sample with these lines in its exchange, the first of them on line 9."""
        return SAMPLE.replace('use = "venue"', f'use = "venue"\n{settings}')


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A directory for configurations, in an environment where the sample plugin is installed."""
    Site(tmp_path / "site", monkeypatch).add("sample", "", entry_point="tests.config.components")
    directory = tmp_path / "deployment"
    directory.mkdir()
    return Desk(directory, {})
