"""The oracle knows nothing of what it judges: it imports the standard library and itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROGRAM = sorted(path for path in HERE.rglob("*.py") if not path.name.startswith("test_"))


def foreign(source: str) -> Iterator[str]:
    """The modules imported by a source that belong neither to the standard library nor to the oracle."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("__import__", "importlib.import_module"):
            names = ["a name made up at run time"]
        for name in names:
            if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith("tests.oracle"):
                yield name


@pytest.mark.parametrize("path", PROGRAM, ids=lambda path: str(path.relative_to(HERE)))
def test_a_file_of_the_oracle_imports_the_standard_library_and_the_oracle_only(path: Path) -> None:
    source = path.read_text(encoding="utf-8")

    assert list(foreign(source)) == []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            assert node.level <= len(path.relative_to(HERE).parts), "it reaches out of its folder"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import json, attrs", ["attrs"]),
        ("from framework.core import ids", ["framework.core"]),
        ("def late():\n    import framework_simulator.engine", ["framework_simulator.engine"]),
        ("import importlib\nimportlib.import_module('framework')", ["a name made up at run time"]),
        ("from . import names\nfrom tests.oracle.names import Names\nimport json", []),
    ],
)
def test_a_foreign_import_is_found(source: str, found: list[str]) -> None:
    assert list(foreign(source)) == found


def test_it_runs_where_nothing_is_installed(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_text('{"seq":1,"t":1,"venue":"bybit","account":null,"kind":"stream","topic":"order","event":"New"}\n')

    command = [sys.executable, "-I", "-S", "-c", "import sys; sys.path.insert(0, sys.argv.pop(1)); "
               "import runpy; runpy.run_module('tests.oracle', run_name='__main__')"]  # fmt: skip
    done = subprocess.run([*command, str(HERE.parents[1]), str(ledger)], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].endswith("1 lines over 0.000 s, judged to its end")
