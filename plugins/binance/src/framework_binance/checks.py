"""What ``framework check`` looks at on an account, and the exercise of its stops. Reads only, but for the exercise."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from framework import (
    Checkup,
    ExchangeError,
    OrderSide,
    PriceSource,
    StopOrder,
    StopReport,
    ceil_to,
    floor_to,
)
from framework_venue import checking
from framework_venue.checking import FAR_AWAY, Look, answered, looked_at, resting, spoken
from framework_venue.stream import Stream

from . import account, orders, reads
from .session import Session, SymbolConfig
from .strange import StrangeAnswerError, number
from .stream import Streams

FIRST_FRAME_S = 10.0
"""How long a stream may take to say something that it says every second."""

ASK_EVERY_S = 0.5
"""The venue takes 10 frames a second."""


async def checkup(session: Session, streams: Streams) -> tuple[Checkup, ...]:
    """One line for each thing that trading depends on."""
    looks: tuple[tuple[str, Look[Session]], ...] = (
        ("clock", _clock),
        ("key", _key),
        ("position mode", _mode),
        ("settings", _settings),
        ("balance", _balance),
        ("rules", _rules),
    )
    return (*await looked_at(session, looks), *await _streams(session, streams))


async def _clock(session: Session) -> Checkup:
    return await checking.clock(session.line, session.settings.max_clock_skew_ms)


async def _key(session: Session) -> Checkup:
    rights = await account.read_rights(session)
    state = await account.read_state(session)
    if rights is None:
        text = "may trade; what else it may do is not told here, as on every demo or testnet"
        return Checkup("key", ok=state.may_trade, message=text if state.may_trade else account.TRADE_TEXT)
    numbers = {name: "yes" if getattr(rights, name) else "no" for name in ("withdraw", "trade", "bound_to_addresses")}
    if rights.withdraw and not session.settings.allow_withdraw:
        return Checkup("key", ok=False, message=account.WITHDRAW_TEXT, numbers=numbers)
    if not rights.trade or not state.may_trade:
        return Checkup("key", ok=False, message=account.TRADE_TEXT, numbers=numbers)
    withdraw = "may withdraw, which is allowed here" if rights.withdraw else "may not withdraw"
    bound = "bound to addresses" if rights.bound_to_addresses else "not bound to addresses: better bind it to yours"
    text = f"may trade, {withdraw}, {bound} (the wallet's API key permission)"
    return Checkup("key", ok=True, message=text, numbers=numbers)


async def _mode(session: Session) -> Checkup:
    state = await account.read_state(session)
    margin = "all assets are margin" if state.multi_assets else "USDT alone is margin"
    numbers = {"hedge": "yes" if state.hedge else "no", "multi_assets": "yes" if state.multi_assets else "no"}
    if state.hedge:
        text = "hedge mode; `start` leaves it if nothing is open, else close everything and set one-way mode"
        return Checkup("position mode", ok=False, message=text, numbers=numbers)
    return Checkup("position mode", ok=True, message=f"one-way; {margin}", numbers=numbers)


async def _settings(session: Session) -> Checkup:
    settings = session.settings
    wanted = SymbolConfig(settings.margin_mode, settings.leverage)
    asked = f"{wanted.margin_mode} margin, leverage {wanted.leverage}"
    if not settings.symbols:
        done = len(set(await account.in_order(session)) & session.line.markets.keys())
        text = f"{asked}: so in {done} of {len(session.line.markets)} markets; `run` sets the others before they trade"
        return Checkup("settings", ok=True, message=text)
    found = {symbol: await account.read_config(session, symbol) for symbol in settings.symbols}
    wrong = [f"{symbol} has {one.margin_mode}, {one.leverage}" for symbol, one in found.items() if one != wanted]
    if wrong:
        text = f"wanted is {asked}; {'; '.join(wrong)}; `run` sets it at its start"
        return Checkup("settings", ok=True, message=text)
    return Checkup("settings", ok=True, message=f"{asked}, in {', '.join(found)}")


async def _balance(session: Session) -> Checkup:
    return checking.balance(await reads.balance(session), "the futures wallet")


async def _rules(session: Session) -> Checkup:
    return checking.rules(session.line, session.settings.symbols)


# ── streams ─────────────────────────────────────────────────────────────────────────────────────────────────


async def _streams(session: Session, streams: Streams) -> tuple[Checkup, ...]:
    symbol, before = _a_market(session), streams.watched
    topic = f"{symbol.lower()}@bookTicker"
    streams.watch(before | {symbol})
    try:
        said = await asyncio.gather(
            # Best prices may stand still: that the venue lists the subscription will do.
            _first(streams, streams.book, lambda frame: topic in _listed(frame) or frame.get("e") == "bookTicker"),
            _first(streams, streams.trades, lambda frame: frame.get("e") == "markPriceUpdate"),
        )
    finally:
        streams.watch(before)
    user = "open, with a listen key of its own" if streams.user.is_up else f"not open: {streams.user.last_end}"
    return (
        Checkup("user stream", ok=streams.user.is_up, message=user),
        spoken("stream of best prices", streams.book, symbol, FIRST_FRAME_S, came=said[0]),
        spoken("stream of trades and mark prices", streams.trades, symbol, FIRST_FRAME_S, came=said[1]),
    )


async def _first(streams: Streams, stream: Stream, fits: Callable[[dict[str, Any]], bool]) -> bool:
    """Whether a frame that fits comes in time."""
    came, usual = asyncio.Event(), stream.on_frame

    def look(frame: Any) -> None:
        usual(frame)
        if isinstance(frame, dict) and fits(frame):
            came.set()

    stream.on_frame = look
    try:
        async with asyncio.timeout(FIRST_FRAME_S):
            while not came.is_set():
                await _ask(streams, stream, came)
    except TimeoutError:
        return False
    finally:
        stream.on_frame = usual
    return True


async def _ask(streams: Streams, stream: Stream, came: asyncio.Event) -> None:
    with suppress(ConnectionError):
        await streams.ask_topics(stream)
    with suppress(TimeoutError):
        async with asyncio.timeout(ASK_EVERY_S):
            await came.wait()


def _listed(frame: dict[str, Any]) -> list[Any]:
    result = frame.get("result")
    return result if isinstance(result, list) else []


# ── the exercise ────────────────────────────────────────────────────────────────────────────────────────────


async def exercise_stops(session: Session) -> tuple[Checkup, ...]:
    """Place, read, move and cancel a smallest stop far below the market. Nothing of it is left behind."""
    symbol = _a_market(session)
    try:
        first, second = await _far_stops(session, symbol)
    except ExchangeError as error:
        return (Checkup("place", ok=False, message=str(error)),)
    try:
        return tuple(await _steps(session, first, second))
    finally:
        for order in (first, second):
            await orders.cancel_stop(session, symbol, order.client_id)


async def _steps(session: Session, first: StopOrder, second: StopOrder) -> list[Checkup]:
    def stops(symbol: str) -> Awaitable[Sequence[StopReport]]:
        return reads.stops(session, symbol)

    steps = [answered("place", await orders.place_stop(session, first), live=True)]
    if not steps[-1].ok:
        return steps
    steps.append(await resting("read", stops, first, rests=True))
    moved = await orders.place_stop(session, second)
    steps.append(answered("move: place the new one", moved, live=True))
    if steps[-1].ok:
        steps.append(await resting("move: the new one rests", stops, second, rests=True))
    cancelled = await orders.cancel_stop(session, first.symbol, first.client_id)
    steps.append(answered("move: cancel the old one", cancelled, live=False))
    cancelled = await orders.cancel_stop(session, second.symbol, second.client_id)
    steps.append(answered("cancel", cancelled, live=False))
    for order in (first, second):
        steps.append(await resting("nothing is left", stops, order, rests=False))
    return steps


async def _far_stops(session: Session, symbol: str) -> tuple[StopOrder, StopOrder]:
    rules = session.line.markets[symbol]
    marks = await session.mark_prices.get()
    try:
        mark = number(marks.get(symbol, {}), "markPrice")
    except StrangeAnswerError as error:
        raise ExchangeError(session.account, f"{symbol} has no mark price: {error}", code="no_price") from None
    made = []
    for share, letter in zip(FAR_AWAY, "ab", strict=True):
        trigger = max(floor_to(mark * share, rules.tick_size), rules.min_price)
        quantity = max(rules.min_quantity, ceil_to(rules.min_notional / trigger, rules.step_size))
        name = f"exercise-{session.line.clock.now_ms()}-{letter}"
        made.append(StopOrder(name, symbol, OrderSide.SELL, quantity, trigger, PriceSource.MARK, attached=False))
    return made[0], made[1]


def _a_market(session: Session) -> str:
    """The first of `symbols`, or a market that surely moves."""
    markets = session.line.markets
    return next((one for one in (*session.settings.symbols, "BTCUSDT") if one in markets), min(markets))
