"""Plugins live from what a stranger's plugin gets: `framework` and, for tests, `framework.testing`.

import-linter sees which module is imported, not which name of it, nor what the tests import; this looks at the
source itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import framework
import framework.testing
from tests.house.tree import plugin_directories, short

ALLOWED = {"framework": frozenset(framework.__all__), "framework.testing": frozenset(framework.testing.__all__)}
PLUGIN_FILES = [path for directory in plugin_directories() for path in sorted(directory.rglob("*.py"))]


def trespasses(source: str) -> Iterator[str]:
    """Every import of the kernel in `source` that is not one of its public names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "framework" and alias.name not in ALLOWED:
                    yield f"import {alias.name}"
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            if node.module.split(".")[0] != "framework":
                continue
            for alias in node.names:
                allowed = ALLOWED.get(node.module, frozenset())
                if alias.name not in allowed and f"{node.module}.{alias.name}" not in ALLOWED:
                    yield f"from {node.module} import {alias.name}"


@pytest.mark.parametrize("path", PLUGIN_FILES, ids=short)
def test_a_plugin_imports_only_public_names_of_the_kernel(path: Path) -> None:
    assert list(trespasses(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from framework import Signal, hookimpl", []),
        ("from framework import testing", []),
        ("from framework.testing import make_signal", []),
        ("from . import framework", []),
        ("from framework import core", ["from framework import core"]),
        ("from framework.core.signal import Signal", ["from framework.core.signal import Signal"]),
        ("def late():\n    import framework.engine", ["import framework.engine"]),
    ],
)
def test_an_import_of_the_kernels_inside_is_found(source: str, found: list[str]) -> None:
    assert list(trespasses(source)) == found
