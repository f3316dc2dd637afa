"""What exchanges tell the engine on their own account, between the answers to its requests."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from .health import Health
from .market import MarketRules
from .orders import Fill, OrderReport, StopReport, VenuePosition


@frozen
class FillSeen:
    """An execution on the account, of an order of ours or not. May be told more than once, by the same id."""

    fill: Fill


@frozen
class OrderSeen:
    """An entry or close of ours changed at the venue."""

    report: OrderReport


@frozen
class StopSeen:
    """A stop of ours changed at the venue: it rests, triggered, was cancelled, expired."""

    report: StopReport


@frozen
class PositionSeen:
    """The venue says what the position in one market is now."""

    position: VenuePosition


@frozen
class StreamLost:
    """Events may have been missed from here on. `why` is for people."""

    why: str


@frozen
class StreamRestored:
    """Events flow again; what happened in between has to be read."""


@frozen
class MarketsSeen:
    """The rules of the markets were read anew: all that may be traded now, by symbol. Told when they changed."""

    markets: Mapping[str, MarketRules]


@frozen
class VenueNotice:
    """Something that people should know, for the journal and observers.

    `level` is ``info``, ``warning`` or ``error`` (a person should look); `code` is made for machines.
    """

    level: str
    code: str
    message: str


@frozen
class HealthSeen:
    """How something of the account is: a stream of prices, say. Told when it changes, and again as often as you like.

    `condition` names it for people, `reason` says what is wrong. `StreamLost` and `StreamRestored` speak for
    themselves. `told`: a notice of its own says so already.
    """

    condition: str
    health: Health
    reason: str = ""
    told: bool = False


@frozen
class SilenceAsked:
    """The venue wants no request from this account before `until_ns` (UTC). `why` is for people.

    It is remembered, and told to the exchange at its next start: `ExchangeLink.silent_until_ns`.
    """

    until_ns: int
    why: str


ExchangeEvent = (
    FillSeen
    | OrderSeen
    | StopSeen
    | PositionSeen
    | StreamLost
    | StreamRestored
    | MarketsSeen
    | VenueNotice
    | HealthSeen
    | SilenceAsked
)
