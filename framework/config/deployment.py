"""The result of reading a configuration: typed settings and the components that are ready to be used."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from attrs import Attribute, field, frozen

from ..components import (
    Exchange,
    Execution,
    Filter,
    Observer,
    Protection,
    RiskRule,
    SignalSource,
    Sizer,
    positive,
)
from ..core.protection import named
from ..registry import Registry
from ..stages import Stage

C = TypeVar("C", covariant=True)


def _a_place(instance: object, attribute: Attribute[str], value: str) -> None:
    if not value or "\0" in value:
        raise ValueError("must name a directory")


@frozen
class FrameworkSettings:
    """``[framework]``: the kernel's own settings. Times are whole seconds.

    `state`: the directory of the journal, relative to the configuration's own. `max_quote_age_s`: an older quote
    is missing data. `data_timeout_s`: how long the market data of one signal may take. `entry_deadline_s`: when an
    entry that has not ended is given up. `protect_within_s` and `stop_tries`: how long and how often a stop is tried
    before the position is closed. `wave_settle_s`: how long a wave waits for more signals of its bar,
    `wave_deadline_s`: how long at the most. `max_signal_age_s`: a signal that was made longer ago is refused.
    `start_timeout_s`: how long the first account, or one try for one, may take at the start; and each step of a check.
    `reconcile_every_s`: how often each account is read as a whole and compared with the journal. `foreign_positions`:
    what is done about a position at the venue that is not ours. `signal_may_set`: which settings a signal may decide
    for its own trade.
    """

    state: str = field(default="var", validator=_a_place)
    max_quote_age_s: int = field(default=30, validator=positive)
    data_timeout_s: int = field(default=10, validator=positive)
    entry_deadline_s: int = field(default=30, validator=positive)
    protect_within_s: int = field(default=3, validator=positive)
    stop_tries: int = field(default=3, validator=positive)
    wave_settle_s: int = field(default=2, validator=positive)
    start_timeout_s: int = field(default=60, validator=positive)
    signal_may_set: tuple[Literal["stop", "trailing", "max_positions", "min_scores"], ...] = ()
    reconcile_every_s: int = field(default=60, validator=positive)
    foreign_positions: Literal["ignore", "protect", "adopt"] = "ignore"
    wave_deadline_s: int = field(default=30, validator=positive)
    max_signal_age_s: int = field(default=3600, validator=positive)


@frozen
class PluginsSettings:
    """``[plugins]``: the names of the plugins that may be imported."""

    load: tuple[str, ...]


@frozen
class Configured(Generic[C]):
    """A component of the deployment. `where` is its place in the file: ``config.toml:47 [filters.spread]``."""

    use: str
    enabled: bool
    component: C
    where: str


@frozen
class ConfiguredExchange:
    """An account. `max_positions_per_wave` is its target for one wave; `live` allows it to trade on a real venue."""

    name: str
    use: str
    enabled: bool
    max_positions_per_wave: int
    component: Exchange
    where: str
    live: bool = False


@frozen
class Deployment:
    """A whole configuration without mistakes. Components are in the file's order, the disabled ones among them.

    `directory` is what relative paths start from, `state` where the journal lives. `digest` is the SHA-256 of the
    configuration with its overrides (hexadecimal); secrets count by where they come from, never by their value.
    """

    path: Path
    directory: Path
    state: Path
    framework: FrameworkSettings
    load: tuple[str, ...]
    registry: Registry = field(repr=False)
    exchanges: tuple[ConfiguredExchange, ...]
    sources: tuple[Configured[SignalSource], ...]
    filters: tuple[Configured[Filter], ...]
    sizer: Configured[Sizer]
    risk: tuple[Configured[RiskRule], ...]
    execution: Configured[Execution]
    protections: tuple[Configured[Protection], ...]
    observers: tuple[Configured[Observer], ...]
    rehearsal: Configured[Stage] | None
    digest: str

    @property
    def enabled_exchanges(self) -> tuple[ConfiguredExchange, ...]:
        """The accounts that are traded on."""
        return tuple(each for each in self.exchanges if each.enabled)

    @property
    def enabled_sources(self) -> tuple[Configured[SignalSource], ...]:
        """The signal sources that are listened to."""
        return _enabled(self.sources)

    @property
    def enabled_filters(self) -> tuple[Configured[Filter], ...]:
        """The filters in the order of evaluation."""
        return _enabled(self.filters)

    @property
    def enabled_risk(self) -> tuple[Configured[RiskRule], ...]:
        """The risk rules in the order of evaluation."""
        return _enabled(self.risk)

    @property
    def enabled_protections(self) -> tuple[Configured[Protection], ...]:
        """The protections that guard each position; never empty."""
        return _enabled(self.protections)

    @property
    def protectors(self) -> list[Any]:
        """The components of `enabled_protections`, under names that tell several of one kind apart."""
        everything = named([each.component for each in self.protections])
        return [one for one, each in zip(everything, self.protections, strict=True) if each.enabled]

    @property
    def protection_states(self) -> dict[str, type]:
        """The class of each protection's state, by the name that it has among all of them."""
        everything = named([each.component for each in self.protections])
        return {one.name: each.component.state_type for one, each in zip(everything, self.protections, strict=True)}

    @property
    def enabled_observers(self) -> tuple[Configured[Observer], ...]:
        """The observers that see the records."""
        return _enabled(self.observers)

    def components(self) -> tuple[object, ...]:
        """Every component, whatever its kind, the disabled ones among them."""
        many = (self.exchanges, self.sources, self.filters, self.risk, self.protections, self.observers)
        ones = (self.sizer, self.execution, self.rehearsal)
        configured: list[Any] = [*itertools.chain.from_iterable(many), *(each for each in ones if each is not None)]
        return tuple(each.component for each in configured)


def _enabled(everything: tuple[Configured[C], ...]) -> tuple[Configured[C], ...]:
    return tuple(each for each in everything if each.enabled)
