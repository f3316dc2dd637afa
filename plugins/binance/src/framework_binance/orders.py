"""The requests that change something: entries, stops, closes. What can't be known is Unknown.

An entry and a close are sent once: when an answer is late they are looked for by their id. The stop of a position is a
conditional order for its quantity, reduce-only. It is sent again under the same id while its answer is late: the id
can't be taken twice while one of them rests ("New Algo Order": unique among open orders), and a second one could not
close more than is open. A stop that closes the whole position (closePosition) can't be placed before the position is
seen, and only one of it may rest in a direction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

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
)
from framework_venue.answers import Answer, Hint
from framework_venue.budget import Purpose, worth_of
from framework_venue.insisting import sought
from framework_venue.stale_rules import close_refused, refused

from . import limits, reads
from .session import Session
from .strange import StrangeAnswerError
from .stream import Streams
from .translate import TRIGGERED, close_params, entry_params, order_report, stop_params, stop_report

NOT_SEEN_YET = frozenset({"-4509", "-4129"})
"""The venue does not see the position yet: public reports measured up to 3 s after the fill."""

RETRY_AFTER_S = (0.25, 0.35, 0.5, 0.65, 0.75)
"""Pauses before a stop is sent again whose position was not seen: 2.5 s in all."""

TRIGGERING = "-4117"

CLOSE_UNITS = 2
"""In so many times its patience the answer to a close is lost: the position is read, and what is left of it closed."""


# ── entries and closes ──────────────────────────────────────────────────────────────────────────────────────


async def place_entry(session: Session, streams: Streams, order: EntryOrder) -> EntryAnswer:
    """Send an entry, once, unless its deadline has passed. Its market is brought in order before, if it is not."""
    line = session.line
    try:
        await line.preparing.ready(order.symbol)
        params = entry_params(order)
    except ExchangeError as error:
        return Refusal("not_in_order", f"{error}; the entry was not sent", for_good=False)
    except ValueError as error:
        return Refusal("not_supported", str(error))
    left_s = (order.send_before_ns - line.link.clock.now_ns()) / 1e9
    if left_s < 0:
        return Refusal("too_late", f"{order.symbol}: the entry's deadline has passed, it was not sent")
    within_s = min(left_s, line.client.timeout_s)
    answer = await _placed(session, params, Purpose.ENTER, order, within_s=within_s)
    return await _order_answer(session, streams, answer, order.symbol, order.client_id)


async def close_position(session: Session, streams: Streams, order: CloseOrder) -> EntryAnswer:
    """Send a reduce-only order. Refused because nothing is left to reduce, it says so.

    One that rests has time: nothing is naked without it, so it takes no part of what is kept for stops and closes.
    """
    purpose = Purpose.PROTECT if order.price is None else Purpose.ENTER
    answer_s = session.line.client.patience_s() * CLOSE_UNITS if order.price is None else None
    before = session.rules(order.symbol)
    answer = await _placed(session, close_params(order), purpose, order, answer_s=answer_s)
    if isinstance(answer, Answer) and answer.hint is Hint.NO_POSITION:
        flat = await _is_flat(session, order.symbol)
        if flat:
            reason = f"{answer.code}: the position is flat already"
            return OrderReport(order.client_id, order.symbol, OrderStatus.REJECTED, reason=reason)
        return Refusal(answer.code, answer.message, for_good=False)
    if isinstance(answer, Answer) and not answer.accepted and answer.hint is not Hint.DUPLICATE:
        return await close_refused(session.line, answer, order, before)
    return await _order_answer(session, streams, answer, order.symbol, order.client_id)


async def cancel_entry(session: Session, symbol: str, client_id: str) -> EntryAnswer:
    """Cancel a resting entry. One that has ended already is reported as it ended."""
    params = {"symbol": symbol, "origClientOrderId": client_id}
    answer = await session.call(limits.CANCEL, params, Purpose.PROTECT)
    if answer.accepted:
        return _understood(session, answer, symbol)
    if answer.hint is Hint.GONE:
        return await _read_back(session, answer, symbol, client_id)
    return answer.as_refusal()


async def _placed(
    session: Session,
    params: Mapping[str, Any],
    purpose: Purpose,
    order: EntryOrder | CloseOrder,
    *,
    within_s: float | None = None,
    answer_s: float | None = None,
) -> Answer | OrderReport:
    """Send an order, once. When its answer is late, what the venue knows of the order counts as well."""
    client = session.line.client
    left = asyncio.Event()

    async def look() -> OrderReport | None:
        await left.wait()
        try:
            return await reads.entry_report(session, order.symbol, order.client_id)
        except ExchangeError:
            return None

    sending = client.call(limits.PLACE, params, purpose, within_s=within_s, answer_s=answer_s, left=left)
    return await sought(sending, look, client.patience_s)


async def _order_answer(
    session: Session, streams: Streams, answer: Answer | OrderReport, symbol: str, client_id: str
) -> EntryAnswer:
    if isinstance(answer, OrderReport):
        report: OrderReport | Unknown = answer
    elif answer.hint is Hint.DUPLICATE:
        # The first one exists: whatever became of it is the answer.
        return await _read_back(session, answer, symbol, client_id)
    elif not answer.accepted:
        return answer.as_refusal()
    else:
        report = _understood(session, answer, symbol)
    if isinstance(report, OrderReport):
        session.line.ids.learn(report.order_id, report.client_id)
        if report.filled:
            streams.expect(report.client_id)
    return report


def _understood(session: Session, answer: Answer, symbol: str) -> OrderReport | Unknown:
    try:
        return order_report(answer.body, session.rules(symbol))
    except StrangeAnswerError as error:
        return Unknown(f"the venue's answer is strange: {error}")


async def _read_back(session: Session, answer: Answer, symbol: str, client_id: str) -> EntryAnswer:
    """What the venue knows of an order that it would not carry the request out for."""
    try:
        report = await reads.entry_report(session, symbol, client_id)
    except ExchangeError as error:
        return Unknown(f"{answer.code}: {answer.message}; reading the order back failed: {error}")
    if report is None:
        return Unknown(f"{answer.code}: {answer.message}; the order can't be seen")
    return report


async def _is_flat(session: Session, symbol: str) -> bool:
    """Whether the venue shows no position. A failed read shows nothing."""
    try:
        return all(held.symbol != symbol for held in await reads.positions(session))
    except ExchangeError:
        return False


# ── stops ───────────────────────────────────────────────────────────────────────────────────────────────────


async def place_stop(session: Session, order: StopOrder) -> StopAnswer:
    """Place a stop. Sent again while its answer is late, and for 2.5 s where the position is not seen there yet."""
    if order.attached:
        return Refusal("not_supported", "Binance attaches no stops to positions")
    session.news.stops.add(order.client_id)  # before it is sent: what it does may be told before it is answered
    params, worth = stop_params(order), worth_of(order)
    client = session.line.client
    heard = await client.insist(limits.PLACE_STOP, params, Purpose.PROTECT, worth=worth)
    for pause_s in RETRY_AFTER_S:
        if heard.result.code not in NOT_SEEN_YET or not heard.alone:
            break
        await asyncio.sleep(pause_s)
        heard = await client.insist(limits.PLACE_STOP, params, Purpose.PROTECT, worth=worth)
    answer = heard.result
    if heard.alone or answer.accepted or answer.hint is Hint.DUPLICATE:
        return await _stop_answer(session, answer, order)
    return await _refused_copy(session, answer, order)


async def _refused_copy(session: Session, answer: Answer, order: StopOrder) -> StopAnswer:
    """One copy was refused; what became of the others nobody knows, unless the venue knows the stop.

    A stop whose price has been passed can't wait for that: the position is to be closed at once.
    """
    read = await _read_stop_back(session, answer, order.symbol, order.client_id)
    return answer.as_refusal() if isinstance(read, Unknown) and answer.hint is Hint.CROSSED else read


async def _stop_answer(session: Session, answer: Answer, order: StopOrder) -> StopAnswer:
    if answer.accepted:
        return _stop_understood(session, answer.body, order.symbol)
    match answer.hint:
        case Hint.DUPLICATE:
            return await _read_stop_back(session, answer, order.symbol, order.client_id)
        case Hint.HAS_STOP:
            return await _adopted(session, answer, order)
        case Hint.NO_POSITION if answer.code not in NOT_SEEN_YET:
            if await _is_flat(session, order.symbol):
                reason = f"{answer.code}: the position is flat"
                return StopReport(order.client_id, order.symbol, live=False, reason=reason)
            return Refusal(answer.code, answer.message, for_good=False)
        case Hint.NO_POSITION:
            return Refusal(answer.code, f"{answer.message}; tried for 2.5 s", for_good=False)
        case _:
            about = {"price": order.trigger_price, "quantity": order.quantity}
            return await refused(session.line, answer, order.symbol, **about)


async def cancel_stop(session: Session, symbol: str, client_id: str) -> StopAnswer:
    """Remove a stop. One that is not there counts as removed; one that acted is reported as triggered."""
    params = {"symbol": symbol, "clientAlgoId": client_id}
    answer = await session.call(limits.CANCEL_STOP, params, Purpose.PROTECT)
    if answer.accepted:
        return StopReport(client_id, symbol, live=False, reason="cancelled")
    if answer.hint is not Hint.GONE:
        return answer.as_refusal()
    try:
        report = await reads.stop_report_of(session, symbol, client_id)
    except ExchangeError as error:
        return Unknown(f"{answer.code}: {answer.message}; reading the stop back failed: {error}")
    if answer.code == TRIGGERING and (report is None or report.live):
        # The read is older than the refusal: what is triggering can't be cancelled, and is at work.
        return StopReport(client_id, symbol, live=False, reason=TRIGGERED)
    return report or StopReport(client_id, symbol, live=False, reason="not found")


def _stop_understood(session: Session, body: Any, symbol: str) -> StopReport | Unknown:
    try:
        return stop_report(body, session.rules(symbol))
    except StrangeAnswerError as error:
        return Unknown(f"the venue's answer is strange: {error}")


async def _read_stop_back(session: Session, answer: Answer, symbol: str, client_id: str) -> StopAnswer:
    try:
        report = await reads.stop_report_of(session, symbol, client_id)
    except ExchangeError as error:
        return Unknown(f"{answer.code}: {answer.message}; reading the stop back failed: {error}")
    return report or Unknown(f"{answer.code}: {answer.message}; the stop can't be seen")


async def _adopted(session: Session, answer: Answer, order: StopOrder) -> StopAnswer:
    """A stop that closes the position rests already: ours is taken over, another's is named."""
    try:
        resting = await reads.resting_stops(session, order.symbol)
    except ExchangeError as error:
        return Unknown(f"{answer.code}: {answer.message}; listing the stops failed: {error}")
    for row in resting:
        if row.get("clientAlgoId") == order.client_id:
            return _stop_understood(session, row, order.symbol)
    found = "; ".join(_shown(row) for row in resting) or "none of them is listed"
    return Refusal(answer.code, f"{answer.message}; resting: {found}", for_good=False)


def _shown(row: Mapping[str, Any]) -> str:
    return f"{row.get('clientAlgoId')} (algo id {row.get('algoId')}) {row.get('side')} at {row.get('triggerPrice')}"
