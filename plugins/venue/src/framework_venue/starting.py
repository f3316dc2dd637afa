"""How long a start waits, so that a deployment that is started again and again never uses up a venue's limits.

What an address has used of a limit is told by the venue with each answer: it is the memory that processes share, also
those that were killed. A start takes some hundred of Binance's weight, most of it to learn what is open. From half of
the limit on starts are spread over what is left of the minute: a little patience for one, and a supervisor that
restarts the product each second gets through every few seconds, instead of seventeen times at once and then not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from .budget import Budget, Purpose, Window
from .client import Client

FREE = 0.5
"""This share of a limit is there for starts at once."""

A_START = 300
"""A start that has less of the limit left than this waits for the next window: it would be refused half-way. With its
first readings it takes 140, and 10 for each position that has to be looked at closely."""

PATIENCE_S = 2.0
"""A start that has room waits no longer than this: it may be the one that stays, and something may be open."""

LONGEST_S = 45.0
"""No start waits longer, so that it is ready within the time that it is given. The budget decides then."""

MARGIN_S = 0.3
"""The venue's minute may begin a little later than we think."""


def wait_s(window: Window, used: int, into_s: float) -> float:
    """How long a start waits, when so much of a window is used and it began `into_s` seconds ago; 0: not at all."""
    most = window.limit - A_START
    if used > most:
        return min(LONGEST_S, max(0.0, window.length_s - into_s) + MARGIN_S)
    at_once = min(most, window.limit * FREE)
    if used <= at_once:
        return 0.0
    fair_s = window.length_s * (used - at_once) / (most - at_once)
    return min(PATIENCE_S, max(0.0, fair_s - into_s))


async def await_room(client: Client, name: str, notice: Callable[[str, str, str], None]) -> None:
    """Wait until a start may use the window of that name, and say so. The venue must have told what is used.

    Nothing is waited for where the budget has no such window.
    """
    window = client.budget.window(name)
    if window is None:
        return
    used = client.budget.used(name)
    pause_s = wait_s(window, used, client.clock.now_ms() / 1000 % window.length_s)
    if pause_s:
        told = f"{used} of {window.limit} {name} are used in this minute, by starts in quick succession or by others"
        text = f"{told} at this address; the start waits {pause_s:.1f} s, what is open keeps its stops"
        notice("warning", "start_waits", f"{client.account}: {text}")
        await asyncio.sleep(pause_s)
        await client.sync_clock()


def count_earlier(budget: Budget, names: Iterable[str], since_s: float) -> None:
    """Count what an earlier run may have sent until `since_s` seconds ago; a clock that was set back makes it negative.

    For as long as each window still counts it, only what is kept for stops and closes is free.
    """
    for window in filter(None, map(budget.window, names)):
        if since_s < window.length_s:
            budget.heard(window.name, window.room(Purpose.ENTER))
