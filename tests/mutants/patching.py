"""Changing one function, property or constant of the product for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any


@contextmanager
def replaced(owner: Any, name: str, value: object) -> Iterator[None]:
    """`owner`, a module or class, has `value` under this name, and afterwards what it had.

    Raises KeyError where `owner` itself defines no such name: a mutant must not outlive what it mutates.
    """
    before = vars(owner)[name]
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def around(owner: Any, name: str, wrap: Callable[..., Any]) -> AbstractContextManager[None]:
    """Calls of a function or method go to `wrap`, with the original before its arguments."""
    original = vars(owner)[name]

    def changed(*arguments: Any, **named: Any) -> Any:
        return wrap(original, *arguments, **named)

    return replaced(owner, name, changed)


@contextmanager
def together(*patches: AbstractContextManager[None]) -> Iterator[None]:
    """Several at once, for a mistake that two checks in a row would mend."""
    with ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        yield
