"""How fast the journal writes in real time: record by record, and a wave at a time. Beside it: bare SQLite."""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from framework.core.records import Event, Intent, Outcome, Record
from framework.journal import Journal, WriterKind

from .measure import Figure, count

GROUP_BUDGET = 20_000
ALONE = 500
GROUPED = 19_950
GROUP = 57
RUNS = 3


def records(number: int) -> list[Record]:
    """Records as a session makes them: an intent, its outcome, an event, and so on."""
    made: list[Record] = []
    for index in range(number):
        t, position, order = 1_762_000_000_000_000_000 + index, f"position{index // 3}", f"order{index // 3}"
        who = (t, position, "binance", "BTCUSDT")
        match index % 3:
            case 0:
                made.append(Intent(*who, "entry", order, {"side": "buy", "type": "market", "quantity": "0.010"}))
            case 1:
                made.append(Outcome(*who, "entry", order, "accepted", 1_000_000))
            case _:
                made.append(Event(t, "info", "sample", "a line for people", "binance", "BTCUSDT", position))
    return made


async def _alone(journal: Journal, made: list[Record]) -> None:
    for record in made:
        await journal.append(record)


async def _grouped(journal: Journal, made: list[Record]) -> None:
    for start in range(0, len(made), GROUP):
        journal.append(*made[start : start + GROUP])
    await journal.flushed()


def _journal_rate(work: Callable[[Journal, list[Record]], Awaitable[None]], path: Path, total: int) -> float:
    async def main() -> float:
        journal = Journal.open(path, writer=WriterKind.THREAD)
        made = records(total)
        await journal.flushed()
        began = time.perf_counter()
        await work(journal, made)
        seconds = time.perf_counter() - began
        await journal.aclose()
        return total / seconds

    return asyncio.run(main())


def _bare_rate(path: Path, total: int, group: int) -> float:
    """Rows a second that SQLite itself writes with the same guarantees, `group` rows to a commit."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("PRAGMA synchronous = full")
    connection.execute("CREATE TABLE rows (seq INTEGER PRIMARY KEY, kind TEXT, time_ns INTEGER, body TEXT)")
    row = ("outcome", 1_762_000_000_000_000_000, "x" * 250)
    began = time.perf_counter()
    for _ in range(total // group):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO rows (kind, time_ns, body) VALUES (?, ?, ?)", [row] * group)
        connection.execute("COMMIT")
    seconds = time.perf_counter() - began
    connection.close()
    return total / seconds


def figures() -> list[Figure]:
    """Records a second, each awaited; and in groups of a wave. On the disk that holds temporary files."""
    rates: dict[str, list[float]] = {"alone": [], "grouped": [], "bare alone": [], "bare grouped": []}
    for _ in range(RUNS):
        with TemporaryDirectory() as directory:
            place = Path(directory)
            rates["alone"].append(_journal_rate(_alone, place / "alone.sqlite", ALONE))
            rates["grouped"].append(_journal_rate(_grouped, place / "grouped.sqlite", GROUPED))
            rates["bare alone"].append(_bare_rate(place / "bare-alone.sqlite", ALONE, 1))
            rates["bare grouped"].append(_bare_rate(place / "bare-grouped.sqlite", GROUPED, GROUP))
    median = {name: statistics.median(found) for name, found in rates.items()}
    return [
        Figure(
            "journal, each record awaited",
            f"{count(median['alone'])} records/s",
            f"bare SQLite {count(median['bare alone'])}",
        ),
        Figure(
            f"journal, {GROUP} records a call, nobody waits",
            f"{count(median['grouped'])} records/s",
            f"bare SQLite {count(median['bare grouped'])}",
            f"≥ {count(GROUP_BUDGET)}",
            median["grouped"] >= GROUP_BUDGET,
        ),
    ]
