"""The journal is damaged, lost, old or somebody else's while positions are open, one of them naked: all end protected.

``KILLS_DAMAGES=24`` tries so many instead of a few; ``KILLS_SEED`` is what chance follows.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from framework.journal import verify
from tests.kills.damages import KINDS, Mishap, copied, mishaps
from tests.kills.house import VENUES, built, said, until
from tests.kills.product import Process
from tests.kills.story import BOUNDS, NAMES, breaches
from tests.kills.test_stopped import play
from tests.kills.witness import now_ns
from tests.oracle.judging import Case, judge
from tests.oracle.uptime import Uptime

COUNT = int(os.environ.get("KILLS_DAMAGES", "0"))
SEED = int(os.environ.get("KILLS_SEED", "0"))
FEW = [Mishap("lost but for its mark", 1), Mishap("somebody else's", 2)]
"""Of the usual test run. The second brings its own mark, so that nothing in its files says whose it is."""

KNOWN, LATER, NAKED, FRESH = "BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal's files of another deployment, which thinks that it holds a position."""
    directory = tmp_path_factory.mktemp("strangers")

    async def scenario() -> Path:
        async with built(directory) as house:
            life = await house.up()
            await house.opened(life, "LTCUSDT")
            life.kill()
            await life.ended()
            return copied(house, directory / "copy")

    return asyncio.run(scenario())


@pytest.mark.parametrize("mishap", mishaps(COUNT, SEED) or FEW, ids=lambda one: f"{one.kind} {one.seed}")
def test_whatever_happens_to_the_journal_what_is_open_ends_protected_and_nothing_is_opened_twice(
    mishap: Mishap, tmp_path: Path, strangers: Path
) -> None:
    async def scenario() -> None:
        doomed: list[Process] = []

        def sink(line: dict[str, Any]) -> None:
            if doomed and line["kind"] == "fill" and line["venue"] == "binance":
                doomed.pop().kill()

        async with built(tmp_path, sink=sink) as house:
            began_ns, life = now_ns(), await house.up()
            await house.opened(life, KNOWN)
            old = copied(house, tmp_path / "old")
            await house.opened(life, LATER)
            doomed.append(life)
            house.send(NAKED)
            await life.ended()
            died_ns = now_ns()
            held = house.held()
            assert ("binance", NAKED) in house.naked()

            mishap.happen(house, old, strangers)
            life = await house.run()
            await until(lambda: life.status is not None or not house.naked(), "everything is protected")
            again_ns = now_ns()
            assert (life.status, house.naked()) == (None, {}), life.err
            await said(life, "live: accounts")
            house.send(FRESH)
            for venue in VENUES:
                await said(life, f"{venue} {FRESH}:")
            await until(lambda: not house.naked(), "what was opened is protected")
            life.signal(signal.SIGTERM)
            status = await life.ended()

            told = "\n".join(life.out)
            noticed = "the journal was damaged" in told
            stopped = "no position is opened" in told
            assert status == 0, life.err
            assert noticed or not mishap.must_be_noticed
            assert stopped or not mishap.must_be_noticed
            assert {market: house.held().get(market) for market in held} == held
            assert any(symbol == FRESH for _, symbol in house.held()) is not stopped
            assert house.naked() == {}
            assert verify(house.journal).damages == ()
            entered = Counter(
                (line["venue"], line["symbol"])
                for line in house.lines
                if line["kind"] == "order" and line["status"] == "filled" and "-e" in (line["client_id"] or "")
            )
            assert set(entered.values()) == {1}
            case = Case(BOUNDS, Uptime(((began_ns, died_ns), (again_ns, now_ns()))), None, NAMES, ["127.0.0.1"])
            assert breaches(judge((json.dumps(line) for line in house.lines), case)) == []

    play(scenario)


def test_every_kind_of_mishap_is_tried() -> None:
    tried = Counter(one.kind for one in mishaps(24, 0))

    assert set(tried) == set(KINDS)
    assert tried[KINDS[0]] == 12
