"""Walking along ticks: what rests acts first, then the rules are asked, then the stop follows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import pytest
from attrs import frozen

from framework import Ask, ConfigError, Guard, Holding, NoState, Side
from framework.testing import WalkExit, walk_protection

D = Decimal
SIX = {"use": "stop-loss", "percent": "6"}
TRAILING = {"use": "trailing-stop", "distance_percent": "1"}
LATER = {"use": "trailing-stop", "distance_percent": "1", "activation_percent": "2"}


def walk(protections: list[Any], side: str, *ticks: Any, tick_size: Any = "0.1", entry_price: Any = 100) -> Any:
    return walk_protection(protections, side=side, entry_price=entry_price, ticks=ticks, tick_size=tick_size)


@pytest.mark.parametrize(("side", "stop"), [("long", "94.0"), ("short", "106.0")])
def test_the_stop_of_the_entry_stays_while_nothing_happens(side: str, stop: str) -> None:
    done = walk([SIX], side, 100, 101, 99)

    assert (done.stops, done.exit, done.first_stop) == ([D(stop)] * 3, None, D(stop))


@pytest.mark.parametrize(
    ("side", "tick", "leaves"),
    [("long", "94.1", False), ("long", "94", True), ("long", "90", True), ("short", "105.9", False),
     ("short", "106", True), ("short", "111", True)],
)  # fmt: skip
def test_the_first_price_at_or_beyond_the_stop_ends_it_at_that_price(side: str, tick: str, leaves: bool) -> None:
    done = walk([SIX], side, 100, tick, 100)

    assert done.exit == (WalkExit(1, D(tick), "stop-loss") if leaves else None)


def test_after_the_exit_there_is_no_stop() -> None:
    assert walk([SIX], "long", 100, 94, 100, 101).stops == [D(94), D(94), None, None]


def test_a_tick_moves_the_stop_only_after_it_met_the_one_that_rested_before() -> None:
    done = walk([TRAILING], "long", 110, 109)

    assert done.stops == [D("108.9"), D("108.9")]
    assert done.exit is None


def test_before_its_activation_a_trailing_stop_alone_has_no_stop() -> None:
    done = walk([LATER], "short", "98.1", 98, "97")

    assert done.first_stop is None
    assert done.stops == [None, D("99.0"), D("98.0")]


def test_the_tightest_stop_wins_and_gives_the_reason() -> None:
    assert walk([SIX, LATER], "long", 100, 94).exit.reason == "stop-loss"
    assert walk([SIX, LATER], "long", 102, 94).exit.reason == "trailing-stop"
    assert walk([LATER, SIX], "long", 102, 94).exit.reason == "trailing-stop"


def test_two_of_one_kind_go_side_by_side() -> None:
    near = {"use": "trailing-stop", "distance_percent": "0.5", "activation_percent": "5"}

    done = walk([TRAILING, near], "long", 104, 106, 105)

    assert done.stops == [D("103.0"), D("105.5"), D("105.5")]
    assert done.exit == WalkExit(2, D(105), "trailing-stop")


def test_stops_are_on_the_nearest_tick_and_written_with_its_digits() -> None:
    assert [str(stop) for stop in walk([TRAILING], "long", "100.049", tick_size="0.05").stops] == ["99.05"]


def test_without_a_tick_size_nothing_is_rounded() -> None:
    done = walk([TRAILING], "long", "1.23456789", tick_size=None, entry_price="1.2")

    assert done.stops == [D("1.2222222111")]
    assert str(done.first_stop) == "1.188"


@pytest.mark.parametrize("tick_size", [D("0.1"), "0.1", 0.1])
@pytest.mark.parametrize("percent", [D("5.5"), "5.5", 5.5])
def test_numbers_are_taken_as_decimals_text_or_floats(tick_size: Any, percent: Any) -> None:
    done = walk([{"use": "stop-loss", "percent": percent}], "short", 100.1, tick_size=tick_size)

    assert [str(stop) for stop in done.stops] == ["105.5"]


def test_ticks_may_carry_their_time() -> None:
    assert walk([SIX], "long", (5, 100), (5, "94")).exit == WalkExit(1, D(94), "stop-loss")


def test_time_that_runs_backwards_is_refused() -> None:
    with pytest.raises(ValueError, match="time runs backwards at 1: 4 after 5"):
        walk([SIX], "long", (5, 100), (4, 100))


@pytest.mark.parametrize("tick", [0, -1, "abc", "NaN", None])
def test_a_price_that_is_none_is_refused(tick: Any) -> None:
    with pytest.raises(ValueError, match="tick 1"):
        walk([SIX], "long", 100, tick)


def test_no_ticks_are_a_walk_that_has_not_begun() -> None:
    done = walk([SIX], "long")

    assert (done.stops, done.exit, done.first_stop) == ([], None, D(94))


def test_mistakes_in_settings_are_those_of_a_configuration_all_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        walk([{"use": "trailing-stp"}, {"use": "stop-loss", "percent": "0", "pecent": 1}], "long", 100)

    assert len(caught.value.problems) == 3


def test_a_table_that_is_not_enabled_guards_nothing() -> None:
    assert walk([SIX, {**TRAILING, "enabled": False}], "long", 110).stops == [D(94)]


def test_a_first_stop_on_the_wrong_side_is_refused_as_the_plan_would_be() -> None:
    with pytest.raises(ValueError, match="must be below the entry price"):
        walk([{"use": "stop-loss", "price": 101}], "long", 100)
    with pytest.raises(ValueError, match="acts at once"):
        walk([{"use": "trailing-stop", "distance_price": "0.1"}], "long", 100, tick_size=1)


@frozen
class Says:
    """A protection that answers once, at 101, as the test wants it."""

    name: ClassVar[str] = "says"
    state_type: ClassVar[type] = NoState

    answer: Guard

    def start(self, holding: Holding) -> Guard:
        return Guard(NoState(), D(90), Ask(above=D(101)))

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        return self.answer


def test_a_component_may_stand_in_place_of_a_table() -> None:
    closes = Says(Guard(NoState(), D(90), close="enough"))

    assert walk([SIX, closes], "long", 100, 102, 103).exit == WalkExit(1, D(102), "says")


def test_a_stop_that_the_price_has_reached_already_is_never_set_but_closes() -> None:
    done = walk([Says(Guard(NoState(), D(103)))], "long", 100, 102)

    assert done.stops == [D("90.0"), D("90.0")]
    assert done.exit == WalkExit(1, D(102), "says")


def test_a_protection_that_breaks_ends_the_walk_with_its_name() -> None:
    with pytest.raises(ValueError, match="says raised TypeError"):
        walk([Says(None)], "long", 102)  # type: ignore[arg-type]


def test_the_side_is_a_side_or_its_name() -> None:
    assert walk_protection([SIX], side=Side.SHORT, entry_price=100, ticks=[100]).stops == [D(106)]
    with pytest.raises(ValueError, match="up"):
        walk([SIX], "up", 100)
