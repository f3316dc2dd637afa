"""Help is light: it imports no plugin, no venue library, no database, and not even the kernel's own types."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import framework
from framework.cli.group import BUILT_IN, LazyCommand, cli
from tests.cli.shell import ROOT, environment

HEAVY = ("attr", "attrs", "cattrs", "ccxt", "peewee", "rich", "pluggy", "asyncio", "tomlkit", "tomli")


def imported_by(statements: str) -> set[str]:
    """The top-level modules that a fresh interpreter has imported after these statements."""
    code = f"import sys\n{statements}\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    return set(done.stderr.split())


def test_help_imports_neither_plugins_nor_anything_heavy() -> None:
    modules = imported_by("from framework.cli.group import cli\ncli(['--help'], standalone_mode=False)")

    top = {name.partition(".")[0] for name in modules}
    assert top.isdisjoint(HEAVY)
    assert not [name for name in top if name.startswith("framework_")]
    assert {name for name in modules if name.startswith("framework")} == {
        "framework",
        "framework.cli",
        "framework.cli.group",
    }


def test_commands_that_read_the_journal_import_no_plugin(tmp_path: Path) -> None:
    commands = [["positions"], ["signals"], ["events"], ["explain", "1"], ["report"]]
    modules = imported_by(
        f"from framework.cli.group import cli\n"
        f"for words in {commands!r}:\n"
        f"    try: cli([*words, '--state', {str(tmp_path)!r}])\n"
        f"    except SystemExit as end: assert end.code == 3"
    )

    assert "framework.journal" in modules
    assert not [name for name in modules if name.startswith("framework_")]


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_short_help_of_a_listed_command_is_there_and_the_command_bears_its_name(name: str) -> None:
    listed = cli.commands[name]
    assert isinstance(listed, LazyCommand)
    real = listed.load()

    assert real.name == name
    assert listed.short_help == BUILT_IN[name]
    assert real.help


def test_importing_the_framework_imports_none_of_its_names() -> None:
    modules = imported_by("import framework\nassert framework.__version__")

    assert {name for name in modules if name.startswith("framework")} == {"framework"}


def test_a_name_of_the_framework_can_be_imported_and_asked_for() -> None:
    modules = imported_by("import framework\nfrom framework import Percent\nassert framework.Percent is Percent")

    assert "framework.core.numbers" in modules
    assert "framework.components" not in modules


def test_what_is_no_name_of_the_framework_is_an_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Percentage'"):
        framework.Percentage  # type: ignore[attr-defined]  # noqa: B018


def test_the_names_that_are_imported_late_are_those_that_type_checkers_see() -> None:
    tree = ast.parse(Path(str(framework.__file__)).read_text(encoding="utf-8"))
    seen = {
        alias.name: f".{node.module}"
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert seen == framework._HOMES
    assert set(framework.__all__) == {*seen, "__version__"}
    assert set(framework.__all__) <= set(dir(framework))
