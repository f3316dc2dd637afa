"""A session from its first connection to its last: what starts, what ends it, and what the next one takes over."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from framework import (
    Capabilities,
    ConfigError,
    Event,
    ExchangeError,
    Record,
    Refusal,
    SessionEnded,
    SessionStarted,
    SignalReceived,
    SignalRefused,
    Timeline,
)
from framework.app import SessionStart, run_session, timeline_of
from framework.config import FrameworkSettings
from framework.engine.ending import EndUnwrittenError
from framework.errors import JournalError
from framework.journal import Pulse
from framework.journal.store import Store
from framework.testing import NOW_NS, SYMBOL, make_signal
from tests.engine.fakes import HANG, Arrived, D, Venue, complete, in_virtual_time, signals, venue
from tests.engine.staging import FOREVER, deployment, journal_of, live, play, recording, session_of

ONE = make_signal(id="one-1", account="one")
PATIENT = FrameworkSettings(data_timeout_s=60)
"""What hangs is waited for until the session has ended."""


def terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


# ── the whole of it ─────────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_a_recording_is_played_to_its_end_and_what_stays_open_is_told(tmp_path: Path) -> None:
    market = venue(latency_s=0.5)
    played = await play(deployment(tmp_path, market, sources=[recording(complete(ONE))]), recorded=True)
    assert (played.end.reason, played.end.failed) == ("recording ended", False)
    (line,) = played.end.open_positions
    assert (line.account, line.symbol, line.side, line.quantity, line.stop_price) == (
        "one", SYMBOL, "long", D(1), D("94.01"),
    )  # fmt: skip
    assert isinstance(played.records[0], SessionStarted)
    assert played.records[-1] == SessionEnded(played.session.clock.now_ns(), "recording ended", 1)
    assert market.stopped


@in_virtual_time
async def test_what_is_submitted_last_is_decided_before_a_recording_ends(tmp_path: Path) -> None:
    market = venue("one", "AUSDT", "BUSDT", latency_s=2.0)
    source = recording(complete(*signals("one", "AUSDT", "BUSDT")))
    played = await play(deployment(tmp_path, market, sources=[source]), recorded=True)
    assert [line.stop_price for line in played.end.open_positions] == [D("94.01")] * 2


@in_virtual_time
async def test_orders_and_positions_stay_at_the_venue_when_a_session_ends(tmp_path: Path) -> None:
    market = venue()
    await play(deployment(tmp_path, market, sources=[recording(complete(ONE))]), recorded=True)
    assert list(market.held) == [SYMBOL]
    assert len(market.rests) == 1


# ── starting ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["start", "markets"])
@pytest.mark.parametrize("error", [ExchangeError("two", "refused the key"), RuntimeError("a bug")])
def test_a_session_whose_only_venue_never_comes_up_ends_with_the_reason(
    tmp_path: Path, kind: str, error: Exception
) -> None:
    @in_virtual_time
    async def scenario() -> None:
        two = venue("two")
        two.twist(kind, *[error] * 99)
        with pytest.raises(ExchangeError, match=r"two: .*(refused the key|could not start: RuntimeError: a bug)"):
            await play(deployment(tmp_path, two, sources=[live()]))
        assert two.stopped

    scenario()


# ── sources ─────────────────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_a_source_that_raises_makes_the_session_a_failed_one(tmp_path: Path) -> None:
    played = await play(deployment(tmp_path, venue(), sources=[recording(ValueError("line 3"))]), recorded=True)
    assert played.end.failed
    assert played.end.reason == "failed: signal source script ended: ValueError: line 3"
    assert [(e.level, e.code) for e in played.of(Event)] == [("error", "source_failed")]


@in_virtual_time
async def test_a_source_that_raises_does_not_end_the_others(tmp_path: Path) -> None:
    market = venue()
    sources = [live(ValueError("gone")), live(60, complete(ONE), 5)]
    played = await play(deployment(tmp_path, market, sources=sources))
    assert played.end.failed
    assert played.elapsed_s >= 65
    assert len(market.of("place_entry")) == 1


@in_virtual_time
async def test_what_is_half_open_is_protected_before_a_session_ends_whose_source_raised(tmp_path: Path) -> None:
    market = venue(latency_s=1.0)
    played = await play(deployment(tmp_path, market, sources=[live(complete(ONE), 2.5, ValueError("gone"))]))
    assert played.end.failed
    assert [line.stop_price for line in played.end.open_positions] == [D("94.01")]


@in_virtual_time
async def test_what_waits_behind_what_is_half_open_is_not_entered_by_a_session_that_failed(tmp_path: Path) -> None:
    market = venue("one", "AUSDT", "BUSDT", latency_s=1.0)
    market.twist("place_entry", Refusal("110007", "insufficient balance"))
    source = live(complete(*signals("one", "AUSDT", "BUSDT")), 2.5, ValueError("gone"))
    played = await play(deployment(tmp_path, market, sources=[source], target=1))
    assert played.end.open_positions == ()
    assert [each.what.symbol for each in market.of("place_entry")] == ["AUSDT"]


# ── SIGTERM ─────────────────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_a_signal_of_the_system_ends_a_live_session_in_order(tmp_path: Path) -> None:
    market = venue()
    what = deployment(tmp_path, market, sources=[live(complete(ONE), 5, terminate, FOREVER)])
    played = await play(what)
    assert (played.end.reason, played.end.failed) == ("interrupted", False)
    assert [line.stop_price for line in played.end.open_positions] == [D("94.01")]
    assert market.stopped
    with journal_of(what) as reader:
        assert reader.sessions()[-1].reason == "interrupted"


@in_virtual_time
async def test_what_is_half_open_is_protected_before_an_interrupted_session_ends(tmp_path: Path) -> None:
    market = venue(latency_s=1.0)

    def interrupt(arrived: Arrived) -> None:
        if arrived.kind == "place_entry":
            terminate()

    market.at_request = interrupt
    played = await play(deployment(tmp_path, market, sources=[live(complete(ONE), FOREVER)]))
    assert played.end.reason == "interrupted"
    assert [line.stop_price for line in played.end.open_positions] == [D("94.01")]


@in_virtual_time
async def test_no_more_entries_are_sent_once_a_session_is_interrupted(tmp_path: Path) -> None:
    market = venue("one", "AUSDT", "BUSDT", latency_s=1.0)
    market.twist("place_entry", ExchangeError("one", "reset"))  # so that the next candidate's turn would come

    def interrupt(arrived: Arrived) -> None:
        if arrived.kind == "market_data":
            terminate()

    market.at_request = interrupt
    source = live(complete(*signals("one", "AUSDT", "BUSDT")), FOREVER)
    await play(deployment(tmp_path, market, sources=[source]))
    assert market.of("place_entry") == []


# ── a journal that fails ────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_a_journal_that_fails_stops_entries_but_not_protection_and_the_session_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = venue("one", "AUSDT", "BUSDT", latency_s=0.5)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def fail(arrived: Arrived) -> None:
        if arrived.kind == "place_entry":
            monkeypatch.setattr(Store, "write", full)

    market.at_request = fail
    source = live(complete(*signals("one", "AUSDT")), 30, complete(*signals("one", "BUSDT")), FOREVER)
    session = session_of(deployment(tmp_path, market, sources=[source]), [])
    with pytest.raises(JournalError, match="No space left on device"):
        await session.run(lambda: None)
    assert session.engine.entries_stopped.startswith("the journal failed: ")
    assert [p.symbol for p in session.engine.desks["one"].positions.values()] == ["AUSDT"]
    assert [each.what.symbol for each in market.of("place_entry")] == ["AUSDT"]
    assert [stop.symbol for stop in market.rests.values()] == ["AUSDT"]
    assert market.stopped


@in_virtual_time
async def test_the_end_that_a_broken_journal_can_not_take_is_told_from_memory_and_the_next_start_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = venue("one", "AUSDT")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def fail(arrived: Arrived) -> None:
        if arrived.kind == "place_stop":  # so no record of this stop is ever durable
            patch.setattr(Store, "write", full)

    market.at_request = fail
    (tmp_path / "var").mkdir()
    session = session_of(deployment(tmp_path, market, sources=[live(complete(*signals("one", "AUSDT")), 5)]), [])
    session.pulse = session.watchman.pulse = Pulse(tmp_path / "var")
    with monkeypatch.context() as patch, pytest.raises(EndUnwrittenError, match=r"left on device.* not written") as end:
        await session.run(lambda: None)
    assert [(line.symbol, line.stop_price) for line in end.value.end.open_positions] == [("AUSDT", D("94.01"))]

    market.at_request = lambda arrived: None
    records: list[Record] = []
    session = session_of(deployment(tmp_path, market, sources=[live(5)]), records)
    session.pulse = Pulse(tmp_path / "var")
    await session.run(lambda: None)
    (told,) = [each.message for each in records if isinstance(each, Event) and each.code == "session_unended"]
    assert told.startswith("the end of the session before is not written down, but it said: failed: the journal failed")

    records.clear()
    session = session_of(deployment(tmp_path, market, sources=[live(5)]), records)
    await session.run(lambda: None)
    assert not [each for each in records if isinstance(each, Event) and each.code == "session_unended"]


# ── taking over from an earlier run ─────────────────────────────────────────────────────────────────────────


async def first_run(tmp_path: Path, market: Venue, *more: Venue) -> None:
    played = await play(deployment(tmp_path, market, *more, sources=[live(complete(ONE), 5, terminate, FOREVER)]))
    assert len(played.end.open_positions) == 1
    market.arrived.clear()


@in_virtual_time
async def test_a_restart_reads_its_positions_back_and_sends_nothing_that_is_not_needed(tmp_path: Path) -> None:
    market = venue()
    await first_run(tmp_path, market)
    played = await play(deployment(tmp_path, market, sources=[live(60, terminate, FOREVER)]))
    (line,) = played.end.open_positions
    assert (line.symbol, line.quantity, line.stop_price) == (SYMBOL, D(1), D("94.01"))
    assert market.of("positions")
    assert market.of("place_entry", "place_stop", "move_stop", "cancel_stop", "close_position") == []
    assert market.watched[-1] == {SYMBOL}


@in_virtual_time
async def test_a_stop_that_was_lost_while_nobody_looked_is_placed_again(tmp_path: Path) -> None:
    market = venue()
    await first_run(tmp_path, market)
    market.rests.clear()
    await play(deployment(tmp_path, market, sources=[live(60, terminate, FOREVER)]))
    assert [(stop.trigger_price, stop.quantity) for stop in market.rests.values()] == [(D("94.01"), D(1))]


@in_virtual_time
async def test_a_position_that_was_closed_while_nobody_looked_is_closed_and_its_stop_removed(tmp_path: Path) -> None:
    market = venue()
    await first_run(tmp_path, market)
    market.held.clear()
    played = await play(deployment(tmp_path, market, sources=[live(600, terminate, FOREVER)]))
    assert played.end.open_positions == ()
    assert market.rests == {}
    assert market.of("close_position", "place_entry") == []


@in_virtual_time
async def test_an_entry_whose_answer_the_crash_swallowed_is_looked_for_and_never_sent_again(tmp_path: Path) -> None:
    market = venue()
    market.twist("place_entry", HANG, done=True)

    await play(deployment(tmp_path, market, sources=[live(complete(ONE), 1, terminate, FOREVER)]))
    market.arrived.clear()
    played = await play(deployment(tmp_path, market, sources=[live(60, terminate, FOREVER)]))
    assert [line.stop_price for line in played.end.open_positions] == [D("94.01")]
    assert market.of("place_entry") == []


@in_virtual_time
async def test_a_wave_that_a_crash_left_undecided_goes_on_for_accounts_that_hold_nothing_of_it(tmp_path: Path) -> None:
    one, two = venue("one"), venue("two", latency_s=1.0)
    one.twist("place_entry", HANG, done=True)
    one.twist("place_stop", HANG)
    await play(deployment(tmp_path, one, two, sources=[live(complete(ONE), 1, terminate, FOREVER)]))
    one.latency_s = 0.5
    of_two = make_signal(id="two-1", account="two")
    source = live(complete(of_two), 60, terminate, FOREVER)
    played = await play(deployment(tmp_path, one, two, sources=[source]))
    assert not played.end.failed, played.end.reason
    assert [(line.account, line.stop_price) for line in played.end.open_positions] == [
        ("one", D("94.01")),
        ("two", D("94.01")),
    ]


@in_virtual_time
async def test_what_an_earlier_run_opened_of_an_undecided_wave_counts_towards_its_target(tmp_path: Path) -> None:
    one, two = venue("one", "AUSDT", "BUSDT"), venue("two", latency_s=1.0)
    first = [*signals("one", "AUSDT"), make_signal(id="two-1", account="two")]
    two.twist("balance", HANG)
    source = live(complete(*first), 1, terminate, FOREVER)
    await play(deployment(tmp_path, one, two, sources=[source], target=1, settings=PATIENT))
    assert list(one.held) == ["AUSDT"]
    two.latency_s = 0.0

    rest = complete(make_signal("BUSDT", id="one-B", account="one"))
    what = deployment(tmp_path, one, two, sources=[live(rest, 5, terminate, FOREVER)], target=1)
    await play(what)

    assert list(one.held) == ["AUSDT"]
    with journal_of(what) as reader:
        outcomes = {row.signal_id: (row.outcome, row.code) for row in reader.signals()}
    assert outcomes["one-B"] == ("not_attempted", "target_reached")


@in_virtual_time
async def test_a_signal_that_an_earlier_run_never_decided_is_recorded_as_late_and_not_entered(tmp_path: Path) -> None:
    one, two = venue("one", "AUSDT"), venue("two")
    two.twist("balance", HANG)
    both = [*signals("one", "AUSDT"), make_signal(id="two-1", account="two")]
    source = live(complete(*both), 1, terminate, FOREVER)
    await play(deployment(tmp_path, one, two, sources=[source], settings=PATIENT))

    what = deployment(tmp_path, one, two, sources=[live(5, terminate, FOREVER)])
    await play(what)
    await play(what)

    assert two.of("place_entry") == []
    with journal_of(what) as reader:
        (row,) = [row for row in reader.signals() if row.signal_id == "two-1"]
        assert len(reader.decisions("two-1")) == 1
    assert (row.outcome, row.code) == ("not_attempted", "run_ended")
    assert "ended before it was decided" in row.message


@in_virtual_time
async def test_a_restart_whose_reads_fail_changes_nothing_until_they_work(tmp_path: Path) -> None:
    market = venue()
    await first_run(tmp_path, market)
    market.twist("positions", *[ExchangeError("one", "503")] * 5)
    played = await play(deployment(tmp_path, market, sources=[live(120, terminate, FOREVER)]))
    assert len(played.end.open_positions) == 1
    assert market.of("place_entry", "place_stop", "cancel_stop", "close_position") == []


@in_virtual_time
async def test_signals_that_an_earlier_run_took_are_not_taken_again(tmp_path: Path) -> None:
    market = venue("one", SYMBOL, "BUSDT")
    await first_run(tmp_path, market)
    late = make_signal("BUSDT", id="one-2", account="one")
    source = live(complete(ONE), complete(late), 5, terminate, FOREVER)
    played = await play(deployment(tmp_path, market, sources=[source]))
    assert [refused.bad.code for refused in played.of(SignalRefused)] == ["duplicate", "late"]
    assert played.of(SignalReceived) == []
    assert market.of("place_entry") == []


@in_virtual_time
async def test_a_market_that_an_earlier_run_holds_is_taken(tmp_path: Path) -> None:
    market = venue()
    await first_run(tmp_path, market)
    again = make_signal(id="one-3", account="one", bar_time_ns=NOW_NS)
    await play(deployment(tmp_path, market, sources=[live(complete(again), 5, terminate, FOREVER)]))
    assert market.of("place_entry") == []


@in_virtual_time
async def test_an_open_position_of_an_account_that_is_not_there_any_more_is_a_case_for_a_person(tmp_path: Path) -> None:
    one = venue("one")
    await first_run(tmp_path, one, venue("two"))
    played = await play(deployment(tmp_path, venue("two"), sources=[live(5, terminate, FOREVER)]))
    missing = [event for event in played.of(Event) if event.code == "account_missing"]
    assert [(event.level, event.account, event.symbol) for event in missing] == [("error", "one", SYMBOL)]
    assert one.arrived == []


@in_virtual_time
async def test_a_recorded_session_takes_over_nothing(tmp_path: Path) -> None:
    market = venue()
    await first_run(tmp_path, market)
    played = await play(deployment(tmp_path, venue(), sources=[recording(1)]), recorded=True)
    assert played.end.open_positions == ()


# ── what is refused before anything starts ──────────────────────────────────────────────────────────────────


def problems(tmp_path: Path, *venues: Venue, sources: list[object]) -> list[str]:
    with pytest.raises(ConfigError) as error:
        timeline_of(deployment(tmp_path, *venues, sources=sources))  # type: ignore[arg-type]
    return [str(problem) for problem in error.value.problems]


@pytest.mark.parametrize("other", [recording(), live()], ids=["another recording", "a live source"])
def test_a_recording_is_played_alone(tmp_path: Path, other: object) -> None:
    (problem,) = problems(tmp_path, venue(), sources=[recording(), other])
    assert problem.startswith("config.toml:0 [[signals]]: a recorded session brings its own clock and is played alone")


def test_a_recording_never_trades_on_a_real_venue(tmp_path: Path) -> None:
    real, paper = venue("one"), venue("two")
    real.capabilities = Capabilities(simulated=False)
    (problem,) = problems(tmp_path, real, paper, sources=[recording()])
    assert problem.startswith("config.toml:10 [exchanges.one]: a recorded session must not trade on a real venue")


def test_a_rehearsal_plays_a_recording_on_the_exchanges_of_real_venues(tmp_path: Path) -> None:
    real = venue()
    real.capabilities = Capabilities(simulated=False)
    assert timeline_of(deployment(tmp_path, real, sources=[recording()]), rehearsing=True) == Timeline(NOW_NS)


def test_live_sources_may_trade_on_a_real_venue_together(tmp_path: Path) -> None:
    real = venue()
    real.capabilities = Capabilities(simulated=False)
    assert timeline_of(deployment(tmp_path, real, sources=[live(), live()])) is None


def test_without_any_source_or_exchange_both_are_missed_at_once(tmp_path: Path) -> None:
    lines = problems(tmp_path, sources=[])
    assert [line.split(": ", 1)[1] for line in lines] == [
        "no signal source is enabled; enable one",
        "no exchange is enabled; enable one",
    ]


def test_a_recorded_session_is_not_played_into_the_journal_of_one_with_live_signals(tmp_path: Path) -> None:
    @in_virtual_time
    async def before() -> None:
        await play(deployment(tmp_path, venue(), sources=[live(1)]))

    before()
    with pytest.raises(ConfigError, match="is the journal of a paper session; a recorded session needs a state"):
        run_session(deployment(tmp_path, venue(), sources=[recording()]))


def test_a_session_with_live_signals_does_not_go_on_in_the_journal_of_a_recorded_one(tmp_path: Path) -> None:
    run_session(deployment(tmp_path, venue(), sources=[recording()]))
    market = venue()
    with pytest.raises(ConfigError, match="is the journal of a recorded session; a paper session needs a state"):
        run_session(deployment(tmp_path, market, sources=[live()]))
    assert market.arrived == []


def test_a_recording_that_is_played_again_sets_the_earlier_journal_aside_and_decides_the_same(tmp_path: Path) -> None:
    starts: list[SessionStart] = []
    orders = []
    for _ in range(2):
        market = venue()
        what = deployment(tmp_path, market, sources=[recording(complete(ONE))])
        run_session(what, on_start=starts.append)
        orders.append([(each.kind, each.what) for each in market.of("place_entry", "place_stop")])
    assert orders[0] == orders[1]
    assert starts[0].set_aside is None
    assert starts[1].set_aside is not None
    assert starts[1].set_aside.exists()
    with journal_of(what) as reader:
        assert len(reader.sessions()) == 1
