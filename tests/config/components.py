"""A plugin with one component of each kind, for the tests of the configuration. They are only made, never used."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Literal

import attrs
from attrs import field, frozen

from framework import (
    Capabilities,
    EntryPlan,
    EntryStep,
    EntryTry,
    Exchange,
    ExchangeLink,
    Guard,
    Holding,
    MarketSnapshot,
    Need,
    NoState,
    OrderType,
    Passed,
    Percent,
    Portfolio,
    Record,
    Rejection,
    Secret,
    Signal,
    Size,
    SizedPlan,
    SizingRequest,
    SourceLink,
    Timeline,
    Verdict,
    hookimpl,
    not_negative,
    positive,
)


class Mood(enum.Enum):
    CALM = "calm"
    WILD = "wild"


class Level(int, enum.Enum):
    LOW = 1
    HIGH = 2


@frozen
class Band:
    low: Decimal = field(validator=positive)
    high: Decimal = field(validator=positive)

    def __attrs_post_init__(self) -> None:
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got {self.low} and {self.high}")


def stripped(value: str) -> str:
    return value.strip()


def below_limit(instance: TypedFilter, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None and value >= instance.count:
        raise ValueError(f"must be below count, got {value}")


@frozen
class TypedFilter:
    """Has a setting of each type that a configuration can hold."""

    name: ClassVar[str] = "typed"
    needs: ClassVar[frozenset[Need]] = frozenset()

    title: str = "none"
    count: int = field(default=10, validator=positive)
    amount: Decimal = field(default=Decimal(1), validator=not_negative)
    max_percent: Percent = field(default=Percent(Decimal(1)), validator=positive)
    ratio: float = 0.5
    eager: bool = False
    action: Literal["warn", "reject"] = "warn"
    mood: Mood = Mood.CALM
    level: Level = Level.LOW
    patterns: tuple[str, ...] = ()
    pair: tuple[str, int] = ("a", 1)
    tags: frozenset[str] = frozenset()
    numbers: list[Decimal] = field(factory=list)
    minimum: Mapping[str, Decimal] = field(factory=dict)
    maybe: int | None = field(default=None, validator=below_limit)
    either: Decimal | Literal["max"] = "max"
    band: Band | None = None
    bands: tuple[Band, ...] = ()
    input: Path | None = None
    output: Path | None = field(default=None, metadata={"may_be_absent": True})
    odd: complex = 0j
    _hidden: str = "alias"
    converted: str = field(default="", converter=stripped)
    checks: int = field(default=0, init=False)

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
        return Passed()


@frozen
class CrashingFilter:
    """Fails in its own constructor with something that is not about settings."""

    name: ClassVar[str] = "crashing"
    needs: ClassVar[frozenset[Need]] = frozenset()

    def __attrs_post_init__(self) -> None:
        raise KeyError("surprise")

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
        return Passed()


@frozen
class Source:
    """Delivers nothing."""

    name: ClassVar[str] = "source"

    def timeline(self) -> Timeline | None:
        return None

    async def run(self, link: SourceLink) -> None:
        return None


@frozen
class Sizer:
    """Buys one."""

    name: ClassVar[str] = "one"

    position_usd: Decimal = field(validator=positive)

    def size(self, request: SizingRequest) -> Size | Rejection:
        return Size(Decimal(1))


@frozen
class Rule:
    """Limits nothing."""

    name: ClassVar[str] = "rule"

    def check(self, plan: SizedPlan, portfolio: Portfolio) -> Verdict:
        return Passed()


@frozen
class AtOnce:
    """One market order."""

    name: ClassVar[str] = "at-once"

    def first(self, plan: EntryPlan) -> EntryStep:
        return EntryStep(OrderType.MARKET)

    def after(self, plan: EntryPlan, tries: tuple[EntryTry, ...]) -> EntryStep | None:
        return None


@frozen
class Stop:
    """A stop where the position was entered."""

    name: ClassVar[str] = "stop"
    state_type: ClassVar[type] = NoState

    percent: Percent = field(default=Percent(Decimal(6)), validator=positive)

    def start(self, holding: Holding) -> Guard:
        return Guard(NoState(), holding.entry_price)

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        return Guard(NoState(), holding.entry_price)


@frozen
class Venue(Exchange):
    """Knows no market."""

    name: ClassVar[str] = "venue"
    capabilities = Capabilities(simulated=True)

    api_key: Secret | None = None
    rules: Literal["one", "two"] = "one"

    async def start(self, link: ExchangeLink) -> None:
        return None


@frozen
class RealVenue(Venue):
    """Knows no market where orders would cost money."""

    name: ClassVar[str] = "real"
    capabilities = Capabilities(real_money=True)


@frozen
class Watcher:
    """Sees everything and says nothing."""

    name: ClassVar[str] = "watcher"

    token: Secret | None = None

    async def observe(self, record: Record) -> None:
        return None


@hookimpl
def signal_sources() -> list[type[Source]]:
    return [Source]


@hookimpl
def filters() -> list[type]:
    return [TypedFilter, CrashingFilter]


@hookimpl
def risk_rules() -> list[type[Rule]]:
    return [Rule]


@hookimpl
def sizers() -> list[type[Sizer]]:
    return [Sizer]


@hookimpl
def executions() -> list[type[AtOnce]]:
    return [AtOnce]


@hookimpl
def protections() -> list[type[Stop]]:
    return [Stop]


@hookimpl
def exchanges() -> list[type[Venue]]:
    return [Venue, RealVenue]


@hookimpl
def observers() -> list[type[Watcher]]:
    return [Watcher]
