"""Runs that are made for a purpose: what happens in them, item by item."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from framework_simulator.simulation import Item, Schedule
from framework_simulator.simulation.crashes import Case

BINANCE, BYBIT = "binance", "bybit"
VENUES = (BINANCE, BYBIT)
SYMBOL = "BTCUSDT"
LIMIT_THEN_MARKET = "limit-then-market"

ENTRY = {BINANCE: "/fapi/v1/order", BYBIT: "/v5/order/create"}
"""Where entries go, and closes."""

STOP = {BINANCE: "/fapi/v1/algoOrder", BYBIT: "/v5/position/trading-stop"}
"""Where stops are placed or moved."""

USER_STREAM = {BINANCE: "/private*", BYBIT: "/v5/private*"}
"""The sockets that tell of orders and positions."""

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
        execution=execution,
        volatility=0.0,
        latency_ms=latency_ms,
        armed_ms=armed_ms,
    )


def signal(venue: str, side: str = "long", at_ms: int = FIRST_MS, symbol: str = SYMBOL) -> Item:
    """Somebody wants a position."""
    return Item("signal", at_ms, venue=venue, own={"symbol": symbol, "side": side})


def jump(venue: str, at_ms: int, percent: int | str) -> Item:
    """The price leaps."""
    return Item("jump", at_ms, venue=venue, own={"symbol": SYMBOL, "percent": percent})


def rule(venue: str, name: str, **own: Any) -> Item:
    """A fault of the emulator, from the start to the calm, as often as it says."""
    return Item("rule", venue=venue, own={"name": name, **own})


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


def killed(phase: str, venue: str, points: range) -> Iterator[Schedule]:
    """A position is opened, trailed or closed, and the process dies: at each of the points, a run for each."""
    case = Case(phase, venue)
    return (case.schedule(point) for point in points)
