"""The core is told the time. import-linter keeps clocks out; `datetime` may format, but not ask."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.tree import ROOT, short

METHODS = {"now", "utcnow", "today", "getenv", "environ"}
FUNCTIONS = {"open", "print", "input"}


def questions(source: str) -> list[str]:
    """The names in `source` with which code asks the world instead of its caller."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in METHODS:
            found.append(node.attr)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            found.append(node.func.id)
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "framework" / "core").glob("*.py")), ids=short)
def test_the_core_asks_nobody(path: Path) -> None:
    assert questions(path.read_text(encoding="utf-8")) == []


def test_a_question_to_the_world_is_found() -> None:
    assert questions("from datetime import datetime\nx = datetime.now()\nprint(x)") == ["print", "now"]
