"""A position whose stop follows a rising price, while a webhook is flooded with alerts: how late is each move?

The product runs in this process, the flood in one of its own. Every price comes at an instant that was set before, so
that a loop that is busy is seen to be late; the move is there when the stop's request reaches the exchange.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from attrs import define, evolve, field, frozen

from framework import Batch, Quote, QuoteUpdate, Secret, Side, Signal, SignalSource, SourceLink, Timeline
from framework.config import Configured, Deployment, load_deployment
from framework.core.records import SessionMode
from framework.engine.clock import SystemClock
from framework.engine.session import Session
from framework.journal import Journal, WriterKind, journal_path
from framework_signals.webhook import WebhookSource

from .measure import ROOT

SECONDS = 60
EVERY_S = 0.05
RISE = Decimal("1.001")
ACCOUNT, SYMBOL = "bybit", "BTCUSDT"
FIRST_PRICE = Decimal(80_000)
SECRET = "a secret of the bench"  # noqa: S105
SETS = ("sizing.position_usd=500", "exchanges.binance.enabled=false")


@frozen
class Flooded:
    """What came of it. `answers` counts what senders were told, ``none`` who was told nothing."""

    seconds: float
    sent: int
    answers: dict[str, int]
    moves: int
    p50_ms: float
    p99_ms: float
    memory_mb: float
    grown_mb: float
    cpu_share: float


def flood(rate: int, seconds: float) -> Flooded:
    """Run the product for so long, with so many alerts a second."""
    with TemporaryDirectory() as state:
        return asyncio.run(_flooded(Path(state), rate, seconds))


@define
class Riser:
    """Opens one position, and lets its price rise at set instants."""

    name: ClassVar[str] = "riser"

    seconds: float
    due: dict[Decimal, float] = field(factory=dict, init=False)
    over: asyncio.Event = field(factory=asyncio.Event, init=False)
    memory: list[float] = field(factory=list, init=False)

    def timeline(self) -> Timeline | None:
        return None

    async def run(self, link: SourceLink) -> None:
        now_ns = link.clock.now_ns()
        self._quote(link, FIRST_PRICE)
        bar_ns = now_ns // 10**9 * 10**9
        wish = Signal("1", self.name, ACCOUNT, SYMBOL, Side.LONG, bar_ns, now_ns, now_ns, Decimal(90))
        await link.submit(Batch((wish,), complete=True))
        await asyncio.sleep(2)
        loop = asyncio.get_running_loop()
        began, price = loop.time(), FIRST_PRICE * Decimal("1.03")
        for n in range(int(self.seconds / EVERY_S)):
            due = began + n * EVERY_S
            await asyncio.sleep(due - loop.time())
            price = (price * RISE).quantize(Decimal("0.1"))
            self.due[price] = due
            self._quote(link, price)
            if n in (int(self.seconds / EVERY_S) // 10, int(self.seconds / EVERY_S) - 1):
                self.memory.append(_resident_mb())
        await asyncio.sleep(1)
        self.over.set()
        await loop.create_future()

    def _quote(self, link: SourceLink, price: Decimal) -> None:
        quote = Quote(price, price, price, price, link.clock.now_ns())
        link.publish(QuoteUpdate(ACCOUNT, SYMBOL, quote))


async def _flooded(state: Path, rate: int, seconds: float) -> Flooded:
    riser = Riser(seconds)
    hook = WebhookSource(port=0, secret=Secret(SECRET), account=ACCOUNT)
    delays: list[float] = []
    deployment = _deployment(state, riser, hook, delays)
    path = journal_path(state)
    said: asyncio.Queue[str] = asyncio.Queue()
    session = Session(
        deployment, SystemClock(), Journal.open(path, writer=WriterKind.THREAD), False,
        lambda record: said.put_nowait(getattr(record, "message", "")), mode=SessionMode.PAPER,
    )  # fmt: skip
    running = asyncio.ensure_future(session.run(lambda: None))
    try:
        while "listening on" not in (line := await said.get()):
            pass
        port = int(line.split(":")[3].split("/")[0])
        began = time.process_time()
        flooder = await _flooder(port, rate, seconds)
        await riser.over.wait()
        cpu_s = time.process_time() - began
        answers = json.loads((await flooder.communicate())[0])
    finally:
        session.stopped.set()
        await running
    ordered = sorted(delays)
    return Flooded(
        seconds=seconds,
        sent=sum(answers.values()),
        answers=answers,
        moves=len(ordered),
        p50_ms=ordered[len(ordered) // 2] * 1000,
        p99_ms=ordered[int(len(ordered) * 0.99)] * 1000,
        memory_mb=riser.memory[-1],
        cpu_share=cpu_s / seconds,
        grown_mb=riser.memory[-1] - riser.memory[0],
    )


class _Timed:
    """An exchange that notes how late each move of a stop is; all else goes to the real one."""

    def __init__(self, exchange: Any, riser: Riser, delays: list[float]) -> None:
        self._exchange, self._riser, self._delays = exchange, riser, delays
        self._seen: set[Decimal] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._exchange, name)

    async def move_stop(self, order: Any) -> Any:
        """The time from when the newest price was due, for the first request with this trigger."""
        if self._riser.due and order.trigger_price not in self._seen:
            self._seen.add(order.trigger_price)
            self._delays.append(asyncio.get_running_loop().time() - max(self._riser.due.values()))
        return await self._exchange.move_stop(order)


def _deployment(state: Path, riser: Riser, hook: WebhookSource, delays: list[float]) -> Deployment:
    """The default deployment on one account, without filters; stops that reach the exchange are timed."""
    made = load_deployment(ROOT / "config.toml", environ={}, sets=SETS, state=state)
    (account,) = made.enabled_exchanges
    exchange: Any = _Timed(account.component, riser, delays)
    sources: tuple[Configured[SignalSource], ...] = tuple(
        Configured(each.name, True, each, "") for each in (riser, hook)
    )
    return evolve(made, sources=sources, filters=(), exchanges=(evolve(account, component=exchange),), risk=())


async def _flooder(port: int, rate: int, seconds: float) -> asyncio.subprocess.Process:
    words = ("-m", "bench.flooder", str(port), f"/signals/{SECRET.replace(' ', '%20')}", str(rate), str(seconds))
    return await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE)


def _resident_mb() -> float:
    """The memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6
