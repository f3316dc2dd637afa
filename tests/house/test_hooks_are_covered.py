"""Every hook of the contract has a test of its own and a documented example; there are none for hooks that are gone."""

from __future__ import annotations

import inspect
import re

import framework.hookspecs
from framework.registry import HOOKS
from tests.house.tree import ROOT


def hooks() -> set[str]:
    """The hooks that are specified."""
    members = vars(framework.hookspecs).items()
    return {name for name, value in members if inspect.isfunction(value) and hasattr(value, "framework_spec")}


def test_the_contract_has_the_hooks_that_the_registry_collects() -> None:
    assert hooks() == set(HOOKS.values())


def test_every_hook_has_a_test() -> None:
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests" / "hooks").glob("test_*.py")}

    assert tested == hooks()


def test_every_hook_has_a_section_in_the_plugin_authors_guide() -> None:
    guide = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")

    headings = re.findall(r"^## `?(\w+)`?$", guide, re.MULTILINE)

    assert hooks() <= set(headings)
