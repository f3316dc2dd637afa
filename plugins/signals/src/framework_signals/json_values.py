"""Strict readers of single JSON values that strangers sent: what they answer is sane, or they say why not.

`decode` keeps every number exact and never lets one odd number spoil the text around it: what only makes sense
inside one field is refused by that field's reader.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from attrs import frozen

from .instants import parse_instant

MAX_CHARS = 1_000_000
"""The longest text that is looked at: about forty times a usual message."""
MAX_DIGITS = 18
"""The most digits before and after the decimal point that a number may have."""
MAX_RAW_CHARS = 500
MAX_SHOWN_CHARS = 60

SYMBOL = re.compile(r"[A-Z0-9]{2,30}")
IDENTITY = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class ValueRefusedError(Exception):
    """A value that cannot be used: a machine-readable `code`, and one line that names the field and the value."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


@frozen
class Bounds:
    """The smallest and the largest number that a field may hold, both allowed."""

    low: Decimal
    high: Decimal

    def __contains__(self, number: Decimal) -> bool:
        return self.low <= number <= self.high

    def __str__(self) -> str:
        return f"within {self.low} and {self.high}"


class RepeatedKeys(dict[str, object]):
    """A JSON object that names a key more than once, so that nobody can say what it means."""


def decode(text: str | bytes) -> object:
    """The JSON value of `text`, numbers exact. Raises `ValueRefusedError` (``no_json``, ``too_large``)."""
    if len(text) > MAX_CHARS:
        raise ValueRefusedError("too_large", f"the message has {len(text)} characters, at most {MAX_CHARS} are read")
    try:
        plain = text.decode() if isinstance(text, bytes) else text
        value: object = json.loads(
            plain, parse_int=_whole, parse_float=_exact, parse_constant=_exact, object_pairs_hook=_object
        )
    except (ValueError, RecursionError) as error:
        raise ValueRefusedError("no_json", f"the message is no JSON ({_reason(error)}): {shown_text(text)}") from None
    return value


def keyed(value: object, what: str) -> Mapping[str, object]:
    """`value` as a JSON object. Raises ``not_an_object``, ``duplicate_field``."""
    if not isinstance(value, Mapping):
        raise ValueRefusedError("not_an_object", f"{what} must be a JSON object, got {shown(value)}")
    if isinstance(value, RepeatedKeys):
        raise ValueRefusedError("duplicate_field", f"{what} names a field twice: {shown(value)}")
    return value


def required(item: Mapping[str, object], name: str) -> object:
    """The value of a field that must be there, null or not. Raises ``missing_field``."""
    if name not in item:
        raise ValueRefusedError("missing_field", f"{name} is missing")
    return item[name]


def number(name: str, value: object, bounds: Bounds) -> Decimal:
    """An exact number. Raises ``wrong_type`` (text and true are no numbers), ``not_a_number``, ``out_of_range``."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueRefusedError("wrong_type", f"{name} must be a number, got {shown(value)}")
    exact = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite():
        raise ValueRefusedError("not_a_number", f"{name} must be a number, got {shown(value)}")
    if exact not in bounds:
        raise ValueRefusedError("out_of_range", f"{name} must be {bounds}, got {shown(value)}")
    exponent = exact.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MAX_DIGITS:
        raise ValueRefusedError("out_of_range", f"{name} has more than {MAX_DIGITS} decimals: {shown(value)}")
    # 5E+1 is 50: nobody after us has to expand an exponent.
    return exact.quantize(Decimal(1)) if exact == exact.to_integral_value() and "E" in str(exact) else exact


def whole(name: str, value: object, bounds: Bounds) -> int:
    """A whole number. Raises what `number` raises, and ``wrong_type`` for a fraction (4.0 is written as one)."""
    exact = number(name, value, bounds)
    exponent = exact.as_tuple().exponent
    if isinstance(value, float) or (isinstance(exponent, int) and exponent < 0):
        raise ValueRefusedError("wrong_type", f"{name} must be a whole number, got {shown(value)}")
    return int(exact)


def text_of(name: str, value: object) -> str:
    """A text. Raises ``wrong_type``."""
    if not isinstance(value, str):
        raise ValueRefusedError("wrong_type", f"{name} must be a text, got {shown(value)}")
    return value


def identity(name: str, value: object) -> str:
    """An id: a whole number from 0 up, or a short text of letters, digits and ``_ . : -``."""
    if isinstance(value, str):
        if not IDENTITY.fullmatch(value):
            raise ValueRefusedError(
                "out_of_range", f"{name} must be 1 to 64 letters, digits or _.:-, got {shown(value)}"
            )
        return value
    return str(whole(name, value, Bounds(Decimal(0), Decimal(10**MAX_DIGITS))))


def symbol_of(name: str, value: object) -> str:
    """A market's name as venues write it. Raises ``wrong_type``, ``bad_symbol``."""
    text = text_of(name, value)
    if not SYMBOL.fullmatch(text):
        raise ValueRefusedError("bad_symbol", f"{name} must be 2 to 30 capitals and digits, got {shown(value)}")
    return text


def instant(name: str, value: object) -> int:
    """An instant in nanoseconds UTC. Raises ``wrong_type``, ``bad_time``."""
    text = text_of(name, value)
    try:
        return parse_instant(text)
    except ValueError as error:
        raise ValueRefusedError("bad_time", f"{name} {error}, got {shown(value)}") from None


def shown(value: object) -> str:
    """A value as one short line of ASCII, for a message."""
    text = _written(value)
    return text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}..."


def shown_text(text: str | bytes) -> str:
    """The beginning of a text as one short line of ASCII, for a message."""
    return shown(raw_of(text)[: MAX_SHOWN_CHARS + 1])


def raw_of(value: object) -> str:
    """What arrived, cut to a bounded length, in characters that every file and terminal can take."""
    if isinstance(value, bytes):
        return value[:MAX_RAW_CHARS].decode(errors="backslashreplace")[:MAX_RAW_CHARS]
    text = value if isinstance(value, str) else _written(value)
    # A lone surrogate is legal in JSON and in `str`, but cannot be stored.
    return text[:MAX_RAW_CHARS].encode(errors="backslashreplace").decode()[:MAX_RAW_CHARS]


def _written(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    try:
        return json.dumps(value, default=_number_or_type)
    except (ValueError, TypeError, RecursionError):
        return f"a {type(value).__name__}"


def _number_or_type(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    return f"a {type(value).__name__}"


def _whole(text: str) -> int | Decimal:
    # The language refuses to read an int of thousands of digits; as a Decimal it reaches its field's bounds.
    return int(text) if len(text) <= MAX_DIGITS else _exact(text)


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        # An exponent beyond all bounds: not a number that anybody can mean.
        return Decimal("NaN")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    plain = dict(pairs)
    return plain if len(plain) == len(pairs) else RepeatedKeys(plain)


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}, character {error.pos + 1}"
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else "nested too deeply"
