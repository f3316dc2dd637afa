"""How long a start waits: not while there is plenty, briefly while there is some, else for the next minute."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework_venue.budget import Budget, Purpose, Window
from framework_venue.starting import A_START, LONGEST_S, PATIENCE_S, count_earlier, wait_s

MINUTE = Window("weight", 2400, 60.0, 0.25, counted_anew=True)
COST = 140
"""What a start takes with its first readings."""


@pytest.mark.parametrize("used", [0, 600, 1200])
@pytest.mark.parametrize("into_s", [0.0, 30.0, 59.0])
def test_a_start_waits_for_nothing_while_half_of_the_limit_is_free(used: int, into_s: float) -> None:
    assert wait_s(MINUTE, used, into_s) == 0


def test_from_half_of_the_limit_on_starts_are_spread_over_what_is_left_of_the_minute() -> None:
    assert wait_s(MINUTE, 1650, 31.0) == 0
    assert wait_s(MINUTE, 1650, 28.0) == pytest.approx(2.0)


def test_a_start_that_has_room_waits_a_few_seconds_at_most() -> None:
    assert wait_s(MINUTE, 2400 - A_START, 1.0) == PATIENCE_S


def test_a_start_that_would_be_refused_half_way_waits_for_the_next_minute() -> None:
    assert 20 < wait_s(MINUTE, 2400 - A_START + 1, 40.0) < 21
    assert wait_s(MINUTE, 2400, 1.0) == LONGEST_S


@settings(deadline=None, max_examples=200)
@given(used=st.integers(0, 2400), begin_s=st.floats(0, 59), life_s=st.floats(0.2, 10))
def test_however_often_it_is_restarted_the_limit_is_never_used_up(used: int, begin_s: float, life_s: float) -> None:
    """Each start asks for the time first, and is killed after `life_s`: before it, or while it waits, or afterwards."""
    used, now_s = min(used, 2400 - A_START), begin_s
    while now_s < 60:
        used += 1
        pause_s = wait_s(MINUTE, used, now_s)
        if pause_s < life_s and now_s + pause_s < 60:
            used += COST
        assert used <= 2400
        now_s += life_s


def test_who_restarts_it_each_second_gets_through_every_few_seconds() -> None:
    through, used, now_s = [], 0, 0.0
    while now_s < 60:
        used += 1
        if wait_s(MINUTE, used, now_s) < 0.5:
            used += COST
            through.append(now_s)
        now_s += 1.0
    assert max(after - before for before, after in pairwise([*through, 60.0])) <= 15


@pytest.mark.parametrize(
    ("since_s", "used"), [(0.0, 8), (1.0, 8), (1.1, 0), (60.0, 0), (-3600.0, 8)],
    ids=["now", "within", "just over", "long ago", "the clock was set back"],
)  # fmt: skip
def test_what_an_earlier_run_may_have_sent_counts_as_long_as_the_venue_counts_it(since_s: float, used: int) -> None:
    now = [1000.0]
    budget = Budget([Window("orders", 10, 1.1, 0.2)], lambda: now[0])

    count_earlier(budget, ["orders", "unheard of"], since_s)

    assert budget.used("orders") == used
    assert budget.take_now(Purpose.ENTER, {"orders": 1}) is (used == 0)
    assert budget.take_now(Purpose.PROTECT, {"orders": 1}), "closes have their share"
    now[0] += 1.2
    assert budget.take_now(Purpose.ENTER, {"orders": 1})
