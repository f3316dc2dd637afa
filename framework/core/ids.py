"""Client order ids: derived, never drawn, so that the same intent always has the same id.

Grammar: ``fw-`` + 16 characters of base-32 (the position) + ``-`` + leg + sequence, at most 32 characters of
``[a-z0-9-]``. Binance USD-M takes ``[.A-Z:/a-z0-9_-]{1,36}`` as newClientOrderId, Bybit v5 letters, digits, hyphen and
underscore up to 36 as orderLinkId (both from their API documentation, "New Order" and "Place Order").
"""

from __future__ import annotations

import base64
import enum
import hashlib
import re

from .signal import Side

PREFIX = "fw"
GRAMMAR = re.compile(r"fw-[a-z2-7]{16}-[estx][0-9]{1,6}")

LAST_SEQUENCE = 999_999


class Leg(enum.Enum):
    """What an order is for. The value is its letter in the client id."""

    ENTRY = "e"
    STOP = "s"
    TARGET = "t"
    EXIT = "x"


def position_id(*, signal_id: str, account: str, symbol: str, side: Side) -> str:
    """The id of the position that this signal may open: 16 characters of base-32, from SHA-256."""
    seed = "\x1f".join((signal_id, account, symbol, side.value))
    return base64.b32encode(hashlib.sha256(seed.encode()).digest()[:10]).decode().lower()


def client_id(position: str, leg: Leg, sequence: int) -> str:
    """The client id of one order of a position. `sequence` counts the orders of that leg from 0."""
    if not 0 <= sequence <= LAST_SEQUENCE:
        raise ValueError(f"an order sequence must be within 0 and {LAST_SEQUENCE}, got {sequence}")
    return f"{PREFIX}-{position}-{leg.value}{sequence}"


def owner_of(identifier: str) -> str | None:
    """The position that an order of ours belongs to; None when the id is not one of ours."""
    return identifier.split("-")[1] if GRAMMAR.fullmatch(identifier) else None


def leg_of(identifier: str) -> Leg | None:
    """What an order of ours is for; None when the id is not one of ours."""
    return None if owner_of(identifier) is None else Leg(identifier.rpartition("-")[2][0])


def sequence_of(identifier: str) -> int:
    """The sequence of an order of ours, by its client id."""
    return int(identifier.rsplit("-", 1)[1][1:])
