"""The record of one position: its orders, what was filled, its stops. Data only; lifecycle.py moves it on."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar

from attrs import evolve, field, frozen

from .execution import EntryPlan, EntryStep, EntryTry
from .ids import Leg, client_id
from .market import OpenPosition
from .numbers import ZERO
from .orders import Fill
from .protection import Guard, Holding, tighter
from .signal import Side, SignalSettings


class State(enum.Enum):
    """Where a position stands in its life. The remarks of lifecycle.TABLE say how it gets from one to the next."""

    ENTERING = "entering"
    UNKNOWN = "unknown"
    UNPROTECTED = "unprotected"
    PROTECTED = "protected"
    EMERGENCY = "emergency"
    CLOSING = "closing"
    QUARANTINED = "quarantined"
    CLOSED = "closed"
    ABORTED = "aborted"

    @property
    def is_final(self) -> bool:
        """Whether the position is over: closed, or never opened."""
        return self in (State.CLOSED, State.ABORTED)


class LegState(enum.Enum):
    """Where one order of a position stands, as far as we know."""

    SENT = "sent"
    RESTING = "resting"
    CANCELLING = "cancelling"
    MOVING = "moving"
    UNKNOWN = "unknown"
    TRIGGERED = "triggered"
    DONE = "done"


@frozen
class EntryLeg:
    """One entry order. `filled` is cumulative; `average_price` is that of its fills."""

    client_id: str
    step: EntryStep
    quantity: Decimal
    state: LegState
    sent_ns: int
    filled: Decimal = ZERO
    average_price: Decimal | None = None


@frozen
class StopLeg:
    """One protective stop. While it is being moved, `trigger_price` and `quantity` still say where it rests.

    `missing` counts the reads in a row that did not show it although it should rest: not found is no proof.
    """

    client_id: str
    trigger_price: Decimal
    quantity: Decimal
    state: LegState
    attached: bool
    wanted_by: str
    missing: int = 0

    @property
    def is_live(self) -> bool:
        """Whether it rests at the venue, so that it would act. One that is being cancelled does not count."""
        return self.state in (LegState.RESTING, LegState.MOVING)


@frozen
class CloseLeg:
    """One reduce-only order that closes."""

    client_id: str
    quantity: Decimal
    state: LegState
    filled: Decimal = ZERO


@frozen
class Exit:
    """Why and how a position ends. `trigger_price` is that of the stop that acted, None for a close of ours."""

    reason: str
    triggered_ns: int
    trigger_price: Decimal | None = None


@frozen
class Position:
    """One position, from the intent to its end. Quantities in the base asset, prices and money in USD, times ns UTC.

    `planned_stop` is the first stop as planned, `wanted_stop` where the stop should be now (on tick), wanted by
    the protection `wanted_by`. `guards` holds the last answer of each protection. `fills` are the executions that
    were counted, by id. `misses` counts the reads in a row that found nothing of an unknown entry, or a flat
    venue while executions are still missing: one alone proves nothing.
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
    initial_stop: Decimal | None = None
    exit: Exit | None = None
    stop_tries: int = 0
    misses: int = 0
    opened_ns: int | None = None
    protected_ns: int | None = None
    unprotected_since_ns: int | None = None
    closed_ns: int | None = None
    failure: str = ""

    # ── quantities and prices ───────────────────────────────────────────────────────────────────────────────

    @property
    def entered(self) -> Decimal:
        """What the entry has filled so far: the larger of what its orders and its executions say."""
        by_orders = sum((leg.filled for leg in self.entries), ZERO)
        return max(by_orders, self._filled(self.side.entry.value))

    @property
    def exited(self) -> Decimal:
        """What has been closed so far, by executions."""
        return self._filled(self.side.exit.value)

    @property
    def open_quantity(self) -> Decimal:
        """What is open now, as far as executions and order answers tell. Never negative."""
        return max(ZERO, self.entered - self.exited)

    @property
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

    def _filled(self, side: str) -> Decimal:
        return sum((f.quantity for f in self.fills.values() if f.side.value == side), ZERO)

    # ── orders ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def entry(self) -> EntryLeg:
        """The entry order that was sent last."""
        return self.entries[-1]

    @property
    def entry_is_over(self) -> bool:
        """Whether no entry order can fill any more."""
        return all(leg.state is LegState.DONE for leg in self.entries)

    @property
    def tries(self) -> tuple[EntryTry, ...]:
        """The entry orders that have ended, for the execution to go on from."""
        return tuple(EntryTry(leg.step, leg.quantity, leg.filled) for leg in self.entries)

    @property
    def live_stop(self) -> StopLeg | None:
        """The stop that protects: of those that cover all that is open, the tightest. None: unprotected."""
        best: StopLeg | None = None
        for stop in self.stops:
            if not stop.is_live or not (stop.attached or stop.quantity >= self.open_quantity):
                continue
            if best is None or tighter(self.side, stop.trigger_price, best.trigger_price):
                best = stop
        return best

    @property
    def status(self) -> str:
        """The state in the words of reports: opening, open, closing, closed, failed, quarantined."""
        return _STATUS[self.state]

    def next_id(self, leg: Leg) -> str:
        """The client id of the next order of this kind."""
        count = {Leg.ENTRY: len(self.entries), Leg.STOP: len(self.stops), Leg.EXIT: len(self.closes)}[leg]
        return client_id(self.id, leg, count)

    def leg_of(self, identifier: str) -> EntryLeg | StopLeg | CloseLeg | None:
        """The order with this client id."""
        legs: tuple[EntryLeg | StopLeg | CloseLeg, ...] = (*self.entries, *self.stops, *self.closes)
        for leg in legs:
            if leg.client_id == identifier:
                return leg
        return None

    def with_leg(self, changed: EntryLeg | StopLeg | CloseLeg) -> Position:
        """This position with that order replaced (same client id), or added."""
        if isinstance(changed, EntryLeg):
            return evolve(self, entries=_replaced(self.entries, changed))
        if isinstance(changed, StopLeg):
            return evolve(self, stops=_replaced(self.stops, changed))
        return evolve(self, closes=_replaced(self.closes, changed))

    def with_fill(self, fill: Fill) -> Position:
        """This position with an execution counted once, by its id."""
        return self if fill.id in self.fills else evolve(self, fills={**self.fills, fill.id: fill})

    # ── views ───────────────────────────────────────────────────────────────────────────────────────────────

    def holding(self, price: Decimal) -> Holding:
        """This position as protections see it, entered at `price`."""
        opened_ns = self.opened_ns if self.opened_ns is not None else self.decided_ns
        quantity = self.open_quantity or self.plan.quantity
        return Holding(self.account, self.symbol, self.side, price, quantity, opened_ns, self.plan.rules, self.settings)

    def as_open(self) -> OpenPosition:
        """This position as filters and risk rules see it: until the entry is over, as large as planned."""
        quantity = self.open_quantity if self.entry_is_over else self.plan.quantity
        price = self.entry_price or self.planned_price
        return OpenPosition(self.account, self.symbol, self.side, quantity, price, quantity * price)


LegT = TypeVar("LegT", bound="EntryLeg | StopLeg | CloseLeg")

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


def average(parts: list[tuple[Decimal, Decimal]]) -> Decimal | None:
    """The quantity-weighted average price. One price alone is returned as it is written. None without quantity."""
    if not parts:
        return None
    prices = {price for _, price in parts}
    if len(prices) == 1:
        return parts[0][1]
    total = sum((quantity for quantity, _ in parts), ZERO)
    return sum((quantity * price for quantity, price in parts), ZERO) / total if total else None


def _replaced(legs: tuple[LegT, ...], changed: LegT) -> tuple[LegT, ...]:
    if any(leg.client_id == changed.client_id for leg in legs):
        return tuple(changed if leg.client_id == changed.client_id else leg for leg in legs)
    return (*legs, changed)
