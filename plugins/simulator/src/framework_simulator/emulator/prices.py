"""Where prices come from: a file, a random walk, or one still price for each market."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from framework import ConfigError, MarketRules, Problem, nearest_to

from ..engine.money import ZERO
from .build import VENUES
from .clock import NS_PER_S
from .world import World

_USUAL = {
    "BTCUSDT": Decimal(50_000),
    "ETHUSDT": Decimal(3_000),
    "BNBUSDT": Decimal(500),
    "SOLUSDT": Decimal(150),
    "LTCUSDT": Decimal(100),
    "XRPUSDT": Decimal("0.6"),
    "DOGEUSDT": Decimal("0.2"),
    "ADAUSDT": Decimal("0.5"),
}
"""Round prices of well-known markets: market files hold none."""

TICKS_OF_OTHERS = 5_000
STEP_PERCENT = Decimal("0.02")
"""The largest step of a random walk."""


def still(world: World) -> None:
    """One price for every market, once."""
    for venue in VENUES:
        for symbol, market in world.markets(venue).items():
            _set(world, venue, symbol, first_price(market.rules), market.rules.tick_size)


def first_price(rules: MarketRules) -> Decimal:
    """A made-up price that the market's rules allow."""
    price = _USUAL.get(rules.symbol, rules.tick_size * TICKS_OF_OTHERS)
    price = min(max(price, rules.min_price * 2, rules.tick_size * 10), rules.max_price / 2)
    return nearest_to(price, rules.tick_size)


@define
class RandomWalk:
    """Every market takes a step, of a tick at least, `rate_hz` times a second. The same seed gives the same walk."""

    world: World
    seed: int
    rate_hz: int = 1
    _random: random.Random = field(init=False)
    _prices: dict[tuple[str, str], Decimal] = field(factory=dict, init=False)
    _next_ns: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - chance in a simulation, not a secret

    def begin(self) -> None:
        """Set first prices, and go on by timers."""
        for venue in VENUES:
            for symbol, market in self.world.markets(venue).items():
                self._prices[venue, symbol] = first_price(market.rules)
        self._next_ns = self.world.now_ns()
        self._step()

    def _step(self) -> None:
        for (venue, symbol), price in self._prices.items():
            rules = self.world.markets(venue)[symbol].rules
            change = Decimal(self._random.randint(-1000, 1000)) / 1000 * STEP_PERCENT / 100
            moved = nearest_to(price * (1 + change), rules.tick_size)
            # Every step is a quote: where it is too small to be seen, it is one tick.
            price = price + rules.tick_size.copy_sign(change) if moved == price else moved
            price = min(max(price, rules.min_price + rules.tick_size, rules.tick_size * 2), rules.max_price / 2)
            self._prices[venue, symbol] = price
            _set(self.world, venue, symbol, price, rules.tick_size)
        # From the plan, not from now: what a step takes must not slow the walk down. What is missed is left out.
        now_ns = self.world.now_ns()
        self._next_ns = max(self._next_ns + NS_PER_S // self.rate_hz, now_ns)
        self.world.schedule(self._next_ns - now_ns, self._step)


@frozen
class Move:
    """A change of one market, `after_ns` the file's beginning."""

    after_ns: int
    venues: tuple[str, ...]
    symbol: str
    bid: Decimal
    ask: Decimal
    last: Decimal
    mark: Decimal
    bid_quantity: Decimal | None = None
    ask_quantity: Decimal | None = None


def play(world: World, moves: Iterable[Move]) -> None:
    """Play a file in emulator time, from now on. Markets that a venue does not list are passed over."""
    for move in moves:
        world.schedule(move.after_ns, lambda move=move: _move(world, move))  # type: ignore[misc]


def read_moves(path: Path) -> tuple[Move, ...]:
    """The ``quote`` and ``bar`` lines of a recording's timeline (the file, or its directory), as changes.

    `account` names the venue; any other name stands for both. A bar is walked as open, low, high, close at its
    quarters. Raises `ConfigError` that names the line which can't be read.
    """
    file = path / "timeline.jsonl" if path.is_dir() else path
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _damage(file, 0, f"can't be read: {error}") from None
    moves: list[Move] = []
    start_ns: int | None = None
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
            time_ns = _instant(line["t"])
            start_ns = time_ns if start_ns is None else start_ns
            moves.extend(_READERS.get(line["kind"], _nothing)(line, time_ns - start_ns))
        except (ValueError, TypeError, KeyError, AttributeError, InvalidOperation, RecursionError) as error:
            raise _damage(file, number, f"is no line of a timeline: {type(error).__name__}: {error}") from None
    return tuple(sorted(moves, key=lambda move: move.after_ns))


def _nothing(line: Mapping[str, Any], after_ns: int) -> list[Move]:
    return []


def _quote(line: Mapping[str, Any], after_ns: int) -> list[Move]:
    last = _price(line["last"])
    return [
        Move(
            after_ns=after_ns,
            venues=_venues(line),
            symbol=line["symbol"],
            bid=_price(line["bid"]),
            ask=_price(line["ask"]),
            last=last,
            mark=_price(line["mark"]) if "mark" in line else last,
            bid_quantity=_quantity(line.get("bid_quantity")),
            ask_quantity=_quantity(line.get("ask_quantity")),
        )
    ]


def _bar(line: Mapping[str, Any], after_ns: int) -> list[Move]:
    length_ns = _LENGTHS_S[line["interval"]] * NS_PER_S
    prices = [_price(line[name]) for name in ("open", "low", "high", "close")]
    return [
        Move(after_ns + length_ns * quarter // 4, _venues(line), line["symbol"], price, price, price, price)
        for quarter, price in enumerate(prices)
    ]


_READERS: Mapping[str, Callable[[Mapping[str, Any], int], list[Move]]] = {"quote": _quote, "bar": _bar}
_LENGTHS_S = {"1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "2h": 7200, "4h": 14400, "1d": 86400}


def _venues(line: Mapping[str, Any]) -> tuple[str, ...]:
    return (line["account"],) if line["account"] in VENUES else VENUES


def _price(text: Any) -> Decimal:
    value = Decimal(text)
    if not (value.is_finite() and value > ZERO):
        raise ValueError(f"a price must be positive, got {text}")
    return value


def _quantity(text: Any) -> Decimal | None:
    if text is None:
        return None
    value = Decimal(text)
    if not (value.is_finite() and value >= ZERO):
        raise ValueError(f"a quantity must not be negative, got {text}")
    return value


def _instant(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"the time {text} lacks its zone")
    return int(moment.timestamp()) * NS_PER_S + moment.microsecond * 1000


def _move(world: World, move: Move) -> None:
    for venue in move.venues:
        if move.symbol in world.markets(venue):
            world.price(
                venue,
                move.symbol,
                move.bid,
                move.ask,
                mark=move.mark,
                last=move.last,
                bid_quantity=move.bid_quantity,
                ask_quantity=move.ask_quantity,
            )


def _set(world: World, venue: str, symbol: str, price: Decimal, tick: Decimal) -> None:
    world.price(venue, symbol, price, price + tick, last=price, mark=price)


def _damage(file: Path, number: int, message: str) -> ConfigError:
    where = f"{file}:{number}" if number else str(file)
    return ConfigError([Problem(where=where, message=message)])
