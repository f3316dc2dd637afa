"""Streams over real sockets, against the emulator: up again after whatever ends them, subscribed to what is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import aiohttp
import pytest

from framework_venue.clock import VenueClock
from framework_venue.stream import Frames, Stream

from .rig import KEY, SYMBOL, Ear, HandClock, Venue, connected, emulated, run, streaming

MARKS = frozenset({"btcusdt@markPrice@1s"})
TICKERS = frozenset({f"tickers.{SYMBOL}"})


def binance(method: str) -> Any:
    def frames(topics: Sequence[str]) -> Sequence[Any]:
        return [{"method": method, "params": list(topics), "id": 1}]

    return frames


def bybit(op: str) -> Any:
    def frames(topics: Sequence[str]) -> Sequence[Any]:
        return [{"op": op, "req_id": op, "args": list(topics)}]

    return frames


def prices(venue: Venue, **how: Any) -> Any:
    """The price stream of a venue."""
    if venue.name == "binance":
        fields = {"subscribe": binance("SUBSCRIBE"), "unsubscribe": binance("UNSUBSCRIBE"), **how}
        return streaming(f"{venue.ws}/market/ws/0", name="binance", **fields)
    ping = {"ping": lambda: {"op": "ping"}}
    fields = {"subscribe": bybit("subscribe"), "unsubscribe": bybit("unsubscribe"), **ping, **how}
    return streaming(f"{venue.ws}/v5/public/linear", name="bybit", **fields)


def of(ear: Ear, topic: str) -> list[Any]:
    """The frames of a topic."""
    symbol = topic.partition("@")[0].upper()
    return [one for one in ear.frames if one.get("topic") == topic or (one.get("s") == symbol and "@" in topic)]


@pytest.mark.parametrize(("name", "topics"), [("binance", MARKS), ("bybit", TICKERS)])
def test_wanted_topics_flow_and_the_stream_says_that_it_is_up(name: str, topics: frozenset[str]) -> None:
    async def scenario() -> None:
        async with emulated(name) as venue, prices(venue) as (stream, ear):
            stream.want(topics)
            assert await stream.wait_up(5)
            await ear.until(lambda: of(ear, *topics))
            assert (stream.is_up, ear.ups, ear.downs) == (True, 1, [])

    run(scenario)


@pytest.mark.parametrize(("name", "topics"), [("binance", MARKS), ("bybit", TICKERS)])
def test_a_stream_that_the_venue_closes_is_opened_and_subscribed_again(name: str, topics: frozenset[str]) -> None:
    async def scenario() -> None:
        async with emulated(name) as venue, prices(venue) as (stream, ear):
            stream.want(topics)
            await ear.until(lambda: of(ear, *topics))
            venue.fault("streams-closed", at_ms=0, close_code=1001)
            await ear.until(lambda: ear.ups == 2)
            before = len(of(ear, *topics))
            await ear.until(lambda: len(of(ear, *topics)) > before)
            assert ear.downs == ["the connection was closed (1001)"]

    run(scenario)


def test_subscriptions_are_kept_in_step_with_what_is_wanted() -> None:
    async def scenario() -> None:
        async with emulated("bybit") as venue, prices(venue) as (stream, ear):
            other = frozenset({"tickers.ETHUSDT"})
            venue.price(3000, "ETHUSDT")
            stream.want(TICKERS)
            await ear.until(lambda: of(ear, *TICKERS))
            stream.want(TICKERS | other)
            await ear.until(lambda: of(ear, *other))
            stream.want(other)
            await ear.until(lambda: any(one.get("op") == "unsubscribe" for one in ear.frames))
            told = len(of(ear, *TICKERS))
            venue.price(50100)
            venue.price(3100, "ETHUSDT")
            await ear.until(lambda: len(of(ear, *other)) > 1)
            assert len(of(ear, *TICKERS)) == told
            stream.want(TICKERS | other)
            await ear.until(lambda: len(of(ear, *TICKERS)) > told)

    run(scenario)


def test_a_venue_that_has_gone_silent_without_a_pong_is_left() -> None:
    async def scenario() -> None:
        how = {"silence_s": 0.3, "answered": lambda frame: frame.get("op") == "subscribe"}
        async with emulated("bybit") as venue, prices(venue, **how) as (stream, ear):
            stream.want(TICKERS)
            await ear.until(lambda: of(ear, *TICKERS))
            # Longer than one connection takes to be given up: its subscription is lost, and so is that of the next.
            venue.fault("streams-silent", at_ms=0, for_ms=700)
            await ear.until(lambda: ear.downs)
            assert ear.downs == ["nothing came for 0.3 s, not even a pong"]
            told = len(of(ear, *TICKERS))
            await ear.until(lambda: stream.is_up and len(of(ear, *TICKERS)) > told)

    run(scenario)


def test_subscriptions_that_died_while_pongs_come_are_noticed_by_the_missing_heartbeat() -> None:
    async def scenario() -> None:
        beat = {"heartbeat": lambda frame: frame.get("e") == "markPriceUpdate", "silence_s": 1.5}
        async with emulated("binance") as venue, prices(venue, **beat) as (stream, ear):
            stream.want(MARKS)
            await ear.until(lambda: of(ear, *MARKS))
            venue.fault("streams-silent", at_ms=0, for_ms=1600)
            await ear.until(lambda: ear.downs)
            assert ear.downs == ["no data came for 1.5 s, although pongs do: the subscriptions have died"]
            told = len(of(ear, *MARKS))
            await ear.until(lambda: len(of(ear, *MARKS)) > told)

    run(scenario)


def test_a_dead_listen_key_is_renewed_through_the_address_and_events_flow_again() -> None:
    async def scenario() -> None:
        async with emulated("binance") as venue, aiohttp.ClientSession() as rest:
            keys: list[str] = []

            async def address() -> str:
                async with rest.post(f"{venue.rest}/fapi/v1/listenKey", headers={"X-MBX-APIKEY": KEY.key}) as answer:
                    keys.append((await answer.json())["listenKey"])
                return f"{venue.ws}/private/ws?listenKey={keys[-1]}"

            heard: list[str] = []

            def on_frame(frame: Any) -> None:
                heard.append(frame["e"])
                ear.news.set()
                if frame["e"] == "listenKeyExpired":
                    stream.renew("the listen key has expired")

            async with streaming("", name="binance", address=address, on_frame=on_frame) as (stream, ear):
                await ear.until(lambda: ear.ups)
                venue.fault("listen-keys-expire", at_ms=0)
                await ear.until(lambda: ear.ups == 2)
                assert (len(set(keys)), ear.downs) == (2, ["the listen key has expired"])
                venue.fault("position-changed", at_ms=0, market=SYMBOL, qty="0.01")
                await ear.until(lambda: "ACCOUNT_UPDATE" in heard)

    run(scenario)


def test_a_flood_of_frames_arrives_whole_and_in_order() -> None:
    async def scenario() -> None:
        async with emulated("binance") as venue:
            topic = frozenset({"btcusdt@bookTicker"})
            how = {"subscribe": binance("SUBSCRIBE"), "name": "binance"}
            async with streaming(f"{venue.ws}/public/ws/0", **how) as (stream, ear):
                stream.want(topic)
                await ear.until(lambda: of(ear, *topic) or {"result": None, "id": 1} in ear.frames)
                for number in range(5000):
                    venue.price(40000 + number)
                await ear.until(lambda: ear.frames[-1].get("b") == "44999.0" or ear.frames[-1].get("b") == "44999")
                told = [float(one["b"]) for one in of(ear, *topic) if float(one["b"]) < 45000]
                assert told == [40000.0 + number for number in range(5000)]

    run(scenario)


def test_a_door_that_is_shut_is_knocked_at_until_it_opens() -> None:
    async def scenario() -> None:
        async with emulated("bybit") as venue, prices(venue) as (stream, ear):
            await ear.until(lambda: ear.ups)
            venue.fault("streams-closed", at_ms=0, for_ms=500)
            await ear.until(lambda: ear.downs)
            assert not await stream.wait_up(0.2)
            assert stream.last_end == "the handshake was refused with HTTP 503"
            await ear.until(lambda: ear.ups == 2)
            assert len(ear.downs) == 1

    run(scenario)


def test_cancelled_at_any_moment_it_leaves_neither_task_nor_socket() -> None:
    async def scenario() -> None:
        async with emulated("bybit") as venue:
            frames, ear = Frames(), Ear()

            async def address() -> str:
                await asyncio.sleep(0)
                return f"{venue.ws}/v5/public/linear"

            async def greet(stream: Stream) -> None:
                await stream.send({"op": "ping"})
                await ear.until(lambda: ear.frames)

            async with connected("bybit", "http://127.0.0.1:1", VenueClock(HandClock()), frames) as api:
                made: Any = {"greet": greet, "subscribe": bybit("subscribe"), "silence_s": 0.3}
                stream = Stream("test", api, address, ear.frame, ear.up, ear.down, **made)
                frames.streams = [stream]
                stream.want(TICKERS)
                before = asyncio.all_tasks()
                for turns in range(60):
                    ear.frames.clear()
                    task = asyncio.create_task(stream.run())
                    for _ in range(turns):
                        await asyncio.sleep(0)
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
                    assert task.cancelled()
                    assert {each for each in asyncio.all_tasks() - before if "Stream" in repr(each)} == set()
                    assert (stream.is_up, api.clients) == (False, {})
                assert ear.ups > 0, "the last ones came as far as up"
            async with asyncio.timeout(5):
                while venue.world.sockets:  # noqa: ASYNC110 - the emulator tells nobody
                    await asyncio.sleep(0.001)

    run(scenario)
