"""The way through a bar."""

from __future__ import annotations

import pytest

from framework import Candle, Side
from framework_simulator.engine.path import BarPath, after_opening, opening

from .kit import d

BAR = Candle(1000, 1400, open=d(100), high=d(110), low=d(90), close=d(105), quote_volume=d(1))


@pytest.mark.parametrize(
    ("order", "holding", "extremes"),
    [
        ("worst-first", Side.LONG, [90, 110]),
        ("worst-first", Side.SHORT, [110, 90]),
        ("worst-first", None, [90, 110]),
        ("best-first", Side.LONG, [110, 90]),
        ("best-first", Side.SHORT, [90, 110]),
        ("best-first", None, [110, 90]),
    ],
)
def test_the_order_of_the_extremes_is_seen_from_the_position(
    order: BarPath, holding: Side | None, extremes: list[int]
) -> None:
    assert [point.price for point in after_opening(BAR, holding, order)] == [*extremes, 105]


def test_the_points_lie_at_the_quarters_of_the_bar() -> None:
    assert opening(BAR).at_ns == 1000
    assert [point.at_ns for point in after_opening(BAR, None, "worst-first")] == [1100, 1200, 1300]


def test_the_opening_is_the_open() -> None:
    assert opening(BAR).price == d(100)
