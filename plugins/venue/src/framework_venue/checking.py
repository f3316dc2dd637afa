"""The lines of ``framework check`` that are the same on every venue, and the steps of the exercise of its stops."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from decimal import Decimal
from typing import TypeVar

from framework import (
    Balance,
    Checkup,
    ExchangeError,
    MarketRules,
    Refusal,
    StopAnswer,
    StopOrder,
    StopReport,
    Unknown,
    trimmed,
)

from .clock import off_text
from .line import Line
from .stream import Stream

S = TypeVar("S")
Look = Callable[[S], Awaitable[Checkup]]

FAR_AWAY = (Decimal("0.80"), Decimal("0.81"))
"""Where the stops of the exercise rest, as a share of the price: first, and after the move."""


async def looked_at(session: S, looks: Iterable[tuple[str, Look[S]]]) -> tuple[Checkup, ...]:
    """A line for each look, by its subject, one after another. A read that fails is a line, too."""
    return tuple([await _line(subject, look, session) for subject, look in looks])


async def _line(subject: str, look: Look[S], session: S) -> Checkup:
    try:
        return await look(session)
    except ExchangeError as error:
        return Checkup(subject, ok=False, message=str(error))


async def clock(line: Line, most_ms: int) -> Checkup:
    """How far our clock is off, measured now."""
    await line.client.sync_clock()
    skew_ms, uncertain_ms = line.clock.skew_ms, line.clock.uncertain_ms
    numbers = {"skew_ms": str(skew_ms), "uncertain_ms": str(uncertain_ms)}
    if not line.clock.is_known:
        return Checkup("clock", ok=False, message="the venue's clock could not be read")
    if abs(skew_ms) > most_ms:
        return Checkup("clock", ok=False, message=off_text(skew_ms, most_ms), numbers=numbers)
    text = f"{abs(skew_ms)} ms off the venue's, measured to ± {uncertain_ms} ms"
    return Checkup("clock", ok=True, message=text, numbers=numbers)


def balance(money: Balance, wallet: str) -> Checkup:
    """What there is to trade with. `wallet` is where funds have to be."""
    numbers = {"equity_usd": trimmed(money.equity_usd), "available_usd": trimmed(money.available_usd)}
    text = f"{numbers['equity_usd']} USD, of which {numbers['available_usd']} free"
    if money.available_usd <= 0:
        return Checkup("balance", ok=False, message=f"{text}; move funds to {wallet}", numbers=numbers)
    return Checkup("balance", ok=True, message=text, numbers=numbers)


def rules(line: Line, symbols: Sequence[str]) -> Checkup:
    """The rules of `symbols`; without any, how many markets there are."""
    missing = [symbol for symbol in symbols if symbol not in line.markets]
    if missing:
        return Checkup("rules", ok=False, message=f"not traded here: {', '.join(missing)}; correct `symbols`")
    told = [_rule(line.markets[symbol]) for symbol in symbols]
    return Checkup("rules", ok=True, message="; ".join(told) or f"{len(line.markets)} markets")


def _rule(market: MarketRules) -> str:
    least = f"at least {trimmed(market.min_quantity)} and {trimmed(market.min_notional)} USD"
    return f"{market.symbol}: tick {trimmed(market.tick_size)}, step {trimmed(market.step_size)}, {least}"


def spoken(subject: str, stream: Stream, symbol: str, within_s: float, *, came: bool) -> Checkup:
    """Whether a stream tells what it is there for. `came`: something of `symbol` did, within `within_s`."""
    if came:
        return Checkup(subject, ok=True, message=f"open, and tells of {symbol}")
    state = "open, but silent" if stream.is_up else f"not open: {stream.last_end or 'no answer'}"
    text = f"{state}; nothing of {symbol} came within {within_s:.0f} s; see to the network, or to stream_url"
    return Checkup(subject, ok=False, message=text)


# ── the exercise ────────────────────────────────────────────────────────────────────────────────────────────


def answered(step: str, answer: StopAnswer, *, live: bool) -> Checkup:
    """A step of the exercise by its answer: afterwards the stop rests (`live`), or does not."""
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


async def resting(
    step: str, read: Callable[[str], Awaitable[Sequence[StopReport]]], order: StopOrder, *, rests: bool
) -> Checkup:
    """Whether the venue shows a stop of the exercise as it was placed; or, not `rests`, does not show it."""
    try:
        found = {report.client_id: report for report in await read(order.symbol)}
    except ExchangeError as error:
        return Checkup(step, ok=False, message=str(error))
    report = found.get(order.client_id)
    if not rests:
        state = "is gone" if report is None else "rests still: cancel it by hand"
        return Checkup(step, ok=report is None, message=f"{order.client_id} {state}")
    fine = report is not None and (report.trigger_price, report.quantity) == (order.trigger_price, order.quantity)
    state = "rests as it was placed" if fine else "is not as placed"
    return Checkup(step, ok=fine, message=f"{order.client_id} {state}")
