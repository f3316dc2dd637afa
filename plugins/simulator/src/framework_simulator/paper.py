"""The in-process exchange: one account on a simulated venue, without keys and without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Literal

import attrs
from attrs import define, field

from framework import (
    Balance,
    BarUpdate,
    CandleUpdate,
    Capabilities,
    Checkup,
    CloseOrder,
    EntryAnswer,
    EntryOrder,
    ExchangeError,
    ExchangeLink,
    Fill,
    FrameworkError,
    MarketData,
    MarketRules,
    MarketUpdate,
    Need,
    OpenInterestUpdate,
    OrderReport,
    Percent,
    QuoteUpdate,
    Refusal,
    RestingOrder,
    StopAnswer,
    StopOrder,
    StopReport,
    VenuePosition,
    not_negative,
    plain,
    positive,
)

from .engine.account import Account
from .engine.ledger import JsonLines, Ledger
from .engine.path import BarPath
from .engine.rules import Market
from .engine.style import STYLES
from .engine.venue import Venue
from .markets import read_markets
from .requests import attached_stop, close_request, entry_request, stop_request
from .session import Session


def _readable(instance: Paper, attribute: attrs.Attribute[Any], value: Path) -> None:
    read_markets(value, instance.rules)


def _below_hundred(instance: object, attribute: attrs.Attribute[Any], value: Percent) -> None:
    if not value.value < 100:
        raise ValueError(f"must be below 100 %, got {value}")


@define(kw_only=True)
class Paper:
    """Trade on a simulated venue with the real rules of Binance or Bybit: no keys, no network, no money.

    `rules` and `markets` (a file with the venue's own answer) say whose rules hold, how stops work and what a
    refusal is called. `balance_usd` and `leverage` are the account's. Orders fill against the recorded market, with
    `taker_fee_percent` and `maker_fee_percent` of the notional; market orders and triggered stops get a price that
    is worse by `slippage_percent`; every request takes `latency_ms`. `bar_path` says which extreme of a recorded
    bar comes first, seen from the open position. `ledger` is a file for every change that the venue decided.
    Everything lives in memory and begins anew with each start.
    """

    name: ClassVar[str] = "paper"

    rules: Literal["binance", "bybit"]
    # Its setting is called `markets`, like the method of every exchange.
    markets_file: Path = field(alias="markets", validator=_readable)
    balance_usd: Decimal = field(validator=positive)
    leverage: Decimal = field(default=Decimal(10), validator=positive)
    taker_fee_percent: Percent = field(validator=[not_negative, _below_hundred])
    maker_fee_percent: Percent = field(default=Percent(Decimal("0.02")), validator=[not_negative, _below_hundred])
    slippage_percent: Percent = field(default=Percent(Decimal(0)), validator=[not_negative, _below_hundred])
    latency_ms: int = field(default=0, validator=not_negative)
    bar_path: BarPath = "worst-first"
    ledger: Path | None = field(default=None, metadata={"may_be_absent": True})

    capabilities: Capabilities = field(init=False)
    _listed: dict[str, Market] = field(factory=dict, init=False)
    _session: Session | None = field(default=None, init=False)
    _file: JsonLines | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        style = STYLES[self.rules]
        self.capabilities = Capabilities(
            simulated=True,
            attaches_stops=style.attaches_stops,
            amends_stops=style.amends_stops,
            rests_targets=True,
        )

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────────

    async def start(self, link: ExchangeLink) -> None:
        """Open the venue with one account. Raises `ExchangeError` if the ledger can't be written."""
        self._file = _open_ledger(link.account, self.ledger)
        style, listed = STYLES[self.rules], self._markets()
        ledger = Ledger(style.name, sinks=[] if self._file is None else [self._file])
        venue = Venue.open(style, listed, ledger=ledger, slippage=self.slippage_percent)
        venue.open_account(
            Account(
                link.account,
                cash=self.balance_usd,
                leverage=self.leverage,
                taker_fee=self.taker_fee_percent,
                maker_fee=self.maker_fee_percent,
            )
        )
        self._session = Session(link, venue, listed, self.leverage, self.bar_path)

    async def stop(self) -> None:
        """End the walks through bars and close the ledger. What is open stays so, until the process ends."""
        if self._session is not None:
            await self._session.close()
        if self._file is not None:
            self._file.close()

    async def checkup(self) -> tuple[Checkup, ...]:
        """The market file, the account's money, and the assumptions that fills are made with."""
        try:
            listed = self._markets()
        except FrameworkError as error:
            return (Checkup("markets", ok=False, message=str(error)),)
        money = {"balance_usd": plain(self.balance_usd), "leverage": plain(self.leverage)}
        assumptions = {
            "taker_fee_percent": plain(self.taker_fee_percent.value),
            "maker_fee_percent": plain(self.maker_fee_percent.value),
            "slippage_percent": plain(self.slippage_percent.value),
            "latency_ms": str(self.latency_ms),
            "bar_path": self.bar_path,
        }
        told = (
            f"taker fee {self.taker_fee_percent}, maker fee {self.maker_fee_percent}, slippage {self.slippage_percent},"
            f" latency {self.latency_ms} ms, bars {self.bar_path}; no funding, no liquidation"
        )
        return (
            Checkup(
                "markets",
                ok=True,
                message=f"{len(listed)} markets with the rules of {self.rules}, from {self.markets_file.name}",
                numbers={"markets": str(len(listed))},
            ),
            Checkup(
                "balance",
                ok=True,
                message=f"{plain(self.balance_usd)} USD of paper money at {plain(self.leverage)}x",
                numbers=money,
            ),
            Checkup("assumptions", ok=True, message=told, numbers=assumptions),
        )

    # ── the market ──────────────────────────────────────────────────────────────────────────────────────────

    def play(self, update: MarketUpdate) -> None:
        """Take over a piece of the recorded market. What is meant for other accounts, or not listed, is ignored."""
        session = self._running()
        if update.account != session.account or update.symbol not in session.markets:
            return
        match update:
            case QuoteUpdate():
                session.quote(update.symbol, update.quote, update.bid_quantity, update.ask_quantity)
            case BarUpdate():
                session.begin_bar(update.symbol, update.interval, update.candle)
            case CandleUpdate():
                session.history.add_candle(update.symbol, update.interval, update.candle)
            case OpenInterestUpdate():
                session.history.set_open_interest(update.symbol, update.open_interest_usd)

    def next_ns(self) -> int | None:
        """When a price next moves on its way through a recorded bar: a rehearsal halts there."""
        return self._running().next_ns()

    async def advance(self, to_ns: int) -> None:
        """The clock of a rehearsal jumps ahead: prices on the way are reached."""
        self._running().advance(to_ns)

    def watch(self, symbols: frozenset[str]) -> None:
        """From now on prices of these markets, and no others, are told through the link."""
        self._running().watched = symbols

    async def markets(self) -> Mapping[str, MarketRules]:
        """The rules of every market in the file that is being traded."""
        await self._travel()
        rules = {symbol: market.rules for symbol, market in self._markets().items()}
        await self._travel()
        return rules

    async def market_data(self, symbol: str, needs: frozenset[Need]) -> MarketData:
        """What was recorded of one market up to now. Raises `ExchangeError` for a market that is not listed."""
        await self._travel()
        data = self._running().market_data(symbol, needs)
        await self._travel()
        return data

    # ── reads ───────────────────────────────────────────────────────────────────────────────────────────────

    async def balance(self) -> Balance:
        """Equity, free margin, leverage."""
        await self._travel()
        balance = self._running().balance()
        await self._travel()
        return balance

    async def positions(self) -> tuple[VenuePosition, ...]:
        """Every position that is not flat."""
        await self._travel()
        positions = self._running().positions()
        await self._travel()
        return positions

    async def entry_report(self, symbol: str, client_id: str) -> OrderReport | None:
        """An entry or close by client id, finished or not; the newest, where the venue allows an id again."""
        await self._travel()
        report = self._running().order(symbol, client_id)
        await self._travel()
        return report

    async def stops(self, symbol: str) -> tuple[StopReport, ...]:
        """The stops that rest in one market, the attached one included, oldest first."""
        await self._travel()
        stops = self._running().stops(symbol)
        await self._travel()
        return stops

    async def resting(self) -> tuple[RestingOrder, ...]:
        """Every order that rests, in all markets: entries first, then stops, attached ones among them."""
        await self._travel()
        orders = self._running().resting()
        await self._travel()
        return orders

    async def fills(self, symbol: str, since_ns: int) -> tuple[Fill, ...]:
        """Executions in one market since an instant, oldest first."""
        await self._travel()
        fills = self._running().fills(symbol, since_ns)
        await self._travel()
        return fills

    # ── requests ────────────────────────────────────────────────────────────────────────────────────────────

    async def place_entry(self, order: EntryOrder) -> EntryAnswer:
        """Send an entry. It is not sent after `send_before_ns`, and refused as a whole if its stop is invalid."""
        session = self._running()
        if session.now_ns() > order.send_before_ns:
            return Refusal("too_late", f"{order.symbol}: the entry's deadline has passed, it was not sent")
        await self._travel()
        answer = session.place_order(entry_request(order))
        await self._travel()
        return answer

    async def cancel_entry(self, symbol: str, client_id: str) -> EntryAnswer:
        """Cancel a resting entry. One that has ended already is reported as it ended."""
        await self._travel()
        answer = self._running().cancel_order(symbol, client_id)
        await self._travel()
        return answer

    async def place_stop(self, order: StopOrder) -> StopAnswer:
        """Place a stop order, or set the attached one where the venue has such. A no-op is a success."""
        await self._travel()
        session = self._running()
        if order.attached:
            answer = session.set_attached_stop(order.symbol, attached_stop(order))
        else:
            answer = session.place_stop(stop_request(order))
        await self._travel()
        return answer

    async def move_stop(self, order: StopOrder) -> StopAnswer:
        """Move a resting stop in place; refused where the venue can't."""
        await self._travel()
        session = self._running()
        if order.attached:
            answer = session.set_attached_stop(order.symbol, attached_stop(order))
        else:
            answer = session.amend_stop(stop_request(order))
        await self._travel()
        return answer

    async def cancel_stop(self, symbol: str, client_id: str) -> StopAnswer:
        """Remove a stop. One that is not there counts as removed."""
        await self._travel()
        answer = self._running().cancel_stop(symbol, client_id)
        await self._travel()
        return answer

    async def close_position(self, order: CloseOrder) -> EntryAnswer:
        """Send a reduce-only order; it is cut to the position."""
        await self._travel()
        answer = self._running().place_order(close_request(order))
        await self._travel()
        return answer

    async def _travel(self) -> None:
        """One way between us and the venue: half the latency. Events are told as they happen, like a stream."""
        if self.latency_ms:
            await asyncio.sleep(self.latency_ms / 2000)

    def _markets(self) -> dict[str, Market]:
        if not self._listed:
            self._listed = read_markets(self.markets_file, self.rules)
        return self._listed

    def _running(self) -> Session:
        if self._session is None:
            raise RuntimeError("the paper exchange is asked before it was started")
        return self._session


def _open_ledger(account: str, path: Path | None) -> JsonLines | None:
    try:
        return None if path is None else JsonLines.open(path)
    except OSError as error:
        message = f"the ledger {path} can't be written: {error.strerror}; set another `ledger` or none"
        raise ExchangeError(account, message, code="ledger") from None
