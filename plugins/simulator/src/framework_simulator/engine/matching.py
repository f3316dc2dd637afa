"""How orders fill, how stops trigger, and what follows from that for the position and its stop.

Orders trade against the recorded market, never against one another. One change of the market is worked off event by
event, what lies nearest to the old price first, so that the outcome does not depend on the order of containers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from attrs import define, evolve, field

from framework import Fill, OrderSide, OrderStatus, OrderType, Percent, TimeInForce, ceil_to, floor_to

from .account import Position
from .book import Book
from .desk import Desk
from .events import Event, Filled, OrderChanged, PositionChanged, StopChanged
from .ledger import Ledger
from .money import ZERO, in_digits_of, opposite
from .orders import AttachedStop, CreatedBy, Order, Stop, crosses
from .rules import Market
from .style import VenueStyle

NO_DEPTH = "no depth left at the best price"
POSITION_CLOSED = "position closed"
NOTHING_TO_REDUCE = "nothing to reduce"


@define
class Matching:
    """The venue's state, and everything that changes it. `slippage` works against whoever takes at the market."""

    style: VenueStyle
    markets: Mapping[str, Market]
    ledger: Ledger
    slippage: Percent
    books: dict[str, Book] = field(factory=dict)
    desks: dict[str, Desk] = field(factory=dict)
    events: list[Event] = field(factory=list)
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
        desk.put_order(order)
        self.ledger.order(self.now_ns, desk.name, order)
        book = self.books[order.symbol]
        marketable = order.price is None or crosses(order.side, order.price, book.best_for(order.side))
        if marketable and order.time_in_force is TimeInForce.POST_ONLY:
            return self._end(desk, order, OrderStatus.CANCELLED, "post-only order would take liquidity")
        if marketable:
            order = self._trade(desk, order, self._taking_price(order, book), desk.account.taker_fee)
        if order.remaining and (order.type is OrderType.MARKET or order.time_in_force is TimeInForce.IOC):
            order = evolve(order, status=self.style.unfilled_rest, reason=NO_DEPTH)
            desk.put_order(order)
        self._conclude(desk, order, held, changed=order.status is not OrderStatus.NEW)
        return order

    def cancel(self, desk: Desk, order: Order, reason: str) -> Order:
        """Take a resting order out."""
        return self._end(desk, order, OrderStatus.CANCELLED, reason)

    def _taking_price(self, order: Order, book: Book) -> Decimal:
        best = book.best_for(order.side)
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
        depth = self.books[order.symbol].depth_for(order.side)
        if depth is not None:
            wanted = min(wanted, depth)
        return floor_to(wanted, self.markets[order.symbol].rules.step_size)

    def _trade(self, desk: Desk, order: Order, price: Decimal, fee: Percent) -> Order:
        """Fill what can be filled at `price`, split where the position passes through zero."""
        quantity = self._fillable(desk, order)
        if quantity <= ZERO:
            return order
        self.books[order.symbol].use_up(order.side, quantity)
        closing = desk.account.position(order.symbol).reducible(order.side, quantity)
        for part in (closing, quantity - closing):
            if part:
                self._book_fill(desk, order, part, price, fee)
        filled = order.filled + quantity
        status = OrderStatus.FILLED if filled == order.quantity else OrderStatus.PARTIALLY_FILLED
        order = evolve(order, filled=filled, cost=order.cost + quantity * price, status=status)
        desk.put_order(order)
        return order

    def _book_fill(self, desk: Desk, order: Order, quantity: Decimal, price: Decimal, fee: Percent) -> None:
        rules = self.markets[order.symbol].rules
        self._fills += 1
        fill = Fill(
            id=f"t{self._fills}",
            order_id=order.id,
            client_id=order.client_id,
            symbol=order.symbol,
            side=order.side,
            quantity=in_digits_of(rules.step_size, quantity),
            price=in_digits_of(rules.tick_size, price),
            fee_usd=fee.of(quantity * price),
            time_ns=self.now_ns,
            cause="stop" if order.created_by is CreatedBy.STOP else "order",
        )
        realized = desk.account.apply(order.symbol, order.side, quantity, price, fill.fee_usd)
        desk.add_fill(fill)
        self.ledger.fill(self.now_ns, desk.name, fill, realized)
        self.ledger.position(self.now_ns, desk.name, desk.account.position(order.symbol))
        self.events.append(Filled(desk.name, fill, realized))

    def _end(self, desk: Desk, order: Order, status: OrderStatus, reason: str) -> Order:
        order = evolve(order, status=status, reason=reason)
        desk.put_order(order)
        self.ledger.order(self.now_ns, desk.name, order)
        self.events.append(OrderChanged(desk.name, order))
        return order

    def _conclude(self, desk: Desk, order: Order, held: Position, *, changed: bool = True) -> None:
        """Tell the order, then what its fills did to the position and to what hangs on it."""
        if changed:
            self.ledger.order(self.now_ns, desk.name, order)
        self.events.append(OrderChanged(desk.name, order))
        now = desk.account.position(order.symbol)
        if now == held:
            return
        if held.quantity and now.quantity * held.quantity <= ZERO:
            self._clear(desk, order.symbol, held)
        if order.stop is not None and now.quantity and now.exit_side is not order.side:
            self.attach(desk, order.symbol, order.stop)
        attached = desk.attached_stop(order.symbol)
        self.events.append(PositionChanged(desk.name, now, attached.trigger_price if attached else None))

    def _clear(self, desk: Desk, symbol: str, held: Position) -> None:
        """A position is gone: its attached stop and resting reduce-only orders go too. Stop orders stay behind."""
        attached = desk.attached_stop(symbol)
        if attached is not None:
            self.end_stop(desk, attached, OrderStatus.CANCELLED, POSITION_CLOSED)
        for order in desk.resting(symbol):
            if order.reduce_only and order.side is held.exit_side:
                self._end(desk, order, OrderStatus.CANCELLED, POSITION_CLOSED)

    # ── stops ───────────────────────────────────────────────────────────────────────────────────────────────

    def attach(self, desk: Desk, symbol: str, wish: AttachedStop) -> Stop:
        """Set the stop of a position: moves the one that is there, or replaces it when the label differs."""
        current = desk.attached_stop(symbol)
        if current is not None and current.client_id == wish.client_id:
            return self.rest_stop(desk, evolve(current, trigger_price=wish.trigger_price, trigger_by=wish.trigger_by))
        if current is not None:
            self.end_stop(desk, current, OrderStatus.CANCELLED, "replaced")
        stop = Stop(
            number=self.next_number(),
            client_id=wish.client_id,
            symbol=symbol,
            side=desk.account.position(symbol).exit_side,
            quantity=None,
            trigger_price=wish.trigger_price,
            trigger_by=wish.trigger_by,
            attached=True,
        )
        return self.rest_stop(desk, stop)

    def rest_stop(self, desk: Desk, stop: Stop) -> Stop:
        """Let a stop rest, new or moved."""
        desk.put_stop(stop)
        self.ledger.stop(self.now_ns, desk.name, stop)
        self.events.append(StopChanged(desk.name, stop))
        return stop

    def end_stop(self, desk: Desk, stop: Stop, status: OrderStatus, reason: str) -> Stop:
        """Take a resting stop out."""
        desk.drop_stop(stop)
        stop = evolve(stop, status=status, reason=reason)
        self.ledger.stop(self.now_ns, desk.name, stop)
        self.events.append(StopChanged(desk.name, stop))
        return stop

    def _trigger(self, desk: Desk, stop: Stop) -> None:
        """A stop becomes a reduce-only market order, or expires where there is nothing to reduce."""
        position = desk.account.position(stop.symbol)
        quantity = position.reducible(stop.side, position.size if stop.quantity is None else stop.quantity)
        if not quantity:
            self.end_stop(desk, stop, OrderStatus.EXPIRED, NOTHING_TO_REDUCE)
            return
        self.end_stop(desk, stop, OrderStatus.TRIGGERED, "triggered")
        child = Order(
            number=self.next_number(),
            client_id=stop.client_id,
            symbol=stop.symbol,
            side=stop.side,
            type=OrderType.MARKET,
            quantity=quantity,
            price=None,
            time_in_force=TimeInForce.IOC,
            reduce_only=True,
            created_by=CreatedBy.STOP,
        )
        self.submit(desk, child)

    # ── the market moves ────────────────────────────────────────────────────────────────────────────────────

    def settle(self, symbol: str, origin: Decimal) -> None:
        """Work off all that the market of a symbol has made due; what lies nearest to `origin` comes first."""
        while (due := min(self._due(symbol, origin), key=lambda one: one[0], default=None)) is not None:
            _, desk, item = due
            if isinstance(item, Stop):
                self._trigger(desk, item)
            else:
                self._make(desk, item)

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
        stop_side = OrderSide.SELL if falling else OrderSide.BUY
        low, high = min(start, end), max(start, end)
        levels = [
            *(stop.trigger_price for _, stop in self._stops(symbol) if stop.side is stop_side),
            *(o.price for _, o in self._resting(symbol) if o.side is opposite(stop_side) and o.price is not None),
        ]
        # What lies at the start has been settled there already: every halt is further on than the one before.
        within = [level for level in levels if low <= level <= high and level != start]
        return (max(within) if falling else min(within)) if within else None

    def _due(self, symbol: str, origin: Decimal) -> Iterator[tuple[tuple[Decimal, int], Desk, Stop | Order]]:
        book = self.books[symbol]
        for desk, stop in self._stops(symbol):
            if stop.reached_at(book.trigger_price(stop.trigger_by)):
                yield (abs(stop.trigger_price - origin), stop.number), desk, stop
        for desk, order in self._resting(symbol):
            price = order.price
            if price is None or not crosses(order.side, price, book.best_for(order.side)):
                continue
            if self._fillable(desk, order) > ZERO:
                yield (abs(price - origin), order.number), desk, order

    def _make(self, desk: Desk, order: Order) -> None:
        """A resting order is met: it fills at its own price, as a maker."""
        if order.price is None:
            raise ValueError(f"order {order.id} rests without a price")
        held = desk.account.position(order.symbol)
        order = self._trade(desk, order, order.price, desk.account.maker_fee)
        self._conclude(desk, order, held)

    def _stops(self, symbol: str) -> Iterator[tuple[Desk, Stop]]:
        return ((desk, stop) for desk in self.desks.values() for stop in desk.stops(symbol))

    def _resting(self, symbol: str) -> Iterator[tuple[Desk, Order]]:
        return ((desk, order) for desk in self.desks.values() for order in desk.resting(symbol))
