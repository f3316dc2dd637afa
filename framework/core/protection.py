"""What a protection sees and answers, and how the answers of several become one stop.

A protection is a small pure state machine. It says where its stop should be, whether to close now, and **when
it next wants to be asked**: at a price on either side, or at a time. Nobody asks it in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from .market import MarketRules
from .numbers import ZERO, nearest_to
from .signal import Side, SignalSettings
from .verdict import Number


@frozen
class Holding:
    """An open position as a protection sees it. `entry_price` is the average of the entry's fills.

    Before the entry it is called with the price that the entry is expected to get, to plan the first stop.
    """

    account: str
    symbol: str
    side: Side
    entry_price: Decimal
    quantity: Decimal
    opened_ns: int
    rules: MarketRules
    settings: SignalSettings = field(factory=SignalSettings)


@frozen
class Ask:
    """When a protection next wants to be asked: at a price at or below `below`, at or above `above`, at `at_ns`.

    All None: never again.
    """

    below: Decimal | None = None
    above: Decimal | None = None
    at_ns: int | None = None


@frozen
class NoState:
    """The state of a protection that remembers nothing."""


@frozen
class Guard:
    """A protection's answer. `state` is its own attrs object, kept in the journal and handed back next time.

    `stop` is where it wants the stop, unrounded; the kernel rounds to the nearest tick and never loosens.
    `close` is a reason code when the position must be closed now. `numbers` go to ``explain``.
    """

    state: Any
    stop: Decimal | None
    ask: Ask = Ask()
    close: str | None = None
    numbers: Mapping[str, Number] = field(factory=dict)


def tighter(side: Side, one: Decimal, other: Decimal) -> bool:
    """Whether a stop at `one` protects more than a stop at `other`."""
    return one > other if side is Side.LONG else one < other


def tightest(side: Side, stops: Mapping[str, Decimal]) -> tuple[str, Decimal] | None:
    """The name and price of the stop that protects most; of equal ones the first. None without any."""
    best: tuple[str, Decimal] | None = None
    for name, price in stops.items():
        if best is None or tighter(side, price, best[1]):
            best = (name, price)
    return best


def on_tick(rules: MarketRules, stop: Decimal) -> Decimal:
    """A wanted stop as the venue takes it: the nearest tick, a tie away from zero."""
    return nearest_to(stop, rules.tick_size)


def usable_stop(guard: Guard, rules: MarketRules) -> Decimal | None:
    """The stop that `guard` wants, on tick. Raises `TypeError` or `ValueError`: plugins are not trusted to be right.

    The stop must round to a price above zero, the levels that it asks for must be numbers.
    """
    if not isinstance(guard, Guard):
        raise TypeError(f"answered {guard!r}, which is no guard")
    for level in (guard.ask.below, guard.ask.above):
        if level is not None and not (isinstance(level, Decimal) and level.is_finite()):
            raise ValueError(f"asked for a price that is no number: {guard.ask}")
    if guard.stop is None:
        return None
    stop = on_tick(rules, guard.stop)
    if not stop > ZERO:
        raise ValueError(f"wants a stop at {guard.stop}, which is no price")
    return stop
