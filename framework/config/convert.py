"""TOML values -> the types of settings, strictly: nothing is guessed, cut or rounded on the way.

Hooks raise `MistakeError` with the words that the user is to read. What cattrs' errors collect from them
(`ClassValidationError`, `IterableValidationError`) knows the path to each mistake.
"""

from __future__ import annotations

import enum
import types
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import attrs
from cattrs import BaseConverter, Converter
from cattrs.errors import (
    AttributeValidationNote,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)

from ..components import Secret
from ..core.numbers import Percent
from . import scalars
from .document import shown
from .scalars import MistakeError

MAY_BE_ABSENT = "may_be_absent"
"""Metadata of a `Path` setting that names something to be written: it need not exist yet."""

Hook = Callable[[Any, Any], Any]


def settings_converter(directory: Path, environ: Mapping[str, str]) -> Converter:
    """A converter for the settings of one deployment: paths start from `directory`, secrets come from `environ`."""
    absent_paths = _converter(environ, directory, scalars.path_from)
    converter = _converter(environ, directory, scalars.existing_path)

    def attrs_hook(cls: type, _: BaseConverter) -> Hook:
        return _class_hook(cls, converter, absent_paths)

    for each in (converter, absent_paths):
        each.register_structure_hook_factory(attrs.has, attrs_hook)
        each.register_structure_hook(Percent, lambda value, _: Percent(scalars.number(value)))
    return converter
