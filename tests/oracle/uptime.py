"""The intervals in which the product was up."""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass

from .ledger import UnusableError

FOREVER = 1 << 63


@dataclass(frozen=True, slots=True)
class Uptime:
    """Disjoint intervals in ns, from inclusive, to exclusive, in order."""

    intervals: tuple[tuple[int, int], ...] = ((0, FOREVER),)

    @classmethod
    def of_json(cls, text: str) -> Uptime:
        """From a JSON list of [from_ns, to_ns]; to_ns may be null: still up. Raises UnusableError."""
        try:
            rows = [(start, FOREVER if end is None else end) for start, end in json.loads(text)]
            rows = sorted((int(start), int(end)) for start, end in rows)
        except (ValueError, TypeError):
            raise UnusableError("the up intervals must be a JSON list of [from_ns, to_ns]") from None
        after = 0
        for start, end in rows:
            if start < after or end < start:
                raise UnusableError(f"the up interval [{start}, {end}] overlaps another, or ends before it begins")
            after = end
        return cls(tuple(rows))

    def overlap_ns(self, start_ns: int, end_ns: int) -> int:
        """How much of [start, end) the product was up."""
        total = 0
        for begin, end in self.intervals[self._first(start_ns) :]:
            if begin >= end_ns:
                break
            total += max(0, min(end, end_ns) - max(begin, start_ns))
        return total

    def after_ns(self, start_ns: int, up_ns: int) -> int | None:
        """The instant at which the product has been up for `up_ns` since `start_ns`; None: never."""
        left = up_ns
        for begin, end in self.intervals[self._first(start_ns) :]:
            begin = max(begin, start_ns)
            if end - begin >= left:
                return begin + left
            left -= max(0, end - begin)
        return None

    def went_down_ns(self, now_ns: int) -> int | None:
        """The last instant at or before `now_ns` at which the product went down; None: it never did."""
        return max((end for _, end in self.intervals if end <= now_ns), default=None)

    def _first(self, start_ns: int) -> int:
        return max(0, bisect_right(self.intervals, (start_ns, FOREVER)) - 1)
