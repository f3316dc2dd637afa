"""Keeps the deployment's secrets from whoever looks on: what carries one is shown with ``***`` in its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import attrs
from attrs import field, frozen

from ..components import Secret

HIDDEN = "***"

T = TypeVar("T")


def _longest_first(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({text for text in texts if text}, key=lambda text: (-len(text), text)))


@frozen
class Redactor:
    """Replaces the texts of `secrets`, wherever they stand in a record. The longest first: one may hold another."""

    secrets: tuple[str, ...] = field(converter=_longest_first, repr=False)

    def clean(self, value: T) -> T:
        """`value` itself where no secret is in it."""
        cleaned: T = self._clean(value) if self.secrets else value
        return cleaned

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            made = {self._clean(key): self._clean(each) for key, each in value.items()}
            return made if made != value else value
        if isinstance(value, tuple):
            parts = tuple(self._clean(each) for each in value)
            return parts if parts != value else value
        if attrs.has(type(value)):
            return self._object(value)
        return value

    def _object(self, value: Any) -> Any:
        changed = {}
        for each in attrs.fields(type(value)):
            before = getattr(value, each.name)
            after = self._clean(before)
            if after is not before:
                changed[each.alias] = after
        return attrs.evolve(value, **changed) if changed else value

    def _text(self, text: str) -> str:
        for secret in self.secrets:
            if secret in text:
                text = text.replace(secret, HIDDEN)
        return text


def secrets_of(components: Iterable[object]) -> Iterator[str]:
    """The texts of every secret among the settings of these components."""
    for component in components:
        kind: Any = type(component)
        if attrs.has(kind):
            yield from _secrets_in(*(getattr(component, each.name) for each in attrs.fields(kind) if each.init))


def _secrets_in(*values: object) -> Iterator[str]:
    for value in values:
        if isinstance(value, Secret):
            yield value.reveal()
        elif isinstance(value, Mapping):
            yield from _secrets_in(*value.values())
        elif isinstance(value, list | tuple):
            yield from _secrets_in(*value)
