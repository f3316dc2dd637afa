"""The way a price takes through a bar: open, one extreme, the other extreme, close, at its quarters.

A bar does not tell which extreme came first. The choice is made against the position (``worst-first``) or for it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from attrs import frozen

from framework import Candle, Side

BarPath = Literal["worst-first", "best-first"]


@frozen
class Point:
    """Where the price is at an instant (`at_ns`, UTC)."""

    at_ns: int
    price: Decimal


def opening(bar: Candle) -> Point:
    """The first point. The market jumps there: nothing was traded between the last close and this open."""
    return Point(bar.open_ns, bar.open)


def after_opening(bar: Candle, holding: Side | None, order: BarPath) -> tuple[Point, Point, Point]:
    """The two extremes and the close, reached by continuous moves after 1/4, 2/4 and 3/4 of the bar's length.

    `holding` is the side of the position that is open when the bar begins. Without one the low comes first, or
    the high with ``best-first``.
    """
    low_first = (holding is not Side.SHORT) == (order == "worst-first")
    first, second = (bar.low, bar.high) if low_first else (bar.high, bar.low)
    return (
        Point(_at_quarter(bar, 1), first),
        Point(_at_quarter(bar, 2), second),
        Point(_at_quarter(bar, 3), bar.close),
    )


def _at_quarter(bar: Candle, quarter: int) -> int:
    return bar.open_ns + (bar.close_ns - bar.open_ns) * quarter // 4
