"""Emulated venues, a sender of signals, and a deployment of the product on them: what all of these tests share."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import define, field

from framework.core.signal import OrderSide
from framework.journal import journal_path
from framework_simulator.emulator.build import DEFAULT_KEY, Plan
from framework_simulator.emulator.emulator import Emulator
from framework_simulator.emulator.world import World

from .nursery import Nursery
from .product import Process, environment, installed
from .sender import Sender, Wish

VENUES = ("binance", "bybit")
SYMBOLS = ("BTCUSDT", "ETHUSDT", "LINKUSDT", "LTCUSDT", "SOLUSDT", "XRPUSDT")
LEVERAGE = {"binance": 20, "bybit": 10}
"""As the emulated accounts have it."""

PATIENCE_S = 120.0
"""What is waited for comes sooner by far; a machine that is busy with other things may be slow."""

MS = 1_000_000
STOP_PERCENT = Decimal(2)

HEAD = """
[framework]
state = "{state}"
data_timeout_s = 5
[plugins]
load = ["binance", "bybit", "wire", "filters", "sizing", "risk", "execution", "protection"]
[[signals]]
use = "wire"
port = {port}
[[filters]]
use = "listed"
[sizing]
use = "fixed-usd"
position_usd = "200"
tolerance_percent = "10"
[[risk]]
use = "max-open-positions"
total = 100
per_account = 100
[execution]
use = "market"
[[protection]]
use = "stop-loss"
percent = "{stop}"
[[protection]]
use = "trailing-stop"
activation_percent = "1"
distance_percent = "0.5"
"""

ACCOUNT = """
[exchanges.{venue}]
use = "{venue}"
live = true
max_positions_per_wave = 50
api_key = {{ env = "KILLS_KEY" }}
api_secret = {{ env = "KILLS_SECRET" }}
base_url = "{rest}"
symbols = {symbols}
leverage = {leverage}
warm_connections = 2
{settings}
"""


async def until(condition: Callable[[], Any], what: str, within_s: float = PATIENCE_S, every_s: float = 0.005) -> Any:
    """Wait for a condition to hold; answers what it said. It is looked at every `every_s` seconds."""
    try:
        async with asyncio.timeout(within_s):
            while not (answer := condition()):  # noqa: ASYNC110 - what is waited for happens in another process
                await asyncio.sleep(every_s)
    except TimeoutError:
        raise AssertionError(f"not within {within_s:g} s: {what}") from None
    return answer


@define(eq=False)
class House:
    """The venues with their ledger, the sender, and the place where the product keeps its state.

    `lives` are the processes of ``run`` so far; `environ` is what they find in their environment besides the usual.
    """

    directory: Path
    emulator: Emulator
    sender: Sender
    config: Path
    site: Path
    lines: list[dict[str, Any]]
    lives: list[Process] = field(factory=list)
    environ: dict[str, str] = field(factory=dict)
    rests: dict[str, str] = field(factory=dict)
    """Where requests to each venue go."""

    @property
    def world(self) -> World:
        return self.emulator.world

    @property
    def state(self) -> Path:
        """The state directory."""
        return self.directory / "var"

    @property
    def journal(self) -> Path:
        """The product's journal."""
        return journal_path(self.state)

    async def run(
        self,
        *words: str,
        on_line: Callable[[str], None] = lambda line: None,
        before: Callable[[], None] | None = None,
        nursery: Nursery | None = None,
    ) -> Process:
        """Begin a life of the product: ``framework run``; from a nursery, or from a new interpreter."""
        live = [word for venue in VENUES for word in ("--live", venue)]
        if nursery is None:
            life = await self.command("run", *live, *words, on_line=on_line, before=before)
        else:
            all_words = ("run", *live, *words, "--config", str(self.config))
            life = await Process.copied(nursery, *all_words, environ=self._environment(), on_line=on_line)
        self.lives.append(life)
        return life

    async def command(
        self,
        *words: str,
        on_line: Callable[[str], None] = lambda line: None,
        before: Callable[[], None] | None = None,
    ) -> Process:
        """Begin any command on the deployment."""
        return await Process.start(
            *words, "--config", str(self.config), environ=self._environment(), on_line=on_line, before=before
        )

    def _environment(self) -> dict[str, str]:
        keys = {"KILLS_KEY": DEFAULT_KEY.key, "KILLS_SECRET": DEFAULT_KEY.secret, **self.environ}
        return environment(self.site, keys)

    async def up(self, *words: str, before: Callable[[], None] | None = None) -> Process:
        """Begin a life, and wait until its session is up."""
        life = await self.run(*words, before=before)
        await said(life, "live: accounts")
        return life

    def send(self, *symbols: str, side: str = "long", venues: Sequence[str] = VENUES) -> None:
        """A wave with a signal for each of the symbols on each of the venues."""
        self.sender.send([Wish(venue, symbol, side) for venue in venues for symbol in symbols])

    async def opened(self, life: Process, *symbols: str) -> None:
        """Open long positions on both venues, and wait until they are protected, at the venue and to our knowledge."""
        self.send(*symbols)
        for venue in VENUES:
            for symbol in symbols:
                await said(life, f"{venue} {symbol}: opened long")
        await until(lambda: self.naked() == {} and len(self.held()) >= 2 * len(symbols), "what was opened is protected")

    # ── the market ──────────────────────────────────────────────────────────────────────────────────────────

    def bid(self, venue: str, symbol: str) -> Decimal:
        """The best bid of a market."""
        book = self.world.book(venue, symbol)
        assert book is not None
        return book.quote.bid

    def move(self, venue: str, symbol: str, percent: Decimal | int) -> None:
        """A market jumps by so many percent."""
        tick = self.world.markets(venue)[symbol].rules.tick_size
        bid = self.bid(venue, symbol) * (1 + Decimal(percent) / 100) // tick * tick
        self.world.price(venue, symbol, bid, bid + tick)

    # ── what the venues hold ────────────────────────────────────────────────────────────────────────────────

    def held(self) -> dict[tuple[str, str], Decimal]:
        """The positions that are not flat, by venue and symbol."""
        return {
            (venue, one.symbol): one.quantity
            for venue in VENUES
            for one in self.world.venues[venue].positions(DEFAULT_KEY.account)
            if one.quantity
        }

    def naked(self) -> dict[tuple[str, str], Decimal]:
        """The positions that the stops resting at their venue do not cover, with what these leave open."""
        found: dict[tuple[str, str], Decimal] = {}
        for (venue, symbol), quantity in self.held().items():
            left = abs(quantity)
            for stop in self.world.venues[venue].resting_stops(DEFAULT_KEY.account):
                if stop.symbol == symbol and (stop.side is OrderSide.SELL) is (quantity > 0):
                    left = Decimal(0) if stop.quantity is None else left - stop.quantity
            if left > 0:
                found[venue, symbol] = left
        return found

    def leftovers(self) -> list[tuple[str, str]]:
        """Orders and stops of ours that rest in flat markets."""
        held = self.held()
        found: list[tuple[str, str]] = []
        for venue in VENUES:
            engine = self.world.venues[venue]
            rests = [(one.symbol, one.client_id) for one in engine.resting_stops(DEFAULT_KEY.account)]
            rests += [(one.symbol, one.client_id) for one in engine.open_orders(DEFAULT_KEY.account)]
            found += [(venue, symbol) for symbol, name in rests if (name or "").startswith("fw-")]
        return [one for one in found if one not in held]

    def triggers(self, venue: str, symbol: str) -> list[Decimal]:
        """Where the stops of a market rest."""
        resting = self.world.venues[venue].resting_stops(DEFAULT_KEY.account)
        return [one.trigger_price for one in resting if one.symbol == symbol]

    def defects(self) -> list[str]:
        """Bugs of the emulator itself."""
        return [one.trace for one in self.world.defects]


async def said(life: Process, text: str, within_s: float = PATIENCE_S, times: int = 1) -> str:
    """Wait for a line of a life's output that contains `text`, for the so many-th of them; answers it."""

    def found() -> str | None:
        lines = [line for line in life.out if text in line]
        return lines[times - 1] if len(lines) >= times else None

    line: str | None = await until(lambda: found() or life.status is not None, f"{text!r} is said", within_s)
    line = found()
    if line is None:
        raise AssertionError(f"{text!r} was not said: {life.out[-12:]}; {life.err[-12:]}")
    return line


@asynccontextmanager
async def built(
    directory: Path,
    *,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    sink: Callable[[dict[str, Any]], None] = lambda line: None,
    symbols: Sequence[str] = SYMBOLS,
) -> AsyncIterator[House]:
    """Venues with prices, a sender, and a deployment. `settings` go to both accounts; `sink` sees the ledger's lines.

    Whatever still runs at the end is killed.
    """
    lines: list[dict[str, Any]] = []
    emulator, sender = Emulator(Plan(seed=seed, sinks=[lines.append, sink])), Sender()
    ready: Any = await emulator.start()
    emulator.world.settings.subscribe_delay_ns = 2 * MS
    emulator.quote(None)
    port = await sender.start()
    config = _place(directory)
    own = "\n".join(f"{key} = {json.dumps(value)}" for key, value in (settings or {}).items())
    accounts = "".join(
        ACCOUNT.format(
            venue=venue,
            rest=ready[venue]["rest"],
            symbols=json.dumps(list(symbols)),
            leverage=LEVERAGE[venue],
            settings=own,
        )
        for venue in VENUES
    )
    config.write_text(HEAD.format(state="var", port=port, stop=STOP_PERCENT) + accounts, encoding="utf-8")
    house = House(directory, emulator, sender, config, installed(directory), lines)
    house.rests.update({venue: ready[venue]["rest"] for venue in VENUES})
    try:
        yield house
    finally:
        for life in house.lives:
            life.kill()
        await asyncio.gather(*(life.ended() for life in house.lives))
        await sender.stop()
        await emulator.stop()


def _place(directory: Path) -> Path:
    """Make the directory; answers where the configuration goes."""
    directory.mkdir(parents=True, exist_ok=True)
    return directory / "config.toml"
