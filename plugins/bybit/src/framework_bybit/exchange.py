"""The exchange: its settings and the contract's methods; the work is done by the modules beside this one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from attrs import define, field, frozen

from framework import (
    Balance,
    Capabilities,
    Checkup,
    CloseOrder,
    EntryAnswer,
    EntryOrder,
    ExchangeLink,
    Fill,
    MarketData,
    MarketRules,
    Need,
    OrderReport,
    RestingOrder,
    StopAnswer,
    StopOrder,
    StopReport,
    VenuePosition,
)
from framework_venue.answers import Answer, Reply
from framework_venue.budget import Budget, Purpose, Window
from framework_venue.client import Dialect, Route
from framework_venue.exchange import VenueExchange
from framework_venue.line import Line
from framework_venue.stream import Stream

from . import checks, errors, requests
from .limits import INSTRUMENTS, ORDERS, TIME, Limits
from .markets import rules_of
from .session import Session
from .settings import BybitSettings, ccxt_config
from .strange import StrangeAnswerError, result, whole

NS_PER_MS = 1_000_000


@frozen
class BybitDialect:
    """How Bybit's answers are understood."""

    known: Limits
    venue: str = "Bybit"
    time_route: Route = TIME

    def classify(self, reply: Reply) -> Answer:
        """By the table of codes."""
        return errors.classify(reply)

    def heard(self, budget: Budget, route: Route, reply: Reply) -> None:
        """By the headers of every answer."""
        self.known.heard(budget, route, reply)

    def time_ms(self, body: Any) -> int:
        """The venue's time, ms UTC. Raises ValueError where there is none."""
        try:
            return whole(result(body), "timeNano") // NS_PER_MS
        except StrangeAnswerError as error:
            raise ValueError(str(error)) from None


@define(kw_only=True, eq=False)
class Bybit(BybitSettings, VenueExchange):
    """Trade on Bybit: linear perpetuals in USDT, on a unified account in one-way mode.

    `api_key`, `api_secret`: a key that may trade contracts and nothing more. `base_url`: another home of the venue, as
    the testnet or an emulator; `stream_url` follows from it where it is known. `leverage` and `margin_mode` (the whole
    account's on this venue) are brought in order before a market is traded, those of `symbols` at the start.
    `orders_per_s`: what the account's VIP or PRO level allows. `taker_fee_percent` values fees that were not paid in
    USD. `request_timeout_s`, `stream_silence_s`, `max_clock_skew_ms`, `rate_budget_percent`, `warm_connections` and
    `allow_withdraw` are what they are on every venue.
    """

    name: ClassVar[str] = "bybit"
    ccxt_name: ClassVar[str] = "bybit"
    spent_before: ClassVar[tuple[str, ...]] = (ORDERS,)

    capabilities: Capabilities = field(init=False)
    _session: Session | None = field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.capabilities = Capabilities(
            attaches_stops=True, amends_stops=True, real_money=self.place.real_money, rests_targets=True
        )

    @property
    def session(self) -> Session:
        """What the parts of this exchange share. Raises RuntimeError before `start` and after `stop`."""
        if self._session is None:
            raise RuntimeError(f"{self.name} is asked while it is not started")
        return self._session

    # ── what the venue is like ──────────────────────────────────────────────────────────────────────────────

    def dialect(self) -> Dialect:
        """How answers are understood."""
        return BybitDialect(self._limits())

    def windows(self) -> Iterable[Window]:
        """The venue's limits, as far as they are known before the first answer."""
        return self._limits().windows()

    def api_config(self) -> dict[str, Any]:
        """What ccxt's exchange is made with."""
        return ccxt_config(self)

    async def read_markets(self, line: Line) -> Mapping[str, MarketRules]:
        """The rules of every USDT perpetual that is being traded."""
        params = requests.linear(limit=1000)
        reads = self.session.reads
        found, problems = rules_of([row async for row in reads.pages(INSTRUMENTS, params, Purpose.PREPARE)])
        if problems:
            text = f"{line.link.account}: {len(problems)} markets are left out: {'; '.join(problems[:3])}"
            line.notice("warning", "market_rules_strange", text)
        self.session.words.markets = found
        return found

    async def check_account(self, line: Line) -> None:
        """The rights of the key, margin mode and position mode."""
        await self.session.account.check()

    async def in_order(self, line: Line) -> Collection[str]:
        """The markets with a position whose settings are in order."""
        return await self.session.account.in_order()

    async def put_in_order(self, line: Line, symbol: str) -> None:
        """One-way mode and leverage of a market."""
        await self.session.account.put_in_order(symbol)

    def make_streams(self, line: Line) -> Sequence[Stream]:
        """The private stream, then that of the prices."""
        self._session = Session(line, self)
        return self._session.streams()

    def watch_prices(self, line: Line, symbols: frozenset[str]) -> None:
        """Keep the subscriptions in step with these markets."""
        self.session.watch(symbols)

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────────

    async def start(self, link: ExchangeLink) -> None:
        """Connect and be ready to trade. Raises `ExchangeError`."""
        await super().start(link)
        self.session.keep_watch()

    async def stop(self) -> None:
        """Let go of sockets and tasks. Orders and positions at the venue stay as they are."""
        await super().stop()
        self._session = None

    # ── reads ───────────────────────────────────────────────────────────────────────────────────────────────

    async def market_data(self, symbol: str, needs: frozenset[Need]) -> MarketData:
        """What decisions need to know of one market. Its settings are brought in order meanwhile, if they are not."""
        self.session.soon_in_order(symbol)
        return await self.session.data.market_data(symbol, needs)

    async def balance(self) -> Balance:
        """The account's money."""
        return await self.session.reads.balance(Decimal(self.leverage))

    async def positions(self) -> tuple[VenuePosition, ...]:
        """Every position that is not flat."""
        return await self.session.reads.positions()

    async def entry_report(self, symbol: str, client_id: str) -> OrderReport | None:
        """An entry or close by client id. None: the venue does not know it, which proves nothing."""
        return await self.session.reads.order(symbol, client_id)

    async def stops(self, symbol: str) -> tuple[StopReport, ...]:
        """The stops that rest in one market, the attached one included."""
        return await self.session.reads.stops(symbol)

    async def resting(self) -> tuple[RestingOrder, ...]:
        """Every order of the account that rests, conditional and attached ones among them, in all markets."""
        return await self.session.reads.resting()

    async def fills(self, symbol: str, since_ns: int) -> tuple[Fill, ...]:
        """Executions in one market since an instant, oldest first."""
        return await self.session.reads.fills(symbol, since_ns)

    # ── orders ──────────────────────────────────────────────────────────────────────────────────────────────

    async def place_entry(self, order: EntryOrder) -> EntryAnswer:
        """Send an entry with its stop, once."""
        return self.entries_refused() or await self.session.orders.place_entry(order)

    async def cancel_entry(self, symbol: str, client_id: str) -> EntryAnswer:
        """Cancel a resting entry; the report says what it filled before."""
        return await self.session.orders.cancel_entry(symbol, client_id)

    async def place_stop(self, order: StopOrder) -> StopAnswer:
        """Set the attached stop, or place one of its own."""
        return await self.session.orders.place_stop(order)

    async def move_stop(self, order: StopOrder) -> StopAnswer:
        """Move a stop in place."""
        return await self.session.orders.move_stop(order)

    async def cancel_stop(self, symbol: str, client_id: str) -> StopAnswer:
        """Remove a stop."""
        return await self.session.orders.cancel_stop(symbol, client_id)

    async def close_position(self, order: CloseOrder) -> EntryAnswer:
        """Send a reduce-only market order."""
        return await self.session.orders.close_position(order)

    # ── check ───────────────────────────────────────────────────────────────────────────────────────────────

    async def checkup(self) -> tuple[Checkup, ...]:
        """Clock, key, modes, leverage, balance, rules of `symbols`, streams."""
        return await checks.checkup(self.session)

    async def exercise_stops(self) -> tuple[Checkup, ...]:
        """Place, read, move and cancel a smallest conditional stop far away from the market."""
        return await checks.exercise_stops(self.session)

    def _limits(self) -> Limits:
        return Limits(self.rate_budget_percent, self.orders_per_s)
