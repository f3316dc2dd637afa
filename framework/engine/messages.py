"""What the engine's one consumer reads from its one queue, in the order in which it happened."""

from __future__ import annotations

import asyncio

from attrs import frozen

from ..core.events import ExchangeEvent
from ..core.feed import Batch
from ..core.happenings import Happening
from ..core.market import MarketData
from ..core.orders import Balance
from ..core.signal import Signal


@frozen
class BatchArrived:
    """A source delivered signals; `durable` is set once they are in the journal."""

    batch: Batch
    durable: asyncio.Future[None]


@frozen
class WaveDue:
    """A wave is complete, or has settled: time to decide."""

    wave_id: str


@frozen
class BalanceRead:
    """The money of an account at the beginning of a wave; None with the reason when it could not be read."""

    wave_id: str
    account: str
    balance: Balance | None
    failure: str = ""


@frozen
class CandidatesReady:
    """The market of some candidates was fetched, in the order in which they are to be decided."""

    wave_id: str
    account: str
    candidates: tuple[tuple[Signal, MarketData], ...]


@frozen
class Happened:
    """Something happened to a position."""

    position_id: str
    happening: Happening


@frozen
class VenueSpoke:
    """An exchange told something on its own account."""

    account: str
    event: ExchangeEvent


@frozen
class CloseAll:
    """Close every open position, for this reason."""

    reason: str


Message = BatchArrived | WaveDue | BalanceRead | CandidatesReady | Happened | VenueSpoke | CloseAll
