"""What the venue keeps for one account: its money, its orders, its stops, its fills."""

from __future__ import annotations

from attrs import define, field

from framework import Fill

from .account import Account
from .orders import CreatedBy, Order, Stop, StopKind


@define
class Desk:
    """One account at the venue. Finished orders and fills are kept for queries, finished stops are not."""

    account: Account
    _orders: dict[str, Order] = field(factory=dict, init=False)
    _resting: dict[str, dict[str, Order]] = field(factory=dict, init=False)
    _newest_id: dict[str, str] = field(factory=dict, init=False)
    _stops: dict[str, dict[str, Stop]] = field(factory=dict, init=False)
    _fills: dict[str, list[Fill]] = field(factory=dict, init=False)
    _used_ids: set[str] = field(factory=set, init=False)
    _triggering: dict[str, Stop] = field(factory=dict, init=False)
    opened_ns: dict[str, int] = field(factory=dict, init=False)

    @property
    def name(self) -> str:
        """The account's name."""
        return self.account.name

    def put_order(self, order: Order) -> None:
        """Keep an order, new or changed."""
        self._orders[order.id] = order
        resting = self._resting.setdefault(order.symbol, {})
        if order.status.is_final:
            resting.pop(order.id, None)
        else:
            resting[order.id] = order
        if order.created_by is CreatedBy.CLIENT or order.parent is not None:
            self._newest_id[order.client_id] = order.id
            self._used_ids.add(order.client_id)

    def order_by_id(self, symbol: str, order_id: str) -> Order | None:
        """An order by the venue's id, finished or not."""
        order = self._orders.get(order_id)
        return order if order is not None and order.symbol == symbol else None

    def order_by_client_id(self, symbol: str, client_id: str) -> Order | None:
        """The newest order of a client under this id, finished or not."""
        order_id = self._newest_id.get(client_id)
        order = self._orders[order_id] if order_id is not None else None
        return order if order is not None and order.symbol == symbol else None

    def resting(self, symbol: str) -> tuple[Order, ...]:
        """The orders that rest in one market, oldest first."""
        return tuple(self._resting.get(symbol, {}).values())

    def all_resting(self) -> tuple[Order, ...]:
        """The orders that rest in all markets."""
        return tuple(order for orders in self._resting.values() for order in orders.values())

    def put_stop(self, stop: Stop) -> None:
        """Keep a stop that rests, new or changed."""
        self._stops.setdefault(stop.symbol, {})[stop.id] = stop
        if not stop.attached:
            self._used_ids.add(stop.client_id)

    def drop_stop(self, stop: Stop) -> None:
        """Forget a stop that rests no more."""
        del self._stops[stop.symbol][stop.id]

    def stops(self, symbol: str) -> tuple[Stop, ...]:
        """The stops that rest in one market, oldest first."""
        return tuple(self._stops.get(symbol, {}).values())

    def all_stops(self) -> tuple[Stop, ...]:
        """The stops that rest in all markets."""
        return tuple(stop for stops in self._stops.values() for stop in stops.values())

    def triggering(self, symbol: str) -> tuple[Stop, ...]:
        """The stops of one market that have triggered, and whose order is not there yet."""
        return tuple(stop for stop in self._triggering.values() if stop.symbol == symbol)

    def put_triggering(self, stop: Stop) -> None:
        """Keep a stop whose order is on its way."""
        self._triggering[stop.id] = stop

    def drop_triggering(self, stop: Stop) -> None:
        """Its order is there, or never will be."""
        self._triggering.pop(stop.id, None)

    def is_triggering(self, stop: Stop) -> bool:
        """Whether its order is still on its way."""
        return stop.id in self._triggering

    def stop_by_id(self, symbol: str, stop_id: str) -> Stop | None:
        """A resting or triggering stop by the venue's id."""
        return self._stops.get(symbol, {}).get(stop_id) or self._triggering.get(stop_id)

    def stop_by_client_id(self, symbol: str, client_id: str) -> Stop | None:
        """A resting or triggering stop by its client id."""
        stops = (*self.stops(symbol), *self.triggering(symbol))
        return next((stop for stop in stops if stop.client_id == client_id), None)

    def attached_stop(self, symbol: str, kind: StopKind = StopKind.STOP) -> Stop | None:
        """The stop of a kind that is attached to the whole position."""
        whole = (stop for stop in self.stops(symbol) if stop.attached and stop.quantity is None)
        return next((stop for stop in whole if stop.kind is kind), None)

    def add_fill(self, fill: Fill) -> None:
        """Keep an execution."""
        self._fills.setdefault(fill.symbol, []).append(fill)

    def fills(self, symbol: str, since_ns: int) -> tuple[Fill, ...]:
        """Executions in one market since an instant, oldest first."""
        return tuple(fill for fill in self._fills.get(symbol, ()) if fill.time_ns >= since_ns)

    def id_was_used(self, client_id: str) -> bool:
        """Whether any order, or stop order of its own, ever had this client id."""
        return client_id in self._used_ids

    def id_is_open(self, client_id: str) -> bool:
        """Whether an order that rests has this client id."""
        return any(order.client_id == client_id for order in self.all_resting())

    def stop_id_is_open(self, client_id: str) -> bool:
        """Whether a stop that rests has this client id."""
        return any(stop.client_id == client_id for stops in self._stops.values() for stop in stops.values())
