"""Whether one order keeps the rules of its market: tick, step, smallest and largest, notional, price limits.

Sources: "Binance USD-M Futures, Filters" and "Bybit v5, Get Instruments Info".
"""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen

from framework import MarketRules, OrderSide, OrderType, is_multiple

from .money import ZERO
from .orders import OrderRequest
from .style import Reason, VenueStyle
from .tiers import DEFAULT_TIERS, Tier


@frozen
class Market:
    """The rules of one market as the engine needs them: a limit order may be larger than a market order.

    `take_bound`: how far from the mark price a market order may fill, as a fraction. `trigger_protect`: how far last
    and mark price may lie apart for a price-protected stop to trigger. None: no such rule. `tiers` are the risk
    tiers, smallest positions first.
    """

    rules: MarketRules
    max_limit_quantity: Decimal
    take_bound: Decimal | None = None
    trigger_protect: Decimal | None = None
    tiers: tuple[Tier, ...] = DEFAULT_TIERS


@frozen
class Breach:
    """A rule that is broken, and a line that says how."""

    reason: Reason
    message: str


def price_breach(rules: MarketRules, price: Decimal) -> Breach | None:
    """Whether a limit or trigger price is on the tick and within the market's absolute bounds."""
    if price < rules.min_price or price <= ZERO:
        return Breach(Reason.PRICE_TOO_LOW, f"price {price} is below the minimum of {rules.min_price}")
    if price > rules.max_price:
        return Breach(Reason.PRICE_TOO_HIGH, f"price {price} is above the maximum of {rules.max_price}")
    if not is_multiple(price, rules.tick_size):
        return Breach(Reason.PRICE_OFF_TICK, f"price {price} is no multiple of the tick size {rules.tick_size}")
    return None


def band_breach(rules: MarketRules, side: OrderSide, price: Decimal, mark: Decimal) -> Breach | None:
    """Whether a limit price is too far on the costly side of the mark price: a buy above it, a sale below it."""
    if rules.price_band is None:
        return None
    highest, lowest = mark * (1 + rules.price_band), mark * (1 - rules.price_band)
    if side is OrderSide.BUY and price > highest:
        return Breach(Reason.ABOVE_BAND, f"price {price} is above the limit of {highest} for a buy")
    if side is OrderSide.SELL and price < lowest:
        return Breach(Reason.BELOW_BAND, f"price {price} is below the limit of {lowest} for a sale")
    return None


def quantity_breach(rules: MarketRules, quantity: Decimal, maximum: Decimal | None) -> Breach | None:
    """Whether a quantity is on the step and within bounds. `maximum` None: the venue splits what is too large."""
    if quantity <= ZERO:
        return Breach(Reason.QUANTITY_NOT_POSITIVE, f"quantity {quantity} must be greater than 0")
    if quantity < rules.min_quantity:
        return Breach(Reason.QUANTITY_TOO_SMALL, f"quantity {quantity} is below the minimum of {rules.min_quantity}")
    if maximum is not None and quantity > maximum:
        return Breach(Reason.QUANTITY_TOO_LARGE, f"quantity {quantity} is above the maximum of {maximum}")
    if not is_multiple(quantity, rules.step_size):
        return Breach(Reason.QUANTITY_OFF_STEP, f"quantity {quantity} is no multiple of the step {rules.step_size}")
    return None


def order_breach(market: Market, style: VenueStyle, request: OrderRequest, mark: Decimal) -> Breach | None:
    """The first rule of the market that an order breaks.

    The least notional is waived for reduce-only orders, whose value nobody can choose (documented by Binance; for
    Bybit this is an assumption). A market order is valued at the mark price.
    """
    limit = request.type is OrderType.LIMIT
    if limit and request.price is None:
        return Breach(Reason.NO_PRICE, "a limit order needs a price")
    price = request.price if limit and request.price is not None else None
    if price is not None:
        breach = price_breach(market.rules, price) or band_breach(market.rules, request.side, price, mark)
        if breach is not None:
            return breach
    if request.closes_all:
        return None
    breach = quantity_breach(market.rules, request.quantity, _largest(market, style, request))
    if breach is not None or request.reduce_only:
        return breach
    notional = request.quantity * (mark if price is None else price)
    if notional < market.rules.min_notional:
        least = market.rules.min_notional
        return Breach(Reason.NOTIONAL_TOO_SMALL, f"a notional of {notional} is below the minimum of {least}")
    return None


def _largest(market: Market, style: VenueStyle, request: OrderRequest) -> Decimal | None:
    if request.reduce_only and not style.limits_reduce_only_quantity:
        return None
    return market.max_limit_quantity if request.type is OrderType.LIMIT else market.rules.max_quantity
