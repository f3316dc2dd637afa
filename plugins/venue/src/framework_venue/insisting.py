"""Sending again what may arrive more than once, while earlier copies may still be answered.

A request that got lost looks like one whose answer takes long. Who waits until nobody can doubt it any more leaves a
position without its stop meanwhile. So another copy is sent as soon as an answer is later than answers are, and the
first one that tells something counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

from attrs import define, frozen

T = TypeVar("T")
F = TypeVar("F")

MEAN_GAIN, SPREAD_GAIN, SPREADS = 1 / 8, 1 / 4, 4
"""How a retransmission timer follows the round trips that it sees: RFC 6298, section 2."""

CROWD_S = 0.005
"""For each other request under way an answer may take so much longer: fifty at once keep venue and machine busy."""

MANY = 8
"""While fewer requests are under way, an answer in less than half of the usual time shows that what was usual was an
outage, or a connection that was being opened: it is learnt anew, and no lost answer is waited for as long any more."""

STEADY = 4
"""So many copies follow one another at the same pace. Before each further one twice the time goes by: an outage that
outlasts four copies is asked after less often."""

PARTS = (1 / 2, 1 / 2)
"""Patience is counted in two halves. A loop that was busy in the first one hears what has come before it is used up."""

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 0.25
"""Before another copy of what was not carried through: short, then twice as long each time, up to the longest. With
less time left than the shortest no copy is sent: its answer would not be heard."""


@define(eq=False)
class RoundTrips:
    """How long this account's answers take, smoothed, and how many are awaited now."""

    mean_s: float | None = None
    spread_s: float = 0.0
    under_way: int = 0

    def took(self, seconds: float) -> None:
        """An answer has come."""
        if self.mean_s is None or (seconds < self.mean_s / 2 and self.under_way < MANY):
            self.mean_s, self.spread_s = seconds, seconds / SPREADS
            return
        self.spread_s += SPREAD_GAIN * (abs(seconds - self.mean_s) - self.spread_s)
        self.mean_s += MEAN_GAIN * (seconds - self.mean_s)

    def patience_s(self, least_s: float) -> float:
        """After how long an answer is later than answers are; never less than `least_s`."""
        usual_s = 0.0 if self.mean_s is None else self.mean_s + SPREADS * self.spread_s
        return max(least_s, usual_s) + CROWD_S * max(0, self.under_way - 1)


@frozen
class Manner:
    """How one request is insisted on: `tries` copies at most, all given up `within_s` after the first was sent.

    `pause_s` is waited before the next copy of one that is known to be lost.
    """

    tries: int
    within_s: float
    pause_s: float = FIRST_PAUSE_S


@frozen
class Heard(Generic[T]):
    """What came of it. `alone`: no other copy may have been carried out, so that a refusal is one of all of them."""

    result: T
    alone: bool


@define(eq=False)
class Insisting(Generic[T]):
    """One request, sent until it is heard. `send` makes a copy, given how long its answer may take.

    `is_lost`: nobody knows whether that copy was carried out. `patience_s` tells how long to wait for a late answer,
    `may_repeat` whether there is room for another copy, and takes it.
    """

    send: Callable[[float], Coroutine[Any, Any, T]]
    is_lost: Callable[[T], bool]
    manner: Manner
    patience_s: Callable[[], float]
    may_repeat: Callable[[], bool]

    async def heard(self) -> Heard[T]:
        """The first result that tells something, or the last one that does not."""
        loop = asyncio.get_running_loop()
        until_s, pause_s = loop.time() + self.manner.within_s, self.manner.pause_s
        copies = [loop.create_task(self.send(self.manner.within_s))]
        sent, wait_s = 1, self.patience_s()
        lost: list[T] = []
        try:
            while copies or (sent < self.manner.tries and loop.time() + wait_s < until_s):
                await _first_of(copies, self._next_look_s(sent, wait_s, until_s - loop.time()))
                ended = [copy for copy in copies if copy.done()]
                for copy in ended:
                    copies.remove(copy)
                    if not self.is_lost(copy.result()):
                        return Heard(copy.result(), alone=not copies and not lost)
                    lost.append(copy.result())
                if ended:
                    wait_s, pause_s = pause_s, min(2 * pause_s, max(LONGEST_PAUSE_S, self.manner.pause_s))
                    continue
                left_s = until_s - loop.time()
                if sent < self.manner.tries and left_s > FIRST_PAUSE_S and self.may_repeat():
                    copies.append(loop.create_task(self.send(left_s)))
                    sent += 1
                elif not copies:
                    break
                wait_s = self.patience_s() * 2 ** max(0, sent - STEADY)
        finally:
            for copy in copies:
                copy.cancel()
        return Heard(lost[-1], alone=False)

    def _next_look_s(self, sent: int, wait_s: float, left_s: float) -> float | None:
        """How long to wait for those under way; None: until one ends, because no other can follow them.

        A copy may take longer than its answer may: where our clock was off, it is set, and the copy sent once more.
        """
        return None if sent == self.manner.tries or left_s <= FIRST_PAUSE_S else min(wait_s, left_s)


async def _first_of(copies: Sequence[asyncio.Task[Any]], within_s: float | None) -> None:
    """Wait until one of them has ended, or for so long."""
    if not copies:
        await asyncio.sleep(within_s or 0)
    elif within_s is None:
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    else:
        for part in PARTS:
            done, _pending = await asyncio.wait(copies, timeout=within_s * part, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return


async def sought(
    sending: Coroutine[Any, Any, T], look: Callable[[], Coroutine[Any, Any, F | None]], patience_s: Callable[[], float]
) -> T | F:
    """The answer to what is sent only once; or what `look` finds of it, when that answer is late.

    It looks after a patience that grows twofold, for as long as the answer is awaited. None: nothing is found yet,
    which proves nothing.
    """
    loop = asyncio.get_running_loop()
    both: tuple[asyncio.Task[Any], ...] = (loop.create_task(sending), loop.create_task(_found(look, patience_s)))
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        found: T | F = next(each for each in both if each.done()).result()
        return found
    finally:
        for each in both:
            each.cancel()


async def _found(look: Callable[[], Coroutine[Any, Any, F | None]], patience_s: Callable[[], float]) -> F:
    times = 1
    while True:
        for part in PARTS:
            await asyncio.sleep(times * patience_s() * part)
        found = await look()
        if found is not None:
            return found
        times *= 2
