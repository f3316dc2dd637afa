"""The sockets: what a transport has to do, over real ones on the loopback."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from framework_simulator.emulator.build import Plan
from framework_simulator.emulator.emulator import Emulator
from framework_simulator.emulator.server import NotLoopbackError, loopback, text_frame

PATIENCE_S = 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), PATIENCE_S))


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Emulator, str, str, str, aiohttp.ClientSession]]:
    """An emulator with still prices, and a client's session."""
    emulator = Emulator(Plan())
    ready: Any = await emulator.start()
    emulator.quote(None)
    async with aiohttp.ClientSession() as session:
        try:
            yield emulator, ready["binance"]["rest"], ready["binance"]["ws"], ready["control"], session
        finally:
            await emulator.stop()


def test_both_venues_and_the_control_port_answer() -> None:
    async def scenario() -> None:
        async with running() as (_, rest, _, control, session):
            for url in (f"{rest}/fapi/v1/time", f"{rest}/v5/market/time", f"{control}/state"):
                async with session.get(url) as answer:
                    assert answer.status == 200
                    assert await answer.json()

    run(scenario)


def test_a_path_of_no_venue_is_not_found() -> None:
    async def scenario() -> None:
        async with running() as (_, rest, _, control, session):
            for url in (f"{rest}/nowhere", f"{control}/nowhere"):
                async with session.get(url) as answer:
                    assert answer.status == 404

    run(scenario)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "::", "example.org", ""])  # noqa: S104
def test_it_listens_on_the_loopback_and_nowhere_else(host: str) -> None:
    with pytest.raises(NotLoopbackError, match="not a loopback address"):
        loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_every_loopback_address_will_do(host: str) -> None:
    assert loopback(host) == host


def test_the_control_port_says_what_is_wrong() -> None:
    async def scenario() -> None:
        async with running() as (_, _, _, control, session):
            for path, body, told in (
                ("/price", b'{"venue": "kraken"}', "venue must be one of"),
                ("/price", b"[]", "must be a JSON object"),
                ("/price", b"no json", "no JSON"),
                ("/faults", b'{"fault": 3}', "must be a list"),
                ("/advance", b"{}", "ms is missing"),
            ):
                async with session.post(f"{control}{path}", data=body) as answer:
                    assert answer.status == 400
                    assert told in (await answer.json())["error"]
            async with session.get(f"{control}/ledger", params={"since": "x"}) as answer:
                assert answer.status == 400

    run(scenario)


def test_the_ledger_comes_as_json_lines() -> None:
    async def scenario() -> None:
        async with running() as (_, _, _, control, session), session.get(f"{control}/ledger") as answer:
            lines = [json.loads(line) for line in (await answer.text()).splitlines()]
            assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))

    run(scenario)


def test_a_dropped_answer_closes_the_connection() -> None:
    async def scenario() -> None:
        async with running() as (emulator, rest, _, _, session):
            emulator.control.faults({"name": "request-lost"})
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await session.get(f"{rest}/fapi/v1/time")

    run(scenario)


def test_a_truncated_answer_breaks_off() -> None:
    async def scenario() -> None:
        async with running() as (emulator, rest, _, _, session):
            emulator.control.faults({"name": "truncated-body", "bytes": 3})
            answer = await session.get(f"{rest}/v5/market/time")
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.read()

    run(scenario)


def test_a_late_answer_comes_when_time_has_been_advanced() -> None:
    async def scenario() -> None:
        async with running() as (emulator, rest, _, control, session):
            emulator.control.faults({"name": "slow-response", "delay_ms": 3_600_000})
            late = asyncio.ensure_future(session.get(f"{rest}/fapi/v1/time"))
            while not [line for line in emulator.control.tail.lines if line["kind"] == "fault"]:
                async with session.get(f"{control}/state"):
                    pass
            assert not late.done()
            async with session.post(f"{control}/advance", json={"ms": 3_600_000}) as answer:
                assert answer.status == 200
            assert (await late).status == 200

    run(scenario)


def test_a_socket_hears_pings_and_is_closed_when_the_emulator_ends() -> None:
    async def scenario() -> None:
        async with running() as (emulator, _, ws, _, session):
            socket = await session.ws_connect(f"{ws}/v5/public/linear", autoping=False)
            await socket.ping(b"here")
            assert (await socket.receive()).type is aiohttp.WSMsgType.PONG
            await emulator.stop()
            while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
            assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED)

    run(scenario)


def test_a_socket_that_goes_away_is_forgotten() -> None:
    async def scenario() -> None:
        async with running() as (emulator, _, ws, control, session):
            socket = await session.ws_connect(f"{ws}/v5/public/linear")
            assert len(emulator.world.sockets) == 1
            await socket.close()
            while emulator.world.sockets:
                async with session.get(f"{control}/state"):
                    pass

    run(scenario)


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_text_frames_are_what_a_client_reads(length: int) -> None:
    async def scenario() -> None:
        text = "x" * length
        got: list[str] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
            digest = base64.b64encode(hashlib.sha1(key.split(b": ")[1] + GUID).digest())  # noqa: S324
            writer.write(b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ")
            writer.write(digest + b"\r\n\r\n" + text_frame(text))
            await reader.read()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with aiohttp.ClientSession() as session:
            socket = await session.ws_connect(f"ws://127.0.0.1:{port}/", autoclose=False)
            got.append(await socket.receive_str())
            await session.close()
        server.close()
        assert got == [text]

    run(scenario)
