"""Walking along candles: each is a path through four prices, and what rests between two of them fills there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import pytest
from attrs import frozen

from framework import Ask, Guard, Holding, NoState
from framework.testing import WalkExit, walk_candles, walk_protection

D = Decimal
SIX = {"use": "stop-loss", "percent": "6"}
TRAILING = {"use": "trailing-stop", "distance_percent": "1"}


def walk(protections: list[Any], side: str, *candles: tuple[Any, ...], path: Any = "worst-first") -> Any:
    timed = [(index * 60_000_000_000, *candle) for index, candle in enumerate(candles)]
    return walk_candles(protections, side=side, entry_price=100, candles=timed, path=path, tick_size="0.1")


@pytest.mark.parametrize(("side", "stop"), [("long", "94"), ("short", "106")])
def test_a_stop_within_the_candle_fills_at_its_own_price(side: str, stop: str) -> None:
    done = walk([SIX], side, (100, 107, 93, 100))

    assert done.exit == WalkExit(0, D(stop), "stop-loss")


@pytest.mark.parametrize(("side", "opened"), [("long", 93), ("short", 107)])
def test_a_stop_that_the_candle_opened_beyond_fills_at_the_open(side: str, opened: int) -> None:
    done = walk([SIX], side, (100, 101, 99, 100), (opened, 120, 80, 100))

    assert done.exit == WalkExit(1, D(opened), "stop-loss")


def test_worst_first_meets_the_old_stop_before_it_moves_and_best_first_the_moved_one() -> None:
    candle = (100, 110, "98.9", 105)

    assert walk([TRAILING], "long", candle).exit == WalkExit(0, D(99), "trailing-stop")
    assert walk([TRAILING], "long", candle, path="best-first").exit == WalkExit(0, D("108.9"), "trailing-stop")


def test_the_way_from_the_best_price_to_the_close_may_meet_the_stop_that_it_set() -> None:
    assert walk([TRAILING], "short", (100, "100.5", 90, 95)).exit == WalkExit(0, D("90.9"), "trailing-stop")


def test_the_stop_after_a_candle_is_the_one_that_its_best_price_set() -> None:
    assert walk([TRAILING], "long", (100, 110, "99.5", 109)).stops == [D("108.9")]


def test_candles_of_one_price_are_ticks() -> None:
    prices = [100, 103, 104, 98, 101]
    ticks = walk_protection([TRAILING], side="long", entry_price=100, ticks=prices, tick_size="0.1")

    assert walk([TRAILING], "long", *[(p, p, p, p) for p in prices]) == ticks


@frozen
class Enough:
    """Close at 103 or 97, whichever comes."""

    name: ClassVar[str] = "enough"
    state_type: ClassVar[type] = NoState

    def start(self, holding: Holding) -> Guard:
        return Guard(NoState(), None, Ask(below=D("96.95"), above=D("103.01")))

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        due = price <= D("96.95") or price >= D("103.01")
        return Guard(NoState(), None, close="enough" if due else None)


@pytest.mark.parametrize(
    ("candle", "price"),
    [((100, 104, 99, 100), "103.1"), ((100, 101, 95, 100), "96.9"), ((105, 106, 90, 100), "105")],
)
def test_a_close_takes_the_first_tick_that_calls_for_it_or_the_open(candle: tuple[int, ...], price: str) -> None:
    assert walk([SIX, Enough()], "long", candle).exit == WalkExit(0, D(price), "enough")


def test_of_a_stop_and_a_close_on_the_same_way_the_nearer_one_acts() -> None:
    assert walk([SIX, Enough()], "long", (100, 101, 90, 95)).exit == WalkExit(0, D("96.9"), "enough")
    near = {"use": "stop-loss", "percent": 2}
    assert walk([near, Enough()], "long", (100, 101, 90, 95)).exit == WalkExit(0, D(98), "stop-loss")


@pytest.mark.parametrize("candle", [(100, 99, 98, 98), (100, 101, 100.5, 101), (100, 101, 99, 102)])
def test_a_candle_that_is_none_is_refused(candle: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="candle 0 is none"):
        walk([SIX], "long", candle)


def test_a_path_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="path is one of worst-first, best-first"):
        walk([SIX], "long", (1, 1, 1, 1), path="first")
