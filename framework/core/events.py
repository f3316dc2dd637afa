"""What exchanges tell the engine on their own account, between the answers to its requests."""

from __future__ import annotations

from attrs import frozen

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


ExchangeEvent = FillSeen | OrderSeen | StopSeen | PositionSeen | StreamLost | StreamRestored
