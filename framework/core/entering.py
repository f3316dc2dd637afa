"""A position on its way in: what follows from news of its entry orders. Used by handlers.py and reads.py."""

from __future__ import annotations

from . import guards
from .evolving import evolve
from .happenings import Alert, Command, Level
from .legs import EntryLeg, LegState
from .numbers import ZERO
from .plan import fit_quantity
from .position import Exit, Position, State
from .steering import POLL_NS, TIDY_NS, Policy, Step, close, enter, look_at, protect, stop_entering
from .verdict import Rejection

_TARGET_IN_DOUBT = (LegState.UNKNOWN, LegState.CANCELLING)


def after_entry(position: Position, policy: Policy, now_ns: int) -> Step:
    """Go on from what is known of the entry: the next order, protection of what is filled, or the end."""
    commands: tuple[Command, ...] = ()
    if position.entry_is_known and position.entered < position.plan.quantity:
        position, commands = _next_entry(position, policy, now_ns)
    if position.open_quantity > ZERO:
        if position.exit is None:
            position, guarded = guard_entry(position, policy, now_ns)
            commands = (*commands, *guarded)
        if position.exit is not None:  # a protection wants it closed at once, or somebody did before it was open
            closing, more = close(position, position.exit.reason, now_ns)
            return closing, (*commands, *more)
        position, more = protect(position, policy, now_ns)
        # The stop that came with the entry is told by the stream in a moment; it is read back all the same.
        waits = any(stop.attached and stop.state is LegState.SENT for stop in position.stops)
        return position, (*commands, *more, *(look_at(position, POLL_NS) if waits else ()))
    if position.entered > ZERO:  # opened and closed already
        return after_exit(position, policy, now_ns)
    if position.entry.state is LegState.UNKNOWN:
        return evolve(position, state=State.UNKNOWN), commands
    if position.entry_is_over:
        failure = position.failure or "nothing was filled"
        alert = Alert(Level.WARNING, "entry_failed", f"{position.account} {position.symbol}: {failure}")
        return evolve(position, state=State.ABORTED, closed_ns=now_ns), (*commands, alert)
    return evolve(position, state=State.ENTERING), commands


def chase(position: Position, now_ns: int) -> Step:
    """Ask for what the venue should have told of the entry by now; cancel an order that has rested long enough.

    A market order that was only acknowledged, and one that nobody is sure of, are polled: their news may be lost.
    """
    leg = position.entry
    if leg.state in (LegState.UNKNOWN, LegState.CANCELLING):
        return position, look_at(position, POLL_NS)
    if leg.state is not LegState.RESTING:
        in_doubt = any(part.state in (LegState.RESTING, LegState.UNKNOWN) for part in position.closes)
        in_doubt = in_doubt or any(part.state in _TARGET_IN_DOUBT for part in position.targets)
        return position, look_at(position, TIDY_NS) if in_doubt else ()
    if leg.doubted and _is_overdue(leg, now_ns):
        return stop_entering(position)
    polled = leg.doubted or leg.step.price is None
    return position, look_at(position, POLL_NS) if polled else ()


def give_up_unread(position: Position, now_ns: int) -> Step:
    """Cancel an entry that nobody is sure of and that should not rest any more, although the venue can't be read.

    It may rest there for as long as reads fail; cancelling it can do no harm, and is repeated until it is known.
    """
    leg = position.entry
    doubted = leg.state is LegState.UNKNOWN or (leg.state is LegState.RESTING and leg.doubted)
    return stop_entering(position) if doubted and _is_overdue(leg, now_ns) else (position, ())


def _is_overdue(leg: EntryLeg, now_ns: int) -> bool:
    """Whether an entry order has rested, or may have, as long as its execution wanted."""
    return leg.step.cancel_after_ns is not None and now_ns >= leg.sent_ns + leg.step.cancel_after_ns


def after_exit(position: Position, policy: Policy, now_ns: int) -> Step:
    """Go on from an execution that reduced the position."""
    if position.open_quantity > ZERO and position.exit is None:
        return resume(position, policy, now_ns)
    if position.state.is_final:
        return position, ()
    if position.state is not State.EMERGENCY:
        position = evolve(position, state=State.CLOSING)
    position, commands = stop_entering(position)
    return position, (*commands, *look_at(position))


def resume(position: Position, policy: Policy, now_ns: int) -> Step:
    """Go on protecting where that is what the position is at; elsewhere the fact was noted and that is all."""
    guarded = position.state in (State.UNPROTECTED, State.PROTECTED, State.QUARANTINED) and position.exit is None
    if guarded and position.open_quantity > ZERO:
        return keep_quarantine(position, *protect(position, policy, now_ns))
    return position, ()


def keep_quarantine(before: Position, after: Position, commands: tuple[Command, ...]) -> Step:
    """Only a read that shows nothing strange ends a quarantine: what is steered meanwhile does not."""
    steered = (State.ENTERING, State.UNKNOWN, State.PROTECTED, State.UNPROTECTED)
    if before.state is State.QUARANTINED and after.state in steered:
        return evolve(after, state=State.QUARANTINED), commands
    return after, commands


def guard_entry(position: Position, policy: Policy, now_ns: int) -> Step:
    """Compute the stop from the real average entry price, again after each fill."""
    price = position.entry_price
    if price is None:
        return position, ()
    if position.opened_ns is None:
        position = evolve(position, opened_ns=now_ns)
    if price == position.guarded_price:
        return position, ()
    guarded = guards.begin(position, policy.protections, price)
    position = guarded.position
    if guarded.close is not None:
        position = evolve(position, exit=Exit(guarded.close, now_ns))
    return position, (*guarded.notes, *failures(position, guarded.failures))


def failures(position: Position, texts: tuple[str, ...]) -> tuple[Command, ...]:
    """An alert for each protection that raised."""
    return tuple(
        Alert(Level.ERROR, "protection_failed", f"{position.account} {position.symbol}: {text}; its last stop stays")
        for text in texts
    )


def _next_entry(position: Position, policy: Policy, now_ns: int) -> Step:
    """Ask the execution for another order; never once one was refused or in doubt, or the deadline is over."""
    rest = position.plan.quantity - position.entered
    late = now_ns >= position.decided_ns + policy.entry_deadline_ns
    refused = bool(position.failure) and not position.entry.filled and position.entry.step.price is None
    doubted = any(leg.doubted for leg in position.entries)
    opening = position.state in (State.ENTERING, State.UNPROTECTED, State.PROTECTED)
    if late or refused or doubted or position.exit is not None or not opening:
        return position, ()
    if isinstance(fit_quantity(position.plan.rules, position.planned_price, rest), Rejection):
        return position, ()
    try:
        step = policy.execution.after(position.plan, position.tries)
    except Exception as error:  # what is filled is protected; there is no more of it
        text = f"{position.account} {position.symbol}: {policy.execution.name} raised {type(error).__name__}: {error}"
        return position, (Alert(Level.ERROR, "execution_failed", text),)
    return enter(position, step, rest, policy, now_ns) if step is not None else (position, ())
