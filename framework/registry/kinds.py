"""The kinds of things that plugins offer: one row for each hook of the contract."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from attrs import frozen

from ..components import Exchange, Execution, Filter, Observer, Protection, RiskRule, SignalSource, Sizer

KERNEL_KEYS = ("use", "enabled")
"""Keys of a component's table that belong to the kernel."""


class Kind(enum.Enum):
    """A kind of component. The value is its section of the configuration."""

    EXCHANGES = "exchanges"
    SIGNALS = "signals"
    FILTERS = "filters"
    SIZING = "sizing"
    RISK = "risk"
    EXECUTION = "execution"
    PROTECTION = "protection"
    OBSERVERS = "observers"
    COMMANDS = "commands"


class Shape(enum.Enum):
    """How a kind is written in the configuration."""

    NAMED = "[{section}.NAME]"
    MANY = "[[{section}]]"
    ONE = "[{section}]"
    NOT_CONFIGURED = ""


@frozen
class KindSpec:
    """One row: the hook that returns components of the kind, the Protocol that they follow, what people call one.

    `kernel_keys` are the keys of a component's table that the kernel takes for itself. Commands are click
    commands, not components: they follow no Protocol and have no section.
    """

    hook: str
    noun: str
    protocol: type | None
    shape: Shape
    kernel_keys: tuple[str, ...] = KERNEL_KEYS


KINDS: Mapping[Kind, KindSpec] = {
    Kind.EXCHANGES: KindSpec("exchanges", "exchange", Exchange, Shape.NAMED, (*KERNEL_KEYS, "max_positions_per_wave")),
    Kind.SIGNALS: KindSpec("signal_sources", "signal source", SignalSource, Shape.MANY),
    Kind.FILTERS: KindSpec("filters", "filter", Filter, Shape.MANY),
    Kind.SIZING: KindSpec("sizers", "sizer", Sizer, Shape.ONE, ("use",)),
    Kind.RISK: KindSpec("risk_rules", "risk rule", RiskRule, Shape.MANY),
    Kind.EXECUTION: KindSpec("executions", "execution", Execution, Shape.ONE, ("use",)),
    Kind.PROTECTION: KindSpec("protections", "protection", Protection, Shape.MANY),
    Kind.OBSERVERS: KindSpec("observers", "observer", Observer, Shape.MANY),
    Kind.COMMANDS: KindSpec("commands", "command", None, Shape.NOT_CONFIGURED, ()),
}


def heading(kind: Kind) -> str:
    """How a table of this kind is written: ``[[filters]]``, ``[sizing]``, ``[exchanges.NAME]``."""
    return KINDS[kind].shape.value.format(section=kind.value)
