"""The venue's account against the journal: what a reading shows, and what follows for each position and order.

Facts in, findings out. A reading that failed, or is suspiciously empty, proves nothing: then there is one finding, to
wait. Orders that are not ours are never touched. A position that the journal knows is the business of the recovery
table (recovery.py); here are those that it does not know, and orders of ours that nobody needs any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from attrs import field, frozen

from .adopting import side_of
from .ids import Leg, leg_of, owner_of
from .lateness import is_late
from .numbers import ZERO, plain
from .orders import Fill, VenuePosition
from .position import Position
from .recovery import Action, Sight, case_of
from .resting import RestingKind, RestingOrder
from .steering import SECOND_NS

CONFIRM_NS = 5 * SECOND_NS
"""Two readings prove something together when they are this far apart."""

LOOK_BACK_DAYS = (7, 28, 91)
"""How far back executions are looked through for the order that opened a position nobody knows: further each time.

A venue tells a week with one request, and a reading must not take long.
"""

ForeignPolicy = Literal["ignore", "protect", "adopt"]
"""What is done about a position that is not ours: nothing, a stop alone, or all that is done for one of ours."""


@frozen
class AccountSeen:
    """What one account showed: every position that is not flat, by symbol, and every order that rests.

    `time_ns` is when it was asked for. `fills` are the latest executions of the markets whose position nobody knew.
    """

    account: str
    time_ns: int
    positions: Mapping[str, VenuePosition]
    resting: tuple[RestingOrder, ...]
    fills: Mapping[str, tuple[Fill, ...]] = field(factory=dict)


@frozen
class Unread:
    """A reading that failed."""

    account: str
    time_ns: int
    message: str


@frozen
class Finding:
    """What is done about one position or order, and why. `case` is its row in the tables of recovery.

    `position_id` is empty where none of ours is meant; `order` is the one that is to be cancelled.
    """

    case: str
    account: str
    symbol: str
    position_id: str
    action: Action
    why: str
    order: RestingOrder | None = None


FAILED = "any: reads fail"
EMPTY = "any: suspiciously empty"
OURS = "journal lost: position with our ids"
AGAIN = "closed: there again, unexplained"
FOREIGN = "journal lost: position without our ids"
LATE = "any: older than what is known"
ORPHAN = "flat: order of ours left behind"

_FOREIGN_SAYS: Mapping[ForeignPolicy, tuple[Action, str]] = {
    "ignore": (Action.IGNORE, "left alone; no entry in this market while it is there"),
    "protect": (Action.PROTECT, "given a stop"),
    "adopt": (Action.ADOPT, "looked after like one of ours"),
}


def reconcile(
    seen: AccountSeen | Unread,
    before: AccountSeen | None,
    known: Sequence[Position],
    *,
    foreign: ForeignPolicy,
    fence_ns: int,
    now_ns: int,
) -> tuple[Finding, ...]:
    """What follows from a reading. `before` is an earlier good one; `known` are the account's positions in the journal.

    Positions come in the order of `known`, then what the journal does not know by symbol, then orders.
    """
    if isinstance(seen, Unread):
        why = f"{seen.message}; nothing is opened, and what rests is left alone"
        return (Finding(FAILED, seen.account, "", "", Action.WAIT, why),)
    unsettled = [position for position in known if not position.is_settled]
    expected = sum(1 for position in unsettled if not position.state.is_final and position.open_quantity > ZERO)
    if expected and not seen.positions:
        why = f"the venue shows no position at all, {expected} are known to be open: read again, nothing is swept"
        return (Finding(EMPTY, seen.account, "", "", Action.WAIT, why),)
    found = [_compared(position, seen, fence_ns, now_ns) for position in unsettled]
    found += _strangers(seen, before, known, unsettled, foreign)
    found += _left_behind(seen, before, known, unsettled)
    return tuple(found)


def unknown_markets(positions: Iterable[VenuePosition], known: Iterable[Position]) -> list[str]:
    """The markets with a position that no position of ours explains: their executions have to be read, too."""
    taken = {position.symbol for position in known if not position.is_settled}
    return sorted(held.symbol for held in positions if held.symbol not in taken)


# ── what the journal knows ──────────────────────────────────────────────────────────────────────────────────


def _compared(position: Position, seen: AccountSeen, fence_ns: int, now_ns: int) -> Finding:
    held = seen.positions.get(position.symbol)
    quantity = ZERO if held is None else held.quantity * position.side.sign
    orders = tuple(order for order in seen.resting if _is_of(position, order))
    liquidation = None if held is None else held.liquidation_price
    case = case_of(sight := Sight(position, quantity, orders, now_ns, fence_ns, liquidation))
    return Finding(case.name, position.account, position.symbol, position.id, case.action, case.why(sight))


def _is_of(position: Position, order: RestingOrder) -> bool:
    """Whether an order is the position's own; the attached stop is that of whoever is open in its market."""
    if order.attached:
        return order.symbol == position.symbol and not position.state.is_final
    return order.owner == position.id


# ── what it does not know ───────────────────────────────────────────────────────────────────────────────────


def _strangers(
    seen: AccountSeen,
    before: AccountSeen | None,
    known: Sequence[Position],
    unsettled: Sequence[Position],
    foreign: ForeignPolicy,
) -> Iterator[Finding]:
    over = {position.id for position in known}
    for symbol in unknown_markets(seen.positions.values(), unsettled):
        held = seen.positions[symbol]
        owner = traced(held, seen)
        if _is_late(symbol, seen, known):
            why = "the reading lacks executions that are known: it is older, and read again"
            yield Finding(LATE, seen.account, symbol, "", Action.WAIT, why)
            continue
        what = f"a {side_of(held).value} position of {plain(abs(held.quantity))} at {plain(held.entry_price)}"
        if owner is None:
            yield _foreign(seen, held, what, foreign)
        elif owner not in over:
            why = f"{what} was opened by an order of ours that the journal does not know: adopted and protected"
            yield Finding(OURS, seen.account, symbol, owner, Action.ADOPT, why)
        elif _is_confirmed(seen, before) and before is not None and _same_side(before.positions.get(symbol), held):
            why = f"{what} is there again after {owner} was closed: adopted anew and protected"
            yield Finding(AGAIN, seen.account, symbol, "", Action.ADOPT, why)
        else:
            why = f"{what} looks like {owner}, which was closed: read again before it is believed"
            yield Finding(AGAIN, seen.account, symbol, "", Action.WAIT, why)


def _foreign(seen: AccountSeen, held: VenuePosition, what: str, foreign: ForeignPolicy) -> Finding:
    action, does = _FOREIGN_SAYS[foreign]
    if action is Action.PROTECT and any(_protects(order, held) for order in seen.resting):
        action, does = Action.IGNORE, "it has a stop already, and is left alone"
    return Finding(FOREIGN, seen.account, held.symbol, "", action, f"{what} is not ours: {does}")


def traced(held: VenuePosition, seen: AccountSeen) -> str | None:
    """The position of ours that a venue's position is, by the orders that rest beside it and those that opened it."""
    side = side_of(held)
    rest = [order for order in seen.resting if order.symbol == held.symbol and order.owner is not None]
    stops = [order.owner for order in rest if order.kind is RestingKind.STOP and order.side is side.exit]
    if stops:
        return stops[-1]
    for fill in sorted(seen.fills.get(held.symbol, ()), key=lambda fill: fill.time_ns, reverse=True):
        if fill.side is side.entry:  # the last one that made it larger says whose it is
            return owner_of(fill.client_id) if leg_of(fill.client_id) is Leg.ENTRY else None
    return None


def shows_opening(held: VenuePosition, fills: Iterable[Fill]) -> bool:
    """Whether executions reach back to one that made a position larger: the last of those says whose it is."""
    return any(fill.side is side_of(held).entry for fill in fills)


def opened_elsewhere(finding: Finding, seen: AccountSeen, since_ns: int) -> bool:
    """Whether a position with our ids was opened after an instant from which on the journal knows of all our entries.

    Then another instance has opened it: one that trades the same account with a journal of its own.
    """
    if finding.case != OURS:
        return False
    entries = [
        fill.time_ns
        for fill in seen.fills.get(finding.symbol, ())
        if owner_of(fill.client_id) == finding.position_id and leg_of(fill.client_id) is Leg.ENTRY
    ]
    return bool(entries) and min(entries) > since_ns


def own_stops(held: VenuePosition, owner: str, seen: AccountSeen) -> tuple[RestingOrder, ...]:
    """The stops that become those of a position when it is adopted: its own, and the one that is attached to it."""
    side = side_of(held)
    return tuple(
        order
        for order in seen.resting
        if order.symbol == held.symbol
        and order.kind is RestingKind.STOP
        and order.side is side.exit
        and (order.attached or order.owner == owner)
    )


def _protects(order: RestingOrder, held: VenuePosition) -> bool:
    covers = order.quantity is None or order.quantity >= abs(held.quantity)
    at_work = order.kind is RestingKind.STOP and order.side is side_of(held).exit
    return at_work and order.symbol == held.symbol and covers


# ── orders that nobody needs ────────────────────────────────────────────────────────────────────────────────


def _is_late(symbol: str, seen: AccountSeen, known: Sequence[Position]) -> bool:
    """Whether a position that the reading shows may be one of ours that has been closed since."""
    fills, held = seen.fills.get(symbol, ()), seen.positions[symbol].quantity
    own = (position for position in known if position.symbol == symbol)
    return any(is_late(position, held * position.side.sign, fills, seen.time_ns) for position in own)


def _left_behind(
    seen: AccountSeen, before: AccountSeen | None, known: Sequence[Position], unsettled: Sequence[Position]
) -> Iterator[Finding]:
    """Orders of ours whose position is closed, or unknown, and flat: gone after the second reading that says so.

    And targets that their position does not know of, whatever is open: they would take more than its shares.
    """
    own = {position.id for position in unsettled}
    targets = {leg.client_id for position in unsettled for leg in position.targets if not leg.is_over}
    taken = {position.symbol for position in unsettled if not position.state.is_final}
    for order in seen.resting:
        owner = order.owner
        if owner is None or order.attached or order.client_id in targets:
            continue
        strays = leg_of(order.client_id) is Leg.TARGET and owner in own
        if not strays and (owner in own or order.symbol in seen.positions or order.symbol in taken):
            continue  # its market is not flat: it stays, whatever it is
        where = (
            "beside a position that does not know it"
            if strays
            else "in a flat market, and its position is over or unknown"
        )
        what = f"{order.kind.value} {order.client_id} rests {where}"
        if before is not None and _is_confirmed(seen, before) and _was_left_behind(order, before, strays=strays):
            yield Finding(ORPHAN, seen.account, order.symbol, owner, Action.CANCEL, f"{what}: cancelled", order)
        else:
            why = f"{what}: cancelled when a second reading says the same"
            yield Finding(ORPHAN, seen.account, order.symbol, owner, Action.WAIT, why, order)


def _was_left_behind(order: RestingOrder, before: AccountSeen, *, strays: bool) -> bool:
    flat = strays or order.symbol not in before.positions
    return flat and any(other.client_id == order.client_id for other in before.resting)


def _is_confirmed(seen: AccountSeen, before: AccountSeen | None) -> bool:
    return before is not None and seen.time_ns - before.time_ns >= CONFIRM_NS


def _same_side(before: VenuePosition | None, now: VenuePosition) -> bool:
    return before is not None and before.quantity * now.quantity > ZERO
