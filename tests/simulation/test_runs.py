"""Whole runs: the real kernel, journal, exchange plugins and ccxt, above emulated venues in virtual time."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve

from framework import Event, SessionStarted
from framework_simulator.emulator.world import World
from framework_simulator.simulation import Item, Laboratory, Outcome, Schedule, draw
from framework_simulator.simulation.crashes import CASES, Case, crash, crash_points
from framework_simulator.simulation.schedule import KINDS
from tests.simulation.judging import judge

ROOT = Path(__file__).parents[2]
VENUES = ("binance", "bybit")
FIXED = range(30)
"""The seeds that every test run repeats. `make simulate` runs thousands of others."""


@pytest.fixture(scope="module")
def laboratory() -> Iterator[Laboratory]:
    """With the oracle as its judge."""
    with Laboratory((judge,)) as made:
        yield made


def fine(laboratory: Laboratory, schedule: Schedule) -> Outcome:
    """Run a schedule in which nothing may go wrong for good."""
    trial = laboratory.run(schedule)
    assert list(trial.problems) == []
    assert trial.outcome is not None
    return trial.outcome


def signal(venue: str, symbol: str = "BTCUSDT", side: str = "long", at_ms: int = 5_000) -> Item:
    return Item("signal", at_ms, venue=venue, own={"symbol": symbol, "side": side})


def quiet(*items: Item, end_ms: int = 180_000) -> Schedule:
    """A schedule in which no price moves by itself."""
    return Schedule(seed=1, items=items, calm_ms=end_ms - 100_000, end_ms=end_ms, volatility=0.0)


def requests(outcome: Outcome, path: str) -> list[dict[str, object]]:
    """What was asked of the venues on a path, in order."""
    return [line for line in outcome.lines if line["kind"] == "request" and line["path"].endswith(path)]


def test_after_a_cut_the_accounts_stream_is_dialled_with_the_first_answer(laboratory: Laboratory) -> None:
    cut = Item("partition", 10_000, 55_000, "binance", {"stops": "all", "style": "refused"})
    outcome = fine(laboratory, quiet(signal("binance"), cut))

    over_ns = outcome.lines[0]["t"] + 65_000_000_000
    dialled_ns = next(line["t"] for line in requests(outcome, "/listenKey") if line["t"] > over_ns)
    answers_ns = [
        line["t"]
        for line in outcome.lines
        if line["kind"] == "response" and line["venue"] == "binance" and over_ns < line["t"] < dialled_ns
    ]
    assert dialled_ns - min(answers_ns) < 1_000_000_000


def test_parts_rest_in_profit_on_both_venues_and_leave_with_their_position(laboratory: Laboratory) -> None:
    jumps = [
        Item("jump", at_ms, venue=venue, own={"symbol": "BTCUSDT", "percent": percent})
        for venue in VENUES
        for at_ms, percent in ((20_000, 1), (40_000, -4))
    ]
    schedule = quiet(*(signal(venue) for venue in VENUES), *jumps)
    outcome = fine(laboratory, evolve(schedule, variant="taking"))

    placed = [each for each in outcome.lines if each["kind"] == "order" and "-t" in (each["client_id"] or "")]
    ends = {(each["venue"], each["client_id"][-2:]): each["status"] for each in placed}
    assert ends == {(v, t): end for v in VENUES for t, end in (("t0", "filled"), ("t1", "cancelled"))}
    assert {each["reduce_only"] for each in placed if each["status"] == "new"} == {True}


def test_signals_on_both_venues_are_opened_and_protected(laboratory: Laboratory) -> None:
    outcome = fine(laboratory, quiet(*(signal(venue) for venue in VENUES)))

    assert [life.end.killed for life in outcome.lives] == [False]
    assert {line["venue"] for line in outcome.lines if line["kind"] == "fill"} == set(VENUES)
    held = outcome.lives[0].end.end
    assert held is not None
    assert {line.account for line in held.open_positions if line.stop_price is not None} == set(VENUES)


@pytest.mark.parametrize("venue", VENUES)
def test_a_stop_trails_and_closes_the_position(laboratory: Laboratory, venue: str) -> None:
    rises = Item("jump", 20_000, venue=venue, own={"symbol": "BTCUSDT", "percent": 3})
    falls = Item("jump", 40_000, venue=venue, own={"symbol": "BTCUSDT", "percent": -2})

    outcome = fine(laboratory, quiet(signal(venue), rises, falls))

    sides = [line["side"] for line in outcome.lines if line["kind"] == "fill"]
    assert sides == ["buy", "sell"]


@pytest.mark.parametrize("venue", VENUES)
def test_an_entry_whose_answer_is_lost_is_never_sent_again(laboratory: Laboratory, venue: str) -> None:
    path = "/fapi/v1/order" if venue == "binance" else "/v5/order/create"
    lost = Item("rule", 0, venue=venue, own={"name": "ack-lost", "path": path, "method": "POST", "count": 1})

    outcome = fine(laboratory, quiet(signal(venue), lost))

    assert outcome.met["ack-lost"] == 1
    assert len([line for line in requests(outcome, path) if line["method"] == "POST"]) == 1


@pytest.mark.parametrize("style", ["silent", "refused"])
@pytest.mark.parametrize("venue", VENUES)
def test_a_minute_without_the_venue_is_survived(laboratory: Laboratory, venue: str, style: str) -> None:
    cut = Item("partition", 30_000, 60_000, venue, {"stops": "all", "style": style})

    outcome = fine(laboratory, quiet(signal(venue), cut, end_ms=240_000))

    codes = Counter(record.code for record in outcome.records if isinstance(record, Event))
    assert outcome.met["partition-all"] == 1
    assert codes["stream_lost"] >= 1
    assert codes["stream_restored"] >= 1


@pytest.mark.parametrize("venue", VENUES)
def test_what_was_not_durable_when_the_process_died_is_gone(laboratory: Laboratory, venue: str) -> None:
    """The first point in a run is a commit: the signal's own. Its sender had no answer, and sends it once more."""
    before = fine(laboratory, quiet(signal(venue), Item("kill", own={"point": 1, "down_ms": 100})))

    assert before.points[0] == "write"
    assert [life.end.killed for life in before.lives] == [True, False]
    assert sum(isinstance(record, SessionStarted) for record in before.records) == 2
    assert len([line for line in before.lines if line["kind"] == "fill"]) == 1


def test_our_clock_may_step_back_by_an_hour_and_forth_again(laboratory: Laboratory) -> None:
    off = Item("clock", 20_000, 40_000, own={"skew_ms": -3_600_000})

    outcome = fine(laboratory, quiet(signal("binance"), signal("bybit"), off))

    assert outcome.met["our-clock-off"] == 2


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.phase}-{case.venue}")
def test_a_death_at_any_point_is_recovered_from(laboratory: Laboratory, case: Case) -> None:
    """Every third point here, all of them in `make simulate`."""
    found = list(crash(laboratory, case, lambda point: point % 3 == 1, 0.0))

    assert len(found) == -(-crash_points(laboratory, case) // 3) > 7
    assert [str(one) for one in found if one.problems] == []


def test_the_fixed_schedules_break_no_rule_and_much_really_happens_in_them(laboratory: Laboratory) -> None:
    met: Counter[str] = Counter()
    for seed in FIXED:
        met += fine(laboratory, draw(seed)).met

    assert met.total() > 100
    assert {"killed: send", "killed: sent", "killed: answered", "lost-request", "lost-response", "frame-lost"} <= set(
        met
    )


def test_schedules_hold_items_of_every_kind() -> None:
    assert {item.kind for seed in range(60) for item in draw(seed).items} == set(KINDS)


REPEAT = """
from framework_simulator.simulation import Laboratory, draw
with Laboratory() as laboratory:
    for seed in (3, 5, 12):
        outcome = laboratory.run(draw(seed)).outcome
        print(outcome.ledger_digest, outcome.journal_digest)
"""


def test_the_same_seed_gives_the_same_ledger_and_journal_in_every_process() -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", REPEAT],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            cwd=ROOT, capture_output=True, text=True, check=True, timeout=120,
        ).stdout
        for seed in (0, 1, 2, 3)
    }  # fmt: skip

    assert len(told) == 1
    assert len(told.pop().split()) == 6


def test_an_exchange_that_forgets_the_stop_is_found_out(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from framework import Refusal, StopOrder
    from framework_binance.exchange import Binance

    async def refuses(self: Binance, order: StopOrder) -> Refusal:
        return Refusal("never", "this exchange is broken on purpose")

    async def closes(self: Binance, order: object) -> Refusal:
        return Refusal("never", "this exchange is broken on purpose")

    monkeypatch.setattr(Binance, "place_stop", refuses)
    monkeypatch.setattr(Binance, "close_position", closes)

    problems = laboratory.run(quiet(signal("binance"))).problems

    assert any(problem.startswith("1 covered at every instant") for problem in problems)
    assert any("no stop covers them" in problem for problem in problems)


def test_what_a_run_left_behind_is_gone_when_the_next_one_has_run(laboratory: Laboratory) -> None:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for seed in range(4):
            laboratory.run(draw(seed))

        assert len([each for each in gc.get_objects() if type(each) is World and each.seed in range(4)]) == 1
    finally:
        if was_enabled:
            gc.enable()
