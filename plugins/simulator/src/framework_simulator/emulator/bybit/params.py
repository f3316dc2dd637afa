"""The parameters of a request, read as what they should be. Numbers are accepted as text and as JSON numbers."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from attrs import frozen

from ..values import Values
from .errors import VenueError, bad_param, missing

MAX_PARAMS = 100


@frozen
class Params(Values):
    """What a client sent: the query of a GET, the JSON object of a POST or of a WebSocket frame."""

    NUMBER: ClassVar = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{0,20})?", re.ASCII)
    WHOLE: ClassVar = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
    TRUTH: ClassVar = {"true": True, "false": False, "1": True, "0": False}

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

    def missing(self, name: str) -> VenueError:
        """10001."""
        return missing(name)

    def unreadable(self, name: str) -> VenueError:
        """10001."""
        return bad_param(name)

    unknown = unreadable

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
