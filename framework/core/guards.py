"""The protections of a position at work: asked in turn, the tightest stop wins, and it only ever tightens."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from attrs import evolve, frozen

from .decide import Protector
from .happenings import NoteStop
from .plan import wrong_side
from .position import Position
from .protection import Ask, Guard, on_tick, tighter, tightest, usable_stop


@frozen
class Guarded:
    """A position after its protections were asked. `close` is the reason code when one of them wants it closed.

    `failures` names the protections that raised; their last answer stays in force.
    """

    position: Position
    close: str | None = None
    notes: tuple[NoteStop, ...] = ()
    failures: tuple[str, ...] = ()


def begin(position: Position, protections: Sequence[Protector], price: Decimal) -> Guarded:
    """Ask all protections anew because the average entry price became, or changed to, `price`."""
    guards = dict(position.guards)
    failures: list[str] = []
    for protection in protections:
        try:
            guard = protection.start(position.holding(price))
            usable_stop(guard, position.plan.rules)
            guards[protection.name] = guard
        except Exception as error:  # its last answer, or the planned stop, stays: never without one
            failures.append(f"{protection.name} raised {type(error).__name__}: {error}")
    wanted = tightest(position.side, _stops(position, guards))
    name, stop = wanted if wanted is not None else (position.wanted_by, position.planned_stop)
    if position.initial_stop is not None and not tighter(position.side, stop, position.wanted_stop):
        name, stop = position.wanted_by, position.wanted_stop  # what protects already is not given up
    numbers = {"entry_price": price} | dict(guards[name].numbers if name in guards else {})
    first = position.guarded_price is None
    changed = evolve(position, guards=guards, guarded_price=price, wanted_stop=stop, wanted_by=name)
    close = next((guard.close for guard in guards.values() if guard.close is not None), None)
    if first or stop != position.wanted_stop:
        note = NoteStop(None if first else position.wanted_stop, stop, name, numbers)
        return Guarded(changed, close, (note,), tuple(failures))
    return Guarded(changed, close, (), tuple(failures))


def ask(position: Position, protections: Sequence[Protector], price: Decimal, time_ns: int) -> Guarded:
    """Ask the protections whose level or time was reached, and tighten the wanted stop where they want it."""
    guards = dict(position.guards)
    wanted: dict[str, Decimal] = {}  # only of those that were asked: no other stop is tighter than the wanted one
    failures: list[str] = []
    close: str | None = None
    for protection in protections:
        guard = guards.get(protection.name)
        if guard is None or not is_due(guard.ask, price, time_ns):
            continue
        try:
            answer = protection.on_price(position.guarded, guard.state, price, time_ns)
            stop = usable_stop(answer, position.plan.rules)
        except Exception as error:  # its last stop stays where it is; it is not asked again at this level
            failures.append(f"{protection.name} raised {type(error).__name__}: {error}")
            guards[protection.name] = evolve(guard, ask=Ask())
            continue
        guards[protection.name] = answer
        if stop is not None:
            wanted[protection.name] = stop
        close = close or answer.close
    chosen = tightest(position.side, wanted)
    if chosen is None or not tighter(position.side, chosen[1], position.wanted_stop):
        unmoved = position.with_guards(guards, position.wanted_stop, position.wanted_by)
        return Guarded(unmoved, close, (), tuple(failures))
    name, stop = chosen
    note = NoteStop(position.wanted_stop, stop, name, {"price": price, **guards[name].numbers})
    if close is None and wrong_side(position.side, stop, price):
        close = name
    return Guarded(position.with_guards(guards, stop, name), close, (note,), tuple(failures))


def next_ask(position: Position) -> Ask:
    """When any of the position's protections next wants to be asked: the nearest level on each side, and time."""
    below: Decimal | None = None
    above: Decimal | None = None
    at_ns: int | None = None
    for guard in position.guards.values():
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


def _stops(position: Position, guards: dict[str, Guard]) -> dict[str, Decimal]:
    rules = position.plan.rules
    return {name: on_tick(rules, guard.stop) for name, guard in guards.items() if guard.stop is not None}
