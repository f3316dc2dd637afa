"""The world behind both venues: one clock, one ledger, one engine for each venue, keys, faults, and what was seen.

Wires read from here and act through here, so that every change is numbered once, told to the streams in the order of
decision, and shows to queries as late as the settings say.
"""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from attrs import define, field, frozen

from framework import Quote

from ..engine.book import Book
from ..engine.events import Event
from ..engine.ledger import Ledger
from ..engine.realism import Rejection
from ..engine.rules import Market
from ..engine.venue import Venue
from .clock import NS_PER_MS, Cancel, EmulatorClock
from .faults import Faults
from .rows import row_with
from .settings import Settings
from .tape import Tape
from .view import LaggingView, View
from .wire import Wire

T = TypeVar("T")


@frozen
class KeyInfo:
    """An API key. `account` is the same on both venues; `permissions` is some of read, trade, withdraw."""

    key: str
    secret: str = field(repr=False)
    account: str
    permissions: frozenset[str] = frozenset({"read", "trade"})


@frozen
class Defect:
    """A bug of the emulator itself that a client was answered around."""

    venue: str
    where: str
    trace: str


class OpenSocket(Protocol):
    """A WebSocket that is open, as far as faults have to know it."""

    venue: str
    path: str

    def close(self, code: int, reason: str) -> None:
        """Close it from the venue's side."""
        ...


@define
class World:
    """Everything that the two faces share. `rows` are the venue's own market rows, by venue and symbol, as JSON.

    `hooks` is where wires offer what faults may ask of them (``expire-listen-keys``).
    """

    clock: EmulatorClock
    settings: Settings
    venues: Mapping[str, Venue]
    rows: Mapping[str, dict[str, dict[str, Any]]]
    ledger: Ledger
    keys: dict[str, KeyInfo]
    seed: int = 0
    faults: Faults = field(init=False)
    random: random.Random = field(init=False)
    wires: dict[str, Wire] = field(factory=dict, init=False)
    defects: list[Defect] = field(factory=list, init=False)
    sockets: dict[int, OpenSocket] = field(factory=dict, init=False)
    hooks: dict[str, Callable[[], None]] = field(factory=dict, init=False)
    _views: dict[tuple[str, str], LaggingView] = field(factory=dict, init=False)
    _tapes: dict[tuple[str, str], Tape] = field(factory=dict, init=False)
    _requests: int = field(default=0, init=False)
    _skews_ns: dict[str, int] = field(factory=dict, init=False)
    _deed_ns: int | None = field(default=None, init=False)
    _timers: dict[str, tuple[int, Cancel]] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - chance in a simulation, not a secret
        self.faults = Faults(self)
        self.apply_settings()
        for name, venue in self.venues.items():
            venue.realism.child_fill = lambda account, symbol, name=name: self._child_fill(name, account, symbol)  # type: ignore[misc]
            venue.realism.order_rejection = lambda account, symbol, name=name: self._rejection(name, account, symbol)  # type: ignore[misc]

    def apply_settings(self) -> None:
        """Let the engines know what of the settings concerns them. Call it after a change."""
        self.venues["binance"].realism.position_lag_ns = self.settings.position_lag_ns

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────────

    def now_ns(self) -> int:
        """Emulator time, ns UTC, without skew: what the ledger says."""
        return self.clock.now_ns()

    def told_ms(self, venue: str) -> int:
        """What a venue says the time is, ms UTC: with its skew. It checks signatures against that."""
        return (self.clock.now_ns() + self._skews_ns.get(venue, 0)) // NS_PER_MS

    def deed_ns(self) -> int:
        """The instant of what an engine is doing: all that belongs to it is written down with the same time."""
        return self.now_ns() if self._deed_ns is None else self._deed_ns

    @contextmanager
    def _deed(self) -> Iterator[int]:
        before, self._deed_ns = self._deed_ns, self.now_ns()
        try:
            yield self._deed_ns
        finally:
            self._deed_ns = before

    def skew(self, venue: str, offset_ns: int) -> None:
        """From now on a venue tells a time that is off by `offset_ns`."""
        self._skews_ns[venue] = offset_ns

    def schedule(self, delay_ns: int, callback: Callable[[], object]) -> Cancel:
        """Run a callback after `delay_ns` of emulator time. A defect in it is counted, and ends nothing."""

        return self.clock.schedule(delay_ns, self._guarded(callback))

    def at(self, due_ns: int, callback: Callable[[], object]) -> Cancel:
        """Run a callback at an instant of the calendar, whatever leaps time takes on the way there."""
        return self.clock.at(due_ns, self._guarded(callback))

    def _guarded(self, callback: Callable[[], object]) -> Callable[[], None]:
        def guarded() -> None:
            try:
                callback()
            except Exception:
                self.defect("", "a timer")

        return guarded

    # ── acting ──────────────────────────────────────────────────────────────────────────────────────────────

    def act(self, venue: str, do: Callable[[Venue, int], T]) -> T:
        """Do something to a venue (at this instant), then tell what it led to: to views, to streams, to faults.

        >>> world.act("binance", lambda venue, now_ns: venue.place_order(account, request, now_ns))
        """
        with self._deed() as now_ns:
            answer = do(self.venues[venue], now_ns)
        self._distribute(venue)
        return answer

    def visible(self, venue: str, account: str) -> View:
        """The account as queries see it now (with `read_lag_ns`, and whatever a fault adds)."""
        return self._lagging(venue, account).at(self.now_ns())

    # ── the market ──────────────────────────────────────────────────────────────────────────────────────────

    def price(
        self,
        venue: str,
        symbol: str,
        bid: Decimal,
        ask: Decimal,
        *,
        mark: Decimal | None = None,
        last: Decimal | None = None,
        bid_quantity: Decimal | None = None,
        ask_quantity: Decimal | None = None,
    ) -> None:
        """The market of a symbol jumps. `mark` defaults to the middle, `last` to the bid.

        Raises KeyError for a venue or symbol that is not there, ValueError for prices that no market can have.
        """
        if symbol not in self.venues[venue].markets:
            raise KeyError(f"{venue} does not list {symbol}")
        last = bid if last is None else last
        mark = (bid + ask) / 2 if mark is None else mark
        with self._deed() as now_ns:
            quote = Quote(bid=bid, ask=ask, last=last, mark=mark, time_ns=now_ns)
            self.venues[venue].quote(symbol, quote, now_ns, bid_quantity=bid_quantity, ask_quantity=ask_quantity)
        self._moved(venue, symbol, quote)

    def walk(self, venue: str, symbol: str, to_price: Decimal) -> None:
        """The market moves to a price without a gap: a stop in between fills at its trigger price.

        Nothing is known of how long that took, so no time passes between a stop's trigger and its order.
        Raises ValueError for a price that is not positive. The symbol must have been quoted before.
        """
        engine = self.venues[venue]
        delay_ns, engine.realism.trigger_delay_ns = engine.realism.trigger_delay_ns, 0
        try:
            with self._deed() as now_ns:
                engine.walk(symbol, to_price, now_ns)
        finally:
            engine.realism.trigger_delay_ns = delay_ns
        book = engine.book(symbol)
        if book is not None:
            self._moved(venue, symbol, book.quote)

    def _moved(self, venue: str, symbol: str, quote: Quote) -> None:
        self.tape(venue, symbol).saw(quote, quote.time_ns)
        self._distribute(venue)
        if (wire := self.wires.get(venue)) is not None:
            wire.on_quote(symbol)

    def markets(self, venue: str) -> Mapping[str, Market]:
        """The markets of a venue, by symbol, as the engine knows them. `rows` has the venue's own JSON of each."""
        return self.venues[venue].markets

    def change_rules(self, venue: str, market: Market) -> None:
        """New rules for a market, in the engine and in the row that clients read."""
        self.venues[venue].change_market(market)
        symbol = market.rules.symbol
        self.rows[venue][symbol] = row_with(venue, self.rows[venue][symbol], market.rules)

    def book(self, venue: str, symbol: str) -> Book | None:
        """The market of a symbol; None before its first quote."""
        return self.venues[venue].book(symbol)

    def tape(self, venue: str, symbol: str) -> Tape:
        """What was seen of a market. Raises KeyError for one that is not listed."""
        tape = self._tapes.get((venue, symbol))
        if tape is None:
            rules = self.venues[venue].markets[symbol].rules
            tape = self._tapes[venue, symbol] = Tape(symbol, rules.tick_size, rules.step_size)
        return tape

    # ── the ledger ──────────────────────────────────────────────────────────────────────────────────────────

    def request_received(
        self, venue: str, account: str | None, method: str, path: str, params: Mapping[str, object]
    ) -> int:
        """Write a ``request`` line; answers its number. Leave secrets (signatures) out of `params`.

        Requests over trading sockets count too: `method` is ``WS``, `path` the operation's name.
        """
        self._requests += 1
        fields = {"id": self._requests, "method": method, "path": path, "params": dict(params)}
        self.ledger.write(self.now_ns(), account, "request", fields, venue=venue)
        return self._requests

    def response_sent(self, venue: str, account: str | None, number: int, status: int, code: int | str | None) -> None:
        """Write a ``response`` line. `code` is the venue's own (None: fine on Binance, 0: fine on Bybit).

        It says what the venue answered, even if a fault keeps the answer from arriving.
        """
        self.ledger.write(
            self.now_ns(), account, "response", {"request": number, "status": status, "code": code}, venue=venue
        )

    def deliver(self, venue: str, account: str, topic: str, event: str, symbol: str, send: Callable[[], None]) -> None:
        """Send an event of an account's private stream: later, twice, not at all or out of turn if a fault says so.

        Each sending writes a ``stream`` line (`topic` and `event` as the venue names them). `send` must not raise.
        """

        def go() -> None:
            self.ledger.write(self.now_ns(), account, "stream", {"topic": topic, "event": event}, venue=venue)
            send()

        self.faults.pass_event(venue, account, topic, event, symbol, go)

    def defect(self, venue: str, where: str) -> None:
        """Keep the exception that is being handled: a bug of the emulator. `/state` tells how many there are."""
        self.defects.append(Defect(venue, where, traceback.format_exc()))

    def _child_fill(self, venue: str, account: str, symbol: str) -> Decimal | None:
        own = self.faults.ask("short-child", venue, account, symbol)
        return None if own is None else Decimal(str(own["filled_percent"])) / 100

    def _rejection(self, venue: str, account: str, symbol: str) -> Rejection | None:
        own = self.faults.ask("reject-order", venue, account, symbol)
        return None if own is None else Rejection(str(own["reason"]), int(own["after_ms"]) * NS_PER_MS)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────

    def _distribute(self, venue: str) -> None:
        engine = self.venues[venue]
        while events := engine.take_events():
            now_ns = self.now_ns()
            for event in events:
                self._tell(venue, event, now_ns)
        self._arm(venue)

    def _tell(self, venue: str, event: Event, now_ns: int) -> None:
        account = event.account
        self._lagging(venue, account).add(event, now_ns, self.settings.read_lag_ns + self.faults.read_lag_ns(venue))
        self.faults.on_engine_event(venue, account, event)
        wire = self.wires.get(venue)
        if wire is None:
            return
        if self.settings.stream_lag_ns:
            self.schedule(self.settings.stream_lag_ns, lambda: wire.on_event(account, event))
        else:
            wire.on_event(account, event)

    def _arm(self, venue: str) -> None:
        """Wake up when the engine next has something to do by itself."""
        due_ns, timer = self.venues[venue].next_due_ns, self._timers.get(venue)
        if timer is not None:
            if timer[0] == due_ns:
                return
            timer[1]()
            del self._timers[venue]
        if due_ns is not None:
            cancel = self.schedule(due_ns - self.now_ns(), lambda: self._wake(venue))
            self._timers[venue] = (due_ns, cancel)

    def _wake(self, venue: str) -> None:
        self._timers.pop(venue, None)
        self.act(venue, lambda engine, now_ns: engine.advance(now_ns))

    def _lagging(self, venue: str, account: str) -> LaggingView:
        view = self._views.get((venue, account))
        if view is None:
            view = self._views[venue, account] = LaggingView()
        return view
