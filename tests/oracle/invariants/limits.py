"""Invariant 11."""

from __future__ import annotations

from typing import NamedTuple

from ..bounds import NS_PER_MS, NS_PER_S
from ..hearing import Asked
from ..ledger import Line
from ..scene import Scene
from ..verdicts import Judge

_INJECTED = {"rate-limited": 10, "banned": 120, "forbidden": 0, "refuse": 0}
"""The faults that answer so by themselves, and the Retry-After in seconds that they send unless told another."""

_MINUTE_NS = 60 * NS_PER_S
_FIRST_BAN_NS = 120 * NS_PER_S
_ADDRESS_BAN_NS = 600 * NS_PER_S
_TOO_MANY_VISITS = "10006"


class Pause(NamedTuple):
    """Nothing may be sent from some time after `told_ns` until `until_ns`."""

    told_ns: int
    until_ns: int


class Limits(Judge):
    """Request weight stays inside the venue's limits; nothing is sent before Retry-After has passed.

    Counts: a `response` of ``status`` 429 or 418, or of ``code`` 10006, is a refusal; more than allowed are too many,
    unless a `fault` line between the `request` and it says who made it. After it no `request` may arrive at the venue
    (after 10006: with the same ``path`` from the same account) until the pause is over: as long as the fault said;
    else after 429 until the next full minute, after 418 two minutes, after 10006 until the next full second, after
    Bybit's 403 ten minutes ("Binance USD-M Futures, General Info, Limits"; "Bybit v5, Rate Limit"). What was on its
    way is excused, and so is a process that started after the answer: it can't know. The share of the budget that is
    kept for stops and closes shows in that they are not refused either.
    """

    number = 11
    name = "inside the venue's limits, and quiet until Retry-After has passed"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._refusals = 0
        self._pauses: dict[tuple[str, str | None, str | None], Pause] = {}

    def on_request(self, asked: Asked) -> None:
        """Judge whether it should have waited."""
        line, now_ns = asked.line, self.scene.now_ns
        for key in ((line["venue"], None, None), (line["venue"], line["account"], line["path"])):
            pause = self._pauses.get(key)
            if (
                pause is None
                or not pause.told_ns + self.scene.bounds.in_flight_ms * NS_PER_MS < now_ns < pause.until_ns
            ):
                continue
            down_ns = self.scene.uptime.went_down_ns(now_ns)
            if down_ns is None or down_ns < pause.told_ns:
                left_s = (pause.until_ns - now_ns) / NS_PER_S
                what = f"{line['method']} {line['path']} was sent {left_s:.1f} s before the venue allowed it"
                self.tell(line["venue"], line["account"], None, what)

    def on_response(self, asked: Asked, line: Line) -> None:
        """Count a refusal, and begin the pause that it asks for."""
        status, code = line["status"], str(line["code"])
        is_limit = status in (418, 429) or code == _TOO_MANY_VISITS
        if not is_limit and not (line["venue"] == "bybit" and status == 403):
            return
        fault = next((one for one in asked.faults if one["name"] in _INJECTED), None)
        if fault is None and is_limit:
            self._refusals += 1
            if self._refusals > self.scene.bounds.refusals_max:
                told = f"{asked.line['method']} {asked.line['path']} was refused for too many requests"
                self.tell(line["venue"], line["account"], None, f"{told} ({status}, {code})")
        self._pause(asked, line, fault)

    def _pause(self, asked: Asked, line: Line, fault: Line | None) -> None:
        now_ns, venue = self.scene.now_ns, line["venue"]
        if str(line["code"]) == _TOO_MANY_VISITS:
            key = (venue, line["account"], asked.line["path"])
            self._pauses[key] = Pause(now_ns, now_ns - now_ns % NS_PER_S + NS_PER_S)
        elif venue == "bybit":
            self._pauses[venue, None, None] = Pause(now_ns, now_ns + _ADDRESS_BAN_NS)
        elif fault is not None:
            told_s = (fault.get("parameters") or {}).get("retry_after_s", _INJECTED[fault["name"]])
            self._pauses[venue, None, None] = Pause(now_ns, now_ns + int(told_s) * NS_PER_S)
        elif line["status"] == 418:
            self._pauses[venue, None, None] = Pause(now_ns, now_ns + _FIRST_BAN_NS)
        else:
            self._pauses[venue, None, None] = Pause(now_ns, now_ns - now_ns % _MINUTE_NS + _MINUTE_NS)
