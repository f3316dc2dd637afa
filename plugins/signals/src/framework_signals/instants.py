"""Instants on the wire: ISO-8601 text with a zone, to and from nanoseconds UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

GRAMMAR = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")
EARLIEST = datetime(2017, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def parse_instant(text: str) -> int:
    """Nanoseconds UTC of an instant such as ``2025-10-31T22:48:41.120Z``; at most microseconds are written.

    Raises `ValueError` with a short reason: not of that form, without a zone, no such day, before 2017 or after 2099.
    """
    if not GRAMMAR.fullmatch(text):
        raise ValueError("must be a time with its zone, such as 2025-10-31T22:30:00+00:00")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is no time that exists") from None
    if not EARLIEST <= instant < LATEST:
        raise ValueError("must be a time within 2017 and 2099")
    return (instant - _EPOCH) // _MICROSECOND * 1_000


def write_instant(time_ns: int) -> str:
    """An instant as people read it: ISO-8601 in UTC, cut to the millisecond."""
    return (_EPOCH + timedelta(microseconds=time_ns // 1_000)).isoformat(timespec="milliseconds")
