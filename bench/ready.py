"""A process that gets ready to trade on both venues, and ends. Without URLs it only loads what it would need.

Measured from outside by `bench.live`: ``python -m bench.ready [URLS]``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from framework.config import load_deployment
from framework.core.records import SessionMode
from framework.engine.clock import SystemClock
from framework.engine.session import Session
from framework.journal import Journal, WriterKind, journal_path
from framework_venue.loading import load

CONFIG = """
[framework]
state = "state"
[plugins]
load = ["binance", "bybit", "filters", "sizing", "risk", "execution", "protection"]
[exchanges.binance]
use = "binance"
max_positions_per_wave = 5
api_key = {{ env = "KEY" }}
api_secret = {{ env = "SECRET" }}
base_url = "{binance[rest]}"
stream_url = "{binance[ws]}"
leverage = 20
[exchanges.bybit]
use = "bybit"
max_positions_per_wave = 5
api_key = {{ env = "KEY" }}
api_secret = {{ env = "SECRET" }}
base_url = "{bybit[rest]}"
stream_url = "{bybit[ws]}"
[sizing]
use = "fixed-usd"
position_usd = "6"
[execution]
use = "market"
[[protection]]
use = "stop-loss"
percent = "6"
"""
NOWHERE = {"rest": "http://127.0.0.1:1", "ws": "ws://127.0.0.1:1"}


def main() -> None:
    """Load, and with URLs connect, say nothing, and end."""
    urls: dict[str, Any] = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    with TemporaryDirectory() as directory:
        file = Path(directory) / "config.toml"
        file.write_text(CONFIG.format(binance=urls.get("binance", NOWHERE), bybit=urls.get("bybit", NOWHERE)))
        deployment = load_deployment(file, environ={"KEY": "demo-key", "SECRET": "demo-secret"})
        if not urls:
            load("binanceusdm"), load("bybit")
            return
        path = journal_path(deployment.state)
        path.parent.mkdir(parents=True)
        journal = Journal.open(path, writer=WriterKind.THREAD)

        async def ready_and_down() -> None:
            session = Session(deployment, SystemClock(), journal, False, lambda record: None, SessionMode.LIVE)
            await session.run(session.stopped.set)

        asyncio.run(ready_and_down())


if __name__ == "__main__":
    main()
