"""Two instances on one machine, each with a state directory of its own, are given the same accounts."""

from __future__ import annotations

from pathlib import Path

from tests.kills.house import built, said
from tests.kills.test_stopped import play

OPEN, FRESH = "BTCUSDT", "ETHUSDT"


def test_the_second_is_told_who_trades_the_account_and_takes_over_when_the_first_is_gone(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with built(tmp_path) as house:
            first = await house.up()
            await house.opened(first, OPEN)
            requests = len([line for line in house.lines if line["kind"] == "request" and line["method"] != "GET"])
            elsewhere = ("--state", str(tmp_path / "elsewhere"))

            second = await house.run(*elsewhere)

            assert await second.ended() == 3
            assert [f"is traded by process {first.running.pid} on this machine" in line for line in second.err] == [
                True
            ]
            changes = [line for line in house.lines if line["kind"] == "request" and line["method"] != "GET"]
            assert len(changes) == requests

            first.kill()
            await first.ended()
            third = await house.run(*elsewhere)
            await said(third, "live: accounts")
            await house.opened(third, FRESH)
            assert len(house.held()) == 4
            assert house.naked() == {}

    play(scenario)
