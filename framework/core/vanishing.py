"""A stop that the venue takes away by itself is placed again, but not for ever: then the position is closed."""

from __future__ import annotations

from .entering import resume
from .evolving import evolve
from .legs import LegState, StopLeg
from .position import Position, State
from .steering import SECOND_NS, Policy, Step, emergency, look_at

MOST_VANISHINGS = 4
WITHIN_NS = 60 * SECOND_NS
"""A position whose stops vanish so often within this time, counted from the first one, cannot be protected."""

CHECK_NS = 2 * SECOND_NS
"""The stop after one that vanished is looked for so much later: it may vanish too, and nobody may tell."""

_AT_WORK = (LegState.SENT, LegState.RESTING, LegState.MOVING)


def has_vanished(before: StopLeg | None, position: Position) -> bool:
    """Whether a stop that nobody cancelled is gone, and the position is one that needs it."""
    if before is None or before.state not in _AT_WORK or position.exit is not None:
        return False
    after = position.leg_of(before.client_id)
    open_still = (
        position.state in (State.UNPROTECTED, State.PROTECTED, State.QUARANTINED) and position.open_quantity > 0
    )
    return open_still and after is not None and after.state is LegState.DONE


def vanished(position: Position, policy: Policy, now_ns: int) -> Step:
    """Place the stop again and look whether it stays; or close the position, and tell people."""
    since_ns = position.vanished_ns
    if since_ns is None or now_ns - since_ns > WITHIN_NS:
        position = evolve(position, vanishings=1, vanished_ns=now_ns)
    else:
        position = evolve(position, vanishings=position.vanishings + 1)
    if position.vanishings >= MOST_VANISHINGS:
        text = f"its stop was taken away {position.vanishings} times within {WITHIN_NS // SECOND_NS} s"
        return emergency(position, "stop_vanishes", text, now_ns)
    position, commands = resume(position, policy, now_ns)
    return position, (*commands, *look_at(position, CHECK_NS))
