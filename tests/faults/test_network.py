"""Requests and answers that go astray on their way: nothing is done twice, and everything ends protected or flat."""

from __future__ import annotations

from typing import Any

import pytest

from framework_simulator.emulator import fault_switches
from framework_simulator.emulator.fault_switches import JSON, Switch
from framework_simulator.emulator.faults import FaultAnswer, RequestPlan
from framework_simulator.simulation import Item
from tests.faults.scene import (
    ORDER,
    STOP,
    Theatre,
    falls,
    impatient,
    jump,
    rises,
    rule,
    signal,
    turn,
    well,
)

LATE_MS = 3_000
"""More than the two seconds after which a request is given up here, and less than the venues take one for."""

LOST: dict[str, dict[str, Any]] = {
    "the request is lost": {"arrives": False},
    "the response is lost": {"answers": False},
    "reset before it arrived": {"arrives": False, "resets": True},
    "reset after it arrived": {"resets": True},
    "no connection is made": {"arrives": False, "refused": True},
    "executed after the timeout": {"late_ms": LATE_MS},
    "answered after the timeout": {"slow_ms": LATE_MS},
}
"""What can become of one request."""

NEVER = ("the request is lost", "reset before it arrived", "no connection is made")
"""Those after which nothing was done."""

DAMAGED = ("truncated-body", "html-body", "empty-body", "list-body", "null-body", "huge-body")
HUGE_BYTES = 8_000_000


@pytest.fixture(autouse=True)
def _huge(monkeypatch: pytest.MonkeyPatch) -> None:
    """One fault more: the request is carried out, and answered with megabytes of something."""

    def planner(own: Any, venue: str) -> RequestPlan:
        return RequestPlan(replace=FaultAnswer(200, None, "", b"[" + b"0," * (HUGE_BYTES // 2) + b"0]", JSON))

    switches = {**fault_switches.SWITCHES, "huge-body": Switch("request", planner=planner)}
    monkeypatch.setattr(fault_switches, "SWITCHES", switches)


# ── one request ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", LOST)
def test_an_entry_that_goes_astray_is_sent_once_and_ends_protected_or_not_opened(
    stage: Theatre, venue: str, how: str
) -> None:
    astray = turn(venue, ORDER[venue], **LOST[how])

    seen = well(stage.play(venue, signal(venue), astray, variant=impatient(venue)))

    assert seen.met["turn"] == 1
    assert len(seen.entries) == (0 if how in NEVER else 1)
    assert seen.states[-1] == ("aborted" if how in NEVER else "protected")


@pytest.mark.parametrize("how", LOST)
def test_a_first_stop_that_goes_astray_is_there_in_the_end(stage: Theatre, how: str) -> None:
    """Of Binance: on Bybit it is in the entry."""
    astray = turn("binance", STOP["binance"], **LOST[how])

    seen = well(stage.play("binance", signal("binance"), astray, variant=impatient("binance")), protected=True)

    assert seen.met["turn"] == 1


@pytest.mark.parametrize("how", LOST)
def test_a_move_of_the_stop_that_goes_astray_is_made_in_the_end(stage: Theatre, venue: str, how: str) -> None:
    astray = turn(venue, STOP[venue], after=1 if venue == "binance" else 0, **LOST[how])

    seen = stage.play(venue, signal(venue), rises(venue), astray, variant=impatient(venue))

    assert seen.met["turn"] == 1
    first, now = well(seen, protected=True).stops[0], seen.triggers[0]
    assert now > first


@pytest.mark.parametrize("how", LOST)
def test_an_old_stop_whose_removal_goes_astray_is_gone_in_the_end(stage: Theatre, how: str) -> None:
    """Of Binance: Bybit moves the one that is there."""
    astray = turn("binance", STOP["binance"], method="DELETE", **LOST[how])

    seen = stage.play("binance", signal("binance"), rises("binance"), astray, variant=impatient("binance"))

    assert seen.met["turn"] == 1
    well(seen, protected=True)


@pytest.mark.parametrize("how", LOST)
def test_a_close_that_goes_astray_closes_once(stage: Theatre, venue: str, how: str) -> None:
    """A stop acts and its order fills nothing: what follows is the product's own close."""
    hangs = rule(venue, "short-child", count=1)
    astray = turn(venue, ORDER[venue], after=1, **LOST[how])

    seen = well(
        stage.play(venue, signal(venue), falls(venue), hangs, astray, variant=impatient(venue)), protected=False
    )

    assert seen.met["turn"] == 1
    assert seen.fills == seen.journalled == ["buy", "sell"]


# ── strange answers ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", DAMAGED)
def test_an_entry_whose_answer_is_no_answer_is_found_and_protected(stage: Theatre, venue: str, fault: str) -> None:
    strange = rule(venue, fault, path=ORDER[venue], method="POST", count=1)

    seen = well(stage.play(venue, signal(venue), strange), protected=True)

    assert seen.met[fault] == 1
    assert len(seen.entries) == 1


@pytest.mark.parametrize("fault", DAMAGED)
def test_a_stop_whose_answer_is_no_answer_is_there_once(stage: Theatre, venue: str, fault: str) -> None:
    strange = rule(venue, fault, path=STOP[venue], method="POST", count=1)

    seen = well(stage.play(venue, signal(venue), rises(venue), strange), protected=True)

    assert seen.met[fault] == 1


@pytest.mark.parametrize("fault", DAMAGED)
def test_reads_whose_answers_are_no_answers_conclude_nothing(stage: Theatre, venue: str, fault: str) -> None:
    """For a minute no read can be understood, the entry's answer is lost, and the price runs."""
    strange = rule(venue, fault, at_ms=4_900, method="GET", count=8 if fault == "huge-body" else 60)
    lost = turn(venue, ORDER[venue], answers=False)

    seen = well(stage.play(venue, signal(venue), rises(venue), lost, strange))

    assert seen.met[fault] > 3
    assert "swept" not in seen.codes


def test_replies_that_come_in_another_order_than_the_requests_tell_the_same(stage: Theatre, venue: str) -> None:
    """The entry is answered after everything that followed from its fill, and old reads after newer ones."""
    late = turn(venue, ORDER[venue], slow_ms=2_500)
    reads = [turn(venue, "*", method="GET", after=after, slow_ms=1_500) for after in range(20, 60, 2)]

    seen = well(stage.play(venue, signal(venue), rises(venue), late, *reads), protected=True)

    assert seen.met["turn"] > 5
    assert seen.fills == seen.journalled == ["buy"]


# ── partitions ──────────────────────────────────────────────────────────────────────────────────────────────────

BEGINS = {"with the entry on its way": 5_096, "as it is filled": 5_105, "while it is open": 20_000}
"""Instants, ms: the entry is sent before 5,096, is carried out before 5,105, and the stop follows, where it has to."""

HOURS_MS = 6 * 3_600_000


def partition(venue: str, at_ms: int, for_ms: int, stops: str, style: str) -> Item:
    return Item("partition", at_ms, for_ms, venue, {"stops": stops, "style": style})


@pytest.mark.parametrize("style", ["silent", "refused"])
@pytest.mark.parametrize("for_ms", [1_000, 60_000], ids=["1 s", "1 min"])
@pytest.mark.parametrize("begins", BEGINS)
def test_a_partition_is_survived(stage: Theatre, venue: str, begins: str, for_ms: int, style: str) -> None:
    cut = partition(venue, BEGINS[begins], for_ms, "all", style)

    seen = well(stage.play(venue, signal(venue), rises(venue), cut))

    assert seen.met["partition-all"] == 1
    assert len(seen.entries) == 1


def test_a_partition_of_six_hours_is_survived(stage: Theatre) -> None:
    """It begins as the entry is filled: the stop that came with it guards the position for all that time."""
    cut = partition("bybit", BEGINS["as it is filled"], HOURS_MS, "all", "silent")

    seen = well(stage.play("bybit", signal("bybit"), cut, end_ms=HOURS_MS + 200_000), protected=True)

    assert seen.met["partition-all"] == 1
    assert seen.fills == seen.journalled == ["buy"]


@pytest.mark.parametrize("style", ["silent", "refused"])
@pytest.mark.parametrize("begins", BEGINS)
@pytest.mark.parametrize("works", ["reads work and writes fail", "writes work and reads fail"])
def test_half_of_a_network_is_survived(stage: Theatre, venue: str, works: str, begins: str, style: str) -> None:
    stops = "writes" if works.startswith("reads") else "reads"
    cut = partition(venue, BEGINS[begins], 40_000, stops, style)

    seen = well(stage.play(venue, signal(venue), rises(venue), cut))

    assert seen.met[f"partition-{stops}"] == 1
    assert len(seen.entries) == 1
    assert not seen.held or seen.triggers[0] > seen.stops[0]


@pytest.mark.parametrize("stops", ["all", "writes", "reads"])
def test_a_stop_acts_while_nothing_can_be_asked_of_the_venue(stage: Theatre, venue: str, stops: str) -> None:
    cut = partition(venue, 20_000, 60_000, stops, "silent")

    seen = well(stage.play(venue, signal(venue), jump(venue, -3, 30_000), cut), protected=False)

    assert seen.fills == seen.journalled == ["buy", "sell"]
    assert seen.exit_reason == "stop-loss"
