"""The venue's front for stops and other conditional orders: place, attach, move, cancel, look up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from decimal import Decimal

from attrs import define, evolve

from framework import OrderStatus, Refusal

from . import admission, choices, conditional
from .front import CANCELLED_BY_CLIENT, Front
from .orders import AttachedStop, Stop, StopKind, StopRequest
from .style import Reason


@define
class StopFront(Front):
    """Requests about conditional orders, attached to a position or not."""

    def place_stop(self, account: str, request: StopRequest, now_ns: int) -> Stop | Refusal:
        """Take in a stop order of its own. It needs no position, and stays behind when the position goes."""
        matching, desk = self._at(now_ns), self._desk(account)
        refusal = admission.stop_refusal(matching, desk, request)
        if refusal is not None:
            return refusal
        number = matching.next_number()
        stop = Stop(
            number=number,
            venue_id=matching.stop_ids(number),
            client_id=request.client_id,
            symbol=request.symbol,
            side=request.side,
            quantity=request.quantity,
            trigger_price=request.trigger_price,
            trigger_by=request.trigger_by,
            attached=False,
            kind=request.kind,
            limit_price=request.limit_price,
            time_in_force=request.time_in_force,
            all_or_nothing=request.all_or_nothing,
            reduce_only=request.reduce_only,
            ends_with_position=request.ends_with_position,
            price_protect=request.price_protect,
            trail=request.trail,
            stop=request.stop,
            take_profit=request.take_profit,
        )
        stop = conditional.rest(matching, desk, stop)
        if stop.trail is not None:
            conditional.follow(matching, stop.symbol)
            stop = desk.stop_by_id(stop.symbol, stop.id) or stop
        return stop

    def amend_stop(self, account: str, request: StopRequest, now_ns: int) -> Stop | Refusal:
        """Move a resting stop order of its own to the trigger price and quantity of `request`, in place."""
        matching, desk = self._at(now_ns), self._desk(account)
        if not matching.style.amends_stops:
            message = f"{request.symbol}: {matching.style.name} can't amend a stop"
            return matching.style.refusal(Reason.NO_AMENDING, message)
        stop = desk.stop_by_client_id(request.symbol, request.client_id)
        if stop is None or stop.attached or stop.status is OrderStatus.TRIGGERED:
            message = f"{request.symbol}: no open stop {request.client_id}"
            return matching.style.refusal(Reason.UNKNOWN_ORDER, message)
        # The side of a resting stop never changes, whatever the request says.
        refusal = admission.amend_refusal(matching, evolve(request, side=stop.side))
        if refusal is not None:
            return refusal
        moved = evolve(
            stop, trigger_price=request.trigger_price, trigger_by=request.trigger_by, quantity=request.quantity
        )
        return conditional.rest(matching, desk, moved)

    def change_stop(
        self,
        account: str,
        symbol: str,
        stop_id: str,
        now_ns: int,
        *,
        trigger_price: Decimal | None = None,
        limit_price: Decimal | None = None,
        quantity: Decimal | None = None,
    ) -> Stop | Refusal:
        """Move a resting conditional order, attached or not, by the venue's id; None: as it is (Bybit's amend)."""
        matching, desk = self._at(now_ns), self._desk(account)
        stop = desk.stop_by_id(symbol, stop_id)
        if stop is None:
            return matching.style.refusal(Reason.UNKNOWN_ORDER, f"{symbol}: no open order {stop_id}")
        moved = evolve(
            stop,
            trigger_price=stop.trigger_price if trigger_price is None else trigger_price,
            limit_price=stop.limit_price if limit_price is None else limit_price,
            quantity=stop.quantity if quantity is None else quantity,
        )
        if moved == stop:
            return matching.style.refusal(Reason.NOTHING_TO_AMEND, f"{symbol}: nothing changes")
        refusal = admission.amend_refusal(matching, choices.request_of(moved))
        return conditional.rest(matching, desk, moved) if refusal is None else refusal

    def set_attached_stop(self, account: str, symbol: str, wish: AttachedStop, now_ns: int) -> Stop | Refusal:
        """Set or move the stop that is part of a position."""
        matching, desk = self._at(now_ns), self._desk(account)
        refusal = admission.attached_refusal(matching, desk, symbol, wish)
        return conditional.attach(matching, desk, symbol, wish) if refusal is None else refusal

    def set_attached_stops(
        self,
        account: str,
        symbol: str,
        wishes: Sequence[AttachedStop],
        removed: Collection[StopKind],
        now_ns: int,
    ) -> Refusal | None:
        """Set several stops of a position at once and take others away: all of it, or the refusal and nothing.

        Two partial ones of one call are a pair: when one triggers, the other goes.
        """
        matching, desk = self._at(now_ns), self._desk(account)
        changes: list[AttachedStop] = []
        refused: Refusal | None = None
        for wish in wishes:
            refusal = admission.attached_refusal(matching, desk, symbol, wish)
            if refusal is None:
                changes.append(wish)
            elif refusal.code != matching.style.codes.get(Reason.NOT_MODIFIED):
                return refusal
            refused = refusal or refused
        gone = [stop for kind in removed if (stop := desk.attached_stop(symbol, kind)) is not None]
        if not changes and not gone:
            flat = not desk.account.position(symbol).quantity
            reason = Reason.FLAT if flat else Reason.NOT_MODIFIED
            return refused or matching.style.refusal(reason, f"{symbol}: nothing to change")
        for stop in gone:
            conditional.end(matching, desk, stop, OrderStatus.CANCELLED, CANCELLED_BY_CLIENT)
        pair = matching.next_number() if sum(wish.quantity is not None for wish in changes) > 1 else None
        for wish in changes:
            conditional.attach(matching, desk, symbol, wish, pair=pair if wish.quantity is not None else None)
        conditional.follow(matching, symbol)
        return None

    def cancel_stop(self, account: str, symbol: str, client_id: str, now_ns: int) -> Stop | Refusal:
        """Take a resting stop out, attached or not."""
        return self._cancel_stop(account, symbol, self._desk(account).stop_by_client_id(symbol, client_id), now_ns)

    def cancel_stop_by_id(self, account: str, symbol: str, stop_id: str, now_ns: int) -> Stop | Refusal:
        """The same by the venue's id. Refused as well while it is being triggered."""
        return self._cancel_stop(account, symbol, self._desk(account).stop_by_id(symbol, stop_id), now_ns)

    def _cancel_stop(self, account: str, symbol: str, stop: Stop | None, now_ns: int) -> Stop | Refusal:
        matching, desk = self._at(now_ns), self._desk(account)
        if stop is None:
            return matching.style.refusal(Reason.UNKNOWN_ORDER, f"{symbol}: no such open stop")
        if stop.status is OrderStatus.TRIGGERED:
            return matching.style.refusal(Reason.TRIGGERING, f"{symbol}: the stop is being triggered")
        return conditional.end(matching, desk, stop, OrderStatus.CANCELLED, CANCELLED_BY_CLIENT)

    def cancel_stops(
        self, account: str, symbol: str | None, now_ns: int, which: Callable[[Stop], bool] = lambda stop: True
    ) -> tuple[Stop, ...]:
        """Take out every resting stop of one market, or of all, that `which` says yes to (all kinds, attached too)."""
        matching, desk = self._at(now_ns), self._desk(account)
        stops = desk.all_stops() if symbol is None else desk.stops(symbol)
        return tuple(
            conditional.end(matching, desk, stop, OrderStatus.CANCELLED, CANCELLED_BY_CLIENT)
            for stop in stops
            if which(stop)
        )

    def stop_by_id(self, account: str, symbol: str, stop_id: str) -> Stop | None:
        """A resting or triggering stop by the venue's id."""
        return self._desk(account).stop_by_id(symbol, stop_id)

    def stop_by_client_id(self, account: str, symbol: str, client_id: str) -> Stop | None:
        """A resting or triggering stop by the client's id."""
        return self._desk(account).stop_by_client_id(symbol, client_id)

    def stops(self, account: str, symbol: str) -> tuple[Stop, ...]:
        """The stops that rest in one market, the attached one included, oldest first."""
        return self._desk(account).stops(symbol)

    def resting_stops(self, account: str) -> tuple[Stop, ...]:
        """The stops that rest in all markets."""
        return self._desk(account).all_stops()

    def attached_stop(self, account: str, symbol: str) -> Stop | None:
        """The stop that is part of the position in one market."""
        return self._desk(account).attached_stop(symbol)
