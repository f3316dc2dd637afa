"""What an earlier run closed is not forgotten: its losses count, and what it could not tidy up is tidied up."""

from __future__ import annotations

import signal
from pathlib import Path

from framework import Fill, FillSeen, OrderSide, Refusal, Unknown
from framework.testing import SYMBOL, make_signal
from tests.core.strategies import D
from tests.engine.fakes import HANG, Venue, complete, in_virtual_time, venue, virtual_clock
from tests.engine.staging import FOREVER, Played, deployment, live, play

ONE = make_signal(id="one-1", account="one")


def terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


def sold_by_hand(market: Venue) -> None:
    """Somebody closes the position that the venue holds, and the stream tells."""
    sold = Fill("hand", "hand", "by-hand", SYMBOL, OrderSide.SELL, D(1), D(99), D(0), virtual_clock().now_ns())
    market.held.clear()
    market.executed.append(sold)
    assert market.link is not None
    market.link.emit(FillSeen(sold))


async def second_run(tmp_path: Path, market: Venue, seconds: int = 60) -> Played:
    """A run in which no signal arrives."""
    market.arrived.clear()
    return await play(deployment(tmp_path, market, sources=[live(seconds, terminate, FOREVER)]))


@in_virtual_time
async def test_what_was_lost_before_a_restart_counts_after_it(tmp_path: Path) -> None:
    market = venue()
    market.twist("place_stop", Refusal("-2027", "too many stops"))
    await play(deployment(tmp_path, market, sources=[live(complete(ONE), 10, terminate, FOREVER)]))

    played = await second_run(tmp_path, market)

    desk = played.session.engine.desks["one"]
    assert [(one.symbol, one.realized_pnl_usd) for one in desk.closed.values()] == [(SYMBOL, D("-0.02"))]
    assert not desk.is_taken(SYMBOL)
    assert market.of("stops", "fills", "entry_report") == [], "there is nothing to ask about it"


@in_virtual_time
async def test_a_stop_whose_removal_a_crash_interrupted_is_removed_after_the_restart(tmp_path: Path) -> None:
    market = venue()
    market.twist("cancel_stop", HANG, HANG)
    lines = (complete(ONE), 60, lambda: sold_by_hand(market), 1, terminate, FOREVER)
    await play(deployment(tmp_path, market, sources=[live(*lines)]))
    assert len(market.rests) == 1

    played = await second_run(tmp_path, market)

    assert market.rests == {}
    assert not played.session.engine.desks["one"].is_taken(SYMBOL)
    assert market.of("place_entry", "close_position") == []


@in_virtual_time
async def test_a_lost_entry_is_watched_on_after_a_restart_and_protected_when_it_turns_up(tmp_path: Path) -> None:
    market = venue()
    market.twist("place_entry", Unknown("timeout"))
    await play(deployment(tmp_path, market, sources=[live(complete(ONE), 60, terminate, FOREVER)]))
    (sent,) = market.of("place_entry")
    market._fill(sent.what)

    played = await second_run(tmp_path, market)

    (line,) = played.end.open_positions
    assert (line.quantity, line.stop_price) == (D(1), D("94.01"))
    assert market.of("place_entry") == []


@in_virtual_time
async def test_what_a_stream_repeats_of_an_earlier_runs_position_changes_nothing(tmp_path: Path) -> None:
    market = venue()
    market.twist("place_stop", Refusal("-2027", "too many stops"))
    await play(deployment(tmp_path, market, sources=[live(complete(ONE), 10, terminate, FOREVER)]))

    def repeat() -> None:
        assert market.link is not None
        for fill in market.executed:
            market.link.emit(FillSeen(fill))

    played = await play(deployment(tmp_path, market, sources=[live(1, repeat, 10, terminate, FOREVER)]))

    assert played.end.reason == "interrupted"
    assert played.end.open_positions == ()
    assert len(played.session.engine.desks["one"].closed) == 1


@in_virtual_time
async def test_rules_that_changed_between_two_runs_are_those_that_a_stop_is_placed_by(tmp_path: Path) -> None:
    market = venue()
    await play(deployment(tmp_path, market, sources=[live(complete(ONE), 10, terminate, FOREVER)]))
    market.rests.clear()
    market.ticks[SYMBOL] = D("0.5")

    played = await second_run(tmp_path, market)

    assert [line.stop_price for line in played.end.open_positions] == [D("94.5")]
