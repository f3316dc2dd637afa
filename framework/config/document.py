"""A configuration file as it was read: its values, the overrides on top of them, and where each of them stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import tomli
from attrs import define, field

from ..errors import ConfigError, Problem
from ..registry import KINDS, Shape
from .lines import KeyPath, key_lines

MAX_BYTES = 1_000_000
MAX_DEPTH = 20

Raw = dict[str, Any]


def heading_length(section: object) -> int:
    """How many leading keys of a path name the table: two for ``[exchanges.NAME]`` and ``[[filters]]``."""
    shapes = {kind.value: spec.shape for kind, spec in KINDS.items()}
    return 2 if shapes.get(str(section)) in (Shape.NAMED, Shape.MANY) else 1


@define(slots=False)
class Document:
    """A file that is valid TOML. `overrides` holds the paths that ``--set`` has set since."""

    path: Path
    text: str = field(repr=False)
    raw: Raw
    overrides: set[KeyPath] = field(factory=set)

    @property
    def directory(self) -> Path:
        """What relative paths in the file start from."""
        return self.path.absolute().parent

    @cached_property
    def _lines(self) -> Mapping[KeyPath, int]:
        return key_lines(self.text)

    def problem(self, path: KeyPath, message: str) -> Problem:
        """A mistake at `path`, or at the nearest table around it that is written down."""
        if any(path[: len(override)] == override for override in self.overrides):
            return problem_at(f"--set {'.'.join(self.names(path))}", message)
        line = next((self._lines[start] for start in _starts(path) if start in self._lines), None)
        place = f"{self.path}:{line}" if line else str(self.path)
        return problem_at(" ".join(part for part in (place, self.label(path)) if part), message, line)

    def label(self, path: KeyPath) -> str:
        """A path for people: ``[filters.spread] max_percent``, ``[sizing]``, ``[filters.4] use``."""
        if not path:
            return ""
        names = self.names(path)
        if len(path) == 1 and not isinstance(self.raw.get(names[0], {}), dict | list):
            return names[0]
        cut = heading_length(path[0])
        table, keys = ".".join(names[:cut]), ".".join(names[cut:])
        return f"[{table}] {keys}" if keys else f"[{table}]"

    def names(self, path: KeyPath) -> list[str]:
        """The path as ``--set`` takes it: a component of an array by its `use` where that says which one."""
        names = [str(part) for part in path]
        if len(path) > 1 and isinstance(path[1], int):
            section = self.raw.get(names[0])
            uses = [use_of(table) for table in section] if isinstance(section, list) else []
            if path[1] < len(uses) and uses[path[1]] and uses.count(uses[path[1]]) == 1:
                names[1] = uses[path[1]]
        return names


def problem_at(where: str, message: str, line: int | None = None) -> Problem:
    """A problem on one line: what the user wrote may hold control characters, which are shown by their escapes."""
    return Problem(_visible(where), _visible(message), line)


def _visible(text: str) -> str:
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def use_of(table: object) -> str:
    """The `use` of a component's table; empty where it has none."""
    use = table.get("use") if isinstance(table, dict) else None
    return use if isinstance(use, str) else ""


def _starts(path: KeyPath) -> Iterator[KeyPath]:
    for length in range(len(path), 0, -1):
        yield path[:length]


def read_document(path: Path) -> Document:
    """Read a TOML file; numbers with a point are exact decimals. Raises `ConfigError` with one problem."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError([problem_at(str(path), f"can't be read: {reason}; name a file with --config")]) from error
    if len(content) > MAX_BYTES:
        raise ConfigError([problem_at(str(path), f"is larger than {MAX_BYTES} bytes: this is no configuration")])
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([problem_at(f"{path}:{line}", "is not UTF-8 text; save the file as UTF-8", line)]) from error
    return Document(path, text, _parse(path, text))


def _parse(path: Path, text: str) -> Raw:
    try:
        raw = tomli.loads(text, parse_float=Decimal)
    except tomli.TOMLDecodeError as error:
        where = f"{path}:{error.lineno}"
        raise ConfigError([problem_at(where, f"is not valid TOML: {error.msg}", error.lineno)]) from error
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise ConfigError([problem_at(str(path), f"holds a value that can't be read: {error}")]) from error
    if depth(raw) > MAX_DEPTH:
        raise ConfigError([problem_at(str(path), f"nests tables more than {MAX_DEPTH} levels deep")])
    return raw


def depth(value: object) -> int:
    """How deep tables and arrays are nested in `value`."""
    level, current = 0, [value]
    while current:
        level += 1
        current = [
            child
            for each in current
            if isinstance(each, dict | list)
            for child in (each.values() if isinstance(each, dict) else each)
        ]
    return level


def shown(value: object) -> str:
    """A value of the file for a message: as it would be written there, cut to one short line."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + (value if len(value) <= 60 else value[:57] + "...") + '"'
        case int() | Decimal():
            text = (
                str(value) if isinstance(value, Decimal) or abs(value) < 10**60 else "a number of more than 60 digits"
            )
            return text if len(text) <= 60 else text[:57] + "..."
        case dict():
            return "a table"
        case list():
            return "an array"
        case dt.date() | dt.time():
            return f"the date or time {value}"
        case _:
            return str(value)
