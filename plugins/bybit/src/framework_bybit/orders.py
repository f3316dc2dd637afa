"""Orders on their way to the venue and back. An entry is sent once; what nobody knows is `Unknown`.

Bybit acknowledges that a request was taken, and decides later ("Bybit v5, Place Order"): the answer to an entry is
"new", its outcome comes by stream or query. What protects is read back before it counts.
"""

from __future__ import annotations

import asyncio
import math

from attrs import define, field

from framework import (
    CloseOrder,
    EntryAnswer,
    EntryOrder,
    ExchangeError,
    OrderReport,
    OrderStatus,
    Refusal,
    StopAnswer,
    StopOrder,
    StopReport,
    Unknown,
    VenuePosition,
)
from framework_venue.answers import Answer, Hint
from framework_venue.budget import Purpose, worth_of
from framework_venue.client import Client, Route
from framework_venue.line import Line
from framework_venue.stale_rules import breaks, close_refused, refused

from . import limits, requests
from .reads import Reads
from .strange import StrangeAnswerError, result, text

NS = 1_000_000_000
IN_PROCESSING = "110079"

PAUSES_S = (0.0, 0.03, 0.06, 0.12, 0.25, 0.5, 1.0)
"""Before each look at what came of an acknowledged request: as a rule the first one shows it."""

FLAT = "the position is flat"
NOWHERE = "not found"


@define(eq=False)
class Orders:
    """The order methods of one account."""

    line: Line
    reads: Reads
    pauses_s: tuple[float, ...] = PAUSES_S
    _own_stops: set[str] = field(factory=set, init=False)

    @property
    def client(self) -> Client:
        """What sends requests."""
        return self.line.client

    # ── entries and closes ──────────────────────────────────────────────────────────────────────────────────

    async def place_entry(self, order: EntryOrder) -> EntryAnswer:
        """Send an entry with its stop, once, unless its deadline has passed, also while it waits for its turn."""
        try:
            async with asyncio.timeout(self._left_s(order)):
                await self.line.preparing.ready(order.symbol)
        except TimeoutError:
            return _too_late(order)
        except ExchangeError as error:
            return Refusal("settings", f"the market's settings are not in order: {error}", for_good=False)
        left_s = self._left_s(order)
        if left_s < 0:
            return _too_late(order)
        within_s = min(left_s, self.client.timeout_s)
        answer = await self.client.call(limits.CREATE, requests.entry(order), Purpose.ENTER, within_s=within_s)
        return await self._placed(order.symbol, order.client_id, answer)

    async def close_position(self, order: CloseOrder) -> EntryAnswer:
        """Send a reduce-only order. When there is nothing to reduce, that is read back and reported.

        One that rests has time: nothing is naked without it, so it takes no part of what is kept for stops and closes.
        What the market's rules do not let be ordered, as after they have changed, is closed as a whole position.
        """
        params, before = requests.close(order), self.line.markets.get(order.symbol)
        if order.price is None and await self._needs_all(order):
            params = requests.close_all(order)
        purpose = Purpose.PROTECT if order.price is None else Purpose.ENTER
        answer = await self.client.call(limits.CREATE, params, purpose)
        if answer.hint is not Hint.NO_POSITION:
            if not answer.accepted and answer.hint is not Hint.DUPLICATE:
                return await close_refused(self.line, answer, order, before)
            return await self._placed(order.symbol, order.client_id, answer)
        try:
            held = await self.reads.position(order.symbol)
        except ExchangeError as error:
            return Unknown(f"{answer.code}: nothing to reduce, and the position could not be read: {error}")
        if held.quantity:
            return Refusal(answer.code, f"{answer.message}, but {held.quantity} are held", for_good=False)
        return OrderReport(order.client_id, order.symbol, OrderStatus.REJECTED, reason=FLAT)

    async def _needs_all(self, order: CloseOrder) -> bool:
        """Whether an order of this quantity can't be taken, and all that is held is to be closed."""
        rules = self.line.markets.get(order.symbol)
        if rules is None or not breaks(rules, None, order.quantity):
            return False
        try:
            held = await self.reads.position(order.symbol)
        except ExchangeError:
            return False
        return order.quantity >= abs(held.quantity) > 0

    async def cancel_entry(self, symbol: str, client_id: str) -> EntryAnswer:
        """Cancel a resting entry, and read what it filled before. One that has ended is reported as it ended."""
        answer = await self._patient(limits.CANCEL, requests.named(symbol, client_id))
        if not answer.accepted and answer.hint is not Hint.GONE:
            return answer.as_refusal()
        report: OrderReport | None = None
        try:
            for pause_s in self.pauses_s:
                await asyncio.sleep(pause_s)
                report = await self.reads.order(symbol, client_id, Purpose.PROTECT)
                if report is not None and report.status.is_final:
                    return report
        except ExchangeError as error:
            return Unknown(f"cancelled, but what it filled could not be read: {error}")
        return report or Unknown(f"{answer.code}: {answer.message or 'cancelled'}; the venue does not show the order")

    # ── stops ───────────────────────────────────────────────────────────────────────────────────────────────

    async def place_stop(self, order: StopOrder) -> StopAnswer:
        """Set the attached stop, or place one of its own."""
        if order.attached:
            return await self._set_attached(order)
        self._own_stops.add(order.client_id)
        params = requests.own_stop(order)
        answer = await self.client.call(limits.CREATE, params, Purpose.PROTECT, worth=worth_of(order))
        return await self._own_stop_rests(order, answer, known=answer.hint is Hint.DUPLICATE)

    async def move_stop(self, order: StopOrder) -> StopAnswer:
        """Move a stop in place."""
        if order.attached:
            return await self._set_attached(order)
        answer = await self._patient(limits.AMEND, requests.amended_stop(order), worth_of(order))
        return await self._own_stop_rests(order, answer, known=answer.hint in (Hint.GONE, Hint.UNCHANGED))

    async def cancel_stop(self, symbol: str, client_id: str) -> StopAnswer:
        """Remove a stop. An attached one has no client id at the venue: what is no order there is the attached one."""
        answer = await self.cancel_own_stop(symbol, client_id)
        nowhere = isinstance(answer, StopReport) and answer.reason == NOWHERE
        if nowhere and client_id not in self._own_stops:
            return await self._remove_attached(symbol, client_id)
        return answer

    async def cancel_own_stop(self, symbol: str, client_id: str) -> StopAnswer:
        """Cancel a stop of its own, and read what became of it. Not found counts as removed."""
        answer = await self._patient(limits.CANCEL, requests.named(symbol, client_id))
        if not answer.accepted and answer.hint is not Hint.GONE:
            return answer.as_refusal()
        try:
            for pause_s in self.pauses_s:
                await asyncio.sleep(pause_s)
                report = await self.reads.own_stop(symbol, client_id)
                if report is not None and not report.live:
                    return report
                if report is None and not answer.accepted:
                    return StopReport(client_id, symbol, live=False, reason=NOWHERE)
        except ExchangeError as error:
            return Unknown(f"what became of the stop could not be read: {error}")
        return Unknown("the cancellation was taken, but the venue does not show that the stop is gone")

    async def _set_attached(self, order: StopOrder) -> StopAnswer:
        answer = await self._patient(limits.TRADING_STOP, requests.attached_stop(order), worth_of(order))
        if answer.accepted:
            return await self._attached_rests(order)
        if answer.hint is Hint.UNCHANGED:
            return await self._unchanged(order, answer)
        if answer.hint is Hint.NO_POSITION:
            # The position may not be visible to the venue's stops yet.
            return Refusal(answer.code, answer.message, for_good=False)
        return await refused(self.line, answer, order.symbol, price=order.trigger_price)

    async def _attached_rests(self, order: StopOrder) -> StopAnswer:
        """Look until the position has the stop that was acknowledged."""
        held: VenuePosition | None = None
        try:
            for pause_s in self.pauses_s:
                await asyncio.sleep(pause_s)
                held = await self.reads.position(order.symbol)
                if held.quantity and held.stop_price == order.trigger_price:
                    return self._rests(order, held)
        except ExchangeError as error:
            return Unknown(f"acknowledged, but the position could not be read: {error}")
        if held is not None and not held.quantity:
            return StopReport(order.client_id, order.symbol, live=False, reason=FLAT, attached=True)
        where = "none" if held is None or held.stop_price is None else str(held.stop_price)
        return Unknown(f"acknowledged, but the stop of the position is {where}, not {order.trigger_price}")

    async def _unchanged(self, order: StopOrder, answer: Answer) -> StopAnswer:
        """34040: a success if the position has just this stop; else the other thing that the code stands for."""
        try:
            held = await self.reads.position(order.symbol)
        except ExchangeError as error:
            return Unknown(f"{answer.code}: {answer.message}, and the position could not be read: {error}")
        if held.quantity and held.stop_price == order.trigger_price:
            return self._rests(order, held)
        where = "no stop" if held.stop_price is None else f"its stop at {held.stop_price}"
        what = f"a required parameter is missing, or {where} is not changed: {answer.message}"
        return Refusal(answer.code, f"{what}; wanted was {order.trigger_price}", for_good=False)

    async def _remove_attached(self, symbol: str, client_id: str) -> StopAnswer:
        answer = await self._patient(limits.TRADING_STOP, requests.no_attached_stop(symbol))
        if not answer.accepted and answer.hint not in (Hint.UNCHANGED, Hint.NO_POSITION):
            return answer.as_refusal()
        held: VenuePosition | None = None
        try:
            for pause_s in self.pauses_s:
                await asyncio.sleep(pause_s)
                held = await self.reads.position(symbol)
                if held.stop_price is None:
                    reason = "removed" if held.quantity else FLAT
                    return StopReport(client_id, symbol, live=False, reason=reason, attached=True)
        except ExchangeError as error:
            return Unknown(f"what became of the stop could not be read: {error}")
        return Unknown(f"the removal was acknowledged, but the position still has its stop: {held}")

    async def _own_stop_rests(self, order: StopOrder, answer: Answer, *, known: bool) -> StopAnswer:
        """What the venue shows of a stop of its own after an answer. `known`: it must be there, whatever was said."""
        if not answer.accepted and not known:
            about = {"price": order.trigger_price, "quantity": order.quantity}
            return await refused(self.line, answer, order.symbol, **about)
        report: StopReport | None = None
        try:
            for pause_s in self.pauses_s:
                await asyncio.sleep(pause_s)
                report = await self.reads.own_stop(order.symbol, order.client_id)
                if report is not None and (not report.live or report.trigger_price == order.trigger_price):
                    return report
        except ExchangeError as error:
            return Unknown(f"{answer.code}: acknowledged, but the stop could not be read: {error}")
        if report is None:
            return Unknown(f"{answer.code}: {answer.message or 'acknowledged'}; the venue does not show the stop")
        return Refusal(answer.code, f"the stop still rests at {report.trigger_price}", for_good=False)

    # ── shared ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _placed(self, symbol: str, client_id: str, answer: Answer) -> EntryAnswer:
        if answer.hint is Hint.DUPLICATE:
            return await self._first_one(symbol, client_id, answer)
        if not answer.accepted:
            return answer.as_refusal()
        try:
            order_id = text(result(answer.body), "orderId")
        except StrangeAnswerError as error:
            return Unknown(f"accepted without an id: {error}")
        return OrderReport(client_id, symbol, OrderStatus.NEW, order_id=order_id)

    async def _first_one(self, symbol: str, client_id: str, answer: Answer) -> EntryAnswer:
        """The id was used before, so the first order of that id exists: it is the answer."""
        try:
            report = await self.reads.order(symbol, client_id, Purpose.PROTECT)
        except ExchangeError as error:
            return Unknown(f"{answer.code}: an order of this id exists, but could not be read: {error}")
        return report or Unknown(f"{answer.code}: an order of this id exists, but the venue does not show it")

    async def _patient(self, route: Route, params: requests.Params, worth: float = math.inf) -> Answer:
        """Send what may arrive twice: again while its answer is late, and while the order is still being processed.

        What an earlier copy has done is told to the next one: it is so already, or the order is gone.
        """
        answer = (await self.client.insist(route, params, Purpose.PROTECT, worth=worth)).result
        for pause_s in self.pauses_s:
            if answer.code != IN_PROCESSING:
                break
            await asyncio.sleep(pause_s)
            answer = (await self.client.insist(route, params, Purpose.PROTECT, worth=worth)).result
        return answer

    def _rests(self, order: StopOrder, held: VenuePosition) -> StopReport:
        return StopReport(order.client_id, order.symbol, True, held.stop_price, abs(held.quantity), attached=True)

    def _left_s(self, order: EntryOrder) -> float:
        return (order.send_before_ns - self.line.link.clock.now_ns()) / NS


def _too_late(order: EntryOrder) -> Refusal:
    return Refusal("too_late", f"{order.symbol}: the entry's deadline has passed, it was not sent")
