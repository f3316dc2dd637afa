"""The points at which a process may be killed."""

from __future__ import annotations

import asyncio

SEND, SENT, ANSWERED = "send", "sent", "answered"
"""Before it leaves, after that, and with the answer there."""

BEFORE_WRITE, AFTER_WRITE = "write", "written"
"""Before a commit of the journal, and after it, as `framework.testing.SimulatedProcess` calls them."""


async def for_ever() -> None:
    """What a process does at the point at which it is killed: its loop ends before anything else runs."""
    await asyncio.get_running_loop().create_future()
