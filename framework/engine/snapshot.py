"""A position as JSON-able data, and back: what the journal keeps, so that a restart can go on."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from attrs import evolve
from cattrs import Converter

from ..core.numbers import Percent, plain
from ..core.position import Position
from ..core.protection import Ask, NoState
from ..core.verdict import Number

T = TypeVar("T")


def freeze(position: Position) -> dict[str, object]:
    """`position` as data of strings, numbers, lists and mappings. What its guards reckoned with is left out."""
    bare = {name: evolve(guard, numbers={}) for name, guard in position.guards.items()}
    frozen: dict[str, object] = _converter().unstructure(evolve(position, guards=bare))
    return frozen


def thaw(data: Mapping[str, Any], state_types: Mapping[str, type]) -> Position:
    """The position that was frozen. `state_types` is the class of each protection's state, by its name.

    A guard whose protection is not there any more, or has another state now, keeps its stop and asks for nothing.
    """
    converter = _converter()
    position = converter.structure(data, Position)
    guards = {}
    for name, guard in position.guards.items():
        try:
            guards[name] = evolve(guard, state=converter.structure(guard.state, state_types[name]))
        except Exception:  # whatever a state that is not this protection's may lack
            guards[name] = evolve(guard, state=NoState(), ask=Ask())
    return evolve(position, guards=guards)


def piece(data: Mapping[str, Any], kind: type[T], *path: str) -> T | None:
    """One part of a snapshot that can't be read as a whole; None where that part can't be read either."""
    found: Any = data
    try:
        for name in path:
            found = found[name]
        return None if found is None else _converter().structure(found, kind)
    except Exception:  # as above: anything may stand there
        return None


@cache
def _converter() -> Converter:
    converter = Converter(detailed_validation=False)
    converter.register_unstructure_hook(Decimal, plain)
    converter.register_structure_hook(Decimal, lambda text, _: Decimal(text))
    converter.register_unstructure_hook(Percent, lambda percent: plain(percent.value))
    converter.register_structure_hook(Percent, lambda text, _: Percent(Decimal(text)))
    # Numbers are left out (see `freeze`), but their type must be known to structure what is around them.
    converter.register_structure_hook(Number, lambda number, _: number)
    return converter
