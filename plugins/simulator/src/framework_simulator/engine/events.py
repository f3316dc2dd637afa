"""What the engine tells about its accounts, in the order in which the venue decided it."""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen

from framework import Fill

from .account import Position
from .orders import Order, Stop


@frozen
class OrderChanged:
    """An order was taken in, filled, cancelled, or came to its end.

    Fills come before it as `Filled` events, which carry the order too: who tells executions one by one leaves out
    those of these whose status is filled or partially-filled.
    """

    account: str
    order: Order


@frozen
class StopChanged:
    """A stop was placed or moved, triggered, or came to its end."""

    account: str
    stop: Stop


@frozen
class Filled:
    """An execution. `realized_pnl` is before the fee. `order` is the order as the execution left it.

    `closed` is how much of it reduced a position, `entry_price` the average entry price of what it reduced.
    `position` is the position right after this execution.
    """

    account: str
    fill: Fill
    realized_pnl: Decimal
    order: Order
    maker: bool
    closed: Decimal
    entry_price: Decimal
    position: Position


@frozen
class PositionChanged:
    """A position after fills, and the trigger price of the stop that is attached to it."""

    account: str
    position: Position
    stop_price: Decimal | None


@frozen
class FundingPaid:
    """Funding was settled. `amount` is what the account got (negative: what it paid), at `rate` on `position`."""

    account: str
    position: Position
    mark: Decimal
    rate: Decimal
    amount: Decimal
    cash: Decimal


@frozen
class CashChanged:
    """Money came in or went out other than by trading (a deposit is positive)."""

    account: str
    amount: Decimal
    cash: Decimal


@frozen
class SettingsChanged:
    """Leverage or margin type of a market (`symbol`), or the position mode (`symbol` None) of an account changed."""

    account: str
    symbol: str | None


TradeEvent = OrderChanged | StopChanged | Filled | PositionChanged
Event = TradeEvent | FundingPaid | CashChanged | SettingsChanged
