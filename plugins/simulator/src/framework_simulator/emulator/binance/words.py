"""Binance's words for what the engine calls by other names, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from framework import OrderSide, OrderStatus, OrderType, PriceSource, TimeInForce, trimmed

from ...engine.ledger import stop_status
from ...engine.money import in_digits_of
from ...engine.orders import Order, Stop, StopKind
from .errors import VenueError

NS_PER_MS = 1_000_000

ASSET = "USDT"
STP = "EXPIRE_MAKER"

SIDES: Mapping[str, OrderSide] = {"BUY": OrderSide.BUY, "SELL": OrderSide.SELL}

SOURCES: Mapping[str, PriceSource] = {"CONTRACT_PRICE": PriceSource.LAST, "MARK_PRICE": PriceSource.MARK}

# timeInForce: (the engine's, all or nothing)
LIMIT_TIMES: Mapping[str, tuple[TimeInForce, bool]] = {
    "GTC": (TimeInForce.GTC, False),
    "GTD": (TimeInForce.GTC, False),
    "IOC": (TimeInForce.IOC, False),
    "FOK": (TimeInForce.IOC, True),
    "GTX": (TimeInForce.POST_ONLY, False),
}

# type of a conditional order: (kind, whether it becomes a limit order)
CONDITIONAL_TYPES: Mapping[str, tuple[StopKind, bool]] = {
    "STOP": (StopKind.STOP, True),
    "STOP_MARKET": (StopKind.STOP, False),
    "TAKE_PROFIT": (StopKind.TAKE_PROFIT, True),
    "TAKE_PROFIT_MARKET": (StopKind.TAKE_PROFIT, False),
    "TRAILING_STOP_MARKET": (StopKind.TRAILING, False),
}

_TYPE_NAMES = {meaning: name for name, meaning in CONDITIONAL_TYPES.items()}
_TIME_NAMES = {
    (TimeInForce.GTC, False): "GTC",
    (TimeInForce.IOC, False): "IOC",
    (TimeInForce.IOC, True): "FOK",
    (TimeInForce.POST_ONLY, False): "GTX",
}
_STATUSES = {
    OrderStatus.NEW: "NEW",
    OrderStatus.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    OrderStatus.FILLED: "FILLED",
    OrderStatus.CANCELLED: "CANCELED",
    OrderStatus.REJECTED: "REJECTED",
    OrderStatus.EXPIRED: "EXPIRED",
}
_ALGO_STATUSES = {
    "untriggered": "NEW",
    "triggering": "TRIGGERING",
    "triggered": "TRIGGERED",
    "finished": "FINISHED",
    "cancelled": "CANCELED",
    "expired": "EXPIRED",
    "rejected": "REJECTED",
}

INTERVALS_MINUTES: Mapping[str, int] = {
    "1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360, "8h": 480,
    "12h": 720, "1d": 1440, "3d": 4320, "1w": 10080, "1M": 43200,
}  # fmt: skip
"""Unverified for 1w and 1M: the venue begins them on Mondays and on the first of a month, this one by epoch."""


def ms(time_ns: int) -> int:
    """Nanoseconds in whole milliseconds."""
    return time_ns // NS_PER_MS


def text(value: Decimal | None) -> str:
    """A decimal without an exponent and without idle zeros; none is "0"."""
    return "0" if not value else trimmed(value)


def shown(value: Decimal, unit: Decimal) -> str:
    """A decimal of market data, with the digits of its tick or step: clients read their precision off the text."""
    return format(in_digits_of(unit, value), "f")


def side_name(side: OrderSide) -> str:
    """BUY or SELL."""
    return "BUY" if side is OrderSide.BUY else "SELL"


def side(name: str) -> OrderSide:
    """Raises -1117 for anything but BUY and SELL."""
    known = SIDES.get(name)
    if known is None:
        raise VenueError(-1117)
    return known


def source_name(source: PriceSource) -> str:
    """The workingType."""
    return "MARK_PRICE" if source is PriceSource.MARK else "CONTRACT_PRICE"


def type_name(order: Order) -> str:
    """LIMIT or MARKET."""
    return "LIMIT" if order.type is OrderType.LIMIT else "MARKET"


def original_type_name(order: Order) -> str:
    """What the order was before a trigger made it a plain one."""
    return type_name(order) if order.parent is None else stop_type_name(order.parent)


def stop_type_name(stop: Stop) -> str:
    """The type that a conditional order was placed with."""
    return _TYPE_NAMES[stop.kind, stop.limit_price is not None and stop.kind is not StopKind.TRAILING]


def time_name(order: Order) -> str:
    """The timeInForce. Market orders are told as GTC."""
    if order.type is OrderType.MARKET:
        return "GTC"
    return _TIME_NAMES[order.time_in_force, order.all_or_nothing]


def stop_time_name(stop: Stop) -> str:
    """The timeInForce of a conditional order; GTE_GTC ends with the position."""
    if stop.ends_with_position and not stop.close_position:
        return "GTE_GTC"
    return "GTC" if stop.limit_price is None else _TIME_NAMES[stop.time_in_force, stop.all_or_nothing]


def status_name(status: OrderStatus) -> str:
    """The status of a plain order."""
    return _STATUSES[status]


def algo_status_name(stop: Stop) -> str:
    """The status of a conditional order."""
    return _ALGO_STATUSES[stop_status(stop)]


def order_number(order_id: str) -> int:
    """The venue's ids are whole numbers on the wire."""
    return int(order_id)


def trade_number(fill_id: str) -> int:
    """The number of an execution."""
    return int("".join(one for one in fill_id if one.isdigit()))
