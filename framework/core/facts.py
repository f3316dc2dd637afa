"""Noting a fact in a position's record, before anything is decided. No commands are made here."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from attrs import evolve

from .happenings import VenueRead
from .numbers import ZERO
from .orders import Fill, OrderReport, OrderStatus, Refusal, StopReport, Unknown
from .position import CloseLeg, EntryLeg, Exit, LegState, Position, StopLeg

MISSING_READS = 2
"""A resting stop that this many reads in a row do not show is taken for gone."""


def note_entry(position: Position, identifier: str, answer: OrderReport | Refusal | Unknown) -> Position:
    """What became of an entry order. Fills only ever grow: an older report cannot take them back."""
    leg = position.leg_of(identifier)
    if not isinstance(leg, EntryLeg):
        return position
    if isinstance(answer, Unknown):
        return position if leg.state is LegState.DONE else position.with_leg(evolve(leg, state=LegState.UNKNOWN))
    if isinstance(answer, Refusal):
        reason = f"{answer.code}: {answer.message}"
        return evolve(position.with_leg(evolve(leg, state=LegState.DONE)), failure=reason)
    if answer.filled > leg.filled:
        leg = evolve(leg, filled=answer.filled, average_price=answer.average_price)
    if answer.status.is_final:
        leg = evolve(leg, state=LegState.DONE)
        if answer.status is not OrderStatus.FILLED and not answer.filled:
            position = evolve(position, failure=answer.reason or answer.status.value)
    elif leg.state in (LegState.SENT, LegState.UNKNOWN):
        leg = evolve(leg, state=LegState.RESTING)
    return position.with_leg(leg)


def note_close(position: Position, identifier: str, answer: OrderReport | Refusal | Unknown) -> Position:
    """What became of a closing order. It is over with any answer: what is left is read from the venue."""
    leg = position.leg_of(identifier)
    if not isinstance(leg, CloseLeg):
        return position
    if isinstance(answer, OrderReport):
        done = answer.status.is_final
        return position.with_leg(
            evolve(leg, filled=max(leg.filled, answer.filled), state=LegState.DONE if done else LegState.RESTING)
        )
    return position.with_leg(evolve(leg, state=LegState.DONE))


def note_stop(position: Position, report: StopReport) -> Position:
    """Where a stop rests now, or that it does not any more."""
    leg = position.leg_of(report.client_id)
    if not isinstance(leg, StopLeg):
        return position
    if report.live:
        state = LegState.CANCELLING if leg.state is LegState.CANCELLING else LegState.RESTING
        trigger = report.trigger_price if report.trigger_price is not None else leg.trigger_price
        quantity = report.quantity if report.quantity is not None else leg.quantity
        wanted_by = position.wanted_by if trigger == position.wanted_stop else leg.wanted_by
        return position.with_leg(
            evolve(leg, state=state, trigger_price=trigger, quantity=quantity, wanted_by=wanted_by, missing=0)
        )
    triggered = leg.state is LegState.TRIGGERED or report.reason == "triggered"
    return position.with_leg(evolve(leg, state=LegState.TRIGGERED if triggered else LegState.DONE))


def note_fill(position: Position, fill: Fill) -> Position:
    """An execution in the position's market, counted once. A stop's, or one that leaves nothing, says why it ends."""
    if fill.id in position.fills:
        return position
    opens = fill.side is position.side.entry
    position = position.with_fill(fill)
    if opens:
        return position if position.opened_ns is not None else evolve(position, opened_ns=fill.time_ns)
    leg = position.leg_of(fill.client_id)
    if isinstance(leg, StopLeg):
        position = position.with_leg(evolve(leg, state=LegState.TRIGGERED))
        if position.exit is None:
            return evolve(position, exit=Exit(leg.wanted_by, fill.time_ns, leg.trigger_price))
    elif leg is None and position.exit is None and position.open_quantity <= ZERO:
        reason = "closed_elsewhere" if fill.cause == "order" else fill.cause
        return evolve(position, exit=Exit(reason, fill.time_ns))
    return position


def note_read(position: Position, read: VenueRead) -> Position:
    """Everything that a read shows of the position's orders, executions and stops."""
    for identifier, report in read.orders.items():
        if report is not None:
            noted = note_entry if isinstance(position.leg_of(identifier), EntryLeg) else note_close
            position = noted(position, identifier, report)
    for fill in read.fills:
        position = note_fill(position, fill)
    seen = {report.client_id for report in read.stops}
    for stop in read.stops:
        position = note_stop(position, stop)
    return _note_missing(position, (stop for stop in position.stops if stop.client_id not in seen))


def adopt(position: Position, read: VenueRead) -> Position:
    """Take over what the venue holds although no order of ours reported it: the entry did happen."""
    venue = read.position
    if venue is None or position.entered > ZERO or signed(position, Decimal(1)) * venue.quantity <= ZERO:
        return position
    filled = min(abs(venue.quantity), position.entry.quantity)
    leg = evolve(position.entry, filled=filled, average_price=venue.entry_price, state=LegState.DONE)
    return evolve(position.with_leg(leg), opened_ns=position.opened_ns or read.time_ns)


def signed(position: Position, quantity: Decimal) -> Decimal:
    """`quantity` as the venue would show it: negative for a short."""
    return quantity * position.side.sign


def excess(position: Position, read: VenueRead) -> Decimal:
    """By how much the venue holds more than this position can explain, or the opposite of it. Zero: all explained."""
    if read.position is None:
        return ZERO
    held = read.position.quantity * position.side.sign
    if held < ZERO:
        return -held
    explained = max(position.entered, sum((leg.quantity for leg in position.entries), ZERO))
    return max(ZERO, held - explained)


def _note_missing(position: Position, absent: Iterable[StopLeg]) -> Position:
    for stop in absent:
        if stop.state in (LegState.UNKNOWN, LegState.SENT):
            # A stop is reduce-only: should the first one turn up after all, a second does no harm.
            position = position.with_leg(evolve(stop, state=LegState.DONE))
        elif stop.state in (LegState.RESTING, LegState.MOVING):
            gone = stop.missing + 1 >= MISSING_READS
            state = LegState.DONE if gone else stop.state
            position = position.with_leg(evolve(stop, missing=stop.missing + 1, state=state))
        elif stop.state is LegState.CANCELLING:
            position = position.with_leg(evolve(stop, state=LegState.DONE))
    return position
