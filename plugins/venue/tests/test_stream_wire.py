"""What a stream says on the wire and makes of what it hears, against a venue that does as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from aiohttp import web

from framework_venue.stream import FRAME_PAUSE_S, Stream

from .rig import puppet, run, streaming


def plainly(topics: Sequence[str]) -> Sequence[Any]:
    return [{"topics": list(topics)}]


def by_one(topics: Sequence[str]) -> Sequence[Any]:
    return [{"topics": [topic]} for topic in topics]


def never(frame: Any) -> bool:
    return False


def is_answer(frame: Any) -> bool:
    return bool(frame == "yes")


# ── alive ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_quiet_stream_is_never_opened_anew_while_pongs_come() -> None:
    async def scenario() -> None:
        async with puppet() as venue, streaming(venue.url, silence_s=0.3) as (_, ear):
            await venue.until(lambda: venue.heard.count("PING") == 10)
            assert (len(venue.sockets), ear.ups, ear.downs) == (1, 1, [])

    run(scenario)


def test_a_stream_without_wanted_topics_needs_no_heartbeat() -> None:
    async def scenario() -> None:
        how: dict[str, Any] = {
            "silence_s": 0.06,
            "heartbeat": lambda frame: True,
            "subscribe": plainly,
            "unsubscribe": plainly,
        }
        async with puppet() as venue, streaming(venue.url, **how) as (stream, ear):
            stream.want(frozenset("a"))
            await ear.until(lambda: ear.ups)
            stream.want(frozenset())
            await venue.until(lambda: venue.heard.count({"topics": ["a"]}) == 2)
            pings = venue.heard.count("PING")
            await venue.until(lambda: venue.heard.count("PING") == pings + 10)
            assert ear.downs == []

    run(scenario)


def test_a_peer_that_answers_no_ping_is_dead() -> None:
    async def scenario() -> None:
        async with puppet() as venue:
            venue.answers_pings = False
            async with streaming(venue.url, silence_s=0.1) as (_, ear):
                await ear.until(lambda: ear.ups == 2)
                assert ear.downs == ["nothing came for 0.1 s, not even a pong"]

    run(scenario)


def test_frames_alone_keep_a_stream_alive_without_pongs() -> None:
    async def scenario() -> None:
        async with puppet() as venue:
            venue.answers_pings = False

            def beyond(pings: int) -> bool:
                return venue.heard.count("PING") > pings

            async with streaming(venue.url, silence_s=0.3) as (_, ear):
                await ear.until(lambda: ear.ups)
                for count in range(7):
                    pings = venue.heard.count("PING")
                    await venue.until(partial(beyond, pings))
                    await venue.say(str(count))
                assert ear.downs == []

    run(scenario)


def test_heartbeats_keep_a_stream_of_prices_alive() -> None:
    async def scenario() -> None:
        how: dict[str, Any] = {"silence_s": 0.3, "heartbeat": lambda frame: frame == "beat", "subscribe": plainly}
        async with puppet() as venue, streaming(venue.url, **how) as (stream, ear):
            stream.want(frozenset("a"))
            await ear.until(lambda: ear.ups)
            for _ in range(7):
                await venue.say("beat")
                await venue.until(partial(lambda pings: venue.heard.count("PING") > pings, venue.heard.count("PING")))
            assert ear.downs == []

    run(scenario)


def test_a_ping_frame_of_the_plugin_is_sent_in_place_of_the_protocols() -> None:
    async def scenario() -> None:
        async with puppet() as venue, streaming(venue.url, silence_s=0.3, ping=lambda: {"op": "ping"}):
            await venue.until(lambda: {"op": "ping"} in venue.heard)
            assert "PING" not in venue.heard

    run(scenario)


def test_the_venues_own_ping_is_answered() -> None:
    async def scenario() -> None:
        async with puppet() as venue, streaming(venue.url) as (_, ear):
            await ear.until(lambda: ear.ups)
            await venue.sockets[0].ping(b"once")
            await venue.until(lambda: "PONG" in venue.heard)

    run(scenario)


def test_after_a_connection_without_any_heartbeat_the_next_has_twice_the_time() -> None:
    async def scenario() -> None:
        how: dict[str, Any] = {"silence_s": 0.2, "heartbeat": lambda frame: frame == "beat", "subscribe": plainly}
        async with puppet() as venue, streaming(venue.url, **how) as (stream, ear):
            stream.want(frozenset("a"))
            await ear.until(lambda: len(ear.downs) == 3)
            told = "no data came for {} s, although pongs do: the subscriptions have died"
            assert ear.downs == [told.format(time) for time in ("0.2", "0.4", "0.8")]
            await ear.until(lambda: ear.ups == 4)
            await venue.say("beat")
            await ear.until(lambda: len(ear.downs) == 4)
            assert ear.downs[3] == told.format("0.2")

    run(scenario)


# ── subscriptions ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_wanted_at_almost_the_same_time_goes_out_in_few_frames() -> None:
    async def scenario() -> None:
        async with puppet() as venue, streaming(venue.url, subscribe=plainly) as (stream, ear):
            await ear.until(lambda: ear.ups)
            topics = [f"t{number:02}" for number in range(30)]
            for number in range(30):
                stream.want(frozenset(topics[: number + 1]))
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            await venue.until(lambda: "t29" in str(venue.heard))
            frames = [one["topics"] for one in venue.heard if isinstance(one, dict)]
            assert [topic for frame in frames for topic in frame] == topics
            assert len(frames) <= 2

    run(scenario)


def test_subscription_frames_keep_a_distance() -> None:
    async def scenario() -> None:
        async with puppet() as venue, streaming(venue.url, subscribe=by_one) as (stream, ear):
            stream.want(frozenset("abc"))
            began = asyncio.get_running_loop().time()
            await ear.until(lambda: ear.ups)
            assert asyncio.get_running_loop().time() - began > 2 * FRAME_PAUSE_S
            await venue.until(lambda: {"topics": ["c"]} in venue.heard)

    run(scenario)


def test_a_stream_is_up_only_when_its_subscriptions_are_answered() -> None:
    async def scenario() -> None:
        how: dict[str, Any] = {"subscribe": plainly, "answered": is_answer}
        async with puppet() as venue, streaming(venue.url, **how) as (stream, ear):
            stream.want(frozenset("a"))
            await venue.until(lambda: {"topics": ["a"]} in venue.heard)
            assert not stream.is_up
            await venue.say("yes")
            assert await stream.wait_up(5)
            assert ear.frames == ["yes"]

    run(scenario)


def test_a_subscription_that_is_never_answered_ends_the_connection() -> None:
    async def scenario() -> None:
        how: dict[str, Any] = {"subscribe": plainly, "answered": is_answer, "silence_s": 0.1}
        async with puppet() as venue, streaming(venue.url, **how) as (stream, _):
            stream.want(frozenset("a"))
            await venue.until(lambda: len(venue.sockets) == 2)
            assert stream.last_end == "a subscription was not answered for 0.1 s"

    run(scenario)


# ── the greeting ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stream_is_up_only_after_its_greeting_which_hears_frames() -> None:
    async def scenario() -> None:
        async def greet(stream: Stream) -> None:
            await stream.send({"op": "auth"})
            await venue.until(lambda: {"op": "auth"} in venue.heard)
            assert not stream.is_up
            await venue.say("welcome")
            await ear.until(lambda: "welcome" in ear.frames)

        async with puppet() as venue, streaming(venue.url, greet=greet) as (_, ear):
            await ear.until(lambda: ear.ups)
            assert ear.frames == ["welcome"]

    run(scenario)


def test_a_greeting_that_is_refused_fails_the_connection_and_is_tried_again() -> None:
    async def scenario() -> None:
        greetings: list[str] = []

        async def greet(stream: Stream) -> None:
            greetings.append("hello")
            if len(greetings) == 1:
                raise PermissionError("key unknown")

        async with puppet() as venue, streaming(venue.url, greet=greet) as (stream, ear):
            await ear.until(lambda: ear.ups)
            assert (len(greetings), ear.downs) == (2, [])
            assert stream.last_end == "PermissionError: key unknown"

    run(scenario)


def test_a_greeting_ends_when_the_venue_hangs_up() -> None:
    async def scenario() -> None:
        greetings: list[str] = []

        async def greet(stream: Stream) -> None:
            greetings.append("hello")
            if len(greetings) == 1:
                await asyncio.Event().wait()

        async with puppet() as venue, streaming(venue.url, greet=greet) as (stream, ear):
            await venue.until(lambda: venue.sockets)
            await venue.sockets[0].close(code=1008)
            await ear.until(lambda: ear.ups)
            assert stream.last_end == "the connection was closed (1008)"

    run(scenario)


# ── ends ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_frame_that_breaks_its_reader_is_told_and_the_stream_lives_on() -> None:
    async def scenario() -> None:
        heard: list[Any] = []

        def on_frame(frame: Any) -> None:
            heard.append(frame["price"])
            ear.news.set()

        async with puppet() as venue, streaming(venue.url, on_frame=on_frame) as (_, ear):
            await ear.until(lambda: ear.ups)
            await venue.say("{}")
            await ear.until(lambda: ear.ups == 2)
            assert ear.downs == ["a frame was not understood: KeyError: 'price'"]
            await venue.say('{"price": 1}')
            await ear.until(lambda: heard == [1])

    run(scenario)


def test_a_frame_that_is_cut_off_is_told_and_the_stream_lives_on() -> None:
    async def scenario() -> None:
        async with puppet() as venue, streaming(venue.url) as (_, ear):
            await ear.until(lambda: ear.ups)
            await venue.say('{"price": ')
            await ear.until(lambda: ear.ups == 2)
            assert ear.downs[0].startswith("a frame was not understood: ")

    run(scenario)


def test_a_connection_that_is_torn_is_replaced() -> None:
    async def scenario() -> None:
        async with puppet() as venue, streaming(venue.url) as (_, ear):
            await ear.until(lambda: ear.ups)
            transport: Any = venue.sockets[0]._req.transport  # type: ignore[union-attr]
            transport.abort()
            await ear.until(lambda: ear.ups == 2)
            assert len(ear.downs) == 1

    run(scenario)


def test_renewing_opens_a_new_connection_and_closes_the_old() -> None:
    async def scenario() -> None:
        async with puppet() as venue, streaming(venue.url) as (stream, ear):
            await ear.until(lambda: ear.ups)
            stream.renew("data is missing")
            stream.renew("another reason")
            await ear.until(lambda: ear.ups == 2)
            assert ear.downs == ["data is missing"]
            assert venue.heard[:3] == ["open", "closed", "open"]

    run(scenario)


def test_nothing_that_comes_after_the_end_is_told() -> None:
    async def scenario() -> None:
        def on_frame(frame: Any) -> None:
            ear.frame(frame)
            if frame == [1]:
                stream.renew("enough")

        async with puppet() as venue, streaming(venue.url, on_frame=on_frame) as (stream, ear):
            await ear.until(lambda: ear.ups)
            for number in range(5):  # they arrive together
                await venue.say(f"[{number}]")
            await ear.until(lambda: ear.ups == 2)
            assert ear.frames == [[0], [1]]

    run(scenario)


def test_a_refused_handshake_is_repeated_after_its_retry_after_and_keeps_the_address_secret() -> None:
    async def scenario() -> None:
        async with puppet() as venue:
            venue.refusal = web.Response(status=429, headers={"Retry-After": "1"})
            async with streaming(venue.url + "?listenKey=secret") as (stream, ear):
                await venue.until(lambda: venue.asked_s)
                venue.refusal = None
                await ear.until(lambda: ear.ups)
                assert stream.last_end == "the handshake was refused with HTTP 429"
            first, second = venue.asked_s
            assert second - first >= 1

    run(scenario)


def test_a_stream_that_is_not_connected_refuses_to_send() -> None:
    async def scenario() -> None:
        async with puppet() as venue:
            venue.refusal = web.Response(status=503)
            async with streaming(venue.url) as (stream, _):
                stream.renew("nothing to renew")
                assert not await stream.wait_up(0.01)
                with pytest.raises(ConnectionError):
                    await stream.send({})

    run(scenario)
