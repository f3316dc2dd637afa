"""The source `websocket` against a wave server, over real sockets: what it takes, and what it says."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from framework import Secret, Signal
from framework.testing import check_readme
from framework_signals import observers, signal_sources
from framework_signals.wave_server import parse_message
from framework_signals.websocket import WebSocketSource

from .listening import NOW_NS, WAVE, kernel, running, server, serving, source_at

IDS = [str(each["id"]) for each in WAVE]
PROMPT: dict[str, Any] = {"ask_every_s": Decimal("0.02")}


def run(scenario: Any) -> None:
    asyncio.run(scenario)


# ── what is taken ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_pushed_list_is_handed_over_as_one_whole_batch() -> None:
    async def scenario() -> None:
        wave, link = server(signals=[]), kernel()
        async with serving(wave) as url, running(source_at(url), link):
            await wave.until(listeners=1, heard=2)  # it has logged in and asked
            await wave.push(WAVE)
            await link.has(57)
        (batch,) = link.batches
        assert batch.complete
        assert link.ids == IDS
        assert link.bad == []

    run(scenario())


def test_what_was_pushed_before_it_came_is_asked_for() -> None:
    async def scenario() -> None:
        wave, link = server(), kernel()
        async with serving(wave) as url, running(source_at(url), link):
            await link.has(57)
        assert [each["type"] for each in wave.heard[:2]] == ["auth", "get_signals"]
        assert wave.heard[0] == {"type": "auth", "token": "swordfish"}

    run(scenario())


def test_a_signal_is_what_the_recording_of_the_same_message_makes_of_it() -> None:
    async def scenario() -> None:
        wave, link = server(), kernel()
        async with serving(wave) as url, running(source_at(url), link):
            await link.has(57)
        text = json.dumps({"type": "signals", "data": WAVE})
        recorded = parse_message(text, source="websocket", received_ns=NOW_NS)
        for mine, theirs in zip(link.good, recorded, strict=True):
            assert isinstance(theirs, Signal)
            assert mine == Signal(**{**_fields(theirs), "received_ns": mine.received_ns})

    run(scenario())


def _fields(signal: Signal) -> dict[str, Any]:
    return {name: getattr(signal, name) for name in Signal.__match_args__}


def test_the_same_list_a_hundred_times_is_handed_over_once() -> None:
    async def scenario() -> None:
        wave, link = server(), kernel()
        async with serving(wave) as url, running(source_at(url, **PROMPT), link):
            await wave.until(listeners=1, heard=2)
            for _ in range(100):
                await wave.push()
            await wave.until(heard=len(wave.heard) + 2)  # it has read all of it and asks again
        assert wave.sent >= 100
        assert link.ids == IDS
        assert len(link.batches) == 1

    run(scenario())


def test_what_is_on_its_way_to_the_disk_when_the_connection_goes_is_not_handed_over_again() -> None:
    async def scenario() -> None:
        wave, link = server(pushes_on_arrival=True), kernel()
        link.first.append(wave.cut)
        async with serving(wave) as url, running(source_at(url, **PROMPT), link):
            await link.was_told("source_connected", 2)
            await wave.until(heard=len(wave.heard) + 3)
        assert link.ids == IDS

    run(scenario())


def test_another_content_under_the_same_id_is_left_to_the_inbox() -> None:
    async def scenario() -> None:
        wave, link = server(signals=WAVE[:1]), kernel()
        async with serving(wave) as url, running(source_at(url), link):
            await link.has(1)
            await wave.push([{**WAVE[0], "score_week": 12.5}])
            await link.has(2)
        assert link.ids == [IDS[0], IDS[0]]

    run(scenario())


def test_one_bad_signal_is_refused_once_however_often_it_comes_and_spoils_no_other() -> None:
    async def scenario() -> None:
        wave, link = server(signals=[{**WAVE[0], "exchange_id": 9}, *WAVE[1:3]]), kernel()
        async with serving(wave) as url, running(source_at(url, **PROMPT), link):
            await wave.until(heard=8)
        assert link.ids == IDS[1:3]
        assert [each.code for each in link.bad] == ["unknown_venue"]

    run(scenario())


def test_a_signal_whose_time_had_not_come_is_taken_when_it_has() -> None:
    async def scenario() -> None:
        wave, link = server(signals=WAVE[:1]), kernel(ahead_ns=-3600 * 10**9)
        async with serving(wave) as url, running(source_at(url, **PROMPT), link):
            await wave.until(heard=5)
            assert [each.code for each in link.bad] == ["bad_time"]
            link.clock.ahead_ns = 0  # type: ignore[attr-defined]
            await link.has(1)
        assert len(link.bad) == 1

    run(scenario())


def test_a_list_that_is_shorter_than_it_says_closes_no_wave() -> None:
    async def scenario() -> None:
        wave, link = server(signals=[]), kernel()
        async with serving(wave) as url, running(source_at(url), link):
            await wave.until(listeners=1, heard=2)
            await wave.say(json.dumps({"type": "signals", "count": 2, "data": WAVE[:1]}))
            await link.has(1)
        assert not link.batches[0].complete

    run(scenario())


def test_lists_that_are_not_whole_close_no_wave() -> None:
    async def scenario() -> None:
        wave, link = server(), kernel()
        async with serving(wave) as url, running(source_at(url, lists_are_whole=False), link):
            await link.has(57)
        assert not link.batches[0].complete

    run(scenario())


def test_venues_name_the_accounts() -> None:
    async def scenario() -> None:
        wave, link = server(), kernel()
        async with serving(wave) as url, running(source_at(url, venues={"1": "main", "2": "second"}), link):
            await link.has(57)
        assert {each.account for each in link.good} == {"main", "second"}

    run(scenario())


# ── the token, and what is known of the source ──────────────────────────────────────────────────────────────


def test_a_refused_token_is_said_once_and_tried_again_for_ever() -> None:
    async def scenario() -> None:
        wave, link = server(refuses=True), kernel()
        source = source_at(url := await wave.start())
        async with running(source, link):
            await wave.until(heard=4)
            assert [(level, code) for level, code, _ in link.told] == [("error", "source_refused")]
            assert "see to `token`" in source.state().trouble
            assert not source.state().connected
            wave.refuses = False
            await link.has(57)
        await wave.stop()
        assert link.codes == ["source_refused", "source_connected"]
        assert all("swordfish" not in message for _, _, message in link.told)
        assert url.startswith("ws://127.0.0.1:")

    run(scenario())


def test_its_state_is_made_of_facts() -> None:
    async def scenario() -> None:
        wave, link = server(signals=WAVE[:1]), kernel()
        source = source_at(await wave.start(), **PROMPT)
        assert (source.state().connected, source.state().since_ns) == (False, None)
        async with running(source, link):
            await link.has(1)
            up = source.state()
            assert (up.connected, up.authenticated, up.trouble) == (True, True, "")
            assert up.since_ns is not None
            assert up.heard_ns is not None
            assert up.signal_ns == link.good[0].received_ns
            await wave.stop()
            await link.was_told("source_lost")
            down = source.state()
            assert (down.connected, down.authenticated) == (False, False)
            assert down.trouble
            assert down.since_ns is not None
            assert down.since_ns >= up.since_ns

    run(scenario())


def test_a_missing_wave_is_said_once_for_its_bar_and_its_return_too() -> None:
    async def scenario() -> None:
        minute_ns = 60 * 10**9
        due_ns = NOW_NS // minute_ns * minute_ns + minute_ns  # the next full minute
        wave, link = server(signals=[]), kernel(ahead_ns=due_ns - NOW_NS - 10**8)
        source = source_at(await wave.start(), wave_every_minutes=1, wave_within_minutes=1)
        async with running(source, link):
            await link.was_told("wave_missing")
            assert source.state().overdue_ns == due_ns - minute_ns
            await wave.push([{**WAVE[0], "timestamp": "2025-10-31T22:49:00Z", "created_at": "2025-10-31T22:49:00Z"}])
            await link.was_told("wave_resumed")
            assert source.state().overdue_ns is None
        await wave.stop()
        assert link.codes == ["source_connected", "wave_missing", "wave_resumed"]
        assert "2025-10-31T22:48:00.000+00:00" in link.told[1][2]

    run(scenario())


def test_the_readme_describes_every_source_and_setting() -> None:
    check_readme(
        (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8"), [*signal_sources(), *observers()]
    )


# ── checks and settings ─────────────────────────────────────────────────────────────────────────────────────


def test_a_check_logs_in_and_leaves() -> None:
    async def scenario() -> None:
        wave = server()
        async with serving(wave) as url:
            (good,) = await source_at(url).checkup()
            (bad,) = await source_at(url, token=Secret("wrong")).checkup()
        (gone,) = await source_at(url, connect_within_s=Decimal(2)).checkup()
        assert good.ok
        assert "unencrypted" in good.message
        assert not bad.ok
        assert "refuses our token" in bad.message
        assert not gone.ok
        assert "no connection" in gone.message

    run(scenario())


@pytest.mark.parametrize("url", ["http://host:1", "ws://", "host:8765", "ws://host:x", "ws://user:pass@host:1"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must"):
        WebSocketSource(url=url, token=Secret("x"))


@pytest.mark.parametrize(
    "name", ["connect_within_s", "ping_every_s", "answer_within_s", "ask_every_s", "retry_first_s", "retry_most_s"]
)
def test_times_must_be_positive(name: str) -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        source_at("ws://host:1", **{name: Decimal(0)})


def test_it_is_a_live_source() -> None:
    assert source_at("ws://host:1").timeline() is None
