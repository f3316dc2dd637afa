"""A position as JSON-able data, and back: what the journal keeps, so that a restart can go on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from cattrs import Converter
from cattrs.gen import make_dict_unstructure_fn, override

from ..core.evolving import evolve
from ..core.execution import EntryPlan
from ..core.numbers import Percent, plain
from ..core.position import Position
from ..core.protection import Ask, Guard, NoState
from ..core.verdict import Number

KEPT_PLANS = 500
"""Bounds what is remembered of plans."""
T = TypeVar("T")


def freeze(position: Position) -> dict[str, object]:
    """`position` as data of strings, numbers, lists and mappings. What its guards reckoned with is left out."""
    frozen: dict[str, object] = _converter().unstructure(position)
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
    converter.register_unstructure_hook(float, _finite)
    converter.register_unstructure_hook(EntryPlan, _once(make_dict_unstructure_fn(EntryPlan, converter)))
    bare = make_dict_unstructure_fn(Guard, converter, numbers=override(omit=True))
    converter.register_unstructure_hook(Guard, bare)
    # Numbers are left out (see `freeze`), but their type must be known to structure what is around them.
    converter.register_structure_hook(Number, lambda number, _: number)
    return converter


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"a state of {value} can't be written down")
    return value


def _once(freeze_plan: Callable[[EntryPlan], dict[str, Any]]) -> Callable[[EntryPlan], dict[str, Any]]:
    """A plan never changes while a position does: it is made into data once."""
    known: dict[int, tuple[EntryPlan, dict[str, Any]]] = {}

    def frozen(plan: EntryPlan) -> dict[str, Any]:
        found = known.get(id(plan))
        if found is None:
            if len(known) >= KEPT_PLANS:
                known.clear()
            found = known[id(plan)] = plan, freeze_plan(plan)  # with the plan, whose id stays taken
        return found[1]

    return frozen
