"""What follows an append to the journal: somebody is told, or nobody waits."""

from __future__ import annotations

import asyncio


def pass_on(done: asyncio.Future[None], waiting: asyncio.Future[None]) -> None:
    """Tell whoever waits what came of an append."""
    if waiting.done():
        return
    error = done.exception() if not done.cancelled() else asyncio.CancelledError()
    if error is None:
        waiting.set_result(None)
    else:
        waiting.set_exception(error)


def retrieve(done: asyncio.Future[None]) -> None:
    """For an append that nobody waits for."""
    if not done.cancelled():
        done.exception()  # the journal raises its own alarm; this only keeps asyncio from a second one
