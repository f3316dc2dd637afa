"""Asking the session that runs to flatten, and waiting until its journal says that it did."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from attrs import frozen

from ..errors import FrameworkError
from ..journal import Control, FlattenWish, InUseError, JournalReader, PositionRow, journal_path
from ..journal.lock import WriterLock
from .words import pnl, safe, shown

OBEYED_WITHIN_S = 5.0
LOOK_EVERY_S = 0.1


class NotObeyedError(FrameworkError):
    """The session that holds the state directory did not take the wish up. `died`: because it is there no more."""

    def __init__(self, message: str, *, died: bool) -> None:
        self.died = died
        super().__init__(message)


@frozen
class Asked:
    """What a session is asked for, and how long it may take in seconds."""

    directory: Path
    control: Control
    wish: FlattenWish
    within_s: float


@frozen
class Ended:
    """What came of it: whether the accounts are flat, and a line for each position."""

    flat: bool
    lines: tuple[str, ...]


def holder_of(directory: Path) -> str | None:
    """Who writes the journal of a state directory now; None when nobody does."""
    try:
        WriterLock.acquire(journal_path(directory)).release()
    except InUseError as used:
        return used.holder
    return None


def wait_for(asked: Asked, sleep: Callable[[float], None] = time.sleep) -> Ended:
    """Ask, and wait for the answer. Raises `NotObeyedError` when the wish is not taken up; it is withdrawn then."""
    asked.control.ask_to_flatten(asked.wish)
    _taken_up(asked, sleep)
    with JournalReader.open(journal_path(asked.directory)) as journal:
        accounts = {asked.wish.account} if asked.wish.account else set(journal.sessions()[-1].accounts)
        deadline = time.monotonic() + asked.within_s
        while not (flat := accounts <= _flattened(journal, asked.wish)) and time.monotonic() < deadline:
            sleep(LOOK_EVERY_S)
        rows = [row for row in journal.positions() if row.account in accounts]
        return Ended(flat, tuple(_lines(rows, asked.wish, flat=flat)))


def _taken_up(asked: Asked, sleep: Callable[[float], None]) -> None:
    deadline = time.monotonic() + OBEYED_WITHIN_S
    while asked.control.flatten_wanted() is not None:
        holder = holder_of(asked.directory)
        if holder is None or time.monotonic() > deadline:
            asked.control.take_flatten()
            text = f"{holder or 'the session'} does not take the wish up; end that process, and flatten again"
            raise NotObeyedError(text, died=holder is None)
        sleep(LOOK_EVERY_S)


def _flattened(journal: JournalReader, wish: FlattenWish) -> set[str]:
    """The accounts of which the session has said since then that they are flat."""
    return {
        each.account
        for each in journal.events(limit=1000)
        if each.code == "flattened" and each.time_ns >= wish.since_ns
    }


def _lines(rows: list[PositionRow], wish: FlattenWish, *, flat: bool) -> list[str]:
    closed = [row for row in rows if row.closed_ns is not None and row.closed_ns >= wish.since_ns]
    lines = [
        f"closed: {row.account} {safe(row.symbol)} {row.side} {shown(row.quantity)} at {shown(row.exit_price)}, "
        f"PnL {pnl(row.realized_pnl_usd)} USD"
        for row in closed
        if row.status == "closed"
    ]
    over = ("closed", "failed")
    lines += [
        f"STILL OPEN: {row.account} {safe(row.symbol)} {row.side} {shown(row.quantity)}"
        for row in rows
        if row.status not in over
    ]
    lines.append("flat: nothing of ours is open" if flat else "not flat in time; see `framework positions`")
    return lines
