"""The wave server for tests: the protocol as clients see it, and moved times."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from framework.testing import SignalServer, made_now, shifted

SIGNAL = {"id": 1, "timestamp": "2025-10-31T22:30:00+00:00", "created_at": "2025-10-31T22:48:01+00:00", "score": 1.5}


async def said_after(server: SignalServer, *words: dict[str, Any]) -> list[dict[str, Any]]:
    """What a client hears before it speaks, and after each thing that it says."""
    url = await server.start()
    try:
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as ws:
            heard = [await ws.receive_json()]
            for word in words:
                await ws.send_str(json.dumps(word))
                heard.append(await ws.receive_json())
            return heard
    finally:
        await server.stop()


def test_it_greets_lets_in_and_answers() -> None:
    words = [
        {"type": "auth", "token": "open"},
        {"type": "get_signals"},
        {"type": "ping"},
        {"type": "get_stats"},
        {"type": "x"},
    ]

    heard = asyncio.run(said_after(SignalServer(token="open", signals=[SIGNAL]), *words))  # noqa: S106

    kinds = ["auth_required", "auth_success", "signals", "pong", "stats", "error"]
    assert [each["type"] for each in heard] == kinds
    assert heard[2]["data"] == [SIGNAL]
    assert heard[2]["count"] == 1
    assert datetime.fromisoformat(heard[2]["timestamp"]).tzinfo is None


def test_its_local_time_is_ahead_of_utc() -> None:
    server = SignalServer(token="open", hours_ahead=4)  # noqa: S106

    local = datetime.fromisoformat(json.loads(server.message())["timestamp"])

    assert abs(local - datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=4)) < timedelta(minutes=1)


@pytest.mark.parametrize("word", [{"type": "auth", "token": "wrong"}, {"type": "auth"}, {"type": "get_signals"}])
def test_who_does_not_know_the_token_is_turned_away(word: dict[str, Any]) -> None:
    heard = asyncio.run(said_after(SignalServer(token="open"), word))  # noqa: S106

    assert heard[1]["type"] == "auth_failed"


def test_times_are_moved_together_and_stay_on_the_minute() -> None:
    now = datetime(2026, 1, 2, 3, 4, 30, tzinfo=UTC)

    (moved,) = shifted([SIGNAL], timedelta(days=1))
    (fresh,) = made_now([SIGNAL], now)

    assert (moved["timestamp"], moved["created_at"]) == ("2025-11-01T22:30:00+00:00", "2025-11-01T22:48:01+00:00")
    assert (fresh["timestamp"], fresh["created_at"]) == ("2026-01-02T02:46:00+00:00", "2026-01-02T03:04:01+00:00")
    assert fresh["score"] == 1.5
