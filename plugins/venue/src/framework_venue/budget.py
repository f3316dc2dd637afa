"""The rate budget of one account: what may be sent now, in which order, and what has to wait.

A venue allows so much within a window of time. Every call books its cost before it is sent; the venue's own headers
correct the count. A share of each window is kept for stops and closes, so that entries and reads can use a window up
for everybody but them. What waits, waits in order of purpose; of what protects, the moves of stops that rest wait in
order of what each of them protects more. Nothing is sent before a Retry-After has passed.
"""

from __future__ import annotations

import asyncio
import enum
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from attrs import define, field, frozen

from framework import StopOrder

from .answers import Answer, Kind


class Purpose(enum.IntEnum):
    """What a request is for, the most urgent first."""

    PROTECT = 0
    """Stops, closes, cancellations, and the reads that these wait for."""
    ENTER = 1
    READ = 2
    PREPARE = 3
    """What has time: settings, warming, refreshing."""


@frozen
class Window:
    """A venue's limit: `limit` of cost within any `length_s` seconds.

    `kept` is the share that only stops and closes may use, as a fraction of the limit. `counted_anew`: the venue's own
    count begins at zero with every interval of the calendar, so it may tell of more room than we know of.
    """

    name: str
    limit: int
    length_s: float
    kept: float = 0.5
    counted_anew: bool = False

    def room(self, purpose: Purpose) -> int:
        """How much requests of this purpose, and less urgent ones, may use of the window together; at least 1."""
        open_to_all = 1 - self.kept
        share = {
            Purpose.PROTECT: 1.0,
            Purpose.ENTER: open_to_all,
            Purpose.READ: open_to_all * 0.9,
            Purpose.PREPARE: open_to_all * 0.6,
        }[purpose]
        return max(1, int(self.limit * share))


def worth_of(order: StopOrder) -> float:
    """What a stop is worth in the queue: that of its move, and more than any move where nothing protects without it."""
    return math.inf if order.worth_usd is None else float(order.worth_usd)


class BudgetError(Exception):
    """A request was not sent, because its turn would not have come in time.

    `silent_s`: the venue wants silence for so much longer; None: there was no room.
    """

    def __init__(self, message: str, silent_s: float | None = None) -> None:
        super().__init__(message)
        self.silent_s = silent_s

    def answer(self) -> Answer:
        """This as an answer: it was not sent, and may be later."""
        return Answer(Kind.NOT_NOW, "rate_budget", str(self), silent_s=self.silent_s)


@define
class _Use:
    """What was spent of a window, and for what. What the venue counts beyond that was spent by `others`."""

    window: Window
    spent: deque[tuple[float, int, Purpose]] = field(factory=deque)
    totals: list[int] = field(factory=lambda: [0] * len(Purpose))
    others: deque[tuple[float, int]] = field(factory=deque)
    by_others: int = 0

    def add(self, now: float, cost: int, purpose: Purpose) -> None:
        self.spent.append((now, cost, purpose))
        self.totals[purpose] += cost

    def used(self, now: float) -> int:
        while self.spent and self.spent[0][0] <= now - self.window.length_s:
            _, cost, purpose = self.spent.popleft()
            self.totals[purpose] -= cost
        while self.others and self.others[0][0] <= now - self.window.length_s:
            self.by_others -= self.others.popleft()[1]
        return sum(self.totals) + self.by_others

    def told(self, now: float, used: int) -> bool:
        """The venue counts so much. Answers whether there is more room than before.

        Far less than others have spent alone: the venue has begun to count anew, and what they spent is over.
        """
        ours = self.used(now) - self.by_others
        anew = self.window.counted_anew and used < self.by_others // 2
        if anew:
            self.others.clear()
            self.by_others = 0
        more = used - ours - self.by_others
        if more > 0:
            self.others.append((now, more))
            self.by_others += more
        return anew

    def fits(self, purpose: Purpose, cost: int, now: float) -> bool:
        """Whether the whole fits into the limit, and all that is no more urgent into its share.

        So stops take nothing from the entries' share, nor entries from the stops'.
        """
        used = self.used(now)
        if not used:
            return True  # a cost larger than its share is let through alone: it would wait for ever otherwise
        shared = sum(self.totals[purpose:]) + self.by_others  # so that they never eat the share kept for stops
        return used + cost <= self.window.limit and shared + cost <= self.window.room(purpose)

    def next_change(self, now: float) -> float | None:
        """When the oldest cost leaves the window; None if there is none."""
        if not self.used(now):
            return None
        return min(row[0][0] for row in (self.spent, self.others) if row) + self.window.length_s


@define(eq=False)
class _Waiter:
    purpose: Purpose
    worth: float
    number: int
    costs: Mapping[str, int]
    turn: asyncio.Future[None]


@define(eq=False)
class Budget:
    """Windows by name. `time_s` is a clock that never steps back (the loop's).

    `on_silence` hears for how many seconds the venue wants silence from now on, and why.
    """

    windows: Iterable[Window]
    time_s: Callable[[], float]
    on_silence: Callable[[float, str], None] = lambda seconds, why: None
    _uses: dict[str, _Use] = field(factory=dict, init=False)
    _waiting: list[_Waiter] = field(factory=list, init=False)
    _numbers: itertools.count[int] = field(factory=itertools.count, init=False)
    _silent_until: float = field(default=0.0, init=False)
    _why_silent: str = field(default="", init=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._uses = {window.name: _Use(window) for window in self.windows}

    async def take(
        self, purpose: Purpose, costs: Mapping[str, int], *, within_s: float, worth: float = math.inf
    ) -> None:
        """Wait for one's turn and book the costs (window name → cost; windows that do not exist cost nothing).

        Of one purpose what is worth more goes first, then who came first. `worth` is in USD; infinite unless told.
        Raises `BudgetError` if the turn does not come within `within_s` seconds: then nothing was booked.
        """
        left_s = self._silent_until - self.time_s()
        if left_s > within_s:
            raise BudgetError(f"{self._why_silent}: silent for another {left_s:.1f} s", left_s)
        if not self.take_now(purpose, costs, worth):
            await self._queue(purpose, worth, self._counted(costs), within_s)

    def take_now(self, purpose: Purpose, costs: Mapping[str, int], worth: float = math.inf) -> bool:
        """Book the costs if nobody has to wait for them; False: nothing was booked."""
        now, costs = self.time_s(), self._counted(costs)
        is_free = now >= self._silent_until and not self._is_behind(purpose, worth, costs)
        is_free = is_free and self._fits(purpose, costs, now)
        if is_free:
            self._book(purpose, costs, now)
        return is_free

    def set(self, window: Window) -> None:
        """Add a window, or change its limit as the venue tells it. What was spent stays counted."""
        use = self._uses.get(window.name)
        if use is None:
            self._uses[window.name] = _Use(window)
        elif use.window != window:
            use.window = window
            self._pump()

    def window(self, name: str) -> Window | None:
        """A window by name."""
        use = self._uses.get(name)
        return None if use is None else use.window

    def heard(self, name: str, used: int) -> None:
        """The venue says how much of a window is used. What others spent beside us is added to our count."""
        use = self._uses.get(name)
        if use is not None and use.told(self.time_s(), used):
            self._pump()

    def used(self, name: str) -> int:
        """How much of a window is in use as far as we know."""
        use = self._uses.get(name)
        return 0 if use is None else use.used(self.time_s())

    def be_silent(self, seconds: float, why: str) -> None:
        """Send nothing for so long. A shorter silence never ends a longer one."""
        until = self.time_s() + seconds
        if until > self._silent_until:
            self._silent_until, self._why_silent = until, why
            self.on_silence(seconds, why)
            self._arm()

    @property
    def silent_for_s(self) -> float:
        """How long nothing may be sent; 0 when all is well."""
        return max(0.0, self._silent_until - self.time_s())

    def close(self) -> None:
        """Let nobody wait any more: what waits is not sent."""
        if self._timer is not None:
            self._timer.cancel()
        for waiter in self._waiting:
            if not waiter.turn.done():
                waiter.turn.set_exception(BudgetError("the connection is being closed"))
        self._waiting.clear()

    def _counted(self, costs: Mapping[str, int]) -> Mapping[str, int]:
        """What is counted of the costs of a request."""
        return {name: cost for name, cost in costs.items() if cost and name in self._uses}

    async def _queue(self, purpose: Purpose, worth: float, costs: Mapping[str, int], within_s: float) -> None:
        waiter = _Waiter(purpose, worth, next(self._numbers), costs, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        self._waiting.sort(key=lambda each: (each.purpose, -each.worth, each.number))
        self._arm()
        try:
            async with asyncio.timeout(within_s):
                await waiter.turn
        except TimeoutError:
            raise BudgetError(f"no room in the venue's limits within {within_s:.1f} s") from None
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
                self._arm()

    def _is_behind(self, purpose: Purpose, worth: float, costs: Mapping[str, int]) -> bool:
        """Whether somebody at least as urgent waits for one of the same windows."""
        ahead = (each for each in self._waiting if (each.purpose, -each.worth) <= (purpose, -worth))
        return any(not costs.keys().isdisjoint(each.costs) for each in ahead)

    def _fits(self, purpose: Purpose, costs: Mapping[str, int], now: float) -> bool:
        return all(self._uses[name].fits(purpose, cost, now) for name, cost in costs.items())

    def _book(self, purpose: Purpose, costs: Mapping[str, int], now: float) -> None:
        for name, cost in costs.items():
            self._uses[name].add(now, cost, purpose)

    def _pump(self) -> None:
        """Let go who may: in order, and nobody past one who waits for the same window."""
        now = self.time_s()
        if now < self._silent_until:
            self._arm()
            return
        blocked: set[str] = set()
        for waiter in list(self._waiting):
            if blocked.isdisjoint(waiter.costs) and self._fits(waiter.purpose, waiter.costs, now):
                self._book(waiter.purpose, waiter.costs, now)
                self._waiting.remove(waiter)
                if not waiter.turn.done():
                    waiter.turn.set_result(None)
            else:
                blocked.update(waiter.costs)
        self._arm()

    def _arm(self) -> None:
        """Look again when the next thing changes: a silence ends, or the oldest cost leaves its window.

        On the loop of those who wait: one that is thrown away leaves the queue where no loop runs, or another one does.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiting:
            return
        loop = self._waiting[0].turn.get_loop()
        if loop.is_closed():  # nobody's turn will come any more
            return
        now = self.time_s()
        names = {name for waiter in self._waiting for name in waiter.costs}
        changes = [at for name in names if (at := self._uses[name].next_change(now)) is not None]
        # After a silence everybody may go who has room: a cost that leaves its window later has nothing to do with it.
        at = self._silent_until if now < self._silent_until else min(changes, default=now)
        self._timer = loop.call_later(max(0.0, at - now) + 0.001, self._pump)
