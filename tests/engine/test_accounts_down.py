"""A venue that can't be reached at the start: the others are looked after, and it is tried again until it is."""

from __future__ import annotations

import signal
from itertools import pairwise
from pathlib import Path

import pytest

from framework import Event, ExchangeError
from framework.config import FrameworkSettings
from framework.engine.flattening import Flattening
from framework.testing import SYMBOL, make_signal
from tests.engine.fakes import HANG, D, Venue, complete, in_virtual_time, venue, virtual_clock
from tests.engine.staging import FOREVER, Played, deployment, journal_of, live, play, recording, session_of

OF_ONE = make_signal(id="one-1", account="one")
OF_TWO = make_signal(id="two-1", account="two")
GONE = ExchangeError("two", "no route to host")
NOBODY = "nothing is opened there and nobody looks after what is open; trying again"


def terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


def told(played: Played, *codes: str) -> list[tuple[str, str, str]]:
    return [(e.level, e.code, e.message) for e in played.of(Event) if e.code in codes]


async def first_run(tmp_path: Path, *venues: Venue) -> None:
    """Each account opens a position, and its stop is lost while nobody looks."""
    both = complete(OF_ONE, OF_TWO)
    await play(deployment(tmp_path, *venues, sources=[live(both, 5, terminate, FOREVER)]))
    for each in venues:
        assert list(each.held) == [SYMBOL]
        each.rests.clear()
        each.arrived.clear()


@in_virtual_time
async def test_what_is_open_on_the_account_that_is_up_is_protected_at_once(tmp_path: Path) -> None:
    one, two = venue("one"), venue("two")
    await first_run(tmp_path, one, two)
    two.twist("start", HANG, HANG)
    began_ns = virtual_clock().now_ns()

    await play(deployment(tmp_path, one, two, sources=[live(30, terminate, FOREVER)]))

    (placed,) = one.of("place_stop")
    assert placed.time_ns - began_ns < 1_000_000_000
    assert [stop.trigger_price for stop in one.rests.values()] == [D("94.01")]
    assert two.of("positions", "place_stop", "close_position") == []


@in_virtual_time
async def test_an_account_is_tried_again_after_growing_pauses_and_taken_over_when_it_is_up(tmp_path: Path) -> None:
    one, two = venue("one"), venue("two")
    await first_run(tmp_path, one, two)
    two.twist("start", GONE, GONE, GONE)
    began_ns = virtual_clock().now_ns()

    played = await play(deployment(tmp_path, one, two, sources=[live(30, terminate, FOREVER)]))

    tries = [round((each.time_ns - began_ns) / 1e9) for each in two.of("start")]
    assert tries == [0, 1, 3, 7]
    assert [stop.trigger_price for stop in two.rests.values()] == [D("94.01")]
    assert told(played, "account_down", "account_up") == [
        ("error", "account_down", f"two: no route to host; {NOBODY}"),
        ("info", "account_up", "two: connected; what is open there is looked after again"),
    ]
    assert played.end.unreached == ()


@in_virtual_time
async def test_the_pause_between_two_tries_stays_bounded(tmp_path: Path) -> None:
    two = venue("two")
    two.twist("start", *[GONE] * 200)
    await play(deployment(tmp_path, venue("one"), two, sources=[live(600, terminate, FOREVER)]))
    times = [each.time_ns for each in two.of("start")]
    pauses = [(later - earlier) / 1e9 for earlier, later in pairwise(times)]
    assert pauses[:6] == [1, 2, 4, 8, 16, 30]
    assert max(pauses) == 30


@in_virtual_time
async def test_signals_of_an_account_that_is_not_up_are_refused_and_say_why(tmp_path: Path) -> None:
    one, two = venue("one"), venue("two")
    two.twist("start", *[GONE] * 9)
    source = live(complete(OF_ONE, OF_TWO), 30, terminate, FOREVER)
    what = deployment(tmp_path, one, two, sources=[source])

    await play(what)

    assert len(one.of("place_entry")) == 1
    assert two.of("place_entry", "balance") == []
    with journal_of(what) as reader:
        (row,) = [row for row in reader.signals() if row.account == "two"]
    assert (row.outcome, row.code) == ("rejected", "account_unknown")
    assert "it is not connected: no route to host" in str(row.message)


@in_virtual_time
async def test_entries_follow_once_the_account_is_up_and_was_read(tmp_path: Path) -> None:
    one, two = venue("one"), venue("two")
    two.twist("start", GONE)
    await play(deployment(tmp_path, one, two, sources=[live(5, complete(OF_TWO), 5, terminate, FOREVER)]))
    assert [stop.trigger_price for stop in two.rests.values()] == [D("94.01")]


@in_virtual_time
async def test_what_is_open_on_an_account_that_never_came_up_counts_as_open_and_is_told_at_the_end(
    tmp_path: Path,
) -> None:
    one, two = venue("one"), venue("two")
    await first_run(tmp_path, one, two)
    two.twist("start", *[GONE] * 99)

    played = await play(deployment(tmp_path, one, two, sources=[live(60, terminate, FOREVER)]))

    assert (played.end.reason, played.end.failed) == ("interrupted", False)
    assert played.end.unreached == ("two: no route to host",)
    assert [line.account for line in played.end.open_positions] == ["one", "two"]
    portfolio = played.session.engine.desks["two"].as_account(played.session.clock.now_ns())
    assert [position.symbol for position in portfolio.open] == [SYMBOL]


@in_virtual_time
async def test_people_are_told_again_when_the_reason_is_another_one(tmp_path: Path) -> None:
    two = venue("two")
    two.twist("start", GONE, GONE, ExchangeError("two", "banned"), *[GONE] * 9)
    played = await play(deployment(tmp_path, venue("one"), two, sources=[live(20, terminate, FOREVER)]))
    assert [text for _, _, text in told(played, "account_down")] == [
        f"two: {why}; {NOBODY}" for why in ("no route to host", "banned", "no route to host")
    ]


@in_virtual_time
async def test_a_venue_that_gives_no_answer_at_all_holds_signals_up_no_longer_than_a_reading_may_take(
    tmp_path: Path,
) -> None:
    one, two = venue("one"), venue("two")
    two.twist("start", HANG)
    played = await play(deployment(tmp_path, one, two, sources=[live(complete(OF_ONE), 5, terminate, FOREVER)]))
    (entry,) = one.of("place_entry")
    assert (entry.time_ns - one.of("start")[0].time_ns) / 1e9 == FrameworkSettings().data_timeout_s
    assert told(played, "account_down") == [("error", "account_down", f"two: it is being connected to; {NOBODY}")]


@in_virtual_time
async def test_an_exchange_is_let_go_of_before_it_is_connected_to_again(tmp_path: Path) -> None:
    two = venue("two")
    two.twist("markets", GONE)
    stopped: list[bool] = []
    two.at_request = lambda arrived: stopped.append(two.stopped) if arrived.kind == "start" else None
    await play(deployment(tmp_path, venue("one"), two, sources=[live(5, terminate, FOREVER)]))
    assert stopped == [False, True]


# ── no account at all ───────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_without_any_account_the_start_fails_when_its_time_is_over(tmp_path: Path) -> None:
    one, two = venue("one"), venue("two")
    one.twist("start", *[ExchangeError("one", "no route to host")] * 99)
    two.twist("start", *[GONE] * 99)
    settings = FrameworkSettings(start_timeout_s=20)
    began_ns = virtual_clock().now_ns()

    with pytest.raises(ExchangeError, match="one: no route to host") as caught:
        await play(deployment(tmp_path, one, two, sources=[live()], settings=settings))

    assert caught.value.exit_status == 3
    assert (virtual_clock().now_ns() - began_ns) / 1e9 == 20
    assert len(one.of("start")) == 5
    assert one.stopped
    assert two.stopped


@in_virtual_time
async def test_the_only_account_may_come_up_at_a_later_try(tmp_path: Path) -> None:
    market = venue()
    market.twist("start", GONE, GONE)
    played = await play(deployment(tmp_path, market, sources=[live(complete(OF_ONE), 5)]))
    assert [line.stop_price for line in played.end.open_positions] == [D("94.01")]
    assert played.of(Event) == []


# ── what a person has to mend ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("latency_s", [0.0, 2.0])
def test_what_trying_again_cannot_mend_stops_the_start(tmp_path: Path, latency_s: float) -> None:
    @in_virtual_time
    async def scenario() -> None:
        one, two = venue("one"), venue("two", latency_s=latency_s)
        two.twist("start", ExchangeError("two", "refused the key", for_good=True))
        what = deployment(tmp_path, one, two, sources=[live(complete(OF_ONE), FOREVER)])
        with pytest.raises(ExchangeError, match="two: refused the key"):
            await play(what)
        assert len(two.of("start")) == 1
        assert one.of("place_entry") == []
        assert one.stopped
        if latency_s:  # the session of the other account had begun
            with journal_of(what) as reader:
                assert reader.sessions()[-1].reason == "failed: two: refused the key"

    scenario()


@in_virtual_time
async def test_a_key_that_is_refused_once_the_session_is_up_ends_nothing(tmp_path: Path) -> None:
    one, two = venue("one"), venue("two")
    await first_run(tmp_path, one, two)
    refused = ExchangeError("two", "refused the key", for_good=True)
    two.twist("start", HANG, refused)

    played = await play(deployment(tmp_path, one, two, sources=[live(90, terminate, FOREVER)]))

    assert f"two: refused the key; {NOBODY}" in [text for _, _, text in told(played, "account_down")]
    assert (played.end.reason, played.end.unreached) == ("interrupted", ())
    assert len(one.rests) == len(two.rests) == 1


@in_virtual_time
async def test_a_recorded_session_needs_every_account_from_the_start(tmp_path: Path) -> None:
    two = venue("two")
    two.twist("start", GONE)
    began_ns = virtual_clock().now_ns()
    with pytest.raises(ExchangeError, match="two: no route to host"):
        await play(deployment(tmp_path, venue("one"), two, sources=[recording()]), recorded=True)
    assert virtual_clock().now_ns() == began_ns


# ── closing everything ──────────────────────────────────────────────────────────────────────────────────────


@in_virtual_time
async def test_closing_everything_closes_what_is_up_at_once_and_the_rest_when_it_comes_up(tmp_path: Path) -> None:
    one, two = venue("one"), venue("two")
    await first_run(tmp_path, one, two)
    two.twist("start", *[GONE] * 4)
    plain = session_of(deployment(tmp_path, one, two), [])
    flattening = Flattening(
        plain.deployment, plain.clock, plain.journal, False, lambda record: None, plain.mode, entries_stopped="closing"
    )
    began_ns = virtual_clock().now_ns()

    end = await flattening.run(lambda: None)

    assert (end.reason, one.held, two.held) == ("flat", {}, {})
    closes = [round((each.of("close_position")[0].time_ns - began_ns) / 1e9) for each in (one, two)]
    assert closes[0] < 11 < closes[1]
