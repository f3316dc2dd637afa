"""Compact JSON, as the venues write it, of what the emulator itself has made."""

from __future__ import annotations

import json
from typing import Any

import orjson

_ANYTHING = json.JSONEncoder(separators=(",", ":")).encode


def dump_own(value: Any) -> str:
    """A value as ASCII text without blanks. Raises TypeError for what is no JSON.

    Only for what is made of our own numbers: one that a client sent may be NaN, and has to go back as it came.
    """
    try:
        text = orjson.dumps(value)
    except TypeError:  # a number beyond 64 bits, or what is no JSON
        return _ANYTHING(value)
    return text.decode() if text.isascii() else _ANYTHING(value)
