"""Schedules drawn from numbers: each kind of fault is in one of them before long."""

from __future__ import annotations

import pytest

from framework_simulator.simulation import Schedule
from framework_simulator.simulation.drawing import (
    HIDING,
    SILENCED,
    Climate,
    certain_kind,
    draw,
    everything_that_happens,
)

KINDS = sorted(everything_that_happens())
ROUND = 2 * len(KINDS)
"""Within so many seeds in a row every kind has its turn."""


def holds(schedule: Schedule, kind: str) -> bool:
    """Whether something in a schedule may make a kind of fault happen."""
    names = {str(item.own.get("name")) for item in schedule.of("rule")}
    names |= {name for item in schedule.of("weather") for name in item.own}
    names |= {f"partition-{item.own['stops']}" for item in schedule.of("partition")}
    names |= {"our-clock-off"} if schedule.of("clock") else set()
    return kind in names or (kind.startswith("killed: ") and bool(schedule.of("kill")))


@pytest.mark.parametrize("first", [0, 1_001])
def test_a_campaign_of_two_schedules_for_each_kind_holds_every_kind(first: int) -> None:
    held = {kind: seed for seed in range(first, first + ROUND) if (kind := certain_kind(seed)) is not None}

    assert sorted(held) == KINDS
    assert [kind for kind, seed in held.items() if not holds(draw(seed), kind)] == []


def test_a_silence_that_must_happen_is_hidden_by_nothing() -> None:
    seeds = [seed for seed in range(4 * ROUND) if certain_kind(seed) in SILENCED]

    assert len(seeds) == 4 * len(SILENCED)
    assert [seed for seed in seeds if any(draw(seed).of(kind) for kind in HIDING)] == []


def test_every_second_schedule_and_all_of_a_climate_are_left_to_chance() -> None:
    assert {certain_kind(seed) for seed in range(1, ROUND, 2)} == {None}
    seed = next(seed for seed in range(ROUND) if certain_kind(seed) == "funding")
    assert not holds(draw(seed, Climate(read_lag_s=600)), "funding")
