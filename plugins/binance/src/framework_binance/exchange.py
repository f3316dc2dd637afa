"""The exchange ``binance``: one account on Binance USD-M futures."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from attrs import define, field

from framework import (
    Balance,
    Capabilities,
    Checkup,
    CloseOrder,
    EntryAnswer,
    EntryOrder,
    Fill,
    MarketData,
    MarketRules,
    Need,
    OrderReport,
    Refusal,
    RestingOrder,
    StopAnswer,
    StopOrder,
    StopReport,
    VenuePosition,
)
from framework_venue.answers import Answer, Reply
from framework_venue.budget import Budget, Window
from framework_venue.client import Dialect, Route
from framework_venue.exchange import VenueExchange
from framework_venue.line import Line
from framework_venue.stream import Stream

from . import account, checks, data, errors, limits, orders, reads
from .session import Session
from .settings import BinanceSettings
from .strange import mapping, milliseconds
from .stream import Streams


@define
class BinanceDialect:
    """How Binance's answers are understood. See `framework_venue.client.Dialect`."""

    @property
    def venue(self) -> str:
        """The venue's name."""
        return errors.VENUE

    def classify(self, reply: Reply) -> Answer:
        """What a reply means."""
        return errors.classify(reply)

    def heard(self, budget: Budget, route: Route, reply: Reply) -> None:
        """Correct the budget by the headers of an answer."""
        limits.hear(budget, reply.headers)

    @property
    def time_route(self) -> Route:
        """The request that tells the venue's time."""
        return limits.TIME

    def time_ms(self, body: Any) -> int:
        """The venue's time in its answer, ms UTC."""
        try:
            return milliseconds(mapping(body, "the time"), "serverTime")
        except Exception as error:
            raise ValueError(str(error)) from None


@define(kw_only=True, eq=False)
class Binance(BinanceSettings, VenueExchange):
    """Trade USDT-margined perpetuals on Binance USD-M futures: one-way mode, REST and streams.

    `api_key`, `api_secret`: from the environment or a file. `base_url`, `stream_url`: another home of the venue, its
    demo, its testnet or an emulator; None is the production venue, where orders cost money. `leverage` and
    `margin_mode` are set in every market before it is traded; `symbols` are those to begin with and to look at in
    ``check`` (empty: all, in the background). `taker_fee_percent` values a fee that was paid in another coin than USD.
    `request_timeout_s`: how long one answer may take. `stream_silence_s`: after so long without any sign of life a
    stream is opened anew. `max_clock_skew_ms`: how far our clock may be off before entries are refused.
    `rate_budget_percent`: how much of the venue's limits this deployment may use. `warm_connections`: so many
    connections are kept open for the next wave. `allow_withdraw`: use a key although it may withdraw, without asking.
    """

    name: ClassVar[str] = "binance"
    ccxt_name: ClassVar[str] = "binanceusdm"
    starts_use: ClassVar[str] = limits.WEIGHT
    checks_without_markets: ClassVar[bool] = True

    capabilities: Capabilities = field(init=False)
    _session: Session | None = field(default=None, init=False, repr=False)
    _streams: Streams | None = field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.capabilities = Capabilities(real_money=self.place.real_money, rests_targets=True)

    # ── what the frame asks for ─────────────────────────────────────────────────────────────────────────────

    def dialect(self) -> Dialect:
        """How answers are understood."""
        return BinanceDialect()

    def windows(self) -> Iterable[Window]:
        """The venue's limits, until it has told them itself."""
        return limits.windows(self.rate_budget_percent)

    def make_streams(self, line: Line) -> Sequence[Stream]:
        """The streams of a new connection: the account's, best prices, trades and mark prices."""
        self._session = Session(line, self)
        self._streams = Streams(self._session)
        self._streams.start()
        return self._streams.all

    def watch_prices(self, line: Line, symbols: frozenset[str]) -> None:
        """Keep the price subscriptions in step with these markets."""
        self._stream_set.watch(symbols)

    async def read_markets(self, line: Line) -> Mapping[str, MarketRules]:
        """The rules of every market that may be traded now. Raises `ExchangeError`."""
        return await account.read_markets(self._connection)

    async def check_account(self, line: Line) -> None:
        """Raise `ExchangeError` for a key or a position mode with which nothing may be traded."""
        await account.check(self._connection)

    async def in_order(self, line: Line) -> Collection[str]:
        """The markets whose margin mode and leverage are as wanted."""
        return await account.in_order(self._connection)

    async def put_in_order(self, line: Line, symbol: str) -> None:
        """Set margin mode and leverage of a market. Raises `ExchangeError`."""
        await account.put_in_order(self._connection, symbol)

    # ── reads ───────────────────────────────────────────────────────────────────────────────────────────────

    async def market_data(self, symbol: str, needs: frozenset[Need]) -> MarketData:
        """What decisions need to know of one market; prices of all markets are one request for a whole wave."""
        return await data.market_data(self._connection, symbol, needs)

    async def balance(self) -> Balance:
        """The account's money."""
        return await reads.balance(self._connection)

    async def positions(self) -> tuple[VenuePosition, ...]:
        """Every position that is not flat."""
        return await reads.positions(self._connection)

    async def entry_report(self, symbol: str, client_id: str) -> OrderReport | None:
        """An entry or close by client id; the newest, where the venue allows an id again."""
        return await reads.entry_report(self._connection, symbol, client_id)

    async def stops(self, symbol: str) -> tuple[StopReport, ...]:
        """The stops that rest in one market."""
        return await reads.stops(self._connection, symbol)

    async def resting(self) -> tuple[RestingOrder, ...]:
        """Every order of the account that rests, conditional ones among them, in all markets."""
        return await reads.resting(self._connection)

    async def fills(self, symbol: str, since_ns: int) -> tuple[Fill, ...]:
        """Executions in one market since an instant, oldest first."""
        return await reads.fills(self._connection, symbol, since_ns)

    # ── requests ────────────────────────────────────────────────────────────────────────────────────────────

    async def place_entry(self, order: EntryOrder) -> EntryAnswer:
        """Send an entry, once, unless its deadline has passed."""
        return self.entries_refused() or await orders.place_entry(self._connection, self._stream_set, order)

    async def cancel_entry(self, symbol: str, client_id: str) -> EntryAnswer:
        """Cancel a resting entry; of a finished one its end is reported."""
        return await orders.cancel_entry(self._connection, symbol, client_id)

    async def place_stop(self, order: StopOrder) -> StopAnswer:
        """Place a stop: a conditional order for a quantity, reduce-only."""
        return await orders.place_stop(self._connection, order)

    async def move_stop(self, order: StopOrder) -> StopAnswer:
        """Refused: the venue moves no conditional order. The new one is placed, then the old one is cancelled."""
        return Refusal("not_supported", "Binance moves no conditional orders; place another one")

    async def cancel_stop(self, symbol: str, client_id: str) -> StopAnswer:
        """Remove a stop. One that is not there counts as removed."""
        return await orders.cancel_stop(self._connection, symbol, client_id)

    async def close_position(self, order: CloseOrder) -> EntryAnswer:
        """Send a reduce-only market order."""
        return await orders.close_position(self._connection, self._stream_set, order)

    # ── checks ──────────────────────────────────────────────────────────────────────────────────────────────

    async def checkup(self) -> tuple[Checkup, ...]:
        """Clock, key, position mode, settings, balance, rules and streams: a line each."""
        return await checks.checkup(self._connection, self._stream_set)

    async def exercise_stops(self) -> tuple[Checkup, ...]:
        """Place, read, move and cancel a smallest stop far away, and report each step."""
        return await checks.exercise_stops(self._connection)

    @property
    def _connection(self) -> Session:
        if self._session is None or self._session.line is not self.line:
            raise RuntimeError(f"{self.name} is asked while it is not started")
        return self._session

    @property
    def _stream_set(self) -> Streams:
        if self._streams is None or self._streams.session is not self._connection:
            raise RuntimeError(f"{self.name} is asked while it is not started")
        return self._streams
