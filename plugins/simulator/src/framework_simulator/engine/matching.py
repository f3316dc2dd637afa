"""How orders fill, how stops trigger, and what follows from that for the position and its stop.

Orders trade against the recorded market, never against one another. One change of the market is worked off event by
event, what lies nearest to the old price first, so that the outcome does not depend on the order of containers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from attrs import define, evolve, field

from framework import Fill, OrderSide, OrderStatus, OrderType, Percent, TimeInForce, ceil_to, floor_to

from . import conditional, forced
from .account import Position
from .book import Book
from .conditional import POSITION_CLOSED
from .desk import Desk
from .events import Event, Filled, OrderChanged, PositionChanged
from .ledger import Ledger
from .money import ZERO, in_digits_of
from .orders import Cause, CreatedBy, Order, Stop, crosses
from .realism import Realism, Rejection
from .rules import Market
from .style import VenueStyle

NO_DEPTH = "no depth left at the best price"
NOT_ALL = "not all of it could be filled at once"
WOULD_TAKE = "post-only order would take liquidity"

_FILL_CAUSES = {Cause.LIQUIDATION: "liquidation", Cause.ADL: "adl"}


@define
class Matching:
    """The venue's state, and everything that changes it. `slippage` works against whoever takes at the market.

    `order_ids` and `stop_ids` make the ids that clients see of the venue's numbers.
    """

    style: VenueStyle
    markets: Mapping[str, Market]
    ledger: Ledger
    slippage: Percent
    realism: Realism = field(factory=Realism)
    order_ids: Callable[[int], str] = str
    stop_ids: Callable[[int], str] = str
    books: dict[str, Book] = field(factory=dict)
    desks: dict[str, Desk] = field(factory=dict)
    events: list[Event] = field(factory=list)
    triggering: list[tuple[int, Desk, Stop]] = field(factory=list)
    rejecting: dict[str, tuple[int, Desk, Order, str]] = field(factory=dict)
    now_ns: int = 0
    _orders: int = field(default=0, init=False)
    _fills: int = field(default=0, init=False)

    def next_number(self) -> int:
        """The next number in the venue's sequence of orders and stops."""
        self._orders += 1
        return self._orders

    # ── orders ──────────────────────────────────────────────────────────────────────────────────────────────

    def submit(self, desk: Desk, order: Order) -> Order:
        """Take in an order that was admitted; answers how it stands once it has met the book."""
        held = desk.account.position(order.symbol)
        order = self._keep(desk, evolve(order, created_ns=self.now_ns))
        self.ledger.order(self.now_ns, desk.name, order)
        if self.realism.tells_stages:
            self.events.append(OrderChanged(desk.name, order))
        rejection = self.realism.order_rejection(desk.name, order.symbol)
        if rejection is not None:
            return self._reject(desk, order, rejection)
        marketable = self._marketable(order)
        if marketable and order.time_in_force is TimeInForce.POST_ONLY:
            return self.end(desk, order, OrderStatus.CANCELLED, WOULD_TAKE)
        if order.all_or_nothing and (not marketable or self._fillable(desk, order) < order.quantity):
            return self.end(desk, order, self.style.unfilled_rest, NOT_ALL)
        if marketable:
            order = self._trade(desk, order, self._taking_price(order), desk.account.taker_fee, maker=False)
        if order.remaining and (order.type is OrderType.MARKET or order.time_in_force is TimeInForce.IOC):
            order = self._keep(desk, evolve(order, status=self.style.unfilled_rest, reason=NO_DEPTH))
        self._conclude(desk, order, held, changed=order.status is not OrderStatus.NEW)
        return order

    def amend(self, desk: Desk, order: Order) -> Order:
        """A resting order has another price or quantity from now on; it may meet the book at once."""
        held = desk.account.position(order.symbol)
        order = self._keep(desk, order)
        self.ledger.order(self.now_ns, desk.name, order)
        self.events.append(OrderChanged(desk.name, order))
        if self._marketable(order) and order.id not in self.rejecting:
            order = self._trade(desk, order, self._taking_price(order), desk.account.taker_fee, maker=False)
            self._conclude(desk, order, held)
        return order

    def force(self, desk: Desk, order: Order, price: Decimal) -> Order:
        """An order that the venue, or somebody else, makes: it fills in full at `price`, whatever the book holds."""
        held = desk.account.position(order.symbol)
        order = self._keep(desk, evolve(order, created_ns=self.now_ns))
        self.ledger.order(self.now_ns, desk.name, order)
        order = self._fill_in_full(desk, order, order.quantity, price, desk.account.taker_fee, maker=False)
        self._conclude(desk, order, held)
        return order

    def cancel(self, desk: Desk, order: Order, reason: str) -> Order:
        """Take a resting order out."""
        return self.end(desk, order, OrderStatus.CANCELLED, reason)

    def _marketable(self, order: Order) -> bool:
        return order.price is None or crosses(order.side, order.price, self.books[order.symbol].best_for(order.side))

    def _taking_price(self, order: Order) -> Decimal:
        best = self.books[order.symbol].best_for(order.side)
        if order.type is OrderType.LIMIT or not self.slippage.value:
            return best
        tick = self.markets[order.symbol].rules.tick_size
        if order.side is OrderSide.BUY:
            return ceil_to(self.slippage.above(best), tick)
        return max(tick, floor_to(self.slippage.below(best), tick))

    def _fillable(self, desk: Desk, order: Order) -> Decimal:
        """What the book has for the order, and, of a reduce-only one, what the position can still lose."""
        wanted = order.remaining
        if order.reduce_only:
            wanted = desk.account.position(order.symbol).reducible(order.side, wanted)
        book, market = self.books[order.symbol], self.markets[order.symbol]
        if order.type is OrderType.MARKET and market.take_bound is not None:
            away = abs(book.best_for(order.side) - book.quote.mark)
            if away > market.take_bound * book.quote.mark:
                return ZERO
        depth, there = book.depth_for(order.side), wanted
        if depth is not None:
            there = min(there, depth)
        if order.fill_limit is not None:
            there = max(ZERO, min(there, order.fill_limit - order.filled))
        # All of it trades whole: a position may be off the step, where the market's rules have changed.
        step = market.rules.step_size
        return in_digits_of(step, wanted) if there == wanted else floor_to(there, step)

    def _trade(self, desk: Desk, order: Order, price: Decimal, fee: Percent, *, maker: bool) -> Order:
        """Fill what can be filled at `price`."""
        quantity = self._fillable(desk, order)
        if quantity <= ZERO:
            return order
        self.books[order.symbol].use_up(order.side, quantity)
        return self._fill_in_full(desk, order, quantity, price, fee, maker=maker)

    def _fill_in_full(
        self, desk: Desk, order: Order, quantity: Decimal, price: Decimal, fee: Percent, *, maker: bool
    ) -> Order:
        """Fill `quantity`, split where the position passes through zero."""
        closing = desk.account.position(order.symbol).reducible(order.side, quantity)
        for part in (closing, quantity - closing):
            if part:
                order = self._book_fill(desk, order, part, price, fee, maker=maker)
        return self._keep(desk, order)

    def _book_fill(
        self, desk: Desk, order: Order, quantity: Decimal, price: Decimal, fee: Percent, *, maker: bool
    ) -> Order:
        rules, symbol = self.markets[order.symbol].rules, order.symbol
        self._fills += 1
        fill = Fill(
            id=f"t{self._fills}",
            order_id=order.id,
            client_id=order.client_id,
            symbol=symbol,
            side=order.side,
            quantity=in_digits_of(rules.step_size, quantity),
            price=in_digits_of(rules.tick_size, price),
            fee_usd=fee.of(quantity * price),
            time_ns=self.now_ns,
            cause=_fill_cause(order),
        )
        before = desk.account.position(symbol)
        realized = desk.account.apply(symbol, order.side, quantity, price, fill.fee_usd)
        after = desk.account.position(symbol)
        if not before.quantity:
            desk.opened_ns[symbol] = self.now_ns
        filled = order.filled + quantity
        order = evolve(
            order,
            filled=filled,
            cost=order.cost + quantity * price,
            fee=order.fee + fill.fee_usd,
            realized_pnl=order.realized_pnl + realized,
            status=OrderStatus.FILLED if filled == order.quantity else OrderStatus.PARTIALLY_FILLED,
            updated_ns=self.now_ns,
        )
        desk.add_fill(fill)
        self.ledger.fill(self.now_ns, desk.name, fill, realized)
        self.ledger.position(self.now_ns, desk.name, after)
        closed = before.reducible(order.side, quantity)
        self.events.append(Filled(desk.name, fill, realized, order, maker, closed, before.entry_price, after))
        return order

    def _keep(self, desk: Desk, order: Order) -> Order:
        order = evolve(order, updated_ns=self.now_ns)
        desk.put_order(order)
        return order

    def end(self, desk: Desk, order: Order, status: OrderStatus, reason: str) -> Order:
        """An order comes to its end unfilled, or partly filled."""
        order = self._keep(desk, evolve(order, status=status, reason=reason))
        self.ledger.order(self.now_ns, desk.name, order)
        self.events.append(OrderChanged(desk.name, order))
        conditional.finish(self, desk, order)
        return order

    def _reject(self, desk: Desk, order: Order, rejection: Rejection) -> Order:
        if not rejection.after_ns:
            return self.end(desk, order, OrderStatus.REJECTED, rejection.reason)
        self.rejecting[order.id] = (self.now_ns + rejection.after_ns, desk, order, rejection.reason)
        return order

    def _conclude(self, desk: Desk, order: Order, held: Position, *, changed: bool = True) -> None:
        """Tell the order, then what its fills did to the position and to what hangs on it."""
        if changed:
            self.ledger.order(self.now_ns, desk.name, order)
        # An order that merely rests was told already where stages are told.
        if changed or not self.realism.tells_stages:
            self.events.append(OrderChanged(desk.name, order))
        if order.status.is_final:
            conditional.finish(self, desk, order)
        now = desk.account.position(order.symbol)
        if now == held:
            return
        if held.quantity and now.quantity * held.quantity <= ZERO:
            self._clear(desk, order, held)
        if now.quantity and now.exit_side is not order.side:
            same = held.quantity * now.quantity > ZERO
            conditional.attach_all(self, desk, order, now.size - held.size if same else now.size)
        attached = desk.attached_stop(order.symbol)
        self.events.append(PositionChanged(desk.name, now, attached.trigger_price if attached else None))

    def _clear(self, desk: Desk, order: Order, held: Position) -> None:
        """A position is gone: its stops and resting reduce-only orders go too."""
        conditional.clear(self, desk, order.symbol, held, order)
        for other in desk.resting(order.symbol):
            if other.reduce_only and other.side is held.exit_side:
                self.end(desk, other, OrderStatus.CANCELLED, POSITION_CLOSED)

    # ── the market moves ────────────────────────────────────────────────────────────────────────────────────

    def settle(self, symbol: str, origin: Decimal) -> None:
        """Work off all that the market of a symbol has made due; what lies nearest to `origin` comes first."""
        conditional.follow(self, symbol)
        while (due := min(self._due(symbol, origin), key=lambda one: one[0], default=None)) is not None:
            _, desk, item = due
            if isinstance(item, Stop):
                conditional.trigger(self, desk, item)
            else:
                self._make(desk, item)
        if self.realism.liquidates:
            forced.liquidate_where_due(self, symbol)

    def advance(self) -> None:
        """Do what has fallen due with time: orders are rejected, stops whose delay is over become orders."""
        for order_id, (due_ns, desk, order, reason) in tuple(self.rejecting.items()):
            if due_ns <= self.now_ns:
                del self.rejecting[order_id]
                current = desk.order_by_id(order.symbol, order_id)
                if current is not None and not current.status.is_final:
                    self.end(desk, current, OrderStatus.REJECTED, reason)
        while self.triggering and self.triggering[0][0] <= self.now_ns:
            _, desk, stop = self.triggering.pop(0)
            if desk.is_triggering(stop):
                conditional.become_order(self, desk, stop)
                self.settle(stop.symbol, self.books[stop.symbol].quote.last)

    def walk(self, symbol: str, to_price: Decimal) -> None:
        """Move the market continuously to `to_price`, halting at every level where something happens."""
        book = self.books[symbol]
        self._step(book, symbol, book.quote.last)
        while (level := self._next_level(symbol, book.quote.last, to_price)) is not None:
            self._step(book, symbol, level)
        self._step(book, symbol, to_price)

    def _step(self, book: Book, symbol: str, price: Decimal) -> None:
        origin, moves = book.quote.last, not book.stands_at(price)
        book.step_to(price, self.now_ns)
        if moves:
            self.ledger.price(self.now_ns, symbol, book.quote)
        self.settle(symbol, origin)

    def _next_level(self, symbol: str, start: Decimal, end: Decimal) -> Decimal | None:
        # Falling prices reach sell stops and buy limits, rising ones buy stops and sell limits.
        falling = end < start
        limit_side = OrderSide.BUY if falling else OrderSide.SELL
        low, high = min(start, end), max(start, end)
        levels = [
            *(stop.trigger_price for _, stop in conditional.resting(self, symbol) if stop.falling is falling),
            *(o.price for _, o in self._resting(symbol) if o.side is limit_side and o.price is not None),
        ]
        # What lies at the start has been settled there already: every halt is further on than the one before.
        within = [level for level in levels if low <= level <= high and level != start]
        return (max(within) if falling else min(within)) if within else None

    def _due(self, symbol: str, origin: Decimal) -> Iterator[tuple[tuple[Decimal, int], Desk, Stop | Order]]:
        book = self.books[symbol]
        for desk, stop in conditional.resting(self, symbol):
            if conditional.may_trigger(self, stop):
                yield (abs(stop.trigger_price - origin), stop.number), desk, stop
        for desk, order in self._resting(symbol):
            price = order.price
            if price is None or not crosses(order.side, price, book.best_for(order.side)):
                continue
            if self._fillable(desk, order) > ZERO:
                yield (abs(price - origin), order.number), desk, order

    def fill(self, desk: Desk, order: Order) -> None:
        """A resting order fills in full at its own price, whatever the book holds."""
        held = desk.account.position(order.symbol)
        wanted = order.remaining
        if order.reduce_only:
            wanted = held.reducible(order.side, wanted)
        if wanted and order.price is not None:
            order = self._fill_in_full(desk, order, wanted, order.price, desk.account.maker_fee, maker=True)
            self._conclude(desk, order, held)

    def _make(self, desk: Desk, order: Order) -> None:
        """A resting order is met: it fills at its own price, as a maker."""
        if order.price is None:
            raise ValueError(f"order {order.id} rests without a price")
        held = desk.account.position(order.symbol)
        order = self._trade(desk, order, order.price, desk.account.maker_fee, maker=True)
        self._conclude(desk, order, held)

    def _resting(self, symbol: str) -> Iterator[tuple[Desk, Order]]:
        resting = ((desk, order) for desk in self.desks.values() for order in desk.resting(symbol))
        return ((desk, order) for desk, order in resting if order.id not in self.rejecting)


def _fill_cause(order: Order) -> str:
    if order.created_by is CreatedBy.STOP:
        return "stop"
    return "order" if order.cause is None else _FILL_CAUSES.get(order.cause, "order")
