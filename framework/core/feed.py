"""What sources deliver: batches of signals, and, in a recorded session, the market on the same time line."""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen

from .market import Candle, Quote
from .signal import BadSignal, Signal


@frozen
class Batch:
    """Signals that arrived together. `complete`: the sender will send no more of these bars, so their waves close."""

    signals: tuple[Signal | BadSignal, ...]
    complete: bool = False


@frozen
class Timeline:
    """The clock of a recorded session: it starts at `start_ns` (UTC) and runs `speed` times as fast as a real one.

    `speed` None: as fast as the machine can, waiting for nothing.
    """

    start_ns: int
    speed: Decimal | None = None


@frozen
class SourceState:
    """What a live source knows of itself: facts, from which others may judge its health. Times are nanoseconds UTC.

    `connected` and `authenticated` as of now, since `since_ns` (None: nothing has happened yet); a source that
    others connect to is connected while it listens. `heard_ns`: the last message of any kind; `signal_ns`: the last
    signal that could be used. `overdue_ns`: the bar of the wave that should have come and has not; None: none is.
    `trouble`: why it is not connected or not authenticated, for people; empty while all is well.
    """

    connected: bool
    authenticated: bool
    since_ns: int | None = None
    heard_ns: int | None = None
    signal_ns: int | None = None
    overdue_ns: int | None = None
    trouble: str = ""


@frozen
class QuoteUpdate:
    """The best bid and ask of one market, with the depth there in the base asset (None: unlimited)."""

    account: str
    symbol: str
    quote: Quote
    bid_quantity: Decimal | None = None
    ask_quantity: Decimal | None = None


@frozen
class CandleUpdate:
    """A candle that closed at or before this instant: history that filters may ask for. It moves no price."""

    account: str
    symbol: str
    interval: str
    candle: Candle


@frozen
class OpenInterestUpdate:
    """The open interest of one market in USD."""

    account: str
    symbol: str
    open_interest_usd: Decimal


@frozen
class BarUpdate:
    """A bar that begins now and is walked through by the simulated venue until its close."""

    account: str
    symbol: str
    interval: str
    candle: Candle


MarketUpdate = QuoteUpdate | CandleUpdate | OpenInterestUpdate | BarUpdate
