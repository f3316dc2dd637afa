"""One line of a recording's market, from its JSON: strict, and every mistake of the line at once.

The market is this product's own format, so a mistake in it is damage. What arrived as a signal is another matter:
it is kept as it came, and judged when it is played.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

from attrs import define, field, frozen

from framework import (
    INTERVALS_S,
    BarUpdate,
    Candle,
    CandleUpdate,
    MarketUpdate,
    OpenInterestUpdate,
    Quote,
    QuoteUpdate,
)

from .instants import parse_instant
from .json_values import ValueRefusedError, shown, symbol_of

DECIMAL = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
ACCOUNT = re.compile(r"[A-Za-z0-9_-]{1,64}")
NANOSECONDS = 1_000_000_000
ONE = Decimal(1)


@frozen
class Message:
    """What a sender sent, to the byte: good or bad is found out when it is played."""

    content: str | bytes


@define
class LineReader:
    """Takes the fields of one line and collects what is wrong with them.

    A reader method that finds a mistake notes it and answers something harmless: the line is thrown away anyway.
    """

    fields: Mapping[str, object]
    directory: Path
    t_ns: int = 0
    mistakes: list[str] = field(factory=list)

    def expect(self, required: frozenset[str], optional: frozenset[str]) -> None:
        """Notes keys that are missing, and keys that nobody knows."""
        given = frozenset(self.fields)
        self.mistakes += [f"{name} is missing" for name in sorted(required - given)]
        known = ", ".join(sorted(required | optional))
        self.mistakes += [f"unknown key {shown(name)}; known: {known}" for name in sorted(given - required - optional)]

    def text(self, name: str) -> str:
        value = self.fields.get(name, "")
        if not isinstance(value, str):
            self.mistakes.append(f"{name} must be a text, got {shown(value)}")
            return ""
        return value

    def account(self) -> str:
        value = self.text("account")
        if isinstance(self.fields.get("account"), str) and not ACCOUNT.fullmatch(value):
            self.mistakes.append(f"account must be a name of letters, digits, _ or -, got {shown(value)}")
        return value

    def symbol(self) -> str:
        if "symbol" not in self.fields:
            return ""
        try:
            return symbol_of("symbol", self.fields["symbol"])
        except ValueRefusedError as refused:
            self.mistakes.append(refused.message)
            return ""

    def price(self, name: str) -> Decimal:
        """A decimal in quotes, greater than 0."""
        value = self.amount(name)
        if value == 0 and self.fields.get(name) is not None:
            self.mistakes.append(f"{name} must be greater than 0, got {shown(self.fields[name])}")
        return value or ONE

    def optional_price(self, name: str) -> Decimal | None:
        return self.price(name) if name in self.fields else None

    def amount(self, name: str) -> Decimal:
        """A decimal in quotes, 0 or more."""
        if name not in self.fields:
            return ONE
        value = self.fields[name]
        if not isinstance(value, str) or not DECIMAL.fullmatch(value):
            self.mistakes.append(f'{name} must be a decimal of 0 or more in quotes, such as "0.1", got {shown(value)}')
            return ONE
        return Decimal(value)

    def instant(self, name: str) -> int:
        value = self.text(name)
        if name not in self.fields or not isinstance(self.fields[name], str):
            return self.t_ns
        try:
            return parse_instant(value)
        except ValueError as error:
            self.mistakes.append(f"{name} {error}, got {shown(value)}")
            return self.t_ns

    def interval(self) -> str:
        value = self.text("interval")
        if value in INTERVALS_S:
            return value
        if isinstance(self.fields.get("interval"), str):
            self.mistakes.append(f"unknown interval {shown(value)}; known: {', '.join(INTERVALS_S)}")
        return next(iter(INTERVALS_S))

    def candle(self, open_ns: int, interval: str, quote_volume: Decimal) -> Candle:
        """The prices of a candle, its extremes around its open and close."""
        opened, high, low, close = (self.price(name) for name in ("open", "high", "low", "close"))
        if not self.mistakes and not low <= min(opened, close) <= max(opened, close) <= high:
            self.mistakes.append(f"high and low must enclose open and close, got {opened}, {high}, {low}, {close}")
        return Candle(open_ns, open_ns + INTERVALS_S[interval] * NANOSECONDS, opened, high, low, close, quote_volume)


def _quote(line: LineReader) -> MarketUpdate:
    bid, ask, last = line.price("bid"), line.price("ask"), line.price("last")
    if not line.mistakes and bid > ask:
        line.mistakes.append(f"bid {bid} is above ask {ask}")
    return QuoteUpdate(
        line.account(),
        line.symbol(),
        Quote(bid, ask, last, line.optional_price("mark") or last, line.t_ns),
        line.optional_price("bid_quantity"),
        line.optional_price("ask_quantity"),
    )


def _candle(line: LineReader) -> MarketUpdate:
    interval = line.interval()
    candle = line.candle(line.instant("open_time"), interval, line.amount("quote_volume"))
    if not line.mistakes and candle.close_ns > line.t_ns:
        line.mistakes.append(f"the candle of {interval} from {line.fields['open_time']} has not closed at t")
    return CandleUpdate(line.account(), line.symbol(), interval, candle)


def _bar(line: LineReader) -> MarketUpdate:
    interval = line.interval()
    volume = line.amount("quote_volume") if "quote_volume" in line.fields else Decimal(0)
    return BarUpdate(line.account(), line.symbol(), interval, line.candle(line.t_ns, interval, volume))


def _open_interest(line: LineReader) -> MarketUpdate:
    return OpenInterestUpdate(line.account(), line.symbol(), line.amount("usd"))


def _message(line: LineReader) -> Message:
    if ("text" in line.fields) == ("file" in line.fields):
        line.mistakes.append("a message has either text or file")
        return Message("")
    if "text" in line.fields:
        return Message(line.text("text"))
    name = line.text("file")
    if line.mistakes:
        return Message("")
    try:
        path = (line.directory / name).resolve()
        if not path.is_relative_to(line.directory.resolve()):
            raise ValueError
        return Message(path.read_bytes())
    except ValueError:
        line.mistakes.append(f"file must lie in the recording's directory, got {shown(name)}")
    except OSError as error:
        line.mistakes.append(f"file {shown(name)} can't be read ({error.strerror})")
    return Message("")


@frozen
class Kind:
    """What a line of one kind must and may hold besides ``t`` and ``kind``, and how it is read."""

    required: frozenset[str]
    optional: frozenset[str]
    read: Callable[[LineReader], MarketUpdate | Message]


def _kind(read: Callable[[LineReader], MarketUpdate | Message], required: str = "", optional: str = "") -> Kind:
    return Kind(frozenset(required.split()), frozenset(optional.split()), read)


KINDS: Mapping[str, Kind] = {
    "quote": _kind(_quote, "account symbol bid ask last", "mark bid_quantity ask_quantity"),
    "candle": _kind(_candle, "account symbol interval open_time open high low close quote_volume"),
    "open_interest": _kind(_open_interest, "account symbol usd"),
    "bar": _kind(_bar, "account symbol interval open high low close", "quote_volume"),
    "message": _kind(_message, "", "text file"),
}
