"""Walking with candles before the entry: what protections measure there, and what is missing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from framework import ConfigError
from framework.testing import Walk, WalkExit, walk_candles, walk_protection

D = Decimal
HOUR_NS = 3_600_000_000_000
ATR = {"multiple": "2", "periods": 2, "interval": "1h", "candles": 3}
STOP = {"use": "stop-loss", "atr": ATR}
BEFORE = {"1h": [(-3 * HOUR_NS, 99, 101, 99, 100), (-2 * HOUR_NS, 100, 102, 99, 101), (-HOUR_NS, 101, 102, 101, 102)]}
"""True ranges of 3 and 1: two on average."""


def walk(*ticks: Any, protections: Any = (STOP,), side: str = "long", before: Any = BEFORE) -> Walk:
    return walk_protection(protections, side=side, entry_price=100, ticks=ticks, tick_size="0.1", candles_before=before)


@pytest.mark.parametrize(("side", "stop"), [("long", "96.0"), ("short", "104.0")])
def test_the_stop_lies_at_the_multiple_of_what_was_measured_before_the_entry(side: str, stop: str) -> None:
    done = walk(100, 101, 99, side=side)

    assert done.first_stop == D(stop)
    assert done.stops == [D(stop)] * 3


def test_a_trailing_stop_keeps_the_distance_that_was_measured() -> None:
    done = walk(100, 110, "105.9", protections=[{"use": "trailing-stop", "distance_atr": ATR}])

    assert done.stops == [D("96.0"), D("106.0"), D("106.0")]
    assert done.exit == WalkExit(2, D("105.9"), "trailing-stop")


def test_along_candles_it_is_the_same() -> None:
    done = walk_candles(
        [STOP], side="long", entry_price=100, candles=[(0, 100, 101, 95, 99)], tick_size="0.1", candles_before=BEFORE
    )

    assert done.exit == WalkExit(0, D("96.0"), "stop-loss")


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ({}, "has 0"),
        ({"1h": BEFORE["1h"][1:]}, "has 2"),
        ({"15m": BEFORE["1h"]}, "has 0"),
        ({"1h": [(time_ns - HOUR_NS, *prices) for time_ns, *prices in BEFORE["1h"]]}, "not the last closed one"),
        ({"1h": [(-5 * HOUR_NS, 99, 101, 99, 100), *BEFORE["1h"][1:]]}, "there is a gap"),
    ],
    ids=["none", "too few", "others", "old", "gap"],
)
def test_without_the_candles_that_it_needs_no_position_is_opened(before: Any, told: str) -> None:
    with pytest.raises(ValueError, match=rf"stop-loss needs 3 candles of 1h.*{told}.*candles_before"):
        walk(100, before=before)


def test_an_interval_that_no_venue_serves_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="unknown candle interval '7m'; known: 1m, 3m"):
        walk(100, before={"7m": []})


@pytest.mark.parametrize(
    ("atr", "told"),
    [
        ({}, "multiple"),
        ({"multiple": "0"}, "greater than 0"),
        ({"multiple": "2", "interval": "7m"}, "interval"),
        ({"multiple": "2", "candles": 14}, "above periods"),
        ({"multiple": "2", "period": 14}, "period"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_with_its_key(atr: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        walk(100, protections=[{"use": "stop-loss", "atr": atr}])


def test_a_distance_beside_another_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="set exactly one of percent, price and atr"):
        walk(100, protections=[{"use": "stop-loss", "atr": ATR, "percent": "6"}])
