"""Orders as the kernel asks for them, and as a venue answers. Quantities in the base asset, prices in USD."""

from __future__ import annotations

import enum
from decimal import Decimal

from attrs import frozen

from .market import PriceSource
from .numbers import ZERO
from .signal import OrderSide


class OrderType(enum.Enum):
    """The types of order that the kernel uses."""

    MARKET = "market"
    LIMIT = "limit"
    STOP_MARKET = "stop-market"


class TimeInForce(enum.Enum):
    """How long a limit order rests: until cancelled, fill what can be filled now, or only as a maker."""

    GTC = "gtc"
    IOC = "ioc"
    POST_ONLY = "post-only"


class OrderStatus(enum.Enum):
    """Where an order stands at the venue. `CANCELLED` may have fills: never read it as "nothing happened"."""

    NEW = "new"
    PARTIALLY_FILLED = "partially-filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNTRIGGERED = "untriggered"
    TRIGGERED = "triggered"

    @property
    def is_final(self) -> bool:
        """Whether nothing more can happen to the order."""
        return self in (OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED)


@frozen
class StopOrder:
    """A protective stop: reduce-only, at the market once `trigger_price` is reached.

    `attached` asks the venue to hold it as part of the position (it follows the position's size and needs no
    client id); otherwise it is an order of its own under `client_id`, for `quantity`. `worth_usd`: another stop rests,
    and this is how much more of the position's value it protects; None: nothing protects without it. Where a venue's
    limits are short, what is worth more goes first.
    """

    client_id: str
    symbol: str
    side: OrderSide
    quantity: Decimal
    trigger_price: Decimal
    trigger_by: PriceSource
    attached: bool
    worth_usd: Decimal | None = None


@frozen
class EntryOrder:
    """An order that opens a position. `stop` travels with it on a venue that attaches stops, else it is None.

    `send_before_ns` is the instant after which it must not be sent any more.
    """

    client_id: str
    symbol: str
    side: OrderSide
    type: OrderType
    quantity: Decimal
    price: Decimal | None
    time_in_force: TimeInForce
    send_before_ns: int
    stop: StopOrder | None


@frozen
class CloseOrder:
    """A reduce-only order that closes a position, or a part of it.

    At the market; with a `price` it is a limit order that rests until it is filled or cancelled (good till cancelled).
    Only a venue that says `Capabilities.rests_targets` is asked for one with a price.
    """

    client_id: str
    symbol: str
    side: OrderSide
    quantity: Decimal
    price: Decimal | None = None


@frozen
class OrderReport:
    """What the venue says of one order, from whatever source: the answer, the stream, or a query.

    `filled` is cumulative; `average_price` is that of the fills, None without any. `reason` is the venue's
    own word for a rejection, cancellation or expiry.
    """

    client_id: str
    symbol: str
    status: OrderStatus
    filled: Decimal = ZERO
    average_price: Decimal | None = None
    order_id: str = ""
    reason: str = ""


@frozen
class StopReport:
    """What the venue says of a stop. `live`: it rests and would act.

    `trigger_price` is where it rests, None when it does not. `reason` says why it is not live: exactly ``triggered``
    when it acted, else any words. `attached`: it is part of the position, and has no client id at the venue; then
    `client_id` is the one that the kernel gave it, that of the entry it came with, or empty where neither is known.
    """

    client_id: str
    symbol: str
    live: bool
    trigger_price: Decimal | None = None
    quantity: Decimal | None = None
    reason: str = ""
    attached: bool = False


@frozen
class Refusal:
    """The venue said no. `code` is the venue's own; `for_good`: sending the same again cannot succeed.

    `crossed`: the stop's price has been passed already, so the position has to be closed instead. `silent_ns`: it was
    not even sent, because the venue wants silence for so much longer; None: it was, or nobody wants that.
    """

    code: str
    message: str
    for_good: bool = True
    crossed: bool = False
    silent_ns: int | None = None


@frozen
class Unknown:
    """Nobody knows whether the request was carried out. Never treated as no."""

    message: str


EntryAnswer = OrderReport | Refusal | Unknown
StopAnswer = StopReport | Refusal | Unknown


@frozen
class Fill:
    """One execution. `fee_usd` is what it cost (negative: a rebate); `side` is the side of the order.

    `cause` is ``order`` for orders of ours, ``stop`` for a stop that triggered, else the venue's doing:
    ``liquidation``, ``adl``, ``settlement``. A fill of an attached stop has an empty `client_id`.
    """

    id: str
    order_id: str
    client_id: str
    symbol: str
    side: OrderSide
    quantity: Decimal
    price: Decimal
    fee_usd: Decimal
    time_ns: int
    cause: str = "order"


@frozen
class VenuePosition:
    """A position as the venue reports it. `quantity` is signed: negative is short.

    `stop_price` is that of the attached stop, None where there is none or the venue attaches no stops.
    `liquidation_price` is the mark price at which the venue would liquidate it, None where it tells none.
    """

    symbol: str
    quantity: Decimal
    entry_price: Decimal
    stop_price: Decimal | None = None
    liquidation_price: Decimal | None = None


@frozen
class Balance:
    """An account's money in USD: wallet plus unrealised PnL, free margin, and the leverage in force."""

    equity_usd: Decimal
    available_usd: Decimal
    leverage: Decimal = Decimal(1)
