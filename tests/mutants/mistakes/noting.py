"""Mistakes about facts: executions dropped, counted twice, invented, brought to the wrong position; nothing written."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from typing import Any

from attrs import evolve

from framework import Fill, Intent, OrderSide
from framework.core import handlers, lifecycle
from framework.core.happenings import VenueRead
from framework.core.ids import position_id
from framework.core.legs import StopLeg
from framework.core.position import Position
from framework.core.steering import Step
from framework.engine import engine
from framework.engine.dispatch import Dispatcher
from framework.journal.writer import Journal

from ..mutant import mutant
from ..patching import around, replaced
from ..scenes import (
    BINANCE,
    USER_STREAM,
    VENUES,
    happens,
    jump,
    scene,
    signal,
)

Patched = AbstractContextManager[None]

QUIET = scene(BINANCE, signal(BINANCE))
CLOSED_BY_THE_STOP = [scene(venue, signal(venue), jump(venue, 20_000, -3)) for venue in VENUES]
CLOSED_UNHEARD = [
    scene(
        venue,
        signal(venue),
        happens(venue, "streams-closed", 15_000, sockets=USER_STREAM[venue], for_ms=10_000),
        jump(venue, 20_000, -3),
    )
    for venue in VENUES
]
"""The stop closes the position while the stream that would tell of it is down."""


@mutant("The intent of an entry is not waited for.", QUIET)
def intent_of_an_entry_not_awaited() -> Patched:
    def append(original: Any, self: Journal, *records: Any) -> asyncio.Future[None]:
        durable: asyncio.Future[None] = original(self, *records)
        if not any(isinstance(record, Intent) and record.action == "entry" for record in records):
            return durable
        at_once: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        at_once.set_result(None)
        return at_once

    return around(Journal, "append", append)


@mutant("What reduces a position is sent without being written down before.", QUIET)
def intent_of_a_stop_not_written() -> Patched:
    async def nothing(self: Dispatcher, request: Any, numbers: Any) -> None:
        return None

    return replaced(Dispatcher, "_intend", nothing)


@mutant("A position is written down only when something has become of it.", QUIET)
def plan_not_written() -> Patched:
    def records_of(original: Any, before: Position | None, *others: Any) -> Any:
        return [] if before is None else original(before, *others)

    return around(engine, "records_of", records_of)


@mutant("Executions of an entry are not booked: its order says how much was filled.", QUIET)
def fills_of_entries_dropped() -> Patched:
    def with_fill(original: Any, self: Position, fill: Fill) -> Position:
        return self if fill.side is self.side.entry else original(self, fill)

    return around(Position, "with_fill", with_fill)


@mutant("An execution that is told by stream and by query is counted twice.", *CLOSED_BY_THE_STOP)
def fill_counted_twice() -> Patched:
    async def read_all(original: Any, self: Dispatcher, *others: Any) -> VenueRead:
        read: VenueRead = await original(self, *others)
        return evolve(read, fills=tuple(evolve(fill, id=f"{fill.id}-read") for fill in read.fills))

    return around(Dispatcher, "_read_all", read_all)


@mutant("Executions that were missed while the stream was down are not read.", *CLOSED_UNHEARD)
def missed_fills_not_read() -> Patched:
    async def read_all(original: Any, self: Dispatcher, *others: Any) -> VenueRead:
        read: VenueRead = await original(self, *others)
        return evolve(read, fills=())

    return around(Dispatcher, "_read_all", read_all)


@mutant("A stop that triggered is booked as filled at its price.", *CLOSED_BY_THE_STOP)
def fill_invented() -> Patched:
    def triggered(original: Any, before: Position, position: Position, leg: StopLeg, now_ns: int) -> Step:
        invented = Fill(
            id=f"{leg.client_id}-triggered",
            order_id="",
            client_id=leg.client_id,
            symbol=position.symbol,
            side=OrderSide(position.side.exit.value),
            quantity=position.open_quantity,
            price=leg.trigger_price,
            fee_usd=leg.quantity * 0,
            time_ns=now_ns,
            cause="stop",
        )
        step: Step = original(before, position.with_fill(invented), leg, now_ns)
        return step

    return around(handlers, "_stop_triggered", triggered)


@mutant(
    "Positions are told apart by market and side alone: those of two accounts are one.",
    scene("market", *(signal(venue) for venue in VENUES)),
)
def accounts_mixed_up() -> Patched:
    def identity(original: Any, *, signal_id: str, account: str, symbol: str, side: Any) -> str:
        return position_id(signal_id="", account="", symbol=symbol, side=side)

    return around(lifecycle, "position_id", identity)
