"""The observer `log`: what matters enough is written as one line."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

from framework import (
    BadSignal,
    Decision,
    Event,
    Fill,
    FillRecorded,
    Intent,
    OrderSide,
    Outcome,
    PositionChanged,
    PositionSummary,
    Record,
    SessionEnded,
    SessionMode,
    SessionStarted,
    SignalReceived,
    SignalRefused,
    StopMoved,
    WaveDecided,
    WaveOpened,
)
from framework.testing import NOW_NS, make_signal
from framework_observers import Log
from framework_observers.lines import LEVELS, as_data, level_of, sentence_of

ID = "fw-0123-e0"
SUMMARY = PositionSummary(
    "long", "open", Decimal(1), Decimal(10), Decimal(9), Decimal(9), None, None, None, Decimal(0), 1, 2, 3, None
)
RECORDS: list[tuple[Record, str, str]] = [
    (SessionStarted(NOW_NS, "1.0", "ab", ("one",), False, SessionMode.LIVE), "info", "version 1.0 started, live: one"),
    (SessionEnded(NOW_NS, "interrupted", 2), "info", "ended: interrupted; 2 positions stay open"),
    (
        SignalReceived(NOW_NS, "w", make_signal(id="s-1", account="one", symbol="AVAXUSDT")),
        "info",
        "signal s-1: one AVAXUSDT long, wave w",
    ),
    (
        SignalRefused(NOW_NS, BadSignal("ws", "late", "too late", NOW_NS, "raw")),
        "warning",
        "signal refused: late: too late",
    ),
    (WaveOpened(NOW_NS, "w", 1), "info", "wave w began"),
    (WaveDecided(NOW_NS, "w", {"one": 3}, {"one": 2}), "info", "wave w is decided: one 2 of 3"),
    (
        Decision(NOW_NS, "w", "s-1", "one", "AVAXUSDT", "filter", "rejected", "spread", "too_wide", "0.4 %"),
        "info",
        "signal s-1 rejected at filter: spread: 0.4 %",
    ),
    (Intent(NOW_NS, "p", "one", "AVAXUSDT", "entry", ID, {}), "debug", f"entry {ID} is about to be sent"),
    (
        Outcome(NOW_NS, "p", "one", "AVAXUSDT", "entry", ID, "accepted", 12_000_000),
        "debug",
        f"entry {ID} was accepted after 12 ms",
    ),
    (
        Outcome(NOW_NS, "p", "one", "AVAXUSDT", "entry", ID, "unknown", 12_000_000, "timed out"),
        "warning",
        f"entry {ID} was unknown after 12 ms: timed out",
    ),
    (
        FillRecorded(
            NOW_NS,
            "p",
            "one",
            Fill("f", "o", ID, "AVAXUSDT", OrderSide.BUY, Decimal("1.5"), Decimal(10), Decimal("0.01"), NOW_NS),
        ),
        "info",
        "buy 1.5 at 10, order, fee 0.01 USD",
    ),
    (
        PositionChanged(
            NOW_NS, "p", "s", "w", "one", "AVAXUSDT", "stop_answered", "unprotected", "protected", SUMMARY, {"x": 1}
        ),
        "info",
        "unprotected -> protected by stop_answered",
    ),
    (
        PositionChanged(NOW_NS, "p", "s", "w", "one", "AVAXUSDT", "filled", "entering", "entering", SUMMARY, {}),
        "debug",
        "entering -> entering by filled",
    ),
    (
        StopMoved(NOW_NS, "p", "one", "AVAXUSDT", Decimal(9), Decimal("9.5"), "trailing-stop"),
        "info",
        "stop 9 -> 9.5 by trailing-stop",
    ),
    (Event(NOW_NS, "error", "health_down", "journal: written: full"), "error", "journal: written: full"),
]


def write(log: Log, *records: Record) -> None:
    async def run() -> None:
        for record in records:
            await log.observe(record)

    asyncio.run(run())
    if log._handler is not None:
        log._handler.close()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(("record", "level", "sentence"), RECORDS, ids=lambda each: getattr(each, "__name__", None))
def test_every_record_has_a_level_and_a_sentence(record: Record, level: str, sentence: str) -> None:
    assert (level_of(record), sentence_of(record)) == (level, sentence)


def test_every_kind_of_record_is_among_them() -> None:
    assert {type(record) for record, _, _ in RECORDS} == set(get_args(Record))


@pytest.mark.parametrize("record", [record for record, _, _ in RECORDS])
def test_every_record_is_one_json_object_with_the_same_first_fields(record: Record) -> None:
    data = json.loads(json.dumps(as_data(record)))

    assert list(data)[:4] == ["time", "level", "code", "message"]
    assert data["time"].endswith("Z")
    assert "snapshot" not in data


def test_an_event_keeps_its_code_and_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    write(Log(file=path), Event(NOW_NS, "warning", "stream_lost", "gone", "one", numbers={"price": Decimal("0.10")}))

    [line] = lines(path)
    assert (line["code"], line["account"], line["numbers"]) == ("stream_lost", "one", {"price": "0.10"})


@pytest.mark.parametrize("level", LEVELS)
def test_only_what_is_at_least_that_grave_is_written(tmp_path: Path, level: Any) -> None:
    path = tmp_path / "log.jsonl"
    write(Log(file=path, level=level), *(record for record, _, _ in RECORDS))

    expected = [sentence for _, its, sentence in RECORDS if LEVELS.index(its) >= LEVELS.index(level)]
    assert [line["message"] for line in lines(path)] == expected


def test_text_is_one_line_for_people_whatever_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    write(Log(file=path, format="text"), Event(NOW_NS, "error", "code", "first\nsecond", "one", "AVAXUSDT"))

    [line] = path.read_text(encoding="utf-8").splitlines()
    assert line.endswith("error   code: one AVAXUSDT: first\\nsecond")


def test_without_a_file_lines_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    write(Log(), Event(NOW_NS, "info", "code", "text"))

    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["message"] == "text"


def test_a_file_that_would_grow_too_large_is_put_aside_and_so_many_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    big = Event(NOW_NS, "info", "code", "x" * 400_000)
    write(Log(file=path, max_megabytes=1, keep_files=2), *[big] * 12)

    assert sorted(each.name for each in tmp_path.iterdir()) == ["log.jsonl", "log.jsonl.1", "log.jsonl.2"]
    assert all(each.stat().st_size <= 1_000_000 for each in tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_an_error_that_the_kernel_tells(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write(Log(file=tmp_path / "nowhere" / "log.jsonl"), Event(NOW_NS, "info", "code", "text"))


@pytest.mark.parametrize("there", [True, False])
def test_a_check_says_whether_there_is_a_place_to_write_to(tmp_path: Path, *, there: bool) -> None:
    file = tmp_path / "log.jsonl" if there else tmp_path / "nowhere" / "log.jsonl"

    [checkup] = asyncio.run(Log(file=file).checkup())

    assert checkup.ok is there
    assert asyncio.run(Log().checkup())[0].ok
