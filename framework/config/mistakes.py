"""The errors of structuring, flattened: one path and one line of text for each mistake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError, IterableValidationNote

from ..errors import ConfigError, Problem
from .document import Document
from .lines import KeyPath
from .overrides import suggestion
from .scalars import MistakeError


def problems_of(error: Exception, document: Document, path: KeyPath, known: Sequence[str] = ()) -> Iterator[Problem]:
    """Every mistake in the value at `path`. `known` are keys that its table may have besides the class's own."""
    match error:
        case ClassValidationError() | IterableValidationError():
            noted, plain = error.group_exceptions()
            for inner, note in noted:
                place = note.index if isinstance(note, IterableValidationNote) else note.name
                yield from problems_of(inner, document, (*path, place))
            for inner in plain:
                yield from problems_of(inner, document, path, known)
        case ForbiddenExtraKeysError():
            keys = [*known, *(each.alias or each.name for each in attrs.fields(error.cl) if each.init)]
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


def _line(error: Exception) -> str:
    """The error's own text on one line. Validators of attrs put more than their text into their arguments."""
    text = error.args[0] if error.args and isinstance(error.args[0], str) else str(error)
    return " ".join(text.split()) or type(error).__name__
