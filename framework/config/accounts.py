"""The accounts of a configuration, and nothing else: what has to work when an optional plugin is broken or missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from attrs import frozen

from ..core.execution import EntryPlan, EntryStep, EntryTry
from ..core.plan import SizingRequest
from ..core.verdict import Rejection
from ..errors import ConfigError
from ..registry import Kind, Registry
from .convert import settings_converter
from .deployment import Configured, Deployment, FrameworkSettings, PluginsSettings
from .document import read_document
from .load import digest_of, in_order, plugin_problems
from .sections import Sections


@frozen
class Nothing:
    """Stands where a deployment needs a sizer and an execution, and opens nothing."""

    name: ClassVar[str] = "nothing"

    def size(self, request: SizingRequest) -> Rejection:
        """Refuses."""
        return Rejection("entries_stopped", "nothing is opened here")

    def first(self, plan: EntryPlan) -> EntryStep:
        """Never asked, because nothing is planned."""
        raise AssertionError("an entry was asked for where nothing is opened")

    def after(self, plan: EntryPlan, tries: tuple[EntryTry, ...]) -> EntryStep | None:
        """No further order."""
        return None


def load_accounts(
    path: Path,
    *,
    environ: Mapping[str, str],
    state: Path | None = None,
    load_plugins: Callable[[Sequence[str]], Registry] = Registry.attempt,
) -> Deployment:
    """A deployment of the enabled accounts alone: without sources, filters, sizing, risk, protections and observers.

    Only ``[framework]``, ``[plugins]`` and ``[exchanges]`` are looked at, and only those plugins are imported that are
    needed to find the exchanges; what is wrong elsewhere is not noticed. Raises `ConfigError`.
    """
    document = read_document(path)
    sections = Sections(document, settings_converter(document.directory, environ))
    framework = sections.settings("framework", FrameworkSettings)
    plugins = sections.settings("plugins", PluginsSettings)
    load = plugins.load if plugins else ()
    registry = _registry(sections.exchanges_in_use(), load, load_plugins)
    exchanges = sections.accounts(registry)
    if sections.problems or exchanges is None or framework is None:
        raise ConfigError(in_order([*sections.problems, *plugin_problems(document, load, registry)]))
    return Deployment(
        path=path,
        directory=document.directory,
        state=document.directory / framework.state if state is None else state.absolute(),
        framework=framework,
        load=load,
        registry=registry,
        exchanges=exchanges,
        sources=(),
        filters=(),
        sizer=Configured(Nothing.name, True, Nothing(), ""),
        risk=(),
        execution=Configured(Nothing.name, True, Nothing(), ""),
        protections=(),
        observers=(),
        rehearsal=None,
        digest=digest_of(document.raw),
    )


def _registry(
    wanted: Sequence[str], listed: Sequence[str], load_plugins: Callable[[Sequence[str]], Registry]
) -> Registry:
    """The plugins that offer these exchanges: those of the same name first, the others in their order, if needed."""
    ordered = [*(name for name in listed if name in wanted), *(name for name in listed if name not in wanted)]
    registry = Registry()
    for count in range(1, len(ordered) + 1):
        registry = load_plugins(ordered[:count])
        if set(wanted) <= set(registry.names(Kind.EXCHANGES)):
            break
    return registry
