"""The judge of simulations: what a schedule makes impossible is nobody's fault, and all else is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from framework import SignalReceived
from framework_binance.exchange import Binance
from framework_simulator.simulation import Item, Laboratory, Outcome, Schedule
from framework_simulator.simulation.verdicts import compare
from tests.simulation.judging import bounds_of, judge, plans_of

S = 1_000_000_000


@pytest.fixture
def laboratory() -> Iterator[Laboratory]:
    with Laboratory((judge,)) as made:
        yield made


def schedule(*items: Item, variant: str = "market on binance") -> Schedule:
    signal = Item("signal", 5_000, venue="binance", own={"symbol": "BTCUSDT", "side": "long"})
    return Schedule(1, (signal, *items), calm_ms=20_000, end_ms=240_000, variant=variant, volatility=0.0, rest_ms=6_000)


def rule(name: str, **own: Any) -> Item:
    return Item("rule", 4_500, 10_000, "bybit", {"name": name, **own})


def fault(name: str, t: int, **parameters: int) -> dict[str, Any]:
    return {"kind": "fault", "name": name, "venue": "bybit", "t": t * S, "parameters": parameters}


def test_where_nothing_goes_wrong_a_stop_may_take_a_round_trip_and_on_bybit_no_time() -> None:
    calm, rough = bounds_of(schedule()), bounds_of(schedule(rule("ack-lost")))

    assert (calm.naked_turn_ms_binance, calm.naked_max_ms_bybit) == (65, 0)
    assert (rough.naked_max_ms_binance, rough.naked_max_ms_bybit, rough.naked_turn_ms_binance) == (8_000, 0, 0)


def test_only_a_stop_that_the_venue_took_away_may_leave_a_position_naked_on_bybit() -> None:
    taken = bounds_of(schedule(rule("stop-vanishes")))

    assert (taken.naked_max_ms_bybit, taken.naked_taken_max_ms) == (0, 8_000)
    assert bounds_of(schedule(rule("lose-event"))).naked_taken_max_ms == 0


def test_a_price_that_passes_the_stop_before_it_rests_costs_one_more_round_trip(laboratory: Laboratory) -> None:
    leap = Item("jump", 5_130, venue="binance", own={"symbol": "BTCUSDT", "percent": -6})

    trial = laboratory.run(schedule(leap))

    assert trial.problems == ()
    assert trial.outcome is not None
    assert trial.outcome.figures["naked ms on binance, no faults"][0] > bounds_of(schedule()).naked_turn_ms_binance


def test_a_first_stop_that_was_refused_until_the_price_leapt_into_profit_may_trail_at_once(
    laboratory: Laboratory,
) -> None:
    refused = {"name": "failed-503", "method": "POST", "path": "/fapi/v1/algoOrder", "count": 2}
    leap = Item("jump", 5_150, venue="binance", own={"symbol": "BTCUSDT", "percent": 3})

    trial = laboratory.run(schedule(Item("rule", 4_500, 10_000, "binance", refused), leap))

    assert trial.problems == ()
    assert trial.outcome is not None
    first = next(line for line in trial.outcome.lines if line["kind"] == "stop")
    assert Decimal(first["trigger_price"]) > 51_000


def test_a_stop_that_trails_closer_than_the_deployment_lets_it_is_told(laboratory: Laboratory) -> None:
    leap = Item("jump", 6_000, venue="binance", own={"symbol": "BTCUSDT", "percent": 3})
    trial = laboratory.run(schedule(leap))
    assert trial.problems == ()
    assert trial.outcome is not None

    lower = [
        {**line, "last": str(Decimal(line["last"]) * Decimal("0.999"))} if line["kind"] == "price" else line
        for line in trial.outcome.lines
    ]

    (problem,) = judge(evolve(trial.outcome, lines=lower))

    assert "closer than by 0.48" in problem


def test_what_reads_have_to_show_may_take_twice_as_long_as_they_are_late() -> None:
    late = bounds_of(schedule(rule("stale-reads", lag_ms=30_000), rule("ack-lost")))

    assert (late.naked_max_ms_binance, late.naked_max_ms_bybit, late.naked_turn_ms_binance) == (68_000, 68_000, 0)
    assert (late.liveness_s, late.flat_bound_s, late.settling_s) == (120, 180, 120)


def test_where_only_reads_are_late_nothing_takes_longer_but_on_binance_what_happened_while_the_process_was_down() -> (
    None
):
    late = bounds_of(schedule(rule("stale-reads", lag_ms=30_000), Item("kill", own={"point": 7, "down_ms": 0})))

    assert (late.naked_turn_ms_binance, late.naked_max_ms_bybit) == (65, 0)
    assert (late.naked_max_ms_binance, late.naked_blind_max_ms_binance) == (8_000, 68_000)


def test_a_death_alone_leaves_every_other_stop_a_round_trip() -> None:
    assert bounds_of(schedule(Item("kill", own={"point": 7, "down_ms": 0}))).naked_turn_ms_binance == 65


def test_how_long_a_position_was_naked_is_measured_and_told(laboratory: Laboratory) -> None:
    outcome = laboratory.run(schedule()).outcome

    assert outcome is not None
    (naked_ms,) = outcome.figures["naked ms on binance, no faults"]
    assert 20 <= naked_ms <= 65
    assert outcome.figures["naked ms on binance, no faults, while nothing could be done"] == [0]


def test_a_stop_that_hesitates_for_a_tenth_of_a_second_is_found_out(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = Binance.place_stop

    async def hesitates(self: Binance, order: Any) -> Any:
        await asyncio.sleep(0.1)
        return await placed(self, order)

    monkeypatch.setattr(Binance, "place_stop", hesitates)

    (problem,) = laboratory.run(schedule()).problems

    assert problem.startswith("1 covered at every instant")
    assert "at most 65 ms are allowed" in problem


def test_time_in_a_partition_does_not_count_as_ours(laboratory: Laboratory) -> None:
    cut = Item("partition", 5_090, 9_000, "binance", {"stops": "all", "style": "silent"})

    trial = laboratory.run(schedule(cut))

    assert trial.problems == ()
    assert trial.outcome is not None
    assert trial.outcome.figures["naked ms on binance, while nothing could be done"][0] > 8_000


@pytest.fixture(scope="module")
def opened() -> Iterator[Outcome]:
    """One position that was opened, with nothing in the way."""
    with Laboratory((judge,)) as laboratory:
        trial = laboratory.run(schedule())
        assert trial.problems == ()
        assert trial.outcome is not None
        yield trial.outcome


def test_a_signal_that_was_acknowledged_and_is_in_no_record_is_lost(opened: Outcome) -> None:
    opened = evolve(opened, records=[record for record in opened.records if not isinstance(record, SignalReceived)])

    assert any("1 signals were acknowledged, and the journal knows nothing" in problem for problem in compare(opened))


def test_a_signal_that_is_wanted_twice_at_one_instant_is_one_signal(opened: Outcome) -> None:
    items = opened.schedule.items
    again = evolve(opened, schedule=evolve(opened.schedule, items=(*items, items[0])))

    assert compare(again) == compare(opened) == []


def test_a_time_that_is_told_as_one_in_which_nothing_could_be_done_does_not_count(opened: Outcome) -> None:
    bounds = replace(bounds_of(opened.schedule), naked_turn_ms_binance=1)
    at_ns = opened.lines[0]["t"]

    assert any(problem.startswith("1 covered") for problem in judge(opened, bounds))
    assert judge(opened, bounds, {"bybit": [(at_ns, at_ns + 300 * S)]}) == judge(opened, bounds)
    assert judge(opened, bounds, {"binance": [(at_ns, at_ns + 300 * S)]}) == []


@pytest.mark.parametrize("factor", ["1.0003", "0.9997"])
def test_a_first_stop_elsewhere_than_the_deployment_places_it_is_told(opened: Outcome, factor: str) -> None:
    paid_otherwise = [
        {**line, "price": str(Decimal(line["price"]) * Decimal(factor))} if line["kind"] == "fill" else line
        for line in opened.lines
    ]

    assert any(problem.startswith("3 the trigger") for problem in judge(evolve(opened, lines=paid_otherwise)))


@pytest.mark.parametrize(("factor", "holds"), [("1.0001", True), ("1.0004", False), ("0.9996", False)])
def test_on_bybit_the_first_stop_follows_from_a_price_that_could_be_expected(
    laboratory: Laboratory, factor: str, holds: bool
) -> None:
    signal = Item("signal", 5_000, venue="bybit", own={"symbol": "BTCUSDT", "side": "long"})
    outcome = laboratory.run(evolve(schedule(variant="market on bybit"), items=(signal,))).outcome
    assert outcome is not None
    elsewhere = [
        {**line, "trigger_price": str(Decimal(line["trigger_price"]) * Decimal(factor))}
        if line["kind"] == "stop"
        else line
        for line in outcome.lines
    ]

    assert (judge(evolve(outcome, lines=elsewhere)) == []) is holds


def test_a_tick_that_grew_moves_the_stop_further(opened: Outcome) -> None:
    grown = [*opened.lines, fault("filters-change", 1_800_000_000)]

    (fine,) = plans_of(opened.records, opened.lines, deadlines=True).values()
    (coarse,) = plans_of(opened.records, grown, deadlines=True).values()

    assert (fine.trails_by, coarse.trails_by) == (Decimal("0.0048"), Decimal("0.003"))
    assert fine.stop_low is not None
    assert coarse.stop_low is not None
    assert fine.stop_high is not None
    assert fine.stop_low - coarse.stop_low == Decimal("0.0018") * Decimal("50000.1")
    assert fine.stop_high > Decimal("49000.1") > fine.stop_low
