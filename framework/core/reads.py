"""What a read of the venue does to a position: it is noted, then what it confirms or contradicts is acted on.

A failed read concludes nothing. A single read that contradicts what is known proves nothing either.
"""

from __future__ import annotations

from decimal import Decimal

from . import guards
from .entering import after_entry, after_exit, chase, failures, give_up_unread, keep_quarantine
from .evolving import evolve
from .facts import adopt, excess, held_by, note_fills, note_orders, note_read, note_stops, unexplained
from .happenings import Alert, Command, Level, ReadFailed, VenueRead
from .lateness import is_late, note_shown
from .legs import LegState
from .numbers import ZERO
from .position import Position, State
from .steering import (
    POLL_NS,
    SECOND_NS,
    TIDY_NS,
    WATCH_EVERY_NS,
    WATCHED_CLOSELY_NS,
    Policy,
    Step,
    acts_still,
    close,
    finish,
    is_closing,
    look_at,
    stop_entering,
    tidy,
)

RETRY_READ_NS = SECOND_NS
SLOWEST_RETRY_NS = 8 * SECOND_NS
NAKED_READ_NS = SECOND_NS // 4
NAKED_READS = 8
"""So many failed reads of what may be naked are followed by the next one after a quarter of a second.

An outage that lasts longer is asked after less often: what is read must not use up what stops need.
"""
READS_BEFORE_ERROR = 5
"""So many failed reads in a row are a case for a person."""


def venue_read(position: Position, read: VenueRead, policy: Policy, now_ns: int) -> Step:
    if is_late(position, held_by(position, read), read.fills, now_ns):
        return _read_late(evolve(note_shown(position, read), failed_reads=0), policy, now_ns)
    position = evolve(adopt(note_read(position, read, policy.certain_ns), read), failed_reads=0)
    after, commands = _concluded(position, read, policy, now_ns)
    if any(stop.is_doubtful for stop in after.stops) and not after.state.is_final:
        return after, (*commands, *look_at(after, RETRY_READ_NS if _may_be_naked(after) else TIDY_NS))
    return after, commands


def _read_late(position: Position, policy: Policy, now_ns: int) -> Step:
    """The read is older than what is known: that goes on, and the venue is read again until it has caught up."""
    if position.is_explained:  # its stops have no use any more; but an execution that nobody told is waited for
        return finish(position, policy, now_ns) if position.is_told else (position, look_at(position, TIDY_NS))
    if is_leaving(position) and position.open_quantity > ZERO:
        return _still_open(position, position.open_quantity, policy, now_ns)
    if is_leaving(position):  # its exit is told, the end of its entry is not: that one is waited for
        position, commands = stop_entering(position)
        return position, (*commands, *look_at(position, TIDY_NS))
    after, commands = going_on(position, policy, now_ns)
    return after, (*commands, *look_at(after, RETRY_READ_NS if after.live_stop is None else TIDY_NS))


def is_leaving(position: Position) -> bool:
    """Whether it is being closed: also one that the venue takes no close for, and that is quarantined therefore."""
    stuck = position.state is State.QUARANTINED and position.refused_closes > 0
    return stuck or position.state in (State.CLOSING, State.EMERGENCY)


def _may_be_naked(position: Position) -> bool:
    return any(stop.is_live and stop.is_doubtful for stop in position.stops)


def _concluded(position: Position, read: VenueRead, policy: Policy, now_ns: int) -> Step:
    held = held_by(position, read)
    position = evolve(position, surplus=unexplained(position, read))
    foreign = excess(position, read)
    closing = is_leaving(position)
    if not closing and (held < ZERO or foreign > ZERO):
        return _quarantine(position, held, foreign, policy, now_ns)
    if held <= ZERO:
        position = _released(position)
        if read.nothing_held and position.exited < position.entered:  # only executions are believed then
            return position, look_at(position, RETRY_READ_NS)
        return _flat(position, policy, now_ns)
    if not closing:
        position = _released(position)
    if is_leaving(position):
        return _still_open(position, held, policy, now_ns)
    position, heard = _liquidation_heard(position, read, policy)
    after, commands = going_on(evolve(position, misses=0), policy, now_ns)
    commands = (*heard, *commands)
    # A read may be older than the executions: what it shows beyond them is covered, and looked at once more.
    return after, (*commands, *(look_at(after, WATCH_EVERY_NS) if position.surplus > ZERO else ()))


def _liquidation_heard(position: Position, read: VenueRead, policy: Policy) -> Step:
    """The venue's own liquidation price: who keeps away from it looks again, and may want the stop nearer."""
    told = None if read.position is None else read.position.liquidation_price
    if told is None or told == position.liquidation_price or position.guarded_price is None:
        return position, ()
    guarded = guards.hear_liquidation(evolve(position, liquidation_price=told), policy.protections)
    said = failures(position, guarded.failures)
    for note in guarded.notes:
        text = (
            f"{position.account} {position.symbol}: the venue liquidates it at {told}; the stop goes to {note.to_price}"
        )
        said = (Alert(Level.WARNING, "liquidation_near_stop", text, note.numbers), note, *said)
    return guarded.position, said


def going_on(position: Position, policy: Policy, now_ns: int) -> Step:
    """What follows from all that is known of a position that is not being closed."""
    after, commands = after_entry(position, policy, now_ns)
    after, more = chase(after, now_ns)
    return keep_quarantine(position, after, (*commands, *more))


# ── more, or something else, than ours ──────────────────────────────────────────────────────────────────────


def _not_ours(position: Position, held: Decimal, foreign: Decimal) -> Alert:
    what = f"{foreign} more than this position explains" if held > ZERO else f"{-held} on the other side"
    text = f"{position.account} {position.symbol}: the venue holds {what}; no more entries until it is resolved"
    return Alert(Level.ERROR, "position_not_ours", text)


def _quarantine(position: Position, held: Decimal, foreign: Decimal, policy: Policy, now_ns: int) -> Step:
    """Protect all that is held on this side, and let a person look. What is turned round is not touched."""
    said = () if position.state is State.QUARANTINED else (_not_ours(position, held, foreign),)
    position = evolve(position, state=State.QUARANTINED)
    if held < ZERO:
        position, commands = stop_entering(position)
    else:
        position, commands = going_on(position, policy, now_ns)
    return position, (*said, *commands, *look_at(position, WATCH_EVERY_NS))


def _released(position: Position) -> Position:
    """The position as it is once nothing strange is held beside it."""
    if position.state is not State.QUARANTINED:
        return position
    if position.exit is not None and position.entered > ZERO:
        return evolve(position, state=State.CLOSING)
    if position.entered > ZERO:
        return evolve(position, state=State.UNPROTECTED)
    unknown = position.entry.state is LegState.UNKNOWN
    return evolve(position, state=State.UNKNOWN if unknown else State.ENTERING)


# ── flat, or still open ─────────────────────────────────────────────────────────────────────────────────────


def _flat(position: Position, policy: Policy, now_ns: int) -> Step:
    """The venue shows no position of ours. One such read proves nothing unless the executions say the same."""
    if position.entered <= ZERO and position.exited <= ZERO:
        return _nothing_found(position, policy, now_ns)
    if position.is_explained:
        return finish(position, policy, now_ns)
    if position.exited >= position.entered and position.state not in (State.CLOSING, State.EMERGENCY):
        return after_exit(position, policy, now_ns)
    position = evolve(position, misses=position.misses + 1)
    if now_ns < position.last_entry_ns + policy.visible_ns:  # executions say that it is open: it may be hidden
        position, commands = going_on(position, policy, now_ns) if position.is_opening else (position, ())
        return position, (*commands, *look_at(position, RETRY_READ_NS))
    if position.misses < 2:
        return position, look_at(position, RETRY_READ_NS)
    if not position.entry_is_over:
        return _without_entry(position, policy, now_ns)
    return finish(position, policy, now_ns)


def _without_entry(position: Position, policy: Policy, now_ns: int) -> Step:
    """Make an end of an entry order that is open while its position is gone."""
    if position.entry.state is LegState.UNKNOWN and now_ns >= position.entry.sent_ns + policy.fence_ns:
        position = position.with_leg(evolve(position.entry, state=LegState.LOST))
        return position, look_at(position, POLL_NS)
    position, commands = stop_entering(position)
    return position, (*commands, *look_at(position, RETRY_READ_NS))


def _nothing_found(position: Position, policy: Policy, now_ns: int) -> Step:
    leg = position.entry
    if leg.state is not LegState.UNKNOWN:
        return going_on(position, policy, now_ns)
    if now_ns < leg.sent_ns + policy.fence_ns:
        return evolve(position, state=State.UNKNOWN), look_at(position, POLL_NS)
    if position.misses < 1:
        return evolve(position, state=State.UNKNOWN, misses=position.misses + 1), look_at(position, RETRY_READ_NS)
    text = f"{position.account} {position.symbol}: nobody knows the entry {leg.client_id}; given up, watched"
    position = position.with_leg(evolve(leg, state=LegState.LOST))
    position = evolve(
        position,
        state=State.ABORTED,
        closed_ns=now_ns,
        watch_until_ns=leg.sent_ns + policy.fence_ns + policy.watch_ns,
        failure="unknown outcome",
    )
    return position, (Alert(Level.ERROR, "entry_lost", text), *_watched(position, policy, now_ns))


def _still_open(position: Position, held: Decimal, policy: Policy, now_ns: int) -> Step:
    """Close what is left, as the venue counts it, but never more than was ours."""
    if is_closing(position):
        return position, look_at(position, POLL_NS)
    left = position.exit
    if left is not None and acts_still(left, now_ns):
        return position, look_at(position, POLL_NS)
    quantity = min(held, position.ours if position.entry_is_known else position.plan.quantity)
    if quantity > ZERO:
        reason = "stop_failed" if left is None else left.reason
        return close(evolve(position, misses=0), reason, now_ns, state=position.state, quantity=quantity)
    position = evolve(position, misses=position.misses + 1)
    if position.misses < 2:  # the read may be older than the executions
        return position, look_at(position, RETRY_READ_NS)
    after, commands = finish(position, policy, now_ns)
    return after, (_not_ours(position, held, held), *commands)


# ── over ────────────────────────────────────────────────────────────────────────────────────────────────────


def aborted_read(position: Position, read: VenueRead, policy: Policy, now_ns: int) -> Step:
    """The watch list: what was given up may have happened after all."""
    if position.watch_until_ns is None and position.entry_is_known:
        return position, ()
    position = evolve(adopt(note_read(position, read, policy.certain_ns), read), failed_reads=0)
    if position.open_quantity > ZERO:
        return revive(position, policy, now_ns)
    if position.entry.state is LegState.UNKNOWN and now_ns >= position.entry.sent_ns + policy.fence_ns:
        position = position.with_leg(evolve(position.entry, state=LegState.LOST))
    if position.entry.state in (LegState.UNKNOWN, LegState.RESTING, LegState.CANCELLING):
        position, commands = stop_entering(position)
        return position, (*commands, *look_at(position, RETRY_READ_NS))
    if position.watch_until_ns is None or now_ns >= position.watch_until_ns:
        return evolve(position, watch_until_ns=None), ()
    return position, _watched(position, policy, now_ns)


def _watched(position: Position, policy: Policy, now_ns: int) -> tuple[Command, ...]:
    """The next look at what was given up. It turns up soon after the fence, if at all, and has no stop then."""
    is_fresh = now_ns < position.entry.sent_ns + policy.fence_ns + WATCHED_CLOSELY_NS
    return look_at(position, TIDY_NS if is_fresh else WATCH_EVERY_NS)


def revive(position: Position, policy: Policy, now_ns: int) -> Step:
    """What was given up is open after all: it is protected, or closed where that was wanted."""
    position = evolve(position, state=State.UNKNOWN, closed_ns=None, watch_until_ns=None, misses=0)
    return going_on(position, policy, now_ns)


def closed_read(position: Position, read: VenueRead, policy: Policy, now_ns: int) -> Step:
    """Its stops must be gone, and where nothing explains why it was flat, it must stay so.

    It is also watched for an execution of its entry that nobody has told yet.
    """
    if position.is_settled:
        return position, ()
    late = is_late(position, held_by(position, read), read.fills, now_ns)
    if late:
        position = note_shown(position, read)
    else:
        position = note_orders(note_stops(position, read, policy.certain_ns), read, policy.certain_ns)
    position = evolve(position, failed_reads=0)
    watch_until_ns = position.watch_until_ns
    if watch_until_ns is not None:
        position = note_fills(position, read.fills)
        held = held_by(position, read)
        if held > ZERO and position.open_quantity > ZERO:
            return reopen(position, now_ns, min(held, position.open_quantity))
        if position.is_accounted or now_ns >= watch_until_ns:
            position = evolve(position, watch_until_ns=None)
    return tidy(position)


def reopen(position: Position, now_ns: int, quantity: Decimal | None = None) -> Step:
    """The venue holds something of a position that was thought closed: close it again."""
    reason = "reappeared" if position.exit is None else position.exit.reason
    text = f"{position.account} {position.symbol}: a closed position is there again; closing it"
    alert = Alert(Level.ERROR, "position_reappeared", text)
    position = evolve(position, closed_ns=None, watch_until_ns=None, misses=0)
    position, commands = close(position, reason, now_ns, quantity=quantity)
    return position, (alert, *commands, *look_at(position, POLL_NS))


def read_failed(position: Position, event: ReadFailed, _policy: Policy, now_ns: int) -> Step:
    """Ask again: soon for as long as something may be open without a stop, ever less often for all else."""
    if position.state.is_final and position.is_settled:
        return position, ()
    count = position.failed_reads
    position, given_up = give_up_unread(evolve(position, failed_reads=count + 1), now_ns)
    covered = position.state.is_final or position.live_stop is not None
    if covered:
        delay_ns = min(RETRY_READ_NS << min(count, 8), SLOWEST_RETRY_NS)
    else:
        delay_ns = NAKED_READ_NS if count < NAKED_READS else RETRY_READ_NS
    again = (*given_up, *look_at(position, delay_ns))
    if count not in (0, READS_BEFORE_ERROR):
        return position, again
    level = Level.WARNING if count == 0 else Level.ERROR
    text = f"{position.account} {position.symbol}: {event.message}; trying again"
    return position, (Alert(level, "read_failed", text), *again)
