"""One connection of an account to Binance: what its parts share between start and stop."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen

from framework import ExchangeError, MarketRules
from framework_venue.answers import Answer
from framework_venue.budget import Purpose
from framework_venue.client import Route
from framework_venue.line import Line
from framework_venue.shared import Shared

from . import limits
from .news import News
from .settings import BinanceSettings
from .strange import StrangeAnswerError, rows


@frozen
class SymbolConfig:
    """What is set for a market: ``cross`` or ``isolated``, and the leverage."""

    margin_mode: str
    leverage: int


@define(eq=False)
class Session:
    """`configs` are markets' settings as read at the start, until they are acted on. `was_read`: what rests has been
    read as a whole since then. `prices` are best, last and mark prices of all markets, read at the same time.
    """

    line: Line
    settings: BinanceSettings
    news: News = field(init=False)
    positions: Shared[list[Mapping[str, Any]]] = field(init=False)
    best_prices: Shared[dict[str, Mapping[str, Any]]] = field(init=False)
    last_prices: Shared[dict[str, Mapping[str, Any]]] = field(init=False)
    mark_prices: Shared[dict[str, Mapping[str, Any]]] = field(init=False)
    prices: Shared[tuple[dict[str, Mapping[str, Any]], ...]] = field(init=False)
    configs: dict[str, SymbolConfig] = field(factory=dict, init=False)
    multi_assets: bool = field(default=False, init=False)
    was_read: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        line = self.line
        self.news = News(lambda: line.markets, lambda: line.clock.skew_ms, line.ids, self.settings.taker_fee_percent)
        self.positions = Shared(lambda: self.read_rows(limits.POSITIONS, {}, Purpose.PROTECT))
        self.best_prices = Shared(lambda: self._by_symbol(limits.BEST_PRICES))
        self.last_prices = Shared(lambda: self._by_symbol(limits.LAST_PRICES))
        self.mark_prices = Shared(lambda: self._by_symbol(limits.MARK_PRICES))
        self.prices = Shared(self._all_prices)

    @property
    def account(self) -> str:
        """The account's name, for messages."""
        return self.line.link.account

    def rules(self, symbol: str) -> MarketRules | None:
        """A market's rules, None for one that is not listed."""
        return self.line.markets.get(symbol)

    async def call(
        self, route: Route, params: Mapping[str, Any], purpose: Purpose, *, worth: float = math.inf
    ) -> Answer:
        """One request; see `Client.call`."""
        return await self.line.client.call(route, params, purpose, worth=worth)

    async def read_rows(
        self, route: Route, params: Mapping[str, Any], purpose: Purpose = Purpose.READ
    ) -> list[Mapping[str, Any]]:
        """A list of objects. Raises `ExchangeError`."""
        body = await self.line.client.read(route, params, purpose)
        try:
            return rows(body, route.method)
        except StrangeAnswerError as error:
            raise self.strange(route, error) from None

    def strange(self, route: Route, error: StrangeAnswerError) -> ExchangeError:
        """An answer that can't be understood, as a failed read."""
        return ExchangeError(self.account, f"{route.method}: {error}", code="strange_answer")

    def soon_in_order(self, symbol: str) -> None:
        """Begin to bring a market in order, if it is not: whoever trades it next does not wait so long."""
        preparing = self.line.preparing
        if symbol in self.line.markets and symbol not in preparing.ready_now:
            self.line.background.start(f"settings {symbol}", lambda: self._put_in_order(symbol))

    async def _put_in_order(self, symbol: str) -> None:
        try:
            await self.line.preparing.ready(symbol)
        except ExchangeError as error:
            self.line.notice("warning", "market_not_in_order", str(error))

    async def _all_prices(self) -> tuple[dict[str, Mapping[str, Any]], ...]:
        parts = (self.best_prices, self.last_prices, self.mark_prices)
        return tuple(await asyncio.gather(*(part.get() for part in parts)))

    async def _by_symbol(self, route: Route) -> dict[str, Mapping[str, Any]]:
        return {str(row.get("symbol")): row for row in await self.read_rows(route, {})}
