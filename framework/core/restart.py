"""A position of an earlier run: what was under way when that run ended is in doubt now, and the venue is asked."""

from __future__ import annotations

from decimal import Decimal

from .evolving import evolve
from .happenings import Command, StartDeadline
from .legs import LegState
from .numbers import ZERO
from .position import Position, State
from .steering import Policy, Step, look_at, must_move
from .targets import lacks_targets

_ENTRY_IN_DOUBT = (LegState.SENT, LegState.CANCELLING)
_STOP_IN_DOUBT = (LegState.SENT, LegState.MOVING, LegState.CANCELLING)


def is_calm(position: Position) -> bool:
    """Whether nothing is under way, wanted or in doubt: it is open, protected, and every order of it has its place.

    And every execution of its entry was told: the answer to an order knows neither their prices nor their fees. Those
    of an adopted position are not asked for: they belong to what nobody wrote down.
    """
    live = position.live_stop
    return (
        position.state is State.PROTECTED
        and position.entry_is_known
        and position.exit is None
        and position.surplus == 0
        and live is not None
        and not must_move(position, live)
        and all(leg.state is LegState.DONE for leg in position.closes)
        and all(target.state in (LegState.RESTING, LegState.DONE) for target in position.targets)
        and all(stop.is_over or stop.state is LegState.RESTING for stop in position.stops)
        and not any(stop.is_doubtful for stop in position.stops)
        and (position.first_sequence > 0 or _executed(position) >= position.entered)
    )


def _executed(position: Position) -> Decimal:
    return sum((fill.quantity for fill in position.fills.values() if fill.side is position.side.entry), ZERO)


def taken_over(position: Position, policy: Policy) -> Step:
    """The position as this run may know it, with the commands that find out the rest.

    Requests without an answer are of unknown outcome: an entry is looked for and never sent again, a stop is looked
    for and placed if it is not there, a close is repeated if the venue still holds something. One that is calm is not
    read by itself: the first reading of its account says whether it is as it was.
    """
    if is_calm(position) and not lacks_targets(position, policy, 0):
        return evolve(position, misses=0, failed_reads=0, silent_until_ns=None), ()
    for entry in position.entries:
        if entry.state in _ENTRY_IN_DOUBT:
            position = position.with_leg(evolve(entry, state=LegState.UNKNOWN, doubted=True))
        elif entry.state is LegState.RESTING:  # nobody counts the time it may rest any more
            position = position.with_leg(evolve(entry, doubted=True))
    for stop in position.stops:
        if stop.state in _STOP_IN_DOUBT:
            position = position.with_leg(evolve(stop, state=LegState.UNKNOWN))
    for close in position.closes:
        in_doubt = bool(close.taken_by) and close.state is not LegState.DONE
        position = position.with_leg(evolve(close, state=LegState.UNKNOWN if in_doubt else LegState.DONE))
    for target in position.targets:
        if target.state in _STOP_IN_DOUBT:
            position = position.with_leg(evolve(target, state=LegState.UNKNOWN))
    if position.state is State.ENTERING and position.entry.state is LegState.UNKNOWN:
        position = evolve(position, state=State.UNKNOWN)
    position = evolve(position, misses=0, failed_reads=0, silent_until_ns=None)
    commands: tuple[Command, ...] = look_at(position)
    if position.unprotected_since_ns is not None:
        commands = (*commands, StartDeadline(policy.protect_within_ns))
    return position, commands
