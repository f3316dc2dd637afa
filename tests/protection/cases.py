"""Random positions, rules and prices, for the laws that hold for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import field, frozen
from hypothesis import strategies as st

MINUTE_NS = 60_000_000_000

Table = dict[str, Any]
Row = tuple[int, Decimal, Decimal, Decimal, Decimal]


@frozen
class Case:
    """A position, its protections, and the candles that follow; a tick is a candle of one price."""

    protections: list[Table]
    side: str
    entry: Decimal
    tick: Decimal
    candles: list[tuple[int, tuple[Decimal, ...]]]
    before: Mapping[str, list[Row]] = field(factory=dict)

    @property
    def ticks(self) -> list[tuple[int, Decimal]]:
        """Time and price, where every candle has one."""
        return [(time_ns, points[0]) for time_ns, points in self.candles]


def _percents(*texts: str) -> st.SearchStrategy[str]:
    return st.sampled_from(texts)


def _maybe(draw: st.DrawFn, table: Table, key: str, values: st.SearchStrategy[Any]) -> None:
    if draw(st.booleans()):
        table[key] = draw(values)


@st.composite
def trailing_stops(draw: st.DrawFn) -> Table:
    """A trailing stop with any of its settings."""
    table: Table = {"use": "trailing-stop", "distance_percent": draw(_percents("0.05", "0.7", "1", "2.5", "6"))}
    _maybe(draw, table, "activation_percent", _percents("0", "0.37", "1", "2"))
    _maybe(draw, table, "step_percent", _percents("0.2", "1"))
    _maybe(draw, table, "min_improvement_ticks", st.integers(1, 9))
    if draw(st.booleans()):
        table["min_interval_s"] = draw(st.sampled_from([60, 150, 600]))
        _maybe(draw, table, "urgent_percent", _percents("0.5", "2"))
    return table


@st.composite
def take_profits(draw: st.DrawFn) -> Table:
    """Levels that together are at most all."""
    levels = [
        {"percent": draw(_percents("0.5", "1", "2", "3.3")), "share": draw(_percents("0.25", "0.3"))}
        for _ in range(draw(st.integers(1, 3)))
    ]
    if draw(st.booleans()):
        levels = [{"percent": draw(_percents("1", "3")), "share": "1"}]
    return {"use": "take-profit", "levels": levels}


@st.composite
def time_exits(draw: st.DrawFn) -> Table:
    """An aged position, a maximum age, or both."""
    table: Table = {"use": "time-exit"}
    kind = draw(st.sampled_from(["aged", "old", "both"]))
    if kind != "old":
        table["grace_hours"] = draw(_percents("0", "0.1", "0.5"))
        _maybe(draw, table, "break_even_hours", _percents("0.2", "1"))
        _maybe(draw, table, "fee_percent", _percents("0.05", "0.2"))
        if draw(st.booleans()):
            table |= {"loss_percent_per_hour": draw(_percents("0.5", "2")), "max_loss_percent": "3"}
    if kind != "aged":
        table["max_age_hours"] = draw(_percents("0.3", "1.5"))
    return table


def break_evens() -> st.SearchStrategy[Table]:
    """A break-even with and without a fee."""
    return st.fixed_dictionaries(
        {"use": st.just("break-even"), "after_percent": _percents("0.1", "0.5", "2")},
        optional={"fee_percent": _percents("0.05", "0.2")},
    )


def ranges() -> st.SearchStrategy[Table]:
    """A multiple of the average true range of at most 19 candles of 15 minutes, or 7 of an hour."""
    return st.one_of(
        st.fixed_dictionaries({"multiple": _percents("0.7", "1", "3")}, optional={"periods": st.just(3)}).map(
            lambda table: {"periods": 2, **table}
        ),
        st.fixed_dictionaries(
            {"multiple": _percents("1.5", "2.25"), "interval": st.just("1h"), "periods": st.just(4)},
            optional={"candles": st.integers(5, 7)},
        ).map(lambda table: {"candles": 6, **table}),
    )


def measured_stops() -> st.SearchStrategy[Table]:
    """A stop, or a trailing stop, at a measured distance."""
    return st.one_of(
        st.fixed_dictionaries({"use": st.just("stop-loss"), "atr": ranges()}),
        st.fixed_dictionaries(
            {"use": st.just("trailing-stop"), "distance_atr": ranges()},
            optional={"activation_percent": _percents("0", "1"), "step_percent": _percents("0.2")},
        ),
    )


@st.composite
def histories(draw: st.DrawFn, entry: int, tick: Decimal) -> dict[str, list[Row]]:
    """The closed candles before the instant 0, of both intervals that are asked for."""
    found: dict[str, list[Row]] = {}
    for interval, minutes, count in (("15m", 15, 19), ("1h", 60, 7)):
        rows: list[Row] = []
        for left in range(count, 0, -1):
            low = max(5, entry + draw(st.integers(-entry // 80, entry // 80)))
            high = low + draw(st.integers(0, entry // 40))
            one, other = draw(st.integers(low, high)), draw(st.integers(low, high))
            rows.append((-left * minutes * MINUTE_NS, one * tick, high * tick, low * tick, other * tick))
        found[interval] = rows
    return found


def stop_losses() -> st.SearchStrategy[Table]:
    """A stop that stays."""
    return st.fixed_dictionaries({"use": st.just("stop-loss"), "percent": _percents("0.9", "3", "6")})


def liquidation_guards() -> st.SearchStrategy[Table]:
    """A guard of a high leverage, so that prices come near."""
    return st.fixed_dictionaries({"use": st.just("liquidation-guard"), "leverage": st.sampled_from(["8", "12"])})


TABLES = st.one_of(
    stop_losses(),
    trailing_stops(),
    trailing_stops(),
    measured_stops(),
    break_evens(),
    take_profits(),
    time_exits(),
    liquidation_guards(),
)


@st.composite
def cases(draw: st.DrawFn, *, points: int | None = None) -> Case:
    """Any position with one to four protections. `points`: 1 for ticks, 4 for candles, None for either."""
    tick = Decimal(draw(st.sampled_from(["0.00001", "0.001", "0.1", "0.5", "0.00025"])))
    at = entry = draw(st.integers(400, 6000))
    each = points or draw(st.sampled_from([1, 4]))
    largest = max(2, entry // 60)
    time_ns, candles = 0, []
    for _ in range(draw(st.integers(1, 25))):
        at = max(10, at + draw(st.integers(-largest, largest)))
        levels = [at]
        if each == 4:
            close = max(10, at + draw(st.integers(-largest, largest)))
            high = max(at, close) + draw(st.integers(0, largest))
            low = max(5, min(at, close) - draw(st.integers(0, largest)))
            levels = [at, *([low, high] if draw(st.booleans()) else [high, low]), close]
            at = close
        candles.append((time_ns, tuple(level * tick for level in levels)))
        time_ns += draw(st.sampled_from([0, 1, 7])) * MINUTE_NS
    protections = draw(st.lists(TABLES, min_size=1, max_size=4))
    measured = any("atr" in table or "distance_atr" in table for table in protections)
    before = draw(histories(entry, tick)) if measured else {}
    return Case(protections, draw(st.sampled_from(["long", "short"])), entry * tick, tick, candles, before)
