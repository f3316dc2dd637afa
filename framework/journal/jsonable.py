"""Rows and reports as plain data for ``--json``: one rule for all of them.

Decimals are plain strings, an instant is an ISO-8601 text in UTC to the microsecond under the name without ``_ns``,
a length of time is a number of milliseconds under a name that ends in ``_ms``.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from ..core.numbers import Percent, plain

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def as_json(row: attrs.AttrsInstance) -> dict[str, Any]:
    """A row, report or explanation as data that `json.dumps` takes."""
    return dict(_entry(attribute, getattr(row, attribute.name)) for attribute in attrs.fields(type(row)))


def iso_utc(time_ns: int) -> str:
    """An instant as ``2025-10-31T22:30:00.000000Z``, cut to the microsecond; one beyond the calendar as its number."""
    try:
        instant = _EPOCH + timedelta(microseconds=time_ns // 1000)
    except OverflowError:
        return f"{time_ns} ns"
    return instant.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _entry(attribute: attrs.Attribute[Any], value: Any) -> tuple[str, Any]:
    name = attribute.metadata.get("json", attribute.name)
    if not name.endswith("_ns"):
        return name, _plain(value)
    if attribute.metadata.get("duration"):
        return name.removesuffix("_ns") + "_ms", None if value is None else value / 1_000_000
    return name.removesuffix("_ns"), None if value is None else iso_utc(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Percent):
        return plain(value.value)
    if isinstance(value, enum.Enum):
        return value.value
    if attrs.has(type(value)):
        return as_json(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    return value
