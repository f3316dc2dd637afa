"""The pure parts of live sources: pauses, expected waves, what was sent before, the gate."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework_signals.expecting import MINUTE_NS, Expected
from framework_signals.gate import Bucket, Tally, same_secret
from framework_signals.pauses import Pauses
from framework_signals.resent import Resent, digest_of

S = 10**9


# ── pauses ──────────────────────────────────────────────────────────────────────────────────────────────────


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 1000), st.integers(1, 200))
def test_pauses_grow_up_to_the_longest_and_chance_takes_half_at_most(seed: int, count: int) -> None:
    pauses = Pauses(1.0, 60.0, Random(seed))  # noqa: S311 - no secret

    for n in range(count):
        whole = min(60.0, 2.0 ** min(n, 60))
        assert whole / 2 <= pauses.next() <= whole


def test_two_clients_do_not_come_back_at_the_same_time() -> None:
    assert Pauses(1.0, 60.0).next() != Pauses(1.0, 60.0).next()


def test_only_a_connection_that_lived_begins_anew() -> None:
    pauses = Pauses(1.0, 60.0)
    for _ in range(10):
        pauses.next()

    pauses.lived(59.0)
    assert pauses.next() >= 30
    pauses.lived(60.0)
    assert pauses.next() <= 1


# ── expected waves ──────────────────────────────────────────────────────────────────────────────────────────


def at(minutes: float) -> int:
    return int(minutes * MINUTE_NS)


def test_a_wave_is_due_so_long_after_its_bar_has_opened() -> None:
    expected = Expected(15, 25, at(100))  # the bar of minute 75 was due at 100, that of 90 is at 115

    assert expected.next_due_ns(at(100)) == at(115)
    assert expected.missing_ns(at(114.9)) is None
    assert expected.missing_ns(at(115)) == at(90)
    assert expected.overdue_ns == at(90)


def test_each_missing_bar_is_told_once() -> None:
    expected = Expected(15, 25, at(100))

    told = [expected.missing_ns(at(minute)) for minute in range(100, 150)]

    assert [each for each in told if each is not None] == [at(90), at(105), at(120)]


def test_a_wave_that_came_is_not_missing_and_ends_what_was() -> None:
    expected = Expected(15, 25, at(100))
    assert not expected.came(at(90))
    assert expected.missing_ns(at(115)) is None
    assert expected.missing_ns(at(130)) == at(105)
    assert not expected.came(at(90))  # an old one brings nothing back
    assert expected.came(at(105))
    assert expected.overdue_ns is None


# ── what was sent before ────────────────────────────────────────────────────────────────────────────────────


def test_the_order_of_fields_does_not_matter_and_their_values_do() -> None:
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})


def test_the_oldest_is_forgotten_when_there_is_too_much() -> None:
    resent = Resent(kept=2)
    for name in ("a", "b", "a", "c"):
        resent.add(digest_of(name))

    assert len(resent) == 2
    assert digest_of("b") not in resent
    assert digest_of("a") in resent


# ── the gate ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("given", "same"), [("right", True), ("wrong", False), ("", False), ("right ", False)])
def test_a_secret_is_the_right_one_or_not(given: str, same: bool) -> None:
    assert same_secret(given, "right") is same


def test_a_bucket_lets_through_so_many_at_once_and_then_so_many_a_minute() -> None:
    bucket = Bucket(6)

    assert sum(bucket.take(0) for _ in range(20)) == 6
    assert [bucket.take(s * S) for s in (9, 10, 11, 20)] == [False, True, False, True]


def test_a_bucket_may_let_fewer_through_at_once_than_in_a_minute() -> None:
    bucket = Bucket(60, at_once=2)

    assert sum(bucket.take(0) for _ in range(20)) == 2
    assert [bucket.take(S), bucket.take(S)] == [True, False]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 120 * S), max_size=300), st.integers(1, 50))
def test_a_bucket_never_lets_through_more_than_is_due(times: list[int], per_minute: int) -> None:
    bucket = Bucket(per_minute)
    ordered = sorted(times)

    passed = sum(bucket.take(each) for each in ordered)

    span_s = (ordered[-1] - ordered[0]) / S if ordered else 0
    assert passed <= per_minute + span_s * per_minute / 60 + 1e-6


def test_a_clock_that_steps_back_gives_nothing() -> None:
    bucket = Bucket(1)
    assert bucket.take(100 * S)
    assert not bucket.take(0)
    assert not bucket.take(30 * S)


def test_a_tally_tells_the_first_of_a_minute_and_counts_the_others() -> None:
    tally = Tally(2)

    assert [tally.tells("a", 0), tally.tells("b", S), tally.tells("a", 2 * S), tally.tells("a", 3 * S)] == [
        True, True, False, False,
    ]  # fmt: skip
    assert tally.tells("a", 60 * S)
    assert tally.rest() == {"a": 2}
    assert tally.rest() == {}
