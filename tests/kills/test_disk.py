"""The disk takes no more, or refuses from the start: what is open stays protected, nothing is opened, a line says why.

That a file may not grow (``RLIMIT_FSIZE``) stands in for a full disk: it acts on what SQLite and the mark write, in the
process that runs, and is taken back by a restart. A full file system differs in the error's number only.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.kills.house import VENUES, House, built, until
from tests.kills.product import Process
from tests.kills.story import breaches, judged
from tests.kills.witness import Witness, now_ns

OPEN, RUNS, FRESH = "BTCUSDT", "ETHUSDT", "SOLUSDT"

_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE = 24, 1
"""Of prctl(2) and capabilities(7)."""


def play(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario to its end, or fail."""

    async def patient() -> None:
        async with asyncio.timeout(120):
            await scenario()

    asyncio.run(patient())


@asynccontextmanager
async def without_caches(directory: Path) -> AsyncIterator[House]:
    """A house whose processes write no byte code: what can't be written whole must not be found by others."""
    async with built(directory) as house:
        house.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        yield house


def fill_up(life: Process) -> None:
    """From now on no file of this process takes anything beyond its first kilobyte."""
    resource.prlimit(life.running.pid, resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))


def start_full() -> None:
    """The same from the start of a process."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))


def obey_modes() -> None:
    """Let the modes of files bind this process, and what it executes, even if it is root's."""
    if os.geteuid() == 0 and ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0) != 0:
        raise OSError("the right to override modes can't be given up")


@contextmanager
def read_only(directory: Path) -> Iterator[None]:
    """A directory in which nothing can be made."""
    mode = directory.stat().st_mode
    directory.chmod(0o555)
    try:
        yield
    finally:
        directory.chmod(mode)


def requests_for_entries(house: House, symbol: str) -> int:
    """How many entry orders for a market reached the venues."""
    return sum(
        line["kind"] == "order" and line["symbol"] == symbol and "-e" in (line["client_id"] or "")
        for line in house.lines
    )


async def goes_on(house: House, witness: Witness) -> None:
    """After the repair a restart takes everything over, opens again, and all agree."""
    life = await house.up()
    await house.opened(life, "XRPUSDT")
    await until(witness.settled, "everything is in order")
    life.signal(signal.SIGTERM)
    assert (await life.ended(), life.err) == (0, [])
    assert witness.at_the_end() == []
    assert breaches(judged(house, witness.up())) == []


async def left_open(house: House, witness: Witness) -> None:
    """A life that was killed with open positions."""
    life = await house.up()
    await house.opened(life, OPEN, RUNS)
    life.kill()
    await life.ended()
    witness.died(life, now_ns())


def test_when_the_disk_is_full_stops_still_follow_nothing_is_opened_and_a_line_says_so_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with without_caches(tmp_path) as house:
            witness = Witness(house)
            life = await house.up()
            await house.opened(life, OPEN, RUNS)

            fill_up(life)
            before = {venue: house.triggers(venue, RUNS) for venue in VENUES}
            for venue in VENUES:
                house.move(venue, RUNS, 3)
            (line,) = await until(lambda: life.err, "it is told at once")
            assert line.startswith(f"error: {house.journal}: can't be used (disk I/O error)")
            assert line.endswith("until then nothing is opened, and what is open stays protected")
            await until(
                lambda: all(min(house.triggers(venue, RUNS)) > max(before[venue]) for venue in VENUES),
                "the stops have followed",
            )
            house.send(FRESH)
            assert await life.ended() == 3

            assert requests_for_entries(house, FRESH) == 0
            assert house.naked() == {}
            assert len(house.held()) == 4
            assert all("Traceback" not in one for one in life.err)
            witness.died(life, now_ns())
            witness.problems.clear()  # that it said something on stderr is what was wanted
            await goes_on(house, witness)

    play(scenario)


def test_a_start_on_a_full_disk_is_refused_in_one_line_and_leaves_what_is_open_as_it_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with without_caches(tmp_path) as house:
            witness = Witness(house)
            await left_open(house, witness)

            life = await house.run(before=start_full)
            assert await life.ended() == 3
            assert [one for one in life.err if one.startswith("error: ")] == life.err[-1:]
            assert "disk I/O error" in life.err[-1]
            assert house.naked() == {}
            assert len(house.held()) == 4
            await goes_on(house, witness)

    play(scenario)


@pytest.mark.parametrize("known", [True, False], ids=["with a journal", "without a journal"])
def test_a_start_in_a_directory_that_can_not_be_written_is_refused_in_one_line(known: bool, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with without_caches(tmp_path) as house:
            witness = Witness(house)
            if known:
                await left_open(house, witness)
            else:
                house.state.mkdir()
            with read_only(house.state):
                for one in house.state.iterdir():
                    one.chmod(0o444)
                life = await house.run(before=obey_modes)
                assert await life.ended() == 3
            (line,) = life.err
            assert line.startswith(f"error: {house.journal}: can't be written")
            assert line.endswith(f"make {house.state} writable, or choose another state")
            assert house.naked() == {}
            for one in house.state.iterdir():
                one.chmod(0o644)
            await goes_on(house, witness)

    play(scenario)
