"""Runs that are made for a purpose: what happens in them, item by item."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

from attrs import evolve

from framework import OrderSide, OrderType, floor_to
from framework.core.steering import SECOND_NS, Policy
from framework.engine.session import Session
from framework_simulator.emulator.world import World
from framework_simulator.engine.orders import OrderRequest
from framework_simulator.simulation import Item, Schedule
from framework_simulator.simulation.crashes import Case
from framework_simulator.simulation.deployment import EXECUTIONS, variant_of
from tests.simulation import judging

from .patching import around, replaced, together

BINANCE, BYBIT = "binance", "bybit"
VENUES = (BINANCE, BYBIT)
SYMBOL = "BTCUSDT"
ELSEWHERE = "ETHUSDT"
ACCOUNT = "simulated"
LIMIT_THEN_MARKET = "limit-then-market"

ENTRY = {BINANCE: "/fapi/v1/order", BYBIT: "/v5/order/create"}
"""Where entries go, and closes."""

STOP = {BINANCE: "/fapi/v1/algoOrder", BYBIT: "/v5/position/trading-stop"}
"""Where stops are placed or moved."""

USER_STREAM = {BINANCE: "/private*", BYBIT: "/v5/private*"}
"""The sockets that tell of orders and positions."""

THIN_USD = Decimal(60)
"""A part of what a position is worth."""

FOREVER_NS = 10**15
"""Longer than any run."""

FIRST_MS = 5_000
CALM_MS = 80_000
AFTER_MS = 200_000
"""How long a run goes on after its faults."""


def scene(
    execution: str,
    *items: Item,
    calm_ms: int = CALM_MS,
    end_ms: int | None = None,
    armed_ms: int | None = None,
    latency_ms: int = 20,
) -> Schedule:
    """A run in which no price moves by itself. `execution`: a venue alone, or a way to enter on both.

    Faults end at `calm_ms`; points to die at are counted from `armed_ms`.
    """
    return Schedule(
        seed=1,
        items=items,
        calm_ms=calm_ms,
        end_ms=calm_ms + AFTER_MS if end_ms is None else end_ms,
        variant=execution if execution in EXECUTIONS else variant_of("market", (execution,)),
        volatility=0.0,
        latency_ms=latency_ms,
        armed_ms=armed_ms,
    )


def signal(venue: str, side: str = "long", at_ms: int = FIRST_MS, symbol: str = SYMBOL) -> Item:
    """Somebody wants a position."""
    return Item("signal", at_ms, venue=venue, own={"symbol": symbol, "side": side})


def jump(venue: str, at_ms: int, percent: int | str, symbol: str = SYMBOL) -> Item:
    """The price leaps."""
    return Item("jump", at_ms, venue=venue, own={"symbol": symbol, "percent": percent})


def rule(venue: str, name: str, *, from_ms: int = 0, **own: Any) -> Item:
    """A fault of the emulator, from an instant to the calm, as often as it says."""
    return Item("rule", from_ms, venue=venue, own={"name": name, **own})


def happens(venue: str, name: str, at_ms: int, lasts_ms: int = 0, **own: Any) -> Item:
    """A fault of the emulator that happens by itself, at an instant."""
    return Item("rule", at_ms, lasts_ms, venue, {"name": name, "at_ms": 0, **own})


def partition(venue: str, at_ms: int, for_ms: int, stops: str = "all", style: str = "silent") -> Item:
    """Nothing gets through, or no reads, or no writes."""
    return Item("partition", at_ms, for_ms, venue, {"stops": stops, "style": style})


def weather(venue: str, at_ms: int, for_ms: int, **rates: float) -> Item:
    """Requests and frames go astray, at these rates by name."""
    return Item("weather", at_ms, for_ms, venue, {name.replace("_", "-"): rate for name, rate in rates.items()})


def kills(point: int, down_ms: int) -> Item:
    """The process dies at its n-th point."""
    return Item("kill", own={"point": point, "down_ms": down_ms})


def thin_market() -> AbstractContextManager[None]:
    """Each time that a price is told, a part of what a position needs is there at the best prices."""

    def price(original: Any, self: World, venue: str, symbol: str, bid: Decimal, ask: Decimal, **more: Any) -> None:
        part = floor_to(THIN_USD / bid, self.markets(venue)[symbol].rules.step_size)
        original(self, venue, symbol, bid, ask, **more, bid_quantity=part, ask_quantity=part)

    return around(World, "price", price)


def thin_when_it_falls() -> AbstractContextManager[None]:
    """As long as a price is below where it began, a part of what a position needs is there at the best prices."""
    began: dict[tuple[str, str], Decimal] = {}

    def price(original: Any, self: World, venue: str, symbol: str, bid: Decimal, ask: Decimal, **more: Any) -> None:
        if bid < began.setdefault((venue, symbol), bid):
            part = floor_to(THIN_USD / bid, self.markets(venue)[symbol].rules.step_size)
            more |= {"bid_quantity": part, "ask_quantity": part}
        original(self, venue, symbol, bid, ask, **more)

    return around(World, "price", price)


def foreign_order() -> AbstractContextManager[None]:
    """An order that somebody placed by hand rests in a market of Binance that is flat."""

    def price(original: Any, self: World, venue: str, symbol: str, bid: Decimal, ask: Decimal, **more: Any) -> None:
        original(self, venue, symbol, bid, ask, **more)
        if (venue, symbol) != (BINANCE, ELSEWHERE) or self.venues[venue].open_orders(ACCOUNT):
            return
        tick = self.markets(venue)[symbol].rules.tick_size
        away = floor_to(bid * Decimal("0.9"), tick)
        order = OrderRequest("web_by-hand", symbol, OrderSide.BUY, OrderType.LIMIT, Decimal("0.1"), away)
        self.act(venue, lambda engine, now_ns: engine.place_order(ACCOUNT, order, now_ns))

    return around(World, "price", price)


def short_deadline() -> AbstractContextManager[None]:
    """A deployment whose `entry_deadline_s` is 1."""

    def policy(original: Any, self: Session, account: Any) -> Policy:
        hurried: Policy = evolve(original(self, account), entry_deadline_ns=SECOND_NS)
        return hurried

    return together(around(Session, "_policy", policy), replaced(judging, "DEADLINE_NS", SECOND_NS))


def killed(phase: str, venue: str, points: range) -> Iterator[Schedule]:
    """A position is opened, trailed or closed, and the process dies: at each of the points, a run for each."""
    case = Case(phase, venue)
    return (case.schedule(point) for point in points)
