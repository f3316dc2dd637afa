"""Whether a first stop can live: checked before the entry, because a position whose stop is refused has to be closed.

The venue takes the trigger price now, it does not act at once, no protection forbids it, and the order that it
becomes is large enough to be taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from .market import MarketRules, PriceSource, Quote
from .plan import wrong_side
from .protection import Guard, beyond_limit
from .signal import Side
from .verdict import Number, Rejection


def flaw_of_stop(
    side: Side,
    stop: Decimal,
    price: Decimal,
    quote: Quote,
    rules: MarketRules,
    guards: Mapping[str, Guard],
    trigger_by: PriceSource = PriceSource.LAST,
) -> Rejection | None:
    """Why no position can be opened at `price` with this stop; None if nothing speaks against it."""
    numbers: dict[str, Number] = {"price": price, "stop_price": stop, "tick_size": rules.tick_size}
    name = side.value
    if wrong_side(side, stop, price) or not rules.min_price <= stop <= rules.max_price:
        message = f"a stop at {stop} for a {name} at {price} acts at once or is outside the venue's prices"
        return Rejection("stop_not_possible", message, numbers)
    now = quote.last if trigger_by is PriceSource.LAST else quote.mark
    if wrong_side(side, stop, now):
        message = f"the {trigger_by.value} price of {now} has reached the stop at {stop} of a {name} already"
        return Rejection("stop_crossed", message, {**numbers, trigger_by.value: now})
    if rules.trigger_band is not None and abs(stop - quote.mark) > quote.mark * rules.trigger_band:
        message = f"the venue takes no trigger price that far from the mark price of {quote.mark}: {stop}"
        return Rejection("stop_outside_band", message, {**numbers, "mark": quote.mark, "band": rules.trigger_band})
    limited = beyond_limit(side, stop, guards)
    if limited is not None:
        who, limit = limited
        message = f"the stop at {stop} reaches the limit of {limit} that {who} sets for a {name} at {price}"
        return Rejection("stop_beyond_limit", message, {**numbers, "limit": limit, **guards[who].numbers})
    return None


def flaw_of_close(stop: Decimal, quantity: Decimal, rules: MarketRules) -> Rejection | None:
    """Why the order that closes `quantity` at the stop would be too small to be taken; None if it is large enough.

    Binance waives its minimum for reduce-only orders (error -4164 in its documentation: "unless you choose reduce
    only"). Bybit does not say whether it does, so there a position has to stay above it.
    """
    notional = stop * quantity
    if notional >= rules.min_notional or rules.closes_any_notional:
        return None
    return Rejection(
        "close_below_minimum",
        f"at the stop the position is worth {notional} USD: less than the minimum of {rules.min_notional} for an order",
        {"stop_price": stop, "quantity": quantity, "notional": notional, "min_notional": rules.min_notional},
    )
