"""Which accounts are up: the engine is told, and people are told of one that is not, and of its return."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import define, field

from ..components import Clock
from ..core.health import Health
from ..core.market import MarketRules
from ..core.records import Event
from ..errors import FrameworkError
from .engine import Engine

CONNECTING = "it is being connected to"

CONNECTION = "connection"
"""The condition of an account that tells whether it could be connected to."""


@define
class Attendance:
    """Takes the news of accounts that are being connected to. `append` takes records for the journal."""

    engine: Engine
    clock: Clock
    append: Callable[..., object]
    _begun: bool = field(default=False, init=False)
    _told: set[str] = field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        for desk in self.engine.desks.values():
            desk.absent = CONNECTING

    def is_up(self, account: str, markets: Mapping[str, MarketRules]) -> None:
        """An account is connected, with the rules of its markets: the engine goes on with what is open there."""
        desk = self.engine.desks[account]
        desk.markets = markets
        if not self._begun:
            desk.absent = ""
            self.engine.report(f"account {account}", CONNECTION, Health.HEALTHY, told=True)
            return
        self.engine.join(account)
        if account in self._told:
            self._say("info", "account_up", account, "connected; what is open there is looked after again")
        self.engine.report(f"account {account}", CONNECTION, Health.HEALTHY, told=True)

    def is_down(self, account: str, error: FrameworkError) -> None:
        """An account can't be connected to now. People are told once the session is up, and of each other reason."""
        desk = self.engine.desks[account]
        before, desk.absent = desk.absent, str(error).removeprefix(f"{account}: ")
        if self._begun and desk.absent != before:
            self._tell(account)

    def begin(self) -> None:
        """The session is up: what failed before is told now."""
        self._begun = True
        for account, why in self.absent().items():
            if why != CONNECTING:
                self._tell(account)

    def tell_all(self) -> None:
        """People are told of every account that is not up, unless they were."""
        for account in self.absent():
            if account not in self._told:
                self._tell(account)

    def absent(self) -> dict[str, str]:
        """The accounts that are not up, each with why."""
        return {name: desk.absent for name, desk in self.engine.desks.items() if desk.absent}

    def _tell(self, account: str) -> None:
        self._told.add(account)
        why = self.engine.desks[account].absent
        text = f"{why}; nothing is opened there and nobody looks after what is open; trying again"
        self._say("error", "account_down", account, text)
        self.engine.report(f"account {account}", CONNECTION, Health.DOWN, why, told=True)

    def _say(self, level: str, code: str, account: str, text: str) -> None:
        self.append(Event(self.clock.now_ns(), level, code, f"{account}: {text}", account))
