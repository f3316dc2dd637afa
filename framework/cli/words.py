"""Values in words for people: safe to print, never with an exponent, units written out."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from ..core.numbers import plain
from ..core.verdict import Number

_UNITS = {"_usd": " USD", "_percent": " %", "_ms": " ms", "_minutes": " min", "_s": " s"}

_FIRST = ("quantity", "minimum", "required_usd", "budget_usd", "position_usd", "price")
"""What a size is about comes first, in the order of the argument; all other numbers follow by name."""

_SPANS = ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def safe(text: object) -> str:
    """`text` on one line, with everything that could command a terminal written as an escape."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode()
        for character in str(text)
    )


def shown(value: Number | None) -> str:
    """A value; a dash for none. Decimals keep the digits they are written with."""
    if value is None:
        return "-"
    return plain(value) if isinstance(value, Decimal) else safe(value)


def named(name: str, value: Number) -> str:
    """A number with its name and unit: ``required 18.19 USD``."""
    for suffix, unit in _UNITS.items():
        if name.endswith(suffix):
            return f"{_spaced(name.removesuffix(suffix))} {shown(value)}{unit}"
    return f"{_spaced(name)} {shown(value)}"


def arithmetic(numbers: Mapping[str, Number]) -> str:
    """All numbers behind an answer, on one line."""
    first = [name for name in _FIRST if name in numbers]
    rest = sorted(name for name in numbers if name not in _FIRST)
    return ", ".join(named(name, numbers[name]) for name in [*first, *rest])


def reason(code: str, message: str, numbers: Mapping[str, Number]) -> str:
    """Why something was refused: the message where there is one, and the arithmetic."""
    said = safe(message) or _spaced(code) or "no reason given"
    return f"{said} ({arithmetic(numbers)})" if numbers else said


def pnl(amount: Decimal | None) -> str:
    """A profit or loss in USD with its sign, to four digits after the point (half to even); a dash for none."""
    if amount is None:
        return "-"
    return f"{amount:+.4f}"


def span(length_ns: int | None) -> str:
    """A length of time: ``12.3 ms``, ``45.1 s``, ``2 h 5 min``; a dash for none."""
    if length_ns is None:
        return "-"
    if abs(length_ns) < 10_000_000_000:
        return f"{length_ns / 1e6:.1f} ms"
    seconds = length_ns // 1_000_000_000
    for size, unit, smaller, smaller_unit in _SPANS:
        if seconds >= size:
            return f"{seconds // size} {unit} {seconds % size // smaller} {smaller_unit}"
    return f"{length_ns / 1e9:.1f} s"


def instant(time_ns: int | None) -> str:
    """An instant in UTC, cut to the millisecond: ``2025-10-31 22:48:41.120Z``; a dash for none."""
    if time_ns is None:
        return "-"
    from ..journal import iso_utc

    text = iso_utc(time_ns)
    return f"{text[:10]} {text[11:23]}Z" if text.endswith("Z") else text


def _spaced(name: str) -> str:
    return safe(name).replace("_", " ")
