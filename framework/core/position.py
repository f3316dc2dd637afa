"""The record of one position: its orders, what was filled, its stops. Data only; lifecycle.py moves it on."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar

from attrs import field, frozen

from .evolving import evolve, reckoned_once
from .execution import EntryPlan, EntryTry
from .ids import Leg, client_id, owner_of, sequence_of
from .legs import KEPT_LEGS, CloseLeg, EntryLeg, LegState, StopLeg, TargetLeg
from .market import OpenPosition, PriceSource
from .numbers import ZERO, average
from .orders import Fill
from .protection import Guard, Holding, tighter
from .signal import OrderSide, Side, SignalSettings


class State(enum.Enum):
    """Where a position stands in its life. The remarks of lifecycle.TABLE say how it gets from one to the next.

    `is_final`: whether the position is over: closed, or never opened.
    """

    is_final: bool

    ENTERING = "entering"
    UNKNOWN = "unknown"
    UNPROTECTED = "unprotected"
    PROTECTED = "protected"
    EMERGENCY = "emergency"
    CLOSING = "closing"
    QUARANTINED = "quarantined"
    CLOSED = "closed"
    ABORTED = "aborted"

    def __init__(self, value: str) -> None:
        self.is_final = value in ("closed", "aborted")


@frozen
class Exit:
    """Why and how a position ends. `trigger_price` is that of the stop that acted, None for a close of ours."""

    reason: str
    triggered_ns: int
    trigger_price: Decimal | None = None


@frozen(slots=False)  # with a dictionary, so that sums over fills are made once for each record
class Position:
    """One position, from the intent to its end. Quantities in the base asset, prices and money in USD, times ns UTC.

    `planned_stop` is the first stop as planned, `wanted_stop` where the stop should be now (on tick), wanted by
    the protection `wanted_by`. `guards` holds the last answer of each protection. `fills` are the executions that
    were counted, by id. `misses` counts the reads in a row that contradict what is known: one alone proves nothing.
    `failed_reads` those that failed, `refused_moves` the moves of the stop that were refused, `refused_closes` the
    closes that were refused for good: all in a row. `vanishings` are the stops that the venue took away by itself since
    `vanished_ns`, the first of them.
    `guarded_price` is the entry price that the guards were last begun with. `surplus` is what the venue holds beyond
    what this position explains, on its side. `watch_until_ns`: it is over, but may turn up again until then.
    `silent_until_ns`: the venue wants silence until then. `first_sequence` is where the sequences of its orders begin,
    above 0 for a position that was adopted. `liquidation_price` is the venue's own, as it was read last.
    """

    id: str
    account: str
    symbol: str
    side: Side
    signal_id: str
    wave_id: str
    settings: SignalSettings
    plan: EntryPlan
    planned_price: Decimal
    planned_stop: Decimal
    wanted_stop: Decimal
    wanted_by: str
    decided_ns: int
    state: State = State.ENTERING
    entries: tuple[EntryLeg, ...] = ()
    stops: tuple[StopLeg, ...] = ()
    closes: tuple[CloseLeg, ...] = ()
    fills: Mapping[str, Fill] = field(factory=dict)
    guards: Mapping[str, Guard] = field(factory=dict)
    guarded_price: Decimal | None = None
    initial_stop: Decimal | None = None
    exit: Exit | None = None
    stop_tries: int = 0
    refused_moves: int = 0
    refused_closes: int = 0
    vanishings: int = 0
    vanished_ns: int | None = None
    misses: int = 0
    failed_reads: int = 0
    surplus: Decimal = ZERO
    watch_until_ns: int | None = None
    opened_ns: int | None = None
    protected_ns: int | None = None
    unprotected_since_ns: int | None = None
    closed_ns: int | None = None
    silent_until_ns: int | None = None
    failure: str = ""
    first_sequence: int = 0
    leverage: Decimal | None = None
    planned_trigger: PriceSource = PriceSource.LAST
    targets: tuple[TargetLeg, ...] = ()
    liquidation_price: Decimal | None = None
    measured: Mapping[str, Decimal] = field(factory=dict)

    # ── quantities and prices ───────────────────────────────────────────────────────────────────────────────

    @reckoned_once
    def entered(self) -> Decimal:
        """What the entry has filled so far: the larger of what its orders and its executions say."""
        by_orders = sum((leg.filled for leg in self.entries), ZERO)
        return max(by_orders, self._filled(self.side.entry))

    @reckoned_once
    def exited(self) -> Decimal:
        """What has been closed so far, by executions."""
        return self._filled(self.side.exit)

    @property
    def ours(self) -> Decimal:
        """What is left of what was entered after the executions of our own orders, and the venue's doing."""
        exits = (f for f in self.fills.values() if f.side is self.side.exit)
        own = (f for f in exits if f.cause != "order" or owner_of(f.client_id) is not None)
        return max(ZERO, self.entered - sum((f.quantity for f in own), ZERO))

    @reckoned_once
    def open_quantity(self) -> Decimal:
        """What is open now, as far as executions and order answers tell. Never negative."""
        return max(ZERO, self.entered - self.exited)

    @property
    def cover(self) -> Decimal:
        """What a stop has to cover: all that the venue holds on this side, whoever bought it."""
        return self.open_quantity + self.surplus

    @reckoned_once
    def entry_price(self) -> Decimal | None:
        """The average price of the entry. None before the first fill.

        A single price is kept as it is written; a true average is not rounded.
        """
        fills = [f for f in self.fills.values() if f.side is self.side.entry]
        legs = [(leg.filled, leg.average_price) for leg in self.entries if leg.filled and leg.average_price]
        by_fills = sum((f.quantity for f in fills), ZERO)
        if by_fills >= sum((quantity for quantity, _ in legs), ZERO):
            return average([(f.quantity, f.price) for f in fills])
        return average([(quantity, price) for quantity, price in legs if price is not None])

    @property
    def exit_price(self) -> Decimal | None:
        """The average price of the executions that closed it. None before the first."""
        return average([(f.quantity, f.price) for f in self.fills.values() if f.side is self.side.exit])

    @property
    def is_opening(self) -> bool:
        """Whether it is on its way to be protected."""
        return self.state in (State.ENTERING, State.UNKNOWN, State.UNPROTECTED)

    @property
    def is_explained(self) -> bool:
        """Whether executions say that all of it was closed, and the venue has told all that was entered."""
        return self.entry_is_known and self.exited >= self.entered

    @property
    def is_told(self) -> bool:
        """Whether executions tell of all that was entered. What was adopted has none."""
        return self.first_sequence > 0 or self._filled(self.side.entry) >= self.entered

    @property
    def is_accounted(self) -> bool:
        """Whether nothing is to be learnt of it any more: executions tell of all that was entered, and of its end."""
        return self.is_explained and self.is_told

    @property
    def last_entry_ns(self) -> int:
        """When it last grew, as far as executions tell; else when it was first seen open."""
        opened_ns = self.decided_ns if self.opened_ns is None else self.opened_ns
        return max([opened_ns, *(f.time_ns for f in self.fills.values() if f.side is self.side.entry)])

    @property
    def last_exit_ns(self) -> int | None:
        """When it was last reduced."""
        return max((f.time_ns for f in self.fills.values() if f.side is self.side.exit), default=None)

    @property
    def fees_usd(self) -> Decimal:
        """What all executions cost."""
        return sum((f.fee_usd for f in self.fills.values()), ZERO)

    @property
    def realized_pnl_usd(self) -> Decimal | None:
        """Profit of what was closed, less all fees so far. None before the first exit fill."""
        entry, exit_price = self.entry_price, self.exit_price
        if entry is None or exit_price is None:
            return None
        return (exit_price - entry) * self.exited * self.side.sign - self.fees_usd

    def _filled(self, side: OrderSide) -> Decimal:
        return sum((f.quantity for f in self.fills.values() if f.side is side), ZERO)

    # ── orders ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def entry(self) -> EntryLeg:
        """The entry order that was sent last."""
        return self.entries[-1]

    @property
    def entry_is_over(self) -> bool:
        """Whether no entry order is expected to fill any more."""
        return all(leg.state in (LegState.DONE, LegState.LOST) for leg in self.entries)

    @property
    def entry_is_known(self) -> bool:
        """Whether the venue has told the end of every entry order, so that `entered` is exact."""
        return all(leg.state is LegState.DONE for leg in self.entries)

    @property
    def is_settled(self) -> bool:
        """Whether it is over and nothing of it can turn up any more: no order of its own, no doubt about its end."""
        return self.state.is_final and self.watch_until_ns is None and self.is_swept

    @property
    def is_swept(self) -> bool:
        """Whether no stop and no target of it rests, or may."""
        return all(stop.is_over for stop in self.stops) and all(target.is_over for target in self.targets)

    @property
    def tries(self) -> tuple[EntryTry, ...]:
        """The entry orders that have ended, for the execution to go on from."""
        return tuple(EntryTry(leg.step, leg.quantity, leg.filled) for leg in self.entries)

    @property
    def live_stop(self) -> StopLeg | None:
        """The stop that protects: of those that cover all that is held, the tightest. None: unprotected."""
        best: StopLeg | None = None
        for stop in self.stops:
            if self.is_covered_by(stop) and (best is None or self._is_better(stop, best)):
                best = stop
        return best

    def _is_better(self, stop: StopLeg, other: StopLeg) -> bool:
        """Whether a stop that covers all is tighter than another one, or as tight and nearer to what it covers."""
        same = stop.trigger_price == other.trigger_price
        return stop.quantity < other.quantity if same else tighter(self.side, stop.trigger_price, other.trigger_price)

    def is_covered_by(self, stop: StopLeg) -> bool:
        """Whether this stop rests and is for all that is held."""
        return stop.is_live and (stop.attached or stop.quantity >= self.cover)

    @property
    def status(self) -> str:
        """The state in the words of reports: opening, open, closing, closed, failed, quarantined."""
        return _STATUS[self.state]

    def next_id(self, leg: Leg) -> str:
        """The client id of the next order of this kind."""
        kinds: dict[Leg, tuple[AnyLeg, ...]]
        kinds = {Leg.ENTRY: self.entries, Leg.STOP: self.stops, Leg.TARGET: self.targets, Leg.EXIT: self.closes}
        last = kinds[leg][-1:]
        return client_id(self.id, leg, max(self.first_sequence, sequence_of(last[0].client_id) + 1 if last else 0))

    def leg_of(self, identifier: str) -> AnyLeg | None:
        """The order with this client id."""
        legs: tuple[AnyLeg, ...] = (*self.entries, *self.stops, *self.closes, *self.targets)
        for leg in legs:
            if leg.client_id == identifier:
                return leg
        return None

    def with_leg(self, changed: AnyLeg) -> Position:
        """This position with that order replaced (same client id), or added."""
        if isinstance(changed, EntryLeg):
            return evolve(self, entries=_replaced(self.entries, changed))
        if isinstance(changed, StopLeg):
            return evolve(self, stops=_replaced(self.stops, changed))
        if isinstance(changed, TargetLeg):
            return evolve(self, targets=_replaced(self.targets, changed))
        return evolve(self, closes=_replaced(self.closes, changed))

    def with_fill(self, fill: Fill) -> Position:
        """This position with an execution counted once, by its id."""
        return self if fill.id in self.fills else evolve(self, fills={**self.fills, fill.id: fill})

    def with_guards(self, guards: Mapping[str, Guard], wanted_stop: Decimal, wanted_by: str) -> Position:
        """This position after its protections answered.

        The one change that a price alone can make, so it is made without walking through all fields; what was summed
        up over orders and fills stays true.
        """
        changed = object.__new__(Position)
        changed.__dict__.update(self.__dict__, guards=guards, wanted_stop=wanted_stop, wanted_by=wanted_by)
        return changed

    # ── views ───────────────────────────────────────────────────────────────────────────────────────────────

    @reckoned_once
    def guarded(self) -> Holding:
        """This position as its protections see it since they were last begun."""
        return self.holding(self.guarded_price if self.guarded_price is not None else self.planned_price)

    def holding(self, price: Decimal) -> Holding:
        """This position as protections see it, entered at `price`."""
        opened_ns = self.opened_ns if self.opened_ns is not None else self.decided_ns
        quantity = self.open_quantity or self.plan.quantity
        of_entry = [f for f in self.fills.values() if f.side is self.side.entry]
        value = sum((f.quantity * f.price for f in of_entry), ZERO)
        rate = sum((f.fee_usd for f in of_entry), ZERO) / value if value else ZERO
        about = (self.account, self.symbol, self.side, price, quantity, opened_ns, self.plan.rules, self.settings)
        return Holding(
            *about,
            fee_rate=max(ZERO, rate),
            leverage=self.leverage,
            liquidation_price=self.liquidation_price,
            measured=self.measured,
        )

    @reckoned_once
    def as_open(self) -> OpenPosition:
        """This position as filters and risk rules see it: until the entry is over, as large as planned."""
        quantity = self.open_quantity if self.entry_is_over else self.plan.quantity
        price = self.entry_price or self.planned_price
        return OpenPosition(self.account, self.symbol, self.side, quantity, price, quantity * price)


AnyLeg = EntryLeg | StopLeg | CloseLeg | TargetLeg
LegT = TypeVar("LegT", bound=AnyLeg)

_STATUS = {
    State.ENTERING: "opening",
    State.UNKNOWN: "opening",
    State.UNPROTECTED: "open",
    State.PROTECTED: "open",
    State.EMERGENCY: "closing",
    State.CLOSING: "closing",
    State.QUARANTINED: "quarantined",
    State.CLOSED: "closed",
    State.ABORTED: "failed",
}


def _replaced(legs: tuple[LegT, ...], changed: LegT) -> tuple[LegT, ...]:
    if any(leg.client_id == changed.client_id for leg in legs):
        return tuple(changed if leg.client_id == changed.client_id else leg for leg in legs)
    done = [leg for leg in legs if leg.state is LegState.DONE]
    dropped = () if isinstance(changed, EntryLeg) else done[:-KEPT_LEGS]
    return (*(leg for leg in legs if leg not in dropped), changed)
