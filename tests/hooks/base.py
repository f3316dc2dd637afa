"""A plugin with the least of each kind that a session needs, so that a test of one hook brings only its own part.

The session: one signal to buy arrives at 100.01, is filled at once, gets its stop, and a second later the price is 110.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from attrs import define, field, frozen

from framework import (
    Balance,
    Batch,
    Capabilities,
    CloseOrder,
    EntryAnswer,
    EntryOrder,
    EntryPlan,
    EntryStep,
    EntryTry,
    Exchange,
    ExchangeLink,
    Execution,
    Fill,
    Guard,
    Holding,
    MarketData,
    MarketRules,
    MarketUpdate,
    Need,
    NoState,
    OrderReport,
    OrderSide,
    OrderStatus,
    OrderType,
    Percent,
    Protection,
    QuoteUpdate,
    Rejection,
    RestingKind,
    RestingOrder,
    SignalSource,
    Size,
    Sizer,
    SizingRequest,
    SourceLink,
    StopAnswer,
    StopOrder,
    StopReport,
    Timeline,
    VenuePosition,
    fit_quantity,
    hookimpl,
)
from framework.testing import NOW_NS, SYMBOL, make_quote, make_rules, make_signal


@frozen
class Once:
    """One signal, and a price that rises to 110 a second later."""

    name: ClassVar[str] = "once"

    def timeline(self) -> Timeline | None:
        return Timeline(NOW_NS)

    async def run(self, link: SourceLink) -> None:
        await link.submit(Batch((make_signal(id="base-1", account="main"),), complete=True))
        await asyncio.sleep(1)
        link.publish(QuoteUpdate("main", SYMBOL, make_quote(109, 111, last=110, time_ns=link.clock.now_ns())))
        await asyncio.sleep(1)


@define
class Venue:
    """Fills every entry at once and keeps every stop."""

    name: ClassVar[str] = "venue"

    capabilities: Capabilities = field(default=Capabilities(simulated=True, amends_stops=True), init=False)
    _link: ExchangeLink | None = field(default=None, init=False)
    _held: dict[str, VenuePosition] = field(factory=dict, init=False)
    _reports: dict[str, OrderReport] = field(factory=dict, init=False)
    _stops: dict[str, StopReport] = field(factory=dict, init=False)

    async def start(self, link: ExchangeLink) -> None:
        self._link = link

    async def stop(self) -> None:
        self._link = None

    async def markets(self) -> Mapping[str, MarketRules]:
        return {SYMBOL: make_rules()}

    async def market_data(self, symbol: str, needs: frozenset[Need]) -> MarketData:
        assert self._link is not None
        return MarketData(symbol, make_quote(time_ns=self._link.clock.now_ns()))

    async def balance(self) -> Balance:
        return Balance(Decimal(1000), Decimal(1000))

    async def positions(self) -> tuple[VenuePosition, ...]:
        return tuple(self._held.values())

    async def entry_report(self, symbol: str, client_id: str) -> OrderReport | None:
        return self._reports.get(client_id)

    async def stops(self, symbol: str) -> tuple[StopReport, ...]:
        return tuple(self._stops.values())

    async def resting(self) -> tuple[RestingOrder, ...]:
        return tuple(
            RestingOrder(stop.client_id, stop.symbol, RestingKind.STOP, OrderSide.SELL, stop.quantity,
                         stop.trigger_price, reduce_only=True)
            for stop in self._stops.values()
        )  # fmt: skip

    async def fills(self, symbol: str, since_ns: int) -> tuple[Fill, ...]:
        return ()

    async def place_entry(self, order: EntryOrder) -> EntryAnswer:
        price = order.price or make_quote().ask
        self._held[order.symbol] = VenuePosition(order.symbol, order.quantity, price)
        report = OrderReport(order.client_id, order.symbol, OrderStatus.FILLED, order.quantity, price)
        self._reports[order.client_id] = report
        return report

    async def cancel_entry(self, symbol: str, client_id: str) -> EntryAnswer:
        return self._reports[client_id]

    async def place_stop(self, order: StopOrder) -> StopAnswer:
        report = StopReport(order.client_id, order.symbol, True, order.trigger_price, order.quantity)
        self._stops[order.client_id] = report
        return report

    async def move_stop(self, order: StopOrder) -> StopAnswer:
        return await self.place_stop(order)

    async def cancel_stop(self, symbol: str, client_id: str) -> StopAnswer:
        self._stops.pop(client_id, None)
        return StopReport(client_id, symbol, live=False)

    async def close_position(self, order: CloseOrder) -> EntryAnswer:
        del self._held[order.symbol]
        return OrderReport(order.client_id, order.symbol, OrderStatus.FILLED, order.quantity, make_quote().bid)

    def watch(self, symbols: frozenset[str]) -> None:
        """Every price is told."""

    def play(self, update: MarketUpdate) -> None:
        if self._link is not None and isinstance(update, QuoteUpdate):
            self._link.quote(update.symbol, update.quote)


@frozen
class One:
    """Buys one."""

    name: ClassVar[str] = "one"

    def size(self, request: SizingRequest) -> Size | Rejection:
        return fit_quantity(request.rules, request.price, Decimal(1))


@frozen
class AtMarket:
    """One market order."""

    name: ClassVar[str] = "at-market"

    def first(self, plan: EntryPlan) -> EntryStep:
        return EntryStep(OrderType.MARKET)

    def after(self, plan: EntryPlan, tries: tuple[EntryTry, ...]) -> EntryStep | None:
        return None


@frozen
class SixPercent:
    """A stop six percent below the entry of a long."""

    name: ClassVar[str] = "six-percent"
    state_type: ClassVar[type] = NoState

    def start(self, holding: Holding) -> Guard:
        return Guard(NoState(), Percent(Decimal(6)).below(holding.entry_price))

    def on_price(self, holding: Holding, state: Any, price: Decimal, time_ns: int) -> Guard:
        return self.start(holding)


@hookimpl
def signal_sources() -> list[type[SignalSource]]:
    return [Once]


@hookimpl
def exchanges() -> list[type[Exchange]]:
    return [Venue]


@hookimpl
def sizers() -> list[type[Sizer]]:
    return [One]


@hookimpl
def executions() -> list[type[Execution]]:
    return [AtMarket]


@hookimpl
def protections() -> list[type[Protection]]:
    return [SixPercent]
