"""What the emulator serves on one core: signed order requests with both private streams attached, and quotes.

The emulator runs as a process of its own, bound to one core; the clients run here, on another one where there is one.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import aiohttp

from .measure import ROOT, Figure, count

ORDERS_BUDGET = 1_000
QUOTES_BUDGET = 500 * 10 * 5
HEARD = 0.98
"""All that is offered arrives where the server keeps up; the edges of the counted seconds cut a step in two."""
ORDERS = 3_000
LANES = 8
SYMBOLS = 500
SUBSCRIBERS = 5
SECONDS = 5
KEY, SECRET = "demo-key", "demo-secret"
MARKET_FILE = ROOT / "examples" / "markets" / "bybit_linear_2025-03.json"


def figures() -> list[Figure]:
    """Orders a second on each venue, and quotes delivered a second."""
    made = []
    for venue in ("binance", "bybit"):
        with emulator("--no-rate-limits") as urls:
            rate = asyncio.run(_order_rate(urls, venue))
        made.append(
            Figure(
                f"emulator: signed orders/s on one core ({venue}), both streams attached",
                count(rate),
                budget=f"≥ {count(ORDERS_BUDGET)}",
                ok=rate >= ORDERS_BUDGET,
            )
        )
    with emulator("--markets", f"bybit={MARKET_FILE}", "--prices", "random:1,10") as urls:
        rate = asyncio.run(_quote_rate(urls))
    made.append(
        Figure(
            f"emulator: quotes/s to {SUBSCRIBERS} subscribers of {SYMBOLS} symbols at 10 Hz",
            count(rate),
            budget=f"{count(QUOTES_BUDGET)} offered, ≥ 98 % heard",
            ok=rate >= HEARD * QUOTES_BUDGET,
        )
    )
    return made


@contextmanager
def emulator(*options: str) -> Iterator[dict[str, dict[str, str]]]:
    """``framework emulate`` on the first core; answers its URLs."""
    command = [str(Path(sys.executable).with_name("framework")), "emulate", *options]
    cores = sorted(os.sched_getaffinity(0))
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        os.sched_setaffinity(process.pid, cores[:1])
        os.sched_setaffinity(0, cores[1:] or cores)
        if process.stdout is None:
            raise RuntimeError("the emulator has no output")
        yield json.loads(process.stdout.readline())
    finally:
        os.sched_setaffinity(0, cores)
        process.terminate()
        process.wait()


async def _order_rate(urls: dict[str, dict[str, str]], venue: str) -> float:
    place = urlsplit(urls[venue]["rest"])
    async with aiohttp.ClientSession() as session:
        sockets = [await _binance_stream(session, urls["binance"]), await _bybit_stream(session, urls["bybit"])]
        readers = [asyncio.ensure_future(_drain(socket)) for socket in sockets]
        lanes = [await asyncio.open_connection(place.hostname, place.port) for _ in range(LANES)]
        began = time.perf_counter()
        await asyncio.gather(*(_lane(venue, index, *lane) for index, lane in enumerate(lanes)))
        seconds = time.perf_counter() - began
        for _, writer in lanes:
            writer.close()
        told = [await _told(reader) for reader in readers]
    if not told[venue == "bybit"]:
        raise RuntimeError(f"{venue}: the private stream told nothing of {ORDERS} orders")
    return ORDERS / seconds


async def _lane(venue: str, index: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One kept connection: an order, its answer, the next order."""
    made = _binance_order if venue == "binance" else _bybit_order
    for number in range(ORDERS // LANES):
        writer.write(made(f"{index}-{number}", "BUY" if number % 2 else "SELL"))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        body = await reader.readexactly(length)
        if b"rderId" not in body:
            raise RuntimeError(f"{venue} refused an order: {body[:200]!r}")


def _signed(text: str) -> str:
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _binance_order(number: str, side: str) -> bytes:
    wish = {"symbol": "BTCUSDT", "side": side, "type": "MARKET", "quantity": "0.01", "newClientOrderId": f"b{number}"}
    text = urlencode({**wish, "newOrderRespType": "RESULT", "timestamp": _now_ms()})
    line = f"POST /fapi/v1/order?{text}&signature={_signed(text)} HTTP/1.1"
    return f"{line}\r\nHost: localhost\r\nX-MBX-APIKEY: {KEY}\r\nContent-Length: 0\r\n\r\n".encode()


def _bybit_order(number: str, side: str) -> bytes:
    wish = {"category": "linear", "symbol": "BTCUSDT", "side": side.title(), "orderType": "Market", "qty": "0.01"}
    body, stamp = json.dumps({**wish, "orderLinkId": f"b{number}"}), str(_now_ms())
    headers = {
        "Host": "localhost",
        "X-BAPI-API-KEY": KEY,
        "X-BAPI-TIMESTAMP": stamp,
        "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": _signed(f"{stamp}{KEY}5000{body}"),
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /v5/order/create HTTP/1.1\r\n{lines}\r\n{body}".encode()


async def _binance_stream(session: aiohttp.ClientSession, urls: dict[str, str]) -> aiohttp.ClientWebSocketResponse:
    async with session.post(f"{urls['rest']}/fapi/v1/listenKey", headers={"X-MBX-APIKEY": KEY}) as answer:
        key = (await answer.json())["listenKey"]
    return await session.ws_connect(f"{urls['ws']}/private/ws?listenKey={key}")


async def _bybit_stream(session: aiohttp.ClientSession, urls: dict[str, str]) -> aiohttp.ClientWebSocketResponse:
    socket = await session.ws_connect(f"{urls['ws']}/v5/private")
    expires = _now_ms() + 10_000
    await socket.send_json({"op": "auth", "args": [KEY, expires, _signed(f"GET/realtime{expires}")]})
    await socket.send_json({"op": "subscribe", "req_id": "1", "args": ["order", "execution", "position", "wallet"]})
    for _ in range(2):
        await socket.receive()
    return socket


async def _drain(socket: aiohttp.ClientWebSocketResponse) -> int:
    """Read until cancelled; answers how many frames came."""
    frames = 0
    try:
        async for _ in socket:
            frames += 1
    except asyncio.CancelledError:
        pass
    return frames


async def _told(reader: asyncio.Future[int]) -> int:
    reader.cancel()
    return await reader


async def _quote_rate(urls: dict[str, dict[str, str]]) -> float:
    rows = json.loads(MARKET_FILE.read_text(encoding="utf-8"))["result"]["list"]
    listed = {"contractType": "LinearPerpetual", "status": "Trading", "quoteCoin": "USDT", "settleCoin": "USDT"}
    symbols = [row["symbol"] for row in rows if listed.items() <= row.items()][:SYMBOLS]
    async with aiohttp.ClientSession() as session:
        sockets = [await session.ws_connect(f"{urls['bybit']['ws']}/v5/public/linear") for _ in range(SUBSCRIBERS)]
        for socket in sockets:
            for start in range(0, len(symbols), 100):
                topics = [f"orderbook.1.{symbol}" for symbol in symbols[start : start + 100]]
                await socket.send_json({"op": "subscribe", "req_id": str(start), "args": topics})
        await asyncio.gather(*(_until_steady(socket) for socket in sockets))
        counted = await asyncio.gather(*(_frames(socket, SECONDS) for socket in sockets))
    return sum(counted) / SECONDS


async def _until_steady(socket: aiohttp.ClientWebSocketResponse) -> None:
    await _frames(socket, 1)


async def _frames(socket: aiohttp.ClientWebSocketResponse, seconds: float) -> int:
    """How many frames come within some seconds."""
    until, frames = time.perf_counter() + seconds, 0
    while time.perf_counter() < until:
        await socket.receive()
        frames += 1
    return frames
