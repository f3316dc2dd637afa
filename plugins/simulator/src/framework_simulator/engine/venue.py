"""The venue's front: requests of accounts, and moves of the market. Whoever speaks for a client calls this.

Time is passed in with every call (ns, UTC) and never runs backwards. What happened is collected as events, in the
order in which it was decided, until `take_events` is called.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal

from attrs import define, evolve, field

from framework import Fill, OrderStatus, Percent, Quote, Refusal

from . import admission, choices, conditional, forced, margin
from .account import Account, Position
from .book import Book, require_sane
from .desk import Desk
from .events import Event
from .ledger import Ledger
from .margin import Wallet
from .matching import Matching
from .money import ZERO
from .orders import AttachedStop, Cause, Order, OrderRequest, Stop, StopKind, StopRequest
from .realism import Realism
from .rules import Market
from .style import Reason, VenueStyle

CANCELLED_BY_CLIENT = "cancelled by the client"


@define
class Venue:
    """One simulated venue: its markets, and any number of accounts in one-way mode with cross margin."""

    _matching: Matching = field(alias="matching")

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
        return min((due_ns for due_ns, _, _ in self._matching.triggering), default=None)

    def advance(self, now_ns: int) -> None:
        """Do what has fallen due with time: stops that were being triggered become orders."""
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

    # ── orders ──────────────────────────────────────────────────────────────────────────────────────────────

    def place_order(self, account: str, request: OrderRequest, now_ns: int) -> Order | Refusal:
        """Take in an order; answers how it stands once it has met the book."""
        matching, desk = self._at(now_ns), self._desk(account)
        admitted = admission.admit_order(matching, desk, request)
        if isinstance(admitted, Refusal):
            return admitted
        number = matching.next_number()
        order = matching.submit(
            desk,
            Order(
                number=number,
                venue_id=matching.order_ids(number),
                client_id=admitted.client_id,
                symbol=admitted.symbol,
                side=admitted.side,
                type=admitted.type,
                quantity=admitted.quantity,
                price=admitted.price,
                time_in_force=admitted.time_in_force,
                reduce_only=admitted.reduce_only,
                stop=admitted.stop,
                take_profit=admitted.take_profit,
                all_or_nothing=admitted.all_or_nothing,
            ),
        )
        matching.settle(order.symbol, matching.books[order.symbol].quote.last)
        return order

    def test_order(self, account: str, request: OrderRequest, now_ns: int) -> Refusal | None:
        """Why an order would be refused; None if it would be taken in. Nothing happens."""
        admitted = admission.admit_order(self._at(now_ns), self._desk(account), request)
        return admitted if isinstance(admitted, Refusal) else None

    def amend_order(
        self,
        account: str,
        symbol: str,
        order_id: str,
        now_ns: int,
        *,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
    ) -> Order | Refusal:
        """Give a resting limit order another price or (total) quantity, in place; None: as it is."""
        matching, desk = self._at(now_ns), self._desk(account)
        order = desk.order_by_id(symbol, order_id)
        if order is None or order.status.is_final:
            return matching.style.refusal(Reason.UNKNOWN_ORDER, f"{symbol}: no open order {order_id}")
        quantity = order.quantity if quantity is None else quantity
        price = order.price if price is None else price
        refusal = admission.order_amend_refusal(matching, order, quantity, price)
        if refusal is not None:
            return refusal
        order = matching.amend(desk, evolve(order, quantity=quantity, price=price))
        matching.settle(symbol, matching.books[symbol].quote.last)
        return order

    def cancel_order(self, account: str, symbol: str, client_id: str, now_ns: int) -> Order | Refusal:
        """Cancel a resting order. One that is finished is as unknown as one that never was."""
        return self._cancel(account, symbol, self._desk(account).order_by_client_id(symbol, client_id), now_ns)

    def cancel_order_by_id(self, account: str, symbol: str, order_id: str, now_ns: int) -> Order | Refusal:
        """The same by the venue's id."""
        return self._cancel(account, symbol, self._desk(account).order_by_id(symbol, order_id), now_ns)

    def _cancel(self, account: str, symbol: str, order: Order | None, now_ns: int) -> Order | Refusal:
        matching, desk = self._at(now_ns), self._desk(account)
        if order is None or order.status.is_final:
            return matching.style.refusal(Reason.UNKNOWN_ORDER, f"{symbol}: no such open order")
        return matching.cancel(desk, order, CANCELLED_BY_CLIENT)

    def cancel_orders(self, account: str, symbol: str | None, now_ns: int) -> tuple[Order, ...]:
        """Cancel every resting order (no stops) of one market, or of all."""
        matching, desk = self._at(now_ns), self._desk(account)
        orders = desk.all_resting() if symbol is None else desk.resting(symbol)
        return tuple(matching.cancel(desk, order, CANCELLED_BY_CLIENT) for order in orders)

    def order(self, account: str, symbol: str, client_id: str) -> Order | None:
        """The newest order of a client under this id, finished or not."""
        return self._desk(account).order_by_client_id(symbol, client_id)

    def order_by_id(self, account: str, symbol: str, order_id: str) -> Order | None:
        """An order by the venue's id, finished or not."""
        return self._desk(account).order_by_id(symbol, order_id)

    def open_orders(self, account: str, symbol: str | None = None) -> tuple[Order, ...]:
        """The resting orders of one market, or of all, as they really are: queries of clients see `World.visible`."""
        desk = self._desk(account)
        return desk.all_resting() if symbol is None else desk.resting(symbol)

    # ── stops ───────────────────────────────────────────────────────────────────────────────────────────────

    def place_stop(self, account: str, request: StopRequest, now_ns: int) -> Stop | Refusal:
        """Take in a stop order of its own. It needs no position, and stays behind when the position goes."""
        matching, desk = self._at(now_ns), self._desk(account)
        refusal = admission.stop_refusal(matching, desk, request)
        if refusal is not None:
            return refusal
        number = matching.next_number()
        stop = Stop(
            number=number,
            venue_id=matching.stop_ids(number),
            client_id=request.client_id,
            symbol=request.symbol,
            side=request.side,
            quantity=request.quantity,
            trigger_price=request.trigger_price,
            trigger_by=request.trigger_by,
            attached=False,
            kind=request.kind,
            limit_price=request.limit_price,
            time_in_force=request.time_in_force,
            all_or_nothing=request.all_or_nothing,
            reduce_only=request.reduce_only,
            ends_with_position=request.ends_with_position,
            price_protect=request.price_protect,
            trail=request.trail,
            stop=request.stop,
            take_profit=request.take_profit,
        )
        stop = conditional.rest(matching, desk, stop)
        if stop.trail is not None:
            conditional.follow(matching, stop.symbol)
            stop = desk.stop_by_id(stop.symbol, stop.id) or stop
        return stop

    def amend_stop(self, account: str, request: StopRequest, now_ns: int) -> Stop | Refusal:
        """Move a resting stop order of its own to the trigger price and quantity of `request`, in place."""
        matching, desk = self._at(now_ns), self._desk(account)
        if not matching.style.amends_stops:
            message = f"{request.symbol}: {matching.style.name} can't amend a stop"
            return matching.style.refusal(Reason.NO_AMENDING, message)
        stop = desk.stop_by_client_id(request.symbol, request.client_id)
        if stop is None or stop.attached or stop.status is OrderStatus.TRIGGERED:
            message = f"{request.symbol}: no open stop {request.client_id}"
            return matching.style.refusal(Reason.UNKNOWN_ORDER, message)
        # The side of a resting stop never changes, whatever the request says.
        refusal = admission.amend_refusal(matching, evolve(request, side=stop.side))
        if refusal is not None:
            return refusal
        moved = evolve(
            stop, trigger_price=request.trigger_price, trigger_by=request.trigger_by, quantity=request.quantity
        )
        return conditional.rest(matching, desk, moved)

    def change_stop(
        self,
        account: str,
        symbol: str,
        stop_id: str,
        now_ns: int,
        *,
        trigger_price: Decimal | None = None,
        limit_price: Decimal | None = None,
        quantity: Decimal | None = None,
    ) -> Stop | Refusal:
        """Move a resting conditional order, attached or not, by the venue's id; None: as it is (Bybit's amend)."""
        matching, desk = self._at(now_ns), self._desk(account)
        stop = desk.stop_by_id(symbol, stop_id)
        if stop is None:
            return matching.style.refusal(Reason.UNKNOWN_ORDER, f"{symbol}: no open order {stop_id}")
        moved = evolve(
            stop,
            trigger_price=stop.trigger_price if trigger_price is None else trigger_price,
            limit_price=stop.limit_price if limit_price is None else limit_price,
            quantity=stop.quantity if quantity is None else quantity,
        )
        if moved == stop:
            return matching.style.refusal(Reason.NOTHING_TO_AMEND, f"{symbol}: nothing changes")
        refusal = admission.amend_refusal(matching, choices.request_of(moved))
        return conditional.rest(matching, desk, moved) if refusal is None else refusal

    def set_attached_stop(self, account: str, symbol: str, wish: AttachedStop, now_ns: int) -> Stop | Refusal:
        """Set or move the stop that is part of a position."""
        matching, desk = self._at(now_ns), self._desk(account)
        refusal = admission.attached_refusal(matching, desk, symbol, wish)
        return conditional.attach(matching, desk, symbol, wish) if refusal is None else refusal

    def set_attached_stops(
        self,
        account: str,
        symbol: str,
        wishes: Sequence[AttachedStop],
        removed: Collection[StopKind],
        now_ns: int,
    ) -> Refusal | None:
        """Set several stops of a position at once and take others away: all of it, or the refusal and nothing.

        Two partial ones of one call are a pair: when one triggers, the other goes.
        """
        matching, desk = self._at(now_ns), self._desk(account)
        changes: list[AttachedStop] = []
        refused: Refusal | None = None
        for wish in wishes:
            refusal = admission.attached_refusal(matching, desk, symbol, wish)
            if refusal is None:
                changes.append(wish)
            elif refusal.code != matching.style.codes.get(Reason.NOT_MODIFIED):
                return refusal
            refused = refusal or refused
        gone = [stop for kind in removed if (stop := desk.attached_stop(symbol, kind)) is not None]
        if not changes and not gone:
            flat = not desk.account.position(symbol).quantity
            reason = Reason.FLAT if flat else Reason.NOT_MODIFIED
            return refused or matching.style.refusal(reason, f"{symbol}: nothing to change")
        for stop in gone:
            conditional.end(matching, desk, stop, OrderStatus.CANCELLED, CANCELLED_BY_CLIENT)
        pair = matching.next_number() if sum(wish.quantity is not None for wish in changes) > 1 else None
        for wish in changes:
            conditional.attach(matching, desk, symbol, wish, pair=pair if wish.quantity is not None else None)
        conditional.follow(matching, symbol)
        return None

    def cancel_stop(self, account: str, symbol: str, client_id: str, now_ns: int) -> Stop | Refusal:
        """Take a resting stop out, attached or not."""
        return self._cancel_stop(account, symbol, self._desk(account).stop_by_client_id(symbol, client_id), now_ns)

    def cancel_stop_by_id(self, account: str, symbol: str, stop_id: str, now_ns: int) -> Stop | Refusal:
        """The same by the venue's id. Refused as well while it is being triggered."""
        return self._cancel_stop(account, symbol, self._desk(account).stop_by_id(symbol, stop_id), now_ns)

    def _cancel_stop(self, account: str, symbol: str, stop: Stop | None, now_ns: int) -> Stop | Refusal:
        matching, desk = self._at(now_ns), self._desk(account)
        if stop is None:
            return matching.style.refusal(Reason.UNKNOWN_ORDER, f"{symbol}: no such open stop")
        if stop.status is OrderStatus.TRIGGERED:
            return matching.style.refusal(Reason.TRIGGERING, f"{symbol}: the stop is being triggered")
        return conditional.end(matching, desk, stop, OrderStatus.CANCELLED, CANCELLED_BY_CLIENT)

    def cancel_stops(
        self, account: str, symbol: str | None, now_ns: int, which: Callable[[Stop], bool] = lambda stop: True
    ) -> tuple[Stop, ...]:
        """Take out every resting stop of one market, or of all, that `which` says yes to (all kinds, attached too)."""
        matching, desk = self._at(now_ns), self._desk(account)
        stops = desk.all_stops() if symbol is None else desk.stops(symbol)
        return tuple(
            conditional.end(matching, desk, stop, OrderStatus.CANCELLED, CANCELLED_BY_CLIENT)
            for stop in stops
            if which(stop)
        )

    def stop_by_id(self, account: str, symbol: str, stop_id: str) -> Stop | None:
        """A resting or triggering stop by the venue's id."""
        return self._desk(account).stop_by_id(symbol, stop_id)

    def stop_by_client_id(self, account: str, symbol: str, client_id: str) -> Stop | None:
        """A resting or triggering stop by the client's id."""
        return self._desk(account).stop_by_client_id(symbol, client_id)

    def end_stop(self, account: str, symbol: str, stop_id: str, status: OrderStatus, reason: str, now_ns: int) -> None:
        """The venue itself ends a resting stop; one that is gone stays gone."""
        matching, desk = self._at(now_ns), self._desk(account)
        stop = desk.stop_by_id(symbol, stop_id)
        if stop is not None:
            conditional.end(matching, desk, stop, status, reason)

    def end_order(
        self, account: str, symbol: str, order_id: str, status: OrderStatus, reason: str, now_ns: int
    ) -> None:
        """The venue itself ends a resting order; one that is finished stays as it is."""
        matching, desk = self._at(now_ns), self._desk(account)
        order = desk.order_by_id(symbol, order_id)
        if order is not None and not order.status.is_final:
            matching.end(desk, order, status, reason)

    def stops(self, account: str, symbol: str) -> tuple[Stop, ...]:
        """The stops that rest in one market, the attached one included, oldest first."""
        return self._desk(account).stops(symbol)

    def resting_stops(self, account: str) -> tuple[Stop, ...]:
        """The stops that rest in all markets."""
        return self._desk(account).all_stops()

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
        return margin.equity(self._matching, self._desk(account))

    def available(self, account: str) -> Decimal:
        """Equity that no position and no resting order binds as initial margin."""
        return self.equity(account) - margin.margin_used(self._matching, self._desk(account))

    def account(self, account: str) -> Account:
        """The account itself: cash, fees, settings. Change it only through the methods here."""
        return self._desk(account).account

    def wallet(self, account: str) -> Wallet:
        """What is bound, what must stay and what is free."""
        return margin.wallet(self._matching, self._desk(account))

    def leverage(self, account: str, symbol: str) -> Decimal:
        """The leverage in force in a market."""
        return margin.leverage_in(self._matching, self._desk(account), symbol)

    def order_margin(self, account: str, symbol: str) -> Decimal:
        """The initial margin that resting orders of one market bind."""
        return margin.order_margin(self._matching, self._desk(account), symbol)

    def maintenance(self, account: str, symbol: str) -> Decimal:
        """The margin that has to stay for the position in one market."""
        return margin.maintenance(self._matching, self.position(account, symbol))

    def liquidation_price(self, account: str, symbol: str) -> Decimal | None:
        """The mark price that liquidates the account if nothing else moves; None while flat, or at no price."""
        position = self.position(account, symbol)
        if not position.quantity:
            return None
        return margin.liquidation_price(self._matching, self._desk(account), position)

    # ── settings ────────────────────────────────────────────────────────────────────────────────────────────

    def set_leverage(self, account: str, symbol: str, leverage: Decimal, now_ns: int) -> Refusal | None:
        """Choose the leverage of a market."""
        return choices.set_leverage(self._at(now_ns), self._desk(account), symbol, leverage)

    def set_isolated(self, account: str, symbol: str | None, isolated: bool, now_ns: int) -> Refusal | None:
        """Choose isolated or cross margin for a market, or for the account (`symbol` None). Money stays cross."""
        return choices.set_isolated(self._at(now_ns), self._desk(account), symbol, isolated=isolated)

    def set_hedge_mode(self, account: str, hedge: bool, now_ns: int, *, by_force: bool = False) -> Refusal | None:
        """Switch between one-way and hedge mode. `by_force`: whatever is open; no refusal then."""
        return choices.set_hedge_mode(self._at(now_ns), self._desk(account), hedge=hedge, by_force=by_force)

    # ── what others do ──────────────────────────────────────────────────────────────────────────────────────

    def settle_funding(self, symbol: str, rate: Decimal, now_ns: int) -> None:
        """Positions in a market pay, or get, `rate` of their value."""
        forced.settle_funding(self._at(now_ns), symbol, rate)

    def transfer(self, account: str, amount: Decimal, now_ns: int) -> None:
        """Money comes in, or goes out (negative)."""
        forced.transfer(self._at(now_ns), self._desk(account), amount)

    def change_position(
        self, account: str, symbol: str, target: Decimal, now_ns: int, *, price: Decimal | None = None
    ) -> Order | None:
        """Somebody else trades on the account until its position is `target` (signed)."""
        matching = self._at(now_ns)
        order = forced.change_position(matching, self._desk(account), symbol, target, price)
        matching.settle(symbol, matching.books[symbol].quote.last)
        return order

    def fill_order(self, account: str, order: Order, now_ns: int) -> None:
        """A resting order fills at its own price now, as if somebody had met it."""
        matching, desk = self._at(now_ns), self._desk(account)
        current = desk.order_by_id(order.symbol, order.id)
        if current is not None and not current.status.is_final:
            matching.fill(desk, current)

    def trigger_stop(self, account: str, stop: Stop, now_ns: int) -> None:
        """A resting stop triggers now, wherever the price is."""
        matching, desk = self._at(now_ns), self._desk(account)
        current = desk.stop_by_id(stop.symbol, stop.id)
        if current is not None and current.status is OrderStatus.UNTRIGGERED:
            conditional.trigger(matching, desk, current)

    def liquidate(self, account: str, symbol: str, now_ns: int) -> Order | None:
        """The venue takes the position over; None while flat."""
        matching, position = self._at(now_ns), self.position(account, symbol)
        return forced.liquidate(matching, self._desk(account), position) if position.quantity else None

    def deleverage(self, account: str, symbol: str, quantity: Decimal, now_ns: int) -> Order | None:
        """Auto-deleveraging takes up to `quantity` of the position, at the mark price; None while flat."""
        matching, position = self._at(now_ns), self.position(account, symbol)
        part = min(quantity, position.size)
        if part <= ZERO:
            return None
        at_mark = margin.mark(matching, symbol)
        return forced.reduce(matching, self._desk(account), position, part, at_mark, Cause.ADL)

    def _desk(self, account: str) -> Desk:
        return self._matching.desks[account]

    def _at(self, now_ns: int) -> Matching:
        self._matching.now_ns = max(self._matching.now_ns, now_ns)
        return self._matching
