"""The process is stopped for a while (a laptop's lid, a frozen machine), or told to end in the middle of an entry.

``KILLS_STOPPED_S=60`` stops it for as long, with the settings that everybody has.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.kills.house import MS, VENUES, House, built, said, until
from tests.kills.moments import ORDERS
from tests.kills.product import Process
from tests.kills.story import breaches, judged
from tests.kills.witness import Witness, now_ns

STOPPED_S = float(os.environ.get("KILLS_STOPPED_S", "0"))
QUICK = {"stream_silence_s": "1", "request_timeout_s": "1"}
"""With which a short stop is a long one."""

FALLS, RUNS, CALM, FRESH = "BTCUSDT", "ETHUSDT", "LTCUSDT", "SOLUSDT"


def play(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario to its end, or fail."""

    async def patient() -> None:
        async with asyncio.timeout(300 + 3 * STOPPED_S):
            await scenario()

    asyncio.run(patient())


async def stopped(life: Process) -> tuple[int, int]:
    """Stop the process for a while, and let it go on; answers from when to when, ns UTC."""
    life.signal(signal.SIGSTOP)
    from_ns = now_ns()
    await asyncio.sleep(STOPPED_S or 1.6)
    life.signal(signal.SIGCONT)
    return from_ns, now_ns()


def without(up: Sequence[tuple[int, int]], out: tuple[int, int]) -> list[tuple[int, int]]:
    """The intervals without one in the middle of them."""
    parts = [part for begin, end in up for part in ((begin, min(end, out[0])), (max(begin, out[1]), end))]
    return [(begin, end) for begin, end in parts if begin < end]


async def check(house: House, life: Process, out: tuple[int, int] | None = None) -> None:
    """Everything comes into order; the session ends in order; journal, venues and oracle agree."""
    witness = Witness(house)
    await until(witness.settled, "everything is in order")
    life.signal(signal.SIGTERM)
    assert (await life.ended(), life.err) == (0, [])
    assert witness.at_the_end() == []
    up = witness.up()
    assert breaches(judged(house, up if out is None else without(up, out))) == []


def test_what_happened_while_the_process_was_stopped_is_known_and_made_good_afterwards(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with built(tmp_path, settings={} if STOPPED_S else QUICK) as house:
            if not STOPPED_S:
                house.world.settings.listen_key_ns = 1000 * MS
            life = await house.up()
            await house.opened(life, FALLS, RUNS, CALM)

            stop = asyncio.ensure_future(stopped(life))
            await asyncio.sleep(0.05)
            for venue in VENUES:
                house.move(venue, FALLS, -3)
                house.move(venue, RUNS, 3)
            house.send(FRESH)
            out = await stop

            for venue in VENUES:
                await said(life, f"{venue} {FALLS}: closed")
                await said(life, f"{venue} {RUNS}: stop moved")
                await said(life, f"{venue} {FRESH}: opened long")
            await until(
                lambda: all(min(house.triggers(one, RUNS)) > house.bid(one, RUNS) * 99 / 100 for one in VENUES),
                "the stops have followed",
            )
            await check(house, life, out)

    play(scenario)


@pytest.mark.parametrize("venue", VENUES)
def test_a_process_that_is_stopped_with_an_entry_on_the_line_protects_it_as_soon_as_it_goes_on(
    venue: str, tmp_path: Path
) -> None:
    """On Binance the position is naked meanwhile: nobody but us can protect it there. On Bybit it never is."""

    async def scenario() -> None:
        lives: list[Process] = []
        stops: list[asyncio.Future[tuple[int, int]]] = []

        def sink(line: dict[str, Any]) -> None:
            if line["kind"] == "request" and line["path"] in ORDERS and line["method"] == "POST" and not stops:
                lives[0].signal(signal.SIGSTOP)
                stops.append(asyncio.ensure_future(stopped(lives[0])))

        async with built(tmp_path, settings={} if STOPPED_S else QUICK, sink=sink) as house:
            lives.append(await house.up())
            house.send(FRESH, venues=[venue])
            await until(lambda: stops, "an entry is sent")
            await until(house.held, "it is filled")
            assert bool(house.naked()) is (venue == "binance")
            out = await stops[0]
            await until(lambda: house.held() and not house.naked(), "it is protected")
            await check(house, lives[0], out)
            assert sum(line["kind"] == "fill" for line in house.lines) == 1

    play(scenario)


def test_a_process_that_is_told_to_end_while_it_opens_finishes_what_is_half_open(tmp_path: Path) -> None:
    async def scenario() -> None:
        lives: list[Process] = []

        def sink(line: dict[str, Any]) -> None:
            if lives and line["kind"] == "request" and line["path"] in ORDERS and line["method"] == "POST":
                lives[0].signal(signal.SIGTERM)
                lives.clear()

        async with built(tmp_path, sink=sink) as house:
            life = await house.up()
            lives.append(life)
            house.send(FALLS, RUNS)
            assert (await life.ended(), life.err) == (0, [])
            assert house.held()
            assert house.naked() == {}
            assert not any("WITHOUT a stop" in line for line in life.out)
            told = [line for line in life.out if line.startswith("stays open: ")]
            assert len(told) == len(house.held())

            await check(house, await house.up())

    play(scenario)
