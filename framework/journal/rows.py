"""What a reader of the journal gets: one plain attrs object for each row.

Instants are nanoseconds UTC (`…_ns`). A length of time is marked as such, so that it is not shown as a date.
`seq` is the number of the fact that a row comes from.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from attrs import field, frozen

from ..core.records import Record, SessionMode
from ..core.verdict import Check, Number
from . import codec

DURATION: Final = {"duration": True}
"""Metadata of a field whose nanoseconds are a length of time."""


@frozen
class FactRow:
    """One immutable record. `body` is its canonical JSON."""

    seq: int
    time_ns: int
    kind: str
    wave_id: str | None
    signal_id: str | None
    position_id: str | None
    account: str | None
    symbol: str | None
    body: str

    def record(self) -> Record:
        """The record itself."""
        return codec.decode(self.kind, self.body)


@frozen
class SessionRow:
    """One run of the product. `ended_ns` None: it runs, or it died."""

    seq: int
    started_ns: int
    version: str
    config_digest: str
    accounts: tuple[str, ...]
    recorded: bool
    ended_ns: int | None
    reason: str | None
    open_positions: int | None
    mode: SessionMode


@frozen
class WaveRow:
    """A wave; `targets` and `opened` by account, empty until it is decided."""

    wave_id: str
    bar_time_ns: int
    opened_ns: int
    decided_ns: int | None
    targets: Mapping[str, int]
    opened: Mapping[str, int]


@frozen
class SignalRow:
    """Something that arrived as a signal.

    `outcome`: ``refused`` (it is no signal that can be used), ``received`` (not decided yet), ``rejected``,
    ``planned``, ``opened`` or ``not_attempted``. A refused one may lack everything but source, code and message, and
    may bear the id of another signal; its wave is that of its bar.
    """

    seq: int
    signal_id: str | None
    wave_id: str | None
    source: str
    account: str | None
    symbol: str | None
    side: str | None
    bar_time_ns: int | None
    created_ns: int | None
    received_ns: int
    score: Decimal | None
    outcome: str
    stage: str
    component: str
    code: str
    message: str
    numbers: Mapping[str, Number]
    position_id: str | None


@frozen
class DecisionRow:
    """What became of a signal at one stage."""

    seq: int
    time_ns: int
    wave_id: str
    signal_id: str
    account: str
    symbol: str
    stage: str
    outcome: str
    component: str
    code: str
    message: str
    numbers: Mapping[str, Number]
    checks: tuple[Check, ...]
    position_id: str | None


@frozen
class PositionRow:
    """A position as it is now: `PositionSummary` and whose it is. `state` is that of the state machine."""

    position_id: str
    seq: int
    changed_ns: int
    signal_id: str
    wave_id: str
    account: str
    symbol: str
    state: str
    side: str
    status: str
    quantity: Decimal
    entry_price: Decimal | None
    initial_stop_price: Decimal | None
    stop_price: Decimal | None
    exit_price: Decimal | None
    exit_reason: str | None
    realized_pnl_usd: Decimal | None = field(metadata={"json": "realized_pnl"})
    fees_usd: Decimal
    decided_ns: int
    opened_ns: int | None
    protected_ns: int | None
    closed_ns: int | None
    exit_trigger_price: Decimal | None
    exit_triggered_ns: int | None


@frozen
class OrderRow:
    """A request to a venue. `result` None: no outcome yet. `leg`: ``entry``, ``stop``, ``target`` or ``exit``."""

    seq: int
    client_id: str
    position_id: str
    account: str
    symbol: str
    action: str
    leg: str
    sent_ns: int
    request: Mapping[str, Number]
    result: str | None
    took_ns: int | None = field(metadata=DURATION)
    message: str
    answer: Mapping[str, Number]


@frozen
class FillRow:
    """An execution. `side` is that of the order, `fee_usd` what it cost."""

    account: str
    symbol: str
    fill_id: str
    seq: int
    position_id: str
    order_id: str
    client_id: str
    side: str
    quantity: Decimal
    price: Decimal
    fee_usd: Decimal
    time_ns: int
    cause: str


@frozen
class StopMoveRow:
    """A change of the wanted stop of a position."""

    seq: int
    time_ns: int
    position_id: str
    account: str
    symbol: str
    from_price: Decimal | None
    to_price: Decimal
    component: str
    numbers: Mapping[str, Number]


@frozen
class EventRow:
    """Something that people should be able to find again."""

    seq: int
    time_ns: int
    level: str
    code: str
    message: str
    account: str
    symbol: str
    position_id: str
    signal_id: str
    numbers: Mapping[str, Number]


@frozen
class SnapshotRow:
    """What a restart goes on from: a position that is neither closed nor failed, and its newest snapshot."""

    position: PositionRow
    snapshot: Mapping[str, Any]
