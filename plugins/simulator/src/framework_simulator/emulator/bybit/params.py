"""The parameters of a request, read as what they should be. Numbers are accepted as text and as JSON numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from attrs import frozen

from .errors import VenueError, bad_param, missing

MAX_PARAMS = 100
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{0,20})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_TRUTH = {"true": True, "false": False, "1": True, "0": False}


@frozen
class Params:
    """What a client sent: the query of a GET, the JSON object of a POST or of a WebSocket frame."""

    values: Mapping[str, Any]

    @classmethod
    def of_http(cls, method: str, query: str, body: bytes) -> Params:
        """Raises `VenueError` for a body that is no JSON object."""
        if method == "GET" or not body.strip():
            return cls(_of_query(query))
        try:
            decoded = json.loads(body)
        except (ValueError, RecursionError):
            raise VenueError(10001, message="Json unmarshal failed") from None
        return cls.of_object(decoded)

    @classmethod
    def of_object(cls, decoded: Any) -> Params:
        """Raises `VenueError` for what is no JSON object, or far too large."""
        if not isinstance(decoded, dict) or len(decoded) > MAX_PARAMS:
            raise VenueError(10001, message="Json unmarshal failed")
        return cls(decoded)

    def told(self) -> dict[str, object]:
        """What the ledger keeps of it."""
        return dict(self.values)

    def text(self, name: str) -> str | None:
        """A value; None if it is absent or empty. Raises for objects and lists."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return str(value) if abs(value) < 10**30 else "NaN"
        if isinstance(value, float):
            return format(Decimal(repr(value)), "f") if abs(value) < 1e20 else "NaN"
        raise bad_param(name, "should be a string")

    def need(self, name: str) -> str:
        """A mandatory value."""
        value = self.text(name)
        if value is None:
            raise missing(name)
        return value

    def decimal(self, name: str) -> Decimal | None:
        """A decimal without an exponent, or none."""
        value = self.text(name)
        if value is None:
            return None
        if not _NUMBER.fullmatch(value):
            raise bad_param(name)
        return Decimal(value)

    def need_decimal(self, name: str) -> Decimal:
        """A mandatory decimal."""
        value = self.decimal(name)
        if value is None:
            raise missing(name)
        return value

    def whole(self, name: str) -> int | None:
        """A whole number, or none."""
        value = self.text(name)
        if value is None:
            return None
        if not _WHOLE.fullmatch(value):
            raise bad_param(name)
        return int(value)

    def truth(self, name: str) -> bool:
        """A boolean; absent is false."""
        value = self.text(name)
        if value is None:
            return False
        known = _TRUTH.get(value.lower())
        if known is None:
            raise bad_param(name)
        return known

    def word(self, name: str, allowed: Mapping[str, Any] | frozenset[str], default: str) -> str:
        """One of the venue's words."""
        value = self.text(name) or default
        if value not in allowed:
            raise bad_param(name)
        return value

    def limit(self, default: int, largest: int) -> int:
        """How many rows are asked for; more than `largest` is as much as that (unverified: the venue may refuse)."""
        value = self.whole("limit")
        if value is None:
            return default
        if value < 1:
            raise bad_param("limit")
        return min(value, largest)

    def items(self, name: str, most: int) -> list[Params]:
        """A list of objects, as batches have it."""
        value = self.values.get(name)
        if not isinstance(value, list) or not value:
            raise missing(name)
        if len(value) > most:
            raise bad_param(name, f"should have at most {most} items")
        return [Params.of_object(one) for one in value]

    def linear(self) -> None:
        """Raises unless the category is the one that is emulated."""
        category = self.need("category")
        if category != "linear":
            raise VenueError(10001, f"category {category[:20]} is not emulated, only linear is")


def _of_query(query: str) -> dict[str, Any]:
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_PARAMS))
    except ValueError:
        raise VenueError(10001, "too many parameters") from None
