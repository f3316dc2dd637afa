"""How closely the engine follows a real venue in what only shows over time."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from attrs import define, frozen


@frozen
class Rejection:
    """Why an order that was taken in is rejected after all, and how long after. Until then it never fills."""

    reason: str
    after_ns: int = 0


def _no_limit(account: str, symbol: str) -> Decimal | None:
    return None


def _no_reason(account: str, symbol: str) -> Rejection | None:
    return None


@define
class Realism:
    """Mutable: it may be changed while the venue runs. The defaults are a venue that does everything at once.

    `position_lag_ns`: how long a new position is taken for none by stops that need one (Binance: -4509).
    `trigger_delay_ns`: from a stop's trigger to its order. `tells_stages`: events also tell that an order was taken
    in before it fills, and that a stop's order has come to its end. `liquidates`: an account whose equity falls to its
    maintenance margin loses its positions. `stop_becomes_order`: a triggered stop goes on as an order under its id
    (Bybit; unverified); otherwise it makes an order with an id of its own (Binance). `counts_reduce_only`: resting
    reduce-only orders use up the position that others may reduce (Binance: -4118). `child_fill` is asked (account,
    symbol) which fraction of the order that a stop becomes may fill, `order_rejection` whether (and why, and when) an
    order that was taken in is rejected after all; None: nothing of that kind.
    """

    position_lag_ns: int = 0
    trigger_delay_ns: int = 0
    tells_stages: bool = False
    liquidates: bool = False
    stop_becomes_order: bool = False
    counts_reduce_only: bool = False
    child_fill: Callable[[str, str], Decimal | None] = _no_limit
    order_rejection: Callable[[str, str], Rejection | None] = _no_reason
