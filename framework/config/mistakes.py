"""The errors of structuring, flattened: one path and one line of text for each mistake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError, IterableValidationNote

from ..errors import ConfigError, Problem
from .document import Document
from .lines import KeyPath
from .overrides import nearest, suggestion
from .scalars import MissingError, MistakeError


def problems_of(error: Exception, document: Document, path: KeyPath, known: Sequence[str] = ()) -> Iterator[Problem]:
    """Every mistake in the value at `path`. `known` are keys that its table may have besides the class's own."""
    match error:
        case ClassValidationError() | IterableValidationError():
            noted, plain = error.group_exceptions()
            meant = {name for inner in plain if isinstance(inner, ForbiddenExtraKeysError) for name in _meant(inner)}
            for inner, note in noted:
                place = note.index if isinstance(note, IterableValidationNote) else note.name
                if place in meant and isinstance(inner, MissingError):
                    continue  # misspelled, which is one mistake and said below
                yield from problems_of(inner, document, (*path, place))
            for inner in plain:
                yield from problems_of(inner, document, path, known)
        case ForbiddenExtraKeysError():
            keys = [*known, *_keys(error)]
            for key in sorted(error.extra_fields):
                yield document.problem((*path, key), f"unknown key; {suggestion(key, keys)}")
        case ConfigError():
            yield from error.problems
        case MistakeError():
            yield document.problem(path, str(error))
        case ValueError():
            yield document.problem(path, _line(error))
        case _:
            yield document.problem(path, f"{type(error).__name__}: {_line(error)}")


def _keys(error: ForbiddenExtraKeysError) -> list[str]:
    return [each.alias or each.name for each in attrs.fields(error.cl) if each.init]


def _meant(error: ForbiddenExtraKeysError) -> set[str]:
    """The keys that unknown ones are probably misspellings of."""
    return {near for key in error.extra_fields if (near := nearest(key, _keys(error))) is not None}


def _line(error: Exception) -> str:
    """The error's own text on one line. Validators of attrs put more than their text into their arguments."""
    text = error.args[0] if error.args and isinstance(error.args[0], str) else str(error)
    return " ".join(text.split()) or type(error).__name__
