"""A month of real minutes with a stop at a multiple of the average true range, trade for trade.

The other calculation is a plain loop over whole ticks. It shares no code with the product: quarters of an hour are
put together here, each entry ending one, and the average is a weighted sum in floating point instead of a recursion in
exact numbers.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import pairwise
from math import floor
from typing import Any

import pytest

from framework.testing import walk_candles
from tests.protection.minutes import MONTH, Market, read

QUARTER, MINUTE_NS = 15, 60 * 10**9
PERIODS, MULTIPLE, OVER = 14, 2.5, 85
LATER = 6 * 60
"""A position is given up after so many minutes."""
TABLE = {"use": "stop-loss", "atr": {"multiple": str(MULTIPLE)}}


def quarters(market: Market, end: int) -> list[tuple[int, int, int, int, int]]:
    """The candles of 15 minutes before the minute `end`: its first minute, open, high, low and close in ticks."""
    found = []
    for first in range(end - OVER * QUARTER, end, QUARTER):
        part = slice(first, first + QUARTER)
        highs, lows = market.highs[part], market.lows[part]
        found.append((first, market.opens[first], max(highs), min(lows), market.closes[first + QUARTER - 1]))
    return found


def distance(rows: list[tuple[int, int, int, int, int]]) -> float:
    """2.5 average true ranges, in ticks: the oldest 14 share what the others leave, each newer one weighs more."""
    ranges = [max(row[2] - row[3], abs(row[2] - before[4]), abs(row[3] - before[4])) for before, row in pairwise(rows)]
    kept = 1 - 1 / PERIODS
    smoothed = ranges[PERIODS:]
    total = sum(ranges[:PERIODS]) / PERIODS * kept ** len(smoothed)
    for age, each in enumerate(reversed(smoothed)):
        total += each / PERIODS * kept**age
    return MULTIPLE * total


def left(market: Market, long: bool, start: int) -> tuple[int, int, int | None]:
    """The stop in ticks, and the minute and price of the exit; None: it did not end."""
    entry = market.closes[start - 1]
    away = distance(quarters(market, start))
    stop = floor(entry - away + 0.5) if long else floor(entry + away + 0.5)
    for minute in range(start, start + LATER):
        opened, worst = market.opens[minute], (market.lows if long else market.highs)[minute]
        if opened <= stop if long else opened >= stop:
            return stop, minute, opened
        if worst <= stop if long else worst >= stop:
            return stop, minute, stop
    return stop, start + LATER, None


def walked(market: Market, side: str, start: int) -> tuple[int, int, int | None]:
    """What the product makes of it."""
    tick = market.tick
    before = [
        (market.candle(first)[0], opened * tick, high * tick, low * tick, closed * tick)
        for first, opened, high, low, closed in quarters(market, start)
    ]
    walk = walk_candles(
        [TABLE],
        side=side,
        entry_price=market.closes[start - 1] * market.tick,
        candles=[market.candle(minute) for minute in range(start, start + LATER)],
        tick_size=market.tick,
        candles_before={"15m": before},
    )
    assert walk.first_stop is not None
    stop = int(walk.first_stop / market.tick)
    if walk.exit is None:
        return stop, start + LATER, None
    return stop, start + walk.exit.index, int(walk.exit.price / market.tick)


@pytest.mark.parametrize("side", ["long", "short"])
def test_every_trade_of_the_month_has_its_stop_and_its_exit_where_the_loop_says(side: str) -> None:
    found: list[tuple[Any, Any]] = []
    for market in read(MONTH):
        for start in range(OVER * QUARTER, len(market.opens) - LATER, 1965 // QUARTER * QUARTER):
            found.append((walked(market, side, start), left(market, side == "long", start)))

    assert [each for each in found if each[0] != each[1]] == []
    ended = Counter(one[2] is not None for one, _ in found)
    assert len(found) > 300
    assert min(ended[True], ended[False]) > 50


def test_the_weights_of_the_loop_are_those_of_all_true_ranges_together() -> None:
    flat = [(0, 100, 104, 100, 102)] * OVER

    assert abs(distance(flat) - MULTIPLE * 4) < 1e-9
    assert Decimal(TABLE["atr"]["multiple"]) == Decimal(str(MULTIPLE))  # type: ignore[index]
