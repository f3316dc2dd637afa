"""What exchanges tell on their own account, brought to the positions that it concerns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from attrs import define

from ..core.alerts import STREAM
from ..core.events import (
    ExchangeEvent,
    FillSeen,
    HealthSeen,
    MarketsSeen,
    OrderSeen,
    PositionSeen,
    SilenceAsked,
    StopSeen,
    StreamLost,
    StreamRestored,
    VenueNotice,
)
from ..core.happenings import CloseAnswered, Command, EntryAnswered, Filled, Happening, RulesChanged, StopChanged
from ..core.health import Health
from ..core.ids import owner_of
from ..core.legs import CloseLeg, TargetLeg
from ..core.orders import Fill, OrderReport, StopReport, VenuePosition
from ..core.position import Position, State
from ..core.restart import is_calm
from ..core.steering import SECOND_NS, look_at
from .desk import Desk
from .watchman import Report


class _Run(Protocol):
    def __call__(self, desk: Desk, position: Position, commands: tuple[Command, ...]) -> None: ...


@define
class News:
    """Sorts events. `happened` steers a position, `run` starts its commands, `say` writes (level, code, message) down.

    `report` says how
    something of an account is. `is_known` tells whether a position, by its id, is one of this run, over or not.
    """

    happened: Callable[[str, Happening], None]
    run: _Run
    say: Callable[[str, str, str], None]
    is_known: Callable[[str], bool]
    gap: Callable[[Desk], None]
    report: Report

    def take(self, desk: Desk, event: ExchangeEvent) -> None:
        """Take in one event of one account."""
        match event:
            case FillSeen(fill):
                self._fill_seen(desk, fill)
            case OrderSeen(report):
                self._order_seen(desk, report)
            case StopSeen(report):
                self._stop_seen(desk, report)
            case PositionSeen(position):
                self._position_seen(desk, position)
            case MarketsSeen(markets):
                desk.markets = markets
                self.compare_rules(desk)
            case VenueNotice(level, code, message):
                self.say(level, code, message)
            case HealthSeen():
                self.report(f"account {desk.account}", event.condition, event.health, event.reason, told=event.told)
            case SilenceAsked(until_ns, why):
                self.say("warning", "silence_asked", f"{desk.account}: {why}; nothing is sent before {_utc(until_ns)}")
            case StreamLost(why):
                self.say("warning", "stream_lost", f"{desk.account}: {why}")
                self.report(f"account {desk.account}", STREAM, Health.DEGRADED, why, told=True)
            case StreamRestored():
                self.say("info", "stream_restored", f"{desk.account}: reading back what was missed")
                self.report(f"account {desk.account}", STREAM, Health.HEALTHY, told=True)
                for held in desk.unsettled():
                    if not is_calm(held):
                        self.run(desk, held, look_at(held))
                self.gap(desk)

    def _fill_seen(self, desk: Desk, fill: Fill) -> None:
        """An execution goes to its own position; one that is not ours to whoever is open in its market."""
        owner = owner_of(fill.client_id)
        holder = desk.holder_of(fill.symbol)
        if owner is None and holder is not None:
            owner = holder.id
        if owner in desk.positions:
            self.happened(owner, Filled(fill))
        elif owner is None or not self.is_known(owner):
            what = "that is not ours" if owner is None else "of a position that this run does not know"
            text = f"{desk.account} {fill.symbol}: an execution of {fill.quantity} at {fill.price} {what}"
            self.say("warning", "foreign_fill", text)

    def _order_seen(self, desk: Desk, report: OrderReport) -> None:
        owner = owner_of(report.client_id)
        if owner is None or owner not in desk.positions:
            return
        closes = isinstance(desk.positions[owner].leg_of(report.client_id), (CloseLeg, TargetLeg))
        happening = CloseAnswered if closes else EntryAnswered
        self.happened(owner, happening(report.client_id, report))

    def _stop_seen(self, desk: Desk, report: StopReport) -> None:
        """An attached stop may come without a name: then it is that of whoever is open in its market."""
        owner = owner_of(report.client_id)
        holder = desk.holder_of(report.symbol)
        if owner is None and report.attached and holder is not None:
            owner = holder.id
        if owner in desk.positions:
            self.happened(owner, StopChanged(report))

    def compare_rules(self, desk: Desk) -> None:
        """Positions go on by the rules of their market as they are now; where it is listed no more, by the old."""
        for held in desk.open_positions():
            rules = desk.markets.get(held.symbol)
            if rules is not None and rules != held.plan.rules:
                self.happened(held.id, RulesChanged(rules))

    def _position_seen(self, desk: Desk, seen: VenuePosition) -> None:
        """Only a position that contradicts ours is worth a look: reads are believed, single pushes are not."""
        held = desk.holder_of(seen.symbol)
        if held is None or held.state not in (State.PROTECTED, State.UNPROTECTED):
            return
        if seen.quantity * held.side.sign != held.open_quantity:
            self.run(desk, held, look_at(held, SECOND_NS))


def _utc(t_ns: int) -> str:
    return f"{datetime.fromtimestamp(t_ns // SECOND_NS, UTC):%Y-%m-%d %H:%M:%S} UTC"
