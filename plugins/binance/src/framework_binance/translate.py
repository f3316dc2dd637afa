"""Between the contract's words and Binance's: orders into parameters, answers and rows into reports. Pure.

Sources: "Binance USD-M Futures, Trade" (New Order, Query Order, New Algo Order, Account Trade List), "Market Data" and
"Account". A field that is missing or strange raises `StrangeAnswerError`; callers turn that into Unknown, or into a
failed read.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from framework import (
    INTERVALS_S,
    Balance,
    Candle,
    CloseOrder,
    EntryOrder,
    Fill,
    MarketRules,
    OrderReport,
    OrderSide,
    OrderStatus,
    OrderType,
    Percent,
    PriceSource,
    RestingKind,
    RestingOrder,
    StopOrder,
    StopReport,
    TimeInForce,
    VenuePosition,
    floor_to,
    is_multiple,
    trimmed,
)

from .strange import StrangeAnswerError, identifier, mapping, milliseconds, number, optional, rows, text

NS_PER_MS = 1_000_000
TRIGGERED = "triggered"
ZERO = Decimal(0)

DOLLARS = frozenset({"USDT", "USDC", "FDUSD", "BUSD"})
"""Coins in which a fee counts as USD. In any other the fee is valued by the notional."""

STOP_TYPES = frozenset({"STOP", "STOP_MARKET"})
ENTRY_TYPES = ("LIMIT", "MARKET")

ORDER_STATUSES: Mapping[str, OrderStatus] = {
    "NEW": OrderStatus.NEW,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELLED,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
    # Self-trade prevention ended it ("Enum Definitions").
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
}

STOPS_AT_WORK = frozenset({"TRIGGERING", "TRIGGERED", "FINISHED"})
"""Statuses of a conditional order that has acted. FINISHED without a fill too: its order was refused, and what is left
of the position is the kernel's to close."""

STOPS_OVER: Mapping[str, str] = {"CANCELED": "cancelled", "EXPIRED": "expired", "REJECTED": "rejected"}

CAUSES = (("settlement_autoclose-", "settlement"), ("adl_autoclose", "adl"), ("autoclose-", "liquidation"))
"""How the client ids begin that the venue gives to its own orders ("User Data Streams, Order Update")."""

_SIDES = {"BUY": OrderSide.BUY, "SELL": OrderSide.SELL}
_TIMES = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.POST_ONLY: "GTX"}
_SOURCES = {PriceSource.LAST: "CONTRACT_PRICE", PriceSource.MARK: "MARK_PRICE"}


# ── orders into parameters ──────────────────────────────────────────────────────────────────────────────────


def entry_params(order: EntryOrder) -> dict[str, str]:
    """POST order. Raises ValueError for what the venue does not have; nothing is sent then."""
    if order.type is OrderType.MARKET:
        how = {"type": "MARKET"}
    elif order.type is OrderType.LIMIT and order.price is not None:
        how = {"type": "LIMIT", "price": trimmed(order.price), "timeInForce": _TIMES[order.time_in_force]}
    else:
        raise ValueError(f"an entry of type {order.type.value} needs a price, or can't be sent to Binance")
    return {**_order_params(order.symbol, order.side, order.quantity, order.client_id), **how}


def close_params(order: CloseOrder) -> dict[str, str]:
    """POST order, reduce-only: at the market, or a limit order that is good till cancelled."""
    params = _order_params(order.symbol, order.side, order.quantity, order.client_id)
    how = {"type": "MARKET"}
    if order.price is not None:
        how = {"type": "LIMIT", "price": trimmed(order.price), "timeInForce": _TIMES[TimeInForce.GTC]}
    return {**params, **how, "reduceOnly": "true"}


def stop_params(order: StopOrder) -> dict[str, str]:
    """POST algoOrder: for a quantity and reduce-only. Unlike closePosition, it needs no position that is seen yet."""
    return {
        "symbol": order.symbol,
        "side": order.side.name,
        "positionSide": "BOTH",
        "algoType": "CONDITIONAL",
        "type": "STOP_MARKET",
        "quantity": trimmed(order.quantity),
        "reduceOnly": "true",
        "triggerPrice": trimmed(order.trigger_price),
        "workingType": _SOURCES[order.trigger_by],
        "clientAlgoId": order.client_id,
    }


def _order_params(symbol: str, side: OrderSide, quantity: Decimal, client_id: str) -> dict[str, str]:
    return {
        "symbol": symbol,
        "side": side.name,
        "positionSide": "BOTH",
        "quantity": trimmed(quantity),
        "newClientOrderId": client_id,
        # The answer is the final state of a market order, not a mere acknowledgement.
        "newOrderRespType": "RESULT",
    }


# ── answers into reports ────────────────────────────────────────────────────────────────────────────────────


def order_report(answer: Any, rules: MarketRules | None) -> OrderReport:
    """A plain order, as placing, cancelling and querying answer it. Prices are written with the digits of the tick."""
    row = mapping(answer, "the order")
    status = order_status(text(row, "status"))
    filled = number(row, "executedQty")
    return OrderReport(
        client_id=text(row, "clientOrderId"),
        symbol=text(row, "symbol"),
        status=status,
        filled=sized(filled, rules),
        average_price=_average(row, "avgPrice", filled, rules),
        order_id=identifier(row, "orderId"),
        reason=_ending(status),
    )


def order_status(name: str) -> OrderStatus:
    """A status of a plain order. Raises `StrangeAnswerError` for one that nobody knows."""
    status = ORDER_STATUSES.get(name)
    if status is None:
        raise StrangeAnswerError(f"the order's status is {name!r}")
    return status


def stop_report(answer: Any, rules: MarketRules | None) -> StopReport:
    """A conditional order, as placing, listing and querying answer it."""
    row = mapping(answer, "the conditional order")
    identifier(row, "algoId")
    return stop_state(
        client_id=text(row, "clientAlgoId"),
        symbol=text(row, "symbol"),
        status=text(row, "algoStatus"),
        trigger=optional(row, "triggerPrice"),
        quantity=optional(row, "quantity"),
        why="",
        rules=rules,
    )


def stop_state(
    *,
    client_id: str,
    symbol: str,
    status: str,
    trigger: Decimal | None,
    quantity: Decimal | None,
    why: str,
    rules: MarketRules | None,
) -> StopReport:
    """What a status of a conditional order means. `why`: the venue's own words for its end, if it has any."""
    if status == "NEW":
        if trigger is None:
            raise StrangeAnswerError("a stop rests without a trigger price")
        size = None if quantity is None else sized(quantity, rules)
        return StopReport(client_id, symbol, live=True, trigger_price=priced(trigger, rules), quantity=size)
    if status in STOPS_AT_WORK:
        return StopReport(client_id, symbol, live=False, reason=TRIGGERED)
    ending = STOPS_OVER.get(status)
    if ending is None:
        raise StrangeAnswerError(f"the conditional order's status is {status!r}")
    return StopReport(client_id, symbol, live=False, reason=f"{ending}: {why}" if why else ending)


def is_stop(row: Mapping[str, Any]) -> bool:
    """Whether a conditional order is a stop that rests."""
    return row.get("orderType") in STOP_TYPES and row.get("algoStatus") == "NEW"


def resting_order(row: Mapping[str, Any], markets: Mapping[str, MarketRules]) -> RestingOrder:
    """A row of openOrders, with what is left of its quantity."""
    symbol = text(row, "symbol")
    rules, limit = markets.get(symbol), optional(row, "price")
    reduces = row.get("reduceOnly") is True or row.get("closePosition") is True
    return RestingOrder(
        client_id=text(row, "clientOrderId"),
        symbol=symbol,
        kind=RestingKind.OTHER if reduces or row.get("origType") not in (None, *ENTRY_TYPES) else RestingKind.ENTRY,
        side=side(text(row, "side")),
        quantity=sized(number(row, "origQty") - number(row, "executedQty"), rules),
        price=None if limit is None else priced(limit, rules),
        reduce_only=reduces,
        created_ns=milliseconds(row, "time") * NS_PER_MS,
    )


def resting_stop(row: Mapping[str, Any], markets: Mapping[str, MarketRules]) -> RestingOrder | None:
    """A row of openAlgoOrders; None for one that acts already. Without a quantity it is for all of the position."""
    if text(row, "algoStatus") != "NEW":
        return None
    symbol = text(row, "symbol")
    rules, quantity, trigger = markets.get(symbol), optional(row, "quantity"), optional(row, "triggerPrice")
    whole = row.get("closePosition") is True
    reduces = whole or row.get("reduceOnly") is True
    return RestingOrder(
        client_id=text(row, "clientAlgoId"),
        symbol=symbol,
        kind=RestingKind.STOP if is_stop(row) and reduces and trigger is not None else RestingKind.OTHER,
        side=side(text(row, "side")),
        quantity=None if whole or quantity is None else sized(quantity, rules),
        price=None if trigger is None else priced(trigger, rules),
        reduce_only=reduces,
        created_ns=milliseconds(row, "createTime") * NS_PER_MS,
    )


def position(row: Mapping[str, Any], markets: Mapping[str, MarketRules]) -> VenuePosition | None:
    """A row of positionRisk; None for a flat one. Raises `StrangeAnswerError` for a position in hedge mode."""
    symbol, quantity = text(row, "symbol"), number(row, "positionAmt")
    if not quantity:
        return None
    if row.get("positionSide", "BOTH") != "BOTH":
        raise StrangeAnswerError(f"{symbol} is held in hedge mode; set the account to one-way mode")
    rules = markets.get(symbol)
    return VenuePosition(
        symbol,
        sized(quantity, rules),
        priced(number(row, "entryPrice"), rules),
        liquidation_price=optional(row, "liquidationPrice"),
    )


def balance(answer: Any, leverage: int, *, multi_assets: bool) -> Balance:
    """The account's money: of USDT alone, or of all assets where they are all margin."""
    account = mapping(answer, "the account")
    if multi_assets:
        equity, available = number(account, "totalMarginBalance"), number(account, "availableBalance")
    else:
        assets = rows(account.get("assets"), "the assets")
        usdt = next((row for row in assets if row.get("asset") == "USDT"), None)
        if usdt is None:
            raise StrangeAnswerError("the account has no row for USDT")
        equity, available = number(usdt, "marginBalance"), number(usdt, "availableBalance")
    return Balance(equity, available, Decimal(leverage))


def fill(
    row: Mapping[str, Any],
    *,
    client_id: str,
    cause: str,
    taker_fee: Percent,
    skew_ms: int,
    rules: MarketRules | None,
) -> Fill:
    """A row of userTrades. `skew_ms` is how far the venue's clock is ahead of ours; `time_ns` is ours."""
    quantity, price = number(row, "qty"), number(row, "price")
    return Fill(
        id=identifier(row, "id"),
        order_id=identifier(row, "orderId"),
        client_id=client_id,
        symbol=text(row, "symbol"),
        side=side(text(row, "side")),
        quantity=sized(quantity, rules),
        price=priced(price, rules),
        fee_usd=fee_usd(row, "commission", "commissionAsset", price * quantity, taker_fee),
        time_ns=(milliseconds(row, "time") - skew_ms) * NS_PER_MS,
        cause=cause,
    )


def cause_of(client_id: str, *, of_a_stop: bool) -> str:
    """Why an order executed, as `Fill.cause` has it."""
    if of_a_stop:
        return "stop"
    return next((cause for prefix, cause in CAUSES if client_id.startswith(prefix)), "order")


def fee_usd(row: Mapping[str, Any], fee: str, coin: str, notional: Decimal, taker_fee: Percent) -> Decimal:
    """The fee in USD. One that was paid in another coin is valued by the taker's fee; absent is none."""
    if row.get(fee) in (None, ""):
        return ZERO
    paid = number(row, fee)
    return paid if row.get(coin) in DOLLARS or not paid else taker_fee.of(notional)


def side(name: str) -> OrderSide:
    """BUY or SELL."""
    found = _SIDES.get(name)
    if found is None:
        raise StrangeAnswerError(f"the side is {name!r}")
    return found


# ── the market ──────────────────────────────────────────────────────────────────────────────────────────────


def closed_candles(answer: Any, interval: str, count: int, now_ms: int) -> tuple[Candle, ...]:
    """The last `count` closed candles of klines, oldest first. `now_ms` is the venue's time."""
    if not isinstance(answer, list):
        raise StrangeAnswerError("the candles are no list")
    length_ms = INTERVALS_S[interval] * 1000
    found = [_candle(row, length_ms) for row in answer]
    return tuple(one for one in found if one.close_ns <= now_ms * NS_PER_MS)[-count:]


def _candle(row: Any, length_ms: int) -> Candle:
    if not isinstance(row, list) or len(row) < 8:
        raise StrangeAnswerError(f"a candle is strange: {str(row)[:80]!r}")
    named = {"open_ms": row[0], "open": row[1], "high": row[2], "low": row[3], "close": row[4], "volume": row[7]}
    open_ms = milliseconds(named, "open_ms")
    return Candle(
        open_ns=open_ms * NS_PER_MS,
        close_ns=(open_ms + length_ms) * NS_PER_MS,
        open=number(named, "open"),
        high=number(named, "high"),
        low=number(named, "low"),
        close=number(named, "close"),
        quote_volume=number(named, "volume"),
    )


# ── digits ──────────────────────────────────────────────────────────────────────────────────────────────────


def priced(value: Decimal, rules: MarketRules | None) -> Decimal:
    """A price with the digits of its tick; an average off the tick stays as it is."""
    return value if rules is None else _in_digits_of(rules.tick_size, value)


def sized(value: Decimal, rules: MarketRules | None) -> Decimal:
    """A quantity with the digits of its step."""
    return value if rules is None else _in_digits_of(rules.step_size, value)


def _in_digits_of(unit: Decimal, value: Decimal) -> Decimal:
    return floor_to(value, unit) if is_multiple(value, unit) else value


def _average(row: Mapping[str, Any], name: str, filled: Decimal, rules: MarketRules | None) -> Decimal | None:
    if not filled:
        return None
    average = optional(row, name)
    if average is None:
        raise StrangeAnswerError(f"{name} is missing although something was filled")
    return priced(average, rules)


def _ending(status: OrderStatus) -> str:
    return status.value if status.is_final and status is not OrderStatus.FILLED else ""
