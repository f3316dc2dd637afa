"""Who may come in, and how often: secrets compared in constant time, a bucket of requests, a tally of the turned away.

Pure: nothing here knows a socket or a clock.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter

from attrs import define, field

from .json_values import ValueRefusedError

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HEX = re.compile(r"(?:sha256=)?([0-9a-fA-F]{64})")
SECONDS = re.compile(r"[0-9]{10}")


def same_secret(given: str, right: str) -> bool:
    """Whether a secret is the right one. How long it takes says nothing about either."""
    return hmac.compare_digest(_digest(given), _digest(right))


def check_signature(secret: str, timestamp: str, signature: str, body: bytes, now_ns: int, within_s: int) -> None:
    """Raise ``unauthorised`` unless the signature is the HMAC-SHA256 of ``timestamp.body`` and the time is near now."""
    said = HEX.fullmatch(signature.strip())
    right = hmac.new(secret.encode(), timestamp.encode(errors="replace") + b"." + body, hashlib.sha256).hexdigest()
    # Compared whatever else is wrong, so that the answer takes as long.
    matches = hmac.compare_digest((said[1] if said else "0" * 64).lower(), right)
    if not said or not matches:
        raise ValueRefusedError("unauthorised", "the signature is not the HMAC-SHA256 of timestamp.body")
    if not SECONDS.fullmatch(timestamp):
        raise ValueRefusedError("unauthorised", "the timestamp must be whole seconds since 1970")
    off_s = abs(now_ns // SECOND_NS - int(timestamp))
    if off_s > within_s:
        raise ValueRefusedError("unauthorised", f"the signature is {off_s} s off our clock, more than {within_s} s")


@define
class Bucket:
    """Lets `per_minute` requests through in a minute, `at_once` at once at most, and then one after another."""

    per_minute: int
    at_once: int = field()
    _left: float = field(init=False)
    _then_ns: int | None = field(default=None, init=False)

    @at_once.default
    def _as_many(self) -> int:
        return self.per_minute

    def __attrs_post_init__(self) -> None:
        self._left = float(self.at_once)

    def take(self, now_ns: int) -> bool:
        """Whether one more may come now. A clock that steps back gives nothing."""
        if self._then_ns is not None:
            gained = max(0, now_ns - self._then_ns) * self.per_minute / MINUTE_NS
            self._left = min(float(self.at_once), self._left + gained)
        self._then_ns = now_ns
        if self._left < 1:
            return False
        self._left -= 1
        return True


@define
class Tally:
    """Who was turned away: the first of each minute one by one, the others as a number."""

    per_minute: int
    _minute: int = field(default=-1, init=False)
    _told: int = field(default=0, init=False)
    _untold: Counter[str] = field(factory=Counter, init=False)

    def tells(self, code: str, now_ns: int) -> bool:
        """Whether this one is told by itself; the others are counted."""
        minute = now_ns // MINUTE_NS
        if minute != self._minute:
            self._minute, self._told = minute, 0
        if self._told < self.per_minute:
            self._told += 1
            return True
        self._untold[code] += 1
        return False

    def rest(self) -> dict[str, int]:
        """How many were counted since the last question, by code."""
        counted = dict(self._untold)
        self._untold.clear()
        return counted


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="backslashreplace")).digest()
