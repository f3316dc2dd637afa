"""The positions that an earlier run left behind. One whose snapshot can't be read is rebuilt from its other records.

What its requests and executions tell is taken over; whatever they leave open is in doubt, and the venue is asked, as
after a crash: an entry is looked for and never sent again, a stop is looked for and placed if it is not there. Its
protections begin anew from its entry price, and its stop does not loosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from attrs import frozen

from ..core.execution import EntryPlan, EntryStep
from ..core.legs import KEPT_LEGS, CloseLeg, EntryLeg, LegState, StopLeg, TargetLeg
from ..core.market import MarketRules, Quote
from ..core.numbers import ZERO, average
from ..core.orders import Fill, OrderType
from ..core.position import Exit, Position, State
from ..core.records import Event
from ..core.signal import OrderSide, Side, SignalSettings
from ..journal import FillRow, JournalReader, OrderRow, PositionRow, SnapshotRow, StopMoveRow
from .snapshot import piece, thaw

REBUILT = "rebuilt"
"""Who wants the stop of a position whose protections are not known any more, until they have answered again."""

_DOES = {
    True: "it is rebuilt from its requests and executions, and the venue is asked for the rest",
    False: "too little is left of it: it is taken over from the venue if it is open there; look at the account",
}


@frozen
class Unreadable:
    """A position whose snapshot can't be read: why, and whether its other records were enough."""

    row: PositionRow
    why: str
    rebuilt: bool

    def event(self, now_ns: int) -> Event:
        """What people are told of it: an error where nothing could be rebuilt."""
        row = self.row
        text = f"{row.account} {row.symbol}: the snapshot of {row.position_id} can't be read ({self.why})"
        level = "warning" if self.rebuilt else "error"
        told = f"{text}; {_DOES[self.rebuilt]}"
        return Event(now_ns, level, "snapshot_unreadable", told, row.account, row.symbol, row.position_id)


def left_behind(
    reader: JournalReader, state_types: Mapping[str, type], since_ns: int
) -> tuple[list[Position], list[Unreadable]]:
    """The positions that are open, or were closed since an instant; and those whose snapshot can't be read.

    Of what is over, nothing is rebuilt. Raises `JournalError`.
    """
    positions: list[Position] = []
    troubles: list[Unreadable] = []
    for row in reader.open_snapshots(changed_since_ns=since_ns):
        about = row.position
        try:
            positions.append(thaw(row.snapshot, state_types))
        except Exception as error:  # whatever another version, or a mistake of ours, has written there
            if about.status in ("closed", "failed"):
                continue
            made = _made_of(row, reader)
            troubles.append(Unreadable(about, f"{type(error).__name__}: {error}", made is not None))
            positions += [] if made is None else [made]
    return positions, troubles


def _made_of(row: SnapshotRow, reader: JournalReader) -> Position | None:
    identity = row.position.position_id
    orders, fills, moves = reader.orders(identity), reader.fills(identity), reader.stop_moves(identity)
    try:
        return rebuilt(row.position, row.snapshot, orders, fills, moves)
    except (ValueError, KeyError, TypeError, ArithmeticError):  # these records are as strange as the snapshot
        return None


def rebuilt(
    row: PositionRow,
    snapshot: Mapping[str, Any],
    orders: Sequence[OrderRow],
    fills: Sequence[FillRow],
    moves: Sequence[StopMoveRow],
) -> Position | None:
    """A position from its records, and what can be read of its snapshot. None: no rules, stop or price are known."""
    rules = piece(snapshot, MarketRules, "plan", "rules")
    entries, stops = _entries(orders, fills), _stops(orders)
    executed = {fill.fill_id: _fill(fill) for fill in fills}
    side = Side(row.side)
    bought = [fill for fill in executed.values() if fill.side is side.entry]
    paid = average([(fill.quantity, fill.price) for fill in bought])
    wanted = moves[-1].to_price if moves else piece(snapshot, Decimal, "wanted_stop")
    stop = wanted or row.stop_price or (stops[-1].trigger_price if stops else None)
    price = row.entry_price or paid or piece(snapshot, Decimal, "planned_price") or stop
    if rules is None or stop is None or price is None or not entries:
        return None
    quantity = max(row.quantity, entries[0].quantity)
    is_open = row.opened_ns is not None or bool(bought)
    gone = None
    if row.exit_reason is not None:
        gone = Exit(row.exit_reason, row.exit_triggered_ns or row.changed_ns, row.exit_trigger_price)
    return Position(
        id=row.position_id,
        account=row.account,
        symbol=row.symbol,
        side=side,
        signal_id=row.signal_id,
        wave_id=row.wave_id,
        settings=piece(snapshot, SignalSettings, "settings") or SignalSettings(),
        plan=EntryPlan(row.symbol, side, quantity, Quote(price, price, price, price, row.decided_ns), rules),
        planned_price=price,
        planned_stop=row.initial_stop_price or stop,
        wanted_stop=stop,
        wanted_by=REBUILT,
        decided_ns=row.decided_ns,
        state=_state(row, is_open=is_open),
        entries=entries,
        stops=stops[-KEPT_LEGS:],
        closes=_closes(orders),
        targets=_targets(orders, fills),
        fills=executed,
        initial_stop=row.initial_stop_price or (stop if is_open else None),
        exit=gone,
        opened_ns=row.opened_ns,
        protected_ns=row.protected_ns,
        first_sequence=piece(snapshot, int, "first_sequence") or 0,
        measured=piece(snapshot, dict[str, Decimal], "measured") or {},
    )


def _state(row: PositionRow, *, is_open: bool) -> State:
    """Where it goes on: what counted as protected has to show its stop first."""
    state = State(row.state)
    if state in (State.CLOSING, State.EMERGENCY, State.QUARANTINED):
        return state
    return State.UNPROTECTED if is_open else State.UNKNOWN


def _entries(orders: Iterable[OrderRow], fills: Sequence[FillRow]) -> tuple[EntryLeg, ...]:
    """Every entry order, in doubt unless its executions say that it is filled. One that rests is cancelled."""
    found = []
    for order in _sent(orders, "entry"):
        quantity = _number(order, "quantity")
        own = [(fill.quantity, fill.price) for fill in fills if fill.client_id == order.client_id]
        filled = sum((size for size, _ in own), ZERO)
        state = LegState.DONE if quantity is not None and filled >= quantity else LegState.UNKNOWN
        state = LegState.DONE if order.result == "refused" else state
        step = EntryStep(OrderType(str(order.request["type"])), _number(order, "price"), cancel_after_ns=0)
        found.append(
            EntryLeg(order.client_id, step, quantity or filled, state, order.sent_ns, filled, average(own), True)
        )
    return tuple(found)


def _stops(orders: Sequence[OrderRow]) -> tuple[StopLeg, ...]:
    """Every stop that may rest, with the trigger that was asked for last; one that came with an entry is attached."""
    found: dict[str, StopLeg] = {}
    for order in _sent(orders, "entry"):
        trigger, quantity = _number(order, "stop_price"), _number(order, "quantity")
        if trigger is not None and quantity is not None and order.result != "refused":
            name = str(order.request["stop_id"])
            found[name] = StopLeg(name, trigger, quantity, LegState.UNKNOWN, True, REBUILT)
    for order in _sent(orders, "stop", "move-stop"):
        trigger, quantity = _number(order, "trigger_price"), _number(order, "quantity")
        if trigger is not None and quantity is not None and order.result != "refused":
            attached = str(order.request.get("kind", "")).startswith("attached")
            found[order.client_id] = StopLeg(order.client_id, trigger, quantity, LegState.UNKNOWN, attached, REBUILT)
    return tuple(found.values())


def _closes(orders: Iterable[OrderRow]) -> tuple[CloseLeg, ...]:
    sent = _sent(orders, "close")
    return tuple(CloseLeg(order.client_id, _number(order, "quantity") or ZERO, LegState.DONE) for order in sent)


def _targets(orders: Iterable[OrderRow], fills: Sequence[FillRow]) -> tuple[TargetLeg, ...]:
    """Every target, in doubt unless it was refused or its executions say that it is filled: it may rest."""
    found = []
    for order in _sent(orders, "target"):
        price, quantity = _number(order, "price"), _number(order, "quantity")
        if price is None or quantity is None:
            continue
        filled = sum((fill.quantity for fill in fills if fill.client_id == order.client_id), ZERO)
        over = order.result == "refused" or filled >= quantity
        state = LegState.DONE if over else LegState.UNKNOWN
        found.append(TargetLeg(order.client_id, price, quantity, state, REBUILT, order.sent_ns, filled))
    return tuple(found)


def _sent(orders: Iterable[OrderRow], *actions: str) -> list[OrderRow]:
    return [order for order in orders if order.action in actions]


def _number(order: OrderRow, name: str) -> Decimal | None:
    """A number of a request; some are kept as texts."""
    value = order.request.get(name)
    return None if value is None else Decimal(str(value))


def _fill(row: FillRow) -> Fill:
    return Fill(
        row.fill_id,
        row.order_id,
        row.client_id,
        row.symbol,
        OrderSide(row.side),
        row.quantity,
        row.price,
        row.fee_usd,
        row.time_ns,
        row.cause,
    )
