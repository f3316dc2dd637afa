"""The execution `limit-then-market`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar, Literal

from attrs import Attribute, field, frozen

from framework import (
    EntryPlan,
    EntryStep,
    EntryTry,
    OrderType,
    Percent,
    Side,
    Size,
    TimeInForce,
    ceil_to,
    fit_quantity,
    floor_to,
    not_negative,
    positive,
)

_NS_PER_S = 1_000_000_000
_TIMES_IN_FORCE = {"gtc": TimeInForce.GTC, "post-only": TimeInForce.POST_ONLY}


def _below_hundred(instance: object, attribute: Attribute[Any], value: Percent) -> None:
    if value.value >= 100:
        raise ValueError(f"must be below 100, got {value.value}")


@frozen
class LimitThenMarket:
    """Enter with a limit order on the passive side, and with a market order for what it did not fill in time.

    The limit of a long is `offset_percent` below the best bid, rounded down to the tick; that of a short as much
    above the best ask, rounded up. It rests for `wait_seconds`. A quantity that the market would not take at that
    price (its notional is too small there) is entered at the market at once; a rest that is too small for an order of
    its own is left.
    """

    name: ClassVar[str] = "limit-then-market"

    wait_seconds: int = field(validator=positive)
    offset_percent: Percent = field(default=Percent(Decimal(0)), validator=[not_negative, _below_hundred])
    time_in_force: Literal["gtc", "post-only"] = "gtc"

    def first(self, plan: EntryPlan) -> EntryStep:
        """The limit order, cancelled after the wait."""
        price = self._limit(plan)
        if not _takes(plan, price, plan.quantity):
            return EntryStep(OrderType.MARKET)
        return EntryStep(
            OrderType.LIMIT,
            price=price,
            time_in_force=_TIMES_IN_FORCE[self.time_in_force],
            cancel_after_ns=self.wait_seconds * _NS_PER_S,
        )

    def after(self, plan: EntryPlan, tries: tuple[EntryTry, ...]) -> EntryStep | None:
        """A market order for the rest, once, if the market takes that little."""
        if any(attempt.step.type is OrderType.MARKET for attempt in tries):
            return None
        rest = plan.quantity - sum(attempt.filled for attempt in tries)
        if not _takes(plan, plan.quote.taken_by(plan.side), rest):
            return None
        return EntryStep(OrderType.MARKET)

    def _limit(self, plan: EntryPlan) -> Decimal:
        if plan.side is Side.LONG:
            return floor_to(self.offset_percent.below(plan.quote.bid), plan.rules.tick_size)
        return ceil_to(self.offset_percent.above(plan.quote.ask), plan.rules.tick_size)


def _takes(plan: EntryPlan, price: Decimal, quantity: Decimal) -> bool:
    """Whether the market's rules allow an order of `quantity` at `price`."""
    rules = plan.rules
    if not rules.min_price <= price <= rules.max_price or price <= 0:
        return False
    return isinstance(fit_quantity(rules, price, quantity), Size)
