"""The times at which something at a venue was made to fail: what `fault` lines account for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .bounds import NS_PER_MS, NS_PER_S
from .ledger import Line

Window = tuple[int, int]

_DEFAULTS = {
    "banned": {"retry_after_s": 120},
    "rate-limited": {"retry_after_s": 10},
    "slow-response": {"delay_ms": 15_000},
    "streams-silent": {"for_ms": 60_000},
    "stale-reads": {"for_ms": 60_000, "lag_ms": 5_000},
}
"""The times of faults that go on for longer than a moment, where their line does not tell others."""

_UNITS = {
    "retry_after_s": NS_PER_S,
    "for_ms": NS_PER_MS,
    "lag_ms": NS_PER_MS,
    "delay_ms": NS_PER_MS,
    "after_ms": NS_PER_MS,
}


def lasts_ns(line: Line) -> int:
    """How long the fault of a line goes on by itself: the sum of the times among its `parameters`."""
    times = {**_DEFAULTS.get(line["name"], {}), **(line.get("parameters") or {})}
    return sum(int(times[key]) * unit for key, unit in _UNITS.items() if key in times)


@dataclass(slots=True)
class Outages:
    """Windows by venue, and by account and symbol where a fault names them; each reaches `extra_ns` past its fault.

    With `told`, windows by venue, these alone account for what goes wrong, and no `fault` line does: they are known to
    somebody who knows more than the ledger. `unheard`: windows by venue and symbol in which nobody could know that a
    stop is gone; they account for time without protection that begins with them, and for nothing else.
    """

    extra_ns: int
    told: Mapping[str, Sequence[Window]] | None = None
    unheard: Mapping[tuple[str, str], Sequence[Window]] = field(default_factory=dict)
    _windows: dict[tuple[str, str | None, str | None], list[Window]] = field(default_factory=dict)

    def add(self, line: Line) -> None:
        """Take a `fault` line into account."""
        if self.told is not None:
            return
        key = (line["venue"], line.get("account"), line.get("symbol"))
        start, end = line["t"], line["t"] + lasts_ns(line) + self.extra_ns
        rows = self._windows.setdefault(key, [])
        if rows and rows[-1][1] >= start:
            rows[-1] = (rows[-1][0], max(rows[-1][1], end))
        else:
            rows.append((start, end))

    def within(self, venue: str, account: str, symbol: str, start_ns: int, end_ns: int) -> list[Window]:
        """The parts of [start, end) in which a fault accounts for what goes wrong there, disjoint and in order."""
        unheard = [window for window in self.unheard.get((venue, symbol), ()) if window[0] == start_ns]
        return _cut([*self._about(venue, account, symbol), unheard], start_ns, end_ns)

    def excuses(self, venue: str, account: str, symbol: str, start_ns: int, end_ns: int) -> bool:
        """Whether a fault kept something from being done in [start, end): that nobody knew of it is none."""
        return bool(_cut(self._about(venue, account, symbol), start_ns, end_ns))

    def told_within(self, venue: str, start_ns: int, end_ns: int) -> list[Window]:
        """The same of the windows that were told alone."""
        return _cut([self.told.get(venue, ())] if self.told is not None else [], start_ns, end_ns)

    def over_ns(self, venue: str, account: str, symbol: str, now_ns: int) -> int:
        """When the last of the faults so far no longer accounts for anything; 0: there was none."""
        windows = (window for rows in self._about(venue, account, symbol) for window in rows)
        return max((end for begin, end in windows if begin <= now_ns), default=0)

    def shut_until_ns(self, venue: str, now_ns: int) -> int:
        """When something can be done at a venue again; 0: nobody told of a time at which it could not."""
        told = self.told.get(venue, ()) if self.told is not None else ()
        return max((end for begin, end in told if begin <= now_ns), default=0)

    def _about(self, venue: str, account: str, symbol: str) -> list[Sequence[Window]]:
        if self.told is not None:
            return [self.told.get(venue, ())]
        keys = [(venue, who, what) for who in (None, account) for what in (None, symbol)]
        return [self._windows[key] for key in keys if key in self._windows]


def _cut(windows: Iterable[Sequence[Window]], start_ns: int, end_ns: int) -> list[Window]:
    found = sorted(
        (max(begin, start_ns), min(end, end_ns))
        for rows in windows
        for begin, end in rows
        if begin < end_ns and end > start_ns
    )
    merged: list[Window] = []
    for begin, end in found:
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged
