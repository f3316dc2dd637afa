"""Whether what a venue shows is older than what is known. Then what it does not show proves nothing.

A venue's reads may come from a copy that is behind: by a moment always, by minutes when something is wrong. They
carry no time of their own. But an execution that was told, and that a read of executions does not have, says that all
that was read before it is older still.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from .evolving import evolve
from .facts import note_close, note_entry, note_fills, note_stop, note_target, stop_of
from .happenings import VenueRead
from .ids import owner_of
from .legs import CloseLeg, LegState, TargetLeg
from .numbers import ZERO
from .orders import Fill
from .position import Position

LATE_NS = 900_000_000_000
"""So long after an execution a read that does not have it is called late; after that it is believed all the same.

Longer than copies of a venue are known to be behind. It ends, because what is never shown must not be waited for.
"""

_IN_DOUBT = (LegState.SENT, LegState.UNKNOWN, LegState.LOST)


def is_late(position: Position, held: Decimal, shown: Iterable[Fill], now_ns: int) -> bool:
    """Whether a read is older than an execution of the position: its entry, where it shows nothing held; its exit.

    `held` is what the read shows, counted on the position's side; `shown` are all executions of its market since it
    was decided on, read after everything else.
    """
    shown = tuple(shown)
    names = {fill.id for fill in shown}
    recently_ns = now_ns - LATE_NS
    missing = [fill for fill in position.fills.values() if fill.time_ns > recently_ns and fill.id not in names]
    if any(fill.side is position.side.exit for fill in missing):
        return True
    if held > ZERO:
        return False
    return bool(missing) or (position.last_entry_ns > recently_ns and _lacks_reported(position, shown))


def _lacks_reported(position: Position, shown: Iterable[Fill]) -> bool:
    """Whether reports of entries tell of more than the executions do. What was adopted has no executions of its own."""
    if position.first_sequence or not position.entry_is_known:
        return False
    side = position.side.entry
    own = (fill.quantity for fill in shown if fill.side is side and owner_of(fill.client_id) == position.id)
    return sum(own, ZERO) < sum((leg.filled for leg in position.entries), ZERO)


def note_shown(position: Position, read: VenueRead) -> Position:
    """What a late read shows, and nothing of what it does not show.

    Of a stop it tells only that one of unknown outcome rests: where it rests is known better already.
    """
    for identifier, report in read.orders.items():
        if report is None:
            continue
        leg = position.leg_of(identifier)
        if isinstance(leg, CloseLeg):
            position = note_close(position, identifier, report)
        elif isinstance(leg, TargetLeg):
            position = note_target(position, leg, report)
        else:
            position = note_entry(position, identifier, report)
    position = note_fills(position, read.fills)
    for stop in read.stops:
        known = stop_of(position, stop)
        if known is None or not stop.live or known.state not in _IN_DOUBT:
            continue
        position = note_stop(position, stop)
        shown = stop_of(position, stop)
        if shown is not None:
            position = position.with_leg(evolve(shown, missing=0))
    return position
