"""What is under way while a ledger is read, and who listens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from .asks import Ask
from .ledger import Line
from .state import Episode
from .verdicts import Judge


@dataclass(slots=True)
class Touched:
    """How a position stood before the request under way touched its stops; `baseline`: what may not be loosened."""

    episode: Episode
    level: Decimal | None
    baseline: Decimal | None
    baseline_size: Decimal
    lost_one: bool = False


@dataclass(slots=True)
class Asked:
    """A request that has not been answered. `touched`: the markets whose stops it changed. `flat`: those it closed."""

    line: Line
    asks: tuple[Ask, ...]
    faults: list[Line] = field(default_factory=list)
    touched: dict[tuple[str, str, str], Touched] = field(default_factory=dict)
    flat: set[tuple[str, str, str]] = field(default_factory=set)

    def has(self, what: str) -> bool:
        """Whether it asks for such a thing."""
        return any(ask.what == what for ask in self.asks)


@dataclass(slots=True)
class Hooks:
    """The judges to call, by what they listen to: only those that do."""

    request: list[Callable[..., None]] = field(default_factory=list)
    place: list[Callable[..., None]] = field(default_factory=list)
    response: list[Callable[..., None]] = field(default_factory=list)
    order: list[Callable[..., None]] = field(default_factory=list)
    stop: list[Callable[..., None]] = field(default_factory=list)
    fill: list[Callable[..., None]] = field(default_factory=list)
    position: list[Callable[..., None]] = field(default_factory=list)
    naked_begins: list[Callable[..., None]] = field(default_factory=list)
    naked: list[Callable[..., None]] = field(default_factory=list)
    flat: list[Callable[..., None]] = field(default_factory=list)

    def register(self, judges: Sequence[Judge]) -> None:
        """Let every judge hear what it has a method of its own for."""
        for judge in judges:
            for name in self.__slots__:
                method = f"on_{name}"
                if getattr(type(judge), method) is not getattr(Judge, method):
                    getattr(self, name).append(getattr(judge, method))
