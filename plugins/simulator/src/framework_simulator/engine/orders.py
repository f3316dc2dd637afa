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


class StopKind(enum.Enum):
    """Which way the price has to go. A sell stop acts below the market, a sell take-profit above; buys mirrored."""

    STOP = "stop"
    TAKE_PROFIT = "take-profit"
    TRAILING = "trailing"


@frozen
class Trail:
    """How a trailing stop follows: at `percent` (3 is 3 %) or `distance` (in price units) behind the best price.

    It begins to follow at `activation_price`; None: at once. `best` is the best price so far, None while it waits.
    """

    percent: Decimal | None = None
    distance: Decimal | None = None
    activation_price: Decimal | None = None
    best: Decimal | None = None


@frozen
class AttachedStop:
    """A wish for a stop that is part of a position. `client_id` is a label: the venue demands nothing of it.

    `quantity` None: one for the whole position, whatever its size. With a quantity it is one of several partial
    ones; inside an entry, any quantity then stands for what each fill opens. `limit_price` None: at the market.
    """

    client_id: str
    trigger_price: Decimal
    trigger_by: PriceSource
    kind: StopKind = StopKind.STOP
    limit_price: Decimal | None = None
    quantity: Decimal | None = None
    trail: Trail | None = None


@frozen
class OrderRequest:
    """What a client asks for. `price` is None for a market order; `stop` is attached with the first fill.

    `all_or_nothing` makes an IOC order FOK. `take_profit` is attached like `stop`. `closes_all`: it is for all of the
    position, whatever the market's step and smallest quantity are.
    """

    client_id: str
    symbol: str
    side: OrderSide
    type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    stop: AttachedStop | None = None
    take_profit: AttachedStop | None = None
    all_or_nothing: bool = False
    closes_all: bool = False


@frozen
class StopRequest:
    """A conditional order of its own: an order for `quantity` once `trigger_price` is reached.

    By default a reduce-only stop at the market. `quantity` None closes the whole position as it is at the trigger
    (Binance `closePosition`). `ends_with_position`: it needs a position, and expires when that is gone (Binance GTE).
    `limit_price` and `time_in_force` are those of the order that it becomes. `price_protect`: it does not trigger
    while last and mark price lie further apart than the market allows. With `trail` the trigger price is ignored.
    `stop` and `take_profit` are attached to the position that the order opens.
    """

    client_id: str
    symbol: str
    side: OrderSide
    quantity: Decimal | None
    trigger_price: Decimal
    trigger_by: PriceSource
    kind: StopKind = StopKind.STOP
    limit_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    all_or_nothing: bool = False
    reduce_only: bool = True
    ends_with_position: bool = False
    price_protect: bool = False
    trail: Trail | None = None
    stop: AttachedStop | None = None
    take_profit: AttachedStop | None = None


class Cause(enum.Enum):
    """Why the venue, or somebody else, made an order on an account."""

    LIQUIDATION = "liquidation"
    ADL = "adl"
    SOMEBODY_ELSE = "somebody-else"


@frozen
class Order:
    """A market or limit order at the venue. `number` is its place in the venue's sequence.

    `cost` is the sum of price times quantity over its fills, `fee` and `realized_pnl` (before fees) sums likewise.
    `reason` is why it was cancelled or expired; `cause` which of the venue's doings made it (see `Cause`).
    `parent` is the stop that became this order. `fill_limit` is the most that a fault lets it fill.
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
    take_profit: AttachedStop | None = None
    all_or_nothing: bool = False
    close_position: bool = False
    parent: Stop | None = None
    cause: Cause | None = None
    fee: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    created_ns: int = 0
    updated_ns: int = 0
    venue_id: str = ""
    fill_limit: Decimal | None = None

    @property
    def id(self) -> str:
        """The venue's id of the order, as clients see it."""
        return self.venue_id or str(self.number)

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
    """A stop, or another conditional order, at the venue. `quantity` None: the whole position, whatever its size.

    `status`: untriggered while it rests, then triggered, cancelled, expired or rejected. `order_id` is the order that
    it became; while it is triggered without one, it is on its way (Binance: TRIGGERING). `finished`: that order has
    come to its end (Binance: FINISHED). `pair` is the number that a stop and a take-profit share: one ends the other.
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
    kind: StopKind = StopKind.STOP
    limit_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    all_or_nothing: bool = False
    reduce_only: bool = True
    ends_with_position: bool = False
    price_protect: bool = False
    trail: Trail | None = None
    stop: AttachedStop | None = None
    take_profit: AttachedStop | None = None
    pair: int | None = None
    parent_client_id: str = ""
    order_id: str | None = None
    order_filled: Decimal = ZERO
    order_price: Decimal | None = None
    finished: bool = False
    created_ns: int = 0
    updated_ns: int = 0
    triggered_ns: int = 0
    venue_id: str = ""

    @property
    def id(self) -> str:
        """The venue's id of the stop, as clients see it."""
        return self.venue_id or str(self.number)

    @property
    def close_position(self) -> bool:
        """Whether it is an order of its own that closes the whole position."""
        return self.quantity is None and not self.attached

    @property
    def falling(self) -> bool:
        """Whether the price has to fall to the trigger; else it has to rise."""
        return falls(self.side, self.kind)

    @property
    def waits(self) -> bool:
        """Whether it is a trailing stop whose activation price was not seen yet: it can't trigger."""
        return self.trail is not None and self.trail.best is None

    def reached_at(self, price: Decimal) -> bool:
        """Whether it acts at `price`: a sell stop at or below its trigger, a sell take-profit at or above."""
        return not self.waits and reaches(self.side, self.trigger_price, price, self.kind)


def falls(side: OrderSide, kind: StopKind) -> bool:
    """Whether a conditional order waits for the price to fall."""
    return (side is OrderSide.SELL) is not (kind is StopKind.TAKE_PROFIT)


def reaches(side: OrderSide, trigger_price: Decimal, price: Decimal, kind: StopKind = StopKind.STOP) -> bool:
    """Whether a conditional order of `side` and `kind` acts at `price`."""
    return price <= trigger_price if falls(side, kind) else price >= trigger_price


def crosses(side: OrderSide, limit: Decimal, opposite: Decimal) -> bool:
    """Whether a limit order can trade with the best price of the other side."""
    return opposite <= limit if side is OrderSide.BUY else opposite >= limit
