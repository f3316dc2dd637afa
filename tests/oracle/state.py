"""What the oracle knows of a market of an account while it reads: position, orders, stops, and the position's story."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from .names import ATTACHED_SEQUENCE, ENTRY, STOP, Owner

ZERO = Decimal(0)
FINAL = frozenset(("filled", "cancelled", "expired", "rejected"))
STOP_GONE = frozenset(("finished", "cancelled", "expired", "rejected"))


@dataclass(slots=True)
class Stop:
    """A stop that rests or has triggered. `falls`: it acts on a falling price. `quantity` None: the whole position."""

    id: str
    client_id: str | None
    owner: Owner | None
    side: str
    quantity: Decimal | None
    trigger: Decimal
    falls: bool
    reduces: bool
    attached: bool
    status: str
    triggered_ns: int | None = None
    filled: Decimal = ZERO


@dataclass(slots=True)
class Order:
    """An order that has not ended. `filled` is the sum of its `fill` lines; `stop` is what made it, if a stop did."""

    id: str
    client_id: str | None
    owner: Owner | None
    side: str
    quantity: Decimal
    reduces: bool
    created_by: str
    stop: Stop | None = None
    filled: Decimal = ZERO
    has_reduced: bool = False

    @property
    def is_entry(self) -> bool:
        """Whether it is an entry of ours."""
        return self.owner is not None and self.owner.leg == ENTRY


@dataclass(slots=True)
class Episode:
    """A position from flat to flat.

    `position` is the id of the position whose entry filled first; None: nobody's of ours so far, and nothing is
    judged. `best` is the best last price for it since it opened; None where no price was told. `opening` lasts until
    all of it is covered and no entry of ours is under way. `level` is where all of it, then `level_size`, was protected
    last since then. `fired`: a stop of it triggered, and no resting one has covered all of it since. `grown_ns`: when
    its entry filled last; `passed`: the stops that were refused since then, while it was naked, because the price had
    passed them. Of the time without protection, `stuck_…` is what a stop left that did not fill, `taken_…` what the
    venue left that took one away by itself, `blind_…` what else there was around a time in which the product was down.
    """

    opened_ns: int
    best: Decimal | None = None
    position: str | None = None
    opening: bool = True
    level: Decimal | None = None
    level_size: Decimal = ZERO
    fired: bool = False
    naked_since_ns: int | None = None
    naked_by_stop: bool = False
    naked_taken: bool = False
    up_ns: int = 0
    down_ns: int = 0
    fault_ns: int = 0
    stuck_up_ns: int = 0
    stuck_fault_ns: int = 0
    taken_up_ns: int = 0
    blind_up_ns: int = 0
    grown_ns: int = 0
    passed: set[str | None] = field(default_factory=set)

    @property
    def naked_ns(self) -> int:
        """All of its time without protection, whatever the reason."""
        return self.up_ns + self.down_ns + self.fault_ns


@dataclass(slots=True)
class Holding:
    """One (venue, account, symbol). `level`: the price at which all of the position is protected; None: it is not.

    `taken_ns`: when the venue last ended a stop that no request under way had asked it to end. `crossed`: the positions
    that were being entered when somebody else took the market to the other side, which was last at `turned_ns`.
    """

    venue: str
    account: str
    symbol: str
    quantity: Decimal = ZERO
    entry_price: Decimal = ZERO
    orders: dict[str, Order] = field(default_factory=dict)
    stops: dict[str, Stop] = field(default_factory=dict)
    episode: Episode | None = None
    level: Decimal | None = None
    entries_open: int = 0
    taken_ns: int = 0
    flat_since_ns: int = 0
    crossed: set[str] = field(default_factory=set)
    turned_ns: int | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Venue, account and symbol."""
        return self.venue, self.account, self.symbol

    @property
    def judged(self) -> Episode | None:
        """The position's story if it is one of ours."""
        return self.episode if self.episode is not None and self.episode.position is not None else None

    def owner_of(self, stop: Stop) -> Owner | None:
        """Whose a stop is; one that is part of the position is the position's."""
        if stop.owner is None and stop.attached and self.judged is not None and self.judged.position is not None:
            return Owner(self.judged.position, STOP, ATTACHED_SEQUENCE)
        return stop.owner


def level_of(holding: Holding, now_ns: int, grace_ns: int) -> Decimal | None:
    """The price at which the whole position is protected; None: some of it is not.

    A stop counts that would reduce the position at a loss: on the other side, reduce-only or for the whole position,
    acting on a falling price for a long one, with a trigger above zero. It counts while it rests, and for `grace_ns`
    after it has triggered, with what it has not filled yet.
    """
    left = abs(holding.quantity)
    is_long = holding.quantity > ZERO
    side = "sell" if is_long else "buy"
    counted = [
        stop
        for stop in holding.stops.values()
        if stop.side == side
        and stop.falls is is_long
        and stop.reduces
        and stop.trigger > ZERO
        and (stop.triggered_ns is None or now_ns < stop.triggered_ns + grace_ns)
    ]
    counted.sort(key=lambda stop: stop.trigger, reverse=is_long)
    for stop in counted:
        left = ZERO if stop.quantity is None else left - (stop.quantity - stop.filled)
        if left <= ZERO:
            return stop.trigger
    return None


def falls(side: str, trigger: Decimal, price: Decimal | None, entry_price: Decimal, *, attached: bool) -> bool:
    """Whether a stop acts on a falling price, which no line says: it follows from where the market was.

    A stop of its own is refused when its price has been reached already, so the market tells. One that is part of the
    position may be set with the price past it already: it takes profit only if it does so by entry price and market.
    Without any price to go by it is taken for what stops most often are: a sell stop falls.
    """
    known = [one for one in (price, entry_price or None) if one is not None]
    if not known:
        return side == "sell"
    if attached:
        return not trigger > max(known) if side == "sell" else trigger < min(known)
    nearest = next((one for one in known if one != trigger), None)
    return side == "sell" if nearest is None else trigger < nearest
