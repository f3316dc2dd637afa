"""What the engine's one consumer reads from its one queue, in the order in which it happened."""

from __future__ import annotations

import asyncio

from attrs import frozen

from ..core.events import ExchangeEvent
from ..core.feed import Batch
from ..core.happenings import Happening
from ..core.market import MarketData
from ..core.orders import Balance
from ..core.reconcile import AccountSeen, Unread
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
    """An account at the beginning of a wave: its money (None: unread, for this reason), and the markets it holds."""

    wave_id: str
    account: str
    balance: Balance | None
    failure: str = ""
    held: frozenset[str] = frozenset()


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
class AccountRead:
    """A whole account was read, or could not be."""

    account: str
    seen: AccountSeen | Unread


@frozen
class CloseAll:
    """Close every open position of these accounts, for this reason; with `strangers` those that are not ours, too."""

    reason: str
    accounts: frozenset[str]
    strangers: bool = False


Message = BatchArrived | WaveDue | BalanceRead | CandidatesReady | Happened | VenueSpoke | AccountRead | CloseAll
