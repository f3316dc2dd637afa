"""Walk protections along prices: the very rules that run live, without a venue, a clock or a position.

A tick is one price; a candle is four. What is resting acts first, then the rules are asked, then the stop follows.
docs/protection.md defines each rule and says what happens within a candle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal, get_args

from ..core.protection import Holding
from ..core.signal import Side
from .builders import make_rules
from .walking_inputs import (
    Price,
    candles_of,
    components,
    history_of,
    measured_before,
    price_of,
    side_of,
    ticks_of,
    unrounded,
)
from .walking_steps import Walk, Walker

NONE_BEFORE: Mapping[str, Iterable[tuple[int, Price, Price, Price, Price]]] = MappingProxyType({})
"""No candles before the entry."""

Path = Literal["worst-first", "best-first"]
"""Which extreme of a candle comes before the other: the one against the position, or the one in its favour."""


def walk_protection(
    protections: Sequence[Mapping[str, Any] | object],
    *,
    side: Side | str,
    entry_price: Price,
    ticks: Iterable[Price | tuple[int, Price]],
    tick_size: Price | None = None,
    candles_before: Mapping[str, Iterable[tuple[int, Price, Price, Price, Price]]] = NONE_BEFORE,
) -> Walk:
    """What becomes of a position along `ticks`, with these protections.

    `protections` are tables as they stand in a configuration (``{"use": "trailing-stop", "distance_percent": "1"}``),
    or components. Prices are `Decimal`, text or numbers. `ticks` are prices, a second apart from each other, or pairs
    of nanoseconds and price; the position is opened with the first of them, at `entry_price`. Stops are rounded to the
    nearest `tick_size`; None: not at all. `candles_before` are the closed candles that protections measure at the entry
    (`MeasuresMarket`), by interval: (nanoseconds of the open, open, high, low, close), oldest first, the newest the one
    that closed last before the position is opened.

    An exit takes the price of its tick: a stop that the price jumps over fills where the price is.

    Raises `ConfigError` for settings that can't be used, and `ValueError` for prices that are none, times that run
    backwards, a first stop that no plan would be made with, and candles that are needed and not there.
    """
    pairs = ticks_of(ticks)
    walker = _walker(protections, side, entry_price, pairs[0][0] if pairs else 0, tick_size, candles_before)
    for index, (time_ns, price) in enumerate(pairs):
        walker.candle(index, time_ns, (price,))
    return walker.result()


def walk_candles(
    protections: Sequence[Mapping[str, Any] | object],
    *,
    side: Side | str,
    entry_price: Price,
    candles: Iterable[tuple[int, Price, Price, Price, Price]],
    path: Path = "worst-first",
    tick_size: Price | None = None,
    candles_before: Mapping[str, Iterable[tuple[int, Price, Price, Price, Price]]] = NONE_BEFORE,
) -> Walk:
    """The same along candles: (nanoseconds of the open, open, high, low, close).

    A candle is a path through four prices: its open, the two extremes in the order of `path`, its close. What rests
    between two of them fills at its own price; what the candle opened beyond fills at the open.
    """
    if path not in get_args(Path):
        raise ValueError(f"path is one of {', '.join(get_args(Path))}, got {path!r}")
    listed = candles_of(candles)
    walker = _walker(protections, side, entry_price, listed[0][0] if listed else 0, tick_size, candles_before)
    high_first = (walker.holding.side is Side.SHORT) == (path == "worst-first")
    for index, (time_ns, opened, high, low, closed) in enumerate(listed):
        one, other = (high, low) if high_first else (low, high)
        walker.candle(index, time_ns, (opened, one, other, closed))
    return walker.result()


def _walker(
    protections: Sequence[Mapping[str, Any] | object],
    side: Side | str,
    entry_price: Price,
    opened_ns: int,
    tick_size: Price | None,
    candles_before: Mapping[str, Iterable[tuple[int, Price, Price, Price, Price]]],
) -> Walker:
    entry = price_of(entry_price, "entry_price")
    tick = unrounded(entry) if tick_size is None else price_of(tick_size, "tick_size")
    rules = make_rules(tick_size=tick, max_price=Decimal("1e30"))
    made, history = components(protections), history_of(candles_before)
    measured = measured_before(made, side_of(side), rules, opened_ns, history)
    holding = Holding("walk", rules.symbol, side_of(side), entry, Decimal(1), opened_ns, rules, measured=measured)
    return Walker.begun(holding, made, trims=tick_size is None)
