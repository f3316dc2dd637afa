"""Writes tests/data/protection/*.toml: worked examples, calculated by `definitions.py`, with their arithmetic.

`python -m tests.protection.build_examples` writes them anew; a test sees to it that they are what it writes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path
from typing import Any

from tests.protection.definitions import RULES, Course, Scene, Table, average_true_range, exact, true_ranges

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data" / "protection"
HOUR_NS = 3_600 * 10**9

MARKETS = [
    ("BTCUSDT", "97231.4"), ("ETHUSDT", "3311.27"), ("ARUSDT", "3.543"), ("HFTUSDT", "0.04458"),
    ("MANAUSDT", "0.2264"), ("XRPUSDT", "2.1739"), ("1000PEPEUSDT", "0.0117312"),
]  # fmt: skip
"""Markets of Binance USD-M, and an entry price of each; the tick size is that of examples/markets."""

PATHS: dict[str, list[str]] = {
    "up and back": ["0.4", "1.3", "2.2", "3.1", "2.7", "1.9", "0.6"],
    "down at once": ["0", "-0.7", "-2.4", "-5.9", "-6.1", "-8"],
    "up in jumps": ["2", "4.6", "4.5", "9.3", "8.7", "12", "11.1"],
    "to and fro": ["1.1", "-0.9", "2.6", "0.3", "-1.2", "3.4", "2.9"],
    "a gap": ["0.2", "2.4", "-9.5", "1"],
    "slowly down": ["0", "-0.5", "-0.8", "-0.7", "-0.9", "-1.6", "-1.9", "-2.2", "-1.7"],
}
"""Moves in percent of the entry price, in favour of the position."""

TAKES = [{"percent": "1.2", "share": "0.5"}, {"percent": "3", "share": "0.5"}]
SIX = {"use": "stop-loss", "percent": "6"}
RULEBOOKS: dict[str, list[list[Table]]] = {
    "stop-loss": [[SIX], [{"use": "stop-loss", "percent": "0.85"}]],
    "trailing-stop": [
        [{"use": "trailing-stop", "distance_percent": "0.5", "activation_percent": "2"}],
        [{"use": "trailing-stop", "distance_percent": "1.7"}],
        [{"use": "trailing-stop", "distance_percent": "1", "step_percent": "1.5"}],
        [{"use": "trailing-stop", "distance_percent": "0.8", "min_improvement_ticks": 40}],
        [{"use": "trailing-stop", "distance_percent": "1", "min_interval_s": 5400, "urgent_percent": "3"}],
    ],
    "break-even": [
        [SIX, {"use": "break-even", "after_percent": "1.25"}],
        [SIX, {"use": "break-even", "after_percent": "2", "fee_percent": "0.05"}],
    ],
    "take-profit": [[SIX, {"use": "take-profit", "levels": TAKES}], [SIX, {"use": "take-profit", "levels": TAKES[1:]}]],
    "time-exit": [
        [SIX, {"use": "time-exit", "max_age_hours": "2.5"}],
        [SIX, {"use": "time-exit", "grace_hours": "2", "break_even_hours": "1", "loss_percent_per_hour": "1",
               "max_loss_percent": "2.5", "fee_percent": "0.05"}],
    ],
    "liquidation-guard": [
        [{"use": "liquidation-guard", "leverage": "20", "maintenance_margin_percent": "0.5", "buffer_percent": "1"}]
    ],
    "together": [
        [SIX, {"use": "trailing-stop", "distance_percent": "0.5", "activation_percent": "2"}],
        [SIX, {"use": "break-even", "after_percent": "1", "fee_percent": "0.05"},
         {"use": "take-profit", "levels": TAKES[:1]}, {"use": "trailing-stop", "distance_percent": "2"}],
        [{"use": "trailing-stop", "distance_percent": "3"},
         {"use": "trailing-stop", "distance_percent": "0.6", "activation_percent": "2.5"},
         {"use": "time-exit", "max_age_hours": "5"}],
    ],
    "average-true-range": [
        [{"use": "stop-loss", "atr": {"multiple": "2.5", "periods": 4, "interval": "1h"}}],
        [{"use": "stop-loss", "atr": {"multiple": "1.2", "periods": 5, "interval": "1h", "candles": 6}}],
        [SIX, {"use": "trailing-stop", "distance_atr": {"multiple": "1.5", "periods": 3, "interval": "1h"}}],
    ],
}  # fmt: skip

HOURS_BEFORE = 25
"""As many candles as the widest of them is reckoned over."""


def tick_sizes() -> dict[str, str]:
    """The tick sizes of the markets, as the venue states them (PRICE_FILTER of exchangeInfo)."""
    listed = json.loads((ROOT / "examples" / "markets" / "binance_usdm_2025-03.json").read_text())["symbols"]
    wanted = {symbol for symbol, _ in MARKETS}
    return {
        market["symbol"]: f"{Decimal(rule['tickSize']).normalize():f}"
        for market in listed
        for rule in market["filters"]
        if rule["filterType"] == "PRICE_FILTER" and market["symbol"] in wanted
    }


def examples() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every example with the file that it belongs to."""
    ticks, turn = tick_sizes(), 0
    for file, books in RULEBOOKS.items():
        for book, (way, moves), side in product(books, PATHS.items(), ("long", "short")):
            symbol, entry = MARKETS[turn % len(MARKETS)]
            turn += 1
            yield file, ticks_example(f"{symbol} {side}, {way}", side, entry, ticks[symbol], book, moves)
            if file == "together":
                name = f"{symbol} {side}, {way}, in candles"
                yield "candles", candles_example(name, side, entry, ticks[symbol], book, moves, way)


def ticks_example(name: str, side: str, entry: str, tick: str, book: list[Table], moves: list[str]) -> dict[str, Any]:
    """One example along ticks, an hour apart."""
    prices = [on_tick(entry, tick, side, move) for move in moves]
    points = [(index * HOUR_NS, [price]) for index, price in enumerate(prices)]
    shown = [[time_ns, price] for time_ns, (price,) in points]
    before = {"1h": hours_before(entry, tick)} if any(atr_of(table) for table in book) else {}
    history = {"candles_before": before} if before else {}
    return {"name": name, "side": side, "entry_price": entry, "tick_size": tick, "protections": book, **history,
            "ticks": shown, **worked(book, side, entry, tick, points, before)}  # fmt: skip


def atr_of(table: Table) -> Table | None:
    """The average true range that a table asks for."""
    found: Table | None = table.get("atr", table.get("distance_atr"))
    return found


def hours_before(entry: str, tick: str) -> list[list[Any]]:
    """The hours before the entry: about one percent high, now and then with a gap between one and the next."""
    rows = []
    for hour in range(HOURS_BEFORE):
        opened, closed = Decimal(hour * 37 % 11 - 5) / 10, Decimal(hour * 53 % 13 - 6) / 10
        high, low = max(opened, closed) + Decimal(hour * 7 % 5) / 10, min(opened, closed) - Decimal(hour * 3 % 4) / 10
        prices = [on_tick(entry, tick, "long", str(move)) for move in (opened, high, low, closed)]
        rows.append([(hour - HOURS_BEFORE) * HOUR_NS, *prices])
    return rows


def candles_example(
    name: str, side: str, entry: str, tick: str, book: list[Table], moves: list[str], way: str
) -> dict[str, Any]:
    """One example along candles: from each move to the next one, and a little beyond both."""
    candles, points = [], []
    path = "worst-first" if len(way) % 2 else "best-first"
    for index, (one, other) in enumerate(pairwise(moves)):
        opened, closed = (Decimal(on_tick(entry, tick, side, move)) for move in (one, other))
        high = max(opened, closed) + 7 * Decimal(tick)
        low = min(opened, closed) - 12 * Decimal(tick)
        high_first = (side == "short") == (path == "worst-first")
        middle = [high, low] if high_first else [low, high]
        points.append((index * HOUR_NS, [str(price) for price in (opened, *middle, closed)]))
        candles.append([index * HOUR_NS, *(str(price) for price in (opened, high, low, closed))])
    return {"name": name, "side": side, "entry_price": entry, "tick_size": tick, "protections": book, "path": path,
            "candles": candles, **worked(book, side, entry, tick, points)}  # fmt: skip


def on_tick(entry: str, tick: str, side: str, move: str) -> str:
    """The price after a move, on the tick."""
    price = Decimal(entry) * (1 + (1 if side == "long" else -1) * Decimal(move) / 100)
    return str((price / Decimal(tick)).quantize(Decimal(1)) * Decimal(tick))


def worked(
    book: list[Table],
    side: str,
    entry: str,
    tick: str,
    points: list[tuple[int, list[str]]],
    history: dict[str, list[list[Any]]] | None = None,
) -> dict[str, Any]:
    """What the definitions make of it, with the arithmetic of each stop."""
    scene = Scene(1 if side == "long" else -1, exact(entry), exact(tick), 0, history or {})
    course = Course(scene, [RULES[table["use"]](table, scene) for table in book])
    for rule in course.rules:
        rule.begin()
    arithmetic = [_ranged(atr, scene) for table in book if (atr := atr_of(table)) is not None]
    course.tighten(scene.entry)
    before = _told(course, None, "at the entry", tick, arithmetic)
    for course.index, (time_ns, prices) in enumerate(points):
        if course.out.exit is not None:
            course.out.stops.append(None)
            continue
        course.candle(time_ns, [exact(price) for price in prices])
        course.out.stops.append(course.stop)
        before = _told(course, before, f"after {course.index}", tick, arithmetic)
    out = course.out
    result: dict[str, Any] = {"stops": ["" if stop is None else _on(stop, tick) for stop in out.stops]}
    if out.takes:
        result["takes"] = [[index, _on(price, tick), _decimal(share)] for index, price, share in out.takes]
    if out.exit is not None:
        result["exit"] = {"index": out.exit[0], "price": _on(out.exit[1], tick), "reason": out.exit[2]}
    return {**result, "arithmetic": arithmetic}


def _told(course: Course, before: Fraction | None, when: str, tick: str, lines: list[str]) -> Fraction | None:
    if course.stop is not None and course.stop != before:
        rule = max(course.rules, key=course.tightness)
        assert rule.stop is not None
        lines.append(f"{when}: {course.owner} wants {_decimal(rule.stop)}, on the tick {_on(course.stop, tick)}")
    return course.stop


def _ranged(atr: Table, scene: Scene) -> str:
    ranges = [_decimal(each) for each in true_ranges(atr, scene)]
    average = _decimal(average_true_range(atr, scene))
    shown = ", ".join(ranges[:3]) + f" … {ranges[-1]}"
    return f"{len(ranges)} true ranges {shown}, smoothed over {atr['periods']}: {average}, times {atr['multiple']}"


def _on(price: Fraction, tick: str) -> str:
    return str((Decimal(price.numerator) / Decimal(price.denominator)).quantize(Decimal(tick)))


def _decimal(value: Fraction) -> str:
    exactly = Decimal(value.numerator) / Decimal(value.denominator)
    text = f"{exactly.normalize():f}"
    return text if Fraction(text) == value else text[:14] + "…"


def written(found: list[dict[str, Any]]) -> str:
    """The examples of one file."""
    head = (
        "# Worked examples: written by tests/protection/build_examples.py from the definitions in docs/protection.md.\n"
    )
    return head + "".join("\n[[example]]\n" + "".join(f"{k} = {_toml(v)}\n" for k, v in one.items()) for one in found)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def files() -> dict[str, str]:
    """The text of every file by its name."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for file, example in examples():
        grouped.setdefault(f"{file}.toml", []).append(example)
    return {name: written(found) for name, found in grouped.items()}


if __name__ == "__main__":
    DATA.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (DATA / name).write_text(text, encoding="utf-8")
