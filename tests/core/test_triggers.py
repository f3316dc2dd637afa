"""The index of price levels against a naive model: the same owners at the same prices, in bounded memory."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from framework.core.triggers import NEVER_ABOVE, NEVER_BELOW, SLACK, Levels

D = Decimal
PRICES = st.integers(1, 30).map(D)
WISHES = st.none() | PRICES
OWNERS = st.sampled_from(["a", "b", "c", "d"])


class AgainstAModel(RuleBasedStateMachine):
    """Levels beside a dictionary that is searched from one end to the other."""

    def __init__(self) -> None:
        super().__init__()
        self.levels = Levels()
        self.wanted: dict[str, tuple[Decimal | None, Decimal | None]] = {}

    @rule(owner=OWNERS, below=WISHES, above=WISHES)
    def set_levels(self, owner: str, below: Decimal | None, above: Decimal | None) -> None:
        self.levels.set(owner, below, above)
        self.wanted[owner] = (below, above)

    @rule(price=PRICES)
    def price_comes(self, price: Decimal) -> None:
        below = sorted((-b, owner) for owner, (b, _) in self.wanted.items() if b is not None and b >= price)
        rest = {owner: levels for owner, levels in self.wanted.items() if owner not in {name for _, name in below}}
        above = sorted((a, owner) for owner, (_, a) in rest.items() if a is not None and a <= price)
        expected = [owner for _, owner in (*below, *above)]
        assert self.levels.reached(price) == expected
        for owner in expected:
            self.wanted[owner] = (None, None)

    @invariant()
    def bounds_are_the_nearest_levels(self) -> None:
        below = [level for level, _ in self.wanted.values() if level is not None]
        above = [level for _, level in self.wanted.values() if level is not None]
        assert self.levels.low == max(below, default=NEVER_BELOW)
        assert self.levels.high == min(above, default=NEVER_ABOVE)


AgainstAModel.TestCase.settings = settings(deadline=None, max_examples=60, stateful_step_count=40)
TestAgainstAModel = AgainstAModel.TestCase


def test_each_owner_is_asked_once_for_what_it_asked_for() -> None:
    levels = Levels()
    levels.set("a", D(90), D(110))
    assert levels.reached(D(110)) == ["a"]
    assert levels.reached(D(90)) == []


@pytest.mark.parametrize(("price", "owners"), [(90, ["a"]), (91, []), (109, []), (110, ["a"])])
def test_a_level_itself_counts_as_reached(price: int, owners: list[str]) -> None:
    levels = Levels()
    levels.set("a", D(90), D(110))
    assert levels.reached(D(price)) == owners


def test_a_price_that_jumps_over_many_levels_wakes_all_of_them_the_nearest_first() -> None:
    levels = Levels()
    for number, owner in enumerate("edcba"):
        levels.set(owner, D(90 - number), None)
    assert levels.reached(D(87)) == ["e", "d", "c", "b"]
    assert levels.low == D(86)


@pytest.mark.parametrize("up", [1, -1])
def test_a_level_that_follows_the_price_for_ever_takes_no_more_memory(up: int) -> None:
    levels = Levels()
    for step in range(5000):
        levels.set("trails", D(100_000 + up * step), D(200_000 + up * step))
        levels.set("stays", D(1), D(10**9))
    assert len(levels._below) <= SLACK + 4
    assert len(levels._above) <= SLACK + 4
    assert levels.reached(D(50_000)) == ["trails"]


def test_an_owner_that_asks_for_nothing_any_more_leaves_nothing_behind() -> None:
    levels = Levels()
    for number in range(1000):
        levels.set(f"p{number}", D(90), D(110))
    for number in range(1000):
        levels.set(f"p{number}", None, None)
    assert (levels.low, levels.high) == (NEVER_BELOW, NEVER_ABOVE)
    assert len(levels._below) + len(levels._above) <= 2 * SLACK
