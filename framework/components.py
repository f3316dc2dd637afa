"""What each kind of component must do. A component is one attrs class:

its fields are its settings, its docstring is its help, its methods are its behaviour. The kernel structures the
component's own TOML table straight into the class (strictly: an unknown key is an error) and gives it nothing
else of the configuration. Fields that are not settings are declared with ``init=False``.

Filters, risk rules, sizers, executions and protections are pure and synchronous. Signal sources, exchanges and
observers do I/O, behind async methods.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import attrs
from attrs import field, frozen

from .core.events import ExchangeEvent
from .core.execution import EntryPlan, EntryStep, EntryTry
from .core.feed import Batch, MarketUpdate, SourceState, Timeline
from .core.market import Account, MarketData, MarketRules, MarketSnapshot, Need, Portfolio, Quote
from .core.orders import (
    Balance,
    CloseOrder,
    EntryAnswer,
    EntryOrder,
    Fill,
    OrderReport,
    StopAnswer,
    StopOrder,
    StopReport,
    VenuePosition,
)
from .core.plan import SizedPlan, SizingRequest
from .core.protection import Guard, Holding
from .core.records import Record
from .core.resting import RestingOrder
from .core.signal import Signal
from .core.verdict import Rejection, Size, Verdict


class Secret:
    """A secret setting: filled from ``{ env = "NAME" }`` or ``{ file = "path" }``, printed as ``***`` everywhere."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself. Call this where it is used, and keep the result nowhere."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("a Secret is not pickled")


def positive(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    """Validator for settings: a number (or `Percent`) greater than zero; None passes."""
    number = getattr(value, "value", value)
    if number is not None and not number > 0:
        raise ValueError(f"must be greater than 0, got {number}")


def not_negative(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    """Validator for settings: a number (or `Percent`) of zero or more; None passes."""
    number = getattr(value, "value", value)
    if number is not None and not number >= 0:
        raise ValueError(f"must not be negative, got {number}")


class Clock(Protocol):
    """The one clock: nanoseconds UTC. In a recorded session or a simulation it is a virtual one."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""


# ── pure components ─────────────────────────────────────────────────────────────────────────────────────────


class Filter(Protocol):
    """Thins a wave: lets a signal through or refuses it. Guards entries only; it can never delay an exit."""

    name: ClassVar[str]

    @property
    def needs(self) -> frozenset[Need]:
        """The data that `check` reads. A class attribute will do, a property where settings decide."""

    def check(self, signal: Signal, market: MarketSnapshot) -> Verdict:
        """`Passed`, `Notice` (goes on, but is shown) or `Rejection`. Exceptions count as a rejection."""


class Sizer(Protocol):
    """Decides how much to buy or sell."""

    name: ClassVar[str]

    def size(self, request: SizingRequest) -> Size | Rejection:
        """A quantity that satisfies the market's rules (`framework.fit_quantity` helps), or why there is none."""


class RiskRule(Protocol):
    """Limits what the deployment as a whole may hold. Asked last, with the sized plan."""

    name: ClassVar[str]

    def check(self, plan: SizedPlan, portfolio: Portfolio) -> Verdict:
        """`Passed`, `Notice` or `Rejection`. Positions that are being opened count as open."""


class Execution(Protocol):
    """Decides with which orders a position is entered, one after another. Exits are the kernel's own."""

    name: ClassVar[str]

    def first(self, plan: EntryPlan) -> EntryStep:
        """The first order."""

    def after(self, plan: EntryPlan, tries: tuple[EntryTry, ...]) -> EntryStep | None:
        """The next order for what is still missing once an order has ended; None to be content with the fills.

        Never called after an order whose outcome is unknown: an entry is sent at most once.
        """


class Protection(Protocol):
    """Keeps a stop on a position. A pure state machine that says when it next wants to be asked.

    `state_type` is the attrs class of its state; the kernel keeps states in the journal across restarts.
    """

    name: ClassVar[str]
    state_type: ClassVar[type]

    def start(self, holding: Holding) -> Guard:
        """The answer at the entry: called with the expected price to plan the stop, again with the real fill."""

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        """The answer at the last price, when one of the prices or the time it asked for has been reached."""


# ── components that do I/O ──────────────────────────────────────────────────────────────────────────────────


class SourceLink(Protocol):
    """What a signal source gets from the kernel."""

    @property
    def clock(self) -> Clock:
        """The one clock."""

    async def submit(self, batch: Batch) -> None:
        """Hand over signals. Returns once they are durable: only then acknowledge them to the sender."""

    def publish(self, update: MarketUpdate) -> None:
        """Hand over recorded market data. It reaches simulated exchanges, and what stands in for real ones."""

    async def until(self, t_ns: int) -> None:
        """Wait until the clock shows `t_ns`, never a nanosecond early; at once if it does already.

        A session that plays a recording may skip the time in which nothing happens.
        """

    def tell(self, level: Literal["info", "warning", "error"], code: str, message: str) -> None:
        """Say something of this source that people should find again: an `Event` in the journal.

        Say a change once, not every time that it is found again. ``error`` means that a person should look.
        """


class SignalSource(Protocol):
    """Brings signals in."""

    name: ClassVar[str]

    def timeline(self) -> Timeline | None:
        """The clock of a recorded session; None for a live source. Raises `ConfigError` if it can't be read."""

    async def run(self, link: SourceLink) -> None:
        """Deliver until there is nothing more to come (a recorded session), or until cancelled."""


@runtime_checkable
class TellsState(Protocol):
    """A signal source that can be asked for its state at any time, at once and for free."""

    def state(self) -> SourceState:
        """The facts as of now."""


@frozen
class Capabilities:
    """What a venue can do. `simulated` venues risk no money and take recorded market data.

    `rests_targets`: it takes reduce-only limit orders (`CloseOrder` with a price) for parts that are taken in profit.
    `real_money`: orders there cost money. True for a production venue, False for a testnet or an emulated one.
    `attaches_stops`: the stop travels inside the entry and follows the position. `amends_stops`: a resting stop
    is moved in place; elsewhere the new one is placed and confirmed before the old one is cancelled.
    """

    simulated: bool = False
    attaches_stops: bool = False
    amends_stops: bool = False
    real_money: bool = False
    rests_targets: bool = False


@frozen
class ExchangeLink:
    """What an exchange gets from the kernel: its account's name, the clock, randomness, and two ways to speak.

    `emit` queues an event. `quote` tells a new price; it is cheap, and wakes only who asked for that price.
    `reads_only`: it is only looked at (``framework check``): nothing may be set at the venue, and what keeps the
    account from being traded is reported by its checkup, not raised at the start. `silent_until_ns`: the venue wants no
    request before, as an earlier start or process was told (`SilenceAsked`); 0: nothing is known. `active_ns`: when an
    earlier run of this deployment wrote something down last, as it does before each request; 0: none did.
    """

    account: str
    clock: Clock
    random: random.Random
    emit: _Emit
    quote: _QuoteSink
    reads_only: bool = False
    silent_until_ns: int = 0
    active_ns: int = 0


class _Emit(Protocol):
    def __call__(self, event: ExchangeEvent) -> None: ...


class _QuoteSink(Protocol):
    def __call__(self, symbol: str, quote: Quote) -> None: ...


class Exchange(Protocol):
    """One account on one venue. Reads raise `ExchangeError` when they fail; they never answer "nothing" instead.

    Orders are answered with what the venue said (`OrderReport`, `StopReport`), with `Refusal`, or with
    `Unknown`, which is never no. Whatever the outcome, nothing else may be raised by the four order methods.
    """

    name: ClassVar[str]
    capabilities: Capabilities

    async def start(self, link: ExchangeLink) -> None:
        """Connect and be ready to trade. Raises `ExchangeError`; unless that is `for_good`, it is called again."""

    async def stop(self) -> None:
        """Let go of sockets and tasks. Orders and positions at the venue stay as they are."""

    async def markets(self) -> Mapping[str, MarketRules]:
        """The rules of every market that may be traded now, by symbol."""

    async def market_data(self, symbol: str, needs: frozenset[Need]) -> MarketData:
        """What decisions need to know of one market."""

    async def balance(self) -> Balance:
        """The account's money."""

    async def positions(self) -> tuple[VenuePosition, ...]:
        """Every position that is not flat."""

    async def entry_report(self, symbol: str, client_id: str) -> OrderReport | None:
        """An entry or close of ours by client id. None: the venue does not know it, which proves nothing."""

    async def stops(self, symbol: str) -> tuple[StopReport, ...]:
        """The stops of ours that rest in one market, the attached one included."""

    async def resting(self) -> tuple[RestingOrder, ...]:
        """Every order of the account that rests, stops among them, in all markets: ours and those of others.

        All pages of it, or `ExchangeError`. A stop that has triggered does not rest any more.
        """

    async def fills(self, symbol: str, since_ns: int) -> tuple[Fill, ...]:
        """Executions in one market since an instant, oldest first."""

    async def place_entry(self, order: EntryOrder) -> EntryAnswer:
        """Send an entry, with its stop where the venue attaches stops. Sent once; never repeated by the plugin."""

    async def cancel_entry(self, symbol: str, client_id: str) -> EntryAnswer:
        """Cancel a resting entry, or a resting close; the report says what it filled before."""

    async def place_stop(self, order: StopOrder) -> StopAnswer:
        """Place a stop, or set the attached one."""

    async def move_stop(self, order: StopOrder) -> StopAnswer:
        """Move the resting stop of that client id to a new trigger price or quantity, without a gap."""

    async def cancel_stop(self, symbol: str, client_id: str) -> StopAnswer:
        """Remove a stop. Not found counts as removed: the report says it is not live."""

    async def close_position(self, order: CloseOrder) -> EntryAnswer:
        """Send a reduce-only order: at the market, or, with a price, one that rests (`Capabilities.rests_targets`)."""

    def watch(self, symbols: frozenset[str]) -> None:
        """The markets whose prices are needed from now on: those of open positions."""


@runtime_checkable
class PlaysRecordings(Protocol):
    """An exchange that takes its market from a recorded session: a simulated venue."""

    def play(self, update: MarketUpdate) -> None:
        """Take over a piece of the recorded market at its instant."""


class Observer(Protocol):
    """Sees all records once they are durable. It can't delay trading: what it is too slow for is dropped."""

    name: ClassVar[str]

    async def observe(self, record: Record) -> None:
        """Take one record."""


@runtime_checkable
class SeesMarket(Protocol):
    """An observer that is told of the market too. Both are called while trading goes on: note it, and return."""

    def saw(self, account: str, data: MarketData) -> None:
        """What is about to be decided on: the data that was fetched for one candidate."""

    def ticked(self, account: str, symbol: str, quote: Quote) -> None:
        """A price of a market that is watched, for it has an open position."""


@frozen
class Checkup:
    """One line of ``framework check``: what was looked at, whether it is fine, and what to do if not."""

    subject: str
    ok: bool
    message: str
    numbers: Mapping[str, str] = field(factory=dict)


@runtime_checkable
class Checkable(Protocol):
    """A component that can be asked about its own readiness, before anything is traded."""

    async def checkup(self) -> tuple[Checkup, ...]:
        """What was looked at and what came of it."""


@runtime_checkable
class ExercisesStops(Protocol):
    """An exchange that can prove that its stops work, before a position depends on one."""

    async def exercise_stops(self) -> tuple[Checkup, ...]:
        """Place, read, move and cancel a smallest stop far away from the market, and report each step.

        It takes the path of a real stop: the venue's own conditional orders. Called after `start` and `markets`.
        Leaves nothing behind, whatever fails on the way. A step that fails is a checkup that is not fine.
        """


__all__ = [
    "Account",
    "Capabilities",
    "Checkable",
    "Checkup",
    "Clock",
    "Exchange",
    "ExchangeLink",
    "Execution",
    "ExercisesStops",
    "Filter",
    "Observer",
    "PlaysRecordings",
    "Protection",
    "RiskRule",
    "Secret",
    "SeesMarket",
    "SignalSource",
    "Sizer",
    "SourceLink",
    "TellsState",
    "not_negative",
    "positive",
]
