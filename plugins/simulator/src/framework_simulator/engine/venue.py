"""The venue's front: requests of accounts, and moves of the market. Whoever speaks for a client calls this.

Time is passed in with every call (ns, UTC) and never runs backwards. What happened is collected as events, in the
order in which it was decided, until `take_events` is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from attrs import define, evolve, field

from framework import Fill, OrderStatus, Percent, Quote, Refusal

from . import admission
from .account import Account, Position
from .book import Book, require_sane
from .desk import Desk
from .events import Event
from .ledger import Ledger
from .matching import Matching
from .orders import AttachedStop, Order, OrderRequest, Stop, StopRequest
from .rules import Market
from .style import Reason, VenueStyle


@define
class Venue:
    """One simulated venue: its markets, and any number of accounts in one-way mode with cross margin."""

    _matching: Matching = field(alias="matching")

    @classmethod
    def open(cls, style: VenueStyle, markets: Mapping[str, Market], *, ledger: Ledger, slippage: Percent) -> Venue:
        """A venue without accounts and prices. `slippage` works against market orders and triggered stops."""
        return cls(Matching(style, markets, ledger, slippage))

    @property
    def style(self) -> VenueStyle:
        """Which venue this one follows."""
        return self._matching.style

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

    # ── orders ──────────────────────────────────────────────────────────────────────────────────────────────

    def place_order(self, account: str, request: OrderRequest, now_ns: int) -> Order | Refusal:
        """Take in an order; answers how it stands once it has met the book."""
        matching, desk = self._at(now_ns), self._desk(account)
        admitted = admission.admit_order(matching, desk, request)
        if isinstance(admitted, Refusal):
            return admitted
        order = matching.submit(
            desk,
            Order(
                number=matching.next_number(),
                client_id=admitted.client_id,
                symbol=admitted.symbol,
                side=admitted.side,
                type=admitted.type,
                quantity=admitted.quantity,
                price=admitted.price,
                time_in_force=admitted.time_in_force,
                reduce_only=admitted.reduce_only,
                stop=admitted.stop,
            ),
        )
        matching.settle(order.symbol, matching.books[order.symbol].quote.last)
        return order

    def cancel_order(self, account: str, symbol: str, client_id: str, now_ns: int) -> Order | Refusal:
        """Cancel a resting order. One that is finished is as unknown as one that never was."""
        matching, desk = self._at(now_ns), self._desk(account)
        order = desk.order_by_client_id(symbol, client_id)
        if order is None or order.status.is_final:
            return matching.style.refusal(Reason.UNKNOWN_ORDER, f"{symbol}: no open order {client_id}")
        return matching.cancel(desk, order, "cancelled by the client")

    def order(self, account: str, symbol: str, client_id: str) -> Order | None:
        """The newest order of a client under this id, finished or not."""
        return self._desk(account).order_by_client_id(symbol, client_id)

    # ── stops ───────────────────────────────────────────────────────────────────────────────────────────────

    def place_stop(self, account: str, request: StopRequest, now_ns: int) -> Stop | Refusal:
        """Take in a stop order of its own. It needs no position, and stays behind when the position goes."""
        matching, desk = self._at(now_ns), self._desk(account)
        refusal = admission.stop_refusal(matching, desk, request)
        if refusal is not None:
            return refusal
        stop = Stop(
            number=matching.next_number(),
            client_id=request.client_id,
            symbol=request.symbol,
            side=request.side,
            quantity=request.quantity,
            trigger_price=request.trigger_price,
            trigger_by=request.trigger_by,
            attached=False,
        )
        return matching.rest_stop(desk, stop)

    def amend_stop(self, account: str, request: StopRequest, now_ns: int) -> Stop | Refusal:
        """Move a resting stop order of its own to the trigger price and quantity of `request`, in place."""
        matching, desk = self._at(now_ns), self._desk(account)
        if not matching.style.amends_stops:
            message = f"{request.symbol}: {matching.style.name} can't amend a stop"
            return matching.style.refusal(Reason.NO_AMENDING, message)
        stop = desk.stop_by_client_id(request.symbol, request.client_id)
        if stop is None or stop.attached:
            message = f"{request.symbol}: no open stop {request.client_id}"
            return matching.style.refusal(Reason.UNKNOWN_ORDER, message)
        # The side of a resting stop never changes, whatever the request says.
        refusal = admission.amend_refusal(matching, evolve(request, side=stop.side))
        if refusal is not None:
            return refusal
        moved = evolve(
            stop, trigger_price=request.trigger_price, trigger_by=request.trigger_by, quantity=request.quantity
        )
        return matching.rest_stop(desk, moved)

    def set_attached_stop(self, account: str, symbol: str, wish: AttachedStop, now_ns: int) -> Stop | Refusal:
        """Set or move the stop that is part of a position."""
        matching, desk = self._at(now_ns), self._desk(account)
        refusal = admission.attached_refusal(matching, desk, symbol, wish)
        return matching.attach(desk, symbol, wish) if refusal is None else refusal

    def cancel_stop(self, account: str, symbol: str, client_id: str, now_ns: int) -> Stop | Refusal:
        """Take a resting stop out, attached or not."""
        matching, desk = self._at(now_ns), self._desk(account)
        stop = desk.stop_by_client_id(symbol, client_id)
        if stop is None:
            return matching.style.refusal(Reason.UNKNOWN_ORDER, f"{symbol}: no open stop {client_id}")
        return matching.end_stop(desk, stop, OrderStatus.CANCELLED, "cancelled by the client")

    def stops(self, account: str, symbol: str) -> tuple[Stop, ...]:
        """The stops that rest in one market, the attached one included, oldest first."""
        return self._desk(account).stops(symbol)

    def attached_stop(self, account: str, symbol: str) -> Stop | None:
        """The stop that is part of the position in one market."""
        return self._desk(account).attached_stop(symbol)

    # ── the account ─────────────────────────────────────────────────────────────────────────────────────────

    def position(self, account: str, symbol: str) -> Position:
        """The position in one market, flat or not."""
        return self._desk(account).account.position(symbol)

    def positions(self, account: str) -> tuple[Position, ...]:
        """Every position that is not flat."""
        return tuple(self._desk(account).account.positions.values())

    def fills(self, account: str, symbol: str, since_ns: int) -> tuple[Fill, ...]:
        """Executions in one market since an instant, oldest first."""
        return self._desk(account).fills(symbol, since_ns)

    def equity(self, account: str) -> Decimal:
        """Cash plus unrealised PnL at the mark prices."""
        return admission.equity(self._matching, self._desk(account))

    def available(self, account: str) -> Decimal:
        """Equity that no position and no resting order binds as initial margin."""
        return self.equity(account) - admission.margin_used(self._matching, self._desk(account))

    def _desk(self, account: str) -> Desk:
        return self._matching.desks[account]

    def _at(self, now_ns: int) -> Matching:
        self._matching.now_ns = max(self._matching.now_ns, now_ns)
        return self._matching
