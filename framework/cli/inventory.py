"""What ``framework plugins`` tells: each plugin, what it offers, and what the configuration makes of that."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from attrs import frozen

from ..config import read_plugins_list
from ..config.document import read_document, use_of
from ..config.overrides import apply_overrides
from ..registry import KINDS, Kind, PluginInfo, Registry, Shape, installed_plugins
from .group import BUILT_IN

Uses = Mapping[tuple[Kind, str], list[tuple[str, bool]]]
"""For each component the tables that use it, and whether each is enabled."""

_MODULE = re.compile(r"\b(?:\w+\.)+(?=\w)")


@frozen
class SettingLine:
    """A setting of a component. `default` is None where it has to be given."""

    name: str
    type: str
    default: str | None


@frozen
class ComponentLine:
    """A component. `state`: ``enabled``, ``disabled`` or ``not used``; `used_by` are the tables that use it.

    A command is enabled with its plugin, or ``name taken`` if the kernel has one of its name.
    """

    kind: str
    name: str
    state: str
    used_by: tuple[str, ...]
    help: str
    settings: tuple[SettingLine, ...]


@frozen
class PluginLine:
    """A plugin. `requires` is what it asks of the kernel; `problem` says why it is not, or could not be, loaded."""

    name: str
    distribution: str
    version: str
    requires: str
    listed: bool
    loaded: bool
    problem: str | None
    components: tuple[ComponentLine, ...]


def inventory(config: Path | None, sets: Sequence[str]) -> tuple[PluginLine, ...]:
    """Every plugin that is installed or listed. Without a configuration none is listed.

    Raises `ConfigError` for a file that can't be read, or whose ``[plugins]`` is wrong; all else in it may be.
    """
    listed = () if config is None else read_plugins_list(config, sets)
    registry = Registry.attempt(listed)
    uses = {} if config is None else _uses(config, sets)
    installed = installed_plugins(listed)
    lines = [_line(info, registry, uses) for info in installed]
    known = {info.name for info in installed}
    lines += [
        PluginLine(problem.plugin, problem.distribution, "", "", True, False, problem.message, ())
        for problem in registry.problems
        if problem.plugin not in known
    ]
    return tuple(lines)


def _line(info: PluginInfo, registry: Registry, uses: Uses) -> PluginLine:
    found = [problem.message for problem in registry.problems if problem.plugin == info.name]
    return PluginLine(
        name=info.name,
        distribution=info.distribution,
        version=info.version,
        requires=info.requires,
        listed=info.listed,
        loaded=info.listed and not found,
        problem="; ".join(found) or info.problem,
        components=tuple(_components(info, registry, uses)),
    )


def _components(info: PluginInfo, registry: Registry, uses: Uses) -> Iterator[ComponentLine]:
    for kind in Kind:
        for name in registry.names(kind):
            if registry.provider(kind, name).plugin != info.name:
                continue
            component = registry.component(kind, name)
            if kind is Kind.COMMANDS:
                state = "name taken" if name in BUILT_IN else "enabled"
                yield ComponentLine("command", name, state, (), component.get_short_help_str(120), ())
                continue
            tables = uses.get((kind, name), [])
            enabled = any(on for _, on in tables)
            yield ComponentLine(
                kind=KINDS[kind].noun,
                name=name,
                state="enabled" if enabled else "disabled" if tables else "not used",
                used_by=tuple(where for where, _ in tables),
                help=" ".join(inspect.cleandoc(component.__doc__ or "").split()),
                settings=tuple(_settings(component)),
            )


def _settings(component: type[Any]) -> Iterator[SettingLine]:
    for field in attrs.fields(component):
        if field.init:
            default = None if field.default is attrs.NOTHING else _default(field.default)
            yield SettingLine(field.alias, _type(field.type), default)


def _default(default: Any) -> str:
    if hasattr(default, "factory"):  # what attrs keeps for `factory=dict`
        return "empty"
    return str(getattr(default, "value", default))


def _type(annotation: Any) -> str:
    """A type as people write it: without the modules that its names come from."""
    return annotation.__name__ if type(annotation) is type else _MODULE.sub("", str(annotation))


def _uses(config: Path, sets: Sequence[str]) -> Uses:
    """Which tables of the configuration use which component, and whether they are enabled."""
    document = read_document(config)
    list(apply_overrides(document, sets))  # their mistakes were told when the list of plugins was read
    found: dict[tuple[Kind, str], list[tuple[str, bool]]] = {}
    for kind, spec in KINDS.items():
        section = document.raw.get(kind.value)
        tables: list[tuple[str, Any]] = []
        if spec.shape is Shape.ONE:
            tables = [(f"[{kind.value}]", section)]
        elif spec.shape is Shape.MANY and isinstance(section, list):
            tables = [(f"[[{kind.value}]] {index + 1}", table) for index, table in enumerate(section)]
        elif spec.shape is Shape.NAMED and isinstance(section, dict):
            tables = [(f"[{kind.value}.{name}]", table) for name, table in section.items()]
        for where, table in tables:
            if isinstance(table, dict) and use_of(table):
                found.setdefault((kind, use_of(table)), []).append((where, table.get("enabled") is not False))
    return found
