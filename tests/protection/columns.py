"""Exits of a fixed and a trailing stop from whole columns of prices at once: no events, no states, whole ticks only.

It shares no code with the product. A candle becomes four points: open, the extreme against the position, the one in its
favour, close. The running best of all points is one column; the stop is a function of that best, and so another column;
the exit is where the points first meet the stop of the point before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, islice

CHUNK = 720
"""Candles that are looked at together: most positions do not live for the whole column."""


@dataclass(frozen=True)
class Rules:
    """The two stops, in hundredths of a percent."""

    stop: int
    activation: int
    distance: int


@dataclass(frozen=True)
class Left:
    """The candle of the exit, its price in ticks, and whose stop it was."""

    candle: int
    ticks: int
    reason: str


def left(
    rules: Rules,
    long: bool,
    entry: int,
    columns: tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[int]],
    start: int,
) -> Left | None:
    """Where a position that was opened at `entry`, before the candle `start`, ends; None: it is open at the end."""
    opens, highs, lows, closes = columns
    against, favour = (lows, highs) if long else (highs, lows)
    best, stop_of = entry, _stop(rules, long, entry)
    for first in range(start, len(opens), CHUNK):
        part = slice(first, first + CHUNK)
        points = list(chain.from_iterable(zip(opens[part], against[part], favour[part], closes[part], strict=True)))
        bests = list(accumulate(points, max if long else min, initial=best))
        stops = [stop_of(each) for each in bests[:-1]]
        met = (i for i, (p, stop) in enumerate(zip(points, stops, strict=True)) if (p <= stop if long else p >= stop))
        for index in islice(met, 1):
            price = points[index] if index % 4 == 0 else stops[index]
            reason = "stop-loss" if stops[index] == stop_of(entry) else "trailing-stop"
            return Left(first + index // 4, price, reason)
        best = bests[-1]
    return None


def _stop(rules: Rules, long: bool, entry: int) -> Callable[[int], int]:
    """The stop as a function of the best price, in ticks, a half upwards; the last answer is kept: most are equal."""
    sign = 1 if long else -1
    fixed = _scaled(entry, 10_000 - sign * rules.stop)
    memory: dict[int, int] = {}

    def stop(best: int) -> int:
        if best not in memory:
            armed = sign * best * 10_000 >= sign * entry * (10_000 + sign * rules.activation)
            trailing = _scaled(best, 10_000 - sign * rules.distance) if armed else fixed
            memory[best] = max(fixed, trailing) if long else min(fixed, trailing)
        return memory[best]

    return stop


def _scaled(ticks: int, share: int) -> int:
    return (2 * ticks * share + 10_000) // 20_000


def entries(length: int, every: int) -> Iterator[int]:
    """The candles before which a position is opened at the close of the one before."""
    return iter(range(1, length, every))
