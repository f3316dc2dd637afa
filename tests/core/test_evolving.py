"""Changing frozen data quickly: the same as `attrs.evolve`, and nothing reckoned before survives a change."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.core.evolving import evolve, reckoned_once


@attrs.frozen(slots=False)
class Sum:
    left: int
    right: int = 0
    name: str = ""

    @reckoned_once
    def total(self) -> int:
        """Both."""
        return self.left + self.right


@attrs.frozen
class Slotted:
    value: Decimal = attrs.field(converter=Decimal)
    note: str = ""


changes = st.fixed_dictionaries(
    {}, optional={"left": st.integers(), "right": st.integers(), "name": st.text(max_size=3)}
)


@settings(deadline=None)
@given(st.integers(), st.integers(), changes, changes)
def test_a_change_is_that_of_attrs_however_often_it_is_made(
    left: int, right: int, first: dict[str, Any], second: dict[str, Any]
) -> None:
    mine = Sum(left, right)
    assert mine.total == left + right

    changed = evolve(evolve(mine, **first), **second)

    assert changed == attrs.evolve(attrs.evolve(mine, **first), **second)
    assert changed.total == changed.left + changed.right
    assert mine == Sum(left, right)


def test_what_was_reckoned_is_reckoned_once_for_each_state() -> None:
    asked: list[int] = []

    @attrs.frozen(slots=False)
    class Counted:
        value: int

        @reckoned_once
        def doubled(self) -> int:
            asked.append(self.value)
            return 2 * self.value

    one = Counted(1)
    assert (one.doubled, one.doubled) == (2, 2)

    assert evolve(one, value=3).doubled == 6
    assert asked == [1, 3]


def test_what_was_reckoned_is_no_part_of_the_value() -> None:
    asked, fresh = Sum(1, 2), Sum(1, 2)

    assert asked.total == 3

    assert (asked, hash(asked)) == (fresh, hash(fresh))


def test_a_name_that_is_no_field_is_refused() -> None:
    with pytest.raises(TypeError, match="Sum has no field total"):
        evolve(Sum(1), total=5)  # type: ignore[call-arg]


def test_a_class_with_slots_is_changed_through_its_converters() -> None:
    assert evolve(Slotted("1", "a"), value="2.50") == Slotted(Decimal("2.50"), "a")


def test_the_property_tells_what_it_is_for() -> None:
    assert Sum.total.__doc__ == "Both."
