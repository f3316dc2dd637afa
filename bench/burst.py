"""Waves of many positions against the emulated venues with a latency on every request: the product, and raw aiohttp.

The emulator runs as a process of its own, on another core where there is one. Both clients talk to the same emulator in
the same run; "protected" is when the client knows, "naked" is what the venue's ledger says.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import aiohttp
from attrs import define, evolve, field, frozen

from framework import Batch, Decision, PositionChanged, Record, SignalSource, SourceLink, Timeline
from framework.config import Configured, Deployment, load_deployment
from framework.core.records import SessionMode
from framework.core.signal import Side, Signal, SignalSettings
from framework.engine.clock import SystemClock
from framework.engine.session import Session
from framework.journal import Journal, WriterKind, journal_path
from framework_simulator.emulator.build import load_markets
from framework_simulator.emulator.prices import first_price

from .emulator import KEY, SECRET, emulator
from .measure import ROOT

LATENCY_MS = 100
TRIPS = {"binance": 2, "bybit": 1}
"""Round trips until a position is protected, one after another: its stop has a request of its own, or has not."""

FLOOR_KEY, FLOOR_SECRET = "floor-key", "floor-secret"
"""The floor trades on an account of its own: orders are counted by account."""

MARKETS = {name: ROOT / "examples" / "markets" / file for name, file in
           (("binance", "binance_usdm_2025-03.json"), ("bybit", "bybit_linear_2025-03.json"))}  # fmt: skip
POSITION_USD = Decimal(50)
BAR_NS = 900_000_000_000
PATIENCE_S = 60
ORDERS_PER_S = 200
"""Of a Bybit account with the level PRO1; without a level it is 10, and the venue itself delays the eleventh."""

CONFIG = """
[framework]
state = "{state}"
[plugins]
load = ["{venue}", "simulator", "filters", "sizing", "risk", "execution", "protection"]
[exchanges.{venue}]
use = "{venue}"
max_positions_per_wave = 50
api_key = {{ env = "BENCH_KEY" }}
api_secret = {{ env = "BENCH_SECRET" }}
base_url = "{rest}"
stream_url = "{ws}"
symbols = {symbols}
leverage = {leverage}
warm_connections = {connections}
{more}
[[signals]]
use = "none"
[[filters]]
use = "listed"
[sizing]
use = "fixed-usd"
position_usd = "{usd}"
tolerance_percent = "10"
[[risk]]
use = "max-open-positions"
total = 1000
per_account = 1000
[execution]
use = "market"
[[protection]]
use = "stop-loss"
percent = "6"
"""


@frozen
class Wave:
    """One wave that was measured: seconds from the decision to each position's protection, and what it cost."""

    protected_s: tuple[float, ...]
    cpu_s: float
    decided_ns: int = 0
    symbols: tuple[str, ...] = ()


@define
class _Script:
    """A live source: hands over a wave whenever it is asked to."""

    name: ClassVar[str] = "script"

    asked: asyncio.Queue[Batch] = field(factory=asyncio.Queue)

    def timeline(self) -> Timeline | None:
        return None

    async def run(self, link: SourceLink) -> None:
        while True:
            await link.submit(await self.asked.get())


@define
class _Watch:
    """Sees the records: when the wave was decided, and when each of its positions was protected."""

    wanted: int = 0
    decided_ns: int = 0
    protected_ns: dict[str, int] = field(factory=dict)
    refused: list[str] = field(factory=list)
    done: asyncio.Event = field(factory=asyncio.Event)

    def expect(self, wanted: int) -> None:
        self.wanted, self.decided_ns = wanted, 0
        self.protected_ns.clear()
        self.done.clear()

    def see(self, record: Record) -> None:
        match record:
            case Decision(outcome="planned"):
                self.decided_ns = self.decided_ns or record.time_ns
            case Decision(outcome="rejected"):
                self.refused.append(f"{record.symbol}: {record.code}: {record.message}")
            case PositionChanged(to_state="protected"):
                self.protected_ns.setdefault(record.position_id, record.time_ns)
                if len(self.protected_ns) == self.wanted:
                    self.done.set()


def product_waves(urls: dict[str, Any], venue: str, sizes: Sequence[int]) -> list[Wave]:
    """Open a wave of each size, one after another, with fresh symbols each time."""
    symbols = tradable(venue)
    if len(symbols) < sum(sizes):
        raise RuntimeError(f"{venue}: only {len(symbols)} markets for {sum(sizes)} positions")
    with TemporaryDirectory() as state:
        connections = TRIPS[venue] * max(sizes)  # on Binance the stop leaves while the entry waits for its answer
        deployment = _deployment(urls, venue, symbols[: sum(sizes)], connections, Path(state))
        return asyncio.run(_waves(deployment, venue, symbols, sizes))


async def _waves(deployment: Deployment, venue: str, symbols: list[str], sizes: Sequence[int]) -> list[Wave]:
    source, watch = _Script(), _Watch()
    configured: Configured[SignalSource] = Configured("script", True, source, "")
    deployment = evolve(deployment, sources=(configured,))
    path = journal_path(deployment.state)
    path.parent.mkdir(parents=True, exist_ok=True)
    session = Session(
        deployment,
        SystemClock(),
        Journal.open(path, writer=WriterKind.THREAD),
        False,
        watch.see,
        mode=SessionMode.LIVE,
    )
    up = asyncio.Event()
    running = asyncio.create_task(session.run(up.set))
    await asyncio.wait({running, asyncio.create_task(up.wait())}, return_when=asyncio.FIRST_COMPLETED)
    waves = []
    try:
        await asyncio.sleep(2)  # the connections are warmed as soon as the account is ready
        for number, size in enumerate(sizes):
            picked, symbols = symbols[:size], symbols[size:]
            watch.expect(size)
            began = time.process_time()
            await source.asked.put(_wave(venue, picked, number))
            async with asyncio.timeout(PATIENCE_S):
                await watch.done.wait()
            cpu_s = time.process_time() - began
            times = tuple((at - watch.decided_ns) / 1e9 for at in watch.protected_ns.values())
            waves.append(Wave(times, cpu_s, watch.decided_ns, tuple(picked)))
            await asyncio.sleep(1.5)  # the reads that follow an opening are not the next wave's
    except TimeoutError:
        raise RuntimeError(f"{venue}: {len(watch.protected_ns)} of {watch.wanted}; {watch.refused[:3]}") from None
    finally:
        session.stopped.set()
        await running
    return waves


def _deployment(urls: dict[str, Any], venue: str, symbols: list[str], connections: int, state: Path) -> Deployment:
    text = CONFIG.format(
        venue=venue,
        rest=urls[venue]["rest"],
        ws=urls[venue]["ws"],
        symbols=json.dumps(symbols),
        usd=POSITION_USD,
        more=f"orders_per_s = {ORDERS_PER_S}" if venue == "bybit" else "",
        leverage=20 if venue == "binance" else 10,  # as the emulated accounts have it
        connections=connections,
        state=state,
    )
    file = state / "config.toml"
    file.write_text(text.replace('[[signals]]\nuse = "none"\n', ""), encoding="utf-8")
    return load_deployment(file, environ={"BENCH_KEY": KEY, "BENCH_SECRET": SECRET})


def _wave(venue: str, symbols: Iterable[str], number: int) -> Batch:
    now_ns = time.time_ns()
    bar_ns = (now_ns // BAR_NS - number) * BAR_NS  # each wave has a bar of its own
    signals = (
        Signal(f"{number}-{symbol}", "bench", venue, symbol, Side.LONG, bar_ns, now_ns, now_ns, Decimal(90), {},
               SignalSettings())
        for symbol in symbols
    )  # fmt: skip
    return Batch(tuple(signals), complete=True)


def tradable(venue: str) -> list[str]:
    """The markets in which `POSITION_USD` buy a position at the emulator's first prices."""
    markets, _ = load_markets(venue, MARKETS[venue])
    found = []
    for symbol, market in markets.items():
        rules = market.rules
        price = first_price(rules)
        quantity = POSITION_USD / price // rules.step_size * rules.step_size
        stop = price * Decimal("0.94")
        enough = quantity >= rules.min_quantity and quantity * stop >= rules.min_notional
        if enough and quantity <= rules.max_quantity and rules.tick_size * 200 < price:
            found.append(symbol)
    return sorted(found)


# ── the floor: the same requests with nothing around them ───────────────────────────────────────────────────


def raw_waves(urls: dict[str, Any], venue: str, sizes: Sequence[int]) -> list[Wave]:
    """The same orders from raw aiohttp: signed by hand, all at once, on connections that are warm."""
    return asyncio.run(_raw(urls[venue]["rest"], venue, sizes))


async def _raw(rest: str, venue: str, sizes: Sequence[int]) -> list[Wave]:
    markets, _ = load_markets(venue, MARKETS[venue])
    symbols = list(reversed(tradable(venue)))
    opens = _open_binance if venue == "binance" else _open_bybit
    waves = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        time_path = "/fapi/v1/time" if venue == "binance" else "/v5/market/time"
        for number, size in enumerate(sizes):
            picked, symbols = symbols[:size], symbols[size:]
            await asyncio.gather(*(_get(session, rest + time_path) for _ in range(size)))
            began, cpu = time.perf_counter(), time.process_time()
            plans = []
            for symbol in picked:
                rules = markets[symbol].rules
                price = first_price(rules)
                quantity = POSITION_USD / price // rules.step_size * rules.step_size
                stop = price * Decimal("0.94") // rules.tick_size * rules.tick_size
                plans.append((symbol, f"{quantity:f}", f"{stop:f}", f"raw{number}-{symbol}"[:36]))
            ends = await asyncio.gather(*(opens(session, rest, *plan) for plan in plans))
            waves.append(Wave(tuple(end - began for end in ends), time.process_time() - cpu))
    return waves


async def _open_binance(
    session: aiohttp.ClientSession, rest: str, symbol: str, qty: str, stop: str, name: str
) -> float:
    entry = {"symbol": symbol, "side": "BUY", "type": "MARKET", "quantity": qty, "newClientOrderId": name}
    answer = await _binance(session, f"{rest}/fapi/v1/order", {**entry, "newOrderRespType": "RESULT"})
    follow = {"symbol": symbol, "side": "SELL", "algoType": "CONDITIONAL", "type": "STOP_MARKET", "reduceOnly": "true"}
    guard = {**follow, "quantity": answer["executedQty"], "triggerPrice": stop, "clientAlgoId": f"{name}s"[:36]}
    await _binance(session, f"{rest}/fapi/v1/algoOrder", guard)
    return time.perf_counter()


async def _open_bybit(session: aiohttp.ClientSession, rest: str, symbol: str, qty: str, stop: str, name: str) -> float:
    wish = {"category": "linear", "symbol": symbol, "side": "Buy", "orderType": "Market", "qty": qty}
    body = json.dumps({**wish, "orderLinkId": name, "stopLoss": stop, "tpslMode": "Full", "positionIdx": 0})
    stamp = str(time.time_ns() // 1_000_000)
    headers = {
        "X-BAPI-API-KEY": FLOOR_KEY,
        "X-BAPI-TIMESTAMP": stamp,
        "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": _sign(f"{stamp}{FLOOR_KEY}5000{body}"),
        "Content-Type": "application/json",
    }
    async with session.post(f"{rest}/v5/order/create", data=body, headers=headers) as response:
        answer = await response.json()
    if answer["retCode"]:
        raise RuntimeError(f"the floor was refused: {answer}")
    return time.perf_counter()


async def _binance(session: aiohttp.ClientSession, url: str, wish: dict[str, str]) -> Any:
    text = urlencode({**wish, "timestamp": time.time_ns() // 1_000_000})
    async with session.post(f"{url}?{text}&signature={_sign(text)}", headers={"X-MBX-APIKEY": FLOOR_KEY}) as response:
        answer = await response.json()
    if response.status != 200:
        raise RuntimeError(f"the floor was refused: {answer}")
    return answer


async def _get(session: aiohttp.ClientSession, url: str) -> None:
    async with session.get(url) as response:
        await response.read()


def _sign(text: str) -> str:
    return hmac.new(FLOOR_SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


# ── what the venue says ─────────────────────────────────────────────────────────────────────────────────────


def covering(lines: Iterable[dict[str, Any]], account: str, wave: Wave) -> tuple[float, list[float]]:
    """By the venue's ledger: seconds from a wave's decision until the last position was covered by a live stop, and how
    long each was open without one, in ms. A position that never was covered counts as infinite.
    """
    wanted = set(wave.symbols)
    held: dict[str, Decimal] = {}
    stops: dict[str, dict[str, Decimal | None]] = {symbol: {} for symbol in wanted}
    since: dict[str, int] = {}
    covered: dict[str, int] = {}
    naked: dict[str, float] = {}
    for line in lines:
        symbol = line.get("symbol")
        if symbol not in wanted or line["account"] != account or line["kind"] not in ("position", "stop"):
            continue
        if line["kind"] == "position":
            held[symbol] = abs(Decimal(line["qty"]))
        else:
            stops[symbol].pop(line["id"], None)
            if line["status"] == "untriggered":
                stops[symbol][line["id"]] = None if line["qty"] is None else Decimal(line["qty"])
        if not held.get(symbol):
            continue
        resting = stops[symbol].values()
        if None in resting or sum((each for each in resting if each), Decimal(0)) >= held[symbol]:
            naked[symbol] = naked.get(symbol, 0.0) + (line["t"] - since.pop(symbol, line["t"])) / 1e6
            covered.setdefault(symbol, line["t"])
        else:
            since.setdefault(symbol, line["t"])
    never = [float("inf")] * len(wanted - covered.keys() | since.keys())
    last_s = (max(covered.values()) - wave.decided_ns) / 1e9 if not never else float("inf")
    return last_s, [*naked.values(), *never]


def ask(url: str, body: dict[str, Any] | None = None) -> bytes:
    """Ask the emulator's control port."""
    request = Request(url, data=None if body is None else json.dumps(body).encode())  # noqa: S310 - loopback
    with urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
        content: bytes = answer.read()
    return content


def with_latency(work: Callable[[dict[str, Any]], Any], *options: str) -> Any:
    """Do `work` against an emulator that answers every request 100 ms late, with the limits of a PRO account."""
    files = [text for name, path in MARKETS.items() for text in ("--markets", f"{name}={path}")]
    keys = ("--key", f"{KEY}:{SECRET}", "--key", f"{FLOOR_KEY}:{FLOOR_SECRET}")
    with emulator(*files, *keys, *options) as urls:
        ask(f"{urls['control']}/settings", {"latency_ms": LATENCY_MS, "orders_per_s": ORDERS_PER_S})
        return work(urls)


__all__ = ["LATENCY_MS", "TRIPS", "Wave", "ask", "covering", "product_waves", "raw_waves", "with_latency"]
