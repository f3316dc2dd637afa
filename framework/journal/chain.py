"""The chain over the facts: each carries a hash of itself and of the hash before it.

A fact that was changed, left out or put in later no longer fits the hashes that follow. The format is for good: what
is written down once has to be verified for ever. It depends on the facts alone, so that two journals of the same
facts have the same hashes.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

GENESIS = bytes(32)
"""What stands for the hash before the first fact."""

COLUMNS = ("seq", "time_ns", "kind", "wave_id", "signal_id", "position_id", "account", "symbol", "body")
"""What is hashed of a fact, in this order."""


def link(previous: bytes, row: Iterable[Any]) -> bytes:
    """The hash of a fact: SHA-256 over the hash before it and the fact's columns, see `COLUMNS`.

    The columns are joined by blanks as UTF-8. Numbers are in decimal; a text follows its number of characters and a
    colon, an absent one is a hyphen. The body stands as it is, to the end. Any value can be hashed, also what a
    damaged file holds in place of a number or a text.
    """
    seq, time_ns, kind, wave, signal, position, account, symbol, body = row
    ids = f"{_text(wave)} {_text(signal)} {_text(position)} {_text(account)} {_text(symbol)}"
    return sha256(previous + f"{seq} {time_ns} {_text(kind)} {ids} {body}".encode()).digest()


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{len(value)}:{value}" if isinstance(value, str) else repr(value)
