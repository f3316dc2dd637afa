"""The parameters of a request: query and body merged, whatever the method, and read as what they should be."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from attrs import frozen

from ..values import Values
from .errors import VenueError, missing

MAX_PARAMS = 100


@frozen
class Params(Values):
    """Every value is text, as it arrived. An empty value is as good as none."""

    NUMBER: ClassVar = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
    WHOLE: ClassVar = re.compile(r"-?[0-9]{1,18}", re.ASCII)
    TRUTH: ClassVar = {"true": True, "false": False}

    @classmethod
    def of_http(cls, query: str, body: bytes) -> Params:
        """Merge query and body; what both have, the query decides. Raises `VenueError` for a body that is no text."""
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            raise VenueError(-1100, "body") from None
        # Some clients say that a body is JSON, and send none, or a form.
        pairs = _of_json(text) if text.lstrip().startswith("{") else _of_form(text)
        return cls({**pairs, **_of_form(query)})

    @classmethod
    def of_frame(cls, params: Mapping[str, Any]) -> Params:
        """The parameters of a WebSocket frame."""
        return cls({str(name): _text(value) for name, value in params.items() if value is not None})

    def told(self) -> dict[str, object]:
        """What the ledger keeps: all but the signature and the key."""
        return {name: value for name, value in self.values.items() if name not in ("signature", "apiKey")}

    def text(self, name: str) -> str | None:
        """A value; None if it is absent or empty."""
        return self.values.get(name) or None

    def missing(self, name: str) -> VenueError:
        """-1102."""
        return missing(name)

    def unreadable(self, name: str) -> VenueError:
        """-1100."""
        return VenueError(-1100, name)

    def unknown(self, name: str) -> VenueError:
        """-1130."""
        return VenueError(-1130, name)

    def need_whole(self, name: str) -> int:
        """A mandatory whole number."""
        value = self.whole(name)
        if value is None:
            raise missing(name)
        return value

    def limit(self, default: int, largest: int) -> int:
        """How many rows are asked for. Raises for what is not from 1 to `largest`."""
        value = self.whole("limit")
        if value is None:
            return default
        if not 1 <= value <= largest:
            raise VenueError(-1130, "limit")
        return value


def _of_form(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_PARAMS)
    except ValueError:
        raise VenueError(-1101) from None
    return dict(pairs)


def _of_json(text: str) -> dict[str, str]:
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        raise VenueError(-1100, "body") from None
    if not isinstance(decoded, dict):
        raise VenueError(-1100, "body")
    if len(decoded) > MAX_PARAMS:
        raise VenueError(-1101)
    return {name: _text(value) for name, value in decoded.items() if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f") if value == value and abs(value) < 1e20 else "NaN"
    return json.dumps(value, separators=(",", ":"))
