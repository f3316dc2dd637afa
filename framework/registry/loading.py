"""The registry: imports the plugins of one deployment, one at a time, and knows which component comes from where."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import Any

import click
import pluggy
from attrs import field, frozen

from .. import hookspecs
from ..errors import PluginError
from .inspection import flaws
from .installed import Candidate, candidates, doubly_claimed, incompatibility
from .kinds import HOOKS, KINDS, Kind, heading


@frozen
class Provider:
    """Who offers a component: the plugin's name, its distribution and its version."""

    plugin: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


@frozen
class PluginProblem:
    """Why a listed plugin could not be loaded. `message` is one whole line: which distribution, what, the mend."""

    plugin: str
    distribution: str
    message: str


@frozen
class _Offer:
    component: Any
    provider: Provider


def _new_manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager


@frozen(eq=False)
class Registry:
    """The components of the listed plugins. Make one with `load`, or with `attempt` to see every problem first."""

    problems: tuple[PluginProblem, ...] = ()
    _offers: dict[Kind, dict[str, _Offer]] = field(factory=lambda: {kind: {} for kind in Kind}, alias="offers")

    @classmethod
    def load(cls, names: Sequence[str]) -> Registry:
        """Import the plugins of these names and nothing else. Raises `PluginError` with the problems of all of them."""
        registry = cls.attempt(names)
        registry.require()
        return registry

    @classmethod
    def attempt(cls, names: Sequence[str]) -> Registry:
        """Like `load`, but keeps the problems: the registry then offers what the sound plugins offer."""
        manager = _new_manager()
        everything = candidates()
        offers: dict[Kind, dict[str, _Offer]] = {kind: {} for kind in Kind}
        problems: list[PluginProblem] = []
        for name in dict.fromkeys(names):
            problems.extend(_load_one(manager, name, everything, offers))
        return cls(tuple(problems), offers)

    def require(self) -> None:
        """Raise `PluginError` if a listed plugin could not be loaded: one line for each problem."""
        if self.problems:
            distributions = dict.fromkeys(problem.distribution for problem in self.problems)
            raise PluginError(", ".join(distributions), "\n".join(problem.message for problem in self.problems))

    def names(self, kind: Kind) -> tuple[str, ...]:
        """The names of all components of a kind, sorted."""
        return tuple(sorted(self._offers[kind]))

    def component(self, kind: Kind, name: str) -> type[Any]:
        """The class of a component. Raises `KeyError` for a name that no listed plugin offers."""
        component: type[Any] = self._offers[kind][name].component
        return component

    def provider(self, kind: Kind, name: str) -> Provider:
        """Who offers a component. Raises `KeyError` for a name that no listed plugin offers."""
        return self._offers[kind][name].provider

    def commands(self) -> tuple[click.Command, ...]:
        """The commands of the listed plugins, by name."""
        return tuple(self._offers[Kind.COMMANDS][name].component for name in self.names(Kind.COMMANDS))


def _load_one(
    manager: pluggy.PluginManager,
    name: str,
    everything: Sequence[Candidate],
    offers: dict[Kind, dict[str, _Offer]],
) -> Iterator[PluginProblem]:
    """Import one plugin and take over what it offers; yields what is wrong with it."""
    claims = [candidate for candidate in everything if candidate.name == name]
    if not claims:
        yield PluginProblem(name, name, _missing(name, everything))
        return
    if len(claims) > 1:
        owners = ", ".join(claim.distribution for claim in claims)
        yield PluginProblem(name, owners, doubly_claimed(name, claims))
        return
    (candidate,) = claims
    for message in _take_over(manager, candidate, offers):
        yield PluginProblem(name, candidate.distribution, f"plugin {name!r} ({candidate.label}) {message}")


def _missing(name: str, everything: Iterable[Candidate]) -> str:
    installed = sorted({candidate.name for candidate in everything})
    near = difflib.get_close_matches(name, installed, n=1)
    guess = f"did you mean {near[0]!r}? Otherwise" if near else f"installed are: {', '.join(installed) or 'none'};"
    return (
        f"plugin {name!r} is listed in [plugins] load, but not installed; {guess} install the distribution that "
        f"offers it with pip, or take it off the list"
    )


def _take_over(
    manager: pluggy.PluginManager, candidate: Candidate, offers: dict[Kind, dict[str, _Offer]]
) -> Iterator[str]:
    unfit = incompatibility(candidate)
    if unfit is not None:
        yield unfit
        return
    try:
        plugin = candidate.entry_point.load()
    except (Exception, SystemExit) as error:
        yield (f"can't be imported: {_line(error)}; reinstall {candidate.distribution}, or take it off [plugins] load")
        return
    try:
        manager.register(plugin, candidate.name)
    except Exception as error:
        yield f"can't be registered: {_line(error)}; update {candidate.distribution}, or take it off [plugins] load"
        return
    unknown = [caller.name for caller in manager.get_hookcallers(plugin) or () if not caller.has_spec()]
    for hook in unknown:
        yield _unknown_hook(hook)
    known = [kind for kind in Kind if any(impl.plugin is plugin for impl in _implementations(manager, kind))]
    if not known and not unknown:
        yield _offers_nothing(plugin)
    for kind in known:
        yield from _collect(manager, kind, plugin, candidate, offers[kind])


def _implementations(manager: pluggy.PluginManager, kind: Kind) -> list[Any]:
    return list(getattr(manager.hook, HOOKS[kind]).get_hookimpls())


def _unknown_hook(hook: str) -> str:
    hooks = list(HOOKS.values())
    near = difflib.get_close_matches(hook, hooks, n=1)
    guess = f"did its author mean {near[0]!r}?" if near else f"the hooks are: {', '.join(hooks)}"
    return f"implements a hook that does not exist, {hook!r}; {guess}"


def _offers_nothing(plugin: object) -> str:
    hooks = set(HOOKS.values())
    unmarked = sorted(
        name
        for name, value in vars(plugin).items()
        if name in hooks and inspect.isfunction(value) and isinstance(plugin, ModuleType)
    )
    if unmarked:
        return f"offers nothing: its function {unmarked[0]!r} is not decorated with @hookimpl"
    return "offers nothing: its entry point must name a module with functions that are decorated with @hookimpl"


def _collect(
    manager: pluggy.PluginManager, kind: Kind, plugin: object, candidate: Candidate, offers: dict[str, _Offer]
) -> Iterator[str]:
    hook = HOOKS[kind]
    (implementation,) = (impl for impl in _implementations(manager, kind) if impl.plugin is plugin)
    try:
        offered = implementation.function()
    except Exception as error:
        yield f"fails in its hook {hook!r}: {_line(error)}; hooks return classes and do no work"
        return
    if not isinstance(offered, list | tuple):
        yield f"returns {type(offered).__name__} from its hook {hook!r}, which must return a list"
        return
    provider = Provider(candidate.name, candidate.distribution, candidate.version)
    for component in offered:
        yield from _accept(kind, component, provider, offers)


def _accept(kind: Kind, component: Any, provider: Provider, offers: dict[str, _Offer]) -> Iterator[str]:
    title = getattr(component, "__qualname__", None) or repr(component)
    if kind is Kind.COMMANDS:
        noun, place = "command", "the command line"
        wrong = [] if isinstance(component, click.Command) and component.name else ["is no click command with a name"]
    else:
        noun, place = KINDS[kind].noun, heading(kind)
        wrong = list(flaws(kind, component))
    for flaw in wrong:
        yield f"offers the {noun} {title}, which {flaw}"
    if wrong:
        return
    if component.name in offers:
        taken = offers[component.name].provider
        yield (
            f"claims the name {component.name!r} of a {noun} ({place}), which {taken} has taken; "
            "take one of the two off [plugins] load"
        )
        return
    offers[component.name] = _Offer(component, provider)


def _line(error: BaseException) -> str:
    """An exception as one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
