"""The machine's clock steps while the product runs: an hour ahead, an hour back.

The clock of the process is changed where Python reads it, and nowhere else: the venues keep the right time.
"""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from framework.journal import JournalReader
from tests.kills.house import VENUES, House, built, said, until
from tests.kills.product import Process
from tests.kills.story import breaches, judged
from tests.kills.test_stopped import play
from tests.kills.witness import Witness, now_ns

OPEN, RUNS, FRESH = "BTCUSDT", "ETHUSDT", "SOLUSDT"
HOUR_S = 3600

STEPPING = """
import os, signal, time

right, right_ns, off = time.time, time.time_ns, [0]

def look(*ignored):
    with open(os.environ["KILLS_CLOCK"]) as file:
        off[0] = int(file.read())

time.time = lambda: right() + off[0]
time.time_ns = lambda: right_ns() + off[0] * 1_000_000_000
look()
signal.signal(signal.SIGUSR1, look)
"""
"""What Python reads before anything else, when it begins."""


@asynccontextmanager
async def stepping(directory: Path) -> AsyncIterator[House]:
    """A house whose processes go by a clock that can be stepped."""
    async with built(directory) as house:
        (house.site / "sitecustomize.py").write_text(STEPPING)
        house.environ["KILLS_CLOCK"] = str(directory / "clock")
        set_clock(house, 0)
        yield house


def set_clock(house: House, off_s: int) -> None:
    """The clock of processes that begin from now on."""
    Path(house.environ["KILLS_CLOCK"]).write_text(str(off_s))


def step(house: House, life: Process, off_s: int) -> None:
    """The clock of a process that runs steps."""
    set_clock(house, off_s)
    life.signal(signal.SIGUSR1)


@pytest.mark.parametrize("off_s", [HOUR_S, -HOUR_S], ids=["ahead", "back"])
def test_after_the_clock_has_stepped_stops_still_follow_and_what_is_opened_is_protected(
    off_s: int, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with stepping(tmp_path) as house:
            witness = Witness(house)
            began_ns, life = now_ns(), await house.up()
            await house.opened(life, OPEN, RUNS)
            before = {venue: house.triggers(venue, RUNS) for venue in VENUES}

            step(house, life, off_s)
            for venue in VENUES:
                house.move(venue, RUNS, 3)
            await until(
                lambda: all(min(house.triggers(venue, RUNS)) > max(before[venue]) for venue in VENUES),
                "the stops have followed",
            )
            house.sender.off_ns = (
                off_s * 1_000_000_000
            )  # on the same machine; from another one it would be stale, or future
            house.send(FRESH)
            await said(life, "decided: opened", times=2)
            for venue in VENUES:
                house.move(venue, OPEN, -3)
                await said(life, f"{venue} {OPEN}: closed")
            await until(lambda: not house.naked(), "everything is protected")
            life.kill()
            await life.ended()
            died_ns = now_ns()
            with JournalReader.open(house.journal) as reader:
                assert abs(reader.facts()[-1].time_ns - died_ns) > HOUR_S * 500_000_000  # it really went by that clock
            witness.died(life, died_ns)

            late = await house.up()  # what is open is looked after by the venues' time
            for venue in VENUES:
                await said(late, f"{venue}: this machine's clock")
            assert house.naked() == {}
            late.signal(signal.SIGTERM)
            assert await late.ended() == 0

            set_clock(house, 0)
            life = await house.up()
            await until(witness.settled, "everything is in order")
            life.signal(signal.SIGTERM)
            assert (await life.ended(), life.err) == (0, [])
            assert witness.at_the_end() == []
            assert breaches(judged(house, [(began_ns, died_ns)], deadlines=False)) == []

    play(scenario)
