"""The frame of an exchange on ccxt: an account that is connected, kept in order and let go again.

A venue plugin subclasses `VenueExchange`, fills in what its venue is like, and writes the order methods of
`framework.Exchange` on top of `Line.client`.
"""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import aiohttp
import attrs
from attrs import define, field

from framework import (
    Endpoint,
    Exchange,
    ExchangeError,
    ExchangeLink,
    MarketRules,
    MarketsSeen,
    Refusal,
    SilenceAsked,
    VenueNotice,
)

from . import loading, starting
from .answers import Answer
from .background import Background
from .budget import Budget, Window
from .claim import Claim, claimed
from .client import Client, Dialect, open_session, tapped
from .clock import VenueClock, off_text
from .ids import OrderIds
from .line import Line
from .preparing import Preparer
from .prices import PriceBoard
from .quiet_log import QuietLog
from .settings import VenueSettings
from .shared import Shared, together
from .stream import Frames, Stream

NS = 1_000_000_000
SYNC_EVERY_S = 60.0
FIRST_CLOCK_PAUSE_S = 1.0
CLOCK_UNKNOWN = "the venue's clock could not be read: no entry is sent before it was"
CLOCK_RIGHT = "our clock is near the venue's; entries are sent again"
WARM_EVERY_S = 10.0
"""Shorter than the time after which servers and proxies drop idle connections (some 15 s at the earliest)."""

MARKETS_EVERY_S = 600.0
PREPARE_PAUSE_S = 0.3
STREAM_START_S = 10.0


@define(kw_only=True, eq=False)
class VenueExchange(VenueSettings, ABC):
    """An account on a real venue: connecting, keeping in order, letting go. Orders are the subclass' own."""

    name: ClassVar[str]
    ccxt_name: ClassVar[str]
    """The class of ccxt.pro, like ``binanceusdm``."""

    starts_use: ClassVar[str] = ""
    """The window of the budget, counted by the minute of the calendar, that many starts would use up; empty: none."""

    spent_before: ClassVar[tuple[str, ...]] = ()
    """Windows of the budget that an earlier run may have used up a moment ago, without the venue saying so."""

    checks_without_markets: ClassVar[bool] = False
    """Whether `check_account` and `in_order` need no market's rules: all three are then asked for at the same time."""

    _line: Line | None = field(default=None, init=False, repr=False)
    _refresh: asyncio.Event | None = field(default=None, init=False, repr=False)
    _carrier: Callable[[], aiohttp.ClientSession] | None = field(default=None, init=False, repr=False)
    _claim: Claim | None = field(default=None, init=False, repr=False)

    # ── for the venue to fill in ────────────────────────────────────────────────────────────────────────────

    @abstractmethod
    def dialect(self) -> Dialect:
        """How answers are understood."""

    @abstractmethod
    def windows(self) -> Iterable[Window]:
        """The venue's limits, as far as they are known before the first answer."""

    @abstractmethod
    def api_config(self) -> dict[str, Any]:
        """What ccxt's exchange is made with: keys, URLs, options."""

    @abstractmethod
    async def read_markets(self, line: Line) -> Mapping[str, MarketRules]:
        """The rules of every market that may be traded now. Raises `ExchangeError`."""

    @abstractmethod
    async def check_account(self, line: Line) -> None:
        """Raise `ExchangeError` if the account can't be traded as it is: rights of the key, position mode."""

    @abstractmethod
    async def in_order(self, line: Line) -> Collection[str]:
        """The markets whose settings are in order already, as far as few requests can tell."""

    @abstractmethod
    async def put_in_order(self, line: Line, symbol: str) -> None:
        """Set margin mode and leverage of a market; what is so already is a success. Raises `ExchangeError`."""

    @abstractmethod
    def make_streams(self, line: Line) -> Sequence[Stream]:
        """The account's streams, not yet running. The first one is the private one, which `start` waits for."""

    @abstractmethod
    def watch_prices(self, line: Line, symbols: frozenset[str]) -> None:
        """Keep the price subscriptions in step with these markets."""

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────────

    async def start(self, link: ExchangeLink) -> None:
        """Connect, look at the account, bring `symbols` in order, open the streams. Raises `ExchangeError`.

        An account that is only looked at is not judged here, and nothing of it is set.
        """
        line = self._line = self._open(link)
        line.client.is_starting = not link.reads_only
        try:
            if not link.reads_only:
                self._claim = self._claimed(link.account)
            line.streams.extend(self.make_streams(line))
            await line.client.sync_clock()
            await starting.await_room(line.client, self.starts_use, line.notice)
            await together(self._look_around(line), self._start_streams(line))
        except BaseException:
            await self.stop()
            raise
        line.client.is_starting = False
        if not link.reads_only:
            self._start_background(line)
            self._mind_the_clock(line)

    def entries_refused(self) -> Refusal | None:
        """Why no entry is sent now, whatever it is; None: they may be. Stops and closes always go out."""
        why = self.line.entries_off
        return Refusal("clock", f"{why}; the entry was not sent", for_good=False) if why else None

    async def stop(self) -> None:
        """Let go of tasks and sockets. Orders and positions at the venue stay as they are. Twice does no harm."""
        line, self._line = self._line, None
        if line is None:
            return
        claim, self._claim = self._claim, None
        await line.background.aclose()
        await line.preparing.aclose()
        line.budget.close()
        api = line.client.api
        api.timeout_on_exit = 0  # ccxt sleeps a quarter of a second here, for sessions that are its own
        try:
            await api.close()
        finally:
            await line.session.close()
            if claim is not None:
                claim.release()

    async def markets(self) -> Mapping[str, MarketRules]:
        """The rules of every market that may be traded now, as read last; they are refreshed every ten minutes."""
        return dict(self.line.markets)

    def watch(self, symbols: frozenset[str]) -> None:
        """The markets whose prices are needed from now on. What changes many times at once is passed on once."""
        line = self.line
        if line.watched is None:
            asyncio.get_running_loop().call_soon(self._pass_on_watched, line)
        line.watched = symbols

    def at(self, endpoint: Endpoint) -> Exchange:
        """The same account on a stand-in for the venue: other addresses, other keys, all else as it is."""
        return self._pointed_at(endpoint)  # type: ignore[return-value]

    @property
    def line(self) -> Line:
        """The connection. Raises RuntimeError before `start` and after `stop`."""
        if self._line is None:
            raise RuntimeError(f"{self.name} is asked while it is not started")
        return self._line

    def refresh_markets(self) -> None:
        """Read the markets' rules anew as soon as possible."""
        if self._refresh is not None:
            self._refresh.set()

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────

    def _pass_on_watched(self, line: Line) -> None:
        symbols, line.watched = line.watched, None
        if symbols is not None and self._line is line:
            line.board.keep(symbols)
            self.watch_prices(line, symbols)

    def _pointed_at(self, endpoint: Endpoint) -> Self:
        pointed = attrs.evolve(
            self,
            base_url=endpoint.rest,
            stream_url=endpoint.ws,
            api_key=endpoint.key,
            api_secret=endpoint.secret,
        )
        pointed._carrier = endpoint.session
        return pointed

    def _open(self, link: ExchangeLink) -> Line:
        clock = VenueClock(link.clock)
        timeout_s = float(self.request_timeout_s)
        session = open_session(timeout_s) if self._carrier is None else self._carrier()
        frames = Frames()
        made = tapped(loading.load(self.ccxt_name), clock, frames)
        config = self.api_config()
        log = QuietLog((self.api_key.reveal(), self.api_secret.reveal()))
        ours = {"session": session, "timeout": round(timeout_s * 1000), "enableRateLimit": False, "logger": log}
        # ccxt's own TLS context would never be used, and takes 15 ms to load; our session has one.
        api = made({**config, **ours, "ssl_context": False})
        budget = Budget(self.windows(), asyncio.get_running_loop().time)
        background = Background(lambda name, why: self._broken(link, name, why))
        client = Client(link.account, api, self.dialect(), budget, clock, timeout_s)
        board = PriceBoard(link.quote)
        clock.on_step = board.redate

        async def put(symbol: str) -> None:
            await self.put_in_order(line, symbol)

        self._keep_silent(link, budget)
        if link.active_ns:
            starting.count_earlier(budget, self.spent_before, (link.clock.now_ns() - link.active_ns) / NS)
        renewing = Shared(lambda: self._renew_rules(line))
        parts = (link, clock, session, budget, client, background, board, OrderIds(), Preparer(put))
        line = Line(*parts, renew_rules=renewing.get)
        client.repeat_after_s = self.repeat_after_ms / 1000
        client.on_notice = line.notice
        client.on_stale_rules = lambda answer: self._rules_are_stale(line, answer)
        # Prices can be asked for meanwhile; that a stop is gone, or has acted, only the account's stream tells.
        client.on_reached = lambda: line.streams[0].hurry() if line.streams else None
        frames.streams = line.streams
        return line

    def _mind_the_clock(self, line: Line) -> None:
        """Nothing is entered before the venue's time is known, and ours is near it: signals are judged by ours.

        Requests bear the venue's time, so that what is open is looked after whatever our clock shows.
        """
        why = self._clock_trouble(line) if line.clock.is_known else CLOCK_UNKNOWN
        if not why:
            return
        line.entries_off = why
        code = "clock" if line.clock.is_known else "clock_unknown"
        line.notice("error", code, f"{line.link.account}: {why}; no entry is sent, what is open is looked after")
        line.background.start("first look at the clock", lambda: self._measure_clock(line))

    async def _measure_clock(self, line: Line) -> None:
        pause_s = FIRST_CLOCK_PAUSE_S
        while line.entries_off:
            await asyncio.sleep(pause_s)
            await line.client.sync_clock()
            pause_s = min(SYNC_EVERY_S, pause_s * 2)
            if not line.clock.is_known:
                continue
            why = self._clock_trouble(line)
            if not why or line.entries_off == CLOCK_UNKNOWN:  # how far it is off is not told again and again
                level, text = ("error", why) if why else ("info", CLOCK_RIGHT)
                line.notice(level, "clock" if why else "clock_known", f"{line.link.account}: {text}")
            line.entries_off = why

    def _clock_trouble(self, line: Line) -> str:
        off, most_ms = line.clock.surely_off_ms, self.max_clock_skew_ms
        return off_text(line.clock.skew_ms, most_ms) if off > most_ms else ""

    def _keep_silent(self, link: ExchangeLink, budget: Budget) -> None:
        """Go on with a silence that an earlier start or process was told of, and tell of each new one."""
        left_ns = link.silent_until_ns - link.clock.now_ns()
        if left_ns > 0:
            budget.be_silent(left_ns / NS, "the venue asked for silence before this start")

        def asked(seconds: float, why: str) -> None:
            link.emit(SilenceAsked(link.clock.now_ns() + math.ceil(seconds * NS), why))

        budget.on_silence = asked

    def _claimed(self, account: str) -> Claim | None:
        """None for a stand-in within this process: nobody else can reach it."""
        stands_in = self._carrier is not None
        return None if stands_in else claimed(account, self.ccxt_name, self.base_url, self.api_key.reveal())

    async def _look_around(self, line: Line) -> None:
        """Learn the markets and the account, and bring `symbols` in order.

        Questions that need nothing of one another are asked at once: what is open waits for all of their answers.
        """
        if line.link.reads_only:
            line.markets = dict(await self.read_markets(line))
            return
        if self.checks_without_markets:
            known = together(self.check_account(line), self.in_order(line))
            found, (_, in_order) = await together(self.read_markets(line), known)
            line.markets = dict(found)
        else:
            line.markets = dict(await self.read_markets(line))
            await self.check_account(line)
            in_order = await self.in_order(line)
        line.preparing.known(in_order)
        self._check_symbols(line)
        await line.preparing.all_of(self.symbols)

    def _check_symbols(self, line: Line) -> None:
        unknown = [symbol for symbol in self.symbols if symbol not in line.markets]
        if unknown:
            text = f"does not trade {', '.join(unknown)}; correct `symbols`"
            raise ExchangeError(line.link.account, text, code="unknown_symbol", for_good=True)

    async def _start_streams(self, line: Line) -> None:
        for stream in line.streams:
            line.background.start(f"stream {stream.name}", stream.run)
        if line.streams and not await line.streams[0].wait_up(STREAM_START_S):
            first = line.streams[0]
            why = first.last_end or "no answer"
            text = f"the {first.name} stream did not open within {STREAM_START_S:.0f} s: {why}"
            raise ExchangeError(line.link.account, text, code="stream")

    def _start_background(self, line: Line) -> None:
        refresh = self._refresh = asyncio.Event()
        every: Iterable[tuple[str, float, Callable[[], Awaitable[None]]]] = (
            ("clock", SYNC_EVERY_S, line.client.sync_clock),
            ("warming", WARM_EVERY_S, lambda: line.client.warm(self.warm_connections)),
        )
        for name, seconds, work in every:
            line.background.every(name, seconds, work)
        line.background.start("markets", lambda: self._keep_markets(line, refresh))
        line.background.start("settings", lambda: self._prepare_all(line))
        line.background.start("first warming", lambda: line.client.warm(self.warm_connections))

    async def _prepare_all(self, line: Line) -> None:
        if not self.symbols:
            await line.preparing.walk(sorted(line.markets), pause_s=PREPARE_PAUSE_S)

    async def _keep_markets(self, line: Line, refresh: asyncio.Event) -> None:
        while True:
            try:
                async with asyncio.timeout(MARKETS_EVERY_S):
                    await refresh.wait()
            except TimeoutError:
                pass
            refresh.clear()
            try:
                await line.renew_rules()
            except ExchangeError as error:
                line.notice("warning", "markets_not_read", f"{line.link.account}: {error}; the old rules stay")

    async def _renew_rules(self, line: Line) -> None:
        found = dict(await self.read_markets(line))
        if found != line.markets:
            line.notice("info", "markets_changed", f"{line.link.account}: {_changes(line.markets, found)}")
            line.markets = found
            line.link.emit(MarketsSeen(found))

    def _rules_are_stale(self, line: Line, answer: Answer) -> None:
        text = f"{line.link.account}: {answer.code}: {answer.message}; reading the markets' rules anew"
        line.notice("warning", "rules_are_stale", text)
        self.refresh_markets()

    def _broken(self, link: ExchangeLink, name: str, why: str) -> None:
        link.emit(VenueNotice("error", "venue_task_failed", f"{link.account}: {name}: {why}; it is begun again"))


def _changes(before: Mapping[str, MarketRules], after: Mapping[str, MarketRules]) -> str:
    gone, new = before.keys() - after.keys(), after.keys() - before.keys()
    other = sorted(symbol for symbol in before.keys() & after.keys() if before[symbol] != after[symbol])
    parts = [
        f"{what} {', '.join(sorted(which)[:5])}{' …' if len(which) > 5 else ''}"
        for what, which in (("no longer traded:", gone), ("new:", new), ("other rules:", set(other)))
        if which
    ]
    return "; ".join(parts)
