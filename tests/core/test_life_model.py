"""The life of a position against a venue that refuses, forgets, repeats itself, is late, and against strangers.

Whatever happens in between: no entry twice, none after one in doubt, nothing but reduce-only on the way out, the stop
never loosened, the last stop never cancelled; and once the venue is honest again the position is protected, or over
with nothing of ours left. See venue_model.py for the world and its promises.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.core import lifecycle
from framework.core.lifecycle import TABLE
from framework.core.position import Position, State
from framework.core.signal import Side
from framework.core.steering import Policy, Step
from tests.core import venue_model
from tests.core.strategies import AtMarket, FixedStop, LimitFirst, Taker, Trailer, policy
from tests.core.venue_faults import Faults
from tests.core.venue_model import World

PROTECTIONS = (
    (FixedStop(),),
    (FixedStop(), Trailer()),
    (FixedStop(), Taker()),
    (FixedStop(), Taker(rests=True)),
    (FixedStop(), Trailer(), Taker((("1", "0.3"), ("2", "0.3"), ("5", "0.3")), rests=True)),
)
POLICIES = st.builds(
    policy,
    st.sampled_from(PROTECTIONS),
    st.sampled_from((AtMarket(), LimitFirst())),
    attaches=st.booleans(),
    amends=st.booleans(),
    rests=st.booleans(),
)
FAULTS = st.builds(
    Faults,
    unknown=st.sampled_from((0, 10, 40)),
    refused=st.sampled_from((0, 10, 40)),
    partial=st.sampled_from((0, 30)),
    lost=st.sampled_from((0, 20, 60)),
    repeated=st.sampled_from((0, 30)),
    failed_reads=st.sampled_from((0, 20, 60)),
    late_reads_s=st.sampled_from((0, 2, 20, 40)),
    slow_s=st.sampled_from((1, 4)),
    very_late_s=st.sampled_from((0, 60)),
    strangers=st.sampled_from((0, 0, 5, 25)),
    restarts=st.sampled_from((0, 3)),
    wishes=st.sampled_from((0, 2)),
)


@settings(deadline=None, max_examples=600, derandomize=True)
@given(policy=POLICIES, faults=FAULTS, side=st.sampled_from(Side), seed=st.integers(0, 2**32))
def test_whatever_the_venue_does_it_ends_protected_or_over_with_nothing_left(
    policy: Policy, faults: Faults, side: Side, seed: int
) -> None:
    world = World(policy, Random(seed), faults, side)

    world.run()

    world.check_end()


@settings(deadline=None, max_examples=60, derandomize=True)
@given(policy=POLICIES, side=st.sampled_from(Side), seed=st.integers(0, 2**32))
def test_on_an_honest_venue_every_position_is_opened_and_guarded(policy: Policy, side: Side, seed: int) -> None:
    world = World(policy, Random(seed), Faults(), side)

    world.run()

    world.check_end()
    assert world.it.entered == world.it.plan.quantity
    assert world.it.protected_ns is not None or world.it.state is State.CLOSED


SWEEP = 1500
RARE = (1515, 3586, 7010)
"""Seeds that meet what few others do, like a stop that is told of after its entry was given up."""


def mixed(seed: int) -> World:
    """A world whose faults, policy and side follow from one number."""
    dice = Random(seed)
    pick = dice.choice
    faults = Faults(
        unknown=pick((0, 10, 40)), refused=pick((0, 10, 40)), partial=pick((0, 30)), lost=pick((0, 20, 60)),
        repeated=pick((0, 30)), failed_reads=pick((0, 20, 60)), late_reads_s=pick((0, 2, 20, 40)),
        slow_s=pick((1, 4)), very_late_s=pick((0, 60)), strangers=pick((0, 5, 20)), restarts=pick((0, 3)),
        wishes=pick((0, 2)),
    )  # fmt: skip
    yes = (True, False)
    execution = pick((AtMarket(), LimitFirst()))
    chosen = policy(pick(PROTECTIONS), execution, attaches=pick(yes), amends=pick(yes), rests=pick(yes))
    return World(chosen, dice, faults, pick((Side.LONG, Side.SHORT)))


UNUSUAL_ROWS = {
    ("closed", "PriceReached"): "a tick that was queued when the position closed: test_lifecycle.py",
    ("quarantined", "CloseAnswered"): "a remainder that the venue takes no order for: test_life_closing.py",
    **{(state.value, "RulesChanged"): "the worlds keep their rules: test_life_ruling.py" for state in State},
}
UNUSUAL_WAYS = {
    ("aborted", "closing"): "given up, to be closed, and there after all: test_life_strange.py",
    ("aborted", "protected"): "given up, and there with its attached stop: test_life_strange.py",
    ("quarantined", "entering"): "a stranger was there before our entry, and left: test_life_strange.py",
    ("quarantined", "unknown"): "the same, while nobody knew of our entry: test_life_strange.py",
    ("quarantined", "unprotected"): "the stranger left before the stop was confirmed: test_life_strange.py",
    ("quarantined", "aborted"): "the same, and our entry was refused: test_life_strange.py",
    ("emergency", "quarantined"): "a remainder that the venue takes no order for: test_life_closing.py",
    ("closing", "quarantined"): "the same, of one that somebody wanted closed: test_life_closing.py",
    ("protected", "emergency"): "its stop is missing, and a second one is refused: test_life_strange.py",
}
"""What the sweep does not meet, and where it has a test of its own."""


def test_the_worlds_visit_every_row_of_the_table_and_every_way_between_two_states(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A harness that does not get around proves nothing: each fault must have had its effect somewhere."""
    rows: Counter[tuple[str, str]] = Counter()
    ways: Counter[tuple[str, str]] = Counter()

    def watched(position: Position, happening: Any, policy: Policy, now_ns: int) -> Step:
        step = lifecycle.advance(position, happening, policy, now_ns)
        rows[position.state.value, type(happening).__name__] += 1
        ways[position.state.value, step[0].state.value] += 1
        return step

    monkeypatch.setattr(venue_model, "advance", watched)
    for seed in (*range(SWEEP), *RARE):
        world = mixed(seed)
        world.run()
        world.check_end()

    expected_rows = {(state.value, happening.__name__) for state, happening in TABLE}
    assert expected_rows - set(rows) <= set(UNUSUAL_ROWS)
    expected_ways = {(state.value, to.value) for (state, _), row in TABLE.items() for to in row.to}
    assert expected_ways - set(ways) <= set(UNUSUAL_WAYS)
