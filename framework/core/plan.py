"""From a signal that passed the filters to a plan: the stop first, then the size, then the risk rules.

The stop is planned before the size, because the risk of a position is a distance. A plan can only be built from
an `Accepted`, so skipping the filters does not type-check.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from attrs import field, frozen

from .market import Account, MarketRules, PriceSource, Quote
from .numbers import ZERO, ceil_to, floor_to
from .signal import Side, Signal
from .verdict import Accepted, Check, Number, Rejection, Size


@frozen
class SizingRequest:
    """What a sizer may know. `price` is what a market order would get now, `stop_price` the planned first stop."""

    signal: Signal
    price: Decimal
    stop_price: Decimal
    rules: MarketRules
    account: Account


@frozen
class SizedPlan:
    """A position to be opened: side, quantity in the base asset, expected price, first stop, and the way there.

    `leverage` is the account's at the decision, `trigger_by` the price that triggers the first stop. `measured` is what
    protections measured (`MeasuresMarket`).
    """

    accepted: Accepted
    price: Decimal
    stop_price: Decimal
    stop_by: str
    size: Size
    rules: MarketRules
    quote: Quote
    checks: tuple[Check, ...]
    numbers: Mapping[str, Number] = field(factory=dict)
    leverage: Decimal | None = None
    trigger_by: PriceSource = PriceSource.LAST
    measured: Mapping[str, Decimal] = field(factory=dict)

    @property
    def signal(self) -> Signal:
        """The signal that the plan follows."""
        return self.accepted.signal

    @property
    def side(self) -> Side:
        """The direction of the position."""
        return self.accepted.signal.side

    @property
    def notional_usd(self) -> Decimal:
        """Quantity times the expected price."""
        return self.size.quantity * self.price

    @property
    def risk_usd(self) -> Decimal:
        """What is lost when the first stop fills at its price, before fees."""
        return self.size.quantity * abs(self.price - self.stop_price)


def smallest_quantity(rules: MarketRules, price: Decimal) -> Decimal:
    """The smallest quantity that a market takes at `price`: minimum quantity and minimum notional, up to the step."""
    return ceil_to(max(rules.min_quantity, rules.min_notional / price), rules.step_size)


def fit_quantity(rules: MarketRules, price: Decimal, wanted: Decimal) -> Size | Rejection:
    """`wanted`, rounded down to the step, if the market takes that much at `price`.

    Rejects with ``quantity_below_minimum`` or ``quantity_above_maximum``; it never rounds up, and never cuts to
    the maximum: a sizer that wants that decides it itself.
    """
    quantity = floor_to(wanted, rules.step_size)
    smallest = smallest_quantity(rules, price)
    numbers: dict[str, Number] = {
        "price": price,
        "wanted": wanted,
        "quantity": quantity,
        "minimum": smallest,
        "maximum": rules.max_quantity,
        "step_size": rules.step_size,
        "min_notional": rules.min_notional,
    }
    if quantity < smallest or quantity <= ZERO:
        return Rejection("quantity_below_minimum", f"{quantity} is below the minimum of {smallest}", numbers)
    if quantity > rules.max_quantity:
        return Rejection("quantity_above_maximum", f"{quantity} is above the maximum of {rules.max_quantity}", numbers)
    return Size(quantity, numbers)


def breach_of(rules: MarketRules, price: Decimal, quantity: Decimal) -> Rejection | None:
    """Why the market would refuse an order of `quantity` at `price`; None if it would not."""
    fit = fit_quantity(rules, price, quantity)
    if isinstance(fit, Rejection):
        return fit
    if fit.quantity != quantity:
        return Rejection(
            "quantity_off_step",
            f"{quantity} is no multiple of the step size {rules.step_size}",
            {"quantity": quantity, "step_size": rules.step_size},
        )
    return None


def wrong_side(side: Side, stop: Decimal, price: Decimal) -> bool:
    """Whether a stop would act at once: for a long at or above `price`, for a short at or below."""
    return stop >= price if side.sign > 0 else stop <= price
