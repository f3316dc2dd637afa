"""What a run is judged by: how much it excuses depends on what went wrong in it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from attrs import evolve

from framework import SignalReceived
from framework_simulator.simulation import Item, Laboratory, Outcome, Schedule
from framework_simulator.simulation.verdicts import compare
from tests.oracle.bounds import Bounds
from tests.simulation.judging import CLEAN, FAULTY, KILLED, STOPS_ALONE, bounds_of, judge, plans_of

SIGNAL = Item("signal", 5_000, venue="binance", own={"symbol": "BTCUSDT", "side": "long"})
KILL = Item("kill", own={"point": 1, "down_ms": 100})
NO_STOP = Item("rule", venue="binance", own={"name": "refuse", "code": -2021, "path": "/fapi/v1/algoOrder"})
STREAMS_CLOSED = {"name": "streams-closed", "at_ms": 0}


def schedule(*items: Item) -> Schedule:
    return Schedule(
        1, (SIGNAL, *items), calm_ms=20_000, end_ms=30_000, execution="binance", volatility=0.0, latency_ms=1
    )


@pytest.fixture(scope="module")
def opened() -> Iterator[Outcome]:
    """One position that was opened, with nothing in the way."""
    with Laboratory((judge,)) as laboratory:
        trial = laboratory.run(schedule())
        assert trial.problems == ()
        assert trial.outcome is not None
        yield trial.outcome


@pytest.mark.parametrize(
    ("items", "bounds"),
    [
        ([], CLEAN),
        ([Item("jump", 6_000, venue="binance", own={"symbol": "BTCUSDT", "percent": 1})], CLEAN),
        ([KILL, KILL], KILLED),
        ([NO_STOP], STOPS_ALONE),
        ([Item("rule", venue="bybit", own={"name": "stop-vanishes"})], STOPS_ALONE),
        ([Item("rule", 6_000, venue="bybit", own={**STREAMS_CLOSED, "for_ms": 5_000})], STOPS_ALONE),
        ([Item("rule", 6_000, venue="bybit", own={**STREAMS_CLOSED, "for_ms": 60_000})], FAULTY),
        ([Item("rule", venue="binance", own={"name": "ack-lost"})], FAULTY),
        ([NO_STOP, KILL], FAULTY),
        ([Item("partition", 6_000, 1_000, "binance", {"stops": "all", "style": "silent"})], FAULTY),
    ],
)
def test_the_less_goes_wrong_the_less_is_excused(items: list[Item], bounds: Bounds) -> None:
    assert bounds_of(schedule(*items)) is bounds


def test_a_signal_that_was_acknowledged_and_is_in_no_record_is_lost(opened: Outcome) -> None:
    opened = evolve(opened, records=[record for record in opened.records if not isinstance(record, SignalReceived)])

    assert any("1 signals were acknowledged, and the journal knows nothing" in problem for problem in compare(opened))


def test_a_stop_further_from_what_was_paid_than_the_deployment_allows_is_told(opened: Outcome) -> None:
    dearer = [
        {**line, "price": str(Decimal(line["price"]) * Decimal("1.01"))} if line["kind"] == "fill" else line
        for line in opened.lines
    ]

    (low,) = (plan.stop_low for plan in plans_of(opened.records, dearer, deadlines=True).values())

    assert any(problem.startswith("3 the trigger") for problem in judge(evolve(opened, lines=dearer)))
    assert low is not None
    assert low > next(Decimal(line["trigger_price"]) for line in opened.lines if line["kind"] == "stop")
