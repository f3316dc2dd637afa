"""A position of the venue that the journal does not know becomes one of ours: as the venue shows it, nothing invented.

Its quantity and entry price are the venue's; executions are never made up. Its stop is the one of ours that rests
already, else what the deployment's protections want from the venue's entry price.
"""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen

from . import guards
from .evolving import evolve
from .execution import EntryPlan, EntryStep
from .happenings import Alert, Level
from .ids import Leg, client_id, position_id
from .legs import EntryLeg, LegState, StopLeg
from .market import MarketRules, Quote
from .numbers import plain
from .orders import OrderType, VenuePosition
from .position import Exit, Position, State
from .protection import Ask, tighter
from .resting import RestingOrder
from .signal import Side, SignalSettings
from .steering import SECOND_NS, Policy, Step, close, look_at, protect

ADOPTED = "adopted"
"""Who wants a stop that was there already."""

LAST_FIRST_SEQUENCE = 800_000


@frozen
class Adoption:
    """What is adopted. `identity` is the id that the position gets: that of its own orders, where they name one.

    `stops` are those that rest and become its own. `follows`: whether protections go on moving its stop.
    """

    identity: str
    account: str
    held: VenuePosition
    stops: tuple[RestingOrder, ...]
    rules: MarketRules
    follows: bool = True


def new_identity(account: str, held: VenuePosition, now_ns: int) -> str:
    """The id of a position that no order of ours names, or whose name has been used up."""
    return position_id(signal_id=f"{ADOPTED}-{now_ns}", account=account, symbol=held.symbol, side=side_of(held))


def side_of(held: VenuePosition) -> Side:
    """The direction of a venue's position."""
    return Side.LONG if held.quantity > 0 else Side.SHORT


def adopted(adoption: Adoption, policy: Policy, now_ns: int) -> Step:
    """The position, with the commands that protect it. Without a stop from anybody it is closed."""
    bare = _bare(adoption, now_ns)
    existing = bare.live_stop
    guarded = guards.begin(bare, policy.protections, adoption.held.entry_price)
    position = guarded.position
    why = guarded.close
    if existing is not None:  # what rests stays where it is: a restart is no reason to come nearer to the price
        price = existing.trigger_price
        position = evolve(position, wanted_stop=price, wanted_by=ADOPTED, initial_stop=price)
    elif position.wanted_by == ADOPTED:
        why = why or "no_stop"
    if not adoption.follows:
        still = {name: evolve(guard, ask=Ask()) for name, guard in position.guards.items()}
        position = evolve(position, guards=still)
        why = None if existing is not None else why
    alert = _told(position)
    if why is not None:
        position, commands = close(evolve(position, exit=Exit(why, now_ns)), why, now_ns)
        return position, (alert, *commands)
    position, commands = protect(position, policy, now_ns)
    return position, (alert, *guarded.notes, *commands, *look_at(position, SECOND_NS))


def _bare(adoption: Adoption, now_ns: int) -> Position:
    held, identity = adoption.held, adoption.identity
    side, price, quantity = side_of(held), held.entry_price, abs(held.quantity)
    first = first_sequence(now_ns)
    step = EntryStep(OrderType.MARKET)
    leg = EntryLeg(client_id(identity, Leg.ENTRY, first), step, quantity, LegState.DONE, now_ns, quantity, price)
    stops = tuple(_leg(adoption, stop, stop.price, first) for stop in adoption.stops if stop.price is not None)
    best = price
    for number, stop in enumerate(stops):
        if number == 0 or tighter(side, stop.trigger_price, best):
            best = stop.trigger_price
    return Position(
        id=identity,
        account=adoption.account,
        symbol=held.symbol,
        side=side,
        signal_id=f"{ADOPTED}-{identity}",
        wave_id="",
        settings=SignalSettings(),
        plan=EntryPlan(held.symbol, side, quantity, Quote(price, price, price, price, now_ns), adoption.rules),
        planned_price=price,
        planned_stop=best,
        wanted_stop=best,
        wanted_by=ADOPTED,
        decided_ns=now_ns,
        state=State.UNPROTECTED,
        entries=(leg,),
        stops=stops,
        opened_ns=now_ns,
        first_sequence=first,
    )


def _leg(adoption: Adoption, stop: RestingOrder, price: Decimal, first: int) -> StopLeg:
    name = client_id(adoption.identity, Leg.STOP, first) if stop.attached else stop.client_id
    quantity = abs(adoption.held.quantity) if stop.quantity is None else stop.quantity
    return StopLeg(name, price, quantity, LegState.RESTING, stop.attached, ADOPTED)


def first_sequence(now_ns: int) -> int:
    """Where the orders of an adopted position begin to be counted.

    What the lost journal had sent is not known, so its numbers are kept away from: every second begins elsewhere.
    """
    return 1_000 + now_ns // SECOND_NS % LAST_FIRST_SEQUENCE


def _told(position: Position) -> Alert:
    quantity, price = plain(position.open_quantity), plain(position.planned_price)
    text = (
        f"{position.account} {position.symbol}: a {position.side.value} position of {quantity} at {price}, which the "
        "journal did not know, is looked after from now on"
    )
    return Alert(Level.WARNING, "position_adopted", text)
