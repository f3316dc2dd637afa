"""What happens to an account without its doing: liquidation, auto-deleveraging, funding, changes by somebody else."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from framework import OrderSide, OrderStatus, OrderType, TimeInForce

from . import conditional
from .account import Position
from .desk import Desk
from .events import CashChanged, FundingPaid
from .margin import maintenance, mark, wallet
from .money import ZERO
from .orders import Cause, CreatedBy, Order

if TYPE_CHECKING:
    from .matching import Matching

LIQUIDATION = "liquidation"

_CLIENT_IDS = {Cause.LIQUIDATION: "autoclose-", Cause.ADL: "adl_autoclose-", Cause.SOMEBODY_ELSE: "web_"}


def liquidate_where_due(venue: Matching, symbol: str) -> None:
    """Liquidate every account with a position in a market whose equity has fallen to its maintenance margin."""
    for desk in venue.desks.values():
        if not desk.account.position(symbol).quantity:
            continue
        while desk.account.positions:
            money = wallet(venue, desk)
            if money.equity > money.maintenance:
                break
            positions = desk.account.positions.values()
            liquidate(venue, desk, max(positions, key=lambda one: (maintenance(venue, one), one.symbol)))


def liquidate(venue: Matching, desk: Desk, position: Position) -> Order:
    """The venue takes a position over at the mark price. What is open in the market is cancelled first."""
    for order in desk.resting(position.symbol):
        venue.cancel(desk, order, LIQUIDATION)
    for stop in desk.stops(position.symbol):
        conditional.end(venue, desk, stop, OrderStatus.CANCELLED, LIQUIDATION)
    return reduce(venue, desk, position, position.size, mark(venue, position.symbol), Cause.LIQUIDATION)


def reduce(venue: Matching, desk: Desk, position: Position, quantity: Decimal, price: Decimal, cause: Cause) -> Order:
    """The venue reduces a position by `quantity` at `price`."""
    return _force(venue, desk, position.symbol, position.exit_side, quantity, price, cause, reduce_only=True)


def change_position(venue: Matching, desk: Desk, symbol: str, target: Decimal, price: Decimal | None) -> Order | None:
    """Somebody else trades on the account until the position is `target` (signed). None: it is there already.

    `price` None: at the market. Neither depth nor margin nor the market's rules are asked.
    """
    change = target - desk.account.position(symbol).quantity
    if not change:
        return None
    side = OrderSide.BUY if change > ZERO else OrderSide.SELL
    price = venue.books[symbol].best_for(side) if price is None else price
    return _force(venue, desk, symbol, side, abs(change), price, Cause.SOMEBODY_ELSE, reduce_only=False)


def settle_funding(venue: Matching, symbol: str, rate: Decimal) -> None:
    """Every position in a market pays or gets `rate` of its value at the mark price; longs pay a positive rate."""
    at_mark = mark(venue, symbol)
    for desk in venue.desks.values():
        position = desk.account.position(symbol)
        if not position.quantity:
            continue
        amount = -position.quantity * at_mark * rate
        desk.account.receive(amount)
        cash = desk.account.cash
        venue.ledger.cash(venue.now_ns, desk.name, "funding", symbol, amount, cash)
        venue.events.append(FundingPaid(desk.name, position, at_mark, rate, amount, cash))
    if venue.realism.liquidates:
        liquidate_where_due(venue, symbol)


def transfer(venue: Matching, desk: Desk, amount: Decimal) -> None:
    """Money comes in (positive) or goes out."""
    desk.account.receive(amount)
    venue.ledger.cash(venue.now_ns, desk.name, "transfer", None, amount, desk.account.cash)
    venue.events.append(CashChanged(desk.name, amount, desk.account.cash))


def _force(
    venue: Matching,
    desk: Desk,
    symbol: str,
    side: OrderSide,
    quantity: Decimal,
    price: Decimal,
    cause: Cause,
    *,
    reduce_only: bool,
) -> Order:
    number = venue.next_number()
    by_venue = cause is not Cause.SOMEBODY_ELSE
    order = Order(
        number=number,
        venue_id=venue.order_ids(number),
        client_id=f"{_CLIENT_IDS[cause]}{number}",
        symbol=symbol,
        side=side,
        type=OrderType.LIMIT if by_venue else OrderType.MARKET,
        quantity=quantity,
        price=price if by_venue else None,
        time_in_force=TimeInForce.IOC,
        reduce_only=reduce_only,
        created_by=CreatedBy.VENUE if by_venue else CreatedBy.CLIENT,
        cause=cause,
    )
    return venue.force(desk, order, price)
