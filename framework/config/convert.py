"""TOML values -> the types of settings, strictly: nothing is guessed, cut or rounded on the way.

Hooks raise `MistakeError` with the words that the user is to read. The errors that collect them
(`ClassValidationError`, `IterableValidationError`) know the path to each mistake.
"""

from __future__ import annotations

import enum
import types
from collections import abc
from collections.abc import Callable, Iterator, Mapping
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
    StructureHandlerNotFoundError,
)

from ..components import Secret
from ..core.numbers import Percent
from . import scalars
from .document import shown
from .scalars import MissingError, MistakeError

MAY_BE_ABSENT = "may_be_absent"
"""Metadata of a `Path` setting that names something to be written: it need not exist yet."""

Hook = Callable[[Any, Any], Any]

_ARRAYS: Mapping[Any, Callable[[list[Any]], Any]] = {
    tuple: tuple,
    list: list,
    frozenset: frozenset,
    set: set,
    abc.Sequence: tuple,
    abc.Set: frozenset,
}
_TABLES = (dict, abc.Mapping)


ReadSecret = Callable[[object, Path, Mapping[str, str]], Secret]
"""How a secret is read: its value in the file, the directory that paths start from, the environment."""


def settings_converter(
    directory: Path, environ: Mapping[str, str], read_secret: ReadSecret = scalars.secret_from
) -> Converter:
    """A converter for the settings of one deployment: paths start from `directory`, secrets come from `environ`."""

    def class_hook(cls: Any, _: BaseConverter) -> Hook:
        return _class_hook(cls, of_existing, of_absent)

    of_existing = _converter(class_hook, lambda value: scalars.existing_path(value, directory))
    of_absent = _converter(class_hook, lambda value: scalars.path_from(value, directory))
    for converter in (of_existing, of_absent):
        converter.register_structure_hook(Secret, lambda value, _: read_secret(value, directory, environ))
    return of_existing


def _converter(class_hook: Callable[[Any, BaseConverter], Hook], to_path: Callable[[object], Path]) -> Converter:
    converter = Converter(forbid_extra_keys=True)
    converter.register_structure_hook_factory(attrs.has, class_hook)
    converter.register_structure_hook_factory(lambda each: _origin(each) in _ARRAYS, _array_hook)
    converter.register_structure_hook_factory(lambda each: _origin(each) in _TABLES, _table_hook)
    converter.register_structure_hook_factory(lambda each: _origin(each) in (Union, types.UnionType), _union_hook)
    converter.register_structure_hook_factory(lambda each: _origin(each) is Literal, _literal_hook)
    converter.register_structure_hook(enum.Enum, _member)
    converter.register_structure_hook(bool, lambda value, _: scalars.flag(value))
    converter.register_structure_hook(Decimal, lambda value, _: scalars.number(value))
    converter.register_structure_hook(Percent, lambda value, _: Percent(scalars.number(value)))
    converter.register_structure_hook(Path, lambda value, _: to_path(value))
    # Enumerations of texts and numbers are found here too: they derive from both.
    converter.register_structure_hook(str, _or_member(scalars.text))
    converter.register_structure_hook(int, _or_member(scalars.whole_number))
    converter.register_structure_hook(float, _or_member(lambda value: float(scalars.number(value))))
    return converter


def _origin(type_: Any) -> Any:
    return get_origin(type_) or type_


def _member(value: object, type_: type[enum.Enum]) -> enum.Enum:
    return type_(scalars.one_of(value, [member.value for member in type_]))


def _or_member(convert: Callable[[object], Any]) -> Hook:
    return lambda value, type_: _member(value, type_) if issubclass(type_, enum.Enum) else convert(value)


def _literal_hook(type_: Any, _: BaseConverter) -> Hook:
    return lambda value, _: scalars.one_of(value, get_args(type_))


def _union_hook(type_: Any, converter: BaseConverter) -> Hook:
    """The first member that takes the value. TOML has no null: None only comes from a default."""
    members = [(member, _hook(converter, member)) for member in get_args(type_) if member is not types.NoneType]

    def structure(value: Any, _: Any) -> Any:
        refusals = []
        for member, hook in members:
            try:
                return hook(value, member)
            except MistakeError as error:
                refusals.append(str(error))
        raise MistakeError("; or ".join(refusals))

    return structure


def _array_hook(type_: Any, converter: BaseConverter) -> Hook:
    make, args = _ARRAYS[_origin(type_)], get_args(type_) or (Any, ...)
    fixed = _origin(type_) is tuple and args[-1] is not Ellipsis
    hooks = [(each, _hook(converter, each)) for each in args if each is not Ellipsis]

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, list):
            raise MistakeError(f"expected an array, got {shown(value)}; write it in square brackets")
        if fixed and len(value) != len(hooks):
            raise MistakeError(f"expected an array of {len(hooks)} values, got {len(value)}")
        elements = ((index, each, *hooks[index if fixed else 0]) for index, each in enumerate(value))
        return make(_collected(elements, type_))

    return structure


def _table_hook(type_: Any, converter: BaseConverter) -> Hook:
    key_type, value_type = get_args(type_) or (Any, Any)
    to_key, to_value = _hook(converter, key_type), _hook(converter, value_type)

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise MistakeError(f"expected a table, got {shown(value)}")
        keys = _collected([(key, key, key_type, to_key) for key in value], type_)
        values = _collected([(key, each, value_type, to_value) for key, each in value.items()], type_)
        return dict(zip(keys, values, strict=True))

    return structure


def _collected(elements: abc.Iterable[tuple[int | str, Any, Any, Hook]], type_: Any) -> list[Any]:
    """Each value through its hook; the mistakes of all of them together, each with its position or key."""
    done, errors = [], []
    for place, value, each, hook in elements:
        try:
            done.append(hook(value, each))
        except Exception as error:
            error.add_note(IterableValidationNote("", place, each))
            errors.append(error)
    if errors:
        raise IterableValidationError("", errors, type_)
    return done


def _class_hook(cls: Any, converter: BaseConverter, of_absent: BaseConverter) -> Hook:
    """Like cattrs' own for attrs classes, but validators that refuse are all heard, each at its own setting."""
    attrs.resolve_types(cls)
    fields = [each for each in attrs.fields(cls) if each.init]
    hooks = {
        each.name: _hook(of_absent if each.metadata.get(MAY_BE_ABSENT) else converter, each.type) for each in fields
    }
    known = {each.alias for each in fields}

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise MistakeError(f"expected a table, got {shown(value)}")
        settings: dict[str, Any] = {}
        errors: list[Exception] = []
        for each in fields:
            try:
                if each.alias in value:
                    settings[each.name] = hooks[each.name](value[each.alias], each.type)
                elif each.default is attrs.NOTHING:
                    raise MissingError("is missing")
            except Exception as error:
                errors.append(_noted(error, each))
        errors.extend(_invalid(cls, fields, settings, value))
        if value.keys() - known:
            errors.append(ForbiddenExtraKeysError(None, cls, set(value.keys() - known)))
        if not errors:
            try:
                return cls(**{each.alias: settings[each.name] for each in fields if each.name in settings})
            except Exception as error:
                errors.append(error)
        raise ClassValidationError("", errors, cls)

    return structure


def _invalid(
    cls: Any, fields: list[attrs.Attribute[Any]], settings: dict[str, Any], given: Mapping[str, Any]
) -> Iterator[Exception]:
    """What the converters and validators of the given settings refuse. They see an instance made of what is sound."""
    instance = object.__new__(cls)
    for each in fields:
        if each.name in settings:
            try:
                object.__setattr__(instance, each.name, _converted(each, settings[each.name], instance))
            except Exception as error:
                yield _noted(error, each)
        elif each.alias not in given and not isinstance(each.default, attrs.Factory):  # type: ignore[arg-type]
            object.__setattr__(instance, each.name, each.default)
    for each in fields:
        if each.validator is None or each.name not in settings:
            continue
        try:
            each.validator(instance, each, getattr(instance, each.name))
        except AttributeError:
            continue  # it looks at a setting that is itself wrong; a sound instance asks it again
        except Exception as error:
            yield _noted(error, each)


def _converted(each: attrs.Attribute[Any], value: Any, instance: Any) -> Any:
    if isinstance(each.converter, attrs.Converter):
        convert: Any = each.converter  # the type stubs don't know what it holds
        extra = ([instance] if convert.takes_self else []) + ([each] if convert.takes_field else [])
        return convert.converter(value, *extra)
    return value if each.converter is None else each.converter(value)


def _noted(error: Exception, each: attrs.Attribute[Any]) -> Exception:
    error.add_note(AttributeValidationNote("", each.alias or each.name, each.type))
    return error


def _hook(converter: BaseConverter, type_: Any) -> Hook:
    try:
        return converter.get_structure_hook(type_)
    except StructureHandlerNotFoundError:
        return lambda value, _: _refuse(type_)


def _refuse(type_: Any) -> None:
    raise MistakeError(f"the plugin declares this setting as {type_}, which a configuration file can't hold")
