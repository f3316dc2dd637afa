"""What the engine tells about its accounts, in the order in which the venue decided it."""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen

from framework import Fill

from .account import Position
from .orders import Order, Stop


@frozen
class OrderChanged:
    """An order was taken in, filled, cancelled, or came to its end."""

    account: str
    order: Order


@frozen
class StopChanged:
    """A stop was placed or moved, triggered, or came to its end."""

    account: str
    stop: Stop


@frozen
class Filled:
    """An execution. `realized_pnl` is before the fee."""

    account: str
    fill: Fill
    realized_pnl: Decimal


@frozen
class PositionChanged:
    """A position after fills, and the trigger price of the stop that is attached to it."""

    account: str
    position: Position
    stop_price: Decimal | None


Event = OrderChanged | StopChanged | Filled | PositionChanged
