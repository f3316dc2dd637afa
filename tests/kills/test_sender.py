"""The sender's waves: each is one of its own, whatever the time is."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from tests.kills.sender import BAR_NS, Sender, Wish


def test_waves_around_the_end_of_a_bar_have_different_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the second is refused as late: acknowledged, and not taken in."""

    async def scenario() -> list[int]:
        now_ns = 1_000 * BAR_NS - 1
        monkeypatch.setattr(time, "time_ns", lambda: now_ns)
        sender = Sender()
        port = await sender.start()
        for _ in range(3):
            sender.send([Wish("binance", "BTCUSDT", "long")])
            now_ns += 2
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        bars = [json.loads(await reader.readline())["bar_time_ns"] for _ in range(3)]
        writer.close()
        await sender.stop()
        return bars

    assert len(set(asyncio.run(scenario()))) == 3
