"""One connection of an account to Bybit: its parts, and how they are tied together between start and stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from attrs import define, field

from framework import ExchangeError, ExchangeEvent, Health, PositionSeen, StopReport, StopSeen
from framework_venue.budget import Purpose
from framework_venue.line import Line
from framework_venue.stream import Stream
from framework_venue.watching import PositionWatch

from .account import Account
from .data import Data
from .news import News
from .orders import Orders
from .reads import Reads
from .settings import BybitSettings
from .stream import Greeting, Prices, look_after, ping, subscribe, topics_of, unsubscribe
from .translate import Translator

PRICES = "stream prices"
"""The condition that tells how the price stream is."""

POLL_S = 5.0
"""How often the prices of watched markets are read while the price stream is down."""


@define(eq=False)
class Session:
    """Made anew with every start. `watched` are the markets whose prices are subscribed to."""

    line: Line
    settings: BybitSettings
    words: Translator = field(init=False)
    reads: Reads = field(init=False)
    data: Data = field(init=False)
    account: Account = field(init=False)
    orders: Orders = field(init=False)
    news: News = field(init=False)
    prices: Prices = field(init=False)
    private: Stream = field(init=False)
    public: Stream = field(init=False)
    watch_over: PositionWatch = field(init=False)
    watched: frozenset[str] = field(default=frozenset(), init=False)
    _was_lost: bool = field(default=False, init=False)
    _prices_were_lost: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        line, client = self.line, self.line.client
        self.words = Translator(self.settings.taker_fee_percent, line.clock)
        self.reads = Reads(client, self.words)
        self.data = Data(client, self.reads, self.words)
        self.account = Account(line, self.settings, self.reads)
        self.orders = Orders(line, self.reads)
        self.news = News(self.words, self._tell, self._verify, self._strange)
        self.prices = Prices(self.words, line.board, line.budget.time_s, self._refused)

    @property
    def silence_s(self) -> float:
        """After so long without a sign of life a stream is dead."""
        return float(self.settings.stream_silence_s)

    # ── streams ─────────────────────────────────────────────────────────────────────────────────────────────

    def streams(self) -> list[Stream]:
        """The private stream, then that of the prices; not yet running."""
        settings, place = self.settings, self.settings.place
        greeting = Greeting(settings.api_key, settings.api_secret, self.line.clock)

        def heard(frame: Any) -> None:
            greeting.heard(frame)
            self.news.take(frame)

        self.private = self._stream(
            "private", f"{place.private}/v5/private", heard, self._private_up, self._private_down
        )
        self.private.greet = greeting
        self.watch_over = PositionWatch(self._held, self.private.renew, self.silence_s, self.line.budget.time_s)
        self.public = self._stream(
            "prices", f"{place.public}/v5/public/linear", self.prices.take, self._prices_up, self._prices_down
        )
        self.public.subscribe, self.public.unsubscribe = subscribe, unsubscribe
        return [self.private, self.public]

    def watch(self, symbols: frozenset[str]) -> None:
        """Keep the price subscriptions in step with these markets."""
        self.watched = symbols
        self.line.board.keep(symbols)
        self.prices.want(symbols)
        self.public.want(topics_of(symbols))

    def keep_watch(self) -> None:
        """From now on look whether the streams tell what the venue shows."""
        self.line.background.every("price watch", min(POLL_S, self.silence_s / 2), self._look_after_prices)
        self.line.background.every("position watch", self.silence_s / 2, self._look_after_positions)

    def soon_in_order(self, symbol: str) -> None:
        """Bring a market's settings in order beside everything else. Nothing is done for one that is."""
        if symbol in self.line.preparing.ready_now or symbol not in self.line.markets:
            return

        async def prepare() -> None:
            try:
                await self.line.preparing.ready(symbol)
            except ExchangeError:
                return  # whoever enters is told

        self.line.background.start(f"settings of {symbol}", prepare)

    def _stream(
        self,
        name: str,
        url: str,
        on_frame: Callable[[Any], None],
        on_up: Callable[[], None],
        on_down: Callable[[str], None],
    ) -> Stream:
        async def address() -> str:
            return url

        return Stream(
            name=name,
            api=self.line.client.api,
            address=address,
            on_frame=on_frame,
            on_up=on_up,
            on_down=on_down,
            silence_s=self.silence_s,
            ping=ping,
            random=self.line.link.random,
        )

    def _private_up(self) -> None:
        if self._was_lost:
            self._was_lost = False
            self.line.restored()

    def _private_down(self, why: str) -> None:
        self._was_lost = True
        self.watch_over.forget()
        self.line.lost(f"the private stream: {why}")

    def _prices_up(self) -> None:
        if self._prices_were_lost:
            self._prices_were_lost = False
            self.line.notice("info", "prices_restored", f"{self.line.link.account}: the price stream is up again")
            self.line.report(PRICES, Health.HEALTHY, told=True)

    def _prices_down(self, why: str) -> None:
        self.prices.forget()
        self._prices_were_lost = True
        self.line.notice("warning", "prices_lost", f"{self.line.link.account}: the price stream: {why}")
        self.line.report(PRICES, Health.DEGRADED, why, told=True)

    def _refused(self, why: str) -> None:
        self.line.notice("warning", "subscription_refused", f"{self.line.link.account}: the price stream: {why}")

    def _strange(self, what: str) -> None:
        """An event could not be read: it is as good as lost, so the kernel has to look."""
        account = self.line.link.account
        self.line.notice("error", "strange_event", f"{account}: {what}; reading back what it may have told")
        self.line.lost(f"an event of the private stream was not understood: {what}")
        self.line.restored()

    async def _look_after_prices(self) -> None:
        try:
            await look_after(self.public, self.prices, self.data.tickers.get, self.silence_s)
        except ExchangeError:
            return  # a look that failed proves nothing; the next one comes soon

    async def _look_after_positions(self) -> None:
        if self.watched and self.private.is_up:
            await self.watch_over.look()
        else:
            self.watch_over.forget()

    async def _held(self) -> Mapping[str, Decimal]:
        return {held.symbol: held.quantity for held in await self.reads.positions()}

    def _tell(self, event: ExchangeEvent) -> None:
        if isinstance(event, PositionSeen):
            self.watch_over.told(event.position.symbol, event.position.quantity)
        self.line.link.emit(event)

    # ── stops that are told to have gone ────────────────────────────────────────────────────────────────────

    def _verify(self, report: StopReport) -> None:
        self.line.background.start(f"stop of {report.symbol}", lambda: self._verified(report))

    async def _verified(self, report: StopReport) -> None:
        """Tell what the position says of its stop. Gone with its position it is no news; unread, it counts as gone."""
        emit = self.line.link.emit
        try:
            held = await self.reads.position(report.symbol, Purpose.PROTECT)
        except ExchangeError:
            emit(StopSeen(report))
            return
        if held.quantity:
            emit(StopSeen(report if held.stop_price is None else self.words.position_stop(held)))
