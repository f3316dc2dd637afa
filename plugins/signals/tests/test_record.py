"""The observer `record`: what it writes can be played, and decides on what was decided on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from attrs import evolve

from framework import (
    BadSignal,
    MarketData,
    Quote,
    QuoteUpdate,
    Record,
    SessionEnded,
    SessionStarted,
    Signal,
    SignalReceived,
    SignalRefused,
    WaveDecided,
)
from framework.testing import NOW_NS, make_candles, make_quote, make_signal
from framework_signals.record import RecordObserver
from framework_signals.recording_file import Recording, load_recording
from framework_signals.recording_lines import Message
from framework_signals.wave_server import parse_message

S = 10**9
START = SessionStarted(NOW_NS - 60 * S, "1", "0", ("main",), False)
END = SessionEnded(NOW_NS + 60 * S, "interrupted", 0)
SIGNAL = make_signal("AUSDT", id="s1", account="main", received_ns=NOW_NS, score=90)
RECEIVED = SignalReceived(NOW_NS, "w", SIGNAL)
DECIDED = WaveDecided(NOW_NS + S, "w", {"main": 1}, {"main": 1})


def told(observer: RecordObserver, *records: Record) -> None:
    for record in records:
        asyncio.run(observer.observe(record))


def made(path: Path) -> Recording:
    (directory,) = path.iterdir()
    return load_recording(directory)


def data() -> MarketData:
    return MarketData("AUSDT", make_quote(time_ns=NOW_NS + S), candles={"1m": make_candles("1m", 2)})


def test_a_wave_is_written_with_its_market_before_it(tmp_path: Path) -> None:
    observer = RecordObserver(tmp_path)
    told(observer, START, RECEIVED)
    observer.saw("main", data())
    told(observer, DECIDED, END)

    kinds = [type(line.what).__name__ for line in made(tmp_path).lines]
    assert kinds == ["CandleUpdate", "CandleUpdate", "QuoteUpdate", "Message"]


def test_a_signal_that_is_played_again_is_the_same(tmp_path: Path) -> None:
    observer = RecordObserver(tmp_path)
    told(observer, START, RECEIVED, DECIDED, END)

    message = made(tmp_path).lines[-1].what
    assert isinstance(message, Message)
    (again,) = parse_message(message.content, source=SIGNAL.source, venues={"main": "main"}, received_ns=NOW_NS)
    assert isinstance(again, Signal)
    assert evolve(again, scores={}) == evolve(SIGNAL, scores={})


def test_a_wave_that_was_not_decided_is_written_at_the_end(tmp_path: Path) -> None:
    observer = RecordObserver(tmp_path)
    told(observer, START, RECEIVED, END)

    assert [type(line.what) for line in made(tmp_path).lines] == [Message]


def test_what_was_refused_unread_is_written_and_what_the_inbox_refused_is_not(tmp_path: Path) -> None:
    observer = RecordObserver(tmp_path)
    bad = BadSignal("web", "no_json", "no JSON", NOW_NS, "{broken")
    told(observer, START, SignalRefused(NOW_NS, bad), SignalRefused(NOW_NS, evolve(bad, raw="")), END)

    assert [line.what for line in made(tmp_path).lines] == [Message("{broken")]


@pytest.mark.parametrize(("quote_every_s", "count"), [(0, 5), (1, 3), (2, 2)])
def test_prices_of_open_positions_follow_so_often(tmp_path: Path, quote_every_s: int, count: int) -> None:
    observer = RecordObserver(tmp_path, quote_every_s=quote_every_s)
    told(observer, START)
    for n in range(5):
        observer.ticked("main", "AUSDT", _at(NOW_NS + n * S // 2))
    told(observer, END)

    assert [type(line.what) for line in made(tmp_path).lines] == [QuoteUpdate] * count


def _at(time_ns: int) -> Quote:
    return make_quote(time_ns=time_ns)


def test_prices_during_a_wave_come_after_it(tmp_path: Path) -> None:
    observer = RecordObserver(tmp_path)
    told(observer, START, RECEIVED)
    observer.ticked("main", "BUSDT", _at(NOW_NS + S // 2))
    told(observer, DECIDED, END)

    assert [type(line.what) for line in made(tmp_path).lines] == [Message, QuoteUpdate]


def test_each_session_has_a_recording_of_its_own(tmp_path: Path) -> None:
    observer = RecordObserver(tmp_path)
    told(observer, START, END, evolve(START, time_ns=NOW_NS), END)

    assert len(list(tmp_path.iterdir())) == 2


def test_a_check_says_whether_it_can_write_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    (fine,), (bad,) = (asyncio.run(RecordObserver(tmp_path / name).checkup()) for name in ("new", "file"))
    assert fine.ok
    assert not bad.ok
