"""The source `websocket` when things go wrong, over real sockets: nothing that the server still has is lost, nothing is
taken twice."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from framework.testing import shifted
from framework_signals.conversation import MAX_FRAME, MAX_UNREADABLE

from .listening import BINARY, CLOSE, WAVE, WITHIN_S, frame, kernel, running, server, serving, source_at

IDS = [str(each["id"]) for each in WAVE]
PROMPT: dict[str, Any] = {"ask_every_s": Decimal("0.02")}
ALERT: dict[str, Any] = {"ping_every_s": Decimal("0.05"), "answer_within_s": Decimal("0.2")}


# ── cuts ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("boundary", range(9))
def test_a_connection_that_is_cut_at_a_message_boundary_costs_nothing(boundary: int) -> None:
    async def scenario() -> None:
        wave, link = server(cuts=frozenset({boundary}), pushes_on_arrival=True), kernel()
        async with serving(wave) as url, running(source_at(url, **PROMPT), link):
            await link.has(57)
            await wave.until(listeners=1, heard=7)
        assert link.ids == IDS
        assert wave.connections == 2

    asyncio.run(scenario())


def test_a_connection_that_is_cut_again_and_again_costs_nothing() -> None:
    async def scenario() -> None:
        wave, link = server(cuts=frozenset(range(0, 60, 3)), pushes_on_arrival=True), kernel()
        async with serving(wave) as url, running(source_at(url, **PROMPT), link):
            await wave.until(heard=40)
            await link.has(57)
        assert link.ids == IDS

    asyncio.run(scenario())


def test_what_was_pushed_while_the_server_was_gone_is_there_after_its_restart() -> None:
    async def scenario() -> None:
        wave, link = server(signals=WAVE[:10]), kernel()
        source = source_at(await wave.start())
        async with running(source, link):
            await link.has(10)
            await wave.stop()
            await link.was_told("source_lost")
            wave.signals = WAVE
            await wave.start(port=wave.port)
            await link.has(57)
            await wave.stop()
        assert link.ids == IDS

    asyncio.run(scenario())


def test_a_server_that_says_goodbye_is_come_back_to() -> None:
    async def scenario() -> None:
        wave, link = server(), kernel()
        async with serving(wave) as url, running(source_at(url), link):
            await link.has(57)
            await wave.write(frame((1001).to_bytes(2, "big") + b"restarting", CLOSE))
            await link.was_told("source_connected", 2)
        assert "restarting" in link.told[1][2]
        assert link.ids == IDS

    asyncio.run(scenario())


def test_an_hour_without_the_server_is_told_and_what_it_still_has_is_handed_over_after_it() -> None:
    async def scenario() -> None:
        bars = [shifted(WAVE[:5], timedelta(minutes=15 * n)) for n in range(5)]
        for n, bar in enumerate(bars):
            for each in bar:
                each["id"] = f"{each['id']}-{n}"
        wave, link = server(signals=bars[0]), kernel()
        source = source_at(await wave.start(), wave_every_minutes=15, wave_within_minutes=25)
        async with running(source, link):
            await link.has(5)
            await wave.stop()
            await link.was_told("source_lost")
            for missing in range(5):  # the first bar's wave had come
                link.clock.ahead_ns += 15 * 60 * 10**9  # type: ignore[attr-defined]
                await link.was_told("wave_missing", missing)
            assert not source.state().connected
            wave.signals = [each for bar in bars for each in bar]
            await wave.start(port=wave.port)
            await link.has(25)
            await wave.stop()
        assert len(set(link.ids)) == len(link.ids) == 25
        assert "source_connected" in link.codes[-2:]

    asyncio.run(scenario())


# ── quiet, and dead ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_quiet_server_is_not_a_dead_one() -> None:
    async def scenario() -> None:
        wave, link = server(signals=[]), kernel()
        async with serving(wave) as url, running(source_at(url, **ALERT), link):
            await wave.until(heard=12)
        assert [each["type"] for each in wave.heard[2:]] == ["ping"] * len(wave.heard[2:])
        assert wave.connections == 1

    asyncio.run(scenario())


def test_a_server_that_answers_no_ping_is_dead_and_dialled_again() -> None:
    async def scenario() -> None:
        wave, link = server(), kernel()
        async with serving(wave) as url, running(source_at(url, **ALERT), link):
            await link.has(57)
            wave.mute = True
            await link.was_told("source_lost")
            wave.mute = False
            await link.was_told("source_connected", 2)
        assert "no answer to a ping within 0.2 s" in link.told[1][2]

    asyncio.run(scenario())


def test_a_server_that_never_greets_is_given_up() -> None:
    async def scenario() -> None:
        wave, link = server(mute=True), kernel()
        async with serving(wave) as url, running(source_at(url, connect_within_s=Decimal("0.1")), link):
            await link.was_told("source_lost")
            wave.mute = False
            await link.has(57)
        assert "connected, but not let in within 0.1 s" in link.told[0][2]

    asyncio.run(scenario())


# ── frames ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_half_a_frame_and_then_nothing_is_a_dead_connection() -> None:
    async def scenario() -> None:
        wave, link = server(signals=[]), kernel()
        async with serving(wave) as url, running(source_at(url, **ALERT), link):
            await link.was_told("source_connected")
            wave.signals = WAVE
            whole = frame(wave.message())
            await wave.write(whole[: len(whole) // 2])
            wave.mute = True
            await link.was_told("source_lost")
            wave.mute = False
            await link.has(57)
        assert link.ids == IDS

    asyncio.run(scenario())


def test_a_frame_that_comes_in_drops_is_taken_as_a_whole() -> None:
    async def scenario() -> None:
        wave, link = server(signals=[]), kernel()
        async with serving(wave) as url, running(source_at(url), link):
            await wave.until(listeners=1, heard=2)
            wave.signals = WAVE
            whole = frame(wave.message())
            for start in range(0, len(whole), 500):
                await wave.write(whole[start : start + 500])
                await asyncio.sleep(0)
            await link.has(57)
        assert len(link.batches) == 1

    asyncio.run(scenario())


def test_a_message_that_is_too_long_is_refused_and_the_connection_goes_on() -> None:
    async def scenario() -> None:
        wave, link = server(signals=[]), kernel()
        async with serving(wave) as url, running(source_at(url), link):
            await wave.until(listeners=1, heard=2)
            await wave.say('{"type": "signals", "data": [' + " " * 2_000_000 + "]}")
            await wave.push(WAVE)
            await link.has(57)
        assert [each.code for each in link.bad] == ["too_large"]
        assert wave.connections == 1

    asyncio.run(scenario())


def test_a_message_beyond_all_bounds_ends_the_connection_and_is_never_held() -> None:
    async def scenario() -> None:
        wave, link = server(signals=[]), kernel()
        async with serving(wave) as url, running(source_at(url), link):
            await wave.until(listeners=1, heard=2)
            head = frame(b"")[:1] + b"\x7f" + (MAX_FRAME + 1).to_bytes(8, "big")
            await wave.write(head + b"x" * 1000)
            await link.was_told("source_connected", 2)
            await wave.push(WAVE)
            await link.has(57)
        assert link.bad == []

    asyncio.run(scenario())


GARBAGE = ["", "{", "null", "[]", '"text"', "{}", '{"type": "signals"}', '{"type": "news"}', "\x00", '{"type": ["x"]}']


@pytest.mark.parametrize("text", GARBAGE)
def test_garbage_is_refused_and_disturbs_nothing(text: str) -> None:
    async def scenario() -> None:
        wave, link = server(signals=[]), kernel()
        async with serving(wave) as url, running(source_at(url), link):
            await wave.until(listeners=1, heard=2)
            await wave.say(text)
            await wave.write(frame(text, BINARY))
            await wave.push(WAVE)
            await link.has(57)
        assert len(link.bad) == 1  # the same twice is refused once
        assert link.bad[0].message
        assert wave.connections == 1

    asyncio.run(scenario())


def test_bytes_that_are_no_frame_end_the_connection_and_it_comes_back() -> None:
    async def scenario() -> None:
        wave, link = server(signals=[]), kernel()
        async with serving(wave) as url, running(source_at(url), link):
            await wave.until(listeners=1, heard=2)
            await wave.write(b"\xff\xff\xff HTTP/1.1 500\r\n\r\n")
            await link.was_told("source_connected", 2)

    asyncio.run(scenario())


def test_a_server_that_only_speaks_nonsense_is_given_up_for_now() -> None:
    async def scenario() -> None:
        wave, link = server(signals=[]), kernel()
        async with serving(wave) as url, running(source_at(url), link):
            await wave.until(listeners=1, heard=2)
            for n in range(MAX_UNREADABLE):
                await wave.say(f"nonsense {n}")
            await link.was_told("source_connected", 2)
        assert len(link.bad) <= MAX_UNREADABLE
        assert "made no sense" in link.told[1][2]

    asyncio.run(scenario())


def test_a_server_that_speaks_something_else_is_said_to_be_one() -> None:
    async def scenario() -> None:
        async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
            await writer.drain()
            writer.close()

        link = kernel()
        async with await asyncio.start_server(web, "127.0.0.1", 0) as other:
            url = f"ws://127.0.0.1:{other.sockets[0].getsockname()[1]}"
            async with running(source_at(url), link):
                await link.was_told("source_lost")
        assert "no connection" in link.told[0][2]

    asyncio.run(scenario())


def test_clocks_that_differ_a_little_lose_nothing() -> None:
    async def scenario() -> None:
        for ahead_s in (-240, 240, 3600):  # ours behind the server's, and before it
            wave, link = server(), kernel(ahead_ns=ahead_s * 10**9)
            async with serving(wave) as url, running(source_at(url), link):
                await link.has(57)
            assert link.bad == []

    asyncio.run(scenario())


def test_a_disk_that_is_slow_takes_every_list_in_order_and_once() -> None:
    async def scenario() -> None:
        wave, link = server(signals=[]), kernel(submit_s=0.02)
        async with serving(wave) as url, running(source_at(url), link):
            await wave.until(listeners=1, heard=2)
            for n in range(0, 57, 3):
                await wave.push(WAVE[: n + 3])
            await link.has(57)
        assert link.ids == IDS

    async def bounded() -> None:
        async with asyncio.timeout(WITHIN_S):
            await scenario()

    asyncio.run(bounded())


def test_a_kernel_that_can_not_write_ends_the_source() -> None:
    async def scenario() -> None:
        wave, link = server(), kernel()
        link.first.append(_fail)
        async with serving(wave) as url:
            with pytest.raises(RuntimeError, match="the disk is full"):
                await asyncio.wait_for(source_at(url).run(link), WITHIN_S)

    asyncio.run(scenario())


def _fail() -> None:
    raise RuntimeError("the disk is full")


def test_messages_of_a_login_that_are_none_are_told(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        wave, link = server(), kernel()
        async with serving(wave) as url, running(source_at(url), link):
            await link.has(57)
            await wave.say(json.dumps({"type": "auth_required"}))
            await link.was_told("source_connected", 2)
            await wave.say(json.dumps({"type": "auth_failed"}))
            await link.was_told("source_connected", 3)
        assert link.codes == [
            "source_connected",
            "source_lost",
            "source_connected",
            "source_refused",
            "source_connected",
        ]

    asyncio.run(scenario())
    assert caplog.records == []
