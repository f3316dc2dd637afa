"""Going through the facts of a file that may be damaged: what still fits the chain, and what doesn't."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

from attrs import define, field

from .chain import COLUMNS, GENESIS, link

Row = tuple[Any, ...]
"""The columns of a fact, see `chain.COLUMNS`, and its hash."""

READ_ERRORS = (sqlite3.Error, OverflowError, UnicodeError)
"""What reading a damaged file may raise."""

MOST_UNREADABLE = 10_000
"""After so many facts in a row that can't be read, nothing more is looked for."""

MOST_NAMED = 10

_QUERY = f"SELECT {', '.join(COLUMNS)}, hash FROM facts WHERE seq > ? ORDER BY seq"  # noqa: S608 - our own names


def rows(
    connection: sqlite3.Connection, after_seq: int = 0, on_unreadable: Callable[[], None] = lambda: None
) -> Iterator[Row]:
    """The facts after number `after_seq`, in order. Those that can't be read are told of, and left out."""
    unreadable = 0
    while unreadable < MOST_UNREADABLE:
        try:
            for row in connection.execute(_QUERY, (after_seq,)):
                after_seq, unreadable = row[0], 0
                yield row
        except READ_ERRORS:
            on_unreadable()
            after_seq, unreadable = after_seq + 1, unreadable + 1
        else:
            return


@define
class Scan:
    """What going through the facts in order has found so far; it begins after number `since_seq`, at its hash.

    A fact is intact if its hash follows from itself and from the hash that is stored with the one before it. So one
    that was changed does not make those after it doubtful.
    """

    since_seq: int = 0
    hash: bytes = GENESIS
    seq: int = field(init=False)
    intact: int = 0
    broken: int = 0
    first_broken: list[int] = field(factory=list)
    unreadable: int = 0

    def __attrs_post_init__(self) -> None:
        self.seq = self.since_seq

    @property
    def is_whole(self) -> bool:
        """Whether all that was met is intact."""
        return not self.broken and not self.unreadable

    def skip(self) -> None:
        """The next one can't be read, if there is any."""
        self.unreadable += 1

    def take(self, row: Row) -> bool:
        """Go on to the next row. False: it is not as it was written, or it can't be told."""
        seq, stored = row[0], row[-1]
        if seq == self.seq + 1 and stored == link(self.hash, row[:-1]):
            self.seq, self.hash = seq, stored
            self.intact += 1
            return True
        # Numbers that are missing count as broken. A number out of order says nothing about where this row belongs.
        number = seq if seq > self.seq else self.seq + 1
        for each in range(self.seq + 1, min(number, self.seq + MOST_NAMED) + 1):
            if len(self.first_broken) < MOST_NAMED:
                self.first_broken.append(each)
        self.broken += number - self.seq
        self.seq, self.hash = number, stored if isinstance(stored, bytes) else b""
        return False


def scan(connection: sqlite3.Connection, after_seq: int = 0) -> Scan:
    """Go through all facts after number `after_seq`, whose stored hash is taken as it is."""
    found = Scan(after_seq, hash_at(connection, after_seq) or b"")
    for row in rows(connection, after_seq, found.skip):
        found.take(row)
    return found


def hash_at(connection: sqlite3.Connection, seq: int) -> bytes | None:
    """The stored hash of a fact, that before the first for 0; None when it isn't there or can't be read."""
    if seq == 0:
        return GENESIS
    try:
        row = connection.execute("SELECT hash FROM facts WHERE seq = ?", (seq,)).fetchone()
    except READ_ERRORS:
        return None
    return row[0] if row is not None and isinstance(row[0], bytes) else None


def is_intact(connection: sqlite3.Connection, seq: int) -> bool:
    """Whether one fact fits the hash before it."""
    row = next(rows(connection, seq - 1), None)
    return row is not None and Scan(seq - 1, hash_at(connection, seq - 1) or b"").take(row)
