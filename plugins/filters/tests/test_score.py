from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from framework import Passed, Rejection, SignalSettings, Verdict
from framework.testing import Numeric, make_signal, make_snapshot
from framework_filters import Score

WEEK_60 = Score(minimum={"week": Decimal(60)})


def check(component: Score, scores: Mapping[str, Numeric], own: Mapping[str, Decimal] | None = None) -> Verdict:
    signal = make_signal(scores=scores, settings=SignalSettings(min_scores=own or {}))
    return component.check(signal, make_snapshot(needs=component.needs))


def test_a_score_at_the_minimum_passes_with_its_numbers() -> None:
    assert check(WEEK_60, {"week": 60}) == Passed({"week": Decimal(60), "minimum_week": Decimal(60)})


def test_a_score_below_the_minimum_is_refused() -> None:
    verdict = check(WEEK_60, {"week": "59.99"})

    assert verdict == Rejection(
        "score_too_low",
        "the score 'week' is 59.99, below 60",
        {"name": "week", "score": Decimal("59.99"), "minimum": Decimal(60)},
    )


def test_an_absent_score_is_refused() -> None:
    verdict = check(WEEK_60, {"month": 99})

    assert isinstance(verdict, Rejection)
    assert verdict.code == "score_missing"
    assert verdict.numbers == {"name": "week", "minimum": Decimal(60)}


def test_every_minimum_must_be_reached() -> None:
    verdict = check(Score(minimum={"week": Decimal(60), "month": Decimal(55)}), {"week": 90, "month": 54})

    assert isinstance(verdict, Rejection)
    assert verdict.numbers["name"] == "month"


def test_without_minimums_everything_passes() -> None:
    assert check(Score(), {}) == Passed()


def test_a_stricter_minimum_of_the_signal_wins() -> None:
    assert isinstance(check(WEEK_60, {"week": 70}, {"week": Decimal(71)}), Rejection)


def test_a_milder_minimum_of_the_signal_wins() -> None:
    assert isinstance(check(WEEK_60, {"week": 50}, {"week": Decimal(50)}), Passed)


def test_a_minimum_of_the_signal_leaves_the_others_in_force() -> None:
    verdict = check(WEEK_60, {"week": 59, "month": 90}, {"month": Decimal(50)})

    assert isinstance(verdict, Rejection)
    assert verdict.numbers["name"] == "week"
