"""What ``framework check`` looks at on an account, and the exercise of its stops. Reads only, but for the exercise."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

from framework import (
    Checkup,
    ExchangeError,
    MarketRules,
    Need,
    OrderSide,
    PriceSource,
    Refusal,
    StopAnswer,
    StopOrder,
    StopReport,
    Unknown,
    ceil_to,
    floor_to,
    trimmed,
)
from framework_venue.clock import off_text

from .account import TRADE_TEXT, WITHDRAW_TEXT
from .session import Session
from .stream import PRIVATE_TOPICS

FIRST_FRAME_S = 10.0
"""How long the price stream may take to tell a whole ticker: it is sent with the subscription."""

LOOK_EVERY_S = 0.02

FAR_AWAY = (Decimal("0.80"), Decimal("0.81"))
"""Where the stop of the exercise rests, as a share of the last price: first, and after the move."""


async def checkup(session: Session) -> tuple[Checkup, ...]:
    """One line for each thing that trading depends on."""
    looks: tuple[tuple[str, Callable[[Session], Awaitable[Checkup]]], ...] = (
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
    return tuple([await _line(subject, look, session) for subject, look in looks])


async def _line(subject: str, look: Callable[[Session], Awaitable[Checkup]], session: Session) -> Checkup:
    try:
        return await look(session)
    except ExchangeError as error:
        return Checkup(subject, ok=False, message=str(error))


async def _clock(session: Session) -> Checkup:
    await session.line.client.sync_clock()
    clock, most_ms = session.line.clock, session.settings.max_clock_skew_ms
    numbers = {"skew_ms": str(clock.skew_ms), "uncertain_ms": str(clock.uncertain_ms)}
    if not clock.is_known:
        return Checkup("clock", ok=False, message="the venue's clock could not be read")
    if abs(clock.skew_ms) > most_ms:
        return Checkup("clock", ok=False, message=off_text(clock.skew_ms, most_ms), numbers=numbers)
    text = f"{abs(clock.skew_ms)} ms off the venue's, measured to ± {clock.uncertain_ms} ms"
    return Checkup("clock", ok=True, message=text, numbers=numbers)


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
    numbers = {"equity_usd": trimmed(money.equity_usd), "available_usd": trimmed(money.available_usd)}
    text = f"{numbers['equity_usd']} USD, of which {numbers['available_usd']} free"
    if money.available_usd <= 0:
        return Checkup("balance", ok=False, message=f"{text}; move funds to the unified account", numbers=numbers)
    return Checkup("balance", ok=True, message=text, numbers=numbers)


async def _rules(session: Session) -> Checkup:
    markets = session.line.markets
    missing = [symbol for symbol in session.settings.symbols if symbol not in markets]
    if missing:
        return Checkup("rules", ok=False, message=f"not traded here: {', '.join(missing)}; correct `symbols`")
    told = [_rule(markets[symbol]) for symbol in session.settings.symbols]
    return Checkup("rules", ok=True, message="; ".join(told) or f"{len(markets)} markets")


def _rule(rules: MarketRules) -> str:
    least = f"at least {trimmed(rules.min_quantity)} and {trimmed(rules.min_notional)} USD"
    return f"{rules.symbol}: tick {trimmed(rules.tick_size)}, step {trimmed(rules.step_size)}, {least}"


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
    if came:
        return Checkup("price stream", ok=True, message=f"open, and tells of {symbol}")
    stream = session.public
    state = "open, but silent" if stream.is_up else f"not open: {stream.last_end or 'no answer'}"
    text = f"{state}; nothing of {symbol} came within {FIRST_FRAME_S:.0f} s; see to the network, or to stream_url"
    return Checkup("price stream", ok=False, message=text)


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
    steps = [_answered("place", await session.orders.place_stop(first), live=True)]
    if not steps[-1].ok:
        return steps
    steps.append(await _resting("read", session, first, rests=True))
    steps.append(_answered("move", await session.orders.move_stop(second), live=True))
    if steps[-1].ok:
        steps.append(await _resting("read after the move", session, second, rests=True))
    cancelled = await session.orders.cancel_own_stop(first.symbol, first.client_id)
    steps.append(_answered("cancel", cancelled, live=False))
    steps.append(await _resting("nothing is left", session, second, rests=False))
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


def _answered(step: str, answer: StopAnswer, *, live: bool) -> Checkup:
    match answer:
        case StopReport() if answer.live is live:
            where = f"{answer.symbol}, at {trimmed(answer.trigger_price)}" if answer.trigger_price else answer.symbol
            return Checkup(step, ok=True, message=where)
        case StopReport():
            return Checkup(step, ok=False, message=f"{answer.symbol}: {answer.reason or 'it rests still'}")
        case Refusal():
            return Checkup(step, ok=False, message=f"refused: {answer.code}: {answer.message}")
        case Unknown():
            return Checkup(step, ok=False, message=f"nobody knows what came of it: {answer.message}")


async def _resting(step: str, session: Session, order: StopOrder, *, rests: bool) -> Checkup:
    try:
        found = {report.client_id: report for report in await session.reads.stops(order.symbol)}
    except ExchangeError as error:
        return Checkup(step, ok=False, message=str(error))
    report = found.get(order.client_id)
    if not rests:
        state = "is gone" if report is None else "rests still: cancel it by hand"
        return Checkup(step, ok=report is None, message=f"{order.client_id} {state}")
    fine = report is not None and (report.trigger_price, report.quantity) == (order.trigger_price, order.quantity)
    state = "rests as it was placed" if fine else "is not as placed"
    return Checkup(step, ok=fine, message=f"{order.client_id} {state}")
