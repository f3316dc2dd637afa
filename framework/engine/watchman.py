"""Keeps watch over a session: gathers what its parts report, raises alerts, and gives the sign of life."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from attrs import define, field

from ..components import Clock, TellsState
from ..core.alerts import Alerts, health_event
from ..core.health import Board, Health, judged
from ..core.records import Event, Outcome, PositionChanged, Record
from ..journal.pulse import Pulse

BEAT_EVERY_S = 5.0
"""How often the sign of life is given, and how often it is looked whether something has lasted too long."""

ENGINE, JOURNAL = "engine", "journal"


LOOK_EVERY_S = 60.0
"""The same where nobody reads a sign of life."""


class Report(Protocol):
    """How a part says how one of its conditions is. `told`: an event of its own says so already."""

    def __call__(self, part: str, name: str, health: Health, reason: str = "", *, told: bool = False) -> None:
        """Take it over."""


def unheard(part: str, name: str, health: Health, reason: str = "", *, told: bool = False) -> None:
    """A `Report` to nobody."""


@define
class Watchman:
    """`write` takes records for the journal, `tell` shows one to the observers alone. `pulse` None: no sign of life.

    `stopped` says why no position may be opened; empty: positions may be. `lease_trouble` says why this may not be the
    only instance any more; then `lost` is told.
    """

    clock: Clock
    write: Callable[[Record], object]
    tell: Callable[[Record], None]
    stopped: Callable[[], str]
    lease_trouble: Callable[[], str]
    lost: Callable[[str], None]
    pulse: Pulse | None = None
    sources: dict[str, TellsState] = field(factory=dict, init=False)
    board: Board = field(factory=Board, init=False)
    _alerts: Alerts = field(factory=Alerts, init=False)

    def report(self, part: str, name: str, health: Health, reason: str = "", *, told: bool = False) -> None:
        """Take over what a part says of one of its conditions. A change is written down, unless `told`."""
        now_ns = self.clock.now_ns()
        change = self.board.report(part, name, health, reason, now_ns)
        if change is not None and not told:
            self.write(health_event(part, change.after, now_ns))

    def see(self, record: Record) -> None:
        """Look at a record that has become durable."""
        for alert in self._alerts.see(record):
            self.write(alert)
        if isinstance(record, Outcome | PositionChanged):
            self._stops(record.account)

    def journal_failed(self, error: Exception) -> None:
        """The journal takes nothing any more: the observers are told, and whoever reads the sign of life."""
        now_ns = self.clock.now_ns()
        change = self.board.report(JOURNAL, "written", Health.DOWN, str(error), now_ns)
        if change is not None:
            self.tell(health_event(JOURNAL, change.after, now_ns))
            self.tell(Event(now_ns, "error", "alert_journal", f"{error}; nothing is opened any more"))
        self.beat()

    async def keep(self) -> None:
        """Look, and give a sign of life, again and again."""
        while True:
            self.look()
            self.beat()
            await asyncio.sleep(LOOK_EVERY_S if self.pulse is None else BEAT_EVERY_S)

    def look(self) -> None:
        """Look at what reports nothing by itself, and raise what is due because it has lasted."""
        self._look_at_lease()
        why = self.stopped()
        self.report(ENGINE, "entries", Health.DEGRADED if why else Health.HEALTHY, why, told=True)
        for part, source in self.sources.items():
            self._ask(part, source)
        for alert in self._alerts.look(self.board, self.clock.now_ns()):
            self.write(alert)

    def beat(self, ended: str = "") -> None:
        """Give a sign of life, or say why there will be none any more."""
        if self.pulse is None:
            return
        try:
            self.pulse.beat(self.board.conditions, ended=ended)
        except OSError as error:
            self.report(ENGINE, "sign of life", Health.DEGRADED, f"{self.pulse.directory}: {error.strerror}")
        else:
            self.report(ENGINE, "sign of life", Health.HEALTHY)

    def _look_at_lease(self) -> None:
        """Once it is lost it stays so: who has started meanwhile is not known. Nothing but entries depends on it."""
        trouble = self.lease_trouble()
        if trouble and self.board.report(ENGINE, "lease", Health.DOWN, trouble, self.clock.now_ns()) is not None:
            text = f"{trouble}; nothing is opened here any more, what is open stays protected"
            self.write(Event(self.clock.now_ns(), "error", "lease_lost", text))
            self.lost(f"the lease was lost: {trouble}")

    def _ask(self, part: str, source: TellsState) -> None:
        """A source's own events tell what happened to it; here only what follows for its health is kept."""
        try:
            for name, health, reason in judged(source.state()):
                self.report(part, name, health, reason, told=True)
        except Exception as error:  # a plugin's mistake must not end the watch
            self.report(part, "state", Health.DEGRADED, f"{type(error).__name__}: {error}")

    def _stops(self, account: str) -> None:
        """Whether every stop of an account that was sent has been confirmed."""
        symbols = self._alerts.unconfirmed(account)
        reason = f"not confirmed: {', '.join(sorted(symbols))}" if symbols else ""
        self.report(f"account {account}", "stops", Health.DEGRADED if symbols else Health.HEALTHY, reason)
