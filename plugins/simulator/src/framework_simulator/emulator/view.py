"""What queries see of an account: the same facts as the engine's, as late as the venue's read side is.

Every change of the engine arrives here as an event, and shows `read_lag_ns` later. Wires answer queries from here, and
act (cancel, amend, place) on the engine itself: that is how a fresh order can be "unknown" while it is live.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from decimal import Decimal

from attrs import define, field, frozen

from framework import Fill

from ..engine.account import Position
from ..engine.events import (
    CashChanged,
    Event,
    Filled,
    FundingPaid,
    OrderChanged,
    PositionChanged,
    SettingsChanged,
    StopChanged,
)
from ..engine.orders import Order, Stop


@frozen
class Trade:
    """An execution as queries tell it. `order` is the order as the execution left it; see `events.Filled`."""

    number: int
    fill: Fill
    realized_pnl: Decimal
    order: Order
    maker: bool
    closed: Decimal
    entry_price: Decimal
    position: Position


@frozen
class Income:
    """Money that came (positive) or went. `kind`: realized-pnl, commission, funding, transfer."""

    number: int
    kind: str
    symbol: str
    amount: Decimal
    time_ns: int
    trade_id: str = ""


@frozen
class Funding:
    """A funding payment: what `position` got (negative: paid) at `rate` of its value at `mark`."""

    number: int
    time_ns: int
    position: Position
    mark: Decimal
    rate: Decimal
    amount: Decimal


@define
class View:
    """One account, as queries see it. Everything is ordered by age, oldest first."""

    orders: dict[str, Order] = field(factory=dict)
    stops: dict[str, Stop] = field(factory=dict)
    positions: dict[str, Position] = field(factory=dict)
    trades: list[Trade] = field(factory=list)
    income: list[Income] = field(factory=list)
    funding: list[Funding] = field(factory=list)
    realized: dict[str, Decimal] = field(factory=dict)
    updated_ns: dict[str, int] = field(factory=dict)
    _open_orders: dict[str, Order] = field(factory=dict, init=False)
    _resting_stops: dict[str, Stop] = field(factory=dict, init=False)
    _orders_by_client_id: dict[str, str] = field(factory=dict, init=False)
    _stops_by_client_id: dict[str, str] = field(factory=dict, init=False)

    def order(self, symbol: str | None, *, order_id: str | None = None, client_id: str | None = None) -> Order | None:
        """An order by the venue's id, or the newest one by the client's; the venue's id wins."""
        key = order_id if order_id is not None else self._orders_by_client_id.get(client_id or "")
        found = self.orders.get(key or "")
        return found if found is not None and symbol in (None, found.symbol) else None

    def stop(self, symbol: str | None, *, stop_id: str | None = None, client_id: str | None = None) -> Stop | None:
        """A stop, finished or not, by the venue's id, or the newest one by the client's."""
        key = stop_id if stop_id is not None else self._stops_by_client_id.get(client_id or "")
        found = self.stops.get(key or "")
        return found if found is not None and symbol in (None, found.symbol) else None

    def open_orders(self, symbol: str | None = None) -> Iterator[Order]:
        """The orders that are not finished."""
        return (order for order in self._open_orders.values() if symbol in (None, order.symbol))

    def resting_stops(self, symbol: str | None = None) -> Iterator[Stop]:
        """The stops that wait for their trigger, or are being triggered."""
        return (stop for stop in self._resting_stops.values() if symbol in (None, stop.symbol))

    def position(self, symbol: str) -> Position:
        """The position in one market, flat or not."""
        return self.positions.get(symbol) or Position(symbol)

    def attached(self, symbol: str) -> tuple[Stop, ...]:
        """The stops that are part of the position in one market."""
        return tuple(stop for stop in self.resting_stops(symbol) if stop.attached)

    def apply(self, event: Event, time_ns: int) -> None:
        """Take over what happened at `time_ns`."""
        match event:
            case OrderChanged():
                self._put_order(event.order)
            case StopChanged():
                self._put_stop(event.stop)
            case Filled():
                self._add_trade(event)
            case PositionChanged():
                self._put_position(event.position, time_ns)
            case FundingPaid():
                self._add_funding(event, time_ns)
            case CashChanged():
                self.income.append(Income(len(self.income) + 1, "transfer", "", event.amount, time_ns))
            case SettingsChanged():
                pass

    def _put_order(self, order: Order) -> None:
        self.orders[order.id] = order
        if order.client_id:
            self._orders_by_client_id[order.client_id] = order.id
        if order.status.is_final:
            self._open_orders.pop(order.id, None)
        else:
            self._open_orders[order.id] = order

    def _put_stop(self, stop: Stop) -> None:
        self.stops[stop.id] = stop
        if stop.client_id:
            self._stops_by_client_id[stop.client_id] = stop.id
        if stop.status.is_final or stop.order_id is not None:
            self._resting_stops.pop(stop.id, None)
        else:
            self._resting_stops[stop.id] = stop

    def _put_position(self, position: Position, time_ns: int) -> None:
        self.updated_ns[position.symbol] = time_ns
        if position.quantity:
            self.positions[position.symbol] = position
        else:
            self.positions.pop(position.symbol, None)

    def _add_trade(self, event: Filled) -> None:
        fill = event.fill
        number = len(self.trades) + 1
        self.trades.append(
            Trade(
                number,
                fill,
                event.realized_pnl,
                event.order,
                event.maker,
                event.closed,
                event.entry_price,
                event.position,
            )
        )
        self.realized[fill.symbol] = self.realized.get(fill.symbol, Decimal(0)) + event.realized_pnl
        if event.realized_pnl:
            self._earn("realized-pnl", event.realized_pnl, fill)
        if fill.fee_usd:
            self._earn("commission", -fill.fee_usd, fill)

    def _earn(self, kind: str, amount: Decimal, fill: Fill) -> None:
        self.income.append(Income(len(self.income) + 1, kind, fill.symbol, amount, fill.time_ns, fill.id))

    def _add_funding(self, event: FundingPaid, time_ns: int) -> None:
        symbol = event.position.symbol
        self.funding.append(
            Funding(len(self.funding) + 1, time_ns, event.position, event.mark, event.rate, event.amount)
        )
        self.income.append(Income(len(self.income) + 1, "funding", symbol, event.amount, time_ns))


@define
class LaggingView:
    """A view, and what has happened but does not show yet."""

    view: View = field(factory=View)
    _late: deque[tuple[int, int, Event]] = field(factory=deque, init=False)

    def add(self, event: Event, time_ns: int, lag_ns: int) -> None:
        """Something happened; it shows after `lag_ns`, and never before what happened earlier."""
        if not self._late and lag_ns <= 0:
            self.view.apply(event, time_ns)
            return
        shows_ns = max(time_ns + lag_ns, self._late[-1][0] if self._late else 0)
        self._late.append((shows_ns, time_ns, event))

    def at(self, now_ns: int) -> View:
        """The view at an instant."""
        while self._late and self._late[0][0] <= now_ns:
            _, time_ns, event = self._late.popleft()
            self.view.apply(event, time_ns)
        return self.view
