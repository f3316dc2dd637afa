"""Mistakes about entries: sent twice, blindly, too late, into a market that is taken; given up too early."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from decimal import ROUND_UP, Decimal
from typing import Any

from attrs import evolve

from framework import OrderReport, OrderStatus, Refusal, Unknown
from framework.core import entering, handlers, reads
from framework.core.happenings import CancelEntry, EntryAnswered, VenueRead
from framework.core.legs import LegState
from framework.core.position import Position
from framework.core.steering import Policy, Step, enter
from framework.engine import engine
from framework.engine.desk import Desk
from framework.engine.dispatch import Dispatcher
from framework.engine.engine import Engine
from framework.engine.messages import BatchArrived
from framework_binance import orders as binance_orders
from framework_venue.answers import Answer, Hint, Kind
from framework_venue.budget import Purpose
from framework_venue.client import Client

from ..mutant import mutant
from ..patching import around, replaced
from ..scenes import (
    BINANCE,
    ENTRY,
    FOREVER_NS,
    LIMIT_THEN_MARKET,
    SYMBOL,
    VENUES,
    happens,
    jump,
    killed,
    kills,
    rule,
    scene,
    short_deadline,
    signal,
    thin_when_it_falls,
)

Patched = AbstractContextManager[None]

ANSWER_LOST = [
    scene(venue, signal(venue), rule(venue, "ack-lost", path=ENTRY[venue], method="POST", count=1)) for venue in VENUES
]
REQUEST_LOST = [
    scene(venue, signal(venue), rule(venue, "request-lost", path=ENTRY[venue], method="POST", count=1))
    for venue in VENUES
]
ANSWER_AND_NEWS_LOST = [
    scene(
        venue,
        signal(venue),
        rule(venue, "ack-lost", path=ENTRY[venue], method="POST", count=1),
        rule(venue, "lose-event"),
    )
    for venue in VENUES
]
SEEN_LATE = [
    scene(
        venue,
        signal(venue),
        rule(venue, "ack-lost", path=ENTRY[venue], method="POST", count=1),
        rule(venue, "lose-event"),
        happens(venue, "stale-reads", 4_000, lag_ms=40_000, for_ms=30_000),
    )
    for venue in VENUES
]
"""The entry is carried out; its answer and its news are lost, and queries show it 40 s later."""

CANCELLED_WHILE_FILLING = scene(
    LIMIT_THEN_MARKET,
    signal(BINANCE),
    rule(BINANCE, "fill-races", method="DELETE"),
    rule(BINANCE, "lose-event", count=8),
)


@mutant("An entry of unknown outcome is sent once more under its own id.", *ANSWER_LOST)
def entry_resent_blindly() -> Patched:
    async def call(original: Any, self: Client, route: Any, params: Any, purpose: Purpose, **how: Any) -> Answer:
        answer: Answer = await original(self, route, params, purpose, **how)
        if purpose is Purpose.ENTER and answer.kind is Kind.UNKNOWN:
            answer = await original(self, route, params, purpose, **how)
        return answer

    return around(Client, "call", call)


@mutant("An entry of unknown outcome is followed by another one under a new id.", *ANSWER_LOST, *REQUEST_LOST)
def entry_resent_under_a_new_id() -> Patched:
    def after_entry(original: Any, position: Position, policy: Policy, now_ns: int) -> Step:
        leg = position.entry
        if leg.state is LegState.UNKNOWN and len(position.entries) == 1:
            return enter(position, leg.step, leg.quantity, policy, now_ns)
        step: Step = original(position, policy, now_ns)
        return step

    return around(reads, "after_entry", after_entry)


@mutant(
    "An entry that was refused because of our clock is sent again.",
    *(
        scene(BINANCE, signal(BINANCE), happens(BINANCE, "clock-skew", at, 60_000, skew_ms=-10_000), latency_ms=80)
        for at in range(5_100, 5_500, 50)
    ),
)
def entry_resent_with_another_time() -> Patched:
    async def call(original: Any, self: Client, route: Any, params: Any, purpose: Purpose, **how: Any) -> Answer:
        answer: Answer = await original(self, route, params, purpose, **how)
        if purpose is Purpose.ENTER and answer.hint is Hint.CLOCK:
            answer = await original(self, route, params, purpose, **how)
        return answer

    return around(Client, "call", call)


@mutant(
    "An entry that was under way when the process died is sent by the next one.",
    *(schedule for venue in VENUES for schedule in killed("open", venue, range(4, 40, 3))),
)
def entry_resent_after_a_restart() -> Patched:
    def taken_over(original: Any, position: Position, policy: Policy) -> Step:
        leg = position.entry
        if leg.state is not LegState.SENT:
            step: Step = original(position, policy)
            return step
        return enter(evolve(position, entries=()), leg.step, leg.quantity, policy, position.decided_ns)

    return around(engine, "taken_over", taken_over)


@mutant("An entry of unknown outcome is taken for refused.", *ANSWER_AND_NEWS_LOST)
def unknown_entry_taken_for_no() -> Patched:
    async def answer(original: Any, self: Dispatcher, call: Any) -> Any:
        told = await original(self, call)
        return Refusal("lost", told.message) if isinstance(told, Unknown) else told

    return around(Dispatcher, "_answer", answer)


@mutant("One read that does not show an entry proves that there is none.", *SEEN_LATE, *ANSWER_AND_NEWS_LOST)
def one_read_is_proof() -> Patched:
    def nothing_found(original: Any, position: Position, policy: Policy, now_ns: int) -> Step:
        after, _ = original(evolve(position, misses=1), evolve(policy, fence_ns=0), now_ns)
        return evolve(after.with_leg(evolve(after.entry, state=LegState.DONE)), watch_until_ns=None), ()

    return around(reads, "_nothing_found", nothing_found)


@mutant(
    "An entry that the venue says it does not know was never carried out.",
    scene(
        BINANCE,
        signal(BINANCE),
        rule(BINANCE, "ack-lost", path=ENTRY[BINANCE], method="POST", count=1),
        rule(BINANCE, "refuse", code=-2013, path=ENTRY[BINANCE], method="GET"),
        happens(BINANCE, "stale-reads", 4_000, lag_ms=4_000, for_ms=30_000),
        rule(BINANCE, "lose-event"),
    ),
)
def not_found_is_proof() -> Patched:
    def note_read(original: Any, position: Position, read: VenueRead, certain_ns: int) -> Position:
        told = {
            name: OrderReport(name, position.symbol, OrderStatus.REJECTED) if report is None else report
            for name, report in read.orders.items()
        }
        noted: Position = original(position, evolve(read, orders=told), certain_ns)
        return noted

    return around(reads, "note_read", note_read)


@mutant("An entry that was given up is not looked for any more.", *SEEN_LATE)
def watch_list_forgotten() -> Patched:
    def nothing_found(original: Any, position: Position, policy: Policy, now_ns: int) -> Step:
        after, commands = original(position, policy, now_ns)
        if not after.state.is_final:
            return after, commands
        return evolve(after.with_leg(evolve(after.entry, state=LegState.DONE)), watch_until_ns=None), ()

    return around(reads, "_nothing_found", nothing_found)


@mutant(
    "A market that has a position is entered again.",
    *(scene(venue, signal(venue), signal(venue, at_ms=40_000)) for venue in VENUES),
)
def second_position_in_a_market() -> Patched:
    return replaced(Desk, "is_taken", lambda self, symbol: False)


@mutant(
    "A market is entered again while nobody knows what became of the entry before.",
    *(
        scene(
            venue,
            signal(venue),
            signal(venue, at_ms=30_000),
            rule(venue, "ack-lost", path=ENTRY[venue], method="POST", count=1),
            rule(venue, "lose-event"),
            happens(venue, "stale-reads", 4_000, lag_ms=40_000, for_ms=30_000),
        )
        for venue in VENUES
    ),
)
def market_in_doubt_entered() -> Patched:
    def is_taken(self: Desk, symbol: str) -> bool:
        return self.holder_of(symbol) is not None

    return replaced(Desk, "is_taken", is_taken)


@mutant(
    "A market that holds a position which is not ours is entered.",
    *(
        scene(
            venue,
            happens(venue, "position-changed", 4_800, market=SYMBOL, qty="1"),
            signal(venue, "short"),
        )
        for venue in VENUES
    ),
)
def market_with_a_foreign_position_entered() -> Patched:
    return replaced(Desk, "found", lambda self, held: None)


@mutant("A limit entry that was cancelled is taken for unfilled.", CANCELLED_WHILE_FILLING)
def fill_during_cancel_ignored() -> Patched:
    async def cancel(original: Any, session: Any, symbol: str, client_id: str) -> OrderReport:
        await original(session, symbol, client_id)
        return OrderReport(client_id, symbol, OrderStatus.CANCELLED)

    return around(binance_orders, "cancel_entry", cancel)


@mutant("The next entry is sent before the one before it is known to be cancelled.", CANCELLED_WHILE_FILLING)
def next_entry_before_the_cancel_is_known() -> Patched:
    async def cancel(original: Any, self: Dispatcher, desk: Desk, position: Position, command: CancelEntry) -> None:
        gone = OrderReport(command.client_id, position.symbol, OrderStatus.CANCELLED)
        self.say(position.id, EntryAnswered(command.client_id, gone))
        await original(self, desk, position, command)

    return around(Dispatcher, "_cancel_entry", cancel)


@mutant(
    "The next order of an entry is sent although the deadline has passed.",
    scene(LIMIT_THEN_MARKET, signal(BINANCE)),
    market=short_deadline,
)
def deadline_of_an_entry_ignored() -> Patched:
    def next_entry(original: Any, position: Position, policy: Policy, now_ns: int) -> Step:
        step: Step = original(position, evolve(policy, entry_deadline_ns=FOREVER_NS), now_ns)
        return step

    return around(entering, "_next_entry", next_entry)


@mutant("A limit entry that has waited long enough is left resting.", scene(LIMIT_THEN_MARKET, signal(BINANCE)))
def limit_entry_left_resting() -> Patched:
    return replaced(handlers, "stop_entering", lambda position: (position, ()))


@mutant(
    "After a limit entry that filled in part the market order is for the whole.",
    scene(
        LIMIT_THEN_MARKET,
        signal(BINANCE, symbol="XRPUSDT"),
        jump(BINANCE, 6_000, "-0.1", "XRPUSDT"),
        jump(BINANCE, 7_500, "0.2", "XRPUSDT"),
    ),
    market=thin_when_it_falls,
)
def whole_quantity_after_a_part() -> Patched:
    def enter(original: Any, position: Position, step: Any, quantity: Decimal, *others: Any) -> Step:
        whole: Step = original(position, step, position.plan.quantity, *others)
        return whole

    return around(entering, "enter", enter)


@mutant("The quantity of an entry is rounded up.", scene(BINANCE, signal(BINANCE)))
def quantity_rounded_up() -> Patched:
    def params(original: Any, order: Any) -> Any:
        return original(evolve(order, quantity=order.quantity.quantize(Decimal("0.01"), ROUND_UP)))

    return around(binance_orders, "entry_params", params)


@mutant(
    "A signal is acknowledged before it is durable.",
    *(scene(BINANCE, signal(BINANCE), kills(point, down_ms=400)) for point in (1, 2)),
)
def signal_acknowledged_too_early() -> Patched:
    async def submit(original: Any, self: Engine, batch: Any) -> None:
        self._post(BatchArrived(batch, asyncio.get_running_loop().create_future()))

    return around(Engine, "submit", submit)
