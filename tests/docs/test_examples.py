"""Every example in the documents can be used: Python runs, and configuration is accepted as the product reads it."""

from __future__ import annotations

import json
import runpy
import tomllib
from pathlib import Path

import pytest
import tomlkit

from framework.config import load_deployment
from framework.registry import HOOKS, Kind
from tests.docs.blocks import Block, documented
from tests.docs.test_hook_examples import Answers
from tests.house.tree import ROOT

TOP_LEVEL = {"framework", "plugins", *(kind.value for kind in Kind if kind is not Kind.COMMANDS)}

BLOCKS = [
    block
    for block in documented()
    # The hooks' sections hold plugins of their own, which test_hook_examples.py installs.
    if not (block.place.startswith("docs/plugins.md") and block.section in HOOKS.values())
]


def in_language(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


@pytest.mark.parametrize("block", in_language("python"), ids=str)
def test_a_python_example_runs(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    path.write_text(block.code, encoding="utf-8")

    assert runpy.run_path(str(path))


@pytest.mark.parametrize("block", in_language("toml"), ids=str)
def test_a_configuration_example_is_accepted_in_the_default_deployment(block: Block, tmp_path: Path) -> None:
    tables = tomllib.loads(block.code)
    if not tables.keys() <= TOP_LEVEL:
        return  # a pyproject.toml, or another program's file: that it is TOML is all that can be said here
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    path = tmp_path / "config.toml"
    base = tomllib.loads((ROOT / "config.toml").read_text(encoding="utf-8"))
    whole = {**base, **tables}
    # An example lists the plugin that it is about; the rest of the deployment needs its own.
    whole["plugins"] = {"load": list(dict.fromkeys([*base["plugins"]["load"], *whole["plugins"]["load"]]))}
    path.write_text(tomlkit.dumps(whole), encoding="utf-8")

    deployment = load_deployment(path, environ=Answers())

    assert deployment.path == path


@pytest.mark.parametrize("block", in_language("json"), ids=str)
def test_a_json_example_is_json(block: Block) -> None:
    try:
        assert json.loads(block.code)
    except json.JSONDecodeError:
        assert all(json.loads(line) for line in block.code.splitlines())
