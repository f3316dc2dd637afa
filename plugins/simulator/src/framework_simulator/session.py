"""A running paper exchange: the venue with its one account, the recorded market, and what is told to the kernel.

All of it is synchronous: a request is carried out, and its events are emitted, before anything else can happen.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from attrs import define, field

from framework import (
    Balance,
    Candle,
    EntryAnswer,
    ExchangeError,
    ExchangeLink,
    Fill,
    MarketData,
    Need,
    OrderReport,
    Quote,
    Refusal,
    RestingOrder,
    Side,
    StopAnswer,
    StopReport,
    StreamLost,
    VenuePosition,
)

from .bars import BarWalker
from .engine.events import TradeEvent
from .engine.orders import AttachedStop, OrderRequest, Stop, StopRequest
from .engine.path import BarPath
from .engine.rules import Market
from .engine.style import Reason
from .engine.venue import Venue
from .history import History
from .translate import (
    event_seen,
    order_report,
    resting_order,
    resting_stop,
    stop_report,
    symbol_of,
    venue_position,
)


@define
class Session:
    """One account on one venue, from start to stop."""

    link: ExchangeLink
    venue: Venue
    markets: Mapping[str, Market]
    leverage: Decimal
    bar_path: BarPath
    history: History = field(factory=History, init=False)
    watched: frozenset[str] = field(default=frozenset(), init=False)
    _walker: BarWalker = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._walker = BarWalker(
            clock=self.link.clock,
            order=self.bar_path,
            jump=self._jump,
            walk=self._walk,
            holding=self._holding,
            failed=self._walk_failed,
        )

    @property
    def account(self) -> str:
        """The account's name."""
        return self.link.account

    def now_ns(self) -> int:
        """The instant, by the kernel's clock."""
        return self.link.clock.now_ns()

    async def close(self) -> None:
        """Stop walking through bars."""
        await self._walker.stop()

    # ── the market ──────────────────────────────────────────────────────────────────────────────────────────

    def quote(self, symbol: str, quote: Quote, bid_quantity: Decimal | None, ask_quantity: Decimal | None) -> None:
        """The market jumps to a quote."""
        self.venue.quote(symbol, quote, self.now_ns(), bid_quantity=bid_quantity, ask_quantity=ask_quantity)
        self._tell(symbol)

    def begin_bar(self, symbol: str, interval: str, bar: Candle) -> None:
        """A bar begins: the market walks through it, and it is a closed candle from its close on."""
        self.history.add_candle(symbol, interval, bar)
        self._walker.begin(symbol, bar)

    def next_ns(self) -> int | None:
        """When a market next moves on its way through a bar."""
        return self._walker.next_ns()

    def advance(self, to_ns: int) -> None:
        """The clock is about to jump to `to_ns`: bars are walked through up to there."""
        self._walker.advance(to_ns)

    def market_data(self, symbol: str, needs: frozenset[Need]) -> MarketData:
        """What is known of a market now."""
        if symbol not in self.markets:
            raise ExchangeError(self.account, f"{symbol} is not listed", code="unknown_symbol")
        book = self.venue.book(symbol)
        now_ns = self.now_ns()
        wanted = {need.interval: need.count for need in needs if need.interval}
        return MarketData(
            symbol=symbol,
            quote=None if book is None else book.quote,
            open_interest_usd=self.history.open_interest(symbol),
            candles={
                interval: self.history.candles(symbol, interval, count, now_ns) for interval, count in wanted.items()
            },
        )

    def _jump(self, symbol: str, price: Decimal, at_ns: int) -> None:
        now_ns = max(at_ns, self.now_ns())
        self.venue.quote(symbol, Quote(bid=price, ask=price, last=price, mark=price, time_ns=now_ns), now_ns)
        self._tell(symbol)

    def _walk(self, symbol: str, price: Decimal, at_ns: int) -> None:
        self.venue.walk(symbol, price, max(at_ns, self.now_ns()))
        self._tell(symbol)

    def _holding(self, symbol: str) -> Side | None:
        quantity = self.venue.position(self.account, symbol).quantity
        if not quantity:
            return None
        return Side.LONG if quantity > 0 else Side.SHORT

    def _walk_failed(self, symbol: str, error: BaseException) -> None:
        self.link.emit(StreamLost(f"{symbol}: the recorded bar could not be walked through: {error}"))

    # ── requests ────────────────────────────────────────────────────────────────────────────────────────────

    def place_order(self, request: OrderRequest) -> EntryAnswer:
        """An entry or a close."""
        answer = self.venue.place_order(self.account, request, self.now_ns())
        self._emit()
        return answer if isinstance(answer, Refusal) else order_report(answer, self.markets[request.symbol].rules)

    def cancel_order(self, symbol: str, client_id: str) -> EntryAnswer:
        """Cancel an entry; of a finished one its end is reported."""
        answer = self.venue.cancel_order(self.account, symbol, client_id, self.now_ns())
        self._emit()
        if isinstance(answer, Refusal):
            return self.order(symbol, client_id) or answer
        return order_report(answer, self.markets[symbol].rules)

    def place_stop(self, request: StopRequest) -> StopAnswer:
        """A stop order of its own."""
        return self._stop_answer(self.venue.place_stop(self.account, request, self.now_ns()))

    def amend_stop(self, request: StopRequest) -> StopAnswer:
        """Move a stop order of its own."""
        return self._stop_answer(self.venue.amend_stop(self.account, request, self.now_ns()))

    def set_attached_stop(self, symbol: str, wish: AttachedStop) -> StopAnswer:
        """Set or move the attached stop. That it is there already is a success."""
        answer = self.venue.set_attached_stop(self.account, symbol, wish, self.now_ns())
        current = self.venue.attached_stop(self.account, symbol)
        if current is not None and isinstance(answer, Refusal) and answer.code == self._no_op_code:
            return self._stop_answer(current)
        return self._stop_answer(answer)

    def cancel_stop(self, symbol: str, client_id: str) -> StopAnswer:
        """Remove a stop."""
        answer = self.venue.cancel_stop(self.account, symbol, client_id, self.now_ns())
        if isinstance(answer, Refusal):
            return StopReport(client_id, symbol, live=False, reason="not found")
        return self._stop_answer(answer)

    # ── reads ───────────────────────────────────────────────────────────────────────────────────────────────

    def balance(self) -> Balance:
        """The account's money."""
        return Balance(self.venue.equity(self.account), self.venue.available(self.account), self.leverage)

    def positions(self) -> tuple[VenuePosition, ...]:
        """Every position that is not flat."""
        return tuple(self._position(position.symbol) for position in self.venue.positions(self.account))

    def order(self, symbol: str, client_id: str) -> OrderReport | None:
        """An order by client id."""
        order = self.venue.order(self.account, symbol, client_id)
        return None if order is None else order_report(order, self.markets[symbol].rules)

    def stops(self, symbol: str) -> tuple[StopReport, ...]:
        """The stops that rest in one market."""
        return tuple(self._stop_report(stop) for stop in self.venue.stops(self.account, symbol))

    def resting(self) -> tuple[RestingOrder, ...]:
        """The orders and stops that rest, of all markets."""
        orders, stops = self.venue.open_orders(self.account), self.venue.resting_stops(self.account)
        return (*(resting_order(order) for order in orders), *(resting_stop(stop) for stop in stops))

    def fills(self, symbol: str, since_ns: int) -> tuple[Fill, ...]:
        """Executions in one market."""
        return self.venue.fills(self.account, symbol, since_ns)

    # ── telling ─────────────────────────────────────────────────────────────────────────────────────────────

    def _tell(self, symbol: str) -> None:
        """What the move of a market led to, then the new price: whoever reacts to it sees the account as it is."""
        self._emit()
        book = self.venue.book(symbol)
        if book is not None and symbol in self.watched:
            self.link.quote(symbol, book.quote)

    def _emit(self) -> None:
        for event in self.venue.take_events():
            if not isinstance(event, TradeEvent):
                continue  # funding, transfers and settings: nothing of that happens here
            symbol = symbol_of(event)
            position = self.venue.position(self.account, symbol)
            seen = event_seen(event, self.markets[symbol].rules, position)
            if seen is not None:
                self.link.emit(seen)

    @property
    def _no_op_code(self) -> str | None:
        return self.venue.style.codes.get(Reason.NOT_MODIFIED)

    def _stop_answer(self, answer: Stop | Refusal) -> StopAnswer:
        self._emit()
        return answer if isinstance(answer, Refusal) else self._stop_report(answer)

    def _stop_report(self, stop: Stop) -> StopReport:
        position = self.venue.position(self.account, stop.symbol)
        return stop_report(stop, self.markets[stop.symbol].rules, position)

    def _position(self, symbol: str) -> VenuePosition:
        stop = self.venue.attached_stop(self.account, symbol)
        position = self.venue.position(self.account, symbol)
        return venue_position(position, self.markets[symbol].rules, None if stop is None else stop.trigger_price)
