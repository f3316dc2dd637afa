from __future__ import annotations

from decimal import Decimal

import pytest

from framework import Passed, Rejection, Verdict
from framework.testing import NOW_NS, make_signal, make_snapshot
from framework_filters import SignalAge

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS


def check(component: SignalAge, age_ns: int) -> Verdict:
    return component.check(make_signal(created_ns=NOW_NS - age_ns), make_snapshot(needs=component.needs))


def test_a_fresh_signal_passes_and_shows_its_age() -> None:
    assert check(SignalAge(max_age_minutes=30), 90 * SECOND_NS) == Passed({"age_s": Decimal(90)})


def test_the_greatest_age_still_passes() -> None:
    assert isinstance(check(SignalAge(max_age_minutes=30), 30 * MINUTE_NS), Passed)


def test_a_nanosecond_more_is_too_old() -> None:
    verdict = check(SignalAge(max_age_minutes=30), 30 * MINUTE_NS + 1)

    assert isinstance(verdict, Rejection)
    assert verdict.code == "signal_too_old"
    assert verdict.message == "the signal is 1800 s old, more than 30 minutes"
    assert verdict.numbers == {"age_s": Decimal("1800.000000001"), "max_age_minutes": 30}


def test_the_setting_decides_the_greatest_age() -> None:
    assert isinstance(check(SignalAge(max_age_minutes=31), 30 * MINUTE_NS + 1), Passed)


def test_a_clock_that_runs_a_minute_ahead_passes_by_default() -> None:
    assert isinstance(check(SignalAge(max_age_minutes=30), -60 * SECOND_NS), Passed)


def test_a_signal_from_further_in_the_future_is_refused() -> None:
    verdict = check(SignalAge(max_age_minutes=30), -60 * SECOND_NS - 1)

    assert isinstance(verdict, Rejection)
    assert verdict.code == "signal_from_future"
    assert verdict.numbers == {"age_s": Decimal("-60.000000001"), "max_future_seconds": 60}


def test_the_setting_decides_how_far_the_future_may_be() -> None:
    component = SignalAge(max_age_minutes=30, max_future_seconds=0)

    assert isinstance(check(component, 0), Passed)
    assert isinstance(check(component, -1), Rejection)


@pytest.mark.parametrize(("minutes", "seconds"), [(0, 60), (-1, 60), (30, -1)])
def test_settings_that_let_nothing_through_are_mistakes(minutes: int, seconds: int) -> None:
    with pytest.raises(ValueError, match="must"):
        SignalAge(max_age_minutes=minutes, max_future_seconds=seconds)
