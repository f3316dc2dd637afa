"""Bringing accounts up: all at once, and one whose venue can't be reached again and again until it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from attrs import define, field

from ..components import ExchangeLink
from ..config import ConfiguredExchange
from ..core.market import MarketRules
from ..errors import ExchangeError, FrameworkError
from .connecting import connect, disconnect, no_answer

FIRST_PAUSE_S = 1.0
SLOWEST_PAUSE_S = 30.0
"""Between two tries for one account: the pause doubles from the first to the slowest."""

OnUp = Callable[[str, Mapping[str, MarketRules]], None]
OnDown = Callable[[str, FrameworkError], None]


@define
class Bringing:
    """Connects to every account. `on_up` hears the rules of its markets, `on_down` each try that failed.

    `within_s` is how long one try may take, and how long the first account may. `at_once`: an account that fails is
    not tried again, as in a recorded session, which must not depend on what came up when.
    """

    accounts: Sequence[ConfiguredExchange]
    link_of: Callable[[str], ExchangeLink]
    within_s: float
    on_up: OnUp
    on_down: OnDown
    at_once: bool
    why_down: dict[str, FrameworkError | None] = field(factory=dict, init=False)
    refusal: FrameworkError | None = field(default=None, init=False)
    _tasks: list[asyncio.Task[None]] = field(factory=list, init=False)
    _news: asyncio.Event = field(factory=asyncio.Event, init=False)

    async def first(self) -> None:
        """Begin, and return once enough is up: all accounts in a recorded session, else the first one.

        Raises what trying again can't mend, and, when no account is up after `within_s`, why the first one is not.
        """
        self.why_down = dict.fromkeys((each.name for each in self.accounts), None)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._bring(each)) for each in self.accounts]
        try:
            async with asyncio.timeout(self.within_s):
                while not self._is_enough():
                    await self._news.wait()
                    self._news.clear()
        except TimeoutError:
            name, why = next(iter(self.why_down.items()))
            raise why or ExchangeError(name, f"could not start: {no_answer(self.within_s)}") from None

    async def refused(self) -> None:
        """Return when an account turns out to need a person, as by a wrong key: see `refusal`."""
        while self.refusal is None:
            await self._news.wait()
            self._news.clear()

    async def aclose(self) -> None:
        """Try no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _is_enough(self) -> bool:
        if self.refusal is not None:
            raise self.refusal
        return not self.why_down if self.at_once else len(self.why_down) < len(self.accounts)

    async def _bring(self, account: ConfiguredExchange) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                markets = await connect(account.component, self.link_of(account.name), self.within_s)
            except FrameworkError as error:
                self._failed(account.name, error)
                if self.at_once:
                    return
            else:
                del self.why_down[account.name]
                self.on_up(account.name, markets)
                self._news.set()
                return
            await disconnect(account.component)
            await asyncio.sleep(pause_s)
            pause_s = min(SLOWEST_PAUSE_S, pause_s * 2)

    def _failed(self, name: str, error: FrameworkError) -> None:
        self.why_down[name] = error
        if self.refusal is None and (self.at_once or not isinstance(error, ExchangeError) or error.for_good):
            self.refusal = error
        self.on_down(name, error)
        self._news.set()
