"""The contract between the kernel and its plugins: one hook for each kind of component.

A plugin is a distribution with an entry point in the group ``framework.plugins`` that names a module. The module
implements some of these hooks with `@hookimpl`. Hooks are called once at start and return classes; they do no
work. docs/plugins.md shows an example of each, which the tests execute.
"""

from __future__ import annotations

import click
import pluggy

from .components import Exchange, Execution, Filter, Observer, Protection, RiskRule, SignalSource, Sizer
from .stages import Stage

PROJECT = "framework"
ENTRY_POINT_GROUP = "framework.plugins"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def signal_sources() -> list[type[SignalSource]]:
    """Components for ``[[signals]]``."""
    raise AssertionError("a hook specification is never called")


@hookspec
def filters() -> list[type[Filter]]:
    """Components for ``[[filters]]``."""
    raise AssertionError("a hook specification is never called")


@hookspec
def risk_rules() -> list[type[RiskRule]]:
    """Components for ``[[risk]]``."""
    raise AssertionError("a hook specification is never called")


@hookspec
def sizers() -> list[type[Sizer]]:
    """Components for ``[sizing]``."""
    raise AssertionError("a hook specification is never called")


@hookspec
def executions() -> list[type[Execution]]:
    """Components for ``[execution]``."""
    raise AssertionError("a hook specification is never called")


@hookspec
def protections() -> list[type[Protection]]:
    """Components for ``[[protection]]``."""
    raise AssertionError("a hook specification is never called")


@hookspec
def exchanges() -> list[type[Exchange]]:
    """Components for ``[exchanges.NAME]``."""
    raise AssertionError("a hook specification is never called")


@hookspec
def observers() -> list[type[Observer]]:
    """Components for ``[[observers]]``."""
    raise AssertionError("a hook specification is never called")


@hookspec
def stages() -> list[type[Stage]]:
    """Components for ``[rehearsal]``."""
    raise AssertionError("a hook specification is never called")


@hookspec
def commands() -> list[click.Command]:
    """Commands that ``framework`` offers while the plugin is listed."""
    raise AssertionError("a hook specification is never called")
