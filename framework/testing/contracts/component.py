"""What holds for every pure component: its name, its class, its settings, and answers that are pure."""

from __future__ import annotations

import copy
import enum
import re
import types
import typing
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Literal, TypeVar, Union

import attrs
from attrs.exceptions import FrozenInstanceError

from ...components import Secret
from ...core.numbers import Percent
from ...core.verdict import Notice, Passed, Rejection

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
CODE = re.compile(r"[a-z][a-z0-9_]*")

_PLAIN_SETTINGS = (Decimal, Percent, int, str, bool, Secret, type(None))

_T = TypeVar("_T")


class ContractBrokenError(AssertionError):
    """A component breaks its kind's contract. The message says how."""


def require(fine: bool, component: object, message: str) -> None:
    """Raise `ContractBrokenError` with the component's class and `message` unless `fine`."""
    if not fine:
        raise ContractBrokenError(f"{type(component).__name__}: {message}")


def check_component(component: object) -> None:
    """The rules for the class itself: name, attrs, frozen, docstring, settings."""
    kind: Any = type(component)
    name = getattr(kind, "name", None)
    require(
        isinstance(name, str) and NAME.fullmatch(name) is not None,
        component,
        f"`name` must be lower-case words of letters and digits joined by hyphens, got {name!r}",
    )
    require(attrs.has(kind), component, "must be an attrs class, decorated with @frozen")
    require(_is_frozen(component), component, "must be frozen: decorate it with @attrs.frozen")
    first_line = (vars(kind).get("__doc__") or "").strip().partition("\n")[0]
    require(first_line.endswith("."), component, "the docstring is the help: its first line must be one sentence")
    hints = typing.get_type_hints(kind)
    for attribute in attrs.fields(kind):
        if attribute.init:
            hint = hints.get(attribute.name)
            require(_is_setting(hint), component, f"the setting `{attribute.name}` can't be structured from {hint!r}")


def _is_frozen(component: object) -> bool:
    kind: Any = type(component)
    probe = next((field.name for field in attrs.fields(kind)), "probe")
    before = getattr(component, probe, None)
    try:
        setattr(component, probe, before)
    except FrozenInstanceError:
        return True
    except AttributeError:
        return False
    return False


def _is_setting(hint: Any) -> bool:
    """Whether the kernel can fill a setting of this type from TOML."""
    if hint in _PLAIN_SETTINGS:
        return True
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return all(isinstance(choice, (str, int)) for choice in arguments)
    if origin in (Union, types.UnionType):
        return all(_is_setting(argument) for argument in arguments)
    if origin is tuple:
        return len(arguments) == 2 and arguments[1] is Ellipsis and _is_setting(arguments[0])
    if origin in (dict, Mapping):
        return arguments[0] is str and _is_setting(arguments[1])
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return True
    if isinstance(hint, type) and attrs.has(hint):  # a table within the table
        inner = typing.get_type_hints(hint)
        return all(_is_setting(inner[each.name]) for each in attrs.fields(hint) if each.init)
    return False


def ask_twice(component: object, call: Callable[..., _T], *facts: object) -> _T:
    """The answer of `call(*facts)`, asked twice: it must be the same, and nothing may have changed by asking."""
    before = copy.deepcopy((component, facts))
    first, second = call(*facts), call(*facts)
    require(first == second, component, f"answers differ for the same facts: {first} and {second}")
    require((component, facts) == before, component, "changes itself or the facts it was given")
    return first


def require_code(component: object, code: str) -> None:
    """A reason code is lower-case letters, digits and underscores."""
    require(CODE.fullmatch(code) is not None, component, f"a reason code must be like `too_wide`, got {code!r}")


def require_numbers(component: object, numbers: Mapping[str, object]) -> None:
    """The numbers behind an answer can be written as JSON: finite decimals, ints and text, by name."""
    for name, number in numbers.items():
        require(isinstance(name, str), component, f"the name of a number must be text, got {name!r}")
        fine = isinstance(number, (Decimal, int, str)) and not isinstance(number, bool)
        require(fine, component, f"the number `{name}` must be a Decimal, an int or text, got {number!r}")
        if isinstance(number, Decimal):
            require(number.is_finite(), component, f"the number `{name}` must be finite, got {number}")


def require_rejection(component: object, rejection: Rejection | Notice) -> None:
    """A reason has a code, one readable line, and numbers."""
    require_code(component, rejection.code)
    message = rejection.message
    require(bool(message.strip()) and "\n" not in message, component, f"a message is one line, got {message!r}")
    require_numbers(component, rejection.numbers)


def require_verdict(component: object, verdict: object) -> None:
    """A verdict is `Passed`, `Notice` or `Rejection`, with what belongs to it."""
    if isinstance(verdict, (Rejection, Notice)):
        require_rejection(component, verdict)
    elif isinstance(verdict, Passed):
        require_numbers(component, verdict.numbers)
    else:
        require(False, component, f"the verdict must be Passed, Notice or Rejection, got {verdict!r}")
