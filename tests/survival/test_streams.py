"""Streams that die while their connection lives, in all the ways that venues know; and one that is only quiet."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.survival import ledger
from tests.survival.house import SILENCE_S, SYMBOLS, House, Run, built, journalled_fills, play, running

STOPPED, TAKEN, RUNS, CALM = SYMBOLS[:4]
PRIVATE = {"binance": "/private/*", "bybit": "/v5/private"}
PUBLIC = {"binance": ("/public/*", "/market/*"), "bybit": ("/v5/public/*",)}
KEY_PATH = "/fapi/v1/listenKey"


async def opened(run: Run) -> None:
    await run.open(STOPPED, TAKEN, RUNS, CALM)
    await run.until_quiet()


async def nothing_was_missed(run: Run) -> None:
    """What happened while nobody told of it is known all the same, and the stops go on following."""
    house = run.house
    await run.until_state("closed", STOPPED, TAKEN)
    assert (run.exit_reason(STOPPED), run.exit_reason(TAKEN)) == ("stop-loss", "closed_elsewhere")
    await run.until_followed(RUNS, house.price(RUNS, 3))
    assert set(house.held()) == {RUNS, CALM}


def as_the_venue_has_it(house: House) -> None:
    for symbol in (STOPPED, TAKEN, RUNS, CALM):
        assert journalled_fills(house, symbol) == ledger.fills(house.lines, symbol)
        assert len(ledger.entries(house.lines, symbol)) == 1
    house.check()


def test_a_listen_key_that_dies_is_replaced_and_what_was_filled_meanwhile_is_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with built("binance", tmp_path) as house:
            async with running(house) as run:
                await opened(run)
                keys = len(ledger.requests(house.lines, KEY_PATH))

                house.fault("listen-keys-expire", at_ms=0)
                house.price(STOPPED, -5)
                house.close_by_hand(TAKEN)
                await run.until_event("stream_restored")
                await nothing_was_missed(run)

            assert len(ledger.requests(house.lines, KEY_PATH)) == keys + 1
            as_the_venue_has_it(house)

    play(scenario)


def test_a_listen_key_that_dies_without_a_word_is_noticed_at_the_next_fill(tmp_path: Path) -> None:
    """The venue's word of it is lost: an order that was filled without the stream telling gives it away."""

    async def scenario() -> None:
        async with built("binance", tmp_path) as house:
            async with running(house) as run:
                await run.open(STOPPED, TAKEN, RUNS)
                await run.until_quiet()

                house.fault("lose-event", topic="listenKeyExpired")
                house.fault("listen-keys-expire", at_ms=0)
                await run.open(CALM)
                house.price(STOPPED, -5)
                house.close_by_hand(TAKEN)
                await run.until_event("stream_restored")
                await nothing_was_missed(run)

            as_the_venue_has_it(house)

    play(scenario)


def test_connections_that_the_venue_ends_after_a_day_are_opened_again_each_time(venue: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with built(venue, tmp_path, connection_ns=700_000_000) as house:
            async with running(house) as run:
                await opened(run)
                house.price(STOPPED, -5)
                house.close_by_hand(TAKEN)
                await run.until_event("stream_restored", 2)
                await nothing_was_missed(run)

            as_the_venue_has_it(house)

    play(scenario)


def test_a_private_stream_that_falls_silent_is_opened_again_and_what_it_did_not_tell_is_read(
    venue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("framework_bybit.stream.ANSWER_S", 0.5)  # the first new connection is greeted in vain

    async def scenario() -> None:
        async with built(venue, tmp_path) as house:
            async with running(house) as run:
                await opened(run)

                house.fault("streams-silent", sockets=PRIVATE[venue], for_ms=2000, at_ms=0)
                await run.until(lambda: house.fired() == 1)
                house.price(STOPPED, -5)
                house.close_by_hand(TAKEN)
                await run.until_event("stream_restored")
                await nothing_was_missed(run)

            as_the_venue_has_it(house)

    play(scenario)


def test_price_streams_that_fall_silent_do_not_keep_the_stops_from_following(venue: str, tmp_path: Path) -> None:
    """Silent for good: what they would tell is had by new connections, or by request."""

    async def scenario() -> None:
        async with built(venue, tmp_path) as house:
            async with running(house) as run:
                await opened(run)

                for sockets in PUBLIC[venue]:
                    house.fault("streams-silent", sockets=sockets, for_ms=2000, at_ms=0)
                await run.until(lambda: house.fired() == len(PUBLIC[venue]))
                await run.until_followed(RUNS, house.price(RUNS, 3))
                await run.until_followed(CALM, house.price(CALM, 5))

            assert run.events("stream_lost") == []
            house.check()

    play(scenario)


def test_streams_that_are_only_quiet_are_left_alone(venue: str, tmp_path: Path) -> None:
    """Nothing is filled and no price moves for twice as long as makes a silent stream a dead one."""

    async def scenario() -> None:
        async with built(venue, tmp_path) as house:
            async with running(house) as run:
                await opened(run)
                sockets = dict(house.world.sockets)
                loop = asyncio.get_running_loop()
                began_s = loop.time()
                await run.until(lambda: loop.time() - began_s > 2 * SILENCE_S)

                assert dict(house.world.sockets) == sockets
                assert [one.code for one in run.events() if one.level != "info"] == []
            house.check()

    play(scenario)
