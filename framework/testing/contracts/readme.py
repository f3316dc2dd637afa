"""The contract of a plugin's README: it names every component and setting, and its examples can be used."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import attrs

from .component import ContractBrokenError

KERNEL_KEYS = frozenset({"use", "enabled", "live", "max_positions_per_wave"})
"""What the kernel takes for itself in a component's table; the last two in an account's. A test keeps them in step."""

_TOML_BLOCK = re.compile(r"^```toml\n(.*?)^```", re.DOTALL | re.MULTILINE)


def check_readme(text: str, components: list[Any]) -> None:
    """Raise `ContractBrokenError` if the README of a plugin with these component classes is incomplete or wrong.

    Every component and each of its settings is named in backquotes; every component has a TOML example with ``use``;
    no example has a key that is no setting.
    """
    by_name = {component.name: component for component in components}
    tables = [table for block in _TOML_BLOCK.findall(text) for table in _tables(tomllib.loads(block))]
    for table in tables:
        if table["use"] in by_name:
            _check_table(by_name[table["use"]], table)
    for name, component in by_name.items():
        settings = [field.name for field in attrs.fields(component) if field.init]
        for word in (name, *settings):
            _require(f"`{word}`" in text, f"`{word}` of {component.__name__} is not described")
        _require(any(table["use"] == name for table in tables), f"there is no TOML example with use = {name!r}")


def _check_table(component: Any, table: dict[str, Any]) -> None:
    settings = {field.name for field in attrs.fields(component) if field.init} | KERNEL_KEYS
    for key in table:
        _require(key in settings, f"the example of `{component.name}` has {key!r}, which is no setting")


def _tables(value: object) -> Iterator[dict[str, Any]]:
    """Every table with `use`, however deep."""
    if isinstance(value, dict):
        if "use" in value:
            yield value
        else:
            for inner in value.values():
                yield from _tables(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _tables(inner)


def _require(fine: bool, message: str) -> None:
    if not fine:
        raise ContractBrokenError(f"README: {message}")
