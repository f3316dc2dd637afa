"""What can happen to a position, and what it may ask for in return.

Happenings are facts from the engine: answers to requests, news from the venue, reads, prices, times. Commands are
wishes to the engine: requests to the venue, reads, timers, alerts. Nothing else goes in or out.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal

from attrs import field, frozen

from .market import MarketRules
from .orders import (
    CloseOrder,
    EntryAnswer,
    EntryOrder,
    Fill,
    OrderReport,
    StopAnswer,
    StopOrder,
    StopReport,
    VenuePosition,
)
from .verdict import Number

# ── happenings ──────────────────────────────────────────────────────────────────────────────────────────────


@frozen
class EntryAnswered:
    """The venue, or nobody, answered an entry order or its cancellation; or its stream reported on it."""

    client_id: str
    answer: EntryAnswer


@frozen
class EntryExpired:
    """A resting entry order has waited as long as its execution wanted."""

    client_id: str


@frozen
class Filled:
    """An execution in this position's market, of an order of ours or not."""

    fill: Fill


@frozen
class StopAnswered:
    """The answer to placing or moving a stop, or to cancelling one (`cancelling`)."""

    client_id: str
    answer: StopAnswer
    cancelling: bool = False


@frozen
class StopChanged:
    """The venue's stream said that a stop of ours rests, triggered, was cancelled or expired."""

    report: StopReport


@frozen
class PriceReached:
    """The last price reached a level, or the time came, that a protection asked for."""

    price: Decimal
    time_ns: int


@frozen
class CloseWanted:
    """Somebody wants the position closed now: an operator, a protection, the engine. `reason` is a code."""

    reason: str


@frozen
class CloseAnswered:
    """The answer to a closing order, or to cancelling a resting one (`cancelling`); or its stream reported on it."""

    client_id: str
    answer: EntryAnswer
    cancelling: bool = False


@frozen
class VenueRead:
    """What the venue says of this position's market, all asked for at one time.

    `position` is None when flat; `orders` holds the reports of entry orders that were asked for (None: the venue
    does not know it); `fills` are the executions since the entry. `nothing_held`: the venue shows no position at all,
    although other ones are known to be open: then even a second read proves nothing.
    """

    time_ns: int
    position: VenuePosition | None
    stops: tuple[StopReport, ...]
    orders: Mapping[str, OrderReport | None] = field(factory=dict)
    fills: tuple[Fill, ...] = ()
    nothing_held: bool = False


@frozen
class ReadFailed:
    """The venue could not be read. Nothing is concluded from it."""

    message: str


@frozen
class DeadlinePassed:
    """The time within which an open position must be protected is over."""


@frozen
class SilenceOver:
    """The venue may be spoken to again: what could not be sent may be now."""


@frozen
class RulesChanged:
    """The venue has changed the rules of the position's market."""

    rules: MarketRules


Happening = (
    EntryAnswered
    | EntryExpired
    | Filled
    | StopAnswered
    | StopChanged
    | PriceReached
    | CloseWanted
    | CloseAnswered
    | VenueRead
    | ReadFailed
    | DeadlinePassed
    | SilenceOver
    | RulesChanged
)

# ── commands ────────────────────────────────────────────────────────────────────────────────────────────────


@frozen
class SendEntry:
    """Send this entry order, once; and say `EntryExpired` after `cancel_after_ns`, if that is set."""

    order: EntryOrder
    cancel_after_ns: int | None


@frozen
class CancelEntry:
    """Cancel this resting entry order."""

    client_id: str


@frozen
class PlaceStop:
    """Place this stop."""

    order: StopOrder


@frozen
class MoveStop:
    """Move the resting stop of this client id to the order's trigger price and quantity."""

    order: StopOrder


@frozen
class CancelStop:
    """Remove this stop."""

    client_id: str


@frozen
class SendClose:
    """Send this closing order."""

    order: CloseOrder


@frozen
class CancelTarget:
    """Cancel this resting order that takes a part in profit."""

    client_id: str


@frozen
class ReadVenue:
    """Read this position's market after `delay_ns`, with the reports of these orders; answer with `VenueRead`."""

    delay_ns: int = 0
    orders: tuple[str, ...] = ()


@frozen
class StartDeadline:
    """Say `DeadlinePassed` after `delay_ns`, should the position still be unprotected then."""

    delay_ns: int


@frozen
class AwaitSilence:
    """Say `SilenceOver` after `delay_ns`: nothing may be sent to the venue before."""

    delay_ns: int


class Level(enum.Enum):
    """How much an alert matters. ERROR: a person should look."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@frozen
class Alert:
    """Write this down for people."""

    level: Level
    code: str
    message: str
    numbers: Mapping[str, Number] = field(factory=dict)


@frozen
class NoteStop:
    """Write down that the wanted stop changed: from where to where, who wanted it, with which numbers."""

    from_price: Decimal | None
    to_price: Decimal
    component: str
    numbers: Mapping[str, Number] = field(factory=dict)


Command = (
    SendEntry
    | CancelEntry
    | PlaceStop
    | MoveStop
    | CancelStop
    | SendClose
    | CancelTarget
    | ReadVenue
    | StartDeadline
    | AwaitSilence
    | Alert
    | NoteStop
)
