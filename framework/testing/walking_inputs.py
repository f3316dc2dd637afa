"""What a walk along prices is given, made exact: prices, ticks, candles and protections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import cache
from itertools import pairwise
from typing import Any

from ..config.tables import components_of
from ..core.market import INTERVALS_S, MarketRules
from ..core.market import Candle as Closed
from ..core.measuring import measured_by
from ..core.signal import Side
from ..errors import MissingDataError
from ..registry import Kind, Registry, installed_plugins
from .builders import make_signal, make_snapshot

Price = Decimal | str | int | float
"""A price. Of a float its shortest text counts: 0.1 is one tenth."""

SECOND_NS = 1_000_000_000

_DIGITS = 24
"""Significant digits of a stop that is not rounded: more than any product of a price and a percentage has."""


def price_of(value: object, what: str) -> Decimal:
    """A price as an exact number. Raises `ValueError` for what is none."""
    try:
        price = Decimal(repr(float(value))) if isinstance(value, float) else Decimal(value)  # type: ignore[arg-type]
    except (InvalidOperation, TypeError, ValueError):
        raise ValueError(f"{what} is no number: {value!r}") from None
    if not (price.is_finite() and price > 0):
        raise ValueError(f"{what} must be above zero, got {value!r}")
    return price


def side_of(value: Side | str) -> Side:
    """``long`` or ``short``."""
    return Side(value.lower()) if isinstance(value, str) else value


def unrounded(entry: Decimal) -> Decimal:
    """A tick so small beside the price that rounding to it changes nothing that anybody writes down."""
    return Decimal(1).scaleb(entry.adjusted() - _DIGITS)


def ticks_of(ticks: Iterable[Price | tuple[int, Price]]) -> list[tuple[int, Decimal]]:
    """Pairs of nanoseconds and price; bare prices are a second apart."""
    pairs = []
    for index, tick in enumerate(ticks):
        time_ns, price = tick if isinstance(tick, tuple | list) else (index * SECOND_NS, tick)
        pairs.append((int(time_ns), price_of(price, f"tick {index}")))
    _in_order([time_ns for time_ns, _ in pairs])
    return pairs


Candle = tuple[int, Decimal, Decimal, Decimal, Decimal]


def candles_of(candles: Iterable[tuple[int, Price, Price, Price, Price]]) -> list[Candle]:
    """Candles as (nanoseconds of the open, open, high, low, close)."""
    listed = [_candle(index, *candle) for index, candle in enumerate(candles)]
    _in_order([candle[0] for candle in listed])
    return listed


def history_of(
    candles_before: Mapping[str, Iterable[tuple[int, Price, Price, Price, Price]]],
) -> dict[str, tuple[Closed, ...]]:
    """Closed candles by interval, as an exchange answers them. Raises `ValueError` for an interval that is none."""
    found = {}
    for interval, candles in candles_before.items():
        if interval not in INTERVALS_S:
            raise ValueError(f"unknown candle interval {interval!r}; known: {', '.join(INTERVALS_S)}")
        length_ns = INTERVALS_S[interval] * SECOND_NS
        listed = candles_of(candles)
        found[interval] = tuple(
            Closed(time_ns, time_ns + length_ns, opened, high, low, closed, Decimal(0))
            for time_ns, opened, high, low, closed in listed
        )
    return found


def _candle(index: int, time_ns: int, *prices: Price) -> Candle:
    opened, high, low, closed = (price_of(price, f"candle {index}") for price in prices)
    if not low <= min(opened, closed) <= max(opened, closed) <= high:
        raise ValueError(f"candle {index} is none: open {opened}, high {high}, low {low}, close {closed}")
    return int(time_ns), opened, high, low, closed


def _in_order(times_ns: Sequence[int]) -> None:
    for index, (one, other) in enumerate(pairwise(times_ns), start=1):
        if other < one:
            raise ValueError(f"time runs backwards at {index}: {other} after {one}")


def components(protections: Sequence[Mapping[str, Any] | object]) -> list[Any]:
    """The protections that tables describe, those that are enabled; a component stands for itself."""
    tables = [each for each in protections if isinstance(each, Mapping)]
    if not tables and protections:
        return list(protections)
    made = iter(components_of(Kind.PROTECTION, tables, _registry()))
    chosen: list[Any] = []
    for each in protections:
        if not isinstance(each, Mapping):
            chosen.append(each)
        elif (configured := next(made)).enabled:
            chosen.append(configured.component)
    return chosen


@cache
def _registry() -> Registry:
    """All installed plugins: a walk has no list of them. What can't be loaded offers nothing."""
    return Registry.attempt([plugin.name for plugin in installed_plugins(())])


def measured_before(
    protections: Sequence[object],
    side: Side,
    rules: MarketRules,
    time_ns: int,
    history: Mapping[str, tuple[Closed, ...]],
) -> Mapping[str, Decimal]:
    """What protections measure before the entry. Raises `ValueError` when a candle that they need is not there."""
    signal = make_signal(rules.symbol, side)
    market = make_snapshot(rules.symbol, time_ns=time_ns, rules=rules, candles=history)
    measured: Mapping[str, Decimal] = {}
    for protection in protections:
        try:
            measured = measured_by(protection, signal, market, measured)
        except MissingDataError as missing:
            raise ValueError(
                f"{getattr(protection, 'name', protection)} needs {missing}: candles_before lacks them"
            ) from missing
    return measured
