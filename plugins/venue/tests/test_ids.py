"""The memory of order ids."""

from __future__ import annotations

from framework_venue.ids import OrderIds


def test_what_was_learned_is_known() -> None:
    ids = OrderIds()
    ids.learn("17", "fw-a")
    assert (ids.client_id("17"), ids.client_id("18")) == ("fw-a", None)


def test_what_is_learned_anew_replaces_what_was_known() -> None:
    ids = OrderIds()
    ids.learn("17", "fw-a")
    ids.learn("17", "fw-b")
    assert ids.client_id("17") == "fw-b"


def test_nothing_is_learned_from_an_empty_id() -> None:
    ids = OrderIds()
    ids.learn("17", "fw-a")
    ids.learn("17", "")
    ids.learn("", "fw-b")
    assert (ids.client_id("17"), ids.client_id("")) == ("fw-a", None)


def test_a_full_memory_forgets_what_was_not_used_for_the_longest_time() -> None:
    ids = OrderIds(most=2)
    ids.learn("1", "a")
    ids.learn("2", "b")
    ids.client_id("1")
    ids.learn("3", "c")
    assert [ids.client_id(each) for each in "123"] == ["a", None, "c"]


def test_it_holds_ten_thousand_unless_told_otherwise() -> None:
    ids = OrderIds()
    for number in range(10_001):
        ids.learn(str(number), "x")
    assert (ids.client_id("0"), ids.client_id("1")) == (None, "x")
