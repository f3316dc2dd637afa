"""Components from tables that a program gives, by the same rules as those of a configuration file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..registry import Kind, Registry
from .convert import settings_converter
from .deployment import Configured
from .document import Document
from .sections import Sections


def components_of(kind: Kind, tables: Iterable[Mapping[str, Any]], registry: Registry) -> tuple[Configured[Any], ...]:
    """The components of one kind that is written as an array of tables. Of floats their shortest text counts.

    Raises `ConfigError` with every mistake.
    """
    raw = {kind.value: [_as_parsed(table) for table in tables]}
    sections = Sections(Document(Path(kind.value), "", raw), settings_converter(Path(), {}))
    made = sections.of_kind(kind, registry)
    if sections.problems:
        raise ConfigError(sections.problems)
    return made


def _as_parsed(value: object) -> Any:
    """`value` as a TOML parser would give it: exact decimals, lists, plain tables."""
    match value:
        case Mapping():
            return {str(key): _as_parsed(each) for key, each in value.items()}
        case list() | tuple():
            return [_as_parsed(each) for each in value]
        case float():
            return Decimal(repr(float(value)))
        case _:
            return value
