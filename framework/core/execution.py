"""What an execution sees and answers: the orders that enter a position, one after another."""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen

from .market import MarketRules, Quote
from .orders import OrderType, TimeInForce
from .signal import Side


@frozen
class EntryPlan:
    """What is to be entered. `quantity` in the base asset; `quote` is the one that the decision was made on."""

    symbol: str
    side: Side
    quantity: Decimal
    quote: Quote
    rules: MarketRules


@frozen
class EntryStep:
    """One order of an entry. A limit order is cancelled after `cancel_after_ns`; None lets it rest for ever.

    `price` is None for a market order, else a multiple of the tick size.
    """

    type: OrderType
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    cancel_after_ns: int | None = None


@frozen
class EntryTry:
    """An order of this entry that has ended: what was asked, how much of it was filled."""

    step: EntryStep
    quantity: Decimal
    filled: Decimal
