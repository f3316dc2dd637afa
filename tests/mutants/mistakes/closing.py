"""Mistakes about the end of a position: closed the wrong way, stops given up first or left, flat believed too soon."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from typing import Any

from attrs import evolve

from framework import CloseOrder, ExchangeError, OrderSide, RestingOrder
from framework.core import handlers, reads, recovery, steering, targets
from framework.core.ids import owner_of
from framework.core.legs import StopLeg
from framework.core.position import Position
from framework.core.steering import Policy, Step
from framework_binance import orders as binance_orders
from framework_binance.session import Session as BinanceSession
from framework_bybit import requests as bybit_requests
from framework_simulator.engine import conditional
from framework_simulator.engine.account import Position as Holding
from framework_simulator.engine.desk import Desk
from framework_simulator.engine.matching import Matching
from framework_simulator.engine.orders import Order
from framework_venue.shared import Shared

from ..mutant import mutant
from ..patching import around, replaced, together
from ..scenes import (
    BINANCE,
    ENTRY,
    FOREVER_NS,
    STOP,
    USER_STREAM,
    VENUES,
    foreign_order,
    happens,
    jump,
    partition,
    rule,
    scene,
    signal,
)

Patched = AbstractContextManager[None]

NO_STOP = rule(BINANCE, "refuse", code=-2021, path=STOP[BINANCE], method="POST")
NO_SECOND_STOP = rule(BINANCE, "refuse", code=-2021, path=STOP[BINANCE], method="POST", after=1)

EMERGENCY = scene(BINANCE, signal(BINANCE), NO_STOP)
"""No stop is taken: the position is closed at once."""

CLOSED_BESIDE_A_STOP = scene(BINANCE, signal(BINANCE), jump(BINANCE, 20_000, 2), NO_SECOND_STOP)
"""The stop can't follow, because the price has passed it: the position is closed, while the old stop rests."""

STOP_FILLS_NOTHING = [
    scene(venue, signal(venue), jump(venue, 20_000, -3), rule(venue, "short-child", count=1)) for venue in VENUES
]


@mutant("A close is not reduce-only.", EMERGENCY)
def close_not_reduce_only() -> Patched:
    def params(original: Any, order: CloseOrder) -> Any:
        return {name: value for name, value in original(order).items() if name != "reduceOnly"}

    return around(binance_orders, "close_params", params)


@mutant("A close goes in the direction of the entry.", EMERGENCY)
def close_on_the_wrong_side() -> Patched:
    def params(original: Any, order: CloseOrder) -> Any:
        other = OrderSide.BUY if order.side is OrderSide.SELL else OrderSide.SELL
        return original(evolve(order, side=other))

    return around(binance_orders, "close_params", params)


CLOSE_LOST_BESIDE_A_STOP = evolve(
    CLOSED_BESIDE_A_STOP,
    items=(
        *CLOSED_BESIDE_A_STOP.items,
        rule(BINANCE, "request-lost", path=ENTRY[BINANCE], method="POST", after=1, count=3),
    ),
)
"""The same, and the venue does not get the first closes."""


@mutant("Stops are cancelled before the position is closed.", CLOSE_LOST_BESIDE_A_STOP)
def stops_cancelled_before_the_close() -> Patched:
    def close(original: Any, position: Position, *others: Any, **named: Any) -> Step:
        position, cancels = steering.sweep(position)
        closing, commands = original(position, *others, **named)
        return closing, (*cancels, *commands)

    return around(handlers, "close", close)


@mutant(
    "A close that was refused is not sent again.",
    scene(
        BINANCE,
        signal(BINANCE),
        NO_STOP,
        rule(BINANCE, "refuse", code=-2022, path=ENTRY[BINANCE], method="POST", after=1, count=1),
    ),
)
def refused_close_given_up() -> Patched:
    return replaced(reads, "_still_open", lambda position, held, policy, now_ns: (position, ()))


@mutant("A stop that triggered is believed to have closed the position.", *STOP_FILLS_NOTHING)
def triggered_stop_believed() -> Patched:
    return together(
        replaced(steering, "TRIGGER_GRACE_NS", FOREVER_NS), replaced(recovery, "TRIGGER_GRACE_NS", FOREVER_NS)
    )


@mutant("The stops of a closed position are left resting.", CLOSED_BESIDE_A_STOP)
def stops_left_behind() -> Patched:
    def sweep(original: Any, position: Position, keep: StopLeg | None) -> Any:
        return (position, ()) if keep is None else original(position, keep)

    return around(steering, "_sweep", sweep)


TAKES_AND_STOPS = scene("taking", *(item for venue in VENUES for item in (signal(venue), jump(venue, 30_000, -3))))
"""Parts rest in profit, and the stop ends the position."""

TAKES = scene("taking", *(item for venue in VENUES for item in (signal(venue), jump(venue, 30_000, 1))))
"""The first part in profit is taken."""


def nothing_expires() -> Patched:
    """A venue that lets reduce-only orders rest when their position is gone."""

    def clear(self: Matching, desk: Desk, order: Order, held: Holding) -> None:
        conditional.clear(self, desk, order.symbol, held, order)

    return replaced(Matching, "_clear", clear)


@mutant("Targets are left resting when their position is closed.", TAKES_AND_STOPS, market=nothing_expires)
def targets_left_behind() -> Patched:
    def cancel(position: Position, now_ns: int) -> Step:
        return position, ()

    return replaced(targets, "_cancel_stale", cancel)


@mutant("A target is not reduce-only.", TAKES)
def target_not_reduce_only() -> Patched:
    def params(original: Any, order: CloseOrder) -> Any:
        made = original(order)
        return made if order.price is None else {name: made[name] for name in made if name != "reduceOnly"}

    return together(around(binance_orders, "close_params", params), around(bybit_requests, "close", params))


@mutant("Orders that are not ours are swept.", scene(BINANCE, signal(BINANCE)), market=foreign_order)
def foreign_orders_swept() -> Patched:
    def owner(self: RestingOrder) -> str:
        return owner_of(self.client_id) or "nobody"

    return replaced(RestingOrder, "owner", property(owner))


@mutant(
    "A position that one read does not show is closed.",
    *(
        scene(
            venue,
            signal(venue),
            rule(venue, "ack-lost", path=ENTRY[venue], method="POST", count=1),
            happens(venue, "stale-reads", 4_000, lag_ms=5_000, for_ms=30_000),
        )
        for venue in VENUES
    ),
)
def flat_believed_at_once() -> Patched:
    def flat(original: Any, position: Position, policy: Policy, now_ns: int) -> Step:
        if position.entered <= 0:
            step: Step = original(position, policy, now_ns)
            return step
        return steering.finish(position, policy, now_ns)

    return together(around(reads, "_flat", flat), replaced(reads, "is_late", lambda *_: False))


@mutant(
    "A read that fails is an empty answer.",
    scene(
        BINANCE,
        signal(BINANCE),
        rule(BINANCE, "refuse", from_ms=40_000, code=-1000, path="/fapi/v3/positionRisk"),
        happens(BINANCE, "streams-closed", 41_000, sockets=USER_STREAM[BINANCE], for_ms=0),
        calm_ms=120_000,
    ),
    scene(
        BINANCE,
        signal(BINANCE),
        partition(BINANCE, 40_000, 60_000, "reads", "refused"),
        happens(BINANCE, "streams-closed", 41_000, sockets=USER_STREAM[BINANCE], for_ms=0),
        calm_ms=120_000,
    ),
)
def failed_read_is_empty() -> Patched:
    async def read_rows(original: Any, self: BinanceSession, *others: Any) -> Any:
        try:
            return await original(self, *others)
        except ExchangeError:
            return []

    return around(BinanceSession, "read_rows", read_rows)


@mutant(
    "Positions are remembered for a minute, and old ones told as new.",
    scene(BINANCE, signal(BINANCE), rule(BINANCE, "ack-lost", path=ENTRY[BINANCE], method="POST", count=1)),
)
def old_reads_told_as_new() -> Patched:
    kept: dict[int, tuple[float, Any]] = {}

    async def get(original: Any, self: Shared[Any]) -> Any:
        now_s = asyncio.get_running_loop().time()
        known = kept.get(id(self))
        if known is None or not 0 <= now_s - known[0] < 60:
            known = kept[id(self)] = (now_s, await original(self))
        return known[1]

    return around(Shared, "get", get)
