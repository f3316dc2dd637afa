"""Mistakes about stops: too small, wrong way round, given up too early, believed without looking, never insisted on."""

from __future__ import annotations

from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

from attrs import evolve

from framework import Ask, Guard, Refusal, Side, StopOrder, StopReport, Unknown, floor_to
from framework.core import guards, handlers, reads, reconcile, steering, watch
from framework.core.happenings import CancelStop, Command
from framework.core.ids import Leg, client_id
from framework.core.legs import LegState, StopLeg
from framework.core.position import Position, State
from framework.core.steering import Policy, Step
from framework.engine import engine
from framework.engine.session import Session
from framework_binance import orders as binance_orders
from framework_binance import reads as binance_reads
from framework_bybit import requests as bybit_requests
from framework_bybit.orders import Orders as BybitOrders
from framework_protection.trailing_stop import Trail, TrailingStop

from ..mutant import mutant
from ..patching import around, replaced, together
from ..scenes import (
    BINANCE,
    BYBIT,
    ELSEWHERE,
    LIMIT_THEN_MARKET,
    STOP,
    SYMBOL,
    VENUES,
    happens,
    jump,
    kills,
    rule,
    scene,
    signal,
    thin_market,
)

Patched = AbstractContextManager[None]

QUIET = {venue: scene(venue, signal(venue)) for venue in VENUES}
TRAILS = {venue: scene(venue, signal(venue), jump(venue, 20_000, 2), jump(venue, 30_000, 1)) for venue in VENUES}
SHORT_TRAILS = scene(BINANCE, signal(BINANCE, "short"), jump(BINANCE, 20_000, -2), jump(BINANCE, 30_000, -1))


FILLS_IN_PARTS = scene(LIMIT_THEN_MARKET, signal(BINANCE), jump(BINANCE, 5_500, "-0.1"), jump(BINANCE, 7_500, "-0.1"))
"""In a thin market a limit entry fills in part, rests, and fills the rest two seconds later."""


def stops_refused(venue: str, code: int, *, latency_ms: int = 20, **when: Any) -> Any:
    """The venue takes no stop."""
    refused = rule(venue, "refuse", code=code, path=STOP[venue], method="POST", **when)
    return scene(venue, signal(venue), refused, latency_ms=latency_ms)


# ── what a stop is like ─────────────────────────────────────────────────────────────────────────────────────


@mutant("A stop covers half of what is held.", QUIET[BINANCE])
def stop_too_small() -> Patched:
    def cover(self: Position) -> Decimal:
        return floor_to(self.open_quantity / 2, self.plan.rules.step_size)

    return replaced(Position, "cover", property(cover))


@mutant("The stop for the first part of an entry is taken for enough.", FILLS_IN_PARTS, market=thin_market)
def stop_not_resized() -> Patched:
    return replaced(Position, "is_covered_by", lambda self, stop: stop.is_live)


@mutant("Nothing is protected before the entry has filled in full, or ended.", FILLS_IN_PARTS, market=thin_market)
def part_of_an_entry_not_protected() -> Patched:
    def after_entry(original: Any, position: Position, policy: Policy, now_ns: int) -> Step:
        if position.entered and not position.entry_is_over:
            return position, ()
        step: Step = original(position, policy, now_ns)
        return step

    return around(reads, "after_entry", after_entry)


@mutant("The stop of a long is made like that of a short, and the other way round.", QUIET[BINANCE])
def stop_the_wrong_way_round() -> Patched:
    def stop_order(original: Any, position: Position, leg: StopLeg) -> StopOrder:
        order: StopOrder = original(position, leg)
        away = position.planned_price - order.trigger_price
        return evolve(order, side=position.side.entry, trigger_price=position.planned_price + away)

    return around(steering, "_stop_order", stop_order)


@mutant("A stop is not reduce-only.", QUIET[BINANCE])
def stop_not_reduce_only() -> Patched:
    def params(original: Any, order: StopOrder) -> Any:
        return {**original(order), "reduceOnly": "false"}

    return around(binance_orders, "stop_params", params)


@mutant("On Bybit the stop does not travel in the entry.", QUIET[BYBIT])
def stop_left_out_of_the_entry() -> Patched:
    def entry(original: Any, order: Any) -> Any:
        return original(evolve(order, stop=None))

    return around(bybit_requests, "entry", entry)


@mutant(
    "The stop is computed from the price that was expected, not from the one that was paid.",
    *(
        scene(BINANCE, signal(BINANCE, side), jump(BINANCE, at_ms, percent), latency_ms=80)
        for side, percent in (("long", 1), ("short", -1))
        for at_ms in range(5_250, 5_500, 25)
    ),
)
def stop_from_the_expected_price() -> Patched:
    def begin(original: Any, position: Position, protections: Any, price: Decimal) -> Any:
        return original(position, protections, position.planned_price)

    return around(guards, "begin", begin)


@mutant(
    "Every stop of a position has the same id.",
    scene(BINANCE, signal(BINANCE), jump(BINANCE, 20_000, 2), calm_ms=22_000, end_ms=25_000),
)
def id_of_a_stop_used_again() -> Patched:
    def next_id(original: Any, self: Position, leg: Leg) -> str:
        return client_id(self.id, leg, 0) if leg is Leg.STOP else str(original(self, leg))

    return around(Position, "next_id", next_id)


@mutant(
    "What the venue holds beyond our own is not covered.",
    scene(
        BINANCE,
        *(
            item
            for symbol in (SYMBOL, ELSEWHERE)
            for item in (
                signal(BINANCE, symbol=symbol),
                happens(BINANCE, "position-changed", 30_000, market=symbol, qty="1"),
            )
        ),
    ),
)
def surplus_not_covered() -> Patched:
    return replaced(Position, "cover", property(lambda self: self.open_quantity))


# ── moving it ───────────────────────────────────────────────────────────────────────────────────────────────


@mutant("The old stop is cancelled before the new one is placed.", TRAILS[BINANCE], SHORT_TRAILS)
def old_stop_cancelled_first() -> Patched:
    def place_beside(_original: Any, position: Position, live: StopLeg, _policy: Policy) -> tuple[Position, Command]:
        return position.with_leg(evolve(live, state=LegState.CANCELLING)), CancelStop(live.client_id)

    return around(steering, "_place_beside", place_beside)


@mutant("On Bybit the stop is taken away before it is set anew.", TRAILS[BYBIT])
def attached_stop_removed_first() -> Patched:
    async def set_attached(original: Any, self: BybitOrders, order: StopOrder) -> Any:
        await self._remove_attached(order.symbol, order.client_id)
        return await original(self, order)

    return around(BybitOrders, "_set_attached", set_attached)


@mutant("Cancelling one stop cancels all of the market.", TRAILS[BINANCE])
def all_stops_cancelled() -> Patched:
    async def cancel(original: Any, session: Any, symbol: str, client_id: str) -> Any:
        answer = await original(session, symbol, client_id)
        for row in await binance_reads.resting_stops(session, symbol):
            await original(session, symbol, row["clientAlgoId"])
        return answer

    return around(binance_orders, "cancel_stop", cancel)


@mutant(
    "The stop follows the price in both directions.",
    scene(BYBIT, signal(BYBIT), jump(BYBIT, 70_000, 2), jump(BYBIT, 75_000, "-0.3")),
)
def stop_follows_both_ways() -> Patched:
    def on_price(_original: Any, self: TrailingStop, holding: Any, _state: Any, price: Decimal, time_ns: int) -> Guard:
        best = Trail(activated=True, best=price, stop=None, level=price)
        answer: Guard = self._answer(holding, best, price, time_ns)
        level = answer.ask.above if holding.side is Side.LONG else answer.ask.below
        return evolve(answer, ask=Ask(above=level, below=price - holding.rules.tick_size))

    def differs(_side: Side, one: Decimal, other: Decimal) -> bool:
        return one != other

    return together(
        around(TrailingStop, "on_price", on_price),
        replaced(guards, "tighter", differs),
        replaced(watch, "tighter", differs),
        replaced(steering, "tighter", differs),
    )


@mutant(
    "A restart forgets how far the stop had followed the price.",
    *(
        scene(
            venue,
            signal(venue),
            jump(venue, 20_000, 2),
            jump(venue, 25_000, "-0.3"),
            kills(1, down_ms=400),
            armed_ms=180_000,
        )
        for venue in VENUES
    ),
)
def trail_forgotten_by_a_restart() -> Patched:
    def taken_over(original: Any, position: Position, policy: Policy) -> Step:
        forgetful = evolve(position, guards={}, guarded_price=None, initial_stop=None)
        after, commands = original(forgetful, policy)
        return after, (*commands, *steering.look_at(after))

    return around(engine, "taken_over", taken_over)


@mutant("Stops of ours are swept although their position is open.", scene(BINANCE, signal(BINANCE)))
def stops_of_open_positions_swept() -> Patched:
    def left_behind(original: Any, seen: Any, before: Any, known: Any, unsettled: Any) -> Any:
        flat = None if before is None else evolve(before, positions={})
        return original(evolve(seen, positions={}), flat, known, ())

    return around(reconcile, "_left_behind", left_behind)


# ── insisting on it ─────────────────────────────────────────────────────────────────────────────────────────


@mutant("A stop that was refused is believed to rest.", stops_refused(BINANCE, -4130, count=1))
def refused_stop_believed() -> Patched:
    async def place(original: Any, session: Any, order: StopOrder) -> Any:
        answer = await original(session, order)
        if not isinstance(answer, Refusal):
            return answer
        return StopReport(order.client_id, order.symbol, True, order.trigger_price, order.quantity)

    return around(binance_orders, "place_stop", place)


@mutant("A position that can't be protected is left open.", stops_refused(BINANCE, -2021))
def no_emergency_close() -> Patched:
    def emergency(original: Any, position: Position, *others: Any) -> Step:
        return evolve(position, state=State.UNPROTECTED), ()

    return around(handlers, "emergency", emergency)


@mutant("Nobody counts how long a position is unprotected.", stops_refused(BINANCE, -4509, latency_ms=80))
def no_deadline_for_the_stop() -> Patched:
    def policy(original: Any, self: Session, account: Any) -> Policy:
        patient: Policy = evolve(original(self, account), protect_within_ns=3_600_000_000_000)
        return patient

    return around(Session, "_policy", policy)


@mutant(
    "A stop whose answer was lost is believed to rest.",
    scene(  # a moved one: its predecessor is cancelled then. Of a lost request another copy would arrive
        BINANCE,
        signal(BINANCE),
        jump(BINANCE, 20_000, 2),
        rule(BINANCE, "list-body", from_ms=19_000, path=STOP[BINANCE], method="POST", executed=False, count=1),
    ),
)
def unanswered_stop_believed() -> Patched:
    async def place(original: Any, session: Any, order: StopOrder) -> Any:
        answer = await original(session, order)
        if not isinstance(answer, Unknown):
            return answer
        return StopReport(order.client_id, order.symbol, True, order.trigger_price, order.quantity)

    return around(binance_orders, "place_stop", place)


@mutant(
    "A stop that the venue says has gone is taken for one that rests.",
    *(scene(venue, signal(venue), rule(venue, "stop-vanishes", count=1)) for venue in VENUES),
)
def news_of_a_lost_stop_ignored() -> Patched:
    def note_stop(original: Any, position: Position, report: StopReport, **how: Any) -> Position:
        return original(position, report, **how) if report.live else position

    return around(handlers, "note_stop", note_stop)


@mutant(
    'On Bybit "not modified" is believed without reading the stop back.',
    scene(
        BYBIT,
        signal(BYBIT),
        rule(BYBIT, "stop-vanishes", count=1),
        rule(BYBIT, "refuse", code=34040, path=STOP[BYBIT], method="POST"),
    ),
)
def not_modified_believed() -> Patched:
    async def unchanged(original: Any, self: BybitOrders, order: StopOrder, answer: Any) -> StopReport:
        return StopReport(order.client_id, order.symbol, True, order.trigger_price, order.quantity, attached=True)

    return around(BybitOrders, "_unchanged", unchanged)
