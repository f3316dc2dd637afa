"""Clocks that are off, step, or stand still with the process: nothing is doubled, and nothing stays naked for it."""

from __future__ import annotations

import pytest

from framework_simulator.emulator.world import World
from framework_simulator.simulation import Item
from tests.faults.scene import (
    FALL_MS,
    MS,
    RISE_MS,
    VENUES,
    Theatre,
    act,
    falls,
    happening,
    helpless,
    jump,
    rises,
    signal,
    well,
)

SKEWS_MS = (-3_600_000, -60_000, -1_000, 1_000, 60_000, 3_600_000)
MINUTE_NS = 60_000_000_000

AT_MS = {"before the entry": 4_900, "while it is open": 20_000}


def ours(at_ms: int, skew_ms: int, for_ms: int = 75_000) -> Item:
    """Our clock is off for a while."""
    return Item("clock", at_ms, for_ms, own={"skew_ms": skew_ms})


@pytest.mark.parametrize("skew_ms", SKEWS_MS)
@pytest.mark.parametrize("begins", AT_MS)
def test_with_our_clock_off_a_position_is_protected_or_not_opened(
    stage: Theatre, venue: str, begins: str, skew_ms: int
) -> None:
    seen = well(stage.play(venue, signal(venue), rises(venue), ours(AT_MS[begins], skew_ms)))

    assert seen.met["our-clock-off"] >= 1
    assert begins == "before the entry" or seen.triggers[0] > seen.stops[0]


@pytest.mark.parametrize("skew_ms", SKEWS_MS)
@pytest.mark.parametrize("begins", AT_MS)
def test_with_the_venues_clock_off_a_position_is_protected_or_not_opened(
    stage: Theatre, venue: str, begins: str, skew_ms: int
) -> None:
    off = happening(venue, "clock-skew", AT_MS[begins], skew_ms=skew_ms)

    seen = well(stage.play(venue, signal(venue), rises(venue), off))

    assert seen.met["clock-skew"] == 1
    assert begins == "before the entry" or seen.triggers[0] > seen.stops[0]


@pytest.mark.parametrize("at_ms", [5_095, 5_110, 29_990], ids=["with the entry", "with the stop", "with a move"])
def test_a_clock_that_steps_back_by_an_hour_and_forth_again_is_survived(stage: Theatre, venue: str, at_ms: int) -> None:
    seen = well(stage.play(venue, signal(venue), rises(venue), ours(at_ms, -3_600_000, 40_000)))

    assert len(seen.entries) == 1


STOPPED_MS = {"with the entry": 5_095, "with the stop": 5_115, "while it is open": 20_000}


def stands_still(at_ms: int) -> Item:
    """For a minute nothing of the process runs, while the venue and its timers go on."""

    def do(world: World) -> None:
        for venue in VENUES:
            helpless(world, venue, "process-stopped", MINUTE_NS // MS)
        world.clock.advance(MINUTE_NS)

    return act(at_ms, do)


@pytest.mark.parametrize("when", STOPPED_MS)
def test_a_process_that_is_stopped_for_a_minute_goes_on_with_what_is_so(stage: Theatre, venue: str, when: str) -> None:
    """Meanwhile the price runs; afterwards the stop follows it, or its position is closed."""
    seen = stage.play(venue, signal(venue), rises(venue), stands_still(STOPPED_MS[when]))

    well(seen)
    assert len(seen.entries) == 1
    assert not seen.held or len(seen.triggers) == 1


def test_a_stop_that_acts_while_the_process_is_stopped_is_known_afterwards(stage: Theatre, venue: str) -> None:
    seen = stage.play(venue, signal(venue), jump(venue, -3, RISE_MS), stands_still(20_000))

    well(seen, protected=False)
    assert seen.exit_reason == "stop-loss"
    assert seen.fills == seen.journalled == ["buy", "sell"]


def test_a_process_that_is_stopped_as_its_stop_acts_closes_once(stage: Theatre, venue: str) -> None:
    seen = well(stage.play(venue, signal(venue), falls(venue), stands_still(FALL_MS - 1)), protected=False)

    assert seen.fills == seen.journalled == ["buy", "sell"]
