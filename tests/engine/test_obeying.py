"""A session obeys the files of its state directory: a halt, its end, and the wish to flatten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from framework import Decision, Event
from framework.core.position import State
from framework.journal import Control, FlattenWish
from framework.testing import NOW_NS, SYMBOL, make_signal
from tests.engine.fakes import S, complete, in_virtual_time, venue
from tests.engine.staging import FOREVER, Played, deployment, live, play, recording
from tests.engine.test_restart_tidies import terminate

ONE = make_signal(id="one-1", account="one")
BAR_NS = 900 * S


def later(number: int, symbol: str = SYMBOL) -> Any:
    return complete(
        make_signal(symbol, id=f"later-{number}", account="one", bar_time_ns=ONE.bar_time_ns + number * BAR_NS)
    )


def codes(played: Played, *of: str) -> list[str]:
    return [e.code for e in played.of(Event) if e.code in of]


@in_virtual_time
async def test_a_halt_stops_entries_within_a_second_and_leaves_what_is_open_protected(tmp_path: Path) -> None:
    market = venue("one", SYMBOL, "BUSDT")
    control = Control(tmp_path / "var")
    lines = (complete(ONE), 5, lambda: control.halt("news", NOW_NS), 1, later(1, "BUSDT"), 30, terminate, FOREVER)
    played = await play(deployment(tmp_path, market, sources=[live(*lines)]))

    (refused,) = [d for d in played.of(Decision) if d.outcome == "rejected"]
    assert (refused.symbol, refused.code, refused.message) == (
        "BUSDT",
        "entries_stopped",
        "halted since 2025-01-01T12:00:30Z: news",
    )
    assert codes(played, "halted", "resumed") == ["halted"]
    assert len(market.rests) == 1
    assert market.of("cancel_stop", "close_position") == []


@in_virtual_time
async def test_a_halt_is_taken_back(tmp_path: Path) -> None:
    market = venue()
    control = Control(tmp_path / "var")
    control.halt("news", NOW_NS)
    played = await play(
        deployment(tmp_path, market, sources=[live(1, control.resume, 1, complete(ONE), 5, terminate, FOREVER)])
    )

    assert codes(played, "halted", "resumed") == ["halted", "resumed"]
    assert [d.outcome for d in played.of(Decision)] == ["planned", "opened"]


@in_virtual_time
async def test_a_halt_holds_for_a_recorded_session_from_its_start(tmp_path: Path) -> None:
    market = venue()
    Control(tmp_path / "var").halt("news", NOW_NS)
    played = await play(deployment(tmp_path, market, sources=[recording(complete(ONE))]), recorded=True)

    assert [(d.outcome, d.code) for d in played.of(Decision)] == [("rejected", "entries_stopped")]


@in_virtual_time
async def test_the_wish_to_flatten_is_taken_up_and_everything_closed(tmp_path: Path) -> None:
    market = venue("one", SYMBOL, "BUSDT")
    control = Control(tmp_path / "var")
    wave = complete(ONE, make_signal("BUSDT", id="one-2", account="one"))

    def wish() -> None:
        control.ask_to_flatten(FlattenWish(NOW_NS))

    def taken() -> None:
        assert control.flatten_wanted() is None

    played = await play(deployment(tmp_path, market, sources=[live(wave, 5, wish, 1, taken, 30, terminate, FOREVER)]))

    assert (market.held, market.rests) == ({}, {})
    assert played.end.open_positions == ()
    positions = played.session.engine.desks["one"].positions.values()
    assert [(p.state, p.exit.reason) for p in positions if p.exit is not None] == [(State.CLOSED, "flatten")] * 2
    assert codes(played, "flatten", "flattened") == ["flatten", "flattened"]


@in_virtual_time
async def test_a_wish_for_one_account_leaves_the_others_alone(tmp_path: Path) -> None:
    one, two = venue("one"), venue("two")
    control = Control(tmp_path / "var")
    wave = complete(ONE, make_signal(id="two-1", account="two"))

    def wish() -> None:
        control.ask_to_flatten(FlattenWish(NOW_NS, "two"))

    await play(deployment(tmp_path, one, two, sources=[live(wave, 5, wish, 20, terminate, FOREVER)]))

    assert (len(one.held), len(two.held)) == (1, 0)


@in_virtual_time
async def test_a_wish_from_before_the_session_is_dropped_and_people_are_told(tmp_path: Path) -> None:
    market = venue()
    control = Control(tmp_path / "var")
    await play(deployment(tmp_path, market, sources=[live(complete(ONE), 5, terminate, FOREVER)]))
    control.ask_to_flatten(FlattenWish(NOW_NS))
    played = await play(deployment(tmp_path, market, sources=[live(30, terminate, FOREVER)]))

    assert codes(played, "flatten", "flatten_dropped") == ["flatten_dropped"]
    assert len(played.end.open_positions) == 1
    assert control.flatten_wanted() is None
