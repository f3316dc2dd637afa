"""Orders and stops: what clients ask for, and what the venue keeps. All immutable: a change is a new object."""

from __future__ import annotations

import enum
from decimal import Decimal

from attrs import frozen

from framework import OrderSide, OrderStatus, OrderType, PriceSource, TimeInForce

from .money import ZERO, average


class CreatedBy(enum.Enum):
    """Who made an order: a client's request, a stop that triggered, or the venue itself (a liquidation)."""

    CLIENT = "client"
    STOP = "stop"
    VENUE = "venue"


@frozen
class AttachedStop:
    """A wish for the stop that is part of a position. `client_id` is a label: the venue demands nothing of it."""

    client_id: str
    trigger_price: Decimal
    trigger_by: PriceSource


@frozen
class OrderRequest:
    """What a client asks for. `price` is None for a market order; `stop` is attached with the first fill."""

    client_id: str
    symbol: str
    side: OrderSide
    type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    stop: AttachedStop | None = None


@frozen
class StopRequest:
    """A stop order of its own: reduce-only, for a quantity, at the market once `trigger_price` is reached."""

    client_id: str
    symbol: str
    side: OrderSide
    quantity: Decimal
    trigger_price: Decimal
    trigger_by: PriceSource


@frozen
class Order:
    """A market or limit order at the venue. `number` is its place in the venue's sequence, and its id.

    `cost` is the sum of price times quantity over its fills. `reason` is why it was cancelled or expired.
    """

    number: int
    client_id: str
    symbol: str
    side: OrderSide
    type: OrderType
    quantity: Decimal
    price: Decimal | None
    time_in_force: TimeInForce
    reduce_only: bool
    created_by: CreatedBy = CreatedBy.CLIENT
    stop: AttachedStop | None = None
    status: OrderStatus = OrderStatus.NEW
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    reason: str = ""

    @property
    def id(self) -> str:
        """The venue's id of the order."""
        return str(self.number)

    @property
    def remaining(self) -> Decimal:
        """What is not filled yet."""
        return self.quantity - self.filled

    @property
    def average_price(self) -> Decimal | None:
        """The average price of the fills, rounded to 12 decimals; None without any."""
        return None if self.filled == ZERO else average(self.cost, self.filled)


@frozen
class Stop:
    """A stop at the venue. `quantity` None: the whole position, whatever its size; it dies with the position.

    `status`: untriggered while it rests, then triggered, cancelled or expired. Every stop is reduce-only.
    """

    number: int
    client_id: str
    symbol: str
    side: OrderSide
    quantity: Decimal | None
    trigger_price: Decimal
    trigger_by: PriceSource
    attached: bool
    status: OrderStatus = OrderStatus.UNTRIGGERED
    reason: str = ""

    @property
    def id(self) -> str:
        """The venue's id of the stop."""
        return str(self.number)

    def reached_at(self, price: Decimal) -> bool:
        """Whether the stop acts at `price`: a sell stop at or below its trigger, a buy stop at or above."""
        return reaches(self.side, self.trigger_price, price)


def reaches(side: OrderSide, trigger_price: Decimal, price: Decimal) -> bool:
    """Whether a stop of `side` acts at `price`."""
    return price <= trigger_price if side is OrderSide.SELL else price >= trigger_price


def crosses(side: OrderSide, limit: Decimal, opposite: Decimal) -> bool:
    """Whether a limit order can trade with the best price of the other side."""
    return opposite <= limit if side is OrderSide.BUY else opposite >= limit
