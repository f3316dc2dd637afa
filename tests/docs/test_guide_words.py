"""What the plugin author's guide says in tables and quotes is what the product does and says."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from cattrs.errors import IterableValidationError

import framework
import framework.testing
from framework import ConfigError, Percent, Secret
from framework.config import load_deployment
from framework.config.convert import settings_converter
from framework.config.scalars import MistakeError
from framework.registry import Registry
from tests.docs.guide import TEMPLATE, TEXT, fenced, section
from tests.hooks.stage import Stage
from tests.house.tree import ROOT
from tests.registry.packages import Site

TYPES: Mapping[str, Any] = {
    "Decimal": Decimal,
    "Percent": Percent,
    "int": int,
    "bool": bool,
    "str": str,
    'Literal["warn", "reject"]': Literal["warn", "reject"],
    "Path": Path,
    "Secret": Secret,
    "tuple[str, ...]": tuple[str, ...],
    "Mapping[str, Decimal]": Mapping[str, Decimal],
    "Decimal | None": Decimal | None,
}
MODULE = (TEMPLATE / "src" / "framework_example" / "__init__.py").read_text(encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    """The cells of the first table in `text`, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def quoted(cell: str) -> list[str]:
    return [text.replace("\\|", "|") for text in re.findall(r"`([^`]+)`", cell)]


# ── settings ────────────────────────────────────────────────────────────────────────────────────────────────

SETTINGS = [
    (type_, value, accepted)
    for first, *cells in rows(section("Settings", level="###"))
    for type_ in quoted(first)
    for accepted, cell in zip((True, False), cells, strict=True)
    for value in quoted(cell)
]


def structure(type_: str, value: str) -> Any:
    converter = settings_converter(ROOT, {"NAME": "swordfish"})
    raw = tomllib.loads(f"value = {value}", parse_float=Decimal)["value"]
    return converter.get_structure_hook(TYPES[type_])(raw, TYPES[type_])


def test_the_guide_describes_every_type_of_settings() -> None:
    assert {type_ for type_, _, _ in SETTINGS} == set(TYPES)


@pytest.mark.parametrize(("type_", "value"), [each[:2] for each in SETTINGS if each[2]])
def test_a_setting_takes_what_the_guide_says(type_: str, value: str) -> None:
    assert structure(type_, value) is not None


@pytest.mark.parametrize(("type_", "value"), [each[:2] for each in SETTINGS if not each[2]])
def test_a_setting_refuses_what_the_guide_says(type_: str, value: str) -> None:
    with pytest.raises((MistakeError, IterableValidationError)):
        structure(type_, value)


# ── what stops the start ────────────────────────────────────────────────────────────────────────────────────


def add(site: Site, source: str = MODULE, requires: str = "framework>=0.1,<0.2") -> None:
    site.add("example", source, distribution="framework-example", version="0.1.0", requires=[requires])


BREAKAGES: list[tuple[str, Callable[[Site], None]]] = [
    ("exampel", add),
    ("example", lambda site: add(site, requires="framework>=0.2,<0.3")),
    ("example", lambda site: add(site, requires="attrs>=25.3")),
    ("example", lambda site: add(site, "import a_missing_package\n")),
    ("example", lambda site: add(site, MODULE.replace('"quiet-hours"', '"spread"'))),
    ("example", lambda site: add(site, MODULE.replace("def filters", "def filter"))),
    ("example", lambda site: add(site, MODULE.replace("@hookimpl\n", ""))),
    ("example", lambda site: add(site, MODULE.replace("@frozen\n", ""))),
    ("example", lambda site: add(site, MODULE.replace("check(self, signal: Signal, ", "check(self, "))),
]


def test_the_guide_quotes_what_is_said_of_a_plugin_that_can_not_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []
    for number, (name, break_it) in enumerate(BREAKAGES):
        with monkeypatch.context() as patch:
            break_it(Site(tmp_path / str(number), patch))
            said += [f"error: {problem.message}" for problem in Registry.attempt(["filters", name]).problems]

    quotes, _ = fenced("text", section("What stops the start"))
    assert quotes.splitlines() == said


def test_the_guide_quotes_what_is_said_of_wrong_settings(stage: Stage) -> None:
    stage.install_source(MODULE)
    wrong = 'use = "quiet-hours"\nfrom_hour = 24\nhour = 8'
    path = stage.write(filters=f"[[filters]]\n{wrong}\n\n[[filters]]\n{wrong.replace('24', '22.5')}")

    with pytest.raises(ConfigError) as caught:
        load_deployment(path, environ={})

    _, quotes = fenced("text", section("What stops the start"))
    said = [f"error: {problem}".replace(f"{path.parent}/", "") for problem in caught.value.problems]
    assert quotes.splitlines() == said


# ── names ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_guide_names_everything_that_is_for_testing() -> None:
    names = set(framework.testing.__all__) - {"ACCOUNT", "SYMBOL", "Numeric"}

    assert {name for name in names if f"`{name}`" not in section("Testing")} == set()


def test_every_name_that_the_guide_calls_public_is() -> None:
    imported = {
        (module, name.strip())
        for module, names in re.findall(r"^from (framework[\w.]*) import \(?([^()]*?)\)?$", TEXT, re.MULTILINE)
        for name in names.replace("\n", ",").split(",")
        if name.strip()
    }
    public = {"framework": framework.__all__, "framework.testing": framework.testing.__all__}

    assert {module for module, _ in imported} <= {*public, "framework_example"}
    strangers = {(module, name) for module, name in imported if module in public and name not in public[module]}
    assert strangers == set()
