"""Tells a private stream that has died from one that is only quiet: positions change with a word of it, or it is dead.

A private stream may be silent for days, and a venue answers pings on one that tells nothing any more. What gives such
a stream away is a position that is another one than the stream has told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal

from attrs import define, field

from framework import ExchangeError

LONGEST_GRACE_S = 1.0
ZERO = Decimal(0)


@define(eq=False)
class PositionWatch:
    """Compares what the venue shows of an account's positions with what its stream has told of them.

    `read` gives the signed quantities by symbol, those that are not flat; it raises `ExchangeError`. `dead` is called
    with the reason when the stream has kept a change to itself. `silence_s` is how long a stream may be silent;
    `time_s` is the loop's clock.
    """

    read: Callable[[], Awaitable[Mapping[str, Decimal]]]
    dead: Callable[[str], None]
    silence_s: float
    time_s: Callable[[], float]
    _known: dict[str, Decimal] = field(factory=dict, init=False)
    _told_s: dict[str, float] = field(factory=dict, init=False)
    _knows_all: bool = field(default=False, init=False)

    def told(self, symbol: str, quantity: Decimal) -> None:
        """The stream tells a position."""
        self._known[symbol] = quantity
        self._told_s[symbol] = self.time_s()

    def forget(self) -> None:
        """The stream was down, or nobody looks: nothing is known any more."""
        self._known.clear()
        self._told_s.clear()
        self._knows_all = False

    async def look(self) -> None:
        """One look. A read that fails proves nothing, nor does one of what the stream has told only just now."""
        before = dict(self._known)
        try:
            found = await self.read()
        except ExchangeError:
            return
        if not self._knows_all:
            self._known = {**found, **self._known}
            self._knows_all = True
            found = {symbol: found.get(symbol, ZERO) for symbol in before}
        changed = {s for s in before.keys() | found.keys() if before.get(s, ZERO) != found.get(s, ZERO)}
        if not self._untold(changed):
            return
        await asyncio.sleep(min(LONGEST_GRACE_S, self.silence_s / 4))  # the news may be on its way
        untold = self._untold(changed)
        if untold and self._knows_all:
            self.forget()
            self.dead(f"the position in {', '.join(sorted(untold))} has changed without a word")

    def _untold(self, changed: set[str]) -> set[str]:
        """What the stream has said nothing of lately: reads trail behind, so what it just told is no proof."""
        since_s = self.time_s() - self.silence_s
        return {symbol for symbol in changed if self._told_s.get(symbol, since_s - 1) < since_s}
