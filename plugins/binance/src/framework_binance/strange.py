"""Reading fields of what the venue says, without trusting its shape."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any


class StrangeAnswerError(Exception):
    """The venue said something that lacks a field, or has a strange one. What it means is then unknown."""


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """`value` as an object."""
    if not isinstance(value, dict):
        raise StrangeAnswerError(f"{what} is no object: {str(value)[:80]!r}")
    return value


def rows(value: Any, what: str) -> list[Mapping[str, Any]]:
    """`value` as a list of objects."""
    if not isinstance(value, list):
        raise StrangeAnswerError(f"{what} is no list: {str(value)[:80]!r}")
    return [mapping(one, f"a row of {what}") for one in value]


def text(row: Mapping[str, Any], name: str) -> str:
    """A text that is there and not empty."""
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise StrangeAnswerError(f"{name} is missing or strange: {value!r}")
    return value


def identifier(row: Mapping[str, Any], name: str) -> str:
    """An id of the venue: a whole number above zero, on the wire a number or a text."""
    value = str(row.get(name) or "")
    if not (value.isascii() and value.isdigit()) or int(value) == 0:
        raise StrangeAnswerError(f"{name} is missing or strange: {row.get(name)!r}")
    return value


def number(row: Mapping[str, Any], name: str) -> Decimal:
    """A finite number."""
    try:
        value = Decimal(str(row[name]))
    except (KeyError, InvalidOperation):
        value = Decimal("NaN")
    if not value.is_finite():
        raise StrangeAnswerError(f"{name} is missing or no number: {row.get(name)!r}")
    return value


def optional(row: Mapping[str, Any], name: str) -> Decimal | None:
    """A number above zero; None where the venue writes zero, nothing, or leaves it out."""
    return number(row, name) or None if row.get(name) not in (None, "") else None


def milliseconds(row: Mapping[str, Any], name: str) -> int:
    """An instant in ms UTC."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise StrangeAnswerError(f"{name} is missing or no time: {value!r}")
    return value
