"""Mistakes about getting over things: a restart, a gap in the stream, a wrong clock, a venue that wants silence."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from framework import StreamRestored
from framework.core import reads, reconcile
from framework.engine.engine import Engine
from framework.engine.news import News
from framework.engine.reconciler import Reconciler
from framework_venue.budget import Budget
from framework_venue.clock import VenueClock

from ..mutant import mutant
from ..patching import around, replaced, together
from ..scenes import (
    BINANCE,
    ELSEWHERE,
    FOREVER_NS,
    USER_STREAM,
    VENUES,
    happens,
    jump,
    killed,
    rule,
    scene,
    signal,
)

Patched = AbstractContextManager[None]


@mutant(
    "A restart does not take over what was open.",
    *(schedule for venue in VENUES for schedule in killed("open", venue, range(4, 60, 4))),
)
def nothing_taken_over() -> Patched:
    def start(original: Any, self: Engine, restored: Any = ()) -> None:
        original(self, ())

    return around(Engine, "start", start)


@mutant(
    "Accounts are read once, and not again and again.",
    scene(
        BINANCE,
        signal(BINANCE),
        rule(BINANCE, "stop-vanishes", after_ms=52_000, count=1),
        rule(BINANCE, "lose-event", event="CANCELED"),
    ),
)
def accounts_read_once() -> Patched:
    def read(original: Any, self: Reconciler, desk: Any, delay_s: float = 0.0) -> None:
        if delay_s < self.every_s:
            original(self, desk, delay_s)

    return around(Reconciler, "read", read)


@mutant(
    "What was missed while the stream was down is not read back.",
    scene(
        BINANCE,
        signal(BINANCE),
        happens(BINANCE, "streams-closed", 20_000, sockets=USER_STREAM[BINANCE], for_ms=3_000),
        jump(BINANCE, 20_500, 2),
        rule(BINANCE, "stop-vanishes", after=1, count=1),
    ),
)
def gap_not_read_back() -> Patched:
    def take(original: Any, self: News, desk: Any, event: Any) -> None:
        if not isinstance(event, StreamRestored):
            original(self, desk, event)

    return around(News, "take", take)


@mutant(
    "A read that lacks an execution that is known is believed all the same.",
    *(  # a stop that a read does not show yet, because it is older, is not cancelled when it has been replaced
        scene(
            BINANCE,
            signal(BINANCE),
            signal(BINANCE, symbol=ELSEWHERE, side="short"),
            happens(BINANCE, "stale-reads", 4_500, lag_ms=140_000, for_ms=115_500),
            jump(BINANCE, up_ms, percent),
            jump(BINANCE, up_ms + 10_000, "0.5"),
            jump(BINANCE, up_ms + 20_000, "-1.5"),
            calm_ms=120_000,
            end_ms=600_000,
        )
        for up_ms, percent in ((20_000, "1.4"), (40_000, "0.9"))
    ),
)
def late_reads_believed() -> Patched:
    def never(*_: object) -> bool:
        return False

    return together(replaced(reads, "is_late", never), replaced(reconcile, "is_late", never))


@mutant(
    "A venue that asks for silence is not listened to.",
    scene(
        BINANCE,
        signal(BINANCE),
        jump(BINANCE, 20_000, 2),
        rule(BINANCE, "rate-limited", path="/fapi/v1/algoOrder", method="POST", after=1, count=1, retry_after_s=30),
    ),
)
def retry_after_ignored() -> Patched:
    return replaced(Budget, "be_silent", lambda self, seconds, why: None)


@mutant(
    "The venue's clock is measured once, and never again.",
    *(
        scene(
            venue,
            signal(venue),
            rule(venue, "stop-vanishes", after_ms=20_000, count=1),
            happens(venue, "clock-skew", 10_000, FOREVER_NS // 1_000_000, skew_ms=10_000),
        )
        for venue in VENUES
    ),
)
def clock_measured_once() -> Patched:
    def measured(original: Any, self: VenueClock, *instants: int) -> None:
        if not self.is_known:
            original(self, *instants)

    return around(VenueClock, "measured", measured)
