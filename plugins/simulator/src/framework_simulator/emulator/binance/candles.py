"""Candles by request: of last, mark and index prices.

Source: "Binance USD-M Futures, Market Data, Kline/Candlestick Data".
"""

from __future__ import annotations

from typing import Any

from ..tape import Bar, Tape
from .call import Call
from .errors import VenueError
from .market import stepped, tape_of
from .params import Params
from .words import INTERVALS_MINUTES, ms, shown, text


def candles(call: Call) -> list[list[Any]]:
    """GET klines."""
    return _candles(call, call.symbol(), of_mark=False)


def pair_candles(call: Call) -> list[list[Any]]:
    """GET continuousKlines: of the perpetual of a pair."""
    if call.params.need("contractType") != "PERPETUAL":
        raise VenueError(-1130, "contractType")
    return _candles(call, _pair(call), of_mark=False)


def mark_candles(call: Call) -> list[list[Any]]:
    """GET markPriceKlines."""
    return _candles(call, call.symbol(), of_mark=True)


def index_candles(call: Call) -> list[list[Any]]:
    """GET indexPriceKlines: the index price is the mark price."""
    return _candles(call, _pair(call), of_mark=True)


def premium_candles(call: Call) -> list[list[Any]]:
    """GET premiumIndexKlines: the index price is the mark price, so that there is no premium."""
    rows = _candles(call, call.symbol(), of_mark=True)
    return [[row[0], "0", "0", "0", "0", "0", row[6], "0", row[8], "0", "0", "0"] for row in rows]


def minutes_of(interval: str) -> int:
    """The length of a candle. Raises -1120 for an interval that the venue does not have."""
    minutes = INTERVALS_MINUTES.get(interval)
    if minutes is None:
        raise VenueError(-1120)
    return minutes


def candle_row(tape: Tape, bar: Bar, minutes: int) -> list[Any]:
    """A candle. Half of what was traded was bought by takers."""
    return [
        ms(bar.open_ns),
        shown(bar.open, tape.tick),
        shown(bar.high, tape.tick),
        shown(bar.low, tape.tick),
        shown(bar.close, tape.tick),
        shown(bar.volume, tape.step),
        ms(bar.open_ns) + minutes * 60_000 - 1,
        text(bar.turnover),
        bar.trades,
        text(bar.volume / 2),
        text(bar.turnover / 2),
        "0",
    ]


def _candles(call: Call, symbol: str, *, of_mark: bool) -> list[list[Any]]:
    minutes, limit = minutes_of(call.params.need("interval")), call.params.limit(500, 1500)
    tape = tape_of(call, symbol)
    start, end = call.params.whole("startTime"), call.params.whole("endTime")
    rows = [
        candle_row(tape, bar, minutes)
        for bar in tape.bars(minutes, of_mark=of_mark)
        if (start is None or ms(bar.open_ns) >= start) and (end is None or ms(bar.open_ns) <= end)
    ]
    return rows[:limit] if start is not None else rows[-limit:]


def _pair(call: Call) -> str:
    pair = call.params.need("pair")
    call.market(pair)
    return pair


def candles_weight(params: Params) -> int:
    """By the number of candles."""
    return stepped(params, ((99, 1), (499, 2), (1000, 5)), 10, 500)
