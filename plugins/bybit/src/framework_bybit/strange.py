"""Reading fields of what the venue says, without trusting its shape."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

Row = Mapping[str, Any]


class StrangeAnswerError(Exception):
    """An answer, a row or a frame has not the form that the venue documents. What it means is then unknown."""


def rows(body: Any) -> list[Row]:
    """The list in the result of an answer."""
    found = result(body).get("list")
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise StrangeAnswerError("the result has no list of objects")
    return found


def result(body: Any) -> Row:
    """The result of an answer."""
    found = body.get("result") if isinstance(body, dict) else None
    if not isinstance(found, dict):
        raise StrangeAnswerError("the answer has no result")
    return found


def cursor(body: Any) -> str:
    """Where the next page begins; empty after the last one."""
    return optional(result(body), "nextPageCursor")


def text(row: Row, name: str) -> str:
    """A text that must not be empty."""
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise StrangeAnswerError(f"{name} is {value!r}, a text is due")
    return value


def optional(row: Row, name: str) -> str:
    """A text, empty where there is none."""
    value = row.get(name)
    return value if isinstance(value, str) else ""


def whole(row: Row, name: str) -> int:
    """A whole number, written as a number or as text."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise StrangeAnswerError(f"{name} is {value!r}, a whole number is due")
    try:
        return int(value)
    except ValueError:
        raise StrangeAnswerError(f"{name} is {value!r}, a whole number is due") from None


def number(row: Row, name: str) -> Decimal:
    """A finite decimal."""
    found = number_or_none(row, name)
    if found is None:
        raise StrangeAnswerError(f"{name} is {row.get(name)!r}, a number is due")
    return found


def number_or_none(row: Row, name: str) -> Decimal | None:
    """A finite decimal; None where the field is absent or empty."""
    value = row.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise StrangeAnswerError(f"{name} is {value!r}, a number as text is due")
    try:
        found = Decimal(value)
    except InvalidOperation:
        raise StrangeAnswerError(f"{name} is {value!r}, a number is due") from None
    if not found.is_finite():
        raise StrangeAnswerError(f"{name} is {value!r}, a finite number is due")
    return found


def price_or_none(row: Row, name: str) -> Decimal | None:
    """A price; None where the field is absent, empty or 0: the venue writes "nothing" in all three ways."""
    return number_or_none(row, name) or None
