"""Small components and facts for tests of the pure core: a fixed stop, a trailing one, two ways to enter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from attrs import evolve, frozen

from framework.core.execution import EntryPlan, EntryStep, EntryTry
from framework.core.happenings import (
    Alert,
    Command,
    EntryAnswered,
    Filled,
    StopAnswered,
    VenueRead,
)
from framework.core.ids import Leg, leg_of
from framework.core.lifecycle import advance, begin
from framework.core.market import MarketRules, PriceSource
from framework.core.numbers import floor_to
from framework.core.orders import CloseOrder, Fill, OrderReport, OrderStatus, OrderType, StopReport, VenuePosition
from framework.core.plan import SizedPlan
from framework.core.position import Position, State
from framework.core.protection import Ask, Guard, Holding, NoState, Target
from framework.core.signal import OrderSide, Side
from framework.core.steering import SECOND_NS, Enterer, Policy, Step
from framework.core.watch import Protector
from framework.testing import NOW_NS, SYMBOL, make_plan, make_rules
from tests.core.venue_shown import Shown

D = Decimal
RULES = make_rules(min_notional=1)


@frozen
class FixedStop:
    """A stop at a fixed share of the entry price, in percent."""

    name: ClassVar[str] = "fixed"
    state_type: ClassVar[type] = NoState

    percent: Decimal = D(6)
    trigger: PriceSource = PriceSource.LAST

    def start(self, holding: Holding) -> Guard:
        away = holding.side.sign * holding.entry_price * self.percent / 100
        return Guard(NoState(), holding.entry_price - away, trigger_by=self.trigger)

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        return self.start(holding)


@frozen
class Best:
    """The best price that the trailer has seen."""

    price: Decimal


@frozen
class Trailer:
    """A stop that follows the best price at a fixed distance, and asks again one tick further."""

    name: ClassVar[str] = "trailer"
    state_type: ClassVar[type] = Best

    distance: Decimal = D(2)

    def start(self, holding: Holding) -> Guard:
        return self._at(holding, holding.entry_price, stop=None)

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        sign = holding.side.sign
        best = max(state.price * sign, price * sign) * sign
        return self._at(holding, best, best - sign * self.distance)

    def _at(self, holding: Holding, best: Decimal, stop: Decimal | None) -> Guard:
        level = best + holding.side.sign * holding.rules.tick_size
        return Guard(Best(best), stop, Ask(above=level) if holding.side is Side.LONG else Ask(below=level))


@frozen
class Taker:
    """No stop, but parts that are closed in profit: each an amount of USD from the entry, and a share."""

    name: ClassVar[str] = "taker"
    state_type: ClassVar[type] = NoState

    levels: tuple[tuple[str, str], ...] = (("1", "0.4"), ("3", "0.6"))
    rests: bool = False

    def start(self, holding: Holding) -> Guard:
        entry, sign = holding.entry_price, holding.side.sign
        targets = tuple(Target(entry + sign * D(move), D(share), self.rests) for move, share in self.levels)
        return Guard(NoState(), None, targets=targets)

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        return self.start(holding)


@frozen
class AtMarket:
    """One market order."""

    name: ClassVar[str] = "market"

    def first(self, plan: EntryPlan) -> EntryStep:
        return EntryStep(OrderType.MARKET)

    def after(self, plan: EntryPlan, tries: tuple[EntryTry, ...]) -> EntryStep | None:
        return None


@frozen
class LimitFirst:
    """A limit order for a while, then the rest at the market."""

    name: ClassVar[str] = "limit-first"

    wait_ns: int = 3 * SECOND_NS

    def first(self, plan: EntryPlan) -> EntryStep:
        price = floor_to(plan.quote.taken_by(plan.side), plan.rules.tick_size)
        return EntryStep(OrderType.LIMIT, price=price, cancel_after_ns=self.wait_ns)

    def after(self, plan: EntryPlan, tries: tuple[EntryTry, ...]) -> EntryStep | None:
        return EntryStep(OrderType.MARKET) if len(tries) == 1 else None


def policy(
    protections: Sequence[Protector] = (FixedStop(),),
    execution: Enterer = AtMarket(),
    *,
    attaches: bool = False,
    amends: bool = False,
    rests: bool = False,
) -> Policy:
    """A policy with the default limits, on a venue without abilities unless given."""
    return Policy(protections, execution, attaches_stops=attaches, amends_stops=amends, rests_targets=rests)


def plan(side: Side = Side.LONG, quantity: str = "1", rules: MarketRules = RULES) -> SizedPlan:
    """A plan for one piece at about 100 with a stop at 94, or 106 for a short."""
    return make_plan(side, quantity=quantity, price=100, rules=rules)


class Life:
    """A position in a test: `it` is the position, `commands` what the last step asked for, `now_ns` the time."""

    def __init__(self, policy: Policy, plan: SizedPlan, now_ns: int = NOW_NS) -> None:
        self.policy = policy
        self.now_ns = now_ns
        self.alerts: list[Alert] = []
        self.it: Position
        self.commands: tuple[Command, ...]
        self._take(begin(plan, "wave", policy, now_ns))

    def happens(self, *happenings: Any, after_ns: int = 0) -> tuple[Command, ...]:
        """Let things happen one after another; the commands of the last of them."""
        self.now_ns += after_ns
        for happening in happenings:
            self._take(advance(self.it, happening, self.policy, self.now_ns))
        return self.commands

    def _take(self, step: Step) -> None:
        self.it, self.commands = step
        self.alerts += [command for command in self.commands if isinstance(command, Alert)]

    def asked(self, kind: type) -> list[Any]:
        """The commands of one type that the last step asked for."""
        return [command for command in self.commands if isinstance(command, kind)]

    def read(
        self,
        position: VenuePosition | None,
        *stops: StopReport,
        fills: tuple[Fill, ...] = (),
        orders: Mapping[str, OrderReport | None] | None = None,
        after_ns: int = 0,
    ) -> tuple[Command, ...]:
        """Let the venue be read, after a while, with the executions that are known; the commands that follow."""
        self.now_ns += after_ns
        shown = {fill.id: fill for fill in (*fills, *executed(self.it, fills))}
        return self.happens(VenueRead(self.now_ns, position, stops, orders or {}, tuple(shown.values())))

    def read_late(self, position: VenuePosition | None, *stops: StopReport, after_ns: int = 0) -> tuple[Command, ...]:
        """Let the venue be read as it was before anything was executed; the commands that follow."""
        self.now_ns += after_ns
        return self.happens(VenueRead(self.now_ns, position, stops))

    def is_now(self, state: State) -> bool:
        """Whether the position is in this state."""
        return self.it.state is state

    @property
    def ids(self) -> list[str]:
        """The client ids of the position's stops, in the order in which they were made."""
        return [stop.client_id for stop in self.it.stops]

    @property
    def codes(self) -> list[str]:
        """The codes of all alerts so far."""
        return [alert.code for alert in self.alerts]


def executed(position: Position, shown: tuple[Fill, ...] = ()) -> tuple[Fill, ...]:
    """The executions that a venue shows of a position besides: those known, and what entries are reported for."""
    known = tuple(position.fills.values())
    told = {fill.client_id for fill in (*known, *shown)}
    silent = [leg for leg in position.entries if leg.filled and leg.client_id not in told]
    return known + tuple(
        fill(leg.client_id, leg.client_id, position.side.entry, str(leg.filled), str(leg.average_price))
        for leg in silent
    )


def report(client_id: str, status: OrderStatus, filled: str = "0", price: str | None = None) -> OrderReport:
    """What the venue says of an order. The price is 100 where something was filled, unless given."""
    average = D(price) if price is not None else (D(100) if D(filled) else None)
    return OrderReport(client_id, SYMBOL, status, D(filled), average)


def entry_fill(position: Position, quantity: str = "1", price: str = "100", number: int = 1) -> Fill:
    """An execution of the position's last entry order."""
    return fill(f"in-{number}", position.entry.client_id, position.side.entry, quantity, price)


def stop_fill(position: Position, quantity: str = "1", price: str = "94", number: int = 1) -> Fill:
    """An execution of the position's last stop."""
    made = fill(f"stop-{number}", position.stops[-1].client_id, position.side.exit, quantity, price)
    return evolve(made, cause="stop")


def close_fill(position: Position, quantity: str = "1", price: str = "99", number: int = 1) -> Fill:
    """An execution of the position's last closing order."""
    return fill(f"close-{number}", position.closes[-1].client_id, position.side.exit, quantity, price)


def foreign_fill(position: Position, quantity: str, *, opens: bool, number: int = 1, later_ns: int = 1) -> Fill:
    """An execution that somebody else caused in the position's market."""
    side = position.side.entry if opens else position.side.exit
    made = fill(f"hand-{number}", "by-hand", side, quantity, "100")
    return evolve(made, time_ns=NOW_NS + later_ns)


def fill(identity: str, client_id: str, side: OrderSide, quantity: str, price: str) -> Fill:
    """An execution at the default instant, for a fee of one cent."""
    return Fill(identity, f"order-{identity}", client_id, SYMBOL, side, D(quantity), D(price), D("0.01"), NOW_NS)


def resting(client_id: str, trigger: str | Decimal, quantity: str = "1") -> StopReport:
    """A stop that rests at the venue."""
    return StopReport(client_id, SYMBOL, live=True, trigger_price=D(trigger), quantity=D(quantity))


def gone(client_id: str, reason: str = "cancelled") -> StopReport:
    """A stop that does not rest any more."""
    return StopReport(client_id, SYMBOL, live=False, reason=reason)


def held(quantity: str, price: str = "100") -> VenuePosition:
    """A position as the venue shows it; negative for a short."""
    return VenuePosition(SYMBOL, D(quantity), D(price))


def opened(policy: Policy, side: Side = Side.LONG, quantity: str = "1") -> Life:
    """A position whose market entry was filled whole at 100; its stop has not been answered."""
    life = Life(policy, plan(side, quantity))
    fill = entry_fill(life.it, quantity)
    life.happens(
        Filled(fill), EntryAnswered(life.it.entry.client_id, report(fill.client_id, OrderStatus.FILLED, quantity))
    )
    return life


def protected(policy: Policy, side: Side = Side.LONG, quantity: str = "1") -> Life:
    """A position that was filled whole at 100, with a stop that rests where it is wanted."""
    life = opened(policy, side, quantity)
    stop = life.it.stops[-1]
    if policy.attaches_stops:
        signed = quantity if side is Side.LONG else f"-{quantity}"
        life.read(held(signed), resting(stop.client_id, life.it.wanted_stop, quantity))
    else:
        life.happens(StopAnswered(stop.client_id, resting(stop.client_id, life.it.wanted_stop, quantity)))
    return life


def within_share(position: Position, order: CloseOrder, reached: Decimal, shown: Shown) -> bool:
    """Whether a part is no more than its share, with what the orders before it executed and what rests nearer.

    One at the market is of the targets that the price has `reached`.
    """
    targets = [target for guard in position.guards.values() for target in guard.targets]
    sign = position.side.sign
    price = reached if order.price is None else order.price
    nearer = [o for o in shown.orders if o.price is not None and o.reduces and (price - o.price) * sign >= 0]
    parts = (each for each in shown.fills if leg_of(each.client_id) in (Leg.TARGET, Leg.EXIT))
    gone = sum((each.quantity for each in parts), D(0))
    rests = sum((o.quantity - o.filled for o in nearer if not o.status.is_final), D(0))
    share = sum((target.share for target in targets if (price - target.price) * sign >= 0), D(0))
    return gone + rests + order.quantity <= share * position.entered
