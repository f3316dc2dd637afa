"""Bybit's words for what the engine calls by other names, both ways. Source: "Bybit v5, Enums Definitions"."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from framework import OrderSide, OrderStatus, OrderType, PriceSource, TimeInForce, trimmed

from ...engine import conditional, forced, matching
from ...engine.orders import Cause, CreatedBy, Order, Stop, StopKind

NS_PER_MS = 1_000_000
COIN = "USDT"

ANONYMOUS = "anonymous-"
"""Orders without an orderLinkId get one of these inside; it is never told."""

SIDES: Mapping[str, OrderSide] = {"Buy": OrderSide.BUY, "Sell": OrderSide.SELL}

# IndexPrice is taken for the mark price: the emulator has no index of its own.
SOURCES: Mapping[str, PriceSource] = {
    "LastPrice": PriceSource.LAST,
    "MarkPrice": PriceSource.MARK,
    "IndexPrice": PriceSource.MARK,
}

# timeInForce: (the engine's, all or nothing)
TIMES: Mapping[str, tuple[TimeInForce, bool]] = {
    "GTC": (TimeInForce.GTC, False),
    "IOC": (TimeInForce.IOC, False),
    "FOK": (TimeInForce.IOC, True),
    "PostOnly": (TimeInForce.POST_ONLY, False),
}
_TIME_NAMES = {meaning: name for name, meaning in TIMES.items()}

_STATUSES = {
    OrderStatus.NEW: "New",
    OrderStatus.PARTIALLY_FILLED: "PartiallyFilled",
    OrderStatus.FILLED: "Filled",
    OrderStatus.CANCELLED: "Cancelled",
    OrderStatus.REJECTED: "Rejected",
    OrderStatus.EXPIRED: "Cancelled",
}
# Unverified: whether a stop that goes with its position ends as Deactivated or as Cancelled.
_STOP_STATUSES = {
    OrderStatus.UNTRIGGERED: "Untriggered",
    OrderStatus.TRIGGERED: "Triggered",
    OrderStatus.CANCELLED: "Deactivated",
    OrderStatus.EXPIRED: "Deactivated",
    # No margin is left for it when it triggers: the venue cancels it.
    OrderStatus.REJECTED: "Cancelled",
}
OPEN_STATUSES = frozenset({"New", "PartiallyFilled", "Untriggered", "Triggered"})

_STOP_TYPES = {
    (StopKind.STOP, False): "StopLoss",
    (StopKind.STOP, True): "PartialStopLoss",
    (StopKind.TAKE_PROFIT, False): "TakeProfit",
    (StopKind.TAKE_PROFIT, True): "PartialTakeProfit",
    (StopKind.TRAILING, False): "TrailingStop",
    (StopKind.TRAILING, True): "TrailingStop",
}
_CANCELS = {
    matching.NO_DEPTH: "UNKNOWN",
    matching.NOT_ALL: "UNKNOWN",
    matching.WOULD_TAKE: "UNKNOWN",
    conditional.MARGIN_SHORT: "UNKNOWN",
    conditional.NOTHING_TO_REDUCE: "CancelByReduceOnly",
    forced.LIQUIDATION: "CancelByPrepareLiq",
}
# Unverified: EC_NoImmediateQtyToFill where nothing was filled, EC_NoEnoughQtyToFill where it was a part.
_REJECTS = {
    matching.NO_DEPTH: "EC_NoImmediateQtyToFill",
    matching.NOT_ALL: "EC_CancelForNoFullFill",
    matching.WOULD_TAKE: "EC_PostOnlyWillTakeLiquidity",
    conditional.MARGIN_SHORT: "EC_Others",
}
_CAUSES = {
    Cause.LIQUIDATION: "CreateByLiq",
    Cause.ADL: "CreateByAdl_PassThrough",
    Cause.SOMEBODY_ELSE: "CreateByClosing",
}
_EXEC_TYPES = {"liquidation": "BustTrade", "adl": "AdlTrade"}
EXEC_TYPES = frozenset(
    {"Trade", "AdlTrade", "Funding", "BustTrade", "Delivery", "Settle", "BlockTrade", "MovePosition"}
)

INTERVALS_MINUTES: Mapping[str, int] = {
    "1": 1, "3": 3, "5": 5, "15": 15, "30": 30, "60": 60, "120": 120, "240": 240, "360": 360, "720": 720,
    "D": 1440, "W": 10080, "M": 43200,
}  # fmt: skip
"""Unverified for W and M: the venue begins them on Mondays and on the first of a month, this one by epoch."""


def ms(time_ns: int) -> str:
    """Nanoseconds in whole milliseconds, as text."""
    return str(time_ns // NS_PER_MS)


def text(value: Decimal | None) -> str:
    """A decimal without an exponent and without idle zeros; none is "0"."""
    return "0" if not value else trimmed(value)


def price_text(value: Decimal | None) -> str:
    """The same for prices that are told as an empty text where there is none."""
    return "" if value is None else trimmed(value)


def side_name(side: OrderSide) -> str:
    """Buy or Sell."""
    return "Buy" if side is OrderSide.BUY else "Sell"


def source_name(source: PriceSource) -> str:
    """LastPrice or MarkPrice."""
    return "MarkPrice" if source is PriceSource.MARK else "LastPrice"


def type_name(limit: bool) -> str:
    """Limit or Market."""
    return "Limit" if limit else "Market"


def link_id(client_id: str) -> str:
    """The orderLinkId: what the client sent, or nothing."""
    return "" if client_id.startswith(ANONYMOUS) else client_id


def order_link_id(order: Order) -> str:
    """The orderLinkId of an order; the venue's own have none."""
    return "" if order.cause is not None else link_id(order.client_id)


def time_name(order: Order) -> str:
    """The timeInForce. A market order is an IOC order."""
    return "IOC" if order.type is OrderType.MARKET else _TIME_NAMES[order.time_in_force, order.all_or_nothing]


def stop_time_name(stop: Stop) -> str:
    """The timeInForce of the order that a conditional order becomes."""
    return "IOC" if stop.limit_price is None else _TIME_NAMES[stop.time_in_force, stop.all_or_nothing]


def status_name(order: Order) -> str:
    """The orderStatus of an order."""
    return _STATUSES[order.status]


def stop_status_name(stop: Stop) -> str:
    """The orderStatus of a conditional order."""
    return _STOP_STATUSES[stop.status]


def stop_type_name(stop: Stop | None) -> str:
    """The stopOrderType: which stop of a position, or Stop for a conditional order; empty for plain orders."""
    if stop is None:
        return ""
    return _STOP_TYPES[stop.kind, stop.quantity is not None] if stop.attached else "Stop"


def create_type_name(order: Order) -> str:
    """Who made an order."""
    if order.cause is not None:
        return _CAUSES[order.cause]
    if order.created_by is CreatedBy.STOP:
        return stop_create_type_name(order.parent)
    return "CreateByUser"


def stop_create_type_name(stop: Stop | None) -> str:
    """Who made a conditional order. Unverified: whether one of its own says CreateByUser until it triggers."""
    if stop is None or not stop.attached:
        return "CreateByUser" if stop is None or stop.status is not OrderStatus.TRIGGERED else "CreateByStopOrder"
    return f"CreateBy{stop_type_name(stop)}"


def cancel_type_name(order: Order) -> str:
    """Why an order was cancelled."""
    if _STATUSES[order.status] != "Cancelled":
        return "UNKNOWN"
    if order.reason == conditional.POSITION_CLOSED:
        return "CancelByReduceOnly"
    return _CANCELS.get(order.reason, "CancelByUser")


def stop_cancel_type_name(stop: Stop) -> str:
    """Why a conditional order ended."""
    if not stop.status.is_final or stop.status is OrderStatus.TRIGGERED:
        return "UNKNOWN"
    if stop.reason == conditional.OTHER_TRIGGERED:
        profit = stop.kind is StopKind.TAKE_PROFIT
        return "CancelByOCOTpCanceledBySlTriggered" if profit else "CancelByOCOSlCanceledByTpTriggered"
    if stop.reason == conditional.POSITION_CLOSED:
        return "CancelByTpSlTsClear" if stop.attached else "CancelByReduceOnly"
    return _CANCELS.get(stop.reason, "CancelByUser")


def reject_reason(reason: str, filled: Decimal) -> str:
    """The rejectReason that goes with a reason to end; one that is in Bybit's words already stays as it is."""
    if reason == matching.NO_DEPTH and filled:
        return "EC_NoEnoughQtyToFill"
    if reason.startswith("EC_"):
        return reason
    if reason in _REJECTS:
        return _REJECTS[reason]
    return "EC_PerCancelRequest" if reason else "EC_NoError"


def exec_type_name(cause: str) -> str:
    """The execType of an execution by its cause."""
    return _EXEC_TYPES.get(cause, "Trade")
