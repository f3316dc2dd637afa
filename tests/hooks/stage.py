"""A session with a stranger's plugin: what the tests of hooks and of documented examples play on."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import pytest
from attrs import field, frozen

from framework import Record
from framework.app import run_session
from framework.config import load_deployment
from tests.registry.packages import Site

R = TypeVar("R")

TABLES = {
    "plugins": '[plugins]\nload = ["base", "acme"]',
    "exchanges": '[exchanges.main]\nuse = "venue"\nmax_positions_per_wave = 1',
    "signals": '[[signals]]\nuse = "once"',
    "sizing": '[sizing]\nuse = "one"',
    "execution": '[execution]\nuse = "at-market"',
    "protection": '[[protection]]\nuse = "six-percent"',
}


@frozen
class Stage:
    """A deployment of the plugin `base` and one of a stranger's, in an environment of its own."""

    directory: Path
    site: Site = field(repr=False)

    def install(self, module: str) -> None:
        """Install a plugin named ``acme`` whose entry point is this module."""
        self.site.add("acme", "", entry_point=module)

    def install_source(self, source: str) -> None:
        """Install a plugin named ``acme`` whose module has this source."""
        self.site.add("acme", source)

    def write(self, **tables: str) -> Path:
        """A configuration with these tables in the place of the usual ones."""
        path = self.directory / "config.toml"
        path.write_text("\n\n".join({**TABLES, **tables}.values()), encoding="utf-8")
        return path

    def play(self, **tables: str) -> Records:
        """Run the session to its end; what the journal was told, in order."""
        records: list[Record] = []
        end = run_session(load_deployment(self.write(**tables), environ={}), on_record=records.append)
        assert end.reason == "recording ended"
        return Records(records)


@frozen
class Records:
    """What the journal was told."""

    everything: list[Record]

    def of(self, kind: type[R]) -> list[R]:
        """The records of one kind, in order."""
        return [record for record in self.everything if isinstance(record, kind)]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage on which the plugin `base` is installed, and nothing else that a test sees."""
    site = Site(tmp_path / "site", monkeypatch)
    site.add("base", "", entry_point="tests.hooks.base")
    return Stage(tmp_path, site)
