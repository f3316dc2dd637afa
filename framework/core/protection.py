"""What a protection sees and answers, and how the answers of several become one stop.

A protection is a small pure state machine. It says where its stop should be, whether to close now, and **when
it next wants to be asked**: at a price on either side, or at a time. Nobody asks it in between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from attrs import field, frozen

from .market import MarketRules, PriceSource
from .numbers import ZERO, nearest_to
from .signal import Side, SignalSettings
from .verdict import Number


@frozen
class Holding:
    """An open position as a protection sees it. `entry_price` is the average of the entry's fills.

    Before the entry it is called with the price that the entry is expected to get, to plan the first stop.
    `fee_rate` is what the entry's executions cost as a fraction of their value (0.0005: 0.05 %), 0 while unknown.
    `leverage` is that of the account when the position was decided on, None where it is not known.
    `liquidation_price` is what the venue last told of the open position, None before, and where it tells none.
    `measured` is what protections measured when the position was decided on (`MeasuresMarket`); it never changes.
    """

    account: str
    symbol: str
    side: Side
    entry_price: Decimal
    quantity: Decimal
    opened_ns: int
    rules: MarketRules
    settings: SignalSettings = field(factory=SignalSettings)
    fee_rate: Decimal = ZERO
    leverage: Decimal | None = None
    liquidation_price: Decimal | None = None
    measured: Mapping[str, Decimal] = field(factory=dict)


@frozen
class Ask:
    """When a protection next wants to be asked: at a price at or below `below`, at or above `above`, at `at_ns`.

    All None: never again.
    """

    below: Decimal | None = None
    above: Decimal | None = None
    at_ns: int | None = None


@frozen
class Target:
    """A price at which a part of the position is closed in profit. `share` is a fraction of all that was entered.

    `rests`: as a limit order at the venue, where it can; else, and where the venue refuses that, it is closed at the
    market once the price is there.
    """

    price: Decimal
    share: Decimal
    rests: bool = False


@frozen
class NoState:
    """The state of a protection that remembers nothing."""


@frozen
class Guard:
    """A protection's answer. `state` is its own attrs object, kept in the journal and handed back next time.

    `stop` is where it wants the stop, unrounded; the kernel rounds to the nearest tick and never loosens.
    `close` is a reason code when the position must be closed now. `numbers` go to ``explain``. `targets` are the
    prices at which parts are closed, unrounded, nearest first; they are carried out without asking. `limit` is a price
    that no stop may reach or lie beyond, on the losing side: a plan whose stop does is refused. Who sets one is started
    anew when the venue tells another liquidation price. `trigger_by` is the
    price that triggers its stop at the venue; the prices that protections are asked with are last prices.
    """

    state: Any
    stop: Decimal | None
    ask: Ask = Ask()
    close: str | None = None
    numbers: Mapping[str, Number] = field(factory=dict)
    targets: tuple[Target, ...] = ()
    limit: Decimal | None = None
    trigger_by: PriceSource = PriceSource.LAST


@frozen
class Named:
    """A protection under another name: of several of one kind each has its own answers, kept under its own name."""

    name: str
    component: Any

    def start(self, holding: Holding) -> Guard:
        """As the component answers."""
        guard: Guard = self.component.start(holding)
        return guard

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        """As the component answers."""
        guard: Guard = self.component.on_price(holding, state, price, time_ns)
        return guard


P = TypeVar("P")


def named(components: Sequence[P]) -> list[P | Named]:
    """These protections with names that tell them apart: the second ``trailing-stop`` is ``trailing-stop-2``."""
    counts: dict[str, int] = {}
    result: list[P | Named] = []
    for component in components:
        name = str(getattr(component, "name", ""))
        counts[name] = count = counts.get(name, 0) + 1
        result.append(component if count == 1 else Named(f"{name}-{count}", component))
    return result


def tighter(side: Side, one: Decimal, other: Decimal) -> bool:
    """Whether a stop at `one` protects more than a stop at `other`."""
    return one > other if side.sign > 0 else one < other


def tightest(side: Side, stops: Mapping[str, Decimal]) -> tuple[str, Decimal] | None:
    """The name and price of the stop that protects most; of equal ones the first. None without any."""
    best: tuple[str, Decimal] | None = None
    for name, price in stops.items():
        if best is None or tighter(side, price, best[1]):
            best = (name, price)
    return best


def beyond_limit(side: Side, stop: Decimal, guards: Mapping[str, Guard]) -> tuple[str, Decimal] | None:
    """The first protection whose limit `stop` reaches or lies beyond, and that limit; None if it respects all."""
    for name, guard in guards.items():
        if guard.limit is not None and not tighter(side, stop, guard.limit):
            return name, guard.limit
    return None


def on_tick(rules: MarketRules, stop: Decimal) -> Decimal:
    """A wanted stop as the venue takes it: the nearest tick, a tie away from zero."""
    return nearest_to(stop, rules.tick_size)


def usable_stop(guard: Guard, rules: MarketRules) -> Decimal | None:
    """The stop that `guard` wants, on tick. Raises `TypeError` or `ValueError`: plugins are not trusted to be right.

    The stop must round to a price above zero, the levels that it asks for must be numbers.
    """
    if not isinstance(guard, Guard):
        raise TypeError(f"answered {guard!r}, which is no guard")
    wish, wanted = guard.ask, guard.stop
    for level in (wish.below, wish.above):
        if level is not None and not (isinstance(level, Decimal) and level.is_finite()):
            raise ValueError(f"asked for a price that is no number: {wish}")
    if wanted is None:
        return None
    stop = nearest_to(wanted, rules.tick_size)
    if not stop > ZERO:
        raise ValueError(f"wants a stop at {guard.stop}, which is no price")
    return stop
