"""A venue that wants silence: what could not be sent counts for nothing, and goes out as soon as the silence ends."""

from __future__ import annotations

from .entering import resume
from .evolving import evolve
from .happenings import Alert, AwaitSilence, Level, SilenceOver
from .numbers import ZERO
from .orders import Refusal
from .position import Position
from .reads import is_leaving
from .steering import SECOND_NS, Policy, Step, acts_still, close, look_at


def wait(position: Position, refusal: Refusal, now_ns: int) -> Step:
    """Nothing was sent: no try is counted, and the next one is made when the silence ends."""
    delay_ns = refusal.silent_ns or 0
    until_ns = now_ns + delay_ns
    waits = position.silent_until_ns is not None
    if position.silent_until_ns is not None and until_ns <= position.silent_until_ns:
        return position, ()
    position = evolve(position, silent_until_ns=until_ns)
    if waits:
        return position, (AwaitSilence(delay_ns),)
    naked = position.live_stop is None
    text = f"{position.account} {position.symbol}: {refusal.message}; " + (
        "nothing protects it until then" if naked else "its stop stays where it is until then"
    )
    alert = Alert(Level.ERROR if naked else Level.WARNING, "venue_silent", text, {"seconds": delay_ns // SECOND_NS})
    return position, (alert, AwaitSilence(delay_ns))


def silence_over(position: Position, _event: SilenceOver, policy: Policy, now_ns: int) -> Step:
    """Stops go first: what is open is protected, and a close that waited is sent without reading anything before.

    It is reduce-only: should the position be gone, it does nothing. Only a stop that is at work is given its grace.
    """
    position = evolve(position, silent_until_ns=None)
    if not is_leaving(position):
        return resume(position, policy, now_ns)
    left = position.exit
    if left is None or acts_still(left, now_ns) or position.open_quantity <= ZERO:
        return position, look_at(position)
    return close(position, left.reason, now_ns, state=position.state)
