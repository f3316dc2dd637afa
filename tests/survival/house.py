"""What the tests share: an emulated venue behind a network that may fail, and sessions of the whole product on it.

The product is the real one: deployment from TOML, kernel, exchange plugin, ccxt, sockets. What it did is read from the
venue's ledger; what it knows, from its journal.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from attrs import define, evolve, field

from framework import Batch, Event, PositionChanged, Record, SignalSource, SourceLink, Timeline
from framework.config import Configured, Deployment, load_deployment
from framework.core.records import SessionMode
from framework.core.signal import Side, Signal, SignalSettings
from framework.core.steering import SECOND_NS
from framework.engine.clock import SystemClock
from framework.engine.ending import SessionEnd
from framework.engine.session import Session
from framework.journal import Journal, JournalReader, WriterKind, journal_path
from framework_simulator.emulator.build import DEFAULT_KEY, Plan
from framework_simulator.emulator.emulator import Emulator
from framework_simulator.emulator.world import World
from tests.oracle.bounds import Bounds
from tests.survival import ledger
from tests.survival.leaks import Leaks
from tests.survival.proxy import Proxy

PATIENCE_S = 20.0
MS = 1_000_000
BAR_NS = 900_000_000_000

SYMBOLS = ("BTCUSDT", "ETHUSDT", "LINKUSDT", "LTCUSDT", "XRPUSDT")
LEVERAGE = {"binance": 20, "bybit": 10}
"""As the emulated accounts have it."""

STOP_PERCENT = Decimal(4)
TRAILING_PERCENT = Decimal(1)
ACTIVATION_PERCENT = Decimal(2)

OUTAGE_S = float(os.environ.get("SURVIVE_OUTAGE_S", "0"))
"""How long the network is lost at least. With 0 it is lost until everything that follows from it has begun."""

CONFIG = """
[framework]
state = "{state}"
data_timeout_s = 2
[plugins]
load = ["{venue}", "filters", "sizing", "risk", "execution", "protection"]
[exchanges.{venue}]
use = "{venue}"
max_positions_per_wave = 5
api_key = {{ env = "SURVIVAL_KEY" }}
api_secret = {{ env = "SURVIVAL_SECRET" }}
base_url = "http://127.0.0.1:{port}"
symbols = {symbols}
leverage = {leverage}
{settings}
[[filters]]
use = "listed"
[sizing]
use = "fixed-usd"
position_usd = "200"
tolerance_percent = "10"
[[risk]]
use = "max-open-positions"
total = 20
per_account = 20
[execution]
use = "market"
[[protection]]
use = "stop-loss"
percent = "{stop}"
[[protection]]
use = "trailing-stop"
activation_percent = "{activation}"
distance_percent = "{trailing}"
"""

SILENCE_S = 1.5
QUICK: Mapping[str, Any] = {"stream_silence_s": str(SILENCE_S), "request_timeout_s": "0.6", "warm_connections": 2}
"""Settings with which a test does not take long; with a real outage they are what they are by default."""


def play(scenario: Callable[[], Coroutine[Any, Any, None]], within_s: float = 3 * PATIENCE_S) -> None:
    """Run a scenario to its end. Nothing may be left of it: no task, no descriptor, no complaint of the loop."""
    leaks = Leaks()

    async def watched() -> None:
        leaks.listen()
        async with asyncio.timeout(within_s + 3 * OUTAGE_S):
            await scenario()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(watched())
    gc.unfreeze()  # a session sets aside what was loaded before it
    gc.collect()  # what was not closed complains now
    leaks.check()


async def until(condition: Callable[[], Any], what: str = "", within_s: float = PATIENCE_S) -> Any:
    """Wait for a condition to hold; answers what it said."""
    try:
        async with asyncio.timeout(within_s):
            while not (answer := condition()):  # noqa: ASYNC110 - what is waited for comes over a socket
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"not within {within_s:g} s: {what or condition}") from None
    return answer


@define
class _Script:
    """A live signal source: hands over a wave whenever it is asked to."""

    name: ClassVar[str] = "script"

    asked: asyncio.Queue[Batch] = field(factory=asyncio.Queue)

    def timeline(self) -> Timeline | None:
        return None

    async def run(self, link: SourceLink) -> None:
        while True:
            await link.submit(await self.asked.get())


@define(eq=False)
class House:
    """An emulated venue behind a proxy, and the directory in which the product keeps its state."""

    venue: str
    state: Path
    emulator: Emulator
    proxy: Proxy
    uptime: list[tuple[int, int]] = field(factory=list)

    @property
    def world(self) -> World:
        return self.emulator.world

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The venue's ledger so far."""
        return list(self.emulator.control.tail.lines)

    def price(self, symbol: str, percent: str | int) -> Decimal:
        """The market jumps to so many percent above where it began; answers the bid."""
        rules = self.world.markets(self.venue)[symbol].rules
        first = first_bid(self.lines, self.venue, symbol)
        bid = (first * (1 + Decimal(percent) / 100)) // rules.tick_size * rules.tick_size
        self.world.price(self.venue, symbol, bid, bid + rules.tick_size)
        return bid

    def fault(self, name: str, **rule: Any) -> None:
        """From now on something goes wrong at the venue."""
        self.world.faults.add(self.world.faults.parse([{"name": name, "venue": self.venue, **rule}]))

    def close_by_hand(self, symbol: str) -> None:
        """Somebody closes a position elsewhere."""
        self.emulator.control.position({"venue": self.venue, "symbol": symbol, "qty": 0})

    def fired(self) -> int:
        """How often faults happened."""
        return sum(rule["fired"] for rule in self.world.faults.describe())

    def held(self) -> dict[str, Decimal]:
        return ledger.held(self.lines)

    def triggers(self, symbol: str) -> list[Decimal]:
        return ledger.triggers(self.lines, symbol)

    def sockets(self, part: str = "") -> int:
        """How many WebSockets are open whose path contains `part`."""
        return sum(part in one.path for one in self.world.sockets.values())

    def check(self, **bounds: int) -> None:
        """The venue's ledger must keep every invariant, and the venue must not have broken itself."""
        assert [one.trace for one in self.world.defects] == []
        assert ledger.breaches(self.lines, Bounds(**bounds)) == []


def first_bid(lines: list[dict[str, Any]], venue: str, symbol: str) -> Decimal:
    """The first price of a market."""
    return Decimal(
        next(one["bid"] for one in lines if (one["kind"], one["venue"], one.get("symbol")) == ("price", venue, symbol))
    )


@asynccontextmanager
async def built(venue: str, state: Path, **settings: int) -> AsyncIterator[House]:
    """A venue with still prices behind a network that works. It must end without a breach of its ledger."""
    emulator = Emulator(Plan())
    ready: Any = await emulator.start()
    for name, value in {"subscribe_delay_ns": 2 * MS, **settings}.items():
        setattr(emulator.world.settings, name, value)
    emulator.quote(None)
    proxy = Proxy(int(ready[venue]["rest"].rpartition(":")[2]))
    await proxy.start()
    try:
        yield House(venue, state, emulator, proxy)
    finally:
        await proxy.stop()
        await emulator.stop()


@define(eq=False)
class Run:
    """A session of the product. `records` are what its journal has, in order; `end` is how it ended."""

    house: House
    session: Session
    script: _Script
    task: asyncio.Task[SessionEnd]
    records: list[Record]
    waves: int = 0
    first_bar: int = field(factory=lambda: time.time_ns() // BAR_NS)

    async def wave(self, *symbols: str) -> None:
        """Hand over a wave of long signals. Each has a bar of its own."""
        self.waves += 1
        now_ns = time.time_ns()
        bar_ns = (self.first_bar - self.waves) * BAR_NS
        name = f"{len(self.house.lines)}-{self.waves}"
        signals = (
            Signal(f"{name}-{symbol}", "script", self.house.venue, symbol, Side.LONG, bar_ns, now_ns, now_ns,
                   Decimal(90), {}, SignalSettings())
            for symbol in symbols
        )  # fmt: skip
        await self.script.asked.put(Batch(tuple(signals), complete=True))

    async def open(self, *symbols: str) -> None:
        """Open positions and wait until they are protected, at the venue and to the product's knowledge."""
        await self.wave(*symbols)
        await self.until_state("protected", *symbols)
        for symbol in symbols:
            await self.until_one_stop(symbol)

    async def until_one_stop(self, symbol: str) -> Decimal:
        """Wait until exactly one stop of a market rests at the venue; answers where."""
        await self.until(lambda: len(self.house.triggers(symbol)) == 1, f"one stop of {symbol}")
        return self.house.triggers(symbol)[0]

    async def until_state(self, state: str, *symbols: str) -> None:
        await self.until(lambda: all(self.state(symbol) == state for symbol in symbols), f"{symbols} are {state}")

    async def until(self, condition: Callable[[], Any], what: str = "", within_s: float = PATIENCE_S) -> Any:
        """Wait for a condition; the session must not end meanwhile."""
        try:
            return await until(lambda: self.task.done() or condition(), what, within_s + 2 * OUTAGE_S)
        except AssertionError as error:
            told = [f"{one.level} {one.code}: {one.message}" for one in self.events()][-12:]
            raise AssertionError(f"{error}; states {self.states()}; last events {told}") from None

    async def until_event(self, code: str, count: int = 1) -> None:
        await self.until(lambda: len(self.events(code)) >= count, f"{count} × {code}")

    async def until_quiet(self) -> None:
        """Wait until nothing is under way, and no position stands between two states."""
        await self.until(lambda: self.session.engine.is_at_rest, "the engine is at rest")

    async def until_followed(self, symbol: str, bid: Decimal) -> None:
        """Wait until the stop of a market has followed its price, and the old one is gone: at the venue."""
        behind = bid * (1 - (TRAILING_PERCENT + 1) / 100)
        await self.until(lambda: any(price > behind for price in self.house.triggers(symbol)), f"{symbol} is followed")
        await self.until_one_stop(symbol)
        await self.until_quiet()

    # ── what it knows ───────────────────────────────────────────────────────────────────────────────────────

    def steps(self, symbol: str) -> list[PositionChanged]:
        return [one for one in self.records if isinstance(one, PositionChanged) and one.symbol == symbol]

    def states(self) -> dict[str, str]:
        return {one.symbol: one.to_state for one in self.records if isinstance(one, PositionChanged)}

    def state(self, symbol: str) -> str:
        return self.states().get(symbol, "")

    def exit_reason(self, symbol: str) -> str | None:
        return self.steps(symbol)[-1].summary.exit_reason

    def events(self, code: str = "") -> list[Event]:
        return [one for one in self.records if isinstance(one, Event) and code in ("", one.code)]

    # ── its end ─────────────────────────────────────────────────────────────────────────────────────────────

    async def stop(self) -> SessionEnd:
        """Interrupt it and wait for its end."""
        self.session.stopped.set()
        return await self.task


@asynccontextmanager
async def running(house: House, *, fence_s: int | None = None, **settings: Any) -> AsyncIterator[Run]:
    """A session that is up. Once it has ended it must have left nothing behind.

    `fence_s`: how long an entry of unknown outcome is waited for, other than usual; not while a real outage is tried.
    """
    leaks = Leaks()
    script, records = _Script(), list[Record]()
    deployment = _deployment(house, {**({} if OUTAGE_S else QUICK), **settings}, script)
    path = journal_path(deployment.state)
    path.parent.mkdir(parents=True, exist_ok=True)
    journal = Journal.open(path, writer=WriterKind.THREAD, accounts={house.venue: house.venue})
    session = Session(deployment, SystemClock(), journal, False, records.append, SessionMode.REHEARSAL)
    desk = session.engine.desks[house.venue]
    if fence_s is not None and not OUTAGE_S:
        desk.policy = evolve(desk.policy, fence_ns=fence_s * SECOND_NS)
    up = asyncio.Event()
    run = Run(house, session, script, asyncio.create_task(session.run(up.set)), records)
    try:
        await until(lambda: up.is_set() or run.task.done(), "the session is up")
        yield run
    finally:
        await run.stop()
    await leaks.nothing_left()


def _deployment(house: House, settings: Mapping[str, Any], script: _Script) -> Deployment:
    text = CONFIG.format(
        state=house.state,
        venue=house.venue,
        port=house.proxy.port,
        symbols=json.dumps(SYMBOLS),
        leverage=LEVERAGE[house.venue],
        settings="\n".join(f"{key} = {json.dumps(value)}" for key, value in settings.items()),
        stop=STOP_PERCENT,
        activation=ACTIVATION_PERCENT,
        trailing=TRAILING_PERCENT,
    )
    house.state.mkdir(parents=True, exist_ok=True)
    file = house.state / "config.toml"
    file.write_text(text, encoding="utf-8")
    environ = {"SURVIVAL_KEY": DEFAULT_KEY.key, "SURVIVAL_SECRET": DEFAULT_KEY.secret}
    source: Configured[SignalSource] = Configured("script", True, script, "")
    return evolve(load_deployment(file, environ=environ), sources=(source,))


def journalled_fills(house: House, symbol: str) -> list[tuple[str, Decimal, Decimal]]:
    """Side, quantity and price of every execution of a market that the journal has, in order."""
    with JournalReader.open(journal_path(house.state)) as reader:
        found = [fill for fill in reader.fills() if fill.symbol == symbol]
    return [(fill.side, fill.quantity, fill.price) for fill in sorted(found, key=lambda fill: fill.seq)]
