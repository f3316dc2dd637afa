"""Whether a class that a hook returned is a component of its kind: everything that can be seen without making one."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import attrs

from .kinds import KINDS, Kind

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def flaws(kind: Kind, component: object) -> Iterator[str]:
    """What keeps `component` from being one of its kind, each as a sentence part: ``has no docstring …``."""
    if not isinstance(component, type):
        yield "is no class"
        return
    name = getattr(component, "name", None)
    if not (isinstance(name, str) and NAME.fullmatch(name)):
        yield "lacks `name: ClassVar[str]` of lower-case letters, digits and single hyphens"
    if not (component.__doc__ or "").strip():
        yield "has no docstring, which is its help text"
    if "__attrs_attrs__" not in vars(component):
        yield "is not decorated with attrs' @define or @frozen, so it has no settings"
    else:
        yield from _bad_settings(kind, component)
    yield from _unmet(kind, component)


def _bad_settings(kind: Kind, component: type) -> Iterator[str]:
    try:
        attrs.resolve_types(component)
    except Exception as error:
        yield f"has a setting whose type can't be resolved ({error}); its imports must be there at run time"
        return
    for field in attrs.fields(component):
        if not field.init:
            continue
        if field.type is None:
            yield f"has a setting without a type: {field.name}"
        if field.alias in KINDS[kind].kernel_keys:
            yield f"has a setting named `{field.alias}`, which is the kernel's own key"


def _unmet(kind: Kind, component: type) -> Iterator[str]:
    protocol = KINDS[kind].protocol
    settings = {field.name for field in attrs.fields(component)} if attrs.has(component) else set()
    missing = [name for name in members(protocol) if not hasattr(component, name) and name not in {*settings, "name"}]
    if missing:
        yield f"lacks {', '.join(f'`{name}`' for name in missing)}"
    for name in members(protocol):
        wanted = getattr(protocol, name, None)
        if inspect.isfunction(wanted) and name not in missing:
            yield from _differences(name, wanted, getattr(component, name, None))


def members(protocol: type) -> list[str]:
    """The public names that a Protocol asks for, sorted."""
    names = {*vars(protocol), *vars(protocol).get("__annotations__", {})}
    return sorted(name for name in names if not name.startswith("_"))


def _differences(name: str, wanted: Callable[..., Any], found: Any) -> Iterator[str]:
    if not callable(found):
        yield f"has a `{name}` that is no method"
        return
    if inspect.iscoroutinefunction(wanted) and not inspect.iscoroutinefunction(found):
        yield f"must define `{name}` with `async def`"
    if inspect.iscoroutinefunction(found) and not inspect.iscoroutinefunction(wanted):
        yield f"must not define `{name}` with `async def`: it is called synchronously"
    parameters = [each for each in inspect.signature(wanted).parameters if each != "self"]
    try:
        inspect.signature(found).bind(None, *parameters)
    except TypeError:
        yield f"must define `{name}({', '.join(['self', *parameters])})`"
