"""The kernel's contract suite first, then what is the filter's own."""

from __future__ import annotations

import pytest

from framework import Passed, Rejection
from framework.testing import check_filter, make_signal, make_snapshot
from framework_example import HOUR_NS, QuietHours, filters


def test_it_is_offered() -> None:
    assert filters() == [QuietHours]


def test_it_keeps_the_contract_of_a_filter() -> None:
    check_filter(QuietHours(from_hour=22))


@pytest.mark.parametrize(("hour", "quiet"), [(21, False), (22, True), (23, True), (0, True), (5, True), (6, False)])
def test_it_refuses_in_the_quiet_hours_alone(hour: int, quiet: bool) -> None:
    verdict = QuietHours(from_hour=22, hours=8).check(make_signal(), make_snapshot(time_ns=hour * HOUR_NS))

    assert isinstance(verdict, Rejection if quiet else Passed)
    assert verdict.numbers == {"hour": hour, "from_hour": 22, "hours": 8}


def test_a_refusal_names_the_hour() -> None:
    verdict = QuietHours(from_hour=22).check(make_signal(), make_snapshot(time_ns=23 * HOUR_NS))

    assert verdict == Rejection("quiet_hours", "23:00 UTC is in the quiet hours", verdict.numbers)


@pytest.mark.parametrize(("from_hour", "hours"), [(-1, 8), (24, 8), (0, 0), (0, 25)])
def test_settings_outside_of_a_day_are_refused(from_hour: int, hours: int) -> None:
    with pytest.raises(ValueError, match="hour"):
        QuietHours(from_hour=from_hour, hours=hours)
