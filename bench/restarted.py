"""A process that trades on both venues until it is killed, and says when all of its positions are verified.

Measured from outside by `bench.restart`: ``python -m bench.restarted STATE URLS SYMBOLS [open]``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from attrs import evolve, frozen

from framework import Batch, SignalSource, SourceLink, Timeline
from framework.config import Configured, Deployment, load_deployment
from framework.core.position import State
from framework.core.records import SessionMode
from framework.core.signal import Side, Signal, SignalSettings
from framework.engine.clock import SystemClock
from framework.engine.session import Session
from framework.journal import Journal, WriterKind, journal_path, prepare_journal

from .emulator import KEY, SECRET

BAR_NS = 900_000_000_000
LOOK_EVERY_S = 0.002
LEVERAGE = {"binance": 20, "bybit": 10}
"""As the emulated accounts have it."""

HEAD = """
[framework]
state = "state"
[plugins]
load = ["binance", "bybit", "simulator", "filters", "sizing", "risk", "execution", "protection"]
[[filters]]
use = "listed"
[sizing]
use = "fixed-usd"
position_usd = "50"
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

ACCOUNT = """
[exchanges.{venue}]
use = "{venue}"
max_positions_per_wave = 50
api_key = {{ env = "BENCH_KEY" }}
api_secret = {{ env = "BENCH_SECRET" }}
base_url = "{rest}"
stream_url = "{ws}"
symbols = {symbols}
leverage = {leverage}
{more}
"""


@frozen
class _Once:
    """A live source: one wave at once, or none."""

    name: ClassVar[str] = "once"

    wanted: Mapping[str, Sequence[str]]

    def timeline(self) -> Timeline | None:
        return None

    async def run(self, link: SourceLink) -> None:
        now_ns = time.time_ns()
        signals = tuple(
            Signal(f"{venue}-{symbol}", "bench", venue, symbol, Side.LONG, now_ns // BAR_NS * BAR_NS, now_ns, now_ns,
                   Decimal(90), {}, SignalSettings())
            for venue, symbols in self.wanted.items()
            for symbol in symbols
        )  # fmt: skip
        if signals:
            await link.submit(Batch(signals, complete=True))
        await asyncio.Event().wait()


def main() -> None:
    """Trade until killed."""
    state, urls, symbols = Path(sys.argv[1]), json.loads(sys.argv[2]), json.loads(sys.argv[3])
    opens = sys.argv[4:] == ["open"]
    deployment = _deployment(state, urls, symbols, opens=opens)
    path = journal_path(deployment.state)
    path.parent.mkdir(parents=True, exist_ok=True)
    prepare_journal(path, SessionMode.LIVE, recorded=False)
    asyncio.run(_trade(deployment, path, sum(map(len, symbols.values()))))


async def _trade(deployment: Deployment, path: Path, wanted: int) -> None:
    journal = Journal.open(path, writer=WriterKind.THREAD)
    session = Session(deployment, SystemClock(), journal, False, lambda record: None, SessionMode.LIVE)
    watching = asyncio.create_task(_verified(session, wanted))
    await session.run(lambda: None)
    watching.cancel()


async def _verified(session: Session, wanted: int) -> None:
    """Say when both accounts have been read as a whole, and every position is known to be protected."""
    engine = session.engine
    while True:
        was_read = all(one.good for one in engine.reconciler.accounts.values())
        protected = sum(one.state is State.PROTECTED for one in engine.open_positions())
        if was_read and protected == wanted:
            print("verified", flush=True)  # noqa: T201 - for the bench that waits for it
            return
        await asyncio.sleep(LOOK_EVERY_S)


def _deployment(state: Path, urls: Any, symbols: Mapping[str, Sequence[str]], *, opens: bool) -> Deployment:
    accounts = (
        ACCOUNT.format(
            venue=venue,
            rest=urls[venue]["rest"],
            ws=urls[venue]["ws"],
            symbols=json.dumps(listed),
            leverage=LEVERAGE[venue],
            more="orders_per_s = 200" if venue == "bybit" else "",
        )
        for venue, listed in symbols.items()
    )
    file = state / "config.toml"
    file.write_text(HEAD + "".join(accounts), encoding="utf-8")
    deployment = load_deployment(file, environ={"BENCH_KEY": KEY, "BENCH_SECRET": SECRET})
    source: Configured[SignalSource] = Configured("once", True, _Once(symbols if opens else {}), "")
    return evolve(deployment, sources=(source,))


if __name__ == "__main__":
    main()
