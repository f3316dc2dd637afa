"""The margin arithmetic of an account: what is bound, what must stay, what is free. Cross margin."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import frozen

from framework import OrderSide

from .account import Position
from .desk import Desk
from .money import ZERO
from .tiers import tier_for

if TYPE_CHECKING:
    from .matching import Matching


@frozen
class Wallet:
    """An account's money at one instant, in USD. `available` may be negative: then nothing can be opened."""

    cash: Decimal
    unrealized_pnl: Decimal
    position_margin: Decimal
    order_margin: Decimal
    maintenance: Decimal

    @property
    def equity(self) -> Decimal:
        """Cash and unrealised PnL."""
        return self.cash + self.unrealized_pnl

    @property
    def available(self) -> Decimal:
        """What no position and no resting order binds."""
        return self.equity - self.position_margin - self.order_margin


def wallet(venue: Matching, desk: Desk) -> Wallet:
    """The money of an account at the mark prices."""
    account = desk.account
    positions = tuple(account.positions.values())
    return Wallet(
        cash=account.cash,
        unrealized_pnl=sum((p.unrealized_pnl(mark(venue, p.symbol)) for p in positions), ZERO),
        position_margin=sum((p.cost / leverage_in(venue, desk, p.symbol) for p in positions), ZERO),
        order_margin=order_margin(venue, desk),
        maintenance=sum((maintenance(venue, p) for p in positions), ZERO),
    )


def margin_used(venue: Matching, desk: Desk) -> Decimal:
    """The initial margin that positions (at entry) and resting orders (at their prices) bind."""
    positions = sum((p.cost / leverage_in(venue, desk, p.symbol) for p in desk.account.positions.values()), ZERO)
    return positions + order_margin(venue, desk)


def order_margin(venue: Matching, desk: Desk, symbol: str | None = None) -> Decimal:
    """The initial margin that resting orders bind at their prices, in one market or in all."""
    return sum(
        (
            order.remaining * order.price / leverage_in(venue, desk, order.symbol)
            for order in (desk.all_resting() if symbol is None else desk.resting(symbol))
            if order.price is not None and not order.reduce_only
        ),
        ZERO,
    )


def leverage_in(venue: Matching, desk: Desk, symbol: str) -> Decimal:
    """The leverage in force in a market: what the account chose, but never more than the market allows."""
    allowed, chosen = venue.markets[symbol].rules.max_leverage, desk.account.leverage_of(symbol)
    return chosen if allowed is None else min(chosen, allowed)


def equity(venue: Matching, desk: Desk) -> Decimal:
    """Cash plus unrealised PnL at the mark prices."""
    return desk.account.equity(lambda symbol: mark(venue, symbol))


def mark(venue: Matching, symbol: str) -> Decimal:
    """The mark price of a market that was quoted."""
    return venue.books[symbol].quote.mark


def maintenance(venue: Matching, position: Position) -> Decimal:
    """The margin that has to stay for a position at the mark price."""
    notional = position.size * mark(venue, position.symbol)
    return tier_for(venue.markets[position.symbol].tiers, notional).maintenance(notional)


def liquidation_price(venue: Matching, desk: Desk, position: Position) -> Decimal | None:
    """The mark price at which the account would be liquidated if nothing else moved; None: at no price above 0."""
    whole = wallet(venue, desk)
    at_mark = mark(venue, position.symbol)
    notional = position.size * at_mark
    tier = tier_for(venue.markets[position.symbol].tiers, notional)
    # What the rest of the account contributes: its equity without this position, less its maintenance margin.
    spare = whole.equity - position.unrealized_pnl(at_mark) - (whole.maintenance - tier.maintenance(notional))
    if position.quantity > ZERO:
        price = (position.cost - spare - tier.deduction) / (position.size * (1 - tier.maintenance_rate))
    else:
        price = (position.cost + spare + tier.deduction) / (position.size * (1 + tier.maintenance_rate))
    return price if price > ZERO else None


def margin_shortfall(
    venue: Matching, desk: Desk, symbol: str, side: OrderSide, quantity: Decimal, price: Decimal | None
) -> tuple[Decimal, Decimal] | None:
    """The margin that an order needs and what is available, when that is not enough; None when it is.

    What the order opens must be covered, at the price it may get, together with the fee for it.
    """
    position = desk.account.position(symbol)
    opens = quantity - position.reducible(side, quantity)
    if not opens:
        return None
    notional = opens * (venue.books[symbol].best_for(side) if price is None else price)
    needed = notional / leverage_in(venue, desk, symbol) + desk.account.taker_fee.of(notional)
    available = equity(venue, desk) - margin_used(venue, desk)
    return None if needed <= available else (needed, available)
