"""A supervisor restarts the product again and again: the venue refuses nothing, and what is open goes on being read.

``KILLS_RESTARTED_S=130`` does so for as long from a fresh minute's limits on, instead of a little with few left.
"""

from __future__ import annotations

import asyncio
import os
from functools import partial
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest

from framework_simulator.emulator.binance import limits
from tests.kills.house import House, built, until
from tests.kills.nursery import Nursery
from tests.kills.test_stopped import play
from tests.kills.witness import Witness, now_ns

FOR_S = float(os.environ.get("KILLS_RESTARTED_S", "0"))
LIFE_S = 1.0
OPEN = "BTCUSDT"

LEFT = 260
"""Of the weight of a minute, when nothing else is said: two starts would use it up."""

LIVES = 9
POSITIONS = "/fapi/v3/positionRisk"
LONGEST_GAP_S = 20.0
"""In a minute that others do not use, positions are read so often, although no life lasts longer than a second."""


async def leave(house: House, weight: int) -> None:
    """Others at this address use what there is of the minute, but for so much."""
    address = f"{house.rests['binance']}/fapi/v1/ticker/24hr"
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(address) as answer:
                assert answer.status == 200
                if int(answer.headers["X-MBX-USED-WEIGHT-1M"]) >= 2400 - weight:
                    return


def answered(house: House) -> int:
    """How many answers the venues have given."""
    return sum(line["kind"] == "response" for line in house.lines)


def has_more(house: House, count: int) -> bool:
    """Whether there are more answers than so many."""
    return answered(house) > count


def read_at(house: House) -> list[float]:
    """When positions were told, in seconds of the ledger."""
    ids = {line["id"] for line in house.lines if line["kind"] == "request" and line["path"] == POSITIONS}
    return [line["t"] / 1e9 for line in house.lines if line["kind"] == "response" and line["request"] in ids]


def test_who_restarts_the_product_each_second_is_never_refused_and_what_is_open_stays_protected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not FOR_S:  # the minute does not end in the middle of the test
        monkeypatch.setattr(limits, "MINUTE_NS", 1440 * limits.MINUTE_NS)

    async def scenario() -> None:
        with Nursery.opened() as nursery:
            async with built(tmp_path) as house:
                witness = Witness(house)
                life = await house.up()
                await house.opened(life, OPEN)
                if not FOR_S:
                    await leave(house, LEFT)
                said: list[str] = []
                for _ in range(round(FOR_S / LIFE_S) or LIVES):
                    life.kill()
                    await life.ended()
                    witness.died(life, now_ns())
                    count = answered(house)
                    life = await house.run(nursery=nursery)
                    await until(partial(has_more, house, count), "it was told what is used")
                    await asyncio.sleep(LIFE_S)
                    said += [line for line in life.out if "the start waits" in line]

                answers = {line["status"] for line in house.lines if line["kind"] == "response"}
                assert answers == {200}
                assert said
                assert house.naked() == {}
                assert witness.problems == []
                if FOR_S:
                    times = read_at(house)
                    assert max(after - before for before, after in pairwise(times)) < LONGEST_GAP_S
                    await until(witness.settled, "everything is in order", every_s=0.05)

    play(scenario)
