"""Noting a fact in a position's record, before anything is decided. No commands are made here."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from .evolving import evolve
from .happenings import VenueRead
from .ids import owner_of
from .legs import CloseLeg, EntryLeg, LegState, StopLeg, TargetLeg
from .numbers import ZERO
from .orders import Fill, OrderReport, OrderStatus, Refusal, StopReport, Unknown
from .position import Exit, Position

MISSING_READS = 2
"""A resting stop that this many reads in a row do not show is taken for gone."""


def note_entry(position: Position, identifier: str, answer: OrderReport | Refusal | Unknown) -> Position:
    """What became of an entry order. Fills only ever grow: an older report cannot take them back."""
    leg = position.leg_of(identifier)
    if not isinstance(leg, EntryLeg):
        return position
    if isinstance(answer, OrderReport):
        return _note_entry_report(position, leg, answer)
    if leg.state is LegState.DONE:
        return position
    if isinstance(answer, Refusal) and leg.state is LegState.SENT:
        reason = f"{answer.code}: {answer.message}"
        return evolve(position.with_leg(evolve(leg, state=LegState.DONE)), failure=reason)
    # A refused cancellation says as little as a lost one: the order may have been filled before it came.
    return position.with_leg(evolve(leg, state=LegState.UNKNOWN, doubted=True))


def _note_entry_report(position: Position, leg: EntryLeg, report: OrderReport) -> Position:
    if report.filled > leg.filled:
        leg = evolve(leg, filled=report.filled, average_price=report.average_price)
    if report.status.is_final:
        leg = evolve(leg, state=LegState.DONE)
        if report.status is not OrderStatus.FILLED and not leg.filled:
            position = evolve(position, failure=report.reason or report.status.value)
    elif leg.state in (LegState.SENT, LegState.UNKNOWN, LegState.LOST):
        leg = evolve(leg, state=LegState.RESTING)
    return position.with_leg(leg)


def note_close(position: Position, identifier: str, answer: OrderReport | Refusal | Unknown | None) -> Position:
    """What became of a closing order. Without a report it is over: what is left is read from the venue."""
    leg = position.leg_of(identifier)
    if not isinstance(leg, CloseLeg):
        return position
    if isinstance(answer, OrderReport):
        over = answer.status.is_final or leg.state is LegState.DONE
        return position.with_leg(
            evolve(leg, filled=max(leg.filled, answer.filled), state=LegState.DONE if over else LegState.RESTING)
        )
    return position.with_leg(evolve(leg, state=LegState.DONE))


def note_target(position: Position, leg: TargetLeg, report: OrderReport) -> Position:
    """What the venue says of a resting target. Fills only ever grow; one that is over does not begin again."""
    filled = max(leg.filled, report.filled)
    over = report.status.is_final or leg.is_over or filled >= leg.quantity
    stays = leg.state is LegState.CANCELLING  # until that is answered: a read or an event may be older
    state = LegState.DONE if over else LegState.CANCELLING if stays else LegState.RESTING
    # That it ended without us, unfilled, counts as a refusal: else a venue that lets none rest would be asked forever.
    ended = over and not leg.is_over and not stays and filled < leg.quantity
    refusals = leg.refusals + 1 if ended else leg.refusals
    return position.with_leg(evolve(leg, state=state, filled=filled, refusals=refusals, missing=0))


def _target_not_found(position: Position, leg: TargetLeg, time_ns: int, certain_ns: int) -> Position:
    """The venue does not know a target. It may land yet, or not be shown yet; later one that rested is missed twice."""
    if time_ns < leg.sent_ns + certain_ns:
        return position
    missing = leg.missing + 1
    gone = leg.state is LegState.UNKNOWN or missing >= MISSING_READS
    return position.with_leg(evolve(leg, state=LegState.DONE if gone else leg.state, missing=missing))


def stop_of(position: Position, report: StopReport) -> StopLeg | None:
    """The stop that a report is about. An attached one has no name at the venue; there is at most one at a time."""
    leg = position.leg_of(report.client_id)
    if isinstance(leg, StopLeg):
        return leg
    if not report.attached or owner_of(report.client_id) not in (None, position.id):
        return None
    return attached_stop(position)


def attached_stop(position: Position) -> StopLeg | None:
    """The stop that is part of the position: the newest that has not ended, else the newest."""
    attached = [stop for stop in reversed(position.stops) if stop.attached]
    going = (stop for stop in attached if stop.state not in (LegState.DONE, LegState.TRIGGERED))
    return next(going, attached[0] if attached else None)


def note_stop(position: Position, report: StopReport, *, answers: bool = False) -> Position:
    """Where a stop rests now, or that it does not any more. One that has ended does not begin again.

    `answers`: the venue says so in answer to a request about it. Only that ends a move: events and reads that cross it
    may be older, or tell its success before the answer does, and the move would be sent twice. One that was only given
    up because reads did not show it has to be removed once its position is over: it begins again.
    """
    leg = stop_of(position, report)
    if leg is None or leg.state is LegState.TRIGGERED:
        return position
    if leg.state is LegState.DONE and not (leg.lost_ns is not None and report.live and position.state.is_final):
        return position
    if report.live:
        stays = leg.state is LegState.CANCELLING or (leg.state is LegState.MOVING and not answers)
        state = leg.state if stays else LegState.RESTING
        trigger = report.trigger_price if report.trigger_price is not None else leg.trigger_price
        quantity = report.quantity if report.quantity is not None else leg.quantity
        # Who was missed by a read stays in doubt until a read shows it: the answer may be older.
        missing = leg.missing if leg.state in (LegState.LOST, LegState.SENT) else 0
        wanted_by = position.wanted_by if trigger == position.wanted_stop else leg.wanted_by
        return position.with_leg(
            evolve(
                leg,
                state=state,
                trigger_price=trigger,
                quantity=quantity,
                wanted_by=wanted_by,
                missing=missing,
                lost_ns=None,
            )
        )
    return position.with_leg(evolve(leg, state=LegState.TRIGGERED if report.reason == "triggered" else LegState.DONE))


def note_fills(position: Position, fills: Sequence[Fill]) -> Position:
    """Executions of one read, oldest first: those of the position's time, judged by its own first one among them.

    A read asks for more than that, and the clock that the position was decided by may have been off: only instants of
    one read can be compared. Without an own execution among them the decision is what they are judged by.
    """
    entry = position.side.entry
    own = [fill.time_ns for fill in fills if fill.side is entry and owner_of(fill.client_id) == position.id]
    first_ns = min(own, default=position.decided_ns)
    for fill in fills:
        if fill.time_ns >= first_ns or owner_of(fill.client_id) == position.id:
            position = note_fill(position, fill, opened_ns=first_ns if own else None)
    return position


def note_fill(position: Position, fill: Fill, *, opened_ns: int | None = None) -> Position:
    """An execution in the position's market, counted once. A stop's, or one that leaves nothing, says why it ends.

    One of another position of ours is not counted, nor what others bought beside it, nor what they sold before it
    was open: that closed something else. `opened_ns` is when it was opened by the clock that the execution is told by;
    None: by ours.
    """
    if fill.id in position.fills or owner_of(fill.client_id) not in (None, position.id):
        return position
    leg = position.leg_of(fill.client_id)
    if leg is None and fill.cause == "stop" and fill.side is position.side.exit:
        leg = attached_stop(position)
    if fill.side is position.side.entry:
        if leg is None:
            return position
        position = position.with_fill(fill)
        return position if position.opened_ns is not None else evolve(position, opened_ns=fill.time_ns)
    since_ns = position.opened_ns if opened_ns is None else opened_ns
    if leg is None and (since_ns is None or fill.time_ns < since_ns):
        return position
    position = position.with_fill(fill)
    if isinstance(leg, StopLeg):
        position = position.with_leg(evolve(leg, state=LegState.TRIGGERED))
        if position.exit is None:
            return evolve(position, exit=Exit(leg.wanted_by, fill.time_ns, leg.trigger_price))
    elif isinstance(leg, TargetLeg):
        return _note_taken(position, leg, fill)
    elif leg is None and position.exit is None and position.open_quantity <= ZERO:
        reason = "closed_elsewhere" if fill.cause == "order" else fill.cause
        return evolve(position, exit=Exit(reason, fill.time_ns))
    return position


def _note_taken(position: Position, leg: TargetLeg, fill: Fill) -> Position:
    """A resting target was executed, wholly or in part. One that leaves nothing says why the position ends."""
    executed = sum((each.quantity for each in position.fills.values() if each.client_id == leg.client_id), ZERO)
    filled = max(leg.filled, executed)
    state = LegState.DONE if filled >= leg.quantity else leg.state
    position = position.with_leg(evolve(leg, filled=filled, state=state))
    if position.exit is None and position.open_quantity <= ZERO:
        return evolve(position, exit=Exit(leg.taken_by, fill.time_ns, leg.price))
    return position


def note_orders(position: Position, read: VenueRead, certain_ns: int) -> Position:
    """What a read says of the orders that it asked for by name."""
    for identifier, report in read.orders.items():
        leg = position.leg_of(identifier)
        if isinstance(leg, TargetLeg):
            if report is not None:
                position = note_target(position, leg, report)
            elif not leg.is_over:
                position = _target_not_found(position, leg, read.time_ns, certain_ns)
        elif isinstance(leg, CloseLeg):
            in_doubt = report is None and leg.state is not LegState.DONE and leg.sent_ns is not None
            if not (in_doubt and read.time_ns < (leg.sent_ns or 0) + certain_ns):  # it may land, or be shown, yet
                position = note_close(position, identifier, report)
        elif report is not None:
            position = note_entry(position, identifier, report)
    return position


def note_read(position: Position, read: VenueRead, certain_ns: int) -> Position:
    """Everything that a read shows of the position's orders, executions and stops."""
    position = note_fills(note_orders(position, read, certain_ns), read.fills)
    return note_stops(position, read, certain_ns)


def note_stops(position: Position, read: VenueRead, certain_ns: int) -> Position:
    """The stops that rest in the market, all of them: what is not there is missing.

    What was given up and has not turned up for `certain_ns` never landed.
    """
    seen = set()
    for report in read.stops:
        position = note_stop(position, report)
        leg = stop_of(position, report)
        if leg is None:
            continue
        seen.add(leg.client_id)
        if leg.missing and leg.is_live:
            position = position.with_leg(evolve(leg, missing=0))
    for leg in position.stops:
        if leg.client_id in seen or (leg.attached and position.entered <= ZERO):  # that one comes with the entry
            continue
        waits = leg.state is LegState.SENT and position.live_stop is not None
        missed = evolve(leg, missing=1) if waits else _missed(leg, read.time_ns, certain_ns)
        position = position.with_leg(missed)  # while another one protects, its answer is waited for: it is sent once
    return position


def adopt(position: Position, read: VenueRead) -> Position:
    """Take over what the venue holds although no order of ours has reported it yet: the entry did happen.

    Only while an entry order is not told to its end, and before anything was closed: else a read that is late
    would undo what is known.
    """
    held = held_by(position, read)
    if position.entry_is_known or position.exited > ZERO or held <= position.entered:
        return position
    leg = position.entry
    others = sum((other.filled for other in position.entries[:-1]), ZERO)
    filled = min(held - others, leg.quantity)
    if filled <= leg.filled or read.position is None:
        return position
    leg = evolve(leg, filled=filled, average_price=read.position.entry_price)
    return evolve(position.with_leg(leg), opened_ns=position.opened_ns or read.time_ns)


def held_by(position: Position, read: VenueRead) -> Decimal:
    """What the venue holds, counted on this position's side: negative when it is turned round."""
    return ZERO if read.position is None else read.position.quantity * position.side.sign


def unexplained(position: Position, read: VenueRead) -> Decimal:
    """What the venue holds on this side beyond what is open as far as we know: a stop has to cover it too."""
    return max(ZERO, held_by(position, read) - position.open_quantity)


def excess(position: Position, read: VenueRead) -> Decimal:
    """By how much the venue holds more than this position can ever have bought. Zero: it may all be ours."""
    explained = position.entered if position.entry_is_known else max(position.entered, position.plan.quantity)
    return max(ZERO, held_by(position, read) - explained)


def _missed(stop: StopLeg, now_ns: int, certain_ns: int) -> StopLeg:
    """A stop that a read does not show."""
    match stop.state:
        case LegState.SENT | LegState.UNKNOWN | LegState.CANCELLING:
            # A stop is reduce-only: should the first one turn up after all, a second does no harm.
            return evolve(stop, state=LegState.LOST, missing=1, lost_ns=now_ns)
        case LegState.RESTING | LegState.MOVING if stop.missing + 1 >= MISSING_READS:
            return evolve(stop, state=LegState.LOST, missing=stop.missing + 1, lost_ns=now_ns)
        case LegState.RESTING | LegState.MOVING:
            return evolve(stop, missing=stop.missing + 1)
        case LegState.LOST if stop.lost_ns is None or now_ns >= stop.lost_ns + certain_ns:
            return evolve(stop, state=LegState.DONE)
        case _:
            return stop
