"""Accounts are read as a whole: at the start, after a gap, on a schedule; and what is found is acted on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from framework import (
    Decision,
    Event,
    ExchangeError,
    Fill,
    Intent,
    OrderReport,
    OrderSide,
    OrderStatus,
    Outcome,
    PositionChanged,
    Refusal,
    StopReport,
    StreamRestored,
    Unknown,
    VenuePosition,
)
from framework.config.deployment import FrameworkSettings
from framework.core.position import State
from framework.testing import SYMBOL, make_signal
from tests.engine.fakes import (
    LIMITS,
    Arrived,
    D,
    Rig,
    S,
    Venue,
    complete,
    in_virtual_time,
    running,
    signals,
    venue,
    virtual_clock,
)
from tests.engine.one_position import ONE, events, held, opened
from tests.engine.staging import FOREVER, deployment, live, play, session_of
from tests.engine.test_restart_tidies import terminate

LOST = "aaaaaaaaaaaaaaaa"
OTHER = "ETHUSDT"
ORDERS = ("place_entry", "cancel_entry", "place_stop", "move_stop", "cancel_stop", "close_position")


def holds(market: Venue, quantity: str = "1", symbol: str = SYMBOL) -> None:
    market.held[symbol] = VenuePosition(symbol, D(quantity), D(100))


def rests(market: Venue, identifier: str, symbol: str = SYMBOL, price: str = "94") -> None:
    market.rests[identifier] = StopReport(identifier, symbol, True, D(price), D(1))


def refusals(rig: Rig) -> list[tuple[str, str]]:
    return [(d.code, d.message) for d in rig.store.of(Decision) if d.outcome == "rejected"]


# ── what the journal does not know ──────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_a_position_of_ours_that_the_journal_does_not_know_is_adopted_with_its_stop() -> None:
    market = venue()
    holds(market)
    rests(market, f"fw-{LOST}-s4", price="97")
    async with running(market) as rig:
        await rig.at_rest()
        position = held(rig)
        assert (position.id, position.state) == (LOST, State.PROTECTED)
        assert position.live_stop is not None
        assert position.live_stop.trigger_price == D(97)
        assert rig.store.of(PositionChanged)[0].event == "adopted"
        assert "position_adopted" in events(rig)
        await asyncio.sleep(300)
        assert held(rig).state is State.PROTECTED
    assert market.of(*ORDERS) == []
    assert market.rests.keys() == {f"fw-{LOST}-s4"}


@pytest.mark.parametrize(("days", "is_ours", "asked"), [(3, True, 1), (20, True, 2), (90, True, 3), (100, False, 3)])
def test_a_position_is_traced_back_to_the_order_that_opened_it_for_three_months(
    days: int, is_ours: bool, asked: int
) -> None:
    @in_virtual_time
    async def scenario() -> None:
        market = venue()
        holds(market)
        opened_ns = virtual_clock().now_ns() - days * 86_400 * S
        opening = Fill("one", "one", f"fw-{LOST}-e0", SYMBOL, OrderSide.BUY, D(1), D(100), D(0), opened_ns)
        market.executed.append(opening)
        counted: list[Arrived] = []
        market.at_request = lambda arrived: counted.append(arrived) if arrived.kind == "fills" else None
        async with running(market) as rig:
            assert len(counted) == asked
            await rig.at_rest()
            assert (LOST in {position.id for position in rig.positions.values()}) is is_ours

    scenario()


@in_virtual_time
async def test_one_without_a_stop_is_given_that_of_the_deployment() -> None:
    market = venue()
    holds(market)
    async with running(market, limits=evolve(LIMITS, foreign_positions="adopt")) as rig:
        await rig.at_rest()
        assert held(rig).state is State.PROTECTED
        assert [stop.trigger_price for stop in market.rests.values()] == [D("94")]


@in_virtual_time
async def test_a_position_that_is_not_ours_is_left_alone_told_once_and_its_market_not_entered() -> None:
    market = venue()
    holds(market)
    rests(market, "by-hand")
    async with running(market) as rig:
        await asyncio.sleep(300)
        await rig.take(ONE)
        assert events(rig).count("foreign_position") == 1
        assert [code for code, _ in refusals(rig)] == ["already_open"]
        assert rig.positions == {}
    assert market.of(*ORDERS) == []


@in_virtual_time
async def test_the_market_may_be_entered_once_somebody_elses_position_is_gone() -> None:
    market = venue()
    holds(market)
    async with running(market) as rig:
        market.held.clear()
        await asyncio.sleep(61)
        await rig.take(ONE)
        assert held(rig).state is State.PROTECTED


@in_virtual_time
async def test_what_is_not_listed_can_not_be_adopted_and_people_are_told() -> None:
    market = venue("one", "BUSDT")
    holds(market)
    rests(market, f"fw-{LOST}-s0")
    async with running(market) as rig:
        await asyncio.sleep(200)
        assert events(rig) == ["not_adopted"]
        assert rig.positions == {}


@pytest.mark.parametrize(
    ("policy", "stops", "follows"), [("ignore", 0, False), ("protect", 1, False), ("adopt", 1, True)]
)
def test_foreign_positions_is_a_setting(tmp_path: Path, policy: Any, stops: int, follows: bool) -> None:
    @in_virtual_time
    async def scenario() -> None:
        market = venue()
        holds(market)
        what = deployment(
            tmp_path,
            market,
            sources=[live(5, terminate, FOREVER)],
            settings=FrameworkSettings(foreign_positions=policy),
        )
        played = await play(what)
        assert len(market.rests) == stops
        assert len(played.end.open_positions) == stops
        assert ("foreign_position" in [e.code for e in played.of(Event)]) is True

    scenario()


# ── what is known and not as expected ───────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_a_stop_that_vanished_without_a_word_is_noticed_and_placed_again() -> None:
    market = venue()
    async with opened(market) as rig:
        (old,) = market.rests
        market.rests.clear()
        await asyncio.sleep(70)
        assert held(rig).state is State.PROTECTED
        (new,) = market.rests
        assert new != old


@in_virtual_time
async def test_a_position_that_is_as_expected_is_not_read_by_itself() -> None:
    market = venue()
    async with opened(market) as rig:
        rig.engine.exchange_event("one", StreamRestored())  # its executions are read
        await asyncio.sleep(30)
        market.arrived.clear()
        await asyncio.sleep(600)
        assert len(market.of("positions")) == len(market.of("resting")) == 10
        assert market.of("stops", "fills", "entry_report", *ORDERS) == []


@pytest.mark.parametrize("every_s", [10, 120])
def test_reconcile_every_s_is_a_setting(tmp_path: Path, every_s: int) -> None:
    @in_virtual_time
    async def scenario() -> None:
        market = venue()
        what = deployment(
            tmp_path,
            market,
            sources=[live(601, terminate, FOREVER)],
            settings=FrameworkSettings(reconcile_every_s=every_s),
        )
        await play(what)
        assert len(market.of("resting")) == 1 + 600 // every_s

    scenario()


@in_virtual_time
async def test_after_a_gap_an_account_is_read_at_once_and_again_when_reads_have_caught_up() -> None:
    market = venue()
    async with running(market) as rig:
        await asyncio.sleep(10)
        began_ns = rig.clock.now_ns()
        rig.engine.exchange_event("one", StreamRestored())
        await asyncio.sleep(30)
        assert [round((each.time_ns - began_ns) / S) for each in market.of("resting")] == [0, 6]


# ── what was left behind ────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_an_order_of_ours_that_was_left_behind_is_removed_after_two_readings_and_others_stay() -> None:
    market = venue()
    rests(market, f"fw-{LOST}-s0")
    rests(market, "by-hand")
    async with running(market) as rig:
        await asyncio.sleep(5)
        assert market.of(*ORDERS) == []
        await asyncio.sleep(5)
        assert [each.what for each in market.of(*ORDERS)] == [f"fw-{LOST}-s0"]
        assert [(i.action, i.client_id) for i in rig.store.of(Intent)] == [("cancel-stop", f"fw-{LOST}-s0")]
        assert [o.result for o in rig.store.of(Outcome)] == ["accepted"]
        assert events(rig) == ["order_left_behind"]
    assert market.rests.keys() == {"by-hand"}


@in_virtual_time
async def test_an_entry_that_was_left_behind_is_cancelled_as_one() -> None:
    market = venue()
    market.reports[f"fw-{LOST}-e0"] = OrderReport(f"fw-{LOST}-e0", SYMBOL, OrderStatus.NEW)
    async with running(market):
        await asyncio.sleep(10)
        assert [each.kind for each in market.of(*ORDERS)] == ["cancel_entry"]


@pytest.mark.parametrize("answer", [Refusal("-1", "no"), Unknown("reset"), ExchangeError("one", "503")])
def test_an_order_that_could_not_be_removed_is_tried_again(answer: object) -> None:
    @in_virtual_time
    async def scenario() -> None:
        market = venue()
        rests(market, f"fw-{LOST}-s0")
        market.twist("cancel_stop", answer)
        async with running(market) as rig:
            await asyncio.sleep(200)
            assert len(market.of("cancel_stop")) == 2
            assert [e.level for e in rig.store.of(Event)] == ["error", "warning"]
        assert market.rests == {}

    scenario()


# ── what proves nothing ─────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_without_a_good_reading_of_its_account_nothing_is_opened(tmp_path: Path) -> None:
    market, other = venue("one"), venue("two")
    market.twist("resting", *[ExchangeError("one", "503")] * 6)
    first = [make_signal(id=account, account=account) for account in ("one", "two")]
    later = make_signal(id="later", account="one", bar_time_ns=ONE.bar_time_ns + 900 * S)
    lines = (complete(*first), 60, complete(later), 5, terminate, FOREVER)
    played = await play(deployment(tmp_path, market, other, sources=[live(*lines)]))
    refused = [(d.account, d.code) for d in played.of(Decision) if d.outcome == "rejected"]
    assert refused == [("one", "entries_stopped")]
    assert sorted(line.account for line in played.end.open_positions) == ["one", "two"]
    told = [(e.level, e.code) for e in played.of(Event) if e.code == "account_not_read"]
    assert told == [("warning", "account_not_read"), ("error", "account_not_read")]


@in_virtual_time
async def test_a_session_waits_for_the_first_reading_before_it_listens(tmp_path: Path) -> None:
    market = venue(latency_s=2.0)
    played = await play(deployment(tmp_path, market, sources=[live(complete(ONE), 30, terminate, FOREVER)]))
    assert [d.outcome for d in played.of(Decision)] == ["planned", "opened"]


@in_virtual_time
async def test_a_sudden_empty_reading_sweeps_nothing_and_each_position_is_asked_for() -> None:
    market = venue("one", "AUSDT", "BUSDT")
    async with running(market) as rig:
        await rig.take(*signals("one", "AUSDT", "BUSDT"))
        rests(market, f"fw-{LOST}-s0", "AUSDT")
        await asyncio.sleep(50)
        kept = dict(market.held)
        market.held.clear()
        market.arrived.clear()
        await asyncio.sleep(60)
        assert {p.state for p in rig.positions.values()} == {State.PROTECTED}
        assert {each.what for each in market.of("fills")} == {"AUSDT", "BUSDT"}, "executions are what is believed"
        market.held.update(kept)
        await asyncio.sleep(20)
        assert "account_read_empty" in events(rig)
        assert {p.state for p in rig.positions.values()} == {State.PROTECTED}
    assert market.of("cancel_stop", "close_position") == []


@in_virtual_time
async def test_a_venue_that_hangs_is_a_failed_reading() -> None:
    market = venue()
    async with running(market) as rig:
        market.latency_s = 11.0
        await asyncio.sleep(80)
        assert events(rig) == ["account_not_read"]


@in_virtual_time
async def test_an_outage_of_hours_is_survived_and_the_first_good_reading_counts() -> None:
    market = venue()
    async with running(market) as rig:
        market.twist("resting", *[ExchangeError("one", "503")] * 1_200)
        await asyncio.sleep(1_300 * 8)
        assert rig.engine.failure is None
        assert not market.twists["resting"]
        assert rig.engine.reconciler.accounts["one"].failures == 0


# ── a restart ───────────────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_fifty_open_positions_are_verified_within_five_seconds_by_a_few_requests(tmp_path: Path) -> None:
    symbols = [f"A{number}USDT" for number in range(50)]
    market = venue("one", *symbols)
    await play(
        deployment(
            tmp_path, market, sources=[live(complete(*signals("one", *symbols)), 90, terminate, FOREVER)], target=50
        )
    )
    assert len(market.held) == len(market.rests) == 50
    market.arrived.clear()
    market.latency_s = 1.0
    missing = next(iter(market.rests))
    del market.rests[missing]

    records: list[Any] = []
    what = deployment(tmp_path, market, sources=[live(60, terminate, FOREVER)], target=50)
    session = session_of(what, records)
    began_ns = session.clock.now_ns()
    up: list[int] = []
    end = await session.run(lambda: up.append(session.clock.now_ns()))

    assert (up[0] - began_ns) / S <= 5
    assert len(end.open_positions) == 50
    read = [each for each in market.of("positions", "resting", "stops", "fills") if each.time_ns <= up[0] + 4 * S]
    assert len(read) <= 10, "account-wide reads, and the one position that is not as expected"
    assert len(market.of("place_stop")) == 1


# ── closing everything ──────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_all_positions_of_one_account_are_closed_and_two_readings_say_so() -> None:
    one, two = venue("one"), venue("two")
    async with running(one, two) as rig:
        await rig.take(ONE, make_signal(id="two", account="two"))
        rig.engine.close_all("flatten", ["one"])
        await asyncio.sleep(20)
        assert (one.held, one.rests) == ({}, {})
        assert len(two.held) == 1
        assert [e.message for e in rig.store.of(Event) if e.code == "flattened"] == [
            "one: two readings show nothing of ours any more"
        ]


@pytest.mark.parametrize("strangers", [False, True])
def test_what_is_not_ours_is_closed_only_when_that_is_asked_for(strangers: bool) -> None:
    @in_virtual_time
    async def scenario() -> None:
        market = venue()
        holds(market)
        async with running(market) as rig:
            await asyncio.sleep(10)
            rig.engine.close_all("flatten", strangers=strangers)
            await asyncio.sleep(30)
            assert len(market.held) == (0 if strangers else 1)
            assert len(market.of("close_position")) == (1 if strangers else 0)
            assert "flattened" in events(rig)

    scenario()


# ── another instance ────────────────────────────────────────────────────────────────────────────────────────


def opens_elsewhere(market: Venue, symbol: str, at_ns: int) -> None:
    """Somebody with our software and another journal opens a position, and protects it."""
    holds(market, symbol=symbol)
    rests(market, f"fw-{LOST}-s0", symbol)
    market.executed.append(Fill("one", "one", f"fw-{LOST}-e0", symbol, OrderSide.BUY, D(1), D(100), D(0), at_ns))


@in_virtual_time
async def test_when_another_instance_opens_on_the_account_it_is_protected_and_nothing_is_opened_here_any_more() -> None:
    market = venue("one", SYMBOL, OTHER)
    async with running(market) as rig:
        await rig.at_rest()
        await asyncio.sleep(120)
        opens_elsewhere(market, OTHER, rig.clock.now_ns())
        await asyncio.sleep(120)
        await rig.take(ONE)

        assert events(rig).count("other_instance") == 1
        assert (rig.positions[OTHER].id, rig.positions[OTHER].state) == (LOST, State.PROTECTED)
        assert [(code, "another instance trades" in text) for code, text in refusals(rig)] == [
            ("entries_stopped", True)
        ]
    assert market.of("place_entry") == []


@in_virtual_time
async def test_an_entry_of_a_life_before_that_arrives_around_the_start_is_nobody_elses() -> None:
    market = venue("one", SYMBOL, OTHER)
    async with running(market) as rig:
        await rig.at_rest()
        opens_elsewhere(market, OTHER, rig.clock.now_ns() + S)
        await asyncio.sleep(120)
        await rig.take(ONE)

        assert rig.positions[OTHER].id == LOST
        assert "other_instance" not in events(rig)
    assert len(market.of("place_entry")) == 1
