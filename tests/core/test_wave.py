"""The order of a wave's candidates, and that an account's target is reached but never passed."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import Signal, SignalSettings
from framework.core.wave import Queue, queue_for, targets_of, wave_id_of
from framework.testing import make_signal


def signal(number: int, score: int = 50, *, created_ns: int = 0, most: int | None = None) -> Signal:
    return make_signal(id=f"s{number}", score=score, created_ns=created_ns, settings=SignalSettings(max_positions=most))


def ids(signals: tuple[Signal, ...]) -> list[str]:
    return [each.id for each in signals]


def test_the_best_score_comes_first_then_the_earliest_then_the_least_id() -> None:
    late, early, same = signal(1, 50, created_ns=9), signal(3, 50, created_ns=5), signal(2, 50, created_ns=5)
    best = signal(4, 51, created_ns=99)
    assert ids(queue_for("a", [late, early, same, best], 4).waiting) == ["s4", "s2", "s3", "s1"]


def test_only_as_many_are_taken_as_there_are_places() -> None:
    queue, taken = queue_for("a", [signal(1, 90), signal(2, 80), signal(3, 70)], 2).take()
    assert ids(taken) == ["s1", "s2"]
    assert ids(queue.waiting) == ["s3"]


def test_nothing_more_is_taken_while_all_places_may_still_succeed() -> None:
    queue, _ = queue_for("a", [signal(1), signal(2)], 1).take()
    assert queue.take() == (queue, ())


def test_one_that_fails_frees_its_place_for_the_next_candidate() -> None:
    queue, _ = queue_for("a", [signal(1, 90), signal(2, 80)], 1).take()
    queue, taken = queue.settle("s1", opened=False).take()
    assert ids(taken) == ["s2"]


def test_one_that_was_opened_keeps_its_place_for_good() -> None:
    queue, _ = queue_for("a", [signal(1, 90), signal(2, 80)], 1).take()
    queue, taken = queue.settle("s1", opened=True).take()
    assert taken == ()
    assert queue.is_done


def test_an_account_is_not_done_while_anybody_is_busy_or_wanted() -> None:
    fresh = queue_for("a", [signal(1), signal(2)], 1)
    busy, _ = fresh.take()
    assert not fresh.is_done
    assert not busy.is_done
    assert not busy.settle("s1", opened=False).is_done


def test_whoever_is_not_busy_cannot_be_settled() -> None:
    queue, _ = queue_for("a", [signal(1), signal(2)], 1).take()
    with pytest.raises(ValueError, match="s2 is not being decided"):
        queue.settle("s2", opened=True)
    with pytest.raises(ValueError, match="s1 is not being decided"):
        queue.settle("s1", opened=True).settle("s1", opened=True)


@pytest.mark.parametrize(("carried", "target"), [((None, None), 4), ((5, None), 5), ((3, 2), 2), ((0, None), 0)])
def test_the_smallest_target_that_signals_carry_wins_over_the_accounts(
    carried: tuple[int | None, int | None], target: int
) -> None:
    queue = queue_for("a", [signal(n, most=most) for n, most in enumerate(carried)], 4)
    assert queue.target == target
    assert targets_of({"a": queue}) == {"a": target}


def test_a_target_of_nought_takes_nobody_and_is_done_at_once() -> None:
    queue, taken = queue_for("a", [signal(1)], 0).take()
    assert taken == ()
    assert queue.is_done
    assert queue.why_not_attempted == "target of 0 for a already reached"


@settings(deadline=None, max_examples=150)
@given(
    scores=st.lists(st.integers(0, 5), max_size=12),
    target=st.integers(0, 6),
    fates=st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=12, max_size=12),
)
def test_in_whatever_order_candidates_settle_the_target_is_never_passed_and_each_ends_once(
    scores: list[int], target: int, fates: list[tuple[int, bool]]
) -> None:
    signals = [signal(number, score) for number, score in enumerate(scores)]
    queue, taken = queue_for("a", signals, target).take()
    order, failed = ids(taken), []
    for which, opens in fates:
        assert_within_target(queue)
        if not queue.busy:
            break
        chosen = sorted(queue.busy)[which % len(queue.busy)]
        queue, taken = queue.settle(chosen, opened=opens).take()
        order += ids(taken)
        failed += [] if opens else [chosen]
    assert queue.is_done
    assert sorted([*queue.opened, *failed, *ids(queue.waiting)]) == sorted(each.id for each in signals)
    assert len(queue.opened) == min(target, len(signals) - len(failed))
    by_id = {each.id: each.score for each in signals}
    assert all(by_id[one] >= by_id[after] for one, after in pairwise(order))


def assert_within_target(queue: Queue) -> None:
    assert len(queue.opened) + len(queue.busy) <= queue.target
    assert not queue.opened & queue.busy


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        (datetime(2025, 10, 31, 22, 30, tzinfo=UTC), "2025-10-31T22:30Z"),
        (datetime(2025, 10, 31, 22, 30, 7, tzinfo=UTC), "2025-10-31T22:30:07Z"),
        (datetime(1970, 1, 1, tzinfo=UTC), "1970-01-01T00:00Z"),
    ],
)
def test_a_wave_is_named_by_the_open_of_its_bar(moment: datetime, name: str) -> None:
    assert wave_id_of(int(moment.timestamp()) * 1_000_000_000) == name
