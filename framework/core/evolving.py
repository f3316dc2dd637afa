"""Changing frozen data many times a second: `attrs.evolve`, and properties that are reckoned once.

A position is changed some forty times until it is protected, and has forty fields. Walking through them all each time
would cost a tenth of what opening it costs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import attrs

T = TypeVar("T")

if TYPE_CHECKING:
    from attrs import evolve as evolve  # its arguments are checked against the fields of the class
else:

    def evolve(instance, **changes):
        """A copy of a frozen instance with these fields changed.

        Raises `TypeError` for a name that is no field. A class without slots must have neither converters nor
        validators: its fields are copied as they are.
        """
        cls = type(instance)
        if not hasattr(instance, "__dict__"):
            return attrs.evolve(instance, **changes)
        fields, reckoned = _layout(cls)
        if not changes.keys() <= fields:
            raise TypeError(f"{cls.__name__} has no field {', '.join(sorted(changes.keys() - fields))}")
        changed = object.__new__(cls)
        values = changed.__dict__
        values.update(instance.__dict__)
        for name in reckoned:
            values.pop(name, None)
        values.update(changes)
        return changed


class reckoned_once(Generic[T]):  # noqa: N801 - used as a decorator, like property
    """A property of frozen data that is reckoned when it is first asked for: `functools.cached_property`, lock-free.

    The class must have no slots. `evolve` forgets what was reckoned.
    """

    def __init__(self, reckon: Callable[[Any], T]) -> None:
        self._reckon = reckon
        self._name = reckon.__name__
        self.__doc__ = reckon.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> reckoned_once[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> reckoned_once[T] | T:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._reckon(instance)
        return value


@cache
def _layout(cls: type) -> tuple[frozenset[str], tuple[str, ...]]:
    """The fields of a class, and its properties that are reckoned once."""
    fields = frozenset(attribute.name for attribute in attrs.fields(cls))
    attributes = {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()}
    return fields, tuple(name for name, value in attributes.items() if isinstance(value, reckoned_once))
