"""A configuration file -> a deployment, or every mistake in it at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from ..errors import ConfigError, Problem
from ..registry import Registry
from .convert import ReadSecret, settings_converter
from .deployment import Deployment, FrameworkSettings, PluginsSettings
from .document import Document, Raw, read_document
from .overrides import TOP_LEVEL, apply_overrides, suggestion
from .scalars import secret_from
from .sections import Sections

S = TypeVar("S")


def load_deployment(
    path: Path,
    *,
    environ: Mapping[str, str],
    sets: Sequence[str] = (),
    state: Path | None = None,
    load_plugins: Callable[[Sequence[str]], Registry] = Registry.attempt,
    exchange_secret: ReadSecret = secret_from,
) -> Deployment:
    """Read and check a whole configuration. Components are made, nothing is started.

    `sets` are overrides like ``sizing.position_usd=20``; `state` takes the place of ``[framework] state`` and is
    relative to the working directory. `load_plugins` imports the listed plugins and keeps their problems.
    `exchange_secret` reads the secrets of exchanges; `placeholder_from` spares a rehearsal the real ones.

    Raises `ConfigError` with every mistake, those of plugins among them, or `PluginError` when plugins alone are wrong.
    """
    document = read_document(path)
    problems = [*apply_overrides(document, sets), *_unknown_tables(document)]
    sections = Sections(
        document,
        settings_converter(document.directory, environ),
        settings_converter(document.directory, environ, exchange_secret),
    )
    framework = sections.settings("framework", FrameworkSettings)
    plugins = sections.settings("plugins", PluginsSettings)
    load = plugins.load if plugins else ()
    problems += _listed_twice(document, load)
    registry = load_plugins(load)
    everything = sections.components(registry, names_are_known=bool(plugins) and not registry.problems)
    problems += sections.problems
    if problems:
        raise ConfigError(in_order([*problems, *plugin_problems(document, load, registry)]))
    registry.require()
    if framework is None or everything is None:
        raise AssertionError("a section without a result has a problem")
    return Deployment(
        path=path,
        directory=document.directory,
        state=document.directory / framework.state if state is None else state.absolute(),
        framework=framework,
        load=load,
        registry=registry,
        digest=digest_of(document.raw),
        **everything,
    )


def read_plugins_list(path: Path, sets: Sequence[str] = ()) -> tuple[str, ...]:
    """``[plugins] load`` of a configuration, without a look at the rest of it. Raises `ConfigError`."""
    document = read_document(path)
    problems = list(apply_overrides(document, sets))
    if problems:
        raise ConfigError(problems)
    return _read_section(document, "plugins", PluginsSettings).load


def read_state_dir(path: Path) -> Path:
    """``[framework] state`` of a configuration, without a look at the rest of it. Raises `ConfigError`."""
    document = read_document(path)
    return document.directory / _read_section(document, "framework", FrameworkSettings).state


def _read_section(document: Document, section: str, cls: type[S]) -> S:
    sections = Sections(document, settings_converter(document.directory, {}))
    settings = sections.settings(section, cls)
    if settings is None:
        raise ConfigError(in_order(sections.problems))
    return settings


def _unknown_tables(document: Document) -> list[Problem]:
    return [
        document.problem((name,), f"unknown table; {suggestion(name, TOP_LEVEL)}")
        for name in document.raw
        if name not in TOP_LEVEL
    ]


def _listed_twice(document: Document, load: Sequence[str]) -> list[Problem]:
    return [
        document.problem(("plugins", "load", index), f"{name!r} is listed twice; once is enough")
        for index, name in enumerate(load)
        if name in load[:index]
    ]


def plugin_problems(document: Document, load: Sequence[str], registry: Registry) -> list[Problem]:
    """Why listed plugins could not be loaded, each at its place in the list."""
    return [
        document.problem(("plugins", "load", load.index(problem.plugin)), problem.message)
        for problem in registry.problems
    ]


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """By line; what has none comes last."""
    return sorted(problems, key=lambda problem: (problem.line is None, problem.line or 0))


def digest_of(raw: Raw) -> str:
    """The SHA-256 of a configuration (hexadecimal)."""
    canonical = json.dumps(raw, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()
