"""A venue that is slow or hangs, at the start and at the end: it keeps no session from ending in order."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from attrs import define, field

from framework import Event, ExchangeError, Record, SessionMode, SessionStarted
from framework.config import FrameworkSettings
from framework.engine.connecting import STOP_S
from framework.testing import SYMBOL, make_signal
from tests.engine.fakes import HANG, D, Venue, complete, in_virtual_time, venue, virtual_clock
from tests.engine.staging import FOREVER, deployment, journal_of, live, play, recording, session_of

ONE = make_signal(id="one-1", account="one")


def terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


def terminate_at(kind: str, market: Venue) -> None:
    """The system ends the process while a request of this kind is under way."""
    market.at_request = lambda arrived: terminate() if arrived.kind == kind else None


@define
class Clinging(Venue):
    """Never lets go of its connections, or says why it can't."""

    error: Exception | None = field(default=None, init=False)

    async def stop(self) -> None:
        self.stopped = True
        if self.error is not None:
            raise self.error
        await asyncio.Event().wait()


@define
class Slow(Venue):
    """Takes a while to let go of its connections; the system ends the process meanwhile."""

    let_go: bool = field(default=False, init=False)

    async def stop(self) -> None:
        terminate()
        await asyncio.sleep(1)
        self.let_go = True


# ── the start ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["start", "markets"])
def test_a_venue_that_is_not_ready_in_time_stops_the_start_and_the_setting_is_named(tmp_path: Path, kind: str) -> None:
    @in_virtual_time
    async def scenario() -> None:
        two = venue("two")
        two.twist(kind, HANG)
        began_ns = virtual_clock().now_ns()
        with pytest.raises(ExchangeError) as caught:
            await play(deployment(tmp_path, two, sources=[live()]))
        assert str(caught.value) == (
            "two: could not start: no answer within 60 s; see to the network, or raise [framework] start_timeout_s"
        )
        assert (virtual_clock().now_ns() - began_ns) / 1e9 == 60
        assert two.stopped

    scenario()


@pytest.mark.parametrize(("start_timeout_s", "comes_up"), [(7, False), (9, True)])
def test_how_long_a_venue_may_take_to_be_ready_is_a_setting(
    tmp_path: Path, start_timeout_s: int, comes_up: bool
) -> None:
    @in_virtual_time
    async def scenario() -> None:
        market = venue(latency_s=4.0)  # once for the start and once for its markets
        what = deployment(
            tmp_path, market, sources=[live()], settings=FrameworkSettings(start_timeout_s=start_timeout_s)
        )
        if comes_up:
            assert (await play(what)).end.reason == "sources ended"
            return
        with pytest.raises(ExchangeError, match="no answer within 7 s"):
            await play(what)

    scenario()


@in_virtual_time
async def test_a_time_limit_of_the_exchanges_own_is_not_blamed_on_the_setting(tmp_path: Path) -> None:
    market = venue()
    market.twist("start", *[TimeoutError("no pong")] * 99)
    with pytest.raises(ExchangeError, match="one: could not start: TimeoutError: no pong"):
        await play(deployment(tmp_path, market, sources=[live()]))


@in_virtual_time
async def test_an_interrupted_start_lets_go_of_what_was_started_and_counts_as_interrupted(tmp_path: Path) -> None:
    one, two = venue("one"), venue("two")
    two.twist("start", HANG)
    one.twist("start", HANG)
    terminate_at("start", two)
    what = deployment(tmp_path, one, two, sources=[live(complete(ONE))])

    played = await play(what)

    assert (played.end.reason, played.end.failed, played.end.open_positions) == ("interrupted", False, ())
    assert played.elapsed_s == 0
    assert one.stopped
    assert two.stopped
    assert one.of("positions", "place_entry") == []
    with journal_of(what) as reader:
        assert reader.sessions() == ()


@in_virtual_time
async def test_an_interrupted_start_tells_what_an_earlier_run_left_open(tmp_path: Path) -> None:
    market = venue()
    await play(deployment(tmp_path, market, sources=[live(complete(ONE), 5, terminate, FOREVER)]))
    market.twist("start", HANG)
    terminate_at("start", market)

    played = await play(deployment(tmp_path, market, sources=[live()]))

    assert played.end.reason == "interrupted"
    (line,) = played.end.open_positions
    assert (line.account, line.symbol, line.quantity, line.stop_price) == ("one", SYMBOL, D(1), D("94.01"))


@in_virtual_time
async def test_a_session_that_is_interrupted_as_it_comes_up_listens_to_no_source(tmp_path: Path) -> None:
    market = venue()
    records: list[Record] = []
    session = session_of(deployment(tmp_path, market, sources=[live(complete(ONE), FOREVER)]), records)

    end = await session.run(session.stopped.set)

    assert end.reason == "interrupted"
    assert [type(record).__name__ for record in records] == ["SessionStarted", "SessionEnded"]


@pytest.mark.parametrize("mode", SessionMode)
def test_a_session_writes_down_what_its_orders_reach(tmp_path: Path, mode: SessionMode) -> None:
    @in_virtual_time
    async def scenario() -> None:
        records: list[Record] = []
        what = deployment(tmp_path, venue(), sources=[live()])
        await session_of(what, records, mode=mode).run(lambda: None)
        (started,) = [record for record in records if isinstance(record, SessionStarted)]
        assert started.mode is mode
        with journal_of(what) as reader:
            assert reader.sessions()[-1].mode is mode

    scenario()


# ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("source", "reason"), [(live(1), "sources ended"), (recording(1), "recording ended")])
def test_what_ended_is_said(tmp_path: Path, source: object, reason: str) -> None:
    @in_virtual_time
    async def scenario() -> None:
        recorded = reason == "recording ended"
        played = await play(deployment(tmp_path, venue(), sources=[source]), recorded=recorded)  # type: ignore[list-item]
        assert (played.end.reason, played.end.failed) == (reason, False)

    scenario()


@in_virtual_time
async def test_a_venue_that_does_not_let_go_keeps_no_session_alive(tmp_path: Path) -> None:
    market = Clinging()

    played = await play(deployment(tmp_path, market, sources=[live(complete(ONE), 5)]))

    assert (played.end.reason, played.end.failed) == ("sources ended", False)
    assert played.elapsed_s == D(5) + D(STOP_S)
    (event,) = [event for event in played.of(Event) if event.code == "disconnect_failed"]
    assert (event.level, event.account) == ("warning", "one")
    assert event.message == "one: did not let go of its connections within 10 s; they end with this process"


@in_virtual_time
async def test_a_venue_that_fails_to_let_go_is_written_down(tmp_path: Path) -> None:
    market = Clinging()
    market.error = OSError("socket gone")

    played = await play(deployment(tmp_path, market, sources=[live()]))

    assert [(event.code, event.message) for event in played.of(Event)] == [
        ("disconnect_failed", "one: could not let go of its connections: OSError: socket gone")
    ]


@in_virtual_time
async def test_a_venue_that_does_not_let_go_hides_no_failure_of_the_start(tmp_path: Path) -> None:
    one, two = Clinging(), venue("two")
    two.twist("start", ExchangeError("two", "refused the key", for_good=True))

    with pytest.raises(ExchangeError, match="two: refused the key"):
        await play(deployment(tmp_path, one, two, sources=[live()]))

    assert one.stopped


@in_virtual_time
async def test_a_signal_of_the_system_while_venues_are_let_go_of_does_not_cut_that_short(tmp_path: Path) -> None:
    market = Slow()

    played = await play(deployment(tmp_path, market, sources=[live(complete(ONE))]))

    assert played.end.reason == "sources ended"
    assert market.let_go
