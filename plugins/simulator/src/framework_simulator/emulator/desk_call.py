"""One request on its way through a handler: what the handlers of both venues share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

from attrs import frozen

from framework import Refusal

from ..engine.book import Book
from ..engine.rules import Market
from ..engine.venue import Venue
from .values import Values
from .view import View
from .world import KeyInfo, World

T = TypeVar("T")
V = TypeVar("V", bound=Values)


@frozen
class DeskCall(ABC, Generic[V]):
    """A request that was let in. `key` is None on public routes. A venue says which errors it answers."""

    world: World
    params: V
    key: KeyInfo | None

    VENUE: ClassVar[str]

    @abstractmethod
    def nobody(self) -> Exception:
        """A route without a key was asked for an account."""

    @abstractmethod
    def unlisted(self) -> Exception:
        """There is no such symbol."""

    @abstractmethod
    def refused(self, refusal: Refusal) -> Exception:
        """The engine said no."""

    @property
    def account(self) -> str:
        """Whose request it is."""
        if self.key is None:
            raise self.nobody()
        return self.key.account

    @property
    def engine(self) -> Venue:
        """The venue, for reads that don't lag: money, settings."""
        return self.world.venues[self.VENUE]

    @property
    def view(self) -> View:
        """The account as queries see it now."""
        return self.world.visible(self.VENUE, self.account)

    def act(self, do: Callable[[Venue, str, int], T | Refusal]) -> T:
        """Change something on the account; a refusal is raised in the venue's words."""
        account = self.account
        answer = self.world.act(self.VENUE, lambda venue, now_ns: do(venue, account, now_ns))
        if isinstance(answer, Refusal):
            raise self.refused(answer)
        return answer

    def market(self, symbol: str) -> Market:
        """The rules of a listed symbol."""
        market = self.engine.markets.get(symbol)
        if market is None:
            raise self.unlisted()
        return market

    def symbol(self) -> str:
        """The mandatory symbol, listed."""
        symbol = self.params.need("symbol")
        self.market(symbol)
        return symbol

    def some_symbol(self) -> str | None:
        """The symbol, listed, if there is one."""
        return None if self.params.text("symbol") is None else self.symbol()

    def book(self, symbol: str) -> Book | None:
        """The market of a symbol; None before its first quote."""
        return self.world.book(self.VENUE, symbol)
