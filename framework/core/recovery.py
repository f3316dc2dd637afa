"""What a reading of the account says of a position that the journal knows, and what follows: the recovery table.

The first case that fits names the action. Carrying it out is the business of the position's own life (lifecycle.py):
whatever does not look as expected is read closely, and nothing is concluded from the reading of the account alone.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from decimal import Decimal

from attrs import frozen

from .ids import Leg, leg_of
from .legs import LegState
from .numbers import ZERO, plain
from .position import Position, State
from .protection import tighter
from .restart import is_calm
from .resting import RestingKind, RestingOrder
from .steering import TRIGGER_GRACE_NS


class Action(enum.Enum):
    """What is done about a position or an order.

    ``KEEP``: it is as expected. ``WAIT``: nothing is proven yet, it is read again. ``IGNORE``: it is not ours.
    ``ALERT``: a person has to look.
    """

    KEEP = "keep"
    ADOPT = "adopt"
    RE_ARM = "re-arm"
    CANCEL = "cancel"
    CLOSE = "close"
    PROTECT = "protect"
    IGNORE = "ignore"
    ALERT = "alert"
    WAIT = "wait"


@frozen
class Sight:
    """A position of the journal beside what a reading shows in its market.

    `held` is counted on the position's side: negative when the venue's is turned round. `orders` are its own that
    rest, the attached stop among them. `fence_ns`: how long after sending an entry of unknown outcome may appear.
    """

    position: Position
    held: Decimal
    orders: tuple[RestingOrder, ...]
    now_ns: int
    fence_ns: int
    liquidation_price: Decimal | None = None

    @property
    def liquidation_is_nearer(self) -> bool:
        """Whether the venue would liquidate it nearer than was known, and a protection of it keeps away from that."""
        now, known, side = self.liquidation_price, self.position.liquidation_price, self.position.side
        if now is None or all(guard.limit is None for guard in self.position.guards.values()):
            return False
        return known is None or tighter(side, now, known)

    @property
    def stops(self) -> tuple[RestingOrder, ...]:
        """Its stops that rest."""
        return tuple(order for order in self.orders if order.kind is RestingKind.STOP)

    @property
    def covering(self) -> tuple[RestingOrder, ...]:
        """Its stops that are for all that is held."""
        return tuple(stop for stop in self.stops if stop.quantity is None or stop.quantity >= self.held)

    @property
    def explained(self) -> Decimal:
        """The most that this position can have bought."""
        p = self.position
        return p.entered if p.entry_is_known else max(p.entered, p.plan.quantity)

    @property
    def fence_is_over(self) -> bool:
        """Whether an entry that nobody knows cannot appear any more."""
        return self.now_ns >= self.position.entry.sent_ns + self.fence_ns

    @property
    def triggered_long_ago(self) -> bool:
        """Whether a stop of it triggered, and has had its time to close the position."""
        gone = self.position.exit
        if gone is None or gone.trigger_price is None:
            return False
        return self.now_ns - gone.triggered_ns >= TRIGGER_GRACE_NS

    @property
    def shows_targets(self) -> bool:
        """Whether just those targets rest that are known to rest."""
        shown = {order.client_id for order in self.orders if leg_of(order.client_id) is Leg.TARGET}
        return shown == {leg.client_id for leg in self.position.targets if not leg.is_over}

    @property
    def is_in_place(self) -> bool:
        """Whether a stop that covers it rests where the journal says."""
        live = self.position.live_stop
        return live is not None and any(stop.price == live.trigger_price for stop in self.covering)


@frozen
class Case:
    """One row of the table: its name, the states that it is about, when it fits, what is done, and why."""

    name: str
    states: tuple[State, ...]
    fits: Callable[[Sight], bool]
    action: Action
    why: Callable[[Sight], str]


_OPENING = (State.ENTERING, State.UNKNOWN)
_OPEN = (State.UNPROTECTED, State.PROTECTED, State.QUARANTINED)
_ENDING = (State.CLOSING, State.EMERGENCY)
_OVER = (State.CLOSED, State.ABORTED)


def _always(_sight: Sight) -> bool:
    return True


def _is_strange(sight: Sight) -> bool:
    return sight.held < ZERO or sight.held > sight.explained


def _is_trailing(sight: Sight) -> bool:
    initial = sight.position.initial_stop
    return initial is not None and sight.position.wanted_stop != initial


def _says(text: str) -> Callable[[Sight], str]:
    return lambda sight: text.format(
        held=plain(sight.held),
        open=plain(sight.position.open_quantity),
        stop=plain(sight.position.wanted_stop),
        explained=plain(sight.explained),
    )


CASES: tuple[Case, ...] = (
    Case("any: larger, or flipped", (*_OPENING, *_OPEN), _is_strange, Action.PROTECT,
         _says("the venue holds {held}, at most {explained} are ours: what is on our side is protected; a person "
               "has to look")),
    Case("sent or unknown: found and covered", _OPENING, lambda s: s.held > ZERO and bool(s.covering), Action.ADOPT,
         _says("its entry was carried out: {held} are held, and a stop covers them")),
    Case("sent or unknown: found, stop absent or short", _OPENING, lambda s: s.held > ZERO, Action.RE_ARM,
         _says("its entry was carried out: {held} are held, and no stop covers them")),
    Case("sent or unknown: its order rests", _OPENING,
         lambda s: any(o.kind is RestingKind.ENTRY for o in s.orders), Action.ADOPT,
         _says("its entry order rests at the venue")),
    Case("intent, nothing sent", _OPENING,
         lambda s: s.position.entry.state is LegState.SENT and not s.fence_is_over, Action.WAIT,
         _says("the venue shows nothing of its entry; given up when two more reads after its time agree")),
    Case("sent or unknown: nothing, before the fence", _OPENING, lambda s: not s.fence_is_over, Action.WAIT,
         _says("the venue shows nothing of its entry yet; it may still appear")),
    Case("sent or unknown: nothing after the fence", _OPENING, _always, Action.WAIT,
         _says("the venue shows nothing of its entry; given up and watched when two reads agree")),
    Case("protected: flat", _OPEN, lambda s: s.held == ZERO, Action.WAIT,
         _says("the venue shows no position, {open} are known; closed when executions or a second read say so")),
    Case("filled: position smaller than fills", _OPEN, lambda s: s.held < s.position.open_quantity, Action.WAIT,
         _says("the venue holds {held}, {open} are known: its executions are read")),
    Case("filled: position larger than known", _OPEN, lambda s: s.held > s.position.open_quantity, Action.WAIT,
         _says("the venue holds {held}, {open} are known: its executions are read")),
    Case("trailing: none", _OPEN, lambda s: not s.stops and _is_trailing(s), Action.RE_ARM,
         _says("its stop is not there: placed again at {stop}, the last price it was at or meant to be")),
    Case("protected: stop missing or short", _OPEN, lambda s: not s.covering, Action.RE_ARM,
         _says("no stop covers the {held} that are held: placed again at {stop}")),
    Case("trailing: two stops", _OPEN, lambda s: len(s.stops) > 1, Action.CANCEL,
         _says("more than one stop rests: the tighter one stays")),
    Case("protected: targets not as known", _OPEN, lambda s: not s.shows_targets, Action.WAIT,
         _says("not just those orders rest that take its profit: they are read")),
    Case("protected: its liquidation is nearer", _OPEN, lambda s: s.liquidation_is_nearer, Action.WAIT,
         _says("the venue would liquidate it nearer than was known: it is read")),
    Case("protected: as expected", _OPEN, lambda s: s.is_in_place and is_calm(s.position), Action.KEEP,
         _says("{held} are held, and a stop covers them")),
    Case("protected: under way", _OPEN, _always, Action.WAIT,
         _says("something about it is under way, or its stop rests elsewhere: it is read closely")),
    Case("stop triggered, and not filled for 2 s", _ENDING,
         lambda s: s.held != ZERO and s.triggered_long_ago, Action.CLOSE,
         _says("its stop triggered, and {held} are still held: closed at the market")),
    Case("closing, emergency: position not flat", _ENDING, lambda s: s.held != ZERO, Action.CLOSE,
         _says("{held} are still held: closed again under a new id")),
    Case("closing, emergency: flat", _ENDING, _always, Action.WAIT,
         _says("the venue shows no position; closed when executions or a second read say so")),
    Case("given up: there after all", (State.ABORTED,), lambda s: s.held > ZERO, Action.ADOPT,
         _says("its entry was carried out after all: {held} are held; it is protected")),
    Case("closed: there again", (State.CLOSED,), lambda s: s.held > ZERO, Action.CLOSE,
         _says("{held} are held of a position that was closed: closed again")),
    Case("protected, flat: sweep own stops", _OVER, lambda s: bool(s.orders), Action.CANCEL,
         _says("it is over, and orders of its own still rest")),
    Case("over: watched", _OVER, _always, Action.WAIT,
         _says("it is over; something of it may still turn up")),
)  # fmt: skip
"""All cases of a position that the journal knows. Every state has a last case that fits whatever is seen."""


def case_of(sight: Sight) -> Case:
    """The first case that fits."""
    return next(case for case in CASES if sight.position.state in case.states and case.fits(sight))
