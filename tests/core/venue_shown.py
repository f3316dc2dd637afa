"""What a venue holds of one position: its orders, its stops, and what reads would show at one time."""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen

from framework.core.numbers import ZERO
from framework.core.orders import Fill, OrderReport, OrderStatus, StopReport
from framework.testing import SYMBOL


@frozen
class Order:
    """An entry or a close at the venue."""

    client_id: str
    quantity: Decimal
    price: Decimal | None
    reduces: bool
    status: OrderStatus = OrderStatus.NEW
    filled: Decimal = ZERO
    average: Decimal | None = None

    def report(self) -> OrderReport:
        return OrderReport(self.client_id, SYMBOL, self.status, self.filled, self.average)


@frozen
class Stop:
    """A stop at the venue."""

    client_id: str
    trigger: Decimal
    quantity: Decimal
    attached: bool

    def report(self) -> StopReport:
        return StopReport(self.client_id, SYMBOL, live=True, trigger_price=self.trigger, quantity=self.quantity)


@frozen
class Shown:
    """What the venue would answer to reads at one time. `held` is counted on the position's side."""

    held: Decimal = ZERO
    average: Decimal = ZERO
    stops: tuple[Stop, ...] = ()
    orders: tuple[Order, ...] = ()
    fills: tuple[Fill, ...] = ()
