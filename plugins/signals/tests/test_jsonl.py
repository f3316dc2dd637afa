"""The source `jsonl`: whole lines, once, from a file that grows, goes and comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from framework_signals.jsonl import MOST_BYTES, JsonLinesSource

from .listening import WAVE, kernel, running

IDS = [str(each["id"]) for each in WAVE]


def line(*items: dict[str, Any]) -> str:
    return json.dumps({"type": "signals", "data": items}) + "\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "in.jsonl"


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


def put(file: Path, content: str | bytes) -> None:
    file.write_bytes(content.encode() if isinstance(content, str) else content)


def append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8") as opened:
        opened.write(text)


def test_what_is_there_is_read_and_what_is_appended_follows(file: Path) -> None:
    async def scenario() -> None:
        put(file, line(*WAVE[:2]))
        link = kernel()
        async with running(JsonLinesSource(path=file), link):
            await link.has(2)
            append(file, "\n" + line(WAVE[2]))
            await link.has(3)
        assert link.ids == IDS[:3]
        assert all(batch.complete for batch in link.batches)

    run(scenario)


def test_half_a_line_waits_for_its_other_half(file: Path) -> None:
    async def scenario() -> None:
        whole = line(WAVE[0])
        put(file, line(WAVE[1]) + whole[:50])
        link = kernel()
        async with running(JsonLinesSource(path=file), link):
            await link.has(1)
            append(file, whole[50:])
            await link.has(2)
        assert link.bad == []

    run(scenario)


def test_from_its_end_only_what_is_appended_is_read(file: Path) -> None:
    async def scenario() -> None:
        put(file, line(WAVE[0]))
        link = kernel()
        async with running(JsonLinesSource(path=file, from_end=True), link):
            await link.was_told("source_connected")
            append(file, line(WAVE[1]))
            await link.has(1)
        assert link.ids == IDS[1:2]

    run(scenario)


def test_a_file_that_is_not_there_is_waited_for_and_one_that_is_replaced_is_read_anew(file: Path) -> None:
    async def scenario() -> None:
        link, source = kernel(), JsonLinesSource(path=file)
        async with running(source, link):
            await link.was_told("source_lost")
            assert "No such file" in source.state().trouble
            put(file, line(WAVE[0]))
            await link.has(1)
            assert source.state().connected
            assert source.state().signal_ns is not None
            other = file.with_suffix(".new")
            put(other, line(WAVE[1]))
            other.replace(file)
            await link.has(2)
        assert link.ids == IDS[:2]

    run(scenario)


def test_other_formats_and_a_text_of_several_lines(file: Path) -> None:
    async def scenario() -> None:
        put(file, json.dumps("BTC/USDT LONG\nEntry: 100\nTarget: 110\nStop: 95") + "\n")
        link = kernel()
        async with running(JsonLinesSource(path=file, format="text", account="main", bar_minutes=15), link):
            await link.has(1)
        assert (link.good[0].account, link.good[0].symbol) == ("main", "BTCUSDT")
        assert link.good[0].bar_time_ns % (900 * 10**9) == 0
        assert link.ids[0].startswith("jsonl:")

    run(scenario)


def test_alerts_are_read_with_the_settings_of_the_webhook(file: Path) -> None:
    async def scenario() -> None:
        put(file, '{"id": 7, "m": "BYBIT:BTCUSDT", "action": "buy"}\n')
        source = JsonLinesSource(
            path=file,
            format="alert",
            fields={"symbol": "m"},
            venues={"Bybit": "second"},
            id_prefix="x:",
            same_within_s=1,
        )
        link = kernel()
        async with running(source, link):
            await link.has(1)
        assert [(each.id, each.account) for each in link.good] == [("x:7", "second")]
        assert not link.batches[0].complete

    run(scenario)


def test_a_line_that_is_no_message_or_too_long_is_refused_and_the_next_is_read(file: Path) -> None:
    async def scenario() -> None:
        put(file, b"\xff\xfe\n" + b"x" * (MOST_BYTES * 2) + b"\n" + line(WAVE[0]).encode())
        link = kernel()
        async with running(JsonLinesSource(path=file), link):
            await link.has(1)
        assert [each.code for each in link.bad] == ["no_json", "too_large"]

    run(scenario)


def test_a_check_says_whether_the_file_is_there(file: Path) -> None:
    async def scenario() -> None:
        (absent,) = await JsonLinesSource(path=file).checkup()
        put(file, "")
        (there,) = await JsonLinesSource(path=file).checkup()
        assert "waited for" in absent.message
        assert "is there" in there.message

    run(scenario)
