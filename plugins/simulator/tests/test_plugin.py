"""The package as the kernel sees it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import attrs

import framework_simulator
from framework import Checkable, PlaysRecordings
from framework_simulator.paper import Paper

from .kit import paper

ENGINE = Path(framework_simulator.__file__).parent / "engine"


def test_the_plugin_offers_the_paper_exchange() -> None:
    assert framework_simulator.exchanges() == [Paper]
    assert Paper.name == "paper"


def test_paper_plays_recordings_and_can_be_checked() -> None:
    assert isinstance(paper(), PlaysRecordings)
    assert isinstance(paper(), Checkable)


def test_naming_the_plugin_does_not_load_its_engine() -> None:
    code = "import sys, framework_simulator; print('framework_simulator.paper' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert run.stdout.strip() == "False"


def test_the_engine_waits_for_nothing_and_draws_nothing() -> None:
    banned = {"asyncio", "time", "random", "datetime", "logging", "threading"}
    for path in ENGINE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not banned & {name.split(".")[0] for name in names}, path


def test_the_readme_describes_every_setting_and_its_example_has_no_other() -> None:
    text = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    settings = {one.alias for one in attrs.fields(Paper) if one.init}
    for setting in settings:
        assert f"| `{setting}` |" in text
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    table = tomllib.loads(example)["exchanges"]["bybit"]
    assert set(table) - {"use", "max_positions_per_wave"} <= settings
