"""Senders, plugins and errors that mean no good, or know no better: nothing is opened for them, no secret is told."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import Any

import pytest

from framework import SignalRefused
from framework.engine.session import Session
from framework_filters.listed import Listed
from framework_protection.trailing_stop import TrailingStop
from framework_simulator.emulator.build import DEFAULT_KEY
from tests.faults.scene import ORDER, Theatre, rises, signal, well
from tests.survival.house import SYMBOLS, built, play, running

# ── senders ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_flood_of_the_same_signal_opens_one_position(stage: Theatre, venue: str) -> None:
    """Two thousand times in one batch."""
    seen = well(stage.play(venue, *[signal(venue)] * 2_000), protected=True)

    assert len(seen.entries) == 1
    refused = [one.bad.code for one in seen.outcome.records if isinstance(one, SignalRefused)]
    assert refused == ["duplicate"] * 1_999


def test_a_signal_that_is_replayed_for_every_bar_opens_no_second_position(stage: Theatre, venue: str) -> None:
    """A hundred waves, three a second: the market is taken by the first one."""
    again = [signal(venue, at_ms=5_000 + 300 * number) for number in range(100)]

    seen = well(stage.play(venue, *again, rises(venue)), protected=True)

    assert len(seen.entries) == 1
    assert seen.triggers[0] > seen.stops[0]


# ── plugins ─────────────────────────────────────────────────────────────────────────────────────────────────────

ERRORS = [ValueError("a mistake of its own"), MemoryError(), RecursionError(), AssertionError(), KeyError("it")]


def raising(error: Exception) -> Any:
    """A method that can only raise."""

    def method(*what: object, **more: object) -> None:
        raise error

    return method


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_filter_that_raises_opens_nothing(
    stage: Theatre, venue: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Listed, "check", raising(error))

    seen = stage.play(venue, signal(venue))

    assert not seen.problems, "\n".join(seen.problems)
    assert (seen.entries, seen.fills) == ([], [])


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_protection_that_raises_while_it_is_at_work_leaves_the_stop_where_it_is(
    stage: Theatre, venue: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TrailingStop, "on_price", raising(error))

    seen = well(stage.play(venue, signal(venue), rises(venue)), protected=True)

    assert len(seen.stops) == 1


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_protection_that_raises_at_the_entry_leaves_the_other_one_at_work(
    stage: Theatre, venue: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked before the entry, too: one that is broken then refuses it. Here it breaks after that."""
    start, asked = TrailingStop.start, 0

    def breaks_later(protection: TrailingStop, holding: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise error
        return start(protection, holding)

    monkeypatch.setattr(TrailingStop, "start", breaks_later)

    seen = well(stage.play(venue, signal(venue), rises(venue)), protected=True)

    assert asked > 1
    assert len(seen.triggers) == 1


# ── secrets ─────────────────────────────────────────────────────────────────────────────────────────────────────


def written(directory: Path) -> bytes:
    """All that was left on the disk."""
    return b"".join(path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file())


def told_by_errors(session: Session, exchange: Any) -> str:
    """What objects show of themselves, and a traceback with the local variables of every frame."""
    shown = [repr(session), repr(exchange), str(exchange), repr(exchange.line)]
    try:
        exchange.line.client.api.no_such_method()
    except AttributeError as error:
        shown.append("".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()))
    return "\n".join(shown)


def test_no_secret_is_written_logged_or_shown_whatever_goes_wrong(
    venue: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """A position is opened; then a request is refused, one is cut off, and the venue does not know the key any more."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "ccxt")  # whatever others have set it to
    shown: list[str] = []

    async def scenario() -> None:
        async with built(venue, tmp_path) as house, running(house) as run:
            await run.open(SYMBOLS[0])
            await run.until_quiet()
            house.fault("refuse", path=ORDER[venue], code=-2019 if venue == "binance" else 110007, count=1)
            await run.wave(SYMBOLS[1])
            await run.until(lambda: house.fired() == 1, "an entry was refused")
            house.fault("truncated-body", method="GET", count=1)
            await run.until(lambda: house.fired() == 2, "an answer was cut off")
            house.fault("key-revoked", key=DEFAULT_KEY.key, at_ms=0)
            await run.until_event("venue_credentials")
            shown.append(told_by_errors(run.session, run.session.engine.desks[venue].exchange))

    play(scenario)

    told = capfd.readouterr()
    seen = "\n".join([told.out, told.err, *shown, written(tmp_path).decode(errors="replace")])
    assert "venue_credentials" in seen
    assert "Request: {" in caplog.text, "whole requests are logged"
    assert DEFAULT_KEY.secret not in seen + caplog.text
    assert DEFAULT_KEY.key not in seen + caplog.text
