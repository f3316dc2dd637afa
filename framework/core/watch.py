"""The protections of one position at work, without the position: who is asked when, and which stop follows.

All of them are asked at the entry, later each one only when the price or time that it asked for is reached. The
tightest stop wins, on the nearest tick, and it only ever tightens. A stop that the price has reached already is never
set: the position is closed instead. Who closes moves no stop any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from attrs import frozen

from .evolving import evolve
from .plan import wrong_side
from .protection import Ask, Guard, Holding, on_tick, tighter, tightest, usable_stop


class Protector(Protocol):
    """The part of a protection that planning and the life of a position use."""

    @property
    def name(self) -> str: ...

    def start(self, holding: Holding) -> Guard: ...

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard: ...


@frozen
class Close:
    """A protection wants the position closed now: which one, and its reason code."""

    component: str
    reason: str


class Watch(NamedTuple):  # a tuple is made in a third of the time, and two are made whenever a stop may move
    """The last answer of each protection by its name, and the stop in force, on tick, with the name of its owner.

    `stop` None: none of them wants any yet.
    """

    guards: Mapping[str, Guard]
    stop: Decimal | None = None
    stop_by: str = ""


class Watched(NamedTuple):
    """What came of asking: the watch after it, and whether to close. `failures` names the protections that raised."""

    watch: Watch
    close: Close | None = None
    failures: tuple[str, ...] = ()


def begin(holding: Holding, protections: Sequence[Protector], before: Mapping[str, Guard]) -> Watched:
    """Ask all protections at the entry price. One that raises keeps its answer of `before`, where there is one."""
    guards = dict(before)
    failures: list[str] = []
    for protection in protections:
        try:
            guard = protection.start(holding)
            usable_stop(guard, holding.rules)
            guards[protection.name] = guard
        except Exception as error:  # its last answer, or the planned stop, stays: never without one
            failures.append(_failure(protection, error))
    stops = {name: on_tick(holding.rules, guard.stop) for name, guard in guards.items() if guard.stop is not None}
    chosen = tightest(holding.side, stops)
    watch = Watch(guards) if chosen is None else Watch(guards, chosen[1], chosen[0])
    close = next((Close(name, guard.close) for name, guard in guards.items() if guard.close is not None), None)
    return Watched(watch, close, tuple(failures))


def ask(watch: Watch, holding: Holding, protections: Sequence[Protector], price: Decimal, time_ns: int) -> Watched:
    """Ask the protections whose level or time was reached, and tighten the stop where they want it."""
    guards = dict(watch.guards)
    wanted: dict[str, Decimal] = {}  # only of those that were asked: no other stop is tighter than the one in force
    failures: list[str] = []
    close: Close | None = None
    for protection in protections:
        guard = guards.get(protection.name)
        if guard is None or not is_due(guard.ask, price, time_ns):
            continue
        try:
            answer = protection.on_price(holding, guard.state, price, time_ns)
            stop = usable_stop(answer, holding.rules)
        except Exception as error:  # its last stop stays where it is; it is not asked again at this level
            failures.append(_failure(protection, error))
            guards[protection.name] = evolve(guard, ask=Ask())
            continue
        guards[protection.name] = answer
        if stop is not None:
            wanted[protection.name] = stop
        if close is None and answer.close is not None:
            close = Close(protection.name, answer.close)
    chosen = tightest(holding.side, wanted) if close is None else None
    if chosen is not None:
        name, stop = chosen
        if watch.stop is None or tighter(holding.side, stop, watch.stop):
            if not wrong_side(holding.side, stop, price):
                return Watched(Watch(guards, stop, name), None, tuple(failures))
            close = Close(name, name)
    return Watched(Watch(guards, watch.stop, watch.stop_by), close, tuple(failures))


def next_ask(guards: Iterable[Guard]) -> Ask:
    """When any of these answers next wants to be asked: the nearest level on each side, and the earliest time."""
    below: Decimal | None = None
    above: Decimal | None = None
    at_ns: int | None = None
    for guard in guards:
        wish = guard.ask
        if wish.below is not None and (below is None or wish.below > below):
            below = wish.below
        if wish.above is not None and (above is None or wish.above < above):
            above = wish.above
        if wish.at_ns is not None and (at_ns is None or wish.at_ns < at_ns):
            at_ns = wish.at_ns
    return Ask(below, above, at_ns)


def is_due(wish: Ask, price: Decimal, time_ns: int) -> bool:
    """Whether a protection that asked for `wish` is to be asked now."""
    return (
        (wish.below is not None and price <= wish.below)
        or (wish.above is not None and price >= wish.above)
        or (wish.at_ns is not None and time_ns >= wish.at_ns)
    )


def _failure(protection: Protector, error: Exception) -> str:
    return f"{protection.name} raised {type(error).__name__}: {error}"
