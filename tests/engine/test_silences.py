"""What a start is told of earlier ones: a silence that the venue wants, and when something was last asked of it."""

from __future__ import annotations

import signal
from pathlib import Path

from framework import Event, ExchangeError, Refusal, SilenceAsked
from framework.config import ConfiguredExchange, FrameworkSettings
from framework.engine.preflight import check_exchange
from framework.engine.surveying import survey
from framework.journal import Silences
from framework.testing import NOW_NS, SYMBOL, make_signal
from tests.engine.fakes import Arrived, S, Venue, complete, in_virtual_time, running, venue, virtual_clock
from tests.engine.staging import FOREVER, deployment, live, play, recording

ONE = make_signal(id="one-1", account="one")
UNTIL_NS = NOW_NS + 90 * S


def terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


def silencing(market: Venue) -> None:
    """The venue asks for silence when its markets are read."""

    def tell(arrived: Arrived) -> None:
        if arrived.kind == "markets" and market.link is not None:
            market.link.emit(SilenceAsked(UNTIL_NS, "the venue asked for silence (429)"))

    market.at_request = tell


def told(market: Venue) -> list[int]:
    """What each start was told."""
    return [each.what.silent_until_ns for each in market.of("start")]


@in_virtual_time
async def test_a_silence_of_one_session_is_told_to_the_next_and_written_down(tmp_path: Path) -> None:
    market = venue()
    silencing(market)
    what = deployment(tmp_path, market, sources=[live(5, terminate, FOREVER)])
    played = await play(what)
    (event,) = [event for event in played.of(Event) if event.code == "silence_asked"]
    assert event.message == ("one: the venue asked for silence (429); nothing is sent before 2025-01-01 12:02:00 UTC")
    await play(what)
    assert told(market) == [0, UNTIL_NS]


@in_virtual_time
async def test_a_silence_that_a_failed_start_was_told_of_is_told_to_its_next_try(tmp_path: Path) -> None:
    market = venue()
    silencing(market)
    market.twist("markets", ExchangeError("one", "429"))
    await play(deployment(tmp_path, market, sources=[live(1)]))
    assert told(market) == [0, UNTIL_NS]


@in_virtual_time
async def test_a_check_and_a_plan_keep_to_a_silence_and_remember_a_new_one(tmp_path: Path) -> None:
    market, silences = venue(), Silences(tmp_path)
    silencing(market)
    account = ConfiguredExchange("one", "venue", True, 1, market, "config.toml:10 [exchanges.one]")
    await check_exchange(account, virtual_clock(), 5, exercise_stops=False, silences=silences)
    await survey(account, virtual_clock(), [], FrameworkSettings(), silences)
    assert told(market) == [0, UNTIL_NS]


@in_virtual_time
async def test_a_naked_position_is_protected_when_the_silence_ends_however_long_it_lasts() -> None:
    market = venue()
    silent = Refusal("rate_budget", "silent", for_good=False, silent_ns=60 * S)
    market.twist("place_stop", silent)
    market.twist("stops", *[ExchangeError("one", "silent")] * 5)
    async with running(market) as rig:
        await rig.engine.submit(complete(ONE))
        await rig.at_rest()
        first, second = market.of("place_stop")
        assert second.time_ns - first.time_ns == 60 * S
        assert market.of("close_position") == []
        assert [stop.symbol for stop in market.rests.values()] == [SYMBOL]


@in_virtual_time
async def test_a_start_is_told_when_an_earlier_run_was_last_at_work(tmp_path: Path) -> None:
    market = venue()
    what = deployment(tmp_path, market, sources=[live(5, terminate, FOREVER)])
    first = await play(what)
    await play(what)
    assert [each.what.active_ns for each in market.of("start")] == [0, first.records[-1].time_ns]


@in_virtual_time
async def test_a_start_of_a_recorded_session_is_told_of_no_earlier_run(tmp_path: Path) -> None:
    market = venue()
    await play(deployment(tmp_path, market, sources=[live(5, terminate, FOREVER)]))
    await play(deployment(tmp_path, market, sources=[recording(5)]), recorded=True)
    assert [each.what.active_ns for each in market.of("start")] == [0, 0]
