"""A session that is interrupted ends in order, whatever is under way, and the next one goes on where it stopped."""

from __future__ import annotations

from pathlib import Path

from tests.survival import ledger
from tests.survival.house import SYMBOLS, House, Run, built, journalled_fills, play, running

OPEN, LATE = SYMBOLS[:3], SYMBOLS[3]
ENTRY_PATH = {"binance": "/fapi/v1/order", "bybit": "/v5/order/create"}


async def _interrupted_while_opening(house: House, run: Run) -> None:
    """Three positions are open; the answer to a fourth entry is on its way when the session is interrupted."""
    await run.open(*OPEN)
    path = ENTRY_PATH[house.venue]
    house.fault("slow-response", method="POST", path=path, params={"symbol": LATE}, delay_ms=400, count=1)
    await run.wave(LATE)
    await run.until(lambda: house.fired() == 1, "the entry has reached the venue")
    run.session.stopped.set()


def test_it_lists_what_stays_open_with_its_stops_and_the_stops_stay_at_the_venue(venue: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with built(venue, tmp_path) as house:
            async with running(house) as run:
                await _interrupted_while_opening(house, run)
                end = await run.task

            assert (end.reason, end.failed) == ("interrupted", False)
            listed = {line.symbol: (line.quantity, [line.stop_price]) for line in end.open_positions}
            assert listed == {symbol: (quantity, house.triggers(symbol)) for symbol, quantity in house.held().items()}
            assert set(listed) == {*OPEN, LATE}
            assert [one.message for one in run.events() if one.level != "info"] == []
            house.check()

    play(scenario)


def test_a_restart_takes_over_and_follows_what_was_left_open(venue: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with built(venue, tmp_path) as house:
            async with running(house) as run:
                await _interrupted_while_opening(house, run)
                await run.task
            sent = len(ledger.requests(house.lines))
            first, second, third = OPEN

            house.price(first, -5)  # while nobody is there, the stop of the first one acts
            async with running(house) as run:
                await run.until_state("closed", first)
                assert run.exit_reason(first) == "stop-loss"

                await run.until_followed(second, house.price(second, 3))

                house.price(third, -5)  # and the stop of the third one acts in its presence
                await run.until_state("closed", third)
                await run.until_quiet()

            assert set(house.held()) == {second, LATE}
            assert all(not house.triggers(symbol) for symbol in (first, third))
            again = house.lines
            assert [len(ledger.entries(again, symbol)) for symbol in (*OPEN, LATE)] == [1, 1, 1, 1]
            assert all(journalled_fills(house, symbol) == ledger.fills(again, symbol) for symbol in (*OPEN, LATE))
            assert len(ledger.requests(again)) > sent
            house.check()

    play(scenario)
