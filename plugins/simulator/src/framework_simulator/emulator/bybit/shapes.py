"""The engine's objects as Bybit writes them. Source: "Bybit v5", the response tables of the routes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from framework import OrderStatus, OrderType, trimmed

from ...engine.margin import Wallet
from ...engine.money import ZERO, average
from ...engine.orders import AttachedStop, Order, Stop, StopKind
from ..view import Funding, Trade
from .notes import Notes
from .words import (
    COIN,
    cancel_type_name,
    create_type_name,
    exec_type_name,
    link_id,
    ms,
    order_link_id,
    price_text,
    reject_reason,
    side_name,
    source_name,
    status_name,
    stop_cancel_type_name,
    stop_create_type_name,
    stop_status_name,
    stop_time_name,
    stop_type_name,
    text,
    time_name,
    type_name,
)

_IDLE: dict[str, Any] = {
    "blockTradeId": "",
    "isLeverage": "",
    "orderIv": "",
    "marketUnit": "",
    "ocoTriggerBy": "",
    "smpType": "None",
    "smpGroup": 0,
    "smpOrderId": "",
    "slippageTolerance": "0",
    "slippageToleranceType": "UNKNOWN",
    "extraFees": "",
}


def order_row(order: Order, notes: Notes, account: str) -> dict[str, Any]:
    """An order, as queries and the order topic tell it."""
    parent, note = order.parent, notes.of(order)
    limit = order.type is OrderType.LIMIT
    open_ = not order.status.is_final
    price = order.price if limit else note.protective
    left = order.remaining if open_ else ZERO
    return {
        **_IDLE,
        "orderId": order.id,
        "orderLinkId": order_link_id(order),
        "symbol": order.symbol,
        "side": side_name(order.side),
        "positionIdx": 0,
        "orderType": type_name(limit),
        "price": text(price),
        "qty": text(order.quantity),
        "timeInForce": time_name(order),
        "orderStatus": status_name(order),
        "createType": create_type_name(order),
        "cancelType": cancel_type_name(order),
        "rejectReason": _reject_reason(order),
        "avgPrice": "" if order.average_price is None else text(order.average_price),
        "leavesQty": text(left),
        "leavesValue": text(left * price if price is not None else None),
        "cumExecQty": text(order.filled),
        "cumExecValue": text(order.cost),
        "cumExecFee": text(order.fee),
        "cumFeeDetail": {COIN: text(order.fee)} if order.filled else {},
        "closedPnl": text(order.realized_pnl),
        "reduceOnly": order.reduce_only,
        "closeOnTrigger": _closes(parent, notes, account, order.client_id),
        "lastPriceOnCreated": price_text(note.last),
        **_trigger_fields(parent),
        **_attached_fields(order.stop, order.take_profit),
        "parentOrderLinkId": "" if parent is None else link_id(parent.parent_client_id),
        "createdTime": ms(order.created_ns),
        "updatedTime": ms(order.updated_ns),
    }


def stop_row(stop: Stop, size: Decimal, notes: Notes, account: str) -> dict[str, Any]:
    """A conditional order that has not become an order. `size` is the position's: what a stop for all of it covers."""
    quantity = size if stop.quantity is None else stop.quantity
    waits = stop.status in (OrderStatus.UNTRIGGERED, OrderStatus.TRIGGERED)
    return {
        **_IDLE,
        "orderId": stop.id,
        "orderLinkId": link_id(stop.client_id),
        "symbol": stop.symbol,
        "side": side_name(stop.side),
        "positionIdx": 0,
        "orderType": type_name(stop.limit_price is not None),
        "price": text(stop.limit_price),
        "qty": text(quantity),
        "timeInForce": stop_time_name(stop),
        "orderStatus": stop_status_name(stop),
        "createType": stop_create_type_name(stop),
        "cancelType": stop_cancel_type_name(stop),
        "rejectReason": "EC_NoError" if waits else reject_reason(stop.reason, ZERO),
        "avgPrice": "",
        "leavesQty": text(quantity if waits else ZERO),
        "leavesValue": "0",
        "cumExecQty": "0",
        "cumExecValue": "0",
        "cumExecFee": "0",
        "cumFeeDetail": {},
        "closedPnl": "0",
        "reduceOnly": stop.reduce_only,
        "closeOnTrigger": _closes(stop, notes, account, stop.client_id),
        "lastPriceOnCreated": price_text(notes.of(stop).last),
        **_trigger_fields(stop),
        **_attached_fields(stop.stop, stop.take_profit, None if not stop.attached else stop),
        "parentOrderLinkId": link_id(stop.parent_client_id),
        "createdTime": ms(stop.created_ns),
        "updatedTime": ms(stop.updated_ns),
    }


def _closes(stop: Stop | None, notes: Notes, account: str, client_id: str) -> bool:
    return (stop is not None and stop.attached) or notes.is_closing(account, client_id)


def _reject_reason(order: Order) -> str:
    live = (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED)
    return "EC_NoError" if order.status in live else reject_reason(order.reason, order.filled)


def _trigger_fields(stop: Stop | None) -> dict[str, Any]:
    if stop is None:
        return {"stopOrderType": "", "triggerPrice": "", "triggerBy": "", "triggerDirection": 0}
    return {
        "stopOrderType": stop_type_name(stop),
        "triggerPrice": text(stop.trigger_price),
        "triggerBy": source_name(stop.trigger_by),
        "triggerDirection": 2 if stop.falling else 1,
    }


def _attached_fields(
    stop: AttachedStop | None, profit: AttachedStop | None, itself: Stop | None = None
) -> dict[str, Any]:
    """The stops inside an order; `itself`: the order is such a stop."""
    wishes = [wish for wish in (stop, profit) if wish is not None]
    part = any(wish.quantity is not None for wish in wishes) or (itself is not None and itself.quantity is not None)
    mode = "" if not wishes and itself is None else ("Partial" if part else "Full")
    return {
        "tpslMode": mode,
        "stopLoss": "" if stop is None else text(stop.trigger_price),
        "takeProfit": "" if profit is None else text(profit.trigger_price),
        "slTriggerBy": "" if stop is None else source_name(stop.trigger_by),
        "tpTriggerBy": "" if profit is None else source_name(profit.trigger_by),
        "slLimitPrice": text(None if stop is None else stop.limit_price),
        "tpLimitPrice": text(None if profit is None else profit.limit_price),
        "placeType": "",
    }


# ── executions ──────────────────────────────────────────────────────────────────────────────────────────────


def execution_row(trade: Trade, notes: Notes, mark: Decimal | None) -> dict[str, Any]:
    """An execution, as queries tell it."""
    fill, order = trade.fill, trade.order
    value = fill.price * fill.quantity
    price = order.price if order.price is not None else notes.of(order).protective
    return {
        "symbol": fill.symbol,
        "orderId": fill.order_id,
        "orderLinkId": order_link_id(order),
        "side": side_name(fill.side),
        "orderType": type_name(order.type is OrderType.LIMIT),
        "stopOrderType": stop_type_name(order.parent) or "UNKNOWN",
        "orderPrice": text(price),
        "orderQty": text(order.quantity),
        "leavesQty": text(order.remaining),
        "createType": create_type_name(order),
        "execId": execution_id(fill.id),
        "execType": exec_type_name(fill.cause),
        "execPrice": text(fill.price),
        "execQty": text(fill.quantity),
        "execValue": text(value),
        "execFee": text(fill.fee_usd),
        "feeRate": text(average(fill.fee_usd, value)),
        "feeCurrency": COIN,
        "isMaker": trade.maker,
        "markPrice": text(mark),
        "indexPrice": "",
        "underlyingPrice": "",
        "tradeIv": "",
        "markIv": "",
        "blockTradeId": "",
        "isLeverage": "0",
        "marketUnit": "",
        "closedSize": text(trade.closed),
        "execTime": ms(fill.time_ns),
        "seq": trade.number,
        "extraFees": "",
    }


def funding_row(funding: Funding) -> dict[str, Any]:
    """A funding payment, which is an execution on Bybit. The fee is positive where the account paid."""
    position = funding.position
    size = position.size
    return {
        "symbol": position.symbol,
        "orderId": execution_id(f"funding order {funding.number}"),
        "orderLinkId": "",
        "side": "Buy" if position.quantity > ZERO else "Sell",
        "orderType": "UNKNOWN",
        "stopOrderType": "UNKNOWN",
        "orderPrice": "0",
        "orderQty": "0",
        "leavesQty": "0",
        "createType": "CreateByFunding",
        "execId": execution_id(f"funding {position.symbol} {funding.number}"),
        "execType": "Funding",
        "execPrice": text(funding.mark),
        "execQty": text(size),
        "execValue": text(size * funding.mark),
        "execFee": text(-funding.amount),
        "feeRate": text(funding.rate),
        "feeCurrency": COIN,
        "isMaker": False,
        "markPrice": text(funding.mark),
        "indexPrice": "",
        "underlyingPrice": "",
        "tradeIv": "",
        "markIv": "",
        "blockTradeId": "",
        "isLeverage": "0",
        "marketUnit": "",
        "closedSize": "0",
        "execTime": ms(funding.time_ns),
        "seq": funding.number,
        "extraFees": "",
    }


def execution_id(seed: str) -> str:
    """A UUID-like id that follows from a text."""
    digits = hashlib.sha256(seed.encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"


# ── positions and money ─────────────────────────────────────────────────────────────────────────────────────


def stop_fields(stops: Iterable[Stop]) -> dict[str, str]:
    """The stops of a position, as its row tells them."""
    whole = {stop.kind: stop for stop in stops if stop.quantity is None}
    trail = None if StopKind.TRAILING not in whole else whole[StopKind.TRAILING].trail
    return {
        "takeProfit": price_text(_trigger(whole.get(StopKind.TAKE_PROFIT))),
        "stopLoss": price_text(_trigger(whole.get(StopKind.STOP))),
        "trailingStop": text(None if trail is None else trail.distance),
        "activePrice": text(None if trail is None else trail.activation_price),
    }


def _trigger(stop: Stop | None) -> Decimal | None:
    return None if stop is None else stop.trigger_price


def wallet_row(wallet: Wallet, realized: Decimal) -> dict[str, Any]:
    """The account's money. Only USDT is held, and a USDT is taken for a USD."""
    equity, bound = wallet.equity, wallet.position_margin + wallet.order_margin
    initial, maintenance = money(bound), money(wallet.maintenance)
    coin = {
        "coin": COIN,
        "equity": money(equity),
        "usdValue": money(equity),
        "walletBalance": money(wallet.cash),
        "availableToWithdraw": "",
        "availableToBorrow": "",
        "borrowAmount": "0",
        "accruedInterest": "0",
        "totalOrderIM": money(wallet.order_margin),
        "totalPositionIM": money(wallet.position_margin),
        "totalPositionMM": maintenance,
        "unrealisedPnl": money(wallet.unrealized_pnl),
        "cumRealisedPnl": money(realized),
        "bonus": "0",
        "locked": "0",
        "spotHedgingQty": "0",
        "spotBorrow": "0",
        "collateralSwitch": True,
        "marginCollateral": True,
    }
    return {
        "accountType": "UNIFIED",
        "accountLTV": "0",
        "accountIMRate": _rate(bound, equity),
        "accountMMRate": _rate(wallet.maintenance, equity),
        "accountIMRateByMp": _rate(bound, equity),
        "accountMMRateByMp": _rate(wallet.maintenance, equity),
        "totalEquity": money(equity),
        "totalWalletBalance": money(wallet.cash),
        "totalMarginBalance": money(equity),
        "totalAvailableBalance": money(max(ZERO, wallet.available)),
        "totalPerpUPL": money(wallet.unrealized_pnl),
        "totalInitialMargin": initial,
        "totalMaintenanceMargin": maintenance,
        "totalInitialMarginByMp": initial,
        "totalMaintenanceMarginByMp": maintenance,
        "coin": [coin],
    }


def money(value: Decimal) -> str:
    """An amount, cut to 8 decimals."""
    return text(value.quantize(_CENT_OF_CENT)) if value else "0"


def _rate(part: Decimal, whole: Decimal) -> str:
    return "0" if whole <= ZERO else trimmed((part / whole).quantize(Decimal("0.0001")))


_CENT_OF_CENT = Decimal("1e-8")
