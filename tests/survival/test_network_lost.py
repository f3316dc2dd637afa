"""The network is lost for a while, in each of the ways in which networks are lost.

Meanwhile the venue goes on: a stop acts, somebody closes a position elsewhere, a price runs away. With
``SURVIVE_OUTAGE_S`` the network is lost for so long at least, and with the settings that everybody has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from tests.survival import ledger
from tests.survival.house import OUTAGE_S, SYMBOLS, House, Run, built, journalled_fills, play, running
from tests.survival.proxy import Proxy

STOPPED, TAKEN, RUNS, CALM, LATE = SYMBOLS
LOSSES: Mapping[str, Callable[[Proxy], None]] = {"refused": Proxy.refuse, "black hole": Proxy.stall, "cut": Proxy.cut}
ENTRY = {"binance": b"POST /fapi/v1/order ", "bybit": b"POST /v5/order/create"}


async def lost(run: Run) -> None:
    """Every stream has noticed, has been dialled again in vain, and the network is lost for long enough."""
    line = run.session.engine.desks[run.house.venue].exchange.line  # type: ignore[attr-defined]
    in_vain = ("connect", "no listen key", "took longer")
    await run.until(
        lambda: (
            run.house.proxy.dials >= len(line.streams)
            or all(any(why in stream.last_end.lower() for why in in_vain) for stream in line.streams)
        ),
        f"dialled in vain: {[stream.last_end for stream in line.streams]}",
    )
    await asyncio.gather(run.until_event("stream_lost"), asyncio.sleep(OUTAGE_S))


def at_the_venue_meanwhile(house: House) -> Decimal:
    """A stop acts, somebody closes a position elsewhere, and a price runs away; answers that price."""
    house.price(STOPPED, -5)
    house.close_by_hand(TAKEN)
    house.price(RUNS, 1)
    return house.price(RUNS, 3)


@pytest.mark.parametrize("how", ["refused", "black hole"])
def test_what_happened_meanwhile_is_known_afterwards_and_what_should_have_is_done(
    how: str, venue: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with built(venue, tmp_path) as house:
            async with running(house) as run:
                await run.open(STOPPED, TAKEN, RUNS, CALM)
                await run.until_quiet()
                calm = house.triggers(CALM)

                LOSSES[how](house.proxy)
                ran_to = at_the_venue_meanwhile(house)
                await lost(run)
                await house.proxy.restore()

                await run.until_event("stream_restored")
                await run.until_state("closed", STOPPED, TAKEN)
                await run.until_followed(RUNS, ran_to)
                assert (run.exit_reason(STOPPED), run.exit_reason(TAKEN)) == ("stop-loss", "closed_elsewhere")
                assert house.triggers(CALM) == calm

            assert set(house.held()) == {RUNS, CALM}
            assert [house.triggers(symbol) for symbol in (STOPPED, TAKEN)] == [[], []]
            for symbol in (STOPPED, TAKEN, RUNS, CALM):
                assert len(ledger.entries(house.lines, symbol)) == 1
                assert journalled_fills(house, symbol) == ledger.fills(house.lines, symbol)
            house.check()

    play(scenario)


def test_a_line_that_is_cut_again_and_again_is_dialled_again_each_time(venue: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with built(venue, tmp_path) as house:
            async with running(house) as run:
                await run.open(RUNS, CALM)
                for count in range(1, 4):
                    house.proxy.cut()
                    await run.until_event("stream_restored", count)
                await run.until_followed(RUNS, house.price(RUNS, 3))

            assert len(run.events("stream_lost")) == len(run.events("stream_restored")) == 3
            house.check()

    play(scenario)


@pytest.mark.parametrize("how", ["refused", "black hole"])
def test_a_network_that_is_lost_with_an_entry_on_the_line_opens_nothing_twice(
    how: str, venue: str, tmp_path: Path
) -> None:
    """Whether the entry still arrives is the network's business: it ends protected or flat, and is sent once."""

    async def scenario() -> None:
        async with built(venue, tmp_path) as house:
            # What was cut off can't arrive late: it need not be waited for as long as usual.
            async with running(house, fence_s=None if how == "black hole" else 1) as run:
                await run.open(CALM)
                await run.until_quiet()

                def when_it_leaves(sent: bytes) -> None:
                    if ENTRY[venue] in sent:
                        LOSSES[how](house.proxy)

                house.proxy.watch = when_it_leaves
                await run.wave(LATE)
                await run.until_event("outcome_unknown")
                await lost(run)
                house.proxy.watch = lambda sent: None
                await house.proxy.restore()
                await run.until_event("stream_restored")
                await run.until(lambda: run.state(LATE) in ("protected", "aborted", "closed"), "it has ended well")
                await run.until_quiet()

            assert len(ledger.entries(house.lines, LATE)) <= 1
            assert (LATE in house.held()) == (run.state(LATE) == "protected")
            assert len(house.triggers(LATE)) == (1 if LATE in house.held() else 0)
            assert len(house.triggers(CALM)) == 1
            assert journalled_fills(house, LATE) == ledger.fills(house.lines, LATE)
            house.check()

    play(scenario)


def test_a_session_without_a_network_ends_in_order(venue: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with built(venue, tmp_path) as house:
            async with running(house) as run:
                await run.open(RUNS, CALM)
                await run.until_quiet()
                house.proxy.stall()
                await run.until_event("stream_lost")
                end = await run.stop()
                await house.proxy.restore()

            assert {line.symbol: [line.stop_price] for line in end.open_positions} == {
                symbol: house.triggers(symbol) for symbol in (RUNS, CALM)
            }
            house.check()

    play(scenario)
