"""Puts a world together: engines, ledger, keys, market rows, and the two wires."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from attrs import define, field

from framework import Percent

from ..engine.account import Account
from ..engine.ledger import Ledger, Sink
from ..engine.realism import Realism
from ..engine.rules import Market
from ..engine.style import STYLES
from ..engine.venue import Venue
from ..markets import read_markets
from .clock import NS_PER_MS, EmulatorClock
from .settings import Settings
from .world import KeyInfo, World

DEFAULT_KEY = KeyInfo("demo-key", "demo-secret", "demo")
VENUES = ("binance", "bybit")

FIRST_ORDER = 8_389_765_000_000
FIRST_STOP = 3_000_000_000_000_000

_TAKER = {"binance": Percent(Decimal("0.05")), "bybit": Percent(Decimal("0.055"))}
_MAKER = {"binance": Percent(Decimal("0.02")), "bybit": Percent(Decimal("0.02"))}
_LEVERAGE = {"binance": Decimal(20), "bybit": Decimal(10)}


@define
class Plan:
    """What a world is made of. `markets` names files by venue; a venue without one gets a few markets that ship."""

    markets: Mapping[str, Path] = field(factory=dict)
    keys: Iterable[KeyInfo] = (DEFAULT_KEY,)
    sinks: list[Sink] = field(factory=list)
    balance_usd: Decimal = Decimal(10_000)
    seed: int = 0
    settings: Settings = field(factory=Settings)


def build_world(clock: EmulatorClock, plan: Plan) -> World:
    """A world with both wires, and no prices yet. Raises `MarketsFileError` for a market file that can't be used."""
    loaded = {name: load_markets(name, plan.markets.get(name)) for name in VENUES}
    rows = {name: rows for name, (_, rows) in loaded.items()}
    ledger = Ledger("", sinks=plan.sinks)
    keys = {info.key: info for info in plan.keys}
    venues = {name: _venue(name, loaded[name][0], ledger, plan.seed) for name in VENUES}
    for name, venue in venues.items():
        for account in dict.fromkeys(info.account for info in keys.values()):
            venue.open_account(_account(name, account, plan.balance_usd))
    world = World(
        clock=clock, settings=plan.settings, venues=venues, rows=rows, ledger=ledger, keys=keys, seed=plan.seed
    )
    world.wires.update(_wires(world))
    return world


def load_markets(venue: str, path: Path | None) -> tuple[dict[str, Market], dict[str, dict[str, Any]]]:
    """The markets of a file, for the engine and as the venue's own rows. Raises `MarketsFileError`."""
    if path is not None:
        return _read(venue, path)
    markets, rows = _shipped(venue)
    return dict(markets), dict(rows)


@cache
def _shipped(venue: str) -> tuple[dict[str, Market], dict[str, dict[str, Any]]]:
    """Read once: a simulation makes a world for each of its runs. Markets and rows are replaced, never changed."""
    with as_file(files(__package__) / "data" / f"{venue}.json") as shipped:
        return _read(venue, shipped)


def _read(venue: str, path: Path) -> tuple[dict[str, Market], dict[str, dict[str, Any]]]:
    markets = read_markets(path, venue)
    answer = json.loads(path.read_text(encoding="utf-8"))
    rows = answer["symbols"] if venue == "binance" else answer["result"]["list"]
    return markets, {row["symbol"]: row for row in rows if row["symbol"] in markets}


def _venue(name: str, markets: Mapping[str, Market], ledger: Ledger, seed: int) -> Venue:
    order_ids, stop_ids = _ids(name, seed)
    return Venue.open(
        STYLES[name],
        markets,
        ledger=ledger.of(name),
        slippage=Percent(Decimal(0)),
        realism=_realism(name),
        order_ids=order_ids,
        stop_ids=stop_ids,
    )


def _realism(name: str) -> Realism:
    if name == "bybit":
        return Realism(tells_stages=True, liquidates=True, stop_becomes_order=True)
    return Realism(
        trigger_delay_ns=12 * NS_PER_MS,
        tells_stages=True,
        liquidates=True,
        counts_reduce_only=True,
    )


def _account(venue: str, name: str, balance: Decimal) -> Account:
    return Account(name, cash=balance, leverage=_LEVERAGE[venue], taker_fee=_TAKER[venue], maker_fee=_MAKER[venue])


def _ids(venue: str, seed: int) -> tuple[Callable[[int], str], Callable[[int], str]]:
    """How ids look: Binance counts, orders and conditional orders apart; Bybit has one space of UUID-like ids."""
    if venue == "binance":
        return (lambda number: str(FIRST_ORDER + number)), (lambda number: str(FIRST_STOP + number))

    def uuid_like(number: int) -> str:
        text = hashlib.sha256(f"{seed}:{number}".encode()).hexdigest()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"

    return uuid_like, uuid_like


def _wires(world: World) -> dict[str, Any]:
    # Imported here: the wires import `World`, which this module makes.
    from .binance import BinanceWire
    from .bybit import BybitWire

    return {"binance": BinanceWire(world), "bybit": BybitWire(world)}
