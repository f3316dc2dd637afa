"""What the venue knows of orders, stops, executions, positions and money. A failed read is an error, never empty."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from framework import Balance, ExchangeError, Fill, OrderReport, RestingOrder, StopReport, VenuePosition
from framework_venue.answers import Hint
from framework_venue.budget import Purpose
from framework_venue.clock import VenueClock
from framework_venue.shared import together

from . import limits, translate
from .session import Session
from .strange import StrangeAnswerError, identifier, mapping, text

NS_PER_MS = 1_000_000
DAY_MS = 86_400_000

LONGEST_WINDOW_MS = 7 * DAY_MS - 1
"""userTrades covers less than 7 days at once ("Account Trade List")."""

MOST_ROWS = 1000

FEW_NAMES = 4
"""So many orders are asked for their names at once, beside the question whether stops have made them: after a restart
what is open waits for the names of its executions."""


async def entry_report(session: Session, symbol: str, client_id: str) -> OrderReport | None:
    """An order by client id. None only when the venue says that it does not know it."""
    params = {"symbol": symbol, "origClientOrderId": client_id}
    answer = await session.line.client.ask(limits.ORDER, params, Purpose.PROTECT)
    if answer.hint is Hint.GONE:
        return None
    if not answer.accepted:
        raise session.line.client.error(answer, limits.ORDER)
    try:
        report = translate.order_report(answer.body, session.rules(symbol))
    except StrangeAnswerError as error:
        raise session.strange(limits.ORDER, error) from None
    session.line.ids.learn(report.order_id, report.client_id)
    return report


async def stop_report_of(session: Session, symbol: str, client_id: str) -> StopReport | None:
    """A conditional order by client id, whatever became of it. None when the venue does not know it."""
    answer = await session.line.client.ask(limits.STOP, {"symbol": symbol, "clientAlgoId": client_id}, Purpose.PROTECT)
    if answer.hint is Hint.GONE:
        return None
    if not answer.accepted:
        raise session.line.client.error(answer, limits.STOP)
    try:
        return translate.stop_report(answer.body, session.rules(symbol))
    except StrangeAnswerError as error:
        raise session.strange(limits.STOP, error) from None


async def resting_stops(session: Session, symbol: str) -> list[Mapping[str, Any]]:
    """The rows of the stops that rest in one market."""
    found = await session.read_rows(limits.STOPS, {"symbol": symbol}, Purpose.PROTECT)
    return [row for row in found if translate.is_stop(row)]


async def stops(session: Session, symbol: str) -> tuple[StopReport, ...]:
    """The stops that rest in one market."""
    found = []
    try:
        for row in await resting_stops(session, symbol):
            report = translate.stop_report(row, session.rules(symbol))
            session.news.stops.add(report.client_id)
            found.append(report)
    except StrangeAnswerError as error:
        raise session.strange(limits.STOPS, error) from None
    return tuple(found)


async def resting(session: Session) -> tuple[RestingOrder, ...]:
    """Every order of the account that rests, of all markets: plain ones, and conditional ones.

    The first time nobody looks after what is open before this is known, so it may use what is kept for stops.
    """
    markets = session.line.markets
    purpose = Purpose.READ if session.was_read else Purpose.PROTECT
    plain, conditional = await together(
        session.read_rows(limits.OPEN_ORDERS, {}, purpose), session.read_rows(limits.ALL_OPEN_STOPS, {}, purpose)
    )
    session.was_read = True
    try:
        found = [translate.resting_order(row, markets) for row in plain]
        stops = [translate.resting_stop(row, markets) for row in conditional]
    except StrangeAnswerError as error:
        raise session.strange(limits.ALL_OPEN_STOPS, error) from None
    return tuple(order for order in (*found, *stops) if order is not None)


async def positions(session: Session) -> tuple[VenuePosition, ...]:
    """Every position that is not flat. Who asks at the same time shares one request."""
    found = await session.positions.get()
    try:
        held = [translate.position(row, session.line.markets) for row in found]
    except StrangeAnswerError as error:
        raise session.strange(limits.POSITIONS, error) from None
    return tuple(one for one in held if one is not None)


async def balance(session: Session) -> Balance:
    """The account's money."""
    body = await session.line.client.read(limits.ACCOUNT, {})
    try:
        return translate.balance(body, session.settings.leverage, multi_assets=session.multi_assets)
    except StrangeAnswerError as error:
        raise session.strange(limits.ACCOUNT, error) from None


# ── executions ──────────────────────────────────────────────────────────────────────────────────────────────


async def fills(session: Session, symbol: str, since_ns: int) -> tuple[Fill, ...]:
    """Executions in one market since an instant (our clock), oldest first, all of them."""
    clock = session.line.clock
    skew_ms = clock.skew_ms
    found = await _trades(session, symbol, *_span_ms(clock, since_ns))
    if abs(clock.skew_ms - skew_ms) > clock.uncertain_ms:  # our clock was set meanwhile: other instants were meant
        found = await _trades(session, symbol, *_span_ms(clock, since_ns))
    names = await _names(session, symbol, found)
    try:
        return tuple(_fill(session, row, names) for row in found)
    except StrangeAnswerError as error:
        raise session.strange(limits.TRADES, error) from None


def _span_ms(clock: VenueClock, since_ns: int) -> tuple[int, int]:
    """From when to when executions are asked for, by the venue's clock.

    Rather one execution too many than one too few: either clock may be meant, and both are known to a few ms.
    """
    slack_ms = clock.uncertain_ms + 1
    first_ms = since_ns // NS_PER_MS + min(0, clock.skew_ms) - slack_ms
    return first_ms, max(first_ms, clock.now_ms() + max(0, -clock.skew_ms) + slack_ms)


async def _trades(session: Session, symbol: str, first_ms: int, last_ms: int) -> list[Mapping[str, Any]]:
    """The rows within two instants, both included. A full page hides some rows, of which end is not documented:

    its time is then halved until every page has room.
    """
    windows = [
        (start, min(start + LONGEST_WINDOW_MS, last_ms))
        for start in range(first_ms, last_ms + 1, LONGEST_WINDOW_MS + 1)
    ]
    found: dict[str, Mapping[str, Any]] = {}
    while windows:
        start, end = windows.pop()
        params = {"symbol": symbol, "startTime": start, "endTime": end, "limit": MOST_ROWS}
        page = await session.read_rows(limits.TRADES, params, Purpose.PROTECT)
        if len(page) < MOST_ROWS:
            found.update({str(row.get("id")): row for row in page})
        elif start < end:
            middle = (start + end) // 2
            windows += [(start, middle), (middle + 1, end)]
        else:
            text_ = f"{symbol} has {MOST_ROWS} executions or more within one millisecond; they can't all be read"
            raise ExchangeError(session.account, text_, code="too_many_rows")
    try:
        return sorted(found.values(), key=lambda row: int(identifier(row, "id")))
    except StrangeAnswerError as error:
        raise session.strange(limits.TRADES, error) from None


async def _names(session: Session, symbol: str, found: list[Mapping[str, Any]]) -> Mapping[str, str]:
    """The client id of each order: executions are told without it."""
    ids = session.line.ids
    orders = {str(row.get("orderId")) for row in found}
    unknown = sorted(one for one in orders if ids.client_id(one) is None)
    if unknown:
        early = unknown if len(unknown) <= FEW_NAMES else []
        _, told = await together(_learn_stops(session, symbol), _ask_names(session, symbol, early))
        late = [one for one in unknown if one not in told and ids.client_id(one) is None]
        for order_id, name in {**told, **await _ask_names(session, symbol, late)}.items():
            if ids.client_id(order_id) is None:  # what a stop has made goes by the name of the stop
                ids.learn(order_id, name)
    return {one: ids.client_id(one) or "" for one in orders}


async def _learn_stops(session: Session, symbol: str) -> None:
    """Which orders were made by which stops: after a restart nobody here remembers."""
    for row in await session.read_rows(limits.PAST_STOPS, {"symbol": symbol, "limit": MOST_ROWS}, Purpose.PROTECT):
        client_id = str(row.get("clientAlgoId") or "")
        session.line.ids.learn(str(row.get("actualOrderId") or ""), client_id)
        session.news.stops.add(client_id)


async def _ask_names(session: Session, symbol: str, orders: Sequence[str]) -> dict[str, str]:
    """The name of each order, a few at a time: there may be many."""
    names: dict[str, str] = {}
    for start in range(0, len(orders), FEW_NAMES):
        some = orders[start : start + FEW_NAMES]
        try:
            async with asyncio.TaskGroup() as group:
                asked = {one: group.create_task(_ask_name(session, symbol, one)) for one in some}
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        names |= {one: task.result() for one, task in asked.items()}
    return names


async def _ask_name(session: Session, symbol: str, order_id: str) -> str:
    answer = await session.line.client.ask(limits.ORDER, {"symbol": symbol, "orderId": order_id}, Purpose.PROTECT)
    if answer.hint is Hint.GONE:
        return ""  # an order without a name is nobody's that we know
    if not answer.accepted:
        raise session.line.client.error(answer, limits.ORDER)
    try:
        return text(mapping(answer.body, "the order"), "clientOrderId")
    except StrangeAnswerError as error:
        raise session.strange(limits.ORDER, error) from None


def _fill(session: Session, row: Mapping[str, Any], names: Mapping[str, str]) -> Fill:
    client_id = names[str(row.get("orderId"))]
    return translate.fill(
        row,
        client_id=client_id,
        cause=translate.cause_of(client_id, of_a_stop=client_id in session.news.stops),
        taker_fee=session.settings.taker_fee_percent,
        skew_ms=session.line.clock.skew_ms,
        rules=session.rules(str(row.get("symbol"))),
    )
