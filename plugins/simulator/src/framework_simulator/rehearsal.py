"""The stage `emulator`: Binance and Bybit on the loopback, in the process of the rehearsal and on its clock."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Protocol

import attrs
from attrs import define, field

from framework import (
    Clock,
    ConfigError,
    Endpoint,
    ExchangeError,
    MarketUpdate,
    Problem,
    Secret,
    not_negative,
    positive,
)

from .engine.path import BarPath
from .markets import read_markets

VENUES = frozenset({"binance", "bybit"})
NS_PER_MS = 1_000_000


def _readable(instance: object, attribute: attrs.Attribute[Any], value: Mapping[str, Path]) -> None:
    for venue, path in value.items():
        if venue not in VENUES:
            raise ValueError(f"there is no venue {venue!r}; there are: {', '.join(sorted(VENUES))}")
        read_markets(path, venue)


class _Stand(Protocol):
    """What the stage needs of `emulator.stand.Stand`, which is imported when a rehearsal starts."""

    def play(self, venue: str, update: MarketUpdate) -> None: ...
    def next_ns(self) -> int | None: ...
    def is_busy(self) -> bool: ...
    def leap(self, to_ns: int) -> None: ...
    async def stop(self) -> None: ...


@define(kw_only=True)
class EmulatorStage:
    """Binance and Bybit, emulated over HTTP and WebSocket on the loopback, for `framework rehearse`.

    `markets`: a file with the venue's own answer for each venue; one without a file gets a few markets that ship.
    Every account starts with `balance_usd`. Every REST request is answered `latency_ms` later than it was carried
    out. `orders_per_s`: how often a second an account may use each of Bybit's routes for orders and stops.
    `rate_limits` false: requests are counted, and none is refused. `faults`: a file of fault rules. `ledger`: a file
    for every request and every change that the venues decided. `prices`, where no recording brings them:
    ``random:SEED,STEPS_PER_SECOND`` or a timeline; without it every market gets one price that stands. `bar_path`:
    which extreme of a recorded bar comes first, seen from the open position. `seed`: for chance in faults, and ids.
    """

    name: ClassVar[str] = "emulator"
    venues: ClassVar[frozenset[str]] = VENUES

    markets: Mapping[str, Path] = field(factory=dict, validator=_readable)
    balance_usd: Decimal = field(default=Decimal(10_000), validator=positive)
    latency_ms: int = field(default=0, validator=not_negative)
    orders_per_s: int = field(default=10, validator=positive)
    rate_limits: bool = True
    faults: Path | None = None
    ledger: Path | None = field(default=None, metadata={"may_be_absent": True})
    prices: str | None = None
    bar_path: BarPath = "worst-first"
    seed: int = 0

    _accounts: Mapping[str, str] = field(factory=dict, init=False)
    _stand: _Stand | None = field(default=None, init=False)
    _notes: tuple[str, ...] = field(default=(), init=False)

    async def start(self, clock: Clock, accounts: Mapping[str, str], recorded: bool) -> Mapping[str, Endpoint]:
        """Listen, with a key of its own for each account. Raises `ConfigError` and `ExchangeError`."""
        # Imported here: listing what is installed must not load the server.
        from .emulator.build import Plan
        from .emulator.settings import Settings
        from .emulator.stand import Stand
        from .emulator.world import KeyInfo

        if recorded and self.prices is not None:
            raise ConfigError([Problem("[rehearsal] prices", "the recording brings its own prices; remove it")])
        self._accounts = dict(accounts)
        keys = {name: KeyInfo(f"rehearsal-{secrets.token_hex(27)}", secrets.token_hex(32), name) for name in accounts}
        settings = Settings(
            latency_ns=self.latency_ms * NS_PER_MS, orders_per_s=self.orders_per_s, rate_limits=self.rate_limits
        )
        plan = Plan(
            markets=self.markets,
            keys=tuple(keys.values()),
            balance_usd=self.balance_usd,
            seed=self.seed,
            settings=settings,
        )
        stand = Stand.of(plan, self.ledger, clock.now_ns, self.bar_path)
        self._stand = stand
        ready = await _listening(stand)
        if self.faults is not None:
            stand.load_faults(self.faults)
        if not recorded:
            stand.quote(self.prices)
        self._notes = self._told(ready)
        return {name: _endpoint(ready[venue], keys[name].key, keys[name].secret) for name, venue in accounts.items()}

    async def stop(self) -> None:
        """Close the sockets and the ledger."""
        if self._stand is not None:
            await self._stand.stop()

    def play(self, update: MarketUpdate) -> None:
        """Take over a piece of the recorded market, at the venue of its account."""
        venue = self._accounts.get(update.account)
        if venue is not None and self._stand is not None:
            self._stand.play(venue, update)

    def next_ns(self) -> int | None:
        """When a price next moves on its way through a recorded bar."""
        return None if self._stand is None else self._stand.next_ns()

    def is_busy(self) -> bool:
        """Whether a request is under way, a frame has not left yet, or something is about to take effect."""
        return self._stand is not None and self._stand.is_busy()

    async def advance(self, to_ns: int) -> None:
        """Time jumps ahead: prices, funding and timed faults on the way happen. What waits for clients waits on."""
        if self._stand is not None:
            self._stand.leap(to_ns)

    def notes(self) -> tuple[str, ...]:
        """Where it listens, and where its ledger is."""
        return self._notes

    def _told(self, ready: Mapping[str, Any]) -> tuple[str, ...]:
        venue = next(iter(self._accounts.values()), "binance")
        where = f"the emulator listens at {ready[venue]['rest']} and {ready[venue]['ws']}; control {ready['control']}"
        kept = "not kept (set [rehearsal] ledger)" if self.ledger is None else f"written to {self.ledger}"
        return (where, f"the venues' ledger is {kept}")


async def _listening(stand: Any) -> Mapping[str, Any]:
    try:
        ready: Mapping[str, Any] = await stand.start()
    except OSError as error:
        what = f"no port can be had, or the ledger can't be written: {error.strerror or error}"
        raise ExchangeError("rehearsal", f"{what}{f' ({error.filename})' if error.filename else ''}") from None
    return ready


def _endpoint(urls: Mapping[str, str], key: str, secret: str) -> Endpoint:
    return Endpoint(urls["rest"], urls["ws"], Secret(key), Secret(secret))
