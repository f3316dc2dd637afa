"""What became of the entries of each position: asked for, refused, open, filled, ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from .names import Owner
from .state import ZERO, Holding

_UNKNOWN_CODES = {
    "binance": frozenset((-1000, -1001, -1006, -1007)),
    "bybit": frozenset((10000, 10014, 10016, 3400214)),
}
_LOST = frozenset(
    (
        "ack-lost", "request-lost", "slow-response", "truncated-body", "empty-body", "html-body", "list-body",
        "null-body", "unknown-503", "gateway-504", "backend-timeout",
    )
)  # fmt: skip
"""Faults that leave a client in the dark whatever the venue decided."""


@dataclass(slots=True)
class Entry:
    """One entry of a position, by its sequence. `known`: it has ended, and whoever sent it could know."""

    requests: int = 0
    orders: int = 0
    filled: Decimal = ZERO
    in_full: bool = False
    known: bool = False
    order_id: str = ""
    begun_seq: int = 0
    ended_seq: int = 0


@dataclass(slots=True)
class PositionBook:
    """All entries of one position. `flat_seq` is the line at which it had been opened and was flat again; 0: never."""

    symbol: str
    side: str
    entries: dict[int, Entry] = field(default_factory=dict)
    filled: Decimal = ZERO
    largest: Decimal = ZERO
    flat_seq: int = 0

    def entry(self, sequence: int) -> Entry:
        """The entry of a sequence."""
        return self.entries.setdefault(sequence, Entry())


@dataclass(slots=True)
class Books:
    """The books by venue, account and position id: kept to the end, since an id may come back at any time."""

    _books: dict[tuple[str, str, str], PositionBook] = field(default_factory=dict)

    def of(self, venue: str, account: str, owner: Owner, symbol: str, side: str) -> PositionBook:
        """The book of a position, begun with this symbol and side if there is none."""
        key = (venue, account, owner.position)
        if (book := self._books.get(key)) is None:
            book = self._books[key] = PositionBook(symbol, side)
        return book

    def went_flat(self, holding: Holding, position: str, seq: int) -> None:
        """A position of ours has come to its end."""
        if (book := self._books.get((holding.venue, holding.account, position))) is not None:
            book.flat_seq = seq


def is_refusal(venue: str, status: int, code: int | str | None, faults: list[str]) -> bool:
    """Whether an answer says for sure, and to whoever asked, that nothing was carried out."""
    if _LOST.intersection(faults) or status in (408, 504):
        return False
    if code is None or str(code).lstrip("-") in ("0", ""):
        return 400 <= status < 500
    number = int(code) if str(code).lstrip("-").isdigit() else 0
    return number not in _UNKNOWN_CODES.get(venue, frozenset())
