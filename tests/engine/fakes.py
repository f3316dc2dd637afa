"""An engine in virtual time, between a store in memory and venues that do as they are told."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

from attrs import define, evolve, field, frozen

from framework import (
    Balance,
    Batch,
    Capabilities,
    CloseOrder,
    EntryAnswer,
    EntryOrder,
    ExchangeLink,
    Execution,
    Fill,
    Filter,
    MarketData,
    MarketRules,
    MarketUpdate,
    Need,
    OrderReport,
    OrderSide,
    OrderStatus,
    OrderType,
    Quote,
    QuoteUpdate,
    Record,
    Rejection,
    RestingKind,
    RestingOrder,
    Signal,
    Size,
    SizingRequest,
    StopAnswer,
    StopOrder,
    StopReport,
    VenuePosition,
    fit_quantity,
)
from framework.core.decide import RiskLimit, Rulebook, SizeRule
from framework.core.position import Position
from framework.core.steering import Policy
from framework.core.watch import Protector
from framework.engine.clock import VirtualClock
from framework.engine.desk import Desk
from framework.engine.engine import Engine, Limits, Store
from framework.engine.inbox import Inbox
from framework.engine.virtual import VirtualLoop, run_virtual
from framework.errors import JournalError
from framework.testing import NOW_NS, SYMBOL, make_quote, make_rules, make_signal
from tests.core.strategies import AtMarket, FixedStop

A = TypeVar("A")
R = TypeVar("R")
D = Decimal
S = 1_000_000_000
DAY_S = 86_400


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a plain test of an asynchronous one. What has not ended after a virtual day never will."""

    @functools.wraps(test)
    def run(*arguments: Any, **fixtures: Any) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(DAY_S):
                await test(*arguments, **fixtures)

        run_virtual(bounded(), loop=VirtualLoop())

    return run


def virtual_clock() -> VirtualClock:
    """The clock of the loop that runs."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return VirtualClock(NOW_NS, loop)


# ── the venue ───────────────────────────────────────────────────────────────────────────────────────────────

HANG = object()


@frozen
class Twist:
    """What a request gets instead of the honest answer: a value, an exception or `HANG`. `done`: carried out."""

    answer: Any
    done: bool = False


@frozen
class Arrived:
    """A request that reached the venue."""

    kind: str
    what: Any
    time_ns: int


@define
class Venue:
    """Fills market orders at once, lets limit orders rest and keeps every stop; unless `twists` say otherwise.

    It answers `latency_s` after a request arrived; `at_request` is called when one arrives.
    """

    name: ClassVar[str] = "venue"

    account: str = field(default="one", init=False)
    capabilities: Capabilities = field(default=Capabilities(simulated=True, amends_stops=True), init=False)
    symbols: tuple[str, ...] = field(default=(SYMBOL,), init=False)
    latency_s: float = field(default=0.0, init=False)
    twists: dict[str, list[Twist]] = field(factory=dict, init=False)
    at_request: Callable[[Arrived], None] = field(default=lambda arrived: None, init=False)
    quotes: dict[str, Quote] = field(factory=dict, init=False)
    held: dict[str, VenuePosition] = field(factory=dict, init=False)
    reports: dict[str, OrderReport] = field(factory=dict, init=False)
    rests: dict[str, StopReport] = field(factory=dict, init=False)
    executed: list[Fill] = field(factory=list, init=False)
    arrived: list[Arrived] = field(factory=list, init=False)
    ticks: dict[str, Decimal] = field(factory=dict, init=False)
    watched: list[frozenset[str]] = field(factory=list, init=False)
    played: list[MarketUpdate] = field(factory=list, init=False)
    stopped: bool = field(default=False, init=False)
    link: ExchangeLink | None = field(default=None, init=False)

    def of(self, *kinds: str) -> list[Arrived]:
        """The requests of some kinds, in the order of their arrival."""
        return [each for each in self.arrived if each.kind in kinds]

    def twist(self, kind: str, *answers: Any, done: bool = False) -> None:
        """What the next requests of a kind get."""
        self.twists.setdefault(kind, []).extend(Twist(answer, done) for answer in answers)

    async def _request(self, kind: str, what: Any, honest: Callable[[], A]) -> A:
        arrived = Arrived(kind, what, virtual_clock().now_ns())
        self.arrived.append(arrived)
        self.at_request(arrived)
        waiting = self.twists.get(kind)
        twist = waiting.pop(0) if waiting else None
        answer = honest() if twist is None or twist.done else None
        await asyncio.sleep(self.latency_s)
        if twist is None:
            return answer  # type: ignore[return-value]
        if twist.answer is HANG:
            await asyncio.Event().wait()
        if isinstance(twist.answer, Exception):
            raise twist.answer
        told: A = twist.answer
        return told

    async def start(self, link: ExchangeLink) -> None:
        self.link = link
        await self._request("start", link, lambda: None)

    async def stop(self) -> None:
        self.stopped = True

    async def markets(self) -> Mapping[str, MarketRules]:
        return await self._request("markets", None, self.rules)

    def rules(self) -> dict[str, MarketRules]:
        """The markets that it lists."""
        return {symbol: make_rules(symbol, tick_size=self.ticks.get(symbol, "0.01")) for symbol in self.symbols}

    async def market_data(self, symbol: str, needs: frozenset[Need]) -> MarketData:
        quote = self.quotes.get(symbol, make_quote(time_ns=virtual_clock().now_ns()))
        return await self._request("market_data", (symbol, needs), lambda: MarketData(symbol, quote))

    async def balance(self) -> Balance:
        return await self._request("balance", None, lambda: Balance(D(1000), D(1000), D(10)))

    async def positions(self) -> tuple[VenuePosition, ...]:
        return await self._request("positions", None, lambda: tuple(self.held.values()))

    async def entry_report(self, symbol: str, client_id: str) -> OrderReport | None:
        return await self._request("entry_report", client_id, lambda: self.reports.get(client_id))

    async def stops(self, symbol: str) -> tuple[StopReport, ...]:
        return await self._request(
            "stops", symbol, lambda: tuple(stop for stop in self.rests.values() if stop.symbol == symbol)
        )

    async def resting(self) -> tuple[RestingOrder, ...]:
        return await self._request("resting", None, lambda: (*self._waiting(), *map(rests, self.rests.values())))

    def _waiting(self) -> list[RestingOrder]:
        waiting = [each for each in self.reports.values() if each.status is OrderStatus.NEW]
        return [
            RestingOrder(each.client_id, each.symbol, RestingKind.ENTRY, OrderSide.BUY, D(1), D(100))
            for each in waiting
        ]

    async def fills(self, symbol: str, since_ns: int) -> tuple[Fill, ...]:
        return await self._request(
            "fills", symbol, lambda: tuple(f for f in self.executed if f.symbol == symbol and f.time_ns >= since_ns)
        )

    async def place_entry(self, order: EntryOrder) -> EntryAnswer:
        return await self._request("place_entry", order, lambda: self._fill(order))

    async def cancel_entry(self, symbol: str, client_id: str) -> EntryAnswer:
        def cancel() -> OrderReport:
            self.reports[client_id] = evolve(self.reports[client_id], status=OrderStatus.CANCELLED)
            return self.reports[client_id]

        return await self._request("cancel_entry", client_id, cancel)

    async def place_stop(self, order: StopOrder) -> StopAnswer:
        return await self._request("place_stop", order, lambda: self._rest(order))

    async def move_stop(self, order: StopOrder) -> StopAnswer:
        return await self._request("move_stop", order, lambda: self._rest(order))

    async def cancel_stop(self, symbol: str, client_id: str) -> StopAnswer:
        def cancel() -> StopReport:
            self.rests.pop(client_id, None)
            return StopReport(client_id, symbol, live=False, reason="cancelled")

        return await self._request("cancel_stop", client_id, cancel)

    async def close_position(self, order: CloseOrder) -> EntryAnswer:
        return await self._request("close_position", order, lambda: self._close(order))

    def watch(self, symbols: frozenset[str]) -> None:
        self.watched.append(symbols)

    def play(self, update: MarketUpdate) -> None:
        self.played.append(update)
        if self.link is not None and isinstance(update, QuoteUpdate) and update.account == self.account:
            self.link.quote(update.symbol, update.quote)

    def _fill(self, order: EntryOrder) -> OrderReport:
        if order.type is OrderType.LIMIT:
            self.reports[order.client_id] = OrderReport(order.client_id, order.symbol, OrderStatus.NEW)
            return self.reports[order.client_id]
        quote = self.quotes.get(order.symbol, make_quote())
        price = quote.ask if order.side is OrderSide.BUY else quote.bid
        sign = 1 if order.side is OrderSide.BUY else -1
        self.held[order.symbol] = VenuePosition(order.symbol, sign * order.quantity, price)
        return self._execute(order.client_id, order.symbol, order.side, order.quantity, price)

    def _close(self, order: CloseOrder) -> OrderReport:
        self.held.pop(order.symbol, None)
        return self._execute(order.client_id, order.symbol, order.side, order.quantity, make_quote().bid)

    def _execute(self, client_id: str, symbol: str, side: OrderSide, quantity: Decimal, price: Decimal) -> OrderReport:
        now_ns = virtual_clock().now_ns()
        number = f"fill-{len(self.executed)}"
        self.executed.append(Fill(number, number, client_id, symbol, side, quantity, price, D(0), now_ns))
        self.reports[client_id] = OrderReport(client_id, symbol, OrderStatus.FILLED, quantity, price)
        return self.reports[client_id]

    def _rest(self, order: StopOrder) -> StopReport:
        report = StopReport(order.client_id, order.symbol, True, order.trigger_price, order.quantity)
        self.rests[order.client_id] = report
        return report


def rests(stop: StopReport) -> RestingOrder:
    """A stop of a long position as one of the account's resting orders."""
    return RestingOrder(
        stop.client_id,
        stop.symbol,
        RestingKind.STOP,
        OrderSide.SELL,
        stop.quantity,
        stop.trigger_price,
        reduce_only=True,
    )


def venue(account: str = "one", *symbols: str, latency_s: float = 0.0) -> Venue:
    """A venue of one account that lists these markets."""
    made = Venue()
    made.account, made.symbols, made.latency_s = account, symbols or (SYMBOL,), latency_s
    return made


# ── the engine around it ────────────────────────────────────────────────────────────────────────────────────


@define
class Kept:
    """A store in memory: what is appended is durable a turn of the loop later. `broken`: it is not, ever."""

    records: list[Record] = field(factory=list)
    broken: bool = False

    def append(self, *records: Record) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        if self.broken:
            future.set_exception(JournalError("disk full"))
            future.exception()
            return future

        def settle() -> None:
            self.records.extend(records)
            if not future.done():
                future.set_result(None)

        loop.call_soon(settle)
        return future

    def of(self, kind: type[R]) -> list[R]:
        """The records of one type, in order."""
        return [record for record in self.records if isinstance(record, kind)]


@frozen
class Buys:
    """Buys so much."""

    name: ClassVar[str] = "buys"

    quantity: Decimal = D(1)

    def size(self, request: SizingRequest) -> Size | Rejection:
        return fit_quantity(request.rules, request.price, self.quantity)


@frozen
class Rig:
    """An engine that runs, its store and its clock."""

    engine: Engine
    store: Any
    clock: VirtualClock

    async def take(self, *signals: Signal) -> None:
        """Deliver a whole wave, and wait until it is decided and everything is at rest."""
        await self.engine.submit(complete(*signals))
        await self.engine.idle()
        await asyncio.sleep(0.001)  # until what was written last is durable

    async def at_rest(self) -> None:
        """Wait until everything is at rest."""
        await asyncio.sleep(0)
        await self.engine.rest()
        await asyncio.sleep(0.001)

    @property
    def positions(self) -> dict[str, Position]:
        """All positions, by symbol."""
        return {p.symbol: p for desk in self.engine.desks.values() for p in desk.positions.values()}

    @property
    def elapsed_s(self) -> float:
        """Virtual seconds since the loop was made."""
        return (self.clock.now_ns() - NOW_NS) / S


def signals(account: str, *symbols: str) -> list[Signal]:
    """One signal for each market, the first with the best score."""
    return [
        make_signal(symbol, id=f"{account}-{symbol}", account=account, score=90 - number)
        for number, symbol in enumerate(symbols)
    ]


def complete(*batch: Signal) -> Batch:
    """A whole wave."""
    return Batch(batch, complete=True)


async def _known(engine: Engine, venues: Sequence[Venue]) -> None:
    """Every account is read once, at once and without a trace: what a test is about begins afterwards."""
    meant = [(each, each.twists, each.latency_s) for each in venues]
    for each in venues:
        each.twists, each.latency_s = {}, 0.0
    await engine.reconciler.first_round()
    for each, twists, latency_s in meant:
        each.twists, each.latency_s = twists, latency_s
        each.arrived.clear()


LIMITS = Limits(max_quote_age_s=30, data_timeout_s=10, wave_settle_s=2)


@asynccontextmanager
async def running(
    *venues: Venue,
    store: Store | None = None,
    target: int = 5,
    filters: Sequence[Filter] = (),
    protections: Sequence[Protector] = (FixedStop(),),
    sizer: SizeRule = Buys(),
    risk: Sequence[RiskLimit] = (),
    execution: Execution = AtMarket(),  # noqa: B008 - frozen
    limits: Limits = LIMITS,
    may_set: Iterable[str] = (),
    restored: Sequence[Position] = (),
) -> AsyncIterator[Rig]:
    """An engine over these venues, with the default limits and one fixed stop unless given."""
    desks = {}
    for each in venues:
        able = each.capabilities
        policy = Policy(protections, execution, able.attaches_stops, able.amends_stops)
        desks[each.account] = Desk(each.account, target, each, policy, each.rules())
    clock = virtual_clock()
    kept = store if store is not None else Kept()
    inbox = Inbox(tuple(desks), frozenset(may_set))
    engine = Engine(clock, kept, desks, inbox, filters, Rulebook(protections, sizer, risk), limits)
    engine.start(restored)
    try:
        await _known(engine, venues)
        yield Rig(engine, kept, clock)
    finally:
        await engine.aclose()
