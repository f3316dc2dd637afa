"""Parts that are taken in profit by orders that rest at the venue: reduce-only limit orders, beside the stop.

They come after the stop and leave with the position. What rests is compared with what should rest after everything
that happened, so that a restart, a fill that comes late and a position that was reduced by hand all lead to the same
orders. An order whose fate is in doubt keeps its place: no second one is sent for its part. A part that the venue does
not let rest is closed at the market once its price is there (taking.py).
"""

from __future__ import annotations

from .evolving import evolve
from .facts import note_target
from .happenings import Alert, CancelTarget, CloseAnswered, Command, Level, SendClose
from .ids import Leg
from .legs import LegState, TargetLeg
from .numbers import ZERO
from .orders import CloseOrder, Fill, OrderReport, Refusal, Unknown
from .position import Position, State
from .reads import is_leaving
from .silence import wait
from .steering import POLL_NS, SECOND_NS, TIDY_NS, Policy, Step, is_silent, look_at
from .taking import UNDER_WAY, Part, closed_so_far, parts, rungs

REFUSALS = 3
"""A part that the venue refused so often is left to the market; a refusal for good counts as so many."""


def keep_targets(position: Position, policy: Policy, now_ns: int) -> Step:
    """Bring what rests to what should rest. May be called at any time; what is under way is not asked for again."""
    if position.targets:
        position, cancelled = _cancel_stale(position, now_ns)
        if cancelled:
            return position, cancelled
    if not policy.rests_targets or not _may_rest(position, now_ns):
        return position, ()
    commands: list[Command] = []
    for part in _lacking(position, now_ns):
        leg = TargetLeg(position.next_id(Leg.TARGET), part.price, part.quantity, LegState.SENT, part.component, now_ns)
        position = position.with_leg(leg)
        order = CloseOrder(leg.client_id, position.symbol, position.side.exit, leg.quantity, leg.price)
        commands.append(SendClose(order))
    return position, tuple(commands)


def lacks_targets(position: Position, policy: Policy, now_ns: int) -> bool:
    """Whether a part should rest at the venue that does not: as after a death between a fill and what follows it."""
    return policy.rests_targets and _may_rest(position, now_ns) and bool(_lacking(position, now_ns))


def target_answered(position: Position, leg: TargetLeg, event: CloseAnswered, now_ns: int) -> Step:
    """What became of a target, or of its cancellation. What nobody knows is read."""
    match event.answer:
        case OrderReport() as report:
            position = note_target(position, leg, report)
            if event.cancelling and not report.status.is_final:  # it is read before it is cancelled again
                return _in_doubt(position, leg.client_id, SECOND_NS)
            return position, look_at(position, TIDY_NS) if report.status.is_final else ()
        case Unknown():
            return _in_doubt(position, leg.client_id, 0)
        case Refusal(silent_ns=int(silent_ns)) as refusal if not leg.is_over:
            cancels = leg.state is LegState.CANCELLING
            position = position.with_leg(evolve(leg, state=LegState.UNKNOWN if cancels else LegState.DONE))
            position, waits = wait(position, refusal, now_ns)
            return position, (*waits, *look_at(position, silent_ns))
        case Refusal() if event.cancelling:  # it may have been filled before that came
            return _in_doubt(position, leg.client_id, SECOND_NS)
        case Refusal() as refusal if leg.state is LegState.SENT:
            return _refused(position, leg, refusal)
    return position, ()


def taken(position: Position, fill: Fill) -> tuple[Command, ...]:
    """What people are told of an execution of a resting target."""
    leg = position.leg_of(fill.client_id)
    if not isinstance(leg, TargetLeg):
        return ()
    text = f"{position.account} {position.symbol}: {leg.taken_by} has closed {fill.quantity} at {fill.price}"
    numbers = {"target": leg.price, "price": fill.price, "quantity": fill.quantity, "open": position.open_quantity}
    return (Alert(Level.INFO, "profit_taken", text, numbers),)


def _in_doubt(position: Position, identifier: str, delay_ns: int) -> Step:
    leg = position.leg_of(identifier)
    if isinstance(leg, TargetLeg) and not leg.is_over:
        position = position.with_leg(evolve(leg, state=LegState.UNKNOWN))
    return position, look_at(position, delay_ns)


def _refused(position: Position, leg: TargetLeg, refusal: Refusal) -> Step:
    """One more try in a while, or, when that is the last refusal, the market once the price is there."""
    leg = evolve(leg, state=LegState.DONE, refusals=REFUSALS if refusal.for_good else 1)
    position = position.with_leg(leg)
    if not _is_given_up(position, leg):
        return position, look_at(position, TIDY_NS)
    what = f"{leg.taken_by} can't rest {leg.quantity} at {leg.price} ({refusal.code}: {refusal.message})"
    text = f"{position.account} {position.symbol}: {what}; it is closed at the market once the price is there"
    return position, (Alert(Level.WARNING, "target_not_resting", text), *look_at(position, TIDY_NS))


def _is_given_up(position: Position, like: TargetLeg | Part) -> bool:
    return sum(leg.refusals for leg in position.targets if leg.price == like.price) >= REFUSALS


def _may_rest(position: Position, now_ns: int) -> bool:
    """Whether targets may be placed: the stop rests first, the entry is over, and no other part is under way."""
    return (
        position.state is State.PROTECTED
        and position.exit is None
        and position.open_quantity > ZERO
        and any(target.rests for guard in position.guards.values() for target in guard.targets)
        and position.entry_is_over
        and not is_silent(position, now_ns)
        and not any(leg.state in UNDER_WAY for leg in position.closes)
        and any(position.is_covered_by(stop) for stop in position.stops)
    )


def _lacking(position: Position, now_ns: int) -> list[Part]:
    """The parts that should rest and do not, but for those that were refused for good or a moment ago."""
    return [
        part
        for part in parts(position)
        if part.rests
        and not _is_given_up(position, part)
        and not any(
            leg.price == part.price and leg.refusals and now_ns < leg.sent_ns + TIDY_NS for leg in position.targets
        )
    ]


def _cancel_stale(position: Position, now_ns: int) -> Step:
    """Cancel what should not rest any more: all of it while the position is being closed, or after."""
    resting = [leg for leg in position.targets if leg.state is LegState.RESTING]
    if not resting or is_silent(position, now_ns):
        return position, ()
    over = position.exit is not None or position.state.is_final or is_leaving(position)
    if not over:
        resting = _beyond_share(position) if position.state is State.PROTECTED else []
    commands: list[Command] = []
    for leg in resting:
        position = position.with_leg(evolve(leg, state=LegState.CANCELLING))
        commands.append(CancelTarget(leg.client_id))
    return position, (*commands, *(look_at(position, POLL_NS) if commands else ()))


def _beyond_share(position: Position) -> list[TargetLeg]:
    """Resting targets at prices that nobody wants any more, or for more than their share leaves after what was closed.

    As when the position was reduced by hand: the nearest parts count as taken then.
    """
    until = {rung.price: rung.until for rung in rungs(position)}
    closed, nearer, stale = closed_so_far(position), ZERO, []
    for leg in sorted(position.targets, key=lambda leg: leg.price * position.side.sign):
        if leg.left <= ZERO:
            continue
        if leg.state is LegState.RESTING and leg.left > until.get(leg.price, ZERO) - closed - nearer:
            stale.append(leg)
        else:
            nearer += leg.left
    return stale
