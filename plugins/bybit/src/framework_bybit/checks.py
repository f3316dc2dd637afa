"""What ``framework check`` looks at on an account, and the exercise of its stops. Reads only, but for the exercise."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from framework import (
    Checkup,
    ExchangeError,
    Need,
    OrderSide,
    PriceSource,
    StopOrder,
    ceil_to,
    floor_to,
    trimmed,
)
from framework_venue import checking
from framework_venue.checking import FAR_AWAY, Look, answered, looked_at, resting, spoken

from .account import TRADE_TEXT, WITHDRAW_TEXT
from .session import Session
from .stream import PRIVATE_TOPICS

FIRST_FRAME_S = 10.0
"""How long the price stream may take to tell a whole ticker: it is sent with the subscription."""

LOOK_EVERY_S = 0.02


async def checkup(session: Session) -> tuple[Checkup, ...]:
    """One line for each thing that trading depends on."""
    looks: tuple[tuple[str, Look[Session]], ...] = (
        ("clock", _clock),
        ("key", _key),
        ("margin mode", _margin_mode),
        ("position mode", _position_mode),
        ("leverage", _leverage),
        ("balance", _balance),
        ("rules", _rules),
        ("private stream", _private_stream),
        ("price stream", _price_stream),
    )
    return await looked_at(session, looks)


async def _clock(session: Session) -> Checkup:
    return await checking.clock(session.line, session.settings.max_clock_skew_ms)


async def _key(session: Session) -> Checkup:
    facts = await session.account.key()
    numbers = {
        name: "yes" if told else "no"
        for name, told in (("withdraw", facts.withdraws), ("trade", facts.trades), ("bound_to_addresses", facts.bound))
    }
    if facts.withdraws and not session.settings.allow_withdraw:
        return Checkup("key", ok=False, message=WITHDRAW_TEXT, numbers=numbers)
    if not facts.trades:
        return Checkup("key", ok=False, message=TRADE_TEXT, numbers=numbers)
    withdraw = "may withdraw, which is allowed here" if facts.withdraws else "may not withdraw"
    # A key that is bound to no address ends by itself ("Get API Key Information").
    bound = "bound to addresses" if facts.bound else f"not bound to addresses, ends {facts.expires}: better bind it"
    return Checkup("key", ok=True, message=f"may trade, {withdraw}, {bound}", numbers=numbers)


async def _margin_mode(session: Session) -> Checkup:
    now, wanted = await session.account.margin_mode(), session.settings.margin_name
    if now == wanted:
        return Checkup("margin mode", ok=True, message=f"{session.settings.margin_mode}, for the whole account")
    text = f"{now}, wanted is {wanted}; it is set at a start while nothing is open: close everything, or set it by hand"
    return Checkup("margin mode", ok=False, message=text)


async def _position_mode(session: Session) -> Checkup:
    symbols = session.settings.symbols or (session.account.probe(),)
    wrong = [symbol for symbol in symbols if not await session.account.is_one_way(symbol)]
    if wrong:
        text = f"hedge mode in {', '.join(wrong)}; close its positions and orders, and set one-way mode"
        return Checkup("position mode", ok=False, message=text)
    return Checkup("position mode", ok=True, message=f"one-way, seen in {', '.join(symbols)}")


async def _leverage(session: Session) -> Checkup:
    account, settings = session.account, session.settings
    if not settings.symbols:
        text = f"{settings.leverage} is wanted; `run` sets it in each market before it trades there"
        return Checkup("leverage", ok=True, message=text)
    wrong = [symbol for symbol in settings.symbols if not await account.leverage_fits(symbol)]
    if wrong:
        wanted = ", ".join(f"{symbol} {trimmed(account.leverage(symbol))}" for symbol in wrong)
        text = f"not yet as wanted ({wanted}); `run` sets it at its start"
        return Checkup("leverage", ok=True, message=text)
    told = ", ".join(f"{symbol} {trimmed(account.leverage(symbol))}" for symbol in settings.symbols)
    return Checkup("leverage", ok=True, message=told)


async def _balance(session: Session) -> Checkup:
    money = await session.reads.balance(Decimal(session.settings.leverage))
    return checking.balance(money, "the unified account")


async def _rules(session: Session) -> Checkup:
    return checking.rules(session.line, session.settings.symbols)


# ── streams ─────────────────────────────────────────────────────────────────────────────────────────────────


async def _private_stream(session: Session) -> Checkup:
    """Up means: the key was taken, and every subscription was answered with yes."""
    stream = session.private
    if await stream.wait_up(FIRST_FRAME_S):
        text = f"open, the key is taken, subscribed to {', '.join(PRIVATE_TOPICS)}"
        return Checkup("private stream", ok=True, message=text)
    text = f"not open: {stream.last_end or 'no answer'}; see to the network, the key, or stream_url"
    return Checkup("private stream", ok=False, message=text)


async def _price_stream(session: Session) -> Checkup:
    symbol, before = session.account.probe(), session.watched
    session.watch(before | {symbol})
    try:
        came = await _has_told(session, symbol)
    finally:
        session.watch(before)
    return spoken("price stream", session.public, symbol, FIRST_FRAME_S, came=came)


async def _has_told(session: Session, symbol: str) -> bool:
    try:
        async with asyncio.timeout(FIRST_FRAME_S):
            while not session.prices.has_heard(symbol):  # noqa: ASYNC110 - the news is for the board, which waits for nobody
                await asyncio.sleep(LOOK_EVERY_S)
    except TimeoutError:
        return False
    return True


# ── the exercise ────────────────────────────────────────────────────────────────────────────────────────────


async def exercise_stops(session: Session) -> tuple[Checkup, ...]:
    """Place, read, move and cancel a smallest stop far below the market. Nothing of it is left behind.

    Without a position there is nothing to attach a stop to: it takes the path of conditional orders, which the stops of
    positions share at the venue from their trigger on.
    """
    try:
        first, second = await _far_stops(session)
    except ExchangeError as error:
        return (Checkup("place", ok=False, message=str(error)),)
    try:
        return tuple(await _steps(session, first, second))
    finally:
        await session.orders.cancel_own_stop(first.symbol, first.client_id)


async def _steps(session: Session, first: StopOrder, second: StopOrder) -> list[Checkup]:
    steps = [answered("place", await session.orders.place_stop(first), live=True)]
    if not steps[-1].ok:
        return steps
    steps.append(await resting("read", session.reads.stops, first, rests=True))
    steps.append(answered("move", await session.orders.move_stop(second), live=True))
    if steps[-1].ok:
        steps.append(await resting("read after the move", session.reads.stops, second, rests=True))
    cancelled = await session.orders.cancel_own_stop(first.symbol, first.client_id)
    steps.append(answered("cancel", cancelled, live=False))
    steps.append(await resting("nothing is left", session.reads.stops, second, rests=False))
    return steps


async def _far_stops(session: Session) -> tuple[StopOrder, StopOrder]:
    symbol = session.account.probe()
    quote = (await session.data.market_data(symbol, frozenset({Need.BOOK_TOP}))).quote
    rules = session.line.markets.get(symbol)
    if quote is None or rules is None:
        raise ExchangeError(session.line.link.account, f"{symbol} has no price", code="no_price")
    name = f"exercise-{session.line.clock.now_ms()}"
    triggers = [max(floor_to(quote.last * share, rules.tick_size), rules.min_price) for share in FAR_AWAY]
    quantity = max(rules.min_quantity, ceil_to(rules.min_notional / triggers[0], rules.step_size))
    first, second = (
        StopOrder(name, symbol, OrderSide.SELL, quantity, trigger, PriceSource.LAST, attached=False)
        for trigger in triggers
    )
    return first, second
