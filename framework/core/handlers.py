"""What each happening does to a position: note the fact (facts.py), then derive what is needed (steering.py).

Each handler takes the position, the happening, the policy and the time, and returns the position with commands.
Which handler serves which state, and where it may lead, is the table's business (lifecycle.py). Reads of the venue
are in reads.py.
"""

from __future__ import annotations

from decimal import Decimal

from . import guards
from .entering import after_exit, failures, keep_quarantine, resume
from .evolving import evolve
from .facts import note_close, note_entry, note_fill, note_stop, stop_of
from .happenings import (
    Alert,
    CloseAnswered,
    CloseWanted,
    Command,
    DeadlinePassed,
    EntryAnswered,
    EntryExpired,
    Filled,
    Happening,
    Level,
    PriceReached,
    StartDeadline,
    StopAnswered,
    StopChanged,
)
from .ids import sequence_of
from .legs import CloseLeg, LegState, StopLeg, TargetLeg
from .numbers import ZERO
from .orders import OrderReport, Refusal, StopReport, Unknown
from .position import Exit, Position, State
from .reads import RETRY_READ_NS, going_on, reopen, revive
from .silence import wait
from .steering import (
    POLL_NS,
    SECOND_NS,
    TIDY_NS,
    Policy,
    Step,
    close,
    emergency,
    look_at,
    protect,
    stop_entering,
    sweep,
)
from .taking import closing_part_answered, take
from .targets import taken, target_answered
from .vanishing import has_vanished, vanished

SLOWEST_CLOSE = 3
"""A close that is refused or lost is tried again after half a second, doubled this often at most: after four seconds.

An outage may just have ended.
"""

NAKED_CLOSE_NS = SECOND_NS // 20
SLOWEST_NAKED_NS = SECOND_NS // 4
NAKED_CLOSES = 8
"""The first so many closes of what no stop protects follow sooner: after 50 ms, doubled up to a quarter of a second."""

CLOSE_TRIES = 5
"""So many closes in a row that were refused for good are a case for a person: the position is quarantined."""

SLOWEST_MOVE = 6
"""A stop that could not be moved is moved again after a second, doubled this often at most."""


# ── entering ────────────────────────────────────────────────────────────────────────────────────────────────


def entry_answered(position: Position, event: EntryAnswered, policy: Policy, now_ns: int) -> Step:
    return going_on(note_entry(position, event.client_id, event.answer), policy, now_ns)


def entry_answered_late(position: Position, event: EntryAnswered, _policy: Policy, _now_ns: int) -> Step:
    """The position is being closed: what its entry still fills is closed with the rest, what rests is cancelled."""
    position, commands = stop_entering(note_entry(position, event.client_id, event.answer))
    return position, (*commands, *look_at(position, POLL_NS))


def entry_expired(position: Position, event: EntryExpired, _policy: Policy, _now_ns: int) -> Step:
    return stop_entering(position) if position.entry.client_id == event.client_id else (position, ())


def filled(position: Position, event: Filled, policy: Policy, now_ns: int) -> Step:
    before, position = position, note_fill(position, event.fill)
    if position == before:  # told already, or not of this position
        return position, () if event.fill.id in before.fills else look_at(position)
    if event.fill.side is position.side.entry:
        return going_on(position, policy, now_ns)
    after, commands = keep_quarantine(position, *after_exit(position, policy, now_ns))
    return after, (*taken(position, event.fill), *commands)


# ── protecting ──────────────────────────────────────────────────────────────────────────────────────────────


def stop_answered(position: Position, event: StopAnswered, policy: Policy, now_ns: int) -> Step:
    leg = position.leg_of(event.client_id)
    if not isinstance(leg, StopLeg):
        return position, ()
    match event.answer:
        case StopReport() as report if event.cancelling:
            if report.live:
                return _cancel_failed(position, leg)
            return resume(note_stop(position, report), policy, now_ns)
        case StopReport() as report if report.live:
            noted = note_stop(position, report, answers=True)
            return resume(evolve(noted, stop_tries=0, refused_moves=0), policy, now_ns)
        case StopReport() as report if report.reason == "triggered":
            return _stop_triggered(position, note_stop(position, report), leg, now_ns)
        case StopReport() as report:
            refusal = Refusal("not_live", report.reason or "the venue does not hold it", for_good=False)
            return keep_quarantine(position, *_stop_refused(position, leg, refusal, policy, now_ns))
        case _ if event.cancelling:
            return _cancel_failed(position, leg)
        case Refusal() as refusal:
            return keep_quarantine(position, *_stop_refused(position, leg, refusal, policy, now_ns))
        case Unknown():
            if leg.state is LegState.SENT:
                position = position.with_leg(evolve(leg, state=LegState.UNKNOWN))
            elif leg.state is LegState.MOVING:  # it rests at its old place or its new one: the read says which
                position = position.with_leg(evolve(leg, state=LegState.RESTING))
            return position, look_at(position)


def _stop_refused(position: Position, leg: StopLeg, refusal: Refusal, policy: Policy, now_ns: int) -> Step:
    if leg.state in (LegState.SENT, LegState.MOVING):  # of any other it is known already what became of it
        moved = leg.state is LegState.MOVING
        position = position.with_leg(evolve(leg, state=LegState.RESTING if moved else LegState.DONE))
    text = f"the stop at {position.wanted_stop} was refused ({refusal.code}: {refusal.message})"
    if position.open_quantity <= ZERO:
        return position, look_at(position)
    if refusal.silent_ns is not None:
        return wait(position, refusal, now_ns)
    if refusal.crossed:
        if position.live_stop is None:
            return emergency(position, "stop_crossed", text, now_ns)
        return close(position, position.wanted_by, now_ns)
    if not refusal.for_good and position.stop_tries + 1 < policy.stop_tries:
        return protect(evolve(position, stop_tries=position.stop_tries + 1), policy, now_ns)
    if position.live_stop is not None:  # the old stop still protects: nothing is lost, but it does not follow
        return _keep_old_stop(position, position.live_stop, text, refusal)
    return emergency(position, "stop_refused", text, now_ns)


def _keep_old_stop(position: Position, live: StopLeg, text: str, refusal: Refusal) -> Step:
    """The old stop goes on protecting. People are told once; what was refused for now is tried again later."""
    count = position.refused_moves
    initial = position.initial_stop or live.trigger_price
    position = evolve(position, state=State.PROTECTED, initial_stop=initial, stop_tries=0, refused_moves=count + 1)
    again = () if refusal.for_good else look_at(position, RETRY_READ_NS << min(count, SLOWEST_MOVE))
    if count:
        return position, again
    alert = Alert(Level.WARNING, "stop_not_moved", f"{position.account} {position.symbol}: {text}; the old one stays")
    return position, (alert, *again)


def _cancel_failed(position: Position, leg: StopLeg) -> Step:
    """A cancellation that nobody carried out: the stop still rests, and is swept again when it matters."""
    if leg.state is LegState.CANCELLING:
        position = position.with_leg(evolve(leg, state=LegState.RESTING))
    return position, () if position.state.is_final else look_at(position, RETRY_READ_NS)


def stop_answered_late(position: Position, event: StopAnswered, _policy: Policy, _now_ns: int) -> Step:
    """The position is being closed, or closed. Its stops stay until it is; then each that still rests is removed."""
    leg = position.leg_of(event.client_id)
    if not isinstance(leg, StopLeg):
        return position, ()
    answer = event.answer
    if isinstance(answer, StopReport) and not (event.cancelling and answer.live):
        position = note_stop(position, answer, answers=True)
        return sweep(position) if position.state.is_final else (position, ())
    if event.cancelling:
        return _cancel_failed(position, leg)
    if leg.state is LegState.MOVING:
        position = position.with_leg(evolve(leg, state=LegState.RESTING))
    elif leg.state is LegState.SENT:
        refused = isinstance(answer, Refusal)
        position = position.with_leg(evolve(leg, state=LegState.DONE if refused else LegState.UNKNOWN))
    return position, ()


def stop_changed(position: Position, event: StopChanged, policy: Policy, now_ns: int) -> Step:
    leg = stop_of(position, event.report)
    noted = note_stop(position, event.report)
    if leg is not None and event.report.reason == "triggered" and noted != position:
        return _stop_triggered(position, noted, leg, now_ns)
    return vanished(noted, policy, now_ns) if has_vanished(leg, noted) else resume(noted, policy, now_ns)


def _stop_triggered(before: Position, position: Position, leg: StopLeg, now_ns: int) -> Step:
    """The stop is at work: it has its grace to close the position, then a close is sent."""
    if before.open_quantity <= ZERO:
        return position, look_at(position)
    if position.exit is None:
        position = evolve(position, exit=Exit(leg.wanted_by, now_ns, leg.trigger_price))
    position, commands = stop_entering(evolve(position, state=State.CLOSING))
    return position, (*commands, *look_at(position))


def stop_changed_late(position: Position, event: StopChanged, _policy: Policy, _now_ns: int) -> Step:
    position = note_stop(position, event.report)
    return sweep(position) if position.state is State.CLOSED else (position, ())


def price_reached(position: Position, event: PriceReached, policy: Policy, now_ns: int) -> Step:
    guarded = guards.ask(position, policy.protections, event.price, event.time_ns)
    said: tuple[Command, ...] = (*guarded.notes, *failures(position, guarded.failures))
    if guarded.close is not None and position.open_quantity > ZERO:
        closing, commands = close(guarded.position, guarded.close, now_ns)
        return closing, (*said, *commands)
    after, commands = resume(guarded.position, policy, now_ns)
    after, taken = take(after, event.price, now_ns)
    return after, (*said, *commands, *taken)


def deadline_passed(position: Position, _event: DeadlinePassed, policy: Policy, now_ns: int) -> Step:
    since = position.unprotected_since_ns
    if since is None or position.open_quantity <= ZERO or position.exit is not None:
        return position, ()  # it was protected in between, or is one that can't be closed
    # While the venue wants silence nothing can be tried; afterwards there is time for that once more.
    left_ns = max(since, position.silent_until_ns or 0) + policy.protect_within_ns - now_ns
    if left_ns > 0:  # a later gap, or a timer that rang early: clocks are not exact
        return position, (StartDeadline(left_ns),)
    seconds = Decimal(now_ns - since) / SECOND_NS
    return emergency(position, "unprotected_too_long", f"no live stop for {seconds:.1f} s", now_ns)


# ── closing ─────────────────────────────────────────────────────────────────────────────────────────────────


def close_wanted(position: Position, event: CloseWanted, _policy: Policy, now_ns: int) -> Step:
    if position.entered <= ZERO:  # what its entry may still fill is closed as it fills
        return stop_entering(evolve(position, exit=Exit(event.reason, now_ns)))
    return close(position, event.reason, now_ns)


def part_answered(position: Position, event: CloseAnswered, policy: Policy, now_ns: int) -> Step:
    """What became of a part that is taken in profit, at the market or by an order that rests."""
    leg = position.leg_of(event.client_id)
    if isinstance(leg, TargetLeg):
        after, commands = target_answered(position, leg, event, now_ns)
        return after, (*commands, *_resized(position, after))
    return closing_part_answered(position, event, policy, now_ns)


def _resized(before: Position, after: Position) -> tuple[Command, ...]:
    """A target was filled: its executions may be late, and the stop is brought to what remains once they are known."""
    own = {leg.client_id for leg in after.targets}
    known = sum((fill.quantity for fill in after.fills.values() if fill.client_id in own), ZERO)
    late = sum((leg.filled for leg in after.targets), ZERO) > known
    return look_at(after, TIDY_NS) if late and after != before else ()


def close_answered(position: Position, event: CloseAnswered, _policy: Policy, now_ns: int) -> Step:
    """Read back before each try: a position that is flat already needs no further close."""
    leg = position.leg_of(event.client_id)
    if isinstance(leg, TargetLeg):
        return target_answered(position, leg, event, now_ns)
    if not isinstance(leg, CloseLeg):
        return position, ()
    position = note_close(position, event.client_id, event.answer)
    soon = look_at(position, _next_close_ns(position, sequence_of(event.client_id)))
    match event.answer:
        case OrderReport() as report:
            position = evolve(position, refused_closes=0)
            return position, look_at(position, 0 if report.status.is_final else POLL_NS)
        case Refusal(silent_ns=int()) as refusal:
            return wait(position, refusal, now_ns)
        case Refusal(for_good=True) as refusal:
            return _close_refused(position, refusal, soon)
    return position, soon


def _next_close_ns(position: Position, sequence: int) -> int:
    """How long after a close that came to nothing the position is read again, and what is left of it closed."""
    if position.live_stop is None and sequence < NAKED_CLOSES:
        return min(NAKED_CLOSE_NS << sequence, SLOWEST_NAKED_NS)
    return POLL_NS << min(sequence, SLOWEST_CLOSE)


def _close_refused(position: Position, refusal: Refusal, soon: tuple[Command, ...]) -> Step:
    """A remainder that the venue takes no order for: after a few tries it is a case for a person, and tried on."""
    count = position.refused_closes + 1
    position = evolve(position, refused_closes=count)
    if count < CLOSE_TRIES:
        return position, soon
    position = evolve(position, state=State.QUARANTINED)
    again = look_at(position, TIDY_NS)
    if count > CLOSE_TRIES:
        return position, again
    what = f"{position.open_quantity} can't be closed ({refusal.code}: {refusal.message})"
    text = f"{position.account} {position.symbol}: {what}; close it by hand; it is tried again and again"
    return position, (Alert(Level.ERROR, "close_refused", text), *again)


def exit_filled(position: Position, event: Filled, policy: Policy, now_ns: int) -> Step:
    before, position = position, note_fill(position, event.fill)
    return after_exit(position, policy, now_ns) if position != before else (position, ())


# ── over ────────────────────────────────────────────────────────────────────────────────────────────────────


def aborted_news(position: Position, event: EntryAnswered | Filled, policy: Policy, now_ns: int) -> Step:
    """An entry that was given up may have been carried out after all, or may still rest."""
    if isinstance(event, EntryAnswered):
        position = note_entry(position, event.client_id, event.answer)
    else:
        position = note_fill(position, event.fill)
    if position.open_quantity > ZERO:
        return revive(position, policy, now_ns)
    if position.entry.state in (LegState.UNKNOWN, LegState.RESTING):
        position, commands = stop_entering(position)
        return position, (*commands, *look_at(position, POLL_NS))
    return position, ()


def closed_news(position: Position, event: EntryAnswered | Filled, _policy: Policy, now_ns: int) -> Step:
    """Streams repeat themselves. What is truly new of an entry opens the position again: it is closed at once."""
    before = position
    commands: tuple[Command, ...] = ()
    if isinstance(event, EntryAnswered):
        position, commands = stop_entering(note_entry(position, event.client_id, event.answer))
    else:
        position = note_fill(position, event.fill)
    if position.entered > before.entered and position.open_quantity > ZERO:
        after, more = reopen(position, now_ns)
        return after, (*commands, *more)
    if position.is_accounted:
        position = evolve(position, watch_until_ns=None)
    return position, commands


def late_close(position: Position, event: CloseAnswered, _policy: Policy, now_ns: int) -> Step:
    leg = position.leg_of(event.client_id)
    if isinstance(leg, TargetLeg):
        return target_answered(position, leg, event, now_ns)
    return note_close(position, event.client_id, event.answer), ()


def ignored(position: Position, _event: Happening, _policy: Policy, _now_ns: int) -> Step:
    return position, ()
