"""Closing parts of a position in profit: which target is next, the order that takes it, and what became of that.

What was taken already is not remembered but reckoned: executions and answers say how much was closed, the targets how
much should have been. So a restart, a fill that comes late and a position that was reduced by hand all lead to the
same next step. A part is never ordered while another one is under way or in doubt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from attrs import frozen

from .evolving import evolve
from .facts import note_close
from .happenings import Alert, CloseAnswered, Command, Level, SendClose
from .ids import Leg
from .legs import CloseLeg, LegState, TargetLeg
from .market import MarketRules
from .numbers import ZERO, floor_to
from .orders import CloseOrder, OrderReport, Refusal, Unknown
from .plan import smallest_quantity
from .position import Position, State
from .protection import Ask, Guard, Target, on_tick
from .signal import Side
from .steering import POLL_NS, TIDY_NS, Policy, Step, close, look_at
from .watch import next_ask

UNDER_WAY = (LegState.SENT, LegState.RESTING, LegState.UNKNOWN)

TRIES = 3
"""Parts that were refused so often in a row are not tried again: the stop still protects, and people are told."""


@frozen
class Part:
    """A part to be closed: on which price, how much, and which protection wants it.

    `last`: all that is open. `rests`: as an order at the venue, where it can.
    """

    component: str
    price: Decimal
    quantity: Decimal
    last: bool
    rests: bool


@frozen
class Rung:
    """One target: its price on the tick, and how much is to be closed `until` it was taken, all nearer ones too."""

    component: str
    price: Decimal
    until: Decimal
    rests: bool


def next_part(position: Position) -> Part | None:
    """The nearest part that is not closed yet and does not rest at the venue; None while nothing is to be taken."""
    if not any(guard.targets for guard in position.guards.values()) or not _may_take(position):
        return None
    return next(parts(position), None)


def parts(position: Position) -> Iterator[Part]:
    """What is to be closed yet besides what rests at the venue already, nearest target first.

    Shares are of all that was entered, rounded down to the step together: what rounding leaves goes to the next
    target. A part that the venue would find too small waits for the next one, and one that would leave too little
    takes all.
    """
    rules, closed, sign = position.plan.rules, closed_so_far(position), position.side.sign
    resting = [leg for leg in position.targets if leg.left > ZERO]
    left = min(position.open_quantity, position.entered - closed) - sum((leg.left for leg in resting), ZERO)
    made = ZERO
    for rung in rungs(position):
        nearer = sum((leg.left for leg in resting if (rung.price - leg.price) * sign >= ZERO), ZERO)
        quantity, smallest = min(rung.until - closed - nearer - made, left), smallest_quantity(rules, rung.price)
        if quantity > ZERO and left - quantity < smallest:
            yield Part(rung.component, rung.price, left, last=not resting and made == ZERO, rests=rung.rests)
            return
        if quantity >= smallest:
            yield Part(rung.component, rung.price, quantity, last=False, rests=rung.rests)
            made, left = made + quantity, left - quantity


def rungs(position: Position) -> list[Rung]:
    """The targets of all protections, nearest first, and how much of the position is to be closed with each."""
    rules, share, found = position.plan.rules, ZERO, []
    for name, price, target in _targets(position.side, position.guards, rules):
        share += target.share
        until = position.entered if share >= 1 else floor_to(share * position.entered, rules.step_size)
        if until > ZERO and position.entered - until < smallest_quantity(rules, price):
            until = position.entered
        found.append(Rung(name, price, until, target.rests))
    return found


def asks(position: Position) -> Ask:
    """When the position wants to hear of a price: its protections, and its next target."""
    ask = next_ask(position.guards.values())
    for guard in position.guards.values():  # asked after every move of a stop: most positions have no target at all
        if guard.targets:
            break
    else:
        return ask
    part = next_part(position)
    if part is None:
        return ask
    if position.side is Side.LONG:
        return evolve(ask, above=part.price if ask.above is None else min(ask.above, part.price))
    return evolve(ask, below=part.price if ask.below is None else max(ask.below, part.price))


def take(position: Position, price: Decimal, now_ns: int) -> Step:
    """Close the next part if `price` has reached its target. The last one closes the position."""
    part = next_part(position)
    if part is None or (price - part.price) * position.side.sign < ZERO:
        return position, ()
    told = _told(position, part, price)
    if part.last:
        position, commands = close(position, part.component, now_ns, quantity=part.quantity)
        return position, (told, *commands)
    leg = CloseLeg(position.next_id(Leg.EXIT), part.quantity, LegState.SENT, taken_by=part.component, sent_ns=now_ns)
    order = CloseOrder(leg.client_id, position.symbol, position.side.exit, leg.quantity)
    return position.with_leg(leg), (told, SendClose(order))


def closing_part_answered(position: Position, event: CloseAnswered, _policy: Policy, _now_ns: int) -> Step:
    """What became of a part at the market. One in doubt blocks the next until it can't land any more, and is read."""
    leg = position.leg_of(event.client_id)
    if not isinstance(leg, CloseLeg) or leg.state is LegState.DONE:
        return position, ()
    match event.answer:
        case OrderReport() as report:
            position = note_close(position, event.client_id, report)
            # Not at once: a read that is on its way together with the stop for what remains would not show that.
            return position, look_at(position, TIDY_NS if report.status.is_final else POLL_NS)
        case Unknown():
            unknown = position.with_leg(evolve(leg, state=LegState.UNKNOWN))
            return unknown, look_at(unknown)
        case Refusal() as refusal:
            position = note_close(position.with_leg(evolve(leg, refused=True)), event.client_id, refusal)
            return position, (*_given_up(position, refusal), *look_at(position, TIDY_NS))


def _may_take(position: Position) -> bool:
    legs = position.closes
    return (
        position.state in (State.PROTECTED, State.UNPROTECTED)
        and position.exit is None
        and position.entry_is_over
        and position.open_quantity > ZERO
        and not any(leg.state in UNDER_WAY for leg in legs)
        and not (len(legs) >= TRIES and all(leg.refused for leg in legs[-TRIES:]))
    )


def closed_so_far(position: Position) -> Decimal:
    """What was closed. Of each order either its answer or its executions may be told first: the larger counts."""
    executed: dict[str, Decimal] = {}
    for fill in position.fills.values():
        if fill.side is position.side.exit:
            executed[fill.client_id] = executed.get(fill.client_id, ZERO) + fill.quantity
    legs: tuple[CloseLeg | TargetLeg, ...] = (*position.closes, *position.targets)
    for leg in legs:
        executed[leg.client_id] = max(executed.get(leg.client_id, ZERO), leg.filled)
    return sum(executed.values(), ZERO)


def _targets(side: Side, guards: Mapping[str, Guard], rules: MarketRules) -> list[tuple[str, Decimal, Target]]:
    """The targets of all protections, nearest first, on the tick."""
    found = [(name, on_tick(rules, t.price), t) for name, guard in guards.items() for t in guard.targets]
    return sorted(found, key=lambda each: each[1] * side.sign)


def _told(position: Position, part: Part, price: Decimal) -> Command:
    text = f"{position.account} {position.symbol}: {part.component} closes {part.quantity} at {price}"
    numbers = {"target": part.price, "price": price, "quantity": part.quantity, "open": position.open_quantity}
    return Alert(Level.INFO, "profit_taken", text, numbers)


def _given_up(position: Position, refusal: Refusal) -> tuple[Command, ...]:
    legs = position.closes
    if len(legs) < TRIES or not all(leg.refused for leg in legs[-TRIES:]):
        return ()
    text = f"{position.account} {position.symbol}: a part was refused {TRIES} times ({refusal.code}: {refusal.message})"
    return (Alert(Level.WARNING, "profit_not_taken", f"{text}; the position goes on with its stop"),)
