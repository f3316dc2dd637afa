"""Plugin packages as an installer leaves them: a module and its metadata, in a directory of their own on the path."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from attrs import frozen

FILTER = '''
from typing import ClassVar
from attrs import frozen
from framework import Need, Passed, hookimpl


@frozen
class {name}Filter:
    """Lets everything through."""

    name: ClassVar[str] = "{use}"
    needs: ClassVar[frozenset[Need]] = frozenset()

    def check(self, signal, market):
        return Passed()


@hookimpl
def filters():
    return [{name}Filter]
'''
"""A module with one sound filter."""


def sound_filter(use: str) -> str:
    """The source of a plugin whose only filter has this name."""
    return FILTER.format(name=use.title().replace("-", ""), use=use)


@frozen
class Site:
    """Where packages are put for one test."""

    directory: Path
    monkeypatch: pytest.MonkeyPatch

    def add(
        self,
        plugin: str,
        source: str,
        *,
        distribution: str | None = None,
        version: str = "1.0",
        requires: Sequence[str] = ("framework>=0.1",),
        entry_point: str | None = None,
    ) -> str:
        """Install a package that offers `plugin`; returns the name of its module, which nobody has imported."""
        distribution = distribution or f"acme-{plugin}"
        module = f"{distribution.replace('-', '_')}_module"
        place = self.directory / distribution
        metadata = place / f"{module}-{version}.dist-info"
        metadata.mkdir(parents=True)
        (place / f"{module}.py").write_text(source)
        lines = ["Metadata-Version: 2.1", f"Name: {distribution}", f"Version: {version}"]
        (metadata / "METADATA").write_text("\n".join([*lines, *(f"Requires-Dist: {each}" for each in requires), ""]))
        target = entry_point or module
        (metadata / "entry_points.txt").write_text(f"[framework.plugins]\n{plugin} = {target}\n")
        self.monkeypatch.syspath_prepend(str(place))
        self.monkeypatch.delitem(sys.modules, module, raising=False)
        return module
