"""What a position needs next, given what is known: a stop placed, moved, swept; a close sent; the venue read.

Every function takes the position after a fact was noted and returns it with the commands that follow. They may be
called again at any time: what is under way already is not asked for twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from attrs import frozen

from .evolving import evolve
from .execution import EntryPlan, EntryStep, EntryTry
from .happenings import (
    Alert,
    CancelEntry,
    CancelStop,
    Command,
    Level,
    MoveStop,
    PlaceStop,
    ReadVenue,
    SendClose,
    SendEntry,
    StartDeadline,
)
from .ids import Leg
from .legs import CloseLeg, EntryLeg, LegState, StopLeg
from .market import PriceSource
from .numbers import ZERO, ceil_to, is_multiple
from .orders import CloseOrder, EntryOrder, StopOrder
from .position import Exit, Position, State
from .protection import tighter
from .watch import Protector

SECOND_NS = 1_000_000_000
TRIGGER_GRACE_NS = 2 * SECOND_NS
"""A stop that triggered this long ago and has not closed the position is no protection any more."""

POLL_NS = SECOND_NS // 2
TIDY_NS = 5 * SECOND_NS
WATCH_EVERY_NS = 60 * SECOND_NS
WATCHED_CLOSELY_NS = 60 * SECOND_NS
"""An entry that was given up is looked for every few seconds for so long: what turns up after all has no stop."""


class Enterer(Protocol):
    """The part of an execution that the life of a position uses."""

    @property
    def name(self) -> str: ...

    def first(self, plan: EntryPlan) -> EntryStep: ...

    def after(self, plan: EntryPlan, tries: tuple[EntryTry, ...]) -> EntryStep | None: ...


@frozen
class Policy:
    """What the life of a position depends on besides itself: components, the venue's abilities, limits.

    `protect_within_ns` is how long a position may be open without a live stop before it is closed;
    `entry_deadline_ns` how long after the decision an entry may still be sent; `fence_ns` how long after sending
    an entry of unknown outcome may still appear; `watch_ns` how long it is looked for after that; `visible_ns` how
    long after a fill the venue may still answer as if there were no position.
    """

    protections: Sequence[Protector]
    execution: Enterer
    attaches_stops: bool
    amends_stops: bool
    rests_targets: bool = False
    stop_tries: int = 3
    protect_within_ns: int = 3 * SECOND_NS
    entry_deadline_ns: int = 30 * SECOND_NS
    fence_ns: int = 15 * SECOND_NS
    watch_ns: int = 900 * SECOND_NS
    visible_ns: int = 30 * SECOND_NS

    @property
    def certain_ns(self) -> int:
        """After this long a request of unknown outcome has landed, and can be seen; or it never will."""
        return self.fence_ns + self.visible_ns


Step = tuple[Position, tuple[Command, ...]]


def enter(position: Position, step: EntryStep, quantity: Decimal, policy: Policy, now_ns: int) -> Step:
    """Send the next entry order, with the stop inside it where the venue attaches stops."""
    stop: StopOrder | None = None
    leg = EntryLeg(position.next_id(Leg.ENTRY), step, quantity, LegState.SENT, now_ns)
    position = position.with_leg(leg)
    if policy.attaches_stops and position.open_quantity <= ZERO:
        for gone in (stop for stop in position.stops if stop.attached):
            position = position.with_leg(evolve(gone, state=LegState.DONE))  # it came to nothing with its entry
        stop_leg = _new_stop(position, position.plan.quantity, policy)
        position = position.with_leg(stop_leg)
        stop = _stop_order(position, stop_leg)
    order = EntryOrder(
        client_id=leg.client_id,
        symbol=position.symbol,
        side=position.side.entry,
        type=step.type,
        quantity=quantity,
        price=step.price,
        time_in_force=step.time_in_force,
        send_before_ns=position.decided_ns + policy.entry_deadline_ns,
        stop=stop,
    )
    return position, (SendEntry(order, step.cancel_after_ns),)


def protect(position: Position, policy: Policy, now_ns: int) -> Step:
    """Bring the stop to what is open and where it is wanted; the state follows from what rests at the venue."""
    live = _stop_at_work(position)
    commands: list[Command] = []
    under_way = any(stop.state in (LegState.SENT, LegState.MOVING, LegState.UNKNOWN) for stop in position.stops)
    if not under_way and not is_silent(position, now_ns):
        if live is None:
            position, command = _place(position, policy)
            commands.append(command)
        elif must_move(position, live):
            position, command = (_move if policy.amends_stops else _place_beside)(position, live, policy)
            commands.append(command)
        elif not live.is_doubtful:
            position, surplus = _sweep(position, keep=live)
            commands.extend(surplus)
    if live is None:
        if position.unprotected_since_ns is None:
            position = evolve(position, unprotected_since_ns=now_ns)
            commands.append(StartDeadline(policy.protect_within_ns))
        return evolve(position, state=State.UNPROTECTED), tuple(commands)
    protected_ns = now_ns if position.protected_ns is None else position.protected_ns
    initial = position.initial_stop
    if initial is None and live.trigger_price == position.wanted_stop:
        initial = live.trigger_price
    position = evolve(
        position,
        state=State.PROTECTED,
        protected_ns=protected_ns,
        unprotected_since_ns=None,
        initial_stop=initial,
    )
    return position, tuple(commands)


def close(
    position: Position, reason: str, now_ns: int, *, state: State = State.CLOSING, quantity: Decimal | None = None
) -> Step:
    """Send a reduce-only close, unless one is under way; of `quantity`, or all that is open as far as we know.

    Stops stay until the venue is flat.
    """
    if position.exit is None:
        position = evolve(position, exit=Exit(reason, now_ns))
    position = evolve(position, state=state)
    position, commands = stop_entering(position)
    if is_closing(position) or is_silent(position, now_ns):
        return position, commands
    quantity = position.open_quantity if quantity is None else quantity
    if quantity <= ZERO:
        return position, (*commands, *look_at(position, POLL_NS))
    leg = CloseLeg(position.next_id(Leg.EXIT), quantity, LegState.SENT)
    order = CloseOrder(leg.client_id, position.symbol, position.side.exit, leg.quantity)
    return position.with_leg(leg), (*commands, SendClose(order))


def acts_still(left: Exit, now_ns: int) -> bool:
    """Whether a stop triggered so lately that it may yet close the position by itself."""
    return left.trigger_price is not None and now_ns - left.triggered_ns < TRIGGER_GRACE_NS


def is_silent(position: Position, now_ns: int) -> bool:
    """Whether nothing can be sent now because the venue wants silence; what is wanted is sent when that ends."""
    return position.silent_until_ns is not None and now_ns < position.silent_until_ns


def is_closing(position: Position) -> bool:
    """Whether a closing order is under way: another one before its answer would be one too many."""
    return any(leg.state in (LegState.SENT, LegState.RESTING) for leg in position.closes)


def stop_entering(position: Position) -> Step:
    """Cancel an entry order that rests, or may: a position that is being closed must not grow."""
    leg = position.entry
    may_rest = leg.state is LegState.UNKNOWN and leg.step.price is not None
    if leg.state is not LegState.RESTING and not may_rest:
        return position, ()
    return position.with_leg(evolve(leg, state=LegState.CANCELLING)), (CancelEntry(leg.client_id),)


def emergency(position: Position, code: str, message: str, now_ns: int) -> Step:
    """The position cannot be protected: close it now, and tell people."""
    closing, commands = close(position, f"emergency:{code}", now_ns, state=State.EMERGENCY)
    alert = Alert(Level.ERROR, code, f"{position.account} {position.symbol}: {message}; closing the position")
    return closing, (alert, *commands)


def finish(position: Position, policy: Policy, now_ns: int) -> Step:
    """The venue is flat: the position is closed, and what is left of its own stops is removed.

    Where executions do not explain why it is flat, it is watched for a while: not found is no proof. So is one whose
    entry has executions that nobody told.
    """
    explained = position.is_explained
    if position.exit is None:
        position = evolve(position, exit=Exit("closed_elsewhere", now_ns))
    position = evolve(
        position,
        state=State.CLOSED,
        closed_ns=position.last_exit_ns or now_ns if explained else now_ns,
        unprotected_since_ns=None,
        misses=0,
        surplus=ZERO,
        watch_until_ns=None if position.is_accounted else now_ns + policy.watch_ns,
    )
    return tidy(position)


def tidy(position: Position) -> Step:
    """Remove every stop of a closed position that rests; read again as long as anything of it may turn up."""
    position, swept = sweep(position)
    if position.is_settled:
        return position, swept
    return position, (*swept, *look_at(position, WATCH_EVERY_NS if position.is_swept else TIDY_NS))


def sweep(position: Position) -> Step:
    """Remove every stop of a closed position that rests."""
    return _sweep(position, keep=None)


def look_at(position: Position, delay_ns: int = 0) -> tuple[Command, ...]:
    """Read the venue, and ask for every order of ours whose end is not known."""
    entries = [leg.client_id for leg in position.entries if leg.state not in (LegState.DONE, LegState.SENT)]
    closes = [leg.client_id for leg in position.closes if leg.state in (LegState.RESTING, LegState.UNKNOWN)]
    targets = [leg.client_id for leg in position.targets if leg.state not in (LegState.DONE, LegState.SENT)]
    return (ReadVenue(delay_ns, (*entries, *closes, *targets)),)


def _stop_at_work(position: Position) -> StopLeg | None:
    """The stop to keep: the tightest; but while opening the one that is where it is wanted now.

    A later part of the entry may be cheaper: a stop that was placed for its first part is tighter then, and must go.
    """
    if position.initial_stop is None:
        for stop in position.stops:
            if position.is_covered_by(stop) and stop.trigger_price == position.wanted_stop:
                return stop
    return position.live_stop


def must_move(position: Position, live: StopLeg) -> bool:
    """Whether the stop that protects rests elsewhere than it is wanted now."""
    if position.initial_stop is None:  # while opening, the stop is brought to the real entry, whichever side it is
        return live.trigger_price != position.wanted_stop
    return tighter(position.side, position.wanted_stop, live.trigger_price) or _outgrown(position, live)


def _outgrown(position: Position, live: StopLeg) -> bool:
    """Whether a part was taken and the stop is for more than what remains. An attached one follows by itself.

    It protects as well as before, so nothing is done while another stop may still turn up.
    """
    taken = any(leg.taken_by for leg in position.closes) or any(leg.filled for leg in position.targets)
    if not taken or any(stop.is_doubtful for stop in position.stops):
        return False
    return not live.attached and live.quantity > stop_quantity(position) > ZERO


def stop_quantity(position: Position) -> Decimal:
    """What a stop is ordered for: all that is held; more than that where the market's rules allow no less.

    A venue may raise a step or a smallest quantity while a position is open. A stop only reduces: more does no harm.
    """
    rules, cover = position.plan.rules, position.cover
    if cover <= ZERO or (cover >= rules.min_quantity and is_multiple(cover, rules.step_size)):
        return cover
    return ceil_to(max(cover, rules.min_quantity), rules.step_size)


def _new_stop(position: Position, quantity: Decimal, policy: Policy) -> StopLeg:
    identifier = position.next_id(Leg.STOP)
    return StopLeg(identifier, position.wanted_stop, quantity, LegState.SENT, policy.attaches_stops, position.wanted_by)


def _stop_order(position: Position, leg: StopLeg, live: StopLeg | None = None) -> StopOrder:
    return StopOrder(
        client_id=leg.client_id,
        symbol=position.symbol,
        side=position.side.exit,
        quantity=leg.quantity,
        trigger_price=leg.trigger_price,
        trigger_by=_trigger_of(position),
        attached=leg.attached,
        worth_usd=None if live is None else worth_of_move(position, live),
    )


def worth_of_move(position: Position, live: StopLeg) -> Decimal:
    """How much more of the position's value is protected once its stop is where it is wanted: 0 for a mere resize."""
    nearer = (position.wanted_stop - live.trigger_price) * position.side.sign
    return max(ZERO, nearer) * position.cover


def _trigger_of(position: Position) -> PriceSource:
    """The price that triggers the wanted stop: as its protection says, or as it was planned before any answered."""
    guard = position.guards.get(position.wanted_by)
    return position.planned_trigger if guard is None else guard.trigger_by


def _place(position: Position, policy: Policy, live: StopLeg | None = None) -> tuple[Position, Command]:
    leg = _new_stop(position, stop_quantity(position), policy)
    return position.with_leg(leg), PlaceStop(_stop_order(position, leg, live))


def _place_beside(position: Position, live: StopLeg, policy: Policy) -> tuple[Position, Command]:
    return _place(position, policy, live)  # the old one is swept once the new one rests: never a gap


def _move(position: Position, live: StopLeg, _policy: Policy) -> tuple[Position, Command]:
    wanted = evolve(live, trigger_price=position.wanted_stop, quantity=stop_quantity(position))
    moving = evolve(live, state=LegState.MOVING)
    return position.with_leg(moving), MoveStop(_stop_order(position, wanted, live))


def _sweep(position: Position, keep: StopLeg | None) -> tuple[Position, tuple[Command, ...]]:
    commands: list[Command] = []
    for stop in position.stops:
        if stop.state is not LegState.RESTING or (keep is not None and stop.client_id == keep.client_id):
            continue
        if stop.attached:  # it went with the position, or was replaced in place
            position = position.with_leg(evolve(stop, state=LegState.DONE))
            continue
        position = position.with_leg(evolve(stop, state=LegState.CANCELLING))
        commands.append(CancelStop(stop.client_id))
    return position, tuple(commands)
