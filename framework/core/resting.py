"""Orders that rest at a venue, seen account by account: those of ours, and those of others."""

from __future__ import annotations

import enum
from decimal import Decimal

from attrs import frozen

from .ids import owner_of
from .signal import OrderSide


class RestingKind(enum.Enum):
    """What a resting order would do.

    ``ENTRY``: it waits in the book and may open or enlarge a position. ``STOP``: it is conditional, acts on the losing
    side and only reduces; the stop that is part of a position among them. ``OTHER``: anything else, like a
    take-profit, a reduce-only limit order or a conditional entry.
    """

    ENTRY = "entry"
    STOP = "stop"
    OTHER = "other"


@frozen
class RestingOrder:
    """One order that rests, ours or not.

    `client_id` is empty where the venue knows none; for an attached stop it is that of the entry it came with, or
    empty. `quantity` is what is left of it in the base asset, None for all of the position. `price` is the trigger
    price of a conditional order, else the limit price; None where there is none. `attached`: it is part of the
    position and goes with it. `created_ns` is when the venue took it, 0 where it does not say.
    """

    client_id: str
    symbol: str
    kind: RestingKind
    side: OrderSide
    quantity: Decimal | None
    price: Decimal | None
    reduce_only: bool = False
    attached: bool = False
    created_ns: int = 0

    @property
    def owner(self) -> str | None:
        """The position of ours that it belongs to; None when its client id is none of ours."""
        return owner_of(self.client_id)
