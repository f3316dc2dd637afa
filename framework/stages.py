"""What stands in for real venues in a rehearsal: the same plugins, the same sockets, another address and other keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

from attrs import frozen

from .components import Clock, Exchange, Secret
from .core.feed import MarketUpdate


@frozen
class Endpoint:
    """Where an exchange connects to in a rehearsal: ``http://host:port``, ``ws://host:port``, and the keys there.

    `session` makes what carries the bytes instead of sockets, in a simulation: it is used like an
    `aiohttp.ClientSession`. None: sockets.
    """

    rest: str
    ws: str
    key: Secret
    secret: Secret
    session: Callable[[], Any] | None = None


@runtime_checkable
class Rehearsable(Protocol):
    """An exchange on a real venue that can be pointed elsewhere. Its `name` is the venue that it speaks to."""

    def at(self, endpoint: Endpoint) -> Exchange:
        """A copy of this exchange that has the endpoint's address and keys, and nothing of its own ones."""


@runtime_checkable
class Halting(Protocol):
    """Something that has its own business with the session's clock: a simulated exchange in a rehearsal."""

    def next_ns(self) -> int | None:
        """When it next does something by itself that has to be seen before time may go on; None: nothing."""

    async def advance(self, to_ns: int) -> None:
        """Time jumps ahead to this instant: what falls due on the way happens. The clock shows it right after."""


class Stage(Protocol):
    """Stands in for real venues in a rehearsal.

    `venues`: the exchanges (what `use` says) that can be pointed at it. The session's clock is its clock.
    """

    name: ClassVar[str]
    venues: ClassVar[frozenset[str]]

    async def start(self, clock: Clock, accounts: Mapping[str, str], recorded: bool) -> Mapping[str, Endpoint]:
        """Stand in for these accounts (name → exchange); answers an endpoint for each.

        `recorded`: the market comes through `play`. Otherwise the stage makes one up. Raises `ConfigError` for
        settings that can't be used, `ExchangeError` when it can't start.
        """

    async def stop(self) -> None:
        """Close everything. Called once, also after a `start` that failed."""

    def play(self, update: MarketUpdate) -> None:
        """Take over a piece of the recorded market at its instant; `account` is one of the deployment's."""

    def next_ns(self) -> int | None:
        """When the stage next does something by itself that has to be seen before time may go on; None: nothing."""

    def is_busy(self) -> bool:
        """Whether a request is under way, or something that was said has not left yet: time must not jump then."""

    async def advance(self, to_ns: int) -> None:
        """Time jumps ahead to this instant: what falls due on the way happens. The clock shows it right after."""

    def notes(self) -> tuple[str, ...]:
        """What a user should know once it has started: where it listens, what it writes. A line each."""


__all__ = ["Endpoint", "Halting", "Rehearsable", "Stage"]
