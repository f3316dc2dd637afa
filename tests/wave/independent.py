"""A second calculation of the wave's exits, from the daily bars alone, to judge the product by.

It shares no code with the product: plain Python, the standard library, its own reading of prices and ticks. The
rules, for each position:

- It is opened at its documented price. The stop starts 6 % on the losing side, at the nearest tick.
- Once the best price since the entry is 2 % on the winning side, the stop follows it at 0.5 % of that best price,
  at the nearest tick. It only ever tightens.
- A day is four points: its open, its worse extreme for the position, its better extreme, its close. A bar that opens
  at or beyond the stop fills at the open. A stop that lies between two points fills at its own price.
- The stop moves after a point has been reached. There is no slippage.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

ROOT = Path(__file__).parents[2]
TIMELINE = ROOT / "examples" / "wave-2025-10-31" / "timeline.jsonl"
EXPECTED = ROOT / "tests" / "data" / "wave-2025-10-31" / "expected.json"
MARKETS = ROOT / "examples" / "markets"

STOP = Decimal("0.06")
ACTIVATION = Decimal("0.02")
DISTANCE = Decimal("0.005")


@dataclass(frozen=True)
class Opened:
    """A position as the report documents it."""

    account: str
    symbol: str
    side: str
    entry: Decimal
    tick: Decimal


@dataclass(frozen=True)
class Day:
    """One daily bar; `date` is the day that it begins, UTC."""

    date: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


@dataclass(frozen=True)
class Exit:
    """When, why and at what price a position ended."""

    date: str
    reason: str
    price: Decimal


@dataclass(frozen=True)
class Outcome:
    """The first stop, the last one, and the exit; without one the position is still open after the last bar."""

    initial_stop: Decimal
    final_stop: Decimal
    exit: Exit | None


def calculate(position: Opened, days: Sequence[Day]) -> Outcome:
    """What becomes of a position over these days."""
    short = position.side == "short"
    initial = to_tick(position.entry * (1 + STOP if short else 1 - STOP), position.tick)
    stop, best = initial, position.entry
    for day in days:
        worst, kindest = (day.high, day.low) if short else (day.low, day.high)
        for point, price in enumerate((day.open, worst, kindest, day.close)):
            if price >= stop if short else price <= stop:
                filled = price if point == 0 else stop
                reason = "stop-loss" if stop == initial else "trailing-stop"
                return Outcome(initial, stop, Exit(day.date, reason, filled))
            best = min(best, price) if short else max(best, price)
            stop = trailed(position, stop, best)
    return Outcome(initial, stop, None)


def trailed(position: Opened, stop: Decimal, best: Decimal) -> Decimal:
    """The stop after the best price has been seen: where it was, or tighter."""
    if position.side == "short":
        if best > position.entry * (1 - ACTIVATION):
            return stop
        return min(stop, to_tick(best * (1 + DISTANCE), position.tick))
    if best < position.entry * (1 + ACTIVATION):
        return stop
    return max(stop, to_tick(best * (1 - DISTANCE), position.tick))


def to_tick(price: Decimal, tick: Decimal) -> Decimal:
    """The nearest tick, a tie upwards."""
    return (price / tick).quantize(Decimal(1), rounding=ROUND_HALF_UP) * tick


def wave_outcomes() -> dict[tuple[str, str], Outcome]:
    """What becomes of each position of the documented wave, by account and symbol."""
    bars = daily_bars()
    return {(p.account, p.symbol): calculate(p, bars[p.account, p.symbol]) for p in opened_positions()}


def opened_positions() -> list[Opened]:
    """The eight positions that the report documents."""
    ticks = {"binance": binance_ticks(), "bybit": bybit_ticks()}
    return [
        Opened(
            row["venue"],
            row["symbol"],
            row["side"],
            Decimal(row["entry_price"]),
            ticks[row["venue"]][row["symbol"]],
        )
        for row in json.loads(EXPECTED.read_text())["signals"]
        if row["outcome"] == "opened"
    ]


def daily_bars() -> dict[tuple[str, str], list[Day]]:
    """The days of the recording, by account and symbol, in order."""
    bars: dict[tuple[str, str], list[Day]] = {}
    for text in TIMELINE.read_text().splitlines():
        line = json.loads(text)
        if line["kind"] == "bar":
            open_, high, low, close = (Decimal(line[name]) for name in ("open", "high", "low", "close"))
            bars.setdefault((line["account"], line["symbol"]), []).append(Day(line["t"][:10], open_, high, low, close))
    return bars


def binance_ticks() -> dict[str, Decimal]:
    """Tick sizes as Binance USD-M states them (PRICE_FILTER of exchangeInfo)."""
    listed = json.loads((MARKETS / "binance_usdm_2025-03.json").read_text())["symbols"]
    return {
        market["symbol"]: Decimal(rule["tickSize"])
        for market in listed
        for rule in market["filters"]
        if rule["filterType"] == "PRICE_FILTER"
    }


def bybit_ticks() -> dict[str, Decimal]:
    """Tick sizes as Bybit states them (priceFilter of instruments-info)."""
    listed = json.loads((MARKETS / "bybit_linear_2025-03.json").read_text())["result"]["list"]
    return {market["symbol"]: Decimal(market["priceFilter"]["tickSize"]) for market in listed}
