"""What each happening does to a position: note the fact (facts.py), then derive what is needed (steering.py).

Each handler takes the position, the happening, the policy and the time, and returns the position with commands.
Which handler serves which state, and where it may lead, is the table's business (lifecycle.py).
"""

from __future__ import annotations

from decimal import Decimal

from attrs import evolve

from . import guards
from .facts import adopt, excess, note_close, note_entry, note_fill, note_read, note_stop
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
    ReadFailed,
    StopAnswered,
    StopChanged,
    VenueRead,
)
from .numbers import ZERO
from .orders import OrderReport, Refusal, StopReport, Unknown
from .plan import fit_quantity
from .position import Exit, LegState, Position, State, StopLeg
from .steering import (
    SECOND_NS,
    TRIGGER_GRACE_NS,
    Policy,
    Step,
    close,
    emergency,
    enter,
    finish,
    look,
    protect,
    stop_entering,
)
from .verdict import Rejection

POLL_NS = SECOND_NS // 2
RETRY_READ_NS = SECOND_NS
WATCH_EVERY_NS = 60 * SECOND_NS


# ── entering ────────────────────────────────────────────────────────────────────────────────────────────────


def entry_answered(position: Position, event: EntryAnswered, policy: Policy, now_ns: int) -> Step:
    return _after_entry(note_entry(position, event.client_id, event.answer), policy, now_ns)


def entry_expired(position: Position, event: EntryExpired, _policy: Policy, _now_ns: int) -> Step:
    return stop_entering(position) if position.entry.client_id == event.client_id else (position, ())


def filled(position: Position, event: Filled, policy: Policy, now_ns: int) -> Step:
    position = note_fill(position, event.fill)
    if event.fill.side is position.side.entry:
        return _after_entry(position, policy, now_ns)
    return _after_exit(position, policy, now_ns)


def _after_entry(position: Position, policy: Policy, now_ns: int) -> Step:
    """Go on from what is known of the entry: the next order, protection of what is filled, or the end."""
    commands: tuple[Command, ...] = ()
    if position.entry_is_over and position.entered < position.plan.quantity:
        position, commands = _next_entry(position, policy, now_ns)
    if position.open_quantity > ZERO and position.exit is not None:  # it was to be closed before it was open
        closing, more = close(position, position.exit.reason, now_ns)
        return closing, (*commands, *more)
    if position.open_quantity > ZERO:
        position, guarded = _guard_entry(position, policy, now_ns)
        position, more = protect(position, policy, now_ns)
        waits = any(stop.attached and stop.state is LegState.SENT for stop in position.stops)
        return position, (*commands, *guarded, *more, *(look() if waits else ()))
    if position.entry.state is LegState.UNKNOWN:
        return evolve(position, state=State.UNKNOWN), (*commands, *look(POLL_NS, position.entry.client_id))
    if position.entry_is_over:
        failure = position.failure or "nothing was filled"
        alert = Alert(Level.WARNING, "entry_failed", f"{position.account} {position.symbol}: {failure}")
        return evolve(position, state=State.ABORTED, closed_ns=now_ns), (*commands, alert)
    return evolve(position, state=State.ENTERING), commands


def _next_entry(position: Position, policy: Policy, now_ns: int) -> Step:
    """Ask the execution for another order; never once an entry was refused, or its deadline is over."""
    rest = position.plan.quantity - position.entered
    late = now_ns >= position.decided_ns + policy.entry_deadline_ns
    refused = bool(position.failure) and not position.entry.filled and position.entry.step.price is None
    if late or refused or position.exit is not None:
        return position, ()
    if isinstance(fit_quantity(position.plan.rules, position.planned_price, rest), Rejection):
        return position, ()
    step = policy.execution.after(position.plan, position.tries)
    return enter(position, step, rest, policy, now_ns) if step is not None else (position, ())


def _guard_entry(position: Position, policy: Policy, now_ns: int) -> Step:
    """Compute the stop from the real average entry price, again after each fill."""
    price = position.entry_price
    if price is None:
        return position, ()
    if position.opened_ns is None:
        position = evolve(position, opened_ns=now_ns)
    known = position.guards and all(leg.average_price == price for leg in position.entries if leg.filled)
    if known and position.initial_stop is not None:
        return position, ()
    guarded = guards.begin(position, policy.protections, price)
    return guarded.position, (*guarded.notes, *_failures(position, guarded.failures))


# ── protecting ──────────────────────────────────────────────────────────────────────────────────────────────


def stop_answered(position: Position, event: StopAnswered, policy: Policy, now_ns: int) -> Step:
    leg = position.leg_of(event.client_id)
    if not isinstance(leg, StopLeg):
        return position, ()
    answer = event.answer
    if isinstance(answer, StopReport):
        return _resume(note_stop(position, answer), policy, now_ns)
    if event.cancelling:
        return _cancel_failed(position, leg)
    if isinstance(answer, Unknown):
        return position.with_leg(evolve(leg, state=LegState.UNKNOWN)), look()
    return _stop_refused(position, leg, answer, policy, now_ns)


def _stop_refused(position: Position, leg: StopLeg, refusal: Refusal, policy: Policy, now_ns: int) -> Step:
    moved = leg.state is LegState.MOVING
    position = position.with_leg(evolve(leg, state=LegState.RESTING if moved else LegState.DONE))
    text = f"the stop at {position.wanted_stop} was refused ({refusal.code}: {refusal.message})"
    if position.state.is_final or position.state in (State.CLOSING, State.EMERGENCY):
        return position, ()
    if refusal.crossed:
        if position.live_stop is None:
            return emergency(position, "stop_crossed", text, now_ns)
        return close(position, position.wanted_by, now_ns)
    if position.live_stop is not None:  # the old stop still protects: nothing is lost, but it does not follow
        return _keep_old_stop(position, text)
    if refusal.for_good or position.stop_tries + 1 >= policy.stop_tries:
        return emergency(position, "stop_refused", text, now_ns)
    return protect(evolve(position, stop_tries=position.stop_tries + 1), policy, now_ns)


def _keep_old_stop(position: Position, text: str) -> Step:
    live = position.live_stop
    assert live is not None  # noqa: S101 - the caller has just looked
    position = evolve(
        position,
        state=State.PROTECTED,
        wanted_stop=live.trigger_price,
        wanted_by=live.wanted_by,
        initial_stop=position.initial_stop or live.trigger_price,
    )
    alert = Alert(Level.WARNING, "stop_not_moved", f"{position.account} {position.symbol}: {text}; the old one stays")
    return position, (alert,)


def _cancel_failed(position: Position, leg: StopLeg) -> Step:
    """A cancellation that nobody carried out: the stop still rests, and is swept again when it matters."""
    return position.with_leg(evolve(leg, state=LegState.RESTING)), look(RETRY_READ_NS)


def stop_changed(position: Position, event: StopChanged, policy: Policy, now_ns: int) -> Step:
    before = position.leg_of(event.report.client_id)
    position = note_stop(position, event.report)
    leg = position.leg_of(event.report.client_id)
    if isinstance(leg, StopLeg) and leg.state is LegState.TRIGGERED and leg != before:
        return position, look()
    return _resume(position, policy, now_ns)


def _resume(position: Position, policy: Policy, now_ns: int) -> Step:
    """Go on protecting where that is what the position is at; elsewhere the fact was noted and that is all."""
    if position.state in (State.UNPROTECTED, State.PROTECTED, State.QUARANTINED) and position.open_quantity > ZERO:
        return _keep_quarantine(position, *protect(position, policy, now_ns))
    return position, ()


def _keep_quarantine(before: Position, after: Position, commands: tuple[Command, ...]) -> Step:
    if before.state is State.QUARANTINED and after.state in (State.PROTECTED, State.UNPROTECTED):
        return evolve(after, state=State.QUARANTINED), commands
    return after, commands


def price_reached(position: Position, event: PriceReached, policy: Policy, now_ns: int) -> Step:
    guarded = guards.ask(position, policy.protections, event.price, event.time_ns)
    said: tuple[Command, ...] = (*guarded.notes, *_failures(position, guarded.failures))
    if guarded.close is not None:
        closing, commands = close(guarded.position, guarded.close, now_ns)
        return closing, (*said, *commands)
    after, commands = _resume(guarded.position, policy, now_ns)
    return after, (*said, *commands)


def deadline_passed(position: Position, _event: DeadlinePassed, policy: Policy, now_ns: int) -> Step:
    since = position.unprotected_since_ns
    if since is None or now_ns - since < policy.protect_within_ns:
        return position, ()  # it was protected in between; a later gap has a deadline of its own
    seconds = Decimal(now_ns - since) / SECOND_NS
    return emergency(position, "unprotected_too_long", f"no live stop for {seconds:.1f} s", now_ns)


# ── closing ─────────────────────────────────────────────────────────────────────────────────────────────────


def close_wanted(position: Position, event: CloseWanted, _policy: Policy, now_ns: int) -> Step:
    if position.state in (State.ENTERING, State.UNKNOWN):  # what its entry may still fill is closed as it fills
        return stop_entering(evolve(position, exit=Exit(event.reason, now_ns)))
    return close(position, event.reason, now_ns)


def close_answered(position: Position, event: CloseAnswered, _policy: Policy, _now_ns: int) -> Step:
    position = note_close(position, event.client_id, event.answer)
    if isinstance(event.answer, OrderReport) and not event.answer.status.is_final:
        return position, ()
    # Re-read before each try: a position that is flat already needs no further close.
    return position, look(0 if isinstance(event.answer, OrderReport) else POLL_NS)


def _after_exit(position: Position, policy: Policy, now_ns: int) -> Step:
    if position.open_quantity > ZERO and position.exit is None:
        return _resume(position, policy, now_ns)
    if position.state in (State.CLOSED, State.ABORTED):
        return position, ()
    if position.state is not State.EMERGENCY:
        position = evolve(position, state=State.CLOSING)
    position, commands = stop_entering(position)
    return position, (*commands, *look())


def exit_filled(position: Position, event: Filled, policy: Policy, now_ns: int) -> Step:
    return _after_exit(note_fill(position, event.fill), policy, now_ns)


def venue_read(position: Position, read: VenueRead, policy: Policy, now_ns: int) -> Step:
    entered_before = position.entered
    position = adopt(note_read(position, read), read)
    surplus = excess(position, read)
    if surplus > ZERO:
        return _quarantine(position, surplus, policy, now_ns)
    if read.position is None:
        return _flat(position, policy, now_ns)
    position = evolve(position, misses=0)
    if position.state in (State.CLOSING, State.EMERGENCY):
        return _still_open(position, now_ns)
    if position.entered > entered_before or not position.guards:
        return _after_entry(position, policy, now_ns)
    return _resume(position, policy, now_ns)


def _flat(position: Position, policy: Policy, now_ns: int) -> Step:
    """The venue shows no position. Nothing is concluded from one such read unless the executions say the same."""
    if position.entered > ZERO:
        if position.exited >= position.entered and position.entry_is_over:
            return finish(position, now_ns)
        if position.misses + 1 >= 2:
            return finish(position, now_ns)
        return evolve(position, misses=position.misses + 1), look(RETRY_READ_NS)
    if position.state is State.ENTERING:
        return position, ()
    sent_ns = position.entry.sent_ns
    if position.state is State.UNKNOWN and now_ns < sent_ns + policy.fence_ns:
        return position, look(POLL_NS, position.entry.client_id)
    if position.state is State.UNKNOWN and position.misses + 1 < 2:
        return evolve(position, misses=position.misses + 1), look(RETRY_READ_NS, position.entry.client_id)
    watched = now_ns < sent_ns + policy.fence_ns + policy.watch_ns
    more = look(WATCH_EVERY_NS, position.entry.client_id) if watched else ()
    if position.state is State.ABORTED:
        return position, more
    text = f"{position.account} {position.symbol}: nobody knows the entry {position.entry.client_id}; given up, watched"
    alert = Alert(Level.ERROR, "entry_lost", text)
    done = position.with_leg(evolve(position.entry, state=LegState.DONE))
    return evolve(done, state=State.ABORTED, closed_ns=now_ns, failure="unknown outcome"), (alert, *more)


def _still_open(position: Position, now_ns: int) -> Step:
    if any(leg.state in (LegState.SENT, LegState.RESTING) for leg in position.closes):
        return position, ()
    left = position.exit
    if left is not None and left.trigger_price is not None and now_ns - left.triggered_ns < TRIGGER_GRACE_NS:
        return position, look(POLL_NS)
    return close(position, "stop_failed" if left is None else left.reason, now_ns, state=position.state)


def _quarantine(position: Position, surplus: Decimal, policy: Policy, now_ns: int) -> Step:
    text = f"{position.account} {position.symbol}: the venue holds {surplus} more than this position explains"
    alert = Alert(Level.ERROR, "position_not_ours", f"{text}; no more entries in this market until it is resolved")
    if position.open_quantity <= ZERO:
        return evolve(position, state=State.QUARANTINED), (alert, *look(WATCH_EVERY_NS))
    after, commands = protect(position, policy, now_ns)
    said = () if position.state is State.QUARANTINED else (alert,)
    return evolve(after, state=State.QUARANTINED), (*said, *commands, *look(WATCH_EVERY_NS))


def read_failed(position: Position, event: ReadFailed, _policy: Policy, _now_ns: int) -> Step:
    orders = (position.entry.client_id,) if position.state is State.UNKNOWN else ()
    alert = Alert(Level.WARNING, "read_failed", f"{position.account} {position.symbol}: {event.message}; trying again")
    return position, (alert, *look(RETRY_READ_NS, *orders))


def late_news(position: Position, event: Happening, policy: Policy, now_ns: int) -> Step:
    """Late news for a position that is over: noted, and acted on only if the venue holds something after all."""
    match event:
        case EntryAnswered():
            position = note_entry(position, event.client_id, event.answer)
        case CloseAnswered():
            return note_close(position, event.client_id, event.answer), ()
        case Filled():
            position = note_fill(position, event.fill)
        case StopAnswered(answer=StopReport() as report):
            return note_stop(position, report), ()
        case StopChanged():
            return note_stop(position, event.report), ()
        case _:
            return position, ()
    if position.state is State.ABORTED and position.open_quantity > ZERO:
        return _after_entry(position, policy, now_ns)
    return position, ()


def ignored(position: Position, _event: Happening, _policy: Policy, _now_ns: int) -> Step:
    return position, ()


def _failures(position: Position, failures: tuple[str, ...]) -> tuple[Command, ...]:
    return tuple(
        Alert(Level.ERROR, "protection_failed", f"{position.account} {position.symbol}: {text}; its last stop stays")
        for text in failures
    )
