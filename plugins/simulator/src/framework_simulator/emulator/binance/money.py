"""The money side of an account as Binance tells it: assets, totals, positions with their margins."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from framework import OrderSide

from ...engine.account import Position
from ...engine.money import ZERO
from .call import Call
from .words import ASSET, ms, text

MAX_NOTIONAL_UNBOUND = Decimal("1000000000000")


def mark_of(call: Call, symbol: str) -> Decimal:
    """The mark price; 0 before the first quote."""
    book = call.book(symbol)
    return ZERO if book is None else book.quote.mark


def touched_ms(call: Call, symbol: str) -> int:
    """When a position was last changed."""
    return ms(call.view.updated_ns.get(symbol, 0))


def is_isolated(call: Call, symbol: str) -> bool:
    """The margin type of a market."""
    return symbol in call.engine.account(call.account).isolated


def shown_symbols(call: Call) -> list[str]:
    """The markets with a position or an open order."""
    view = call.view
    return sorted({*view.positions, *(order.symbol for order in view.open_orders())})


def max_notional(call: Call, symbol: str) -> Decimal:
    """How large a position may be at the leverage in force."""
    leverage = call.engine.leverage(call.account, symbol)
    fitting = [tier.cap for tier in call.market(symbol).tiers if tier.max_leverage >= leverage]
    return max(fitting, default=MAX_NOTIONAL_UNBOUND)


def margins(call: Call, position: Position) -> tuple[Decimal, Decimal, Decimal]:
    """Of one market: margin bound by the position, by open orders, and what has to stay (at the mark price)."""
    symbol, mark = position.symbol, mark_of(call, position.symbol)
    of_orders = call.engine.order_margin(call.account, symbol)
    if not position.quantity or not mark:
        return ZERO, of_orders, ZERO
    of_position = position.size * mark / call.engine.leverage(call.account, symbol)
    return of_position, of_orders, call.engine.maintenance(call.account, symbol)


def order_notionals(call: Call, symbol: str) -> tuple[Decimal, Decimal]:
    """What resting buys and sales are worth."""
    bids = asks = ZERO
    for order in call.view.open_orders(symbol):
        worth = order.remaining * (order.price or ZERO)
        bids, asks = (bids + worth, asks) if order.side is OrderSide.BUY else (bids, asks + worth)
    return bids, asks


def risk_row(call: Call, symbol: str) -> dict[str, Any]:
    """A row of v3/positionRisk."""
    position = call.view.position(symbol)
    mark = mark_of(call, symbol)
    of_position, of_orders, stays = margins(call, position)
    pnl = position.unrealized_pnl(mark) if position.quantity else ZERO
    isolated = is_isolated(call, symbol) and bool(position.quantity)
    bids, asks = order_notionals(call, symbol)
    return {
        "symbol": symbol,
        "positionSide": "BOTH",
        "positionAmt": text(position.quantity),
        "entryPrice": text(position.entry_price),
        "breakEvenPrice": text(break_even(call, position)),
        "markPrice": text(mark),
        "unRealizedProfit": text(pnl),
        "liquidationPrice": text(liquidation_price(call, position)),
        "isolatedMargin": text(position_margin(call, position) + pnl) if isolated else "0",
        "notional": text(position.quantity * mark),
        "marginAsset": ASSET,
        "isolatedWallet": text(position_margin(call, position)) if isolated else "0",
        "initialMargin": text(of_position + of_orders),
        "maintMargin": text(stays),
        "positionInitialMargin": text(of_position),
        "openOrderInitialMargin": text(of_orders),
        "adl": 1 if position.quantity else 0,
        "bidNotional": text(bids),
        "askNotional": text(asks),
        "updateTime": touched_ms(call, symbol),
    }


def old_risk_row(call: Call, symbol: str) -> dict[str, Any]:
    """A row of v2/positionRisk: every market, with leverage and margin type."""
    kept = ("symbol", "positionSide", "positionAmt", "entryPrice", "breakEvenPrice", "markPrice", "unRealizedProfit",
            "liquidationPrice", "isolatedMargin", "notional", "isolatedWallet", "updateTime")  # fmt: skip
    row = risk_row(call, symbol)
    return {
        **{name: row[name] for name in kept},
        "marginType": "isolated" if is_isolated(call, symbol) else "cross",
        "isAutoAddMargin": "false",
        "leverage": text(call.engine.leverage(call.account, symbol)),
        "maxNotionalValue": text(max_notional(call, symbol)),
    }


def account_row(call: Call, symbol: str) -> dict[str, Any]:
    """A position inside v3/account."""
    row = risk_row(call, symbol)
    kept = ("symbol", "positionSide", "positionAmt", "isolatedMargin", "notional", "isolatedWallet", "initialMargin",
            "maintMargin", "updateTime")  # fmt: skip
    return {**{name: row[name] for name in kept}, "unrealizedProfit": row["unRealizedProfit"]}


def old_account_row(call: Call, symbol: str) -> dict[str, Any]:
    """A position inside v2/account."""
    row = risk_row(call, symbol)
    kept = ("symbol", "initialMargin", "maintMargin", "positionInitialMargin", "openOrderInitialMargin", "entryPrice",
            "breakEvenPrice", "bidNotional", "askNotional", "positionSide", "positionAmt", "updateTime")  # fmt: skip
    return {
        **{name: row[name] for name in kept},
        "unrealizedProfit": row["unRealizedProfit"],
        "leverage": text(call.engine.leverage(call.account, symbol)),
        "isolated": is_isolated(call, symbol),
        "maxNotional": text(max_notional(call, symbol)),
    }


def asset_row(call: Call) -> dict[str, Any]:
    """The one asset of an account, as v3/account tells it."""
    wallet = call.engine.wallet(call.account)
    of_positions = sum((margins(call, position)[0] for position in call.engine.positions(call.account)), ZERO)
    free = max(ZERO, wallet.equity - of_positions - wallet.order_margin)
    return {
        "asset": ASSET,
        "walletBalance": text(wallet.cash),
        "unrealizedProfit": text(wallet.unrealized_pnl),
        "marginBalance": text(wallet.equity),
        "maintMargin": text(wallet.maintenance),
        "initialMargin": text(of_positions + wallet.order_margin),
        "positionInitialMargin": text(of_positions),
        "openOrderInitialMargin": text(wallet.order_margin),
        "crossWalletBalance": text(wallet.cash),
        "crossUnPnl": text(wallet.unrealized_pnl),
        "availableBalance": text(free),
        "maxWithdrawAmount": text(min(free, max(ZERO, wallet.cash))),
        "marginAvailable": True,
        # Never 0: some clients drop an asset that was never touched.
        "updateTime": max(1, *(ms(one) for one in (call.world.now_ns(), *call.view.updated_ns.values()))),
    }


def totals(call: Call, asset: dict[str, Any]) -> dict[str, Any]:
    """The totals of an account that holds one asset."""
    return {
        "totalInitialMargin": asset["initialMargin"],
        "totalMaintMargin": asset["maintMargin"],
        "totalWalletBalance": asset["walletBalance"],
        "totalUnrealizedProfit": asset["unrealizedProfit"],
        "totalMarginBalance": asset["marginBalance"],
        "totalPositionInitialMargin": asset["positionInitialMargin"],
        "totalOpenOrderInitialMargin": asset["openOrderInitialMargin"],
        "totalCrossWalletBalance": asset["crossWalletBalance"],
        "totalCrossUnPnl": asset["crossUnPnl"],
        "availableBalance": asset["availableBalance"],
        "maxWithdrawAmount": asset["maxWithdrawAmount"],
    }


def position_margin(call: Call, position: Position) -> Decimal:
    """The margin that a position was opened with."""
    return position.cost / call.engine.leverage(call.account, position.symbol)


def break_even(call: Call, position: Position) -> Decimal:
    """The entry price and the fee of it. Unverified: how the venue spreads fees of earlier fills."""
    if not position.quantity:
        return ZERO
    fee = call.engine.account(call.account).taker_fee.of(position.entry_price)
    return position.entry_price + (fee if position.quantity > ZERO else -fee)


def liquidation_price(call: Call, position: Position) -> Decimal:
    """To the tick; 0 where no price would liquidate."""
    if not position.quantity or not mark_of(call, position.symbol):
        return ZERO
    price = call.engine.liquidation_price(call.account, position.symbol)
    tick = call.market(position.symbol).rules.tick_size
    return ZERO if price is None else price.quantize(tick)
