"""A small hand-made history: one wave on two accounts, a second one that is still undecided, and the errors between.

Instants are written as seconds and kept as nanoseconds.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import evolve

from framework.core.ids import Leg, client_id, position_id
from framework.core.orders import Fill
from framework.core.records import (
    Decision,
    Event,
    FillRecorded,
    Intent,
    Outcome,
    PositionChanged,
    PositionSummary,
    Record,
    SessionEnded,
    SessionStarted,
    SignalReceived,
    SignalRefused,
    StopMoved,
    WaveDecided,
    WaveOpened,
)
from framework.core.signal import BadSignal, OrderSide, Side, Signal
from framework.core.verdict import Check, Passed, Rejection
from framework.journal.store import Store

S = 1_000_000_000
BAR = 1_761_949_800 * S
"""2025-10-31 22:30 UTC."""

WAVE = "2025-10-31T22:30Z"
NEXT_BAR = BAR + 900 * S
NEXT_WAVE = "2025-10-31T22:45Z"

SESSION = SessionStarted(BAR, "0.1.0", "abc", ("binance", "bybit"), recorded=True)


def signal(identity: str, *, account: str = "binance", symbol: str = "HFTUSDT", bar_ns: int = BAR) -> Signal:
    """A long signal that was received 10 s after its bar opened."""
    return Signal(
        id=identity,
        source="recording",
        account=account,
        symbol=symbol,
        side=Side.LONG,
        bar_time_ns=bar_ns,
        created_ns=bar_ns + 5 * S,
        received_ns=bar_ns + 10 * S,
        score=Decimal("71.5"),
    )


def received(of: Signal, wave_id: str = WAVE) -> SignalReceived:
    """The signal, taken into the inbox."""
    return SignalReceived(of.received_ns, wave_id, of)


def refused(identity: str | None = None, *, bar_ns: int | None = None) -> SignalRefused:
    """Something that is no signal."""
    bad = BadSignal("recording", "no_json", "not JSON", BAR + 10 * S, raw="{", id=identity, bar_time_ns=bar_ns)
    return SignalRefused(BAR + 10 * S, bad)


def decision(of: Signal, outcome: str, stage: str = "", **more: Any) -> Decision:
    """What became of a signal, 11 s after the bar opened."""
    return Decision(BAR + 11 * S, WAVE, of.id, of.account, of.symbol, stage, outcome, **more)


OPENING = PositionSummary(
    side="long",
    status="opening",
    quantity=Decimal("134"),
    entry_price=None,
    initial_stop_price=None,
    stop_price=None,
    exit_price=None,
    exit_reason=None,
    realized_pnl_usd=None,
    fees_usd=Decimal(0),
    decided_ns=BAR + 11 * S,
    opened_ns=None,
    protected_ns=None,
    closed_ns=None,
)


def place(of: Signal) -> str:
    """The id of the position of a signal."""
    return position_id(signal_id=of.id, account=of.account, symbol=of.symbol, side=of.side)


def step(of: Signal, second: int, event: str, states: tuple[str, str], **summary: Any) -> PositionChanged:
    """One step of the signal's position."""
    return PositionChanged(
        time_ns=BAR + second * S,
        position_id=place(of),
        signal_id=of.id,
        wave_id=WAVE,
        account=of.account,
        symbol=of.symbol,
        event=event,
        from_state=states[0],
        to_state=states[1],
        summary=evolve(OPENING, **summary),
        snapshot={"state": states[1], "second": second},
    )


def request(of: Signal, second: int, action: str, leg: Leg, result: str, message: str = "") -> tuple[Intent, Outcome]:
    """A request and its outcome, half a second later."""
    identity = client_id(place(of), leg, 0)
    shared = (place(of), of.account, of.symbol, action, identity)
    return (
        Intent(BAR + second * S, *shared, {"quantity": Decimal("134")}),
        Outcome(BAR + second * S + S // 2, *shared, result, S // 2, message),
    )


TRAILED = signal("1")
NAKED = signal("2", account="bybit", symbol="DOGUSDT")
FILTERED = signal("3", symbol="LEVERUSDT")
TOO_SMALL = signal("4", symbol="AVAXUSDT")
NOT_NEEDED = signal("5", symbol="ARUSDT")
BROKEN = signal("6", account="bybit", symbol="CROUSDT")
UNDECIDED = signal("7", bar_ns=NEXT_BAR)

TOO_SMALL_NUMBERS = {"quantity": Decimal("0.329"), "minimum": Decimal(1)}
PASSED_CHECK = Check("filter", "spread", Passed({"spread_percent": Decimal("0.05")}))
SIZING_CHECK = Check("sizing", "fixed-usd", Rejection("below_minimum", "too small", TOO_SMALL_NUMBERS))
ENTRY_FILL = Fill(
    "f1", "o1", client_id(place(TRAILED), Leg.ENTRY, 0), "HFTUSDT", OrderSide.BUY, Decimal(134), Decimal("0.04458"),
    Decimal("0.003"), BAR + 13 * S,
)  # fmt: skip

_OPEN: dict[str, Any] = {"status": "open", "entry_price": Decimal("0.04458"), "opened_ns": BAR + 13 * S}
_STOPPED: dict[str, Any] = {
    **_OPEN,
    "initial_stop_price": Decimal("0.04191"),
    "stop_price": Decimal("0.04191"),
    "protected_ns": BAR + 15 * S,
}
_CLOSED: dict[str, Any] = {
    **_STOPPED,
    "status": "closed",
    "stop_price": Decimal("0.04500"),
    "exit_price": Decimal("0.04499"),
    "exit_reason": "trailing-stop",
    "realized_pnl_usd": Decimal("0.05"),
    "fees_usd": Decimal("0.006"),
    "closed_ns": BAR + 100 * S,
}

HISTORY: tuple[Record, ...] = (
    SESSION,
    refused("0", bar_ns=BAR),
    refused(),
    WaveOpened(BAR + 10 * S, WAVE, BAR),
    *(received(each) for each in (TRAILED, NAKED, FILTERED, TOO_SMALL, NOT_NEEDED, BROKEN)),
    refused("1", bar_ns=BAR),
    decision(FILTERED, "rejected", "filter", component="volume-1h", code="volume_1h"),
    decision(
        TOO_SMALL, "rejected", "sizing", component="fixed-usd", code="below_minimum", message="too small",
        numbers=TOO_SMALL_NUMBERS, checks=(PASSED_CHECK, SIZING_CHECK),
    ),
    decision(TRAILED, "planned", checks=(PASSED_CHECK,), position_id=place(TRAILED)),
    decision(NAKED, "planned", position_id=place(NAKED)),
    decision(BROKEN, "planned", position_id=place(BROKEN)),
    *request(TRAILED, 12, "entry", Leg.ENTRY, "accepted"),
    step(TRAILED, 12, "entry sent", ("planned", "entering")),
    FillRecorded(BAR + 13 * S, place(TRAILED), "binance", ENTRY_FILL),
    step(TRAILED, 13, "filled", ("entering", "unprotected"), **_OPEN),
    *request(NAKED, 12, "entry", Leg.ENTRY, "accepted"),
    step(NAKED, 14, "filled", ("entering", "unprotected"), **{**_OPEN, "opened_ns": BAR + 14 * S}),
    *request(NAKED, 15, "stop", Leg.STOP, "refused", "price out of range"),
    *request(BROKEN, 12, "entry", Leg.ENTRY, "unknown", "timed out"),
    step(BROKEN, 13, "gave up", ("entering", "failed"), status="failed"),
    decision(BROKEN, "rejected", "execution", code="entry_failed", position_id=place(BROKEN)),
    *request(TRAILED, 14, "stop", Leg.STOP, "accepted"),
    step(TRAILED, 15, "stop rests", ("unprotected", "protected"), **_STOPPED),
    decision(TRAILED, "opened", position_id=place(TRAILED)),
    decision(NOT_NEEDED, "not_attempted", code="target_reached"),
    WaveDecided(BAR + 20 * S, WAVE, {"binance": 1, "bybit": 2}, {"binance": 1, "bybit": 1}),
    StopMoved(
        BAR + 60 * S, place(TRAILED), "binance", "HFTUSDT", Decimal("0.04191"), Decimal("0.04500"), "trailing-stop",
    ),
    *request(TRAILED, 60, "move-stop", Leg.STOP, "accepted"),
    Event(BAR + 70 * S, "warning", "slow", "slow"),
    Event(BAR + 71 * S, "error", "naked", "no stop", "bybit", "DOGUSDT", place(NAKED), NAKED.id),
    Event(BAR + 72 * S, "error", "stream_lost", "lost", "bybit"),
    step(TRAILED, 100, "flat", ("protected", "closed"), **_CLOSED),
    WaveOpened(NEXT_BAR + 10 * S, NEXT_WAVE, NEXT_BAR),
    received(UNDECIDED, NEXT_WAVE),
    SessionEnded(NEXT_BAR + 20 * S, "recording ended", 1),
)  # fmt: skip


def write(path: Path, *records: Record) -> None:
    """Put records into a journal, in one transaction."""
    store = Store(path)
    store.prepare()
    store.connect()
    try:
        store.write(records)
    finally:
        store.close()
