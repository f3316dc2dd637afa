"""Single TOML values -> text, numbers, paths and secrets. What is none raises `MistakeError`: what to write instead."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..components import Secret
from .document import shown

LARGEST_EXPONENT = 30
"""Numbers are refused from 10^31 on, and below 10^-30: no price, quantity or amount of money is that."""

LARGEST_WHOLE = 2**63 - 1

PLACEHOLDER = Secret("placeholder" * 6)
"""As long as venues' keys are, and none."""

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,6})?")


class MistakeError(ValueError):
    """A value is not what its setting takes. The text is shown to the user as it is."""


class MissingError(MistakeError):
    """A setting that has no default is not there."""


def text(value: object) -> str:
    """Text in quotes."""
    if not isinstance(value, str):
        raise MistakeError(f"expected text, got {shown(value)}; put it in quotes")
    return value


def flag(value: object) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise MistakeError(f"expected true or false, got {shown(value)}")
    return value


def whole_number(value: object) -> int:
    """A whole number of at most 63 bits."""
    if isinstance(value, bool) or not isinstance(value, int):
        hint = "; write it without quotes" if isinstance(value, str) and re.fullmatch("[+-]?[0-9]+", value) else ""
        raise MistakeError(f"expected a whole number, got {shown(value)}{hint}")
    if abs(value) > LARGEST_WHOLE:
        raise MistakeError(f"expected a whole number up to {LARGEST_WHOLE}, got {shown(value)}")
    return value


def number(value: object) -> Decimal:
    """An exact number, from a number or from text."""
    readable = _NUMBER.fullmatch(value) if isinstance(value, str) else not isinstance(value, bool)
    if not (readable and isinstance(value, str | int | Decimal)):
        raise MistakeError(f"expected a number, got {shown(value)}")
    exact = Decimal(value)
    if not exact.is_finite():
        raise MistakeError(f"expected a finite number, got {shown(value)}")
    if exact and abs(exact.adjusted()) > LARGEST_EXPONENT:
        raise MistakeError(
            f"expected a number between 1e-{LARGEST_EXPONENT} and 1e{LARGEST_EXPONENT}, got {shown(value)}"
        )
    return exact


def one_of(value: object, choices: Sequence[Any]) -> Any:
    """One of a few values; `true` is not 1."""
    for choice in choices:
        if type(choice) is type(value) and choice == value:
            return choice
    known = ", ".join(shown(choice) for choice in choices)
    near = difflib.get_close_matches(value, [str(choice) for choice in choices], n=1) if isinstance(value, str) else []
    guess = f"; did you mean {shown(near[0])}?" if near else ""
    raise MistakeError(f"expected one of {known}, got {shown(value)}{guess}")


def path_from(value: object, directory: Path) -> Path:
    """A path that starts from `directory` unless it is absolute. It may be absent."""
    if not isinstance(value, str) or not value:
        raise MistakeError(f"expected a path in quotes, got {shown(value)}")
    if "\0" in value:
        raise MistakeError("expected a path, got text with a null character")
    return directory / value


def existing_path(value: object, directory: Path) -> Path:
    """A path to a file or directory that is there."""
    path = path_from(value, directory)
    try:
        path.stat()
    except OSError as error:
        reason = "does not exist" if isinstance(error, FileNotFoundError) else f"can't be reached: {error.strerror}"
        raise MistakeError(f"{shown(value)} {reason}; relative paths start from {directory}") from error
    return path


def secret_from(value: object, directory: Path, environ: Mapping[str, str]) -> Secret:
    """A secret from the environment or a file. What the user wrote is never repeated: it may be the secret."""
    kind, name = _whence(value)
    if kind == "env":
        place, found = f"the environment variable {name}", environ.get(name)
    else:
        place, found = f"the file {directory / name}", _content(directory / name)
    if found is None:
        raise MistakeError(f"missing secret: {place} does not exist")
    if not found:
        raise MistakeError(f"missing secret: {place} is empty")
    return Secret(found)


def placeholder_from(value: object, directory: Path, environ: Mapping[str, str]) -> Secret:
    """What stands for a secret that is not to be read: neither the variable nor the file is looked at."""
    _whence(value)
    return PLACEHOLDER


def _whence(value: object) -> tuple[str, str]:
    """Where a secret comes from: ``env`` or ``file``, and its name."""
    way = '{ env = "NAME" } or { file = "path" }'
    if not isinstance(value, dict):
        raise MistakeError(f"a secret is not written into this file: give {way}")
    match list(value.items()):
        case [("env", str(name))] if name:
            return "env", name
        case [("file", str(name))] if name and "\0" not in name:
            return "file", name
        case _:
            raise MistakeError(f"a secret is given by exactly one of {way}")


def _content(path: Path) -> str | None:
    """A file's text without the newlines at its end; None if there is no such file."""
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise MistakeError(f"missing secret: the file {path} is not UTF-8 text") from error
    except OSError as error:
        raise MistakeError(f"missing secret: the file {path} can't be read: {error.strerror}") from error
