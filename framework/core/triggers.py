"""Who wants to be asked at which price: an index that makes a tick that crosses nothing cost two comparisons.

Levels of one market live in two heaps, one per direction. Entries are left in place when a level changes and are
dropped lazily when they come to the top, so that setting a level costs O(log n) and a tick that reaches none O(1).
When more than half of a heap is such left-overs it is built anew, so that it never outgrows its owners.
"""

from __future__ import annotations

import heapq
from decimal import Decimal

from attrs import define, field

NEVER_BELOW = Decimal(0)
NEVER_ABOVE = Decimal("Infinity")

SLACK = 64
"""Left-over entries of a heap that are not worth the work of dropping them."""


@define
class Levels:
    """The levels of one market. `low` and `high` are the bounds between which a price concerns nobody."""

    low: Decimal = NEVER_BELOW
    high: Decimal = NEVER_ABOVE
    _wanted: dict[str, tuple[Decimal | None, Decimal | None]] = field(factory=dict, init=False)
    _below: list[tuple[Decimal, str]] = field(factory=list, init=False)
    _above: list[tuple[Decimal, str]] = field(factory=list, init=False)

    def set(self, owner: str, below: Decimal | None, above: Decimal | None) -> None:
        """Ask for `owner` when the price is at or below `below`, or at or above `above`; both None: never."""
        had_below, had_above = self._wanted.get(owner, (None, None))
        if below is None and above is None:
            self._wanted.pop(owner, None)
        else:
            self._wanted[owner] = (below, above)
            if below is not None and below != had_below:
                heapq.heappush(self._below, (-below, owner))
                if below > self.low:
                    self.low = below
            if above is not None and above != had_above:
                heapq.heappush(self._above, (above, owner))
                if above < self.high:
                    self.high = above
        was_a_bound = had_below == self.low or had_above == self.high
        if was_a_bound or max(len(self._below), len(self._above)) > SLACK + 2 * len(self._wanted):
            self._settle()

    def reached(self, price: Decimal) -> list[str]:
        """The owners that asked for this price, and asks of theirs are forgotten: each is asked once.

        In the order of the levels' distance, those below first; equal levels in the order of the owners' names.
        """
        if self.low < price < self.high:
            return []
        owners: list[str] = []
        while self._below and -self._below[0][0] >= price:
            level, owner = heapq.heappop(self._below)
            if self._wanted.get(owner, (None, None))[0] == -level:
                owners.append(owner)
                del self._wanted[owner]
        while self._above and self._above[0][0] <= price:
            level, owner = heapq.heappop(self._above)
            if self._wanted.get(owner, (None, None))[1] == level:
                owners.append(owner)
                del self._wanted[owner]
        self._settle()
        return owners

    def _settle(self) -> None:
        """Drop entries at the top that nobody wants any more, and note the bounds."""
        if max(len(self._below), len(self._above)) > SLACK + 2 * len(self._wanted):
            self._rebuild()
        while self._below and self._wanted.get(self._below[0][1], (None, None))[0] != -self._below[0][0]:
            heapq.heappop(self._below)
        while self._above and self._wanted.get(self._above[0][1], (None, None))[1] != self._above[0][0]:
            heapq.heappop(self._above)
        self.low = -self._below[0][0] if self._below else NEVER_BELOW
        self.high = self._above[0][0] if self._above else NEVER_ABOVE

    def _rebuild(self) -> None:
        self._below = [(-below, owner) for owner, (below, _) in self._wanted.items() if below is not None]
        self._above = [(above, owner) for owner, (_, above) in self._wanted.items() if above is not None]
        heapq.heapify(self._below)
        heapq.heapify(self._above)
