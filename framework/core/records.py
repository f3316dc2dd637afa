"""What the journal keeps: facts, intents and decisions, each a plain attrs object.

The engine appends them, the journal stores each as one immutable line and projects it into its read models, and
observers see them. Every record says when (`time_ns`, UTC).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal

from attrs import field, frozen

from .orders import Fill
from .signal import BadSignal, Signal
from .verdict import Check, Number


class SessionMode(enum.Enum):
    """What a session's orders reach: simulated exchanges, real venues, or real exchange plugins on emulated venues."""

    PAPER = "paper"
    LIVE = "live"
    REHEARSAL = "rehearsal"


@frozen
class SessionStarted:
    """The product came up. `config_digest` is the SHA-256 of the effective configuration without secrets.

    `recorded`: its signals and its time came from a recording. Sessions that were written down before there were
    modes traded on paper.
    """

    time_ns: int
    version: str
    config_digest: str
    accounts: tuple[str, ...]
    recorded: bool
    mode: SessionMode = SessionMode.PAPER


@frozen
class SessionEnded:
    """The product went down in order.

    `reason`: ``recording ended``, ``sources ended`` (live ones), ``interrupted``, ``failed: …``.
    """

    time_ns: int
    reason: str
    open_positions: int


@frozen
class SignalReceived:
    """A signal was taken into the inbox. `wave_id` is the wave it belongs to."""

    time_ns: int
    wave_id: str
    signal: Signal


@frozen
class SignalRefused:
    """What arrived is no signal that can be used: malformed, a duplicate, for an unknown account, late."""

    time_ns: int
    bad: BadSignal


@frozen
class WaveOpened:
    """The first signal of a bar arrived."""

    time_ns: int
    wave_id: str
    bar_time_ns: int


@frozen
class WaveDecided:
    """A wave is over: every signal of it has an outcome. `targets` is the target of each account."""

    time_ns: int
    wave_id: str
    targets: Mapping[str, int]
    opened: Mapping[str, int]


@frozen
class Decision:
    """What became of a signal at one stage.

    `outcome` is ``rejected`` (at `stage` ``filter``, ``plan``, ``sizing``, ``risk`` or ``execution``), ``planned``
    (it is being opened), ``opened`` (its position is protected) or ``not_attempted`` (nobody needed it any more).
    `component` says who decided, `code` and `numbers` why; `checks` holds every verdict on the way.
    """

    time_ns: int
    wave_id: str
    signal_id: str
    account: str
    symbol: str
    stage: str
    outcome: str
    component: str = ""
    code: str = ""
    message: str = ""
    numbers: Mapping[str, Number] = field(factory=dict)
    checks: tuple[Check, ...] = ()
    position_id: str = ""


@frozen
class Intent:
    """A request that is about to be sent: durable before it is. `action`: ``entry``, ``cancel-entry``, ``stop``,
    ``move-stop``, ``cancel-stop``, ``close``, ``target`` (a part in profit that rests) or ``cancel-target``."""

    time_ns: int
    position_id: str
    account: str
    symbol: str
    action: str
    client_id: str
    request: Mapping[str, Number]


@frozen
class Outcome:
    """What came of an intent. `result`: ``accepted``, ``refused`` or ``unknown``. `took_ns` is the time it took."""

    time_ns: int
    position_id: str
    account: str
    symbol: str
    action: str
    client_id: str
    result: str
    took_ns: int
    message: str = ""
    numbers: Mapping[str, Number] = field(factory=dict)


@frozen
class FillRecorded:
    """An execution that belongs to a position of ours."""

    time_ns: int
    position_id: str
    account: str
    fill: Fill


@frozen
class PositionChanged:
    """A position took a step: the event, the states on either side, and the whole position afterwards.

    `snapshot` is the position as JSON-able data; a restart goes on from the newest one.
    """

    time_ns: int
    position_id: str
    signal_id: str
    wave_id: str
    account: str
    symbol: str
    event: str
    from_state: str
    to_state: str
    summary: PositionSummary
    snapshot: Mapping[str, object]


@frozen
class PositionSummary:
    """The fields of a position that people and reports ask for. Prices in USD, None where there is none yet.

    `status`: ``opening``, ``open``, ``closing``, ``closed``, ``failed``, ``quarantined``. `protected_ns` is when a
    live stop first covered it. `realized_pnl_usd` is after fees.
    """

    side: str
    status: str
    quantity: Decimal
    entry_price: Decimal | None
    initial_stop_price: Decimal | None
    stop_price: Decimal | None
    exit_price: Decimal | None
    exit_reason: str | None
    realized_pnl_usd: Decimal | None
    fees_usd: Decimal
    decided_ns: int
    opened_ns: int | None
    protected_ns: int | None
    closed_ns: int | None
    exit_trigger_price: Decimal | None = None
    exit_triggered_ns: int | None = None


@frozen
class StopMoved:
    """The wanted stop of a position changed: who wanted it and why. `from_price` is None for the first one."""

    time_ns: int
    position_id: str
    account: str
    symbol: str
    from_price: Decimal | None
    to_price: Decimal
    component: str
    numbers: Mapping[str, Number] = field(factory=dict)


@frozen
class Event:
    """Something that people should be able to find again. `level`: ``info``, ``warning`` or ``error``.

    ``error`` means that a person should look.
    """

    time_ns: int
    level: str
    code: str
    message: str
    account: str = ""
    symbol: str = ""
    position_id: str = ""
    signal_id: str = ""
    numbers: Mapping[str, Number] = field(factory=dict)


Record = (
    SessionStarted
    | SessionEnded
    | SignalReceived
    | SignalRefused
    | WaveOpened
    | WaveDecided
    | Decision
    | Intent
    | Outcome
    | FillRecorded
    | PositionChanged
    | StopMoved
    | Event
)
