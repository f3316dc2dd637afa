"""What a decision may know of a market, and how a component says what it needs to know."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import ClassVar

from attrs import define, field, frozen

from ..errors import MissingDataError
from .numbers import unit
from .signal import Side


@frozen(order=True, cache_hash=True)
class Need:
    """A piece of data that a component declares it needs; the engine fetches the union once per symbol.

    ``Need.BOOK_TOP`` best bid and ask · ``Need.OPEN_INTEREST`` in USD · ``Need.POSITIONS`` what is open on this
    account · ``Need.CLOSED_POSITIONS`` what was closed lately on it · ``Need.candles("1h", 1)`` the last
    closed candles of an interval.
    """

    kind: str
    interval: str = ""
    count: int = 0

    BOOK_TOP: ClassVar[Need]
    OPEN_INTEREST: ClassVar[Need]
    POSITIONS: ClassVar[Need]
    CLOSED_POSITIONS: ClassVar[Need]

    @classmethod
    def candles(cls, interval: str, count: int) -> Need:
        """The last `count` closed candles of `interval` (a key of `INTERVALS_S`)."""
        if interval not in INTERVALS_S:
            raise ValueError(f"unknown candle interval {interval!r}; known: {', '.join(INTERVALS_S)}")
        if count < 1:
            raise ValueError(f"count must be at least 1, got {count}")
        return cls("candles", interval, count)

    def __str__(self) -> str:
        return f"{self.count} candles of {self.interval}" if self.interval else self.kind


Need.BOOK_TOP = Need("book_top")
Need.OPEN_INTEREST = Need("open_interest")
Need.POSITIONS = Need("positions")
Need.CLOSED_POSITIONS = Need("closed_positions")

INTERVALS_S: dict[str, int] = {
    "1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1800,
    "1h": 3600, "2h": 7200, "4h": 14400, "12h": 43200, "1d": 86400,
}  # fmt: skip
"""Candle intervals and their length in seconds: those that Binance and Bybit both serve."""


def union_of(needs: Iterable[Iterable[Need]]) -> frozenset[Need]:
    """What satisfies all of `needs` with one fetch: of candles of one interval the largest count is kept."""
    largest: dict[tuple[str, str], Need] = {}
    for group in needs:
        for need in group:
            key = (need.kind, need.interval)
            if key not in largest or need.count > largest[key].count:
                largest[key] = need
    return frozenset(largest.values())


@frozen
class MarketRules:
    """A venue's rules for orders in one market. Quantities are in the base asset, prices and notionals in USD.

    `tick_size` and `step_size` are kept without trailing zeros: what is rounded to them is written with their digits.
    `max_quantity` is the largest market order. `price_band` is the venue's allowed distance of an order's
    price from the mark price as a fraction (0.1: ten percent), None where the venue states none. `trigger_band` is
    the same for the trigger price of a stop, None where the venue takes any. `closes_any_notional`: the venue is known
    to waive `min_notional` for orders that only reduce.
    """

    symbol: str
    tick_size: Decimal = field(converter=unit)
    step_size: Decimal = field(converter=unit)
    min_quantity: Decimal
    max_quantity: Decimal
    min_notional: Decimal
    min_price: Decimal
    max_price: Decimal
    price_band: Decimal | None = None
    max_leverage: Decimal | None = None
    trigger_band: Decimal | None = None
    closes_any_notional: bool = False


@frozen
class Quote:
    """Best bid and ask, last trade and mark price at one instant (`time_ns`, UTC)."""

    bid: Decimal
    ask: Decimal
    last: Decimal
    mark: Decimal
    time_ns: int

    @property
    def is_sane(self) -> bool:
        """Whether all four are prices: finite and above zero."""
        return all(price.is_finite() and price > 0 for price in (self.bid, self.ask, self.last, self.mark))

    @property
    def middle(self) -> Decimal:
        """The price half-way between bid and ask."""
        return (self.bid + self.ask) / 2

    def taken_by(self, side: Side) -> Decimal:
        """The price at which a market order that opens a position of `side` would fill: long at the ask."""
        return self.ask if side is Side.LONG else self.bid


@frozen
class Candle:
    """One candle. `close_ns` is the first instant after it; `quote_volume` is in USD."""

    open_ns: int
    close_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    quote_volume: Decimal


@frozen
class MarketData:
    """What an exchange answered for one symbol. None, or an absent interval: it has no such data.

    `candles` are closed ones only, oldest first, by interval.
    """

    symbol: str
    quote: Quote | None = None
    open_interest_usd: Decimal | None = None
    candles: Mapping[str, tuple[Candle, ...]] = field(factory=dict)


@frozen
class OpenPosition:
    """An open, or opening, position as filters and risk rules see it. `notional_usd` is at the entry price."""

    account: str
    symbol: str
    side: Side
    quantity: Decimal
    entry_price: Decimal
    notional_usd: Decimal


@frozen
class ClosedPosition:
    """A position that was closed. `realized_pnl_usd` is after fees."""

    account: str
    symbol: str
    side: Side
    closed_ns: int
    realized_pnl_usd: Decimal


@frozen
class Account:
    """One account of the deployment. `equity_usd` is wallet plus unrealised PnL, `available_usd` is free margin.

    `open` includes positions that are being opened; `closed` holds those closed within the last 24 hours and
    those since 00:00 UTC.
    """

    name: str
    equity_usd: Decimal
    available_usd: Decimal
    open: tuple[OpenPosition, ...] = ()
    closed: tuple[ClosedPosition, ...] = ()
    leverage: Decimal = Decimal(1)


@frozen
class Portfolio:
    """All accounts of the deployment, for rules that limit the whole. `time_ns` is the instant of the decision."""

    time_ns: int
    accounts: Mapping[str, Account]


@define
class MarketSnapshot:
    """Everything that a filter may look at for one signal, and nothing it did not ask for.

    Reading what was not declared in `needs`, or what the venue could not deliver in time, raises
    `MissingDataError`: the kernel rejects the signal with the reason ``data_missing``. So a filter never has to
    handle absence, and never lets a signal through because its data was missing.

    `rules` is None when the venue does not list the market.
    """

    symbol: str
    account: str
    time_ns: int
    rules: MarketRules | None
    _data: MarketData
    _state: Account
    _declared: frozenset[Need] = frozenset()
    _max_age_ns: int | None = None

    def seen_by(self, declared: frozenset[Need]) -> MarketSnapshot:
        """This snapshot as a component that declared these needs may see it."""
        # Called for every filter of every candidate: `attrs.evolve` takes four times as long.
        return MarketSnapshot(
            self.symbol, self.account, self.time_ns, self.rules, self._data, self._state, declared, self._max_age_ns
        )

    @property
    def quote(self) -> Quote:
        """Best bid and ask. Needs `Need.BOOK_TOP`; refused when older than `[framework] max_quote_age_s`."""
        self._require(Need.BOOK_TOP)
        quote = self._data.quote
        if quote is None:
            raise MissingDataError("book_top", f"{self.account} has no quote for {self.symbol}")
        if self._max_age_ns is not None and self.time_ns - quote.time_ns > self._max_age_ns:
            age_s = (self.time_ns - quote.time_ns) / 1e9
            raise MissingDataError("book_top", f"the quote of {self.symbol} is {age_s:.1f} s old")
        return quote

    @property
    def open_interest_usd(self) -> Decimal:
        """Open interest in USD. Needs `Need.OPEN_INTEREST`."""
        self._require(Need.OPEN_INTEREST)
        if self._data.open_interest_usd is None:
            raise MissingDataError("open_interest", f"{self.account} has none for {self.symbol}")
        return self._data.open_interest_usd

    @property
    def positions(self) -> tuple[OpenPosition, ...]:
        """What is open, or being opened, on this account. Needs `Need.POSITIONS`."""
        self._require(Need.POSITIONS)
        return self._state.open

    @property
    def closed_positions(self) -> tuple[ClosedPosition, ...]:
        """What was closed on this account lately. Needs `Need.CLOSED_POSITIONS`."""
        self._require(Need.CLOSED_POSITIONS)
        return self._state.closed

    def candles(self, interval: str, count: int = 1) -> tuple[Candle, ...]:
        """The last `count` closed candles, oldest first. Needs `Need.candles(interval, count)`.

        They must follow each other without a gap, and the newest must be the one that closed last: a gap is missing
        data, not an old answer.
        """
        if not any(n.interval == interval and n.count >= count for n in self._declared):
            raise MissingDataError(f"{count} candles of {interval}", "the component did not declare this need")
        have = self._data.candles.get(interval, ())[-count:]
        if len(have) < count:
            raise MissingDataError(f"{count} candles of {interval}", f"{self.account} has {len(have)}")
        age_ns = self.time_ns - have[-1].close_ns
        if not 0 <= age_ns < INTERVALS_S[interval] * 1_000_000_000:
            raise MissingDataError(f"{count} candles of {interval}", "the newest one is not the last closed one")
        if any(one.close_ns != after.open_ns for one, after in pairwise(have)):
            raise MissingDataError(f"{count} candles of {interval}", "there is a gap between them")
        return have

    def _require(self, need: Need) -> None:
        if need not in self._declared:
            raise MissingDataError(str(need), "the component did not declare this need")


class PriceSource(enum.Enum):
    """Which price triggers a stop."""

    LAST = "last"
    MARK = "mark"
