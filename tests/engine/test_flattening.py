"""Closing everything where no session runs: reduce-only, twice seen to be flat, with a journal or without."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from attrs import evolve

from framework import Refusal, SessionMode, StopReport, VenuePosition
from framework.engine.ending import SessionEnd
from framework.engine.flattening import Flattening, Unwritten
from framework.journal import Journal, JournalReader, WriterKind, journal_path
from framework.testing import SYMBOL, make_signal
from tests.engine.fakes import D, Venue, complete, in_virtual_time, venue, virtual_clock
from tests.engine.staging import FOREVER, deployment, live, play
from tests.engine.test_restart_tidies import terminate

ONE = make_signal(id="one-1", account="one")
LOST = "aaaaaaaaaaaaaaaa"


async def opened(tmp_path: Path, *markets: Venue) -> None:
    """A run that left positions open."""
    wave = complete(*(make_signal(id=each.account, account=each.account) for each in markets))
    await play(deployment(tmp_path, *markets, sources=[live(wave, 5, terminate, FOREVER)]))
    for each in markets:
        assert len(each.held) == len(each.rests) == 1
        each.arrived.clear()


async def flatten(tmp_path: Path, *markets: Venue, journal: Any = None, **settings: Any) -> SessionEnd:
    what = evolve(deployment(tmp_path, *markets), protections=())
    kept = Journal.open(journal_path(what.state), writer=WriterKind.INLINE) if journal is None else journal
    session = Flattening(
        what, virtual_clock(), kept, False, lambda record: None, SessionMode.PAPER, entries_stopped="flat", **settings
    )
    return await session.run(lambda: None)


@in_virtual_time
async def test_what_an_earlier_run_left_open_is_closed_and_its_stops_are_swept(tmp_path: Path) -> None:
    one, two = venue("one"), venue("two")
    await opened(tmp_path, one, two)

    end = await flatten(tmp_path, one, two)

    assert (end.reason, end.failed, end.open_positions) == ("flat", False, ())
    for market in (one, two):
        assert (market.held, market.rests) == ({}, {})
        assert [each.what.quantity for each in market.of("close_position")] == [D(1)]
        closed, swept = market.of("close_position")[0], market.of("cancel_stop")[0]
        assert closed.time_ns <= swept.time_ns
        assert len(market.of("resting")) >= 2
    with JournalReader.open(journal_path(tmp_path / "var")) as reader:
        assert [(row.status, row.exit_reason) for row in reader.positions()] == [("closed", "flatten")] * 2


@in_virtual_time
async def test_without_a_journal_what_is_ours_is_found_by_its_ids_and_the_rest_left_alone(tmp_path: Path) -> None:
    market = venue("one", SYMBOL, "BUSDT")
    market.held[SYMBOL] = VenuePosition(SYMBOL, D(2), D(100))
    market.held["BUSDT"] = VenuePosition("BUSDT", D(1), D(100))
    market.rests[f"fw-{LOST}-s0"] = StopReport(f"fw-{LOST}-s0", SYMBOL, True, D(94), D(2))

    end = await flatten(tmp_path, market, journal=cast(Journal, Unwritten()))

    assert (end.reason, end.failed) == ("flat", False)
    assert (list(market.held), market.rests) == (["BUSDT"], {})


@in_virtual_time
async def test_with_strangers_nothing_stays_open(tmp_path: Path) -> None:
    market = venue()
    market.held[SYMBOL] = VenuePosition(SYMBOL, D(-1), D(100))

    end = await flatten(tmp_path, market, strangers=True)

    assert (end.reason, market.held) == ("flat", {})
    assert [each.what.side.value for each in market.of("close_position")] == ["buy"]


@in_virtual_time
async def test_what_can_not_be_closed_in_time_is_said(tmp_path: Path) -> None:
    market = venue()
    await opened(tmp_path, market)
    market.twist("close_position", *[Refusal("-4", "maintenance")] * 99)

    end = await flatten(tmp_path, market, within_s=20.0)

    assert end.failed
    assert "not flat within 20 s: one; look at the venue" in end.reason
    assert [line.symbol for line in end.open_positions] == [SYMBOL]
    assert len(market.rests) == 1, "its stop stays"


@in_virtual_time
async def test_where_nothing_is_open_two_readings_say_so(tmp_path: Path) -> None:
    market = venue()

    end = await flatten(tmp_path, market)

    assert (end.reason, end.failed) == ("flat", False)
    assert market.of("close_position", "cancel_stop") == []
    assert len(market.of("positions")) >= 2
