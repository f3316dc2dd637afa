"""One request on its way through a handler, and what handlers share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

from framework import Refusal

from ...engine.book import Book
from ...engine.rules import Market
from ...engine.venue import Venue
from ..view import View
from ..world import KeyInfo, World
from .errors import VenueError, from_refusal, missing
from .params import Params

if TYPE_CHECKING:
    from .state import State

T = TypeVar("T")
VENUE = "binance"


@frozen
class Call:
    """A request that was let in. `key` is None on public routes."""

    world: World
    params: Params
    key: KeyInfo | None
    state: State

    @property
    def account(self) -> str:
        """Whose request it is. Raises -2014 on a route without a key."""
        if self.key is None:
            raise VenueError(-2014)
        return self.key.account

    @property
    def engine(self) -> Venue:
        """The venue, for reads that don't lag: money, settings."""
        return self.world.venues[VENUE]

    @property
    def view(self) -> View:
        """The account as queries see it now."""
        return self.world.visible(VENUE, self.account)

    def act(self, do: Callable[[Venue, str, int], T | Refusal]) -> T:
        """Change something on the account; a refusal is raised in Binance's words."""
        account = self.account
        answer = self.world.act(VENUE, lambda venue, now_ns: do(venue, account, now_ns))
        if isinstance(answer, Refusal):
            raise from_refusal(answer)
        return answer

    def market(self, symbol: str) -> Market:
        """The rules of a listed symbol. Raises -1121 for another."""
        market = self.engine.markets.get(symbol)
        if market is None:
            raise VenueError(-1121)
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
        return self.world.book(VENUE, symbol)


Handler = Callable[[Call], Any]


def one_of_two(params: Params, number: str, name: str) -> tuple[str | None, str | None]:
    """The venue's id or the client's: one of the two must be there; the venue's wins."""
    order_id, client_id = params.whole(number), params.text(name)
    if order_id is None and client_id is None:
        raise missing_both(name, number)
    return (None if order_id is None else str(order_id)), client_id


def missing_both(name: str, number: str) -> VenueError:
    """Neither id was sent."""
    message = f"Param '{name}' or '{number}' must be sent, but both were empty/null!"
    return VenueError(missing(name).code, message=message)
