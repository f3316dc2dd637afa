"""A plugin with a live signal source: it asks a sender on the loopback, and acknowledges what the product has taken in.

The sender does not give up: what was not acknowledged is sent again, also to the next process.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from attrs import frozen

from framework import Batch, Side, Signal, SignalSource, SourceLink, Timeline, hookimpl


@frozen
class Wire:
    """Batches of signals from the sender at `port` of the loopback, one a line of JSON."""

    name: ClassVar[str] = "wire"

    port: int

    def timeline(self) -> Timeline | None:
        """None: a live source."""
        return None

    async def run(self, link: SourceLink) -> None:
        """Take batches until the sender hangs up; then there is nothing to wait for but the end of the session."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            while line := await reader.readline():
                message = json.loads(line)
                signals = tuple(_signal(one, message, link.clock.now_ns()) for one in message["signals"])
                await link.submit(Batch(signals, complete=True))
                writer.write(f"{message['number']}\n".encode())
                await writer.drain()
            await asyncio.Event().wait()
        finally:
            writer.close()


def _signal(one: Mapping[str, Any], message: Mapping[str, Any], now_ns: int) -> Signal:
    return Signal(
        id=one["id"],
        source="wire",
        account=one["account"],
        symbol=one["symbol"],
        side=Side(one["side"]),
        bar_time_ns=message["bar_time_ns"],
        created_ns=message["created_ns"],
        received_ns=now_ns,
        score=Decimal(90),
    )


@hookimpl
def signal_sources() -> list[type[SignalSource]]:
    """The one source."""
    return [Wire]
