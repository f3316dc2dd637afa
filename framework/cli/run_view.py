"""What `run` shows: a view that records are applied to, one by one. No clock, no terminal, no journal."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from attrs import define, evolve, field, frozen

from ..core.records import (
    Decision,
    Event,
    PositionChanged,
    PositionSummary,
    Record,
    SessionMode,
    SessionStarted,
    SignalReceived,
    SignalRefused,
    WaveOpened,
)
from ..core.wave import wave_id_of
from ..journal import Counts, PositionRow
from ..journal.figures import STAGES
from ..journal.queries import OVER

NOTHING = Counts(
    received=0,
    adapted=0,
    attempted=0,
    opened=0,
    protected=0,
    rejected=dict.fromkeys(STAGES, 0),
    not_attempted=0,
    refused=0,
    undecided=0,
)


@frozen
class PositionLine:
    """A position as it is now. Prices and money in USD; `state` is that of the state machine."""

    account: str
    symbol: str
    signal_id: str
    wave_id: str
    state: str
    side: str
    status: str
    quantity: Decimal
    entry_price: Decimal | None
    initial_stop_price: Decimal | None
    stop_price: Decimal | None
    exit_price: Decimal | None
    exit_reason: str | None
    realized_pnl_usd: Decimal | None
    opened_ns: int | None
    protected_ns: int | None


@frozen
class Snapshot:
    """The view at one moment, to be drawn by whoever wants to. `counts` is by wave and account.

    `halted`: why nothing is opened, because an operator said so; empty: nobody did. `down`: what is said of each
    account that is not connected.
    """

    now_ns: int | None
    mode: SessionMode | None
    recorded: bool
    accounts: tuple[str, ...]
    counts: Mapping[tuple[str, str], Counts]
    positions: tuple[PositionLine, ...]
    halted: str = ""
    down: tuple[str, ...] = ()


@define
class RunView:
    """Adds records up. What is shown follows from the records alone, and from the positions open at the start.

    `mode` is None until a session has started.
    """

    now_ns: int | None = None
    mode: SessionMode | None = None
    recorded: bool = False
    accounts: tuple[str, ...] = ()
    counts: dict[tuple[str, str], Counts] = field(factory=dict)
    positions: dict[str, PositionLine] = field(factory=dict)
    waves: dict[str, None] = field(factory=dict)
    halted: str = ""
    down: dict[str, str] = field(factory=dict)

    def seed(self, row: PositionRow) -> None:
        """A position that an earlier run left open."""
        self.positions.setdefault(row.position_id, _line(row, row, row.state))

    def apply(self, record: Record) -> None:
        """Take one record in."""
        self.now_ns = record.time_ns
        match record:
            case SessionStarted():
                self.mode, self.recorded, self.accounts = record.mode, record.recorded, record.accounts
            case WaveOpened():
                self.waves[record.wave_id] = None
            case SignalReceived():
                self._add(record.wave_id, record.signal.account, received=1, adapted=1, undecided=1)
            case SignalRefused():
                bad = record.bad
                wave = "" if bad.bar_time_ns is None else wave_id_of(bad.bar_time_ns)
                self._add(wave, bad.account or "", received=1, refused=1)
            case Decision():
                self._decided(record)
            case PositionChanged():
                self._position_changed(record)
            case Event(code="halted"):
                self.halted = record.message
            case Event(code="resumed"):
                self.halted = ""
            case Event(code="account_down"):
                self.down[record.account] = record.message
            case Event(code="account_up"):
                self.down.pop(record.account, None)
            case _:
                pass

    def snapshot(self) -> Snapshot:
        """A copy that no later record changes."""
        positions = tuple(self.positions.values())
        counts = dict(self.counts)
        down = tuple(self.down.values())
        return Snapshot(self.now_ns, self.mode, self.recorded, self.accounts, counts, positions, self.halted, down)

    def open_positions(self) -> tuple[PositionLine, ...]:
        """The positions that are not over."""
        return tuple(line for line in self.positions.values() if line.status not in OVER)

    def _decided(self, record: Decision) -> None:
        wave, account = record.wave_id, record.account
        if record.outcome == "planned":
            self._add(wave, account, attempted=1, undecided=-1)
        elif record.outcome == "not_attempted":
            self._add(wave, account, not_attempted=1, undecided=-1)
        elif record.outcome == "rejected":
            rejected = self._counts(wave, account).rejected
            rejected = {**rejected, record.stage: rejected.get(record.stage, 0) + 1}
            # One that its execution failed had been planned, and with that attempted and decided, before.
            planned_before = record.stage == "execution"
            attempted = 0 if planned_before or record.stage == "filter" else 1
            self._add(wave, account, attempted=attempted, undecided=0 if planned_before else -1)
            self.counts[wave, account] = evolve(self.counts[wave, account], rejected=rejected)

    def _position_changed(self, record: PositionChanged) -> None:
        before = self.positions.get(record.position_id)
        after = _line(record, record.summary, record.to_state)
        self.positions[record.position_id] = after
        if record.wave_id not in self.waves:
            return  # of an earlier run: its wave was counted there
        opened = after.opened_ns is not None and (before is None or before.opened_ns is None)
        protected = after.protected_ns is not None and (before is None or before.protected_ns is None)
        if opened or protected:
            self._add(record.wave_id, record.account, opened=int(opened), protected=int(protected))

    def _counts(self, wave: str, account: str) -> Counts:
        return self.counts.get((wave, account), NOTHING)

    def _add(self, wave: str, account: str, **more: int) -> None:
        counts = self._counts(wave, account)
        self.counts[wave, account] = evolve(counts, **{name: getattr(counts, name) + n for name, n in more.items()})


def _line(owner: PositionChanged | PositionRow, summary: PositionSummary | PositionRow, state: str) -> PositionLine:
    return PositionLine(
        account=owner.account,
        symbol=owner.symbol,
        signal_id=owner.signal_id,
        wave_id=owner.wave_id,
        state=state,
        side=summary.side,
        status=summary.status,
        quantity=summary.quantity,
        entry_price=summary.entry_price,
        initial_stop_price=summary.initial_stop_price,
        stop_price=summary.stop_price,
        exit_price=summary.exit_price,
        exit_reason=summary.exit_reason,
        realized_pnl_usd=summary.realized_pnl_usd,
        opened_ns=summary.opened_ns,
        protected_ns=summary.protected_ns,
    )
