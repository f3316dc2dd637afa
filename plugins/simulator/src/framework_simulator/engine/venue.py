"""The venue's front: requests of accounts, and moves of the market. Whoever speaks for a client calls this.

Time is passed in with every call (ns, UTC) and never runs backwards. What happened is collected as events, in the
order in which it was decided, until `take_events` is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from attrs import define

from framework import Percent, Quote

from .account import Account
from .book import Book, require_sane
from .desk import Desk
from .events import Event
from .front_account import AccountFront
from .front_orders import OrderFront
from .front_others import OthersFront
from .front_stops import StopFront
from .ledger import Ledger
from .matching import Matching
from .realism import Realism
from .rules import Market
from .style import VenueStyle


@define
class Venue(OrderFront, StopFront, AccountFront, OthersFront):
    """One simulated venue: its markets, and any number of accounts in one-way mode with cross margin."""

    @classmethod
    def open(
        cls,
        style: VenueStyle,
        markets: Mapping[str, Market],
        *,
        ledger: Ledger,
        slippage: Percent,
        realism: Realism | None = None,
        order_ids: Callable[[int], str] = str,
        stop_ids: Callable[[int], str] = str,
    ) -> Venue:
        """A venue without accounts and prices. `slippage` works against market orders and triggered stops.

        `order_ids` and `stop_ids` make the ids that clients see of the venue's running numbers.
        """
        return cls(Matching(style, markets, ledger, slippage, realism or Realism(), order_ids, stop_ids))

    @property
    def style(self) -> VenueStyle:
        """Which venue this one follows."""
        return self._matching.style

    @property
    def realism(self) -> Realism:
        """How closely it follows the real one; may be changed while it runs."""
        return self._matching.realism

    @property
    def markets(self) -> Mapping[str, Market]:
        """The markets that can be traded, by symbol."""
        return self._matching.markets

    @property
    def accounts(self) -> tuple[str, ...]:
        """The names of the accounts."""
        return tuple(self._matching.desks)

    @property
    def next_due_ns(self) -> int | None:
        """When `advance` has something to do; None: not before something else happens."""
        triggering = (due_ns for due_ns, _, _ in self._matching.triggering)
        rejecting = (due_ns for due_ns, _, _, _ in self._matching.rejecting.values())
        return min((*triggering, *rejecting), default=None)

    def advance(self, now_ns: int) -> None:
        """Do what has fallen due with time: stops that were being triggered become orders, late rejections come."""
        self._at(now_ns).advance()

    def open_account(self, account: Account) -> None:
        """Let an account trade."""
        self._matching.desks[account.name] = Desk(account)

    def take_events(self) -> tuple[Event, ...]:
        """What happened since the last call."""
        events = tuple(self._matching.events)
        self._matching.events.clear()
        return events

    # ── the market ──────────────────────────────────────────────────────────────────────────────────────────

    def quote(
        self,
        symbol: str,
        quote: Quote,
        now_ns: int,
        *,
        bid_quantity: Decimal | None = None,
        ask_quantity: Decimal | None = None,
    ) -> None:
        """The market jumps to a new quote. A stop beyond which it lands fills at the new market: a gap.

        Raises ValueError for a quote that no market can have (not positive, bid above ask).
        """
        matching = self._at(now_ns)
        require_sane(quote)
        book = matching.books.setdefault(symbol, Book(quote))
        origin = book.quote.last
        book.jump(quote, bid_quantity, ask_quantity)
        matching.ledger.price(matching.now_ns, symbol, quote)
        matching.settle(symbol, origin)

    def walk(self, symbol: str, to_price: Decimal, now_ns: int) -> None:
        """The market moves to a price without a gap: a stop in between fills at its trigger price.

        Bid, ask, last and mark become one price with unlimited depth. Raises ValueError for a price that is not
        positive. The symbol must have been quoted before.
        """
        matching = self._at(now_ns)
        matching.walk(symbol, to_price)

    def book(self, symbol: str) -> Book | None:
        """The market of a symbol; None before its first quote."""
        return self._matching.books.get(symbol)

    def change_market(self, market: Market) -> None:
        """New rules for a market. What rests there stays as it is."""
        self._matching.markets = {**self._matching.markets, market.rules.symbol: market}
