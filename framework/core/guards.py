"""The protections of a position: what `watch` answers, brought into the position's own record."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from attrs import frozen

from . import watch
from .evolving import evolve
from .happenings import NoteStop
from .position import Position
from .protection import Ask, tighter, usable_stop
from .taking import asks
from .watch import Protector, Watch


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
    watched = watch.begin(position.holding(price), protections, position.guards)
    guards = watched.watch.guards
    name, stop = watched.watch.stop_by, watched.watch.stop
    if stop is None:
        name, stop = position.wanted_by, position.planned_stop
    if position.initial_stop is not None and not tighter(position.side, stop, position.wanted_stop):
        name, stop = position.wanted_by, position.wanted_stop  # what protects already is not given up
    numbers = {"entry_price": price} | dict(guards[name].numbers if name in guards else {})
    first = position.guarded_price is None
    changed = evolve(position, guards=guards, guarded_price=price, wanted_stop=stop, wanted_by=name)
    close = None if watched.close is None else watched.close.reason
    if first or stop != position.wanted_stop:
        note = NoteStop(None if first else position.wanted_stop, stop, name, numbers)
        return Guarded(changed, close, (note,), watched.failures)
    return Guarded(changed, close, (), watched.failures)


def ask(position: Position, protections: Sequence[Protector], price: Decimal, time_ns: int) -> Guarded:
    """Ask the protections whose level or time was reached, and tighten the wanted stop where they want it."""
    before = Watch(position.guards, position.wanted_stop, position.wanted_by)
    watched = watch.ask(before, position.guarded, protections, price, time_ns)
    after = watched.watch
    stop = position.wanted_stop if after.stop is None else after.stop
    changed = position.with_guards(after.guards, stop, after.stop_by)
    close = None if watched.close is None else watched.close.reason
    if stop == position.wanted_stop:
        return Guarded(changed, close, (), watched.failures)
    note = NoteStop(position.wanted_stop, stop, after.stop_by, {"price": price, **after.guards[after.stop_by].numbers})
    return Guarded(changed, close, (note,), watched.failures)


def hear_liquidation(position: Position, protections: Sequence[Protector]) -> Guarded:
    """Start those protections anew that set a limit: the venue has told where it would liquidate the position.

    A stop that one of them wants now is set if it is tighter; like all others it never loosens.
    """
    answers, failures = dict(position.guards), []
    name, stop = position.wanted_by, position.wanted_stop
    for protection in protections:
        before = answers.get(protection.name)
        if before is None or before.limit is None:
            continue
        try:
            answer = protection.start(position.guarded)
            wanted = usable_stop(answer, position.plan.rules)
        except Exception as error:  # its last answer stays in force
            failures.append(f"{protection.name} raised {type(error).__name__}: {error}")
            continue
        answers[protection.name] = answer
        if wanted is not None and tighter(position.side, wanted, stop):
            name, stop = protection.name, wanted
    changed = position.with_guards(answers, stop, name)
    if stop == position.wanted_stop:
        return Guarded(changed, failures=tuple(failures))
    note = NoteStop(position.wanted_stop, stop, name, answers[name].numbers)
    return Guarded(changed, None, (note,), tuple(failures))


def next_ask(position: Position) -> Ask:
    """When the position next wants to hear of a price or a time: its protections, and its next target."""
    return asks(position)
