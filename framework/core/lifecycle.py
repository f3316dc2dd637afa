"""The life of a position as a table: in which state which happening leads where.

Every pair of a state and a happening is in `TABLE`, or raises `ProtocolError`: an event where it cannot happen is
our own bug. A handler says what the happening does; `advance` checks that it ended in a state that its row allows.
docs/architecture.md shows the diagram that is drawn from this table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from ..errors import ProtocolError
from . import handlers, ruling, silence, targets
from . import reads as reading
from .execution import EntryPlan
from .happenings import (
    CloseAnswered,
    CloseWanted,
    Command,
    DeadlinePassed,
    EntryAnswered,
    EntryExpired,
    Filled,
    Happening,
    PriceReached,
    ReadFailed,
    ReadVenue,
    RulesChanged,
    SilenceOver,
    StopAnswered,
    StopChanged,
    VenueRead,
)
from .ids import position_id
from .plan import SizedPlan
from .position import Position, State
from .steering import Policy, Step, enter

Handler = Callable[[Position, Any, Policy, int], Step]


@frozen
class Row:
    """One row of the table: the states a happening may lead to, its handler, and what only practice explains."""

    to: tuple[State, ...]
    handler: Handler
    remark: str = ""


def begin(plan: SizedPlan, wave_id: str, policy: Policy, now_ns: int) -> Step:
    """A new position for this plan, with the command that sends its first entry order."""
    signal = plan.signal
    identity = position_id(signal_id=signal.id, account=signal.account, symbol=signal.symbol, side=signal.side)
    position = Position(
        id=identity,
        account=signal.account,
        symbol=signal.symbol,
        side=signal.side,
        signal_id=signal.id,
        wave_id=wave_id,
        settings=signal.settings,
        plan=EntryPlan(signal.symbol, signal.side, plan.size.quantity, plan.quote, plan.rules),
        planned_price=plan.price,
        planned_stop=plan.stop_price,
        wanted_stop=plan.stop_price,
        wanted_by=plan.stop_by,
        decided_ns=now_ns,
        leverage=plan.leverage,
        planned_trigger=plan.trigger_by,
        measured=plan.measured,
    )
    return enter(position, policy.execution.first(position.plan), position.plan.quantity, policy, now_ns)


def advance(position: Position, happening: Happening, policy: Policy, now_ns: int) -> Step:
    """What becomes of a position when something happens to it, and the commands that follow.

    Raises `ProtocolError` when it cannot happen in this state, or leads where the table does not allow.
    """
    row = TABLE.get((position.state, type(happening)))
    if row is None:
        raise ProtocolError(f"{type(happening).__name__} cannot happen to a position that is {position.state.value}")
    after, commands = row.handler(position, happening, policy, now_ns)
    if after.targets or policy.rests_targets:
        after, more = targets.keep_targets(after, policy, now_ns)
        commands = (*commands, *more)
    if after.state not in row.to:
        raise ProtocolError(
            f"{type(happening).__name__} must not lead from {position.state.value} to {after.state.value}"
        )
    return after, _one_read(commands)


def _one_read(commands: tuple[Command, ...]) -> tuple[Command, ...]:
    """The commands with all reads made one, the earliest: else each read would lead to more than one other."""
    reads = [command for command in commands if isinstance(command, ReadVenue)]
    if len(reads) < 2:
        return commands
    orders = dict.fromkeys(order for read in reads for order in read.orders)
    one = ReadVenue(min(read.delay_ns for read in reads), tuple(orders))
    return (*(command for command in commands if not isinstance(command, ReadVenue)), one)


# ── the table ───────────────────────────────────────────────────────────────────────────────────────────────

_ENTERING, _UNKNOWN = State.ENTERING, State.UNKNOWN
_UNPROTECTED, _PROTECTED = State.UNPROTECTED, State.PROTECTED
_EMERGENCY, _CLOSING = State.EMERGENCY, State.CLOSING
_QUARANTINED, _CLOSED, _ABORTED = State.QUARANTINED, State.CLOSED, State.ABORTED
_OPEN = (_UNPROTECTED, _PROTECTED)
_HELD = (*_OPEN, _CLOSING)
_OPENING = (_ENTERING, _UNKNOWN, _ABORTED, *_HELD)

_ROWS: tuple[tuple[type, tuple[State, ...], tuple[State, ...], Handler, str], ...] = (
    # happening, from, to (besides staying), handler, remark
    (EntryAnswered, (_ENTERING, _UNKNOWN), _OPENING, handlers.entry_answered,
     "the answer, the stream and a query may each come first; fills are cumulative"),
    (EntryAnswered, _OPEN, _HELD, handlers.entry_answered,
     "a limit entry goes on filling while its first part is protected already"),
    (EntryAnswered, (_QUARANTINED,), (_CLOSING, _ABORTED), handlers.entry_answered, ""),
    (EntryAnswered, (_EMERGENCY, _CLOSING), (), handlers.entry_answered_late,
     "what fills now is closed with the rest, what still rests is cancelled"),
    (EntryAnswered, (_ABORTED,), _HELD, handlers.aborted_news,
     "an entry that was given up may have been carried out after all"),
    (EntryAnswered, (_CLOSED,), (_CLOSING,), handlers.closed_news, ""),
    (EntryExpired, (_ENTERING, _UNKNOWN, *_OPEN, _QUARANTINED), (), handlers.entry_expired,
     "cancel first; what comes next depends on what the cancelled order filled"),
    (EntryExpired, (_EMERGENCY, _CLOSING, _CLOSED, _ABORTED), (), handlers.ignored, "cancelled already"),
    (Filled, (_ENTERING, _UNKNOWN, *_OPEN), _HELD, handlers.filled,
     "the first evidence of a fill is enough to protect"),
    (Filled, (_QUARANTINED,), (_CLOSING,), handlers.filled, ""),
    (Filled, (_EMERGENCY, _CLOSING), (), handlers.exit_filled, ""),
    (Filled, (_ABORTED,), _HELD, handlers.aborted_news, "as for an entry's answer"),
    (Filled, (_CLOSED,), (_CLOSING,), handlers.closed_news, "streams repeat themselves; but a late fill is open again"),
    (StopAnswered, _OPEN, (*_HELD, _EMERGENCY), handlers.stop_answered, ""),
    (StopAnswered, (_QUARANTINED,), (_CLOSING, _EMERGENCY), handlers.stop_answered, ""),
    (StopAnswered, (_EMERGENCY, _CLOSING, _CLOSED), (), handlers.stop_answered_late,
     "a stop that lands now is removed once the venue is flat; the sweep after the end is answered here"),
    (StopChanged, _OPEN, (*_HELD, _EMERGENCY), handlers.stop_changed,
     "a stop cancelled by somebody else is placed again, a few times"),
    (StopChanged, (_QUARANTINED,), (_CLOSING, _EMERGENCY), handlers.stop_changed, ""),
    (StopChanged, (_ENTERING, _UNKNOWN, _EMERGENCY, _CLOSING, _CLOSED, _ABORTED), (), handlers.stop_changed_late,
     "an attached stop may be reported before the entry it came with"),
    (PriceReached, _OPEN, _HELD, handlers.price_reached, ""),
    (PriceReached, (_QUARANTINED,), (_CLOSING,), handlers.price_reached, ""),
    (PriceReached, (_EMERGENCY, _CLOSING, _CLOSED), (), handlers.ignored, "asked for before it began to close"),
    (CloseWanted, (_ENTERING, _UNKNOWN), (), handlers.close_wanted, "closed as soon as something fills"),
    (CloseWanted, (*_OPEN, _QUARANTINED), (_CLOSING,), handlers.close_wanted, ""),
    (CloseWanted, (_EMERGENCY, _CLOSING, _CLOSED, _ABORTED), (), handlers.ignored, ""),
    (CloseAnswered, (_EMERGENCY, _CLOSING, _QUARANTINED), (_QUARANTINED,), handlers.close_answered,
     "always read back: unknown and refused prove nothing; what is refused for good again and again can't be closed"),
    (CloseAnswered, (_CLOSED,), (), handlers.late_close, ""),
    (CloseAnswered, (*_OPEN, _QUARANTINED), (), handlers.part_answered, "a part that was closed in profit"),
    (VenueRead, (_ENTERING, _UNKNOWN), (*_OPENING, _QUARANTINED, _CLOSED), reading.venue_read,
     "absence counts only after the fence, and only twice"),
    (VenueRead, _OPEN, (*_HELD, _QUARANTINED, _CLOSED), reading.venue_read,
     "flat ends it when executions say so, else only twice and past the time that a venue may be late"),
    (VenueRead, (_EMERGENCY, _CLOSING), (_CLOSED,), reading.venue_read,
     "flat ends it; a stop that triggered has two seconds, then a close is sent"),
    (VenueRead, (_QUARANTINED,), (*_OPENING, _CLOSED), reading.venue_read, "over once nothing strange is held"),
    (VenueRead, (_ABORTED,), _HELD, reading.aborted_read, "the watch list"),
    (VenueRead, (_CLOSED,), (_CLOSING,), reading.closed_read, "until no stop of its own is left"),
    (ReadFailed, tuple(State), (), reading.read_failed, "nothing is concluded from a failed read"),
    (DeadlinePassed, (_UNPROTECTED, _QUARANTINED), (_EMERGENCY,), handlers.deadline_passed,
     "naked for too long: close"),
    (DeadlinePassed, (_PROTECTED, _EMERGENCY, _CLOSING, _CLOSED), (), handlers.ignored, ""),
    (SilenceOver, _OPEN, _OPEN, silence.silence_over, "what was not sent counts for nothing; stops go first"),
    (SilenceOver, (_QUARANTINED, _EMERGENCY, _CLOSING), (), silence.silence_over, ""),
    (SilenceOver, (_CLOSED,), (), handlers.ignored, ""),
    (RulesChanged, (_ENTERING, _UNKNOWN, _QUARANTINED, *_OPEN, _EMERGENCY, _CLOSING), (), ruling.rules_changed,
     "what is asked for from now on is rounded anew"),
)  # fmt: skip

TABLE: dict[tuple[State, type], Row] = {
    (state, happening): Row((state, *(s for s in to if s is not state)), handler, remark)
    for happening, states, to, handler, remark in _ROWS
    for state in states
}
"""Where each happening leads from each state. A pair that is not here cannot happen."""
