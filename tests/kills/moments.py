"""The moments at which the product is killed: drawn from a seed, and struck by what is seen of it from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

from attrs import define, field, frozen

ORDERS = (
    "/fapi/v1/order",
    "/fapi/v1/algoOrder",
    "/v5/order/create",
    "/v5/order/amend",
    "/v5/order/cancel",
    "/v5/position/trading-stop",
)
"""The routes by which orders and stops are placed, moved and cancelled."""

READINGS: Mapping[str, frozenset[str]] = {
    "binance": frozenset({"/fapi/v3/positionRisk", "/fapi/v1/openOrders", "/fapi/v1/openAlgoOrders"}),
    "bybit": frozenset({"/v5/position/list", "/v5/order/realtime"}),
}
"""The routes by which a start learns what is open."""

MOST: Mapping[str, int] = {
    "request": 25,
    "reading": 8,
    "order": 8,
    "answer": 8,
    "fill": 4,
    "stop": 8,
    "event": 12,
    "acknowledged": 2,
    "printed": 8,
    "commit": 40,
}
"""What can be counted, and the highest count that is drawn."""

TIMED: Mapping[str, tuple[float, float]] = {"starting": (0.2, 1.1), "anytime": (0.0, 1.2)}
"""Seconds after the process was begun, and after its session was up."""

KINDS = (*MOST, *TIMED)
LATEST_S = 2.0
"""A moment that has not come so long after the session was up does not come any more: it is killed then."""

UP_WITHIN_S = 150.0
"""A session that is not up so long after its process was begun is a violation. A start may have to wait for the next
minute of a venue's limits, and a busy machine is slow; nothing takes so long."""

NEVER = "never up"

BREATH_S = 0.004
"""Half of all kills come at once, the others up to so much later."""


@frozen
class Moment:
    """The `count`-th happening of a kind since the life began, or `delay_s` after something; then `breath_s` later."""

    kind: str
    count: int = 0
    delay_s: float = 0.0
    breath_s: float = 0.0


def drawn(chance: Random) -> Moment:
    """Some moment; each kind is as likely as the others."""
    kind = chance.choice(KINDS)
    breath_s = chance.choice((0.0, chance.uniform(0, BREATH_S)))
    if kind in TIMED:
        return Moment(kind, delay_s=chance.uniform(*TIMED[kind]), breath_s=breath_s)
    return Moment(kind, count=chance.randint(1, MOST[kind]), breath_s=breath_s)


@define(eq=False)
class Doom:
    """Waits for a moment in one life, and strikes once. `struck`: the kind of moment that it was in the end.

    `recovers`: something was open when the life began, so it has to be read back.
    """

    moment: Moment
    strike: Callable[[], None]
    journal: Path
    recovers: bool = False
    struck: str = field(default="", init=False)
    struck_recovering: bool = field(default=False, init=False)
    _count: int = field(default=0, init=False)
    _orders: set[int] = field(factory=set, init=False)
    _readings: dict[int, tuple[str, str]] = field(factory=dict, init=False)
    _unread: set[tuple[str, str]] = field(
        factory=lambda: {(venue, path) for venue, paths in READINGS.items() for path in paths}, init=False
    )
    _timers: list[asyncio.TimerHandle] = field(factory=list, init=False)
    _never: asyncio.TimerHandle | None = field(default=None, init=False)
    _watch: asyncio.Task[None] | None = field(default=None, init=False)

    def born(self) -> None:
        """The process has begun."""
        self._never = self._later(UP_WITHIN_S, NEVER)
        if self.moment.kind == "starting":
            self._later(self.moment.delay_s, "starting")
        if self.moment.kind == "commit":
            self._watch = asyncio.get_running_loop().create_task(self._commits())

    def up(self) -> None:
        """Its session is up."""
        if self._never is not None:
            self._never.cancel()
        if self.moment.kind == "anytime":
            self._later(self.moment.delay_s, "anytime")
        self._later(LATEST_S, "late")

    def over(self) -> None:
        """The process has ended: nothing is waited for any more."""
        for timer in self._timers:
            timer.cancel()
        if self._watch is not None:
            self._watch.cancel()

    def line(self, line: Mapping[str, Any]) -> None:
        """A line of the venues' ledger, at the moment at which it is written."""
        kind = line["kind"]
        if kind == "request":
            self._met("request")
            if line["path"] in ORDERS and line["method"] != "GET":
                self._orders.add(line["id"])
                self._met("order")
            if line["path"] in READINGS[line["venue"]] and line["method"] == "GET":
                self._readings[line["id"]] = (line["venue"], line["path"])
                self._met("reading")
        elif kind == "response":
            self._unread.discard(self._readings.get(line["request"], ("", "")))
            if line["request"] in self._orders:
                self._met("answer")
        elif kind in ("fill", "stop"):
            self._met(kind)
        elif kind == "stream":
            self._met("event")

    def acknowledged(self) -> None:
        """Signals were acknowledged."""
        self._met("acknowledged")

    def printed(self) -> None:
        """A line was printed."""
        self._met("printed")

    def _met(self, kind: str) -> None:
        if kind != self.moment.kind:
            return
        self._count += 1
        if self._count == self.moment.count:
            self._soon(kind)

    async def _commits(self) -> None:
        """The journal's log is written to with each commit."""
        log, before = self.journal.with_name(self.journal.name + "-wal"), (0, 0)
        while True:
            try:
                found = log.stat()
                now = (found.st_mtime_ns, found.st_size)
            except FileNotFoundError:
                now = before
            if now != before:
                before = now
                self._met("commit")
            await asyncio.sleep(0.001)

    def _soon(self, kind: str) -> None:
        if self.moment.breath_s:
            self._later(self.moment.breath_s, kind)
        else:
            self._strike(kind)

    def _later(self, delay_s: float, kind: str) -> asyncio.TimerHandle:
        timer = asyncio.get_running_loop().call_later(delay_s, self._strike, kind)
        self._timers.append(timer)
        return timer

    def _strike(self, kind: str) -> None:
        if not self.struck:
            self.struck, self.struck_recovering = kind, self.recovers and bool(self._unread)
            self.strike()
