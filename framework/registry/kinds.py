"""The kinds of things that plugins offer: one row for each hook of the contract."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from attrs import field, fields, frozen

from ..components import Exchange, Execution, Filter, Observer, Protection, RiskRule, SignalSource, Sizer, not_negative
from ..stages import Stage


class Kind(enum.Enum):
    """A kind of component; the value is its section of the configuration. Commands, which click defines, have none."""

    EXCHANGES = "exchanges"
    SIGNALS = "signals"
    FILTERS = "filters"
    SIZING = "sizing"
    RISK = "risk"
    EXECUTION = "execution"
    PROTECTION = "protection"
    OBSERVERS = "observers"
    REHEARSAL = "rehearsal"
    COMMANDS = "commands"


class Shape(enum.Enum):
    """How a kind is written in the configuration."""

    NAMED = "[{section}.NAME]"
    MANY = "[[{section}]]"
    ONE = "[{section}]"


@frozen
class UseKey:
    """The kernel's key in the table of a component that can't be disabled."""

    use: str


@frozen
class UseKeys:
    """The kernel's keys in a component's table."""

    use: str
    enabled: bool = True


@frozen
class AccountKeys:
    """The kernel's keys in ``[exchanges.NAME]``. `max_positions_per_wave` is the account's target for one wave.

    `live` is one of the two locks of a real venue: the other is ``framework run --live NAME``.
    """

    use: str
    max_positions_per_wave: int = field(validator=not_negative)
    enabled: bool = True
    live: bool = False


@frozen
class KindSpec:
    """One row: the hook that returns components of the kind, what people call one, its Protocol, how it is written.

    `keys` is the class of those keys in a component's table that the kernel takes for itself. `optional`: the one
    table may be missing.
    """

    hook: str
    noun: str
    protocol: type
    shape: Shape
    keys: type
    optional: bool = False

    @property
    def kernel_keys(self) -> tuple[str, ...]:
        """The names of the kernel's keys."""
        return tuple(each.name for each in fields(self.keys))


KINDS: Mapping[Kind, KindSpec] = {
    Kind.EXCHANGES: KindSpec("exchanges", "exchange", Exchange, Shape.NAMED, AccountKeys),
    Kind.SIGNALS: KindSpec("signal_sources", "signal source", SignalSource, Shape.MANY, UseKeys),
    Kind.FILTERS: KindSpec("filters", "filter", Filter, Shape.MANY, UseKeys),
    Kind.SIZING: KindSpec("sizers", "sizer", Sizer, Shape.ONE, UseKey),
    Kind.RISK: KindSpec("risk_rules", "risk rule", RiskRule, Shape.MANY, UseKeys),
    Kind.EXECUTION: KindSpec("executions", "execution", Execution, Shape.ONE, UseKey),
    Kind.PROTECTION: KindSpec("protections", "protection", Protection, Shape.MANY, UseKeys),
    Kind.OBSERVERS: KindSpec("observers", "observer", Observer, Shape.MANY, UseKeys),
    Kind.REHEARSAL: KindSpec("stages", "stage", Stage, Shape.ONE, UseKey, optional=True),
}
"""The kinds that are configured."""

HOOKS: Mapping[Kind, str] = {**{kind: spec.hook for kind, spec in KINDS.items()}, Kind.COMMANDS: "commands"}
"""The hook of each kind."""


def heading(kind: Kind) -> str:
    """How a table of this kind is written: ``[[filters]]``, ``[sizing]``, ``[exchanges.NAME]``."""
    return KINDS[kind].shape.value.format(section=kind.value)
