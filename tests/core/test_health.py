"""The board of health: what parts report, since when, and the worst of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from framework import Health
from framework.core.health import Board, worst

SOURCE = "source websocket"


def test_a_first_report_of_something_healthy_is_no_news() -> None:
    board = Board()

    assert board.report(SOURCE, "connected", Health.HEALTHY, "", 1) is None
    assert [each.name for each in board.conditions] == ["connected"]


def test_a_first_report_of_trouble_is_news() -> None:
    change = Board().report(SOURCE, "connected", Health.DOWN, "refused", 7)

    assert change is not None
    assert change.before is None
    assert (change.after.health, change.after.reason, change.after.since_ns) == (Health.DOWN, "refused", 7)


def test_the_same_health_again_is_no_news_and_keeps_its_instant_and_takes_the_newest_reason() -> None:
    board = Board()
    board.report(SOURCE, "connected", Health.DOWN, "refused", 7)

    assert board.report(SOURCE, "connected", Health.DOWN, "timed out", 9) is None
    [condition] = board.conditions
    assert (condition.since_ns, condition.reason) == (7, "timed out")


def test_a_recovery_is_news_and_has_its_own_instant() -> None:
    board = Board()
    board.report(SOURCE, "connected", Health.DOWN, "refused", 7)

    change = board.report(SOURCE, "connected", Health.HEALTHY, "", 11)

    assert change is not None
    assert change.after.since_ns == 11
    assert board.troubles == ()


def test_a_part_is_as_healthy_as_the_worst_of_its_conditions() -> None:
    board = Board()
    board.report(SOURCE, "connected", Health.HEALTHY, "", 1)
    board.report(SOURCE, "waves", Health.DEGRADED, "late", 2)
    board.report("account one", "stream", Health.DOWN, "gone", 3)

    assert board.of(SOURCE) is Health.DEGRADED
    assert board.of("account two") is Health.HEALTHY
    assert board.overall is Health.DOWN


@given(st.lists(st.sampled_from(Health)))
def test_the_worst_of_several_is_down_before_degraded_before_healthy(several: list[Health]) -> None:
    order = [Health.HEALTHY, Health.DEGRADED, Health.DOWN]

    assert worst(several) is order[max((order.index(each) for each in several), default=0)]


@given(st.lists(st.tuples(st.sampled_from(("a", "b")), st.sampled_from(Health)), max_size=30))
def test_news_are_exactly_the_changes(reports: list[tuple[str, Health]]) -> None:
    board, known = Board(), {"a": Health.HEALTHY, "b": Health.HEALTHY}
    for instant, (name, health) in enumerate(reports):
        change = board.report(SOURCE, name, health, "", instant)
        assert (change is not None) is (known[name] is not health)
        known[name] = health
