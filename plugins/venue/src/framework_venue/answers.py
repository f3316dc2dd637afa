"""What a venue's answer means. Every answer is one of eight kinds, decided by its numeric code, never by a text class.

A venue plugin brings a table of its codes (`Row`, each with its source) and a function that finds the row of a reply.
What no table explains is unknown: unknown is never no.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define, field, frozen

from framework import Refusal, Unknown


class Kind(enum.Enum):
    """What has to be done about an answer.

    ``ACCEPTED`` carried out, or accepted for processing · ``NO_OP`` it is so already: a success, after reading back ·
    ``REJECTED`` no, and the same again cannot succeed · ``NOT_NOW`` no, but later perhaps; it was not carried out ·
    ``UNKNOWN`` nobody knows whether it was carried out · ``BANNED`` the venue wants silence for a time ·
    ``CREDENTIALS`` the key, its rights or its address are refused · ``OUR_BUG`` the request itself was malformed.
    """

    ACCEPTED = "accepted"
    NO_OP = "no-op"
    REJECTED = "rejected"
    NOT_NOW = "not-now"
    UNKNOWN = "unknown"
    BANNED = "banned"
    CREDENTIALS = "credentials"
    OUR_BUG = "our-bug"


class Hint(enum.Enum):
    """What else a code tells, where the caller can act on it.

    ``CROSSED`` the price of a stop has been passed · ``GONE`` the order is not there, or has ended ·
    ``DUPLICATE`` an order of this client id exists · ``HAS_STOP`` a stop of this kind rests already ·
    ``NO_POSITION`` there is nothing to reduce, or not yet · ``CLOCK`` our time was off: not carried out ·
    ``RULES`` our idea of the market's rules is old · ``LIMIT`` too many requests · ``UNCHANGED`` set already.
    """

    CROSSED = "crossed"
    GONE = "gone"
    DUPLICATE = "duplicate"
    HAS_STOP = "has-stop"
    NO_POSITION = "no-position"
    CLOCK = "clock"
    RULES = "rules"
    LIMIT = "limit"
    UNCHANGED = "unchanged"


@frozen
class Row:
    """One code of a venue. `source` is the page of the venue's documentation, or the report, that says so."""

    code: str
    kind: Kind
    meaning: str
    source: str
    hint: Hint | None = None


def table(rows: Iterable[Row]) -> Mapping[str, Row]:
    """The rows by code. Raises ValueError for a code that occurs twice."""
    found: dict[str, Row] = {}
    for row in rows:
        if row.code in found:
            raise ValueError(f"code {row.code} is in the table twice")
        found[row.code] = row
    return found


@define
class Reply:
    """What came back over the wire for one request, before it is understood.

    `status` is None when no answer was read to its end; then `failure` says why, and `sent` whether the venue may have
    seen the request. `body` is the parsed JSON, None where there is none. Header names are in lower case.
    """

    status: int | None = None
    headers: dict[str, str] = field(factory=dict)
    text: str = ""
    body: Any = None
    failure: str = ""
    sent: bool = True


@frozen
class Answer:
    """A reply that was understood. `body` is the parsed JSON of the venue.

    `retry_after_s` is how long the venue wants silence from us, None if it says nothing about it. `silent_s`: the
    request was not sent, because the venue had asked for silence before that lasts so much longer.
    """

    kind: Kind
    code: str = ""
    message: str = ""
    body: Any = None
    hint: Hint | None = None
    status: int | None = None
    retry_after_s: float | None = None
    silent_s: float | None = None

    @property
    def accepted(self) -> bool:
        """Whether it was carried out, or accepted for processing."""
        return self.kind is Kind.ACCEPTED

    @property
    def for_good(self) -> bool:
        """Whether the same again can't succeed before a person mends something: the key, the account, a setting."""
        return self.kind in (Kind.REJECTED, Kind.CREDENTIALS)

    def as_refusal(self) -> Refusal | Unknown:
        """The answer as the kernel hears it, for everything that is no success.

        A no-op must have been read back before: one that reaches this point has not, so nobody knows.
        """
        text = self.message or self.kind.value
        if self.kind in (Kind.UNKNOWN, Kind.NO_OP, Kind.ACCEPTED):
            return Unknown(f"{self.code}: {text}" if self.code else text)
        later = self.kind in (Kind.NOT_NOW, Kind.BANNED)
        crossed = self.hint is Hint.CROSSED
        silent_ns = None if self.silent_s is None else math.ceil(self.silent_s * 1e9)
        return Refusal(self.code or self.kind.value, text, for_good=not later, crossed=crossed, silent_ns=silent_ns)


def of_row(row: Row, reply: Reply, message: str, *, retry_after_s: float | None = None) -> Answer:
    """The answer that a row of the table stands for. Its meaning is added to the venue's own words."""
    text = f"{message} ({row.meaning})" if message else row.meaning
    return Answer(row.kind, row.code, text, reply.body, row.hint, reply.status, retry_after_s)


def unlisted(code: str, reply: Reply, message: str, venue: str) -> Answer:
    """A code that is in no table: nobody knows what it means, and it is said aloud."""
    text = f"{message or 'no text'} (the code is in no table of {venue}: find out what it means)"
    return Answer(Kind.UNKNOWN, code, text, reply.body, None, reply.status)


def of_transport(reply: Reply) -> Answer | None:
    """The answer where the wire itself failed; None if a reply came that the venue's table has to explain."""
    if reply.status is not None:
        return None
    if not reply.sent:
        return Answer(Kind.NOT_NOW, "not_sent", f"the request was not sent: {reply.failure}")
    return Answer(Kind.UNKNOWN, "no_answer", f"no answer: {reply.failure}")


def strange_body(reply: Reply) -> Answer:
    """An answer that is not in the venue's form: empty, HTML, cut off, a list where an object is due."""
    shown = " ".join(reply.text.split())[:80] or "nothing"
    return Answer(Kind.UNKNOWN, "strange_answer", f"HTTP {reply.status} with {shown!r}", reply.body, None, reply.status)
