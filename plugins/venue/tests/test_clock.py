"""The venue's time as seen from here."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework_venue.clock import NS_PER_MS, VenueClock

from .rig import HandClock

NOW_MS = HandClock().ns // NS_PER_MS


def test_without_a_measurement_the_venues_time_is_ours() -> None:
    assert VenueClock(HandClock()).now_ms() == NOW_MS


def test_the_venue_is_taken_to_have_read_its_clock_half_way() -> None:
    ours = HandClock()
    clock = VenueClock(ours)
    clock.measured(ours.ns, ours.ns + 200 * NS_PER_MS, NOW_MS + 100 + 3000)
    assert (clock.skew_ms, clock.now_ms()) == (3000, NOW_MS + 3000)


@settings(deadline=None, max_examples=100)
@given(st.integers(-(10**6), 10**6), st.integers(0, 5000), st.integers(0, 5000))
def test_the_measured_difference_is_off_by_no_more_than_it_says(skew_ms: int, there_ms: int, back_ms: int) -> None:
    ours = HandClock()
    clock = VenueClock(ours)
    venue_ms = NOW_MS + there_ms + skew_ms
    clock.measured(ours.ns, ours.ns + (there_ms + back_ms) * NS_PER_MS, venue_ms)
    assert abs(clock.skew_ms - skew_ms) <= clock.uncertain_ms


@pytest.mark.parametrize(("step_ms", "told"), [(999, 0), (-999, 0), (1_000, 1), (-3_600_000, 1)])
def test_a_difference_that_changes_by_a_second_or_more_is_a_clock_that_was_set(step_ms: int, told: int) -> None:
    ours = HandClock()
    steps: list[int] = []
    clock = VenueClock(ours, lambda: steps.append(1))
    clock.measured(ours.ns, ours.ns, NOW_MS + 10)

    clock.measured(ours.ns, ours.ns, NOW_MS + 10 + step_ms)

    assert len(steps) == told


@settings(deadline=None, max_examples=100)
@given(st.integers(-(10**6), 10**6), st.integers(0, 5000), st.integers(0, 5000))
def test_a_clock_is_never_said_to_be_further_off_than_it_is(skew_ms: int, there_ms: int, back_ms: int) -> None:
    ours = HandClock()
    clock = VenueClock(ours)
    clock.measured(ours.ns, ours.ns + (there_ms + back_ms) * NS_PER_MS, NOW_MS + there_ms + skew_ms)
    assert clock.surely_off_ms <= abs(skew_ms)


def test_what_a_quick_answer_measures_is_off_for_sure() -> None:
    ours = HandClock()
    clock = VenueClock(ours)
    clock.measured(ours.ns, ours.ns + 20 * NS_PER_MS, NOW_MS + 10 - 3000)
    assert clock.surely_off_ms == 3000 - clock.uncertain_ms
