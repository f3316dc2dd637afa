"""``--set PATH=VALUE``: changes to single values of the configuration, as if they were written in the file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import tomli

from ..errors import Problem
from ..registry import KINDS, Shape
from .document import MAX_DEPTH, Document, depth, problem_at, use_of
from .lines import KeyPath

TOP_LEVEL = ("framework", "plugins", *(kind.value for kind in KINDS))
"""The tables of a configuration."""


class _NowhereError(Exception):
    """The path of an override points to nothing that could be set."""


def apply_overrides(document: Document, sets: Sequence[str]) -> Iterator[Problem]:
    """Set each ``PATH=VALUE`` of `sets` in the document, in order; yields a problem for each that can't be."""
    for text in sets:
        path, equals, value = text.partition("=")
        keys = [key.strip() for key in path.split(".")]
        if not equals or not all(keys):
            yield problem_at(
                f"--set {path}", "is no PATH=VALUE, like sizing.position_usd=20 or filters.spread.enabled=false"
            )
            continue
        try:
            document.overrides.add(_assign(document.raw, keys, _parsed(value)))
        except _NowhereError as error:
            yield problem_at(f"--set {path}", str(error))


def _parsed(text: str) -> Any:
    """The value as TOML would read it; what is no TOML is text. Quotes make text of what looks like a number."""
    try:
        table = tomli.loads(f"value = {text}", parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        return text
    value = table.pop("value")
    return text if table or depth(value) > MAX_DEPTH else value


def _assign(raw: dict[str, Any], keys: list[str], value: Any) -> KeyPath:
    """Set the value at the end of `keys`; returns its full path, with positions in place of names."""
    if keys[0] not in TOP_LEVEL:
        raise _NowhereError(f"there is no [{keys[0]}]; {suggestion(keys[0], TOP_LEVEL)}")
    here: Any = raw
    path: KeyPath = ()
    for index, key in enumerate(keys):
        last = index == len(keys) - 1
        if isinstance(here, list):
            step: str | int = _position(here, key, ".".join(keys[:index]))
        elif isinstance(here, dict):
            step = key
            if not last and key not in here:
                here[key] = _new_table(here, keys, index)
        else:
            raise _NowhereError(f"{'.'.join(keys[:index])} is no table, so there is nothing in it to set")
        path = (*path, step)
        if last:
            here[step] = value
        else:
            here = here[step]
    return path


def _new_table(here: dict[str, Any], keys: list[str], index: int) -> dict[str, Any]:
    """Tables inside of a component and the kernel's own come into being; components don't."""
    shape = next((spec.shape for kind, spec in KINDS.items() if kind.value == keys[0]), Shape.ONE)
    if index == 0 and shape is Shape.MANY:
        raise _NowhereError(f"there are no [[{keys[0]}]] in the file")
    if index == 1 and shape is Shape.NAMED:
        raise _NowhereError(f"there is no [{keys[0]}.{keys[1]}]; {suggestion(keys[1], here)}")
    return {}


def _position(array: list[Any], key: str, name: str) -> int:
    """An element by its 0-based position, or a component by its `use`."""
    if key.isascii() and key.isdigit():
        if len(key) < 6 and int(key) < len(array):
            return int(key)
        raise _NowhereError(f"{name} has {len(array)} elements, counted from 0")
    uses = [use_of(table) for table in array]
    positions = [index for index, use in enumerate(uses) if use == key]
    if len(positions) == 1:
        return positions[0]
    if positions:
        choices = " or ".join(f"{name}.{index}" for index in positions)
        raise _NowhereError(f"more than one of [[{name}]] uses {key!r}; write {choices}")
    raise _NowhereError(f"none of [[{name}]] uses {key!r}; {suggestion(key, filter(None, uses))}")


def nearest(wrong: str, known: Iterable[str]) -> str | None:
    """The known name that `wrong` is probably a misspelling of."""
    return next(iter(difflib.get_close_matches(wrong, sorted(set(known)), n=1)), None)


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """``did you mean x?`` where one is near, else what there is."""
    names = sorted(set(known))
    near = nearest(wrong, names)
    if near is not None:
        return f"did you mean {near}?"
    return f"there are: {', '.join(names)}" if names else "there are none"
