"""The one loop: every fact comes through one queue to one consumer, so that a recorded run replays exactly.

Handling a message is synchronous: pure functions decide, the journal is told, commands are handed to the
dispatcher. Nothing here waits for a venue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from decimal import InvalidOperation
from typing import Protocol

from attrs import define, evolve, field

from ..components import Clock, Filter
from ..core.decide import Rulebook
from ..core.events import SilenceAsked, VenueNotice
from ..core.feed import Batch
from ..core.happenings import CloseWanted, Happening, PriceReached
from ..core.lifecycle import advance
from ..core.market import MarketData, Quote
from ..core.numbers import ZERO
from ..core.position import Position, State
from ..core.reconcile import ForeignPolicy
from ..core.records import Event, Record
from ..core.restart import taken_over
from ..core.steering import SECOND_NS, Step, look_at
from ..core.triggers import NEVER_ABOVE
from ..errors import ProtocolError
from .asking import Asking
from .closing import Closing
from .desk import Desk
from .dispatch import Dispatcher
from .durably import pass_on, retrieve
from .inbox import Inbox
from .messages import (
    AccountRead,
    BalanceRead,
    BatchArrived,
    CandidatesReady,
    CloseAll,
    Happened,
    Message,
    VenueSpoke,
    WaveDue,
)
from .news import News
from .reconciler import Reconciler
from .scribe import records_of
from .sweeping import Sweeper
from .watchman import Report, unheard
from .waves import Waves

MOMENT_S = 0.1
"""How often it is looked whether the engine is at rest while nothing is under way."""


class Store(Protocol):
    """The part of the journal that the engine uses."""

    def append(self, *records: Record) -> asyncio.Future[None]:
        """Queue records; done once they are durable."""


@define
class Limits:
    """The engine's limits, from ``[framework]``."""

    max_quote_age_s: int
    data_timeout_s: int
    wave_settle_s: int
    reconcile_every_s: int = 60
    foreign_positions: ForeignPolicy = "ignore"
    wave_deadline_s: int = 30


@define
class Engine:
    """Decides and steers. Give it its parts, then `start`; feed it through `submit`, `exchange_event` and `quote`."""

    clock: Clock
    store: Store
    desks: dict[str, Desk]
    inbox: Inbox
    filters: Sequence[Filter]
    rulebook: Rulebook
    limits: Limits
    entries_stopped: str = ""
    halted: str = ""
    report: Report = unheard
    saw: Callable[[str, MarketData], None] = lambda account, data: None
    waves: Waves = field(init=False)
    dispatcher: Dispatcher = field(init=False)
    news: News = field(init=False)
    reconciler: Reconciler = field(init=False)
    asking: Asking = field(init=False)
    _queue: asyncio.Queue[Message] = field(factory=asyncio.Queue, init=False)
    _consumer: asyncio.Task[None] | None = field(default=None, init=False)
    _accounts: dict[str, str] = field(factory=dict, init=False)
    _missed: dict[str, CloseAll] = field(factory=dict, init=False)
    _closing: Closing = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.dispatcher = Dispatcher(
            self.clock, self.store.append, lambda i, h: self._post(Happened(i, h)), self.limits.data_timeout_s
        )
        self.asking = Asking(self.clock, self.desks, lambda i, h: self._post(Happened(i, h)))
        self.news = News(
            happened=self._happened,
            run=self.dispatcher.run,
            say=self._event,
            is_known=self._accounts.__contains__,
            gap=lambda desk: self.reconciler.gap(desk),
            report=self.report,
        )
        self.reconciler = Reconciler(
            clock=self.clock,
            desks=self.desks,
            foreign=self.limits.foreign_positions,
            every_s=self.limits.reconcile_every_s,
            timeout_s=self.limits.data_timeout_s,
            post=self._post,
            write=self._write,
            run=self.dispatcher.run,
            is_read=self.dispatcher.is_read,
            take_step=lambda desk, step: self._take_step(desk, None, step, None),
            happened=self._happened,
            report=self.report,
            sweeper=Sweeper(self.clock, self.store.append, self.limits.data_timeout_s),
        )
        self.waves = Waves(
            clock=self.clock,
            desks=self.desks,
            filters=self.filters,
            rulebook=self.rulebook,
            post=self._post,
            write=self._write,
            open_position=lambda desk, step: self._take_step(desk, None, step, None),
            max_quote_age_ns=self.limits.max_quote_age_s * SECOND_NS,
            data_timeout_s=self.limits.data_timeout_s,
            forbidden=self.forbidden,
            saw=self.saw,
        )
        limits = self.limits
        self._closing = Closing(
            limits.wave_settle_s, limits.wave_deadline_s, lambda wave_id: self._post(WaveDue(wave_id))
        )

    # ── from outside ────────────────────────────────────────────────────────────────────────────────────────

    def start(self, restored: Sequence[Position] = ()) -> None:
        """Begin to consume. Positions of an earlier run are taken over, on accounts that are absent when they join."""
        for position in restored:
            self._accounts[position.id] = position.account
            self.desks[position.account].keep(position)
        for desk in self.desks.values():
            if not desk.absent:
                self._take_over(desk)
        self._watch()
        self.reconciler.start()
        self._consumer = asyncio.get_running_loop().create_task(self._consume())

    def join(self, account: str) -> None:
        """An account that was absent is connected: its positions are taken over, and it is closed if that was asked."""
        desk = self.desks[account]
        desk.absent = ""
        self._take_over(desk)
        self._watch()
        self.reconciler.read(desk)
        missed = self._missed.pop(account, None)
        if missed is not None:
            self._post(missed)

    async def submit(self, batch: Batch) -> None:
        """Take signals in; returns once they are durable."""
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._post(BatchArrived(batch, durable))
        await durable

    def exchange_event(self, account: str, event: object) -> None:
        """Queue what an exchange tells."""
        self._post(VenueSpoke(account, event))  # type: ignore[arg-type]

    def quote(self, account: str, symbol: str, quote: Quote) -> None:
        """A new price: two comparisons, unless somebody asked for it. A price that is none is not taken."""
        desk, last = self.desks[account], quote.last
        levels = desk.levels.get(symbol)
        try:
            if levels is not None and levels.low < last < levels.high:  # the bounds lie within what a price can be
                desk.quotes[symbol] = quote
                return
            if not ZERO < last < NEVER_ABOVE:
                return
        except InvalidOperation:  # it is no number
            return
        desk.quotes[symbol] = quote
        if levels is not None:
            for owner in levels.reached(last):
                self._post(Happened(owner, PriceReached(last, quote.time_ns)))

    def next_ask_ns(self) -> int | None:
        """When a protection next wants to be asked, whatever the price; None: none asks for a time."""
        return self.asking.next_ns()

    def ask_due(self) -> None:
        """Ask the protections whose time has come. The loop sees to that by itself, unless the clock jumped ahead."""
        self.asking.due()

    def close_all(self, reason: str, accounts: Collection[str] | None = None, *, strangers: bool = False) -> None:
        """Close every open position, of these accounts or of all; with `strangers` those that are not ours, too."""
        chosen = self.desks.keys() if accounts is None else self.desks.keys() & accounts
        self._post(CloseAll(reason, frozenset(chosen), strangers))

    @property
    def stopped(self) -> str:
        """Why no position may be opened on any account; empty: it may."""
        return self.entries_stopped or self.halted

    def forbidden(self, account: str) -> str:
        """Why no position may be opened on an account; empty: it may."""
        return self.stopped or self.reconciler.forbids(account)

    async def idle(self) -> None:
        """Return once every wave is decided and the engine is at rest. What is protected stays as it is."""
        while self._goes_on and self.is_undecided:
            await self._a_moment()

    async def rest(self) -> None:
        """Return once no request is under way and no position stands between two states, whatever is undecided."""
        while self._goes_on and not self.is_at_rest:
            await self._a_moment()

    @property
    def is_undecided(self) -> bool:
        """Whether a wave is yet to be decided, or the engine is not at rest."""
        return bool(self.inbox.waves or self.waves.active) or not self.is_at_rest

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is queued or under way, and every open position is protected or a case for a person."""
        tended = (p for p in self.open_positions() if not self.desks[p.account].absent)
        moving = (p for p in tended if p.state not in (State.PROTECTED, State.QUARANTINED))
        return self._queue.empty() and not self.dispatcher.tasks and not self.waves.tasks and not any(moving)

    @property
    def _goes_on(self) -> bool:
        return self._consumer is not None and not self._consumer.done()

    async def _a_moment(self) -> None:
        """Wait for the next thing under way to end, or for a short time: what is polled comes back later."""
        pending = [*self.dispatcher.tasks, *self.waves.tasks]
        if pending:
            await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0)
        elif self._queue.empty():
            await asyncio.sleep(MOMENT_S)
        else:
            await asyncio.sleep(0)

    async def aclose(self) -> None:
        """Stop consuming and give up what is under way. Orders at the venues stay as they are."""
        self._closing.cancel()
        await self.waves.aclose()
        await self.reconciler.aclose()
        await self.dispatcher.aclose()
        if self._consumer is not None:
            self._consumer.cancel()
            await asyncio.gather(self._consumer, return_exceptions=True)

    @property
    def consumer(self) -> asyncio.Task[None]:
        """The task that consumes; it ends only by `aclose`, or by a bug of ours."""
        if self._consumer is None:
            raise ProtocolError("the engine has not been started")
        return self._consumer

    @property
    def failure(self) -> BaseException | None:
        """Why the consumer ended, if it did: a bug of ours. None while it runs or after `aclose`."""
        consumer = self._consumer
        return consumer.exception() if consumer is not None and consumer.done() and not consumer.cancelled() else None

    def open_positions(self) -> list[Position]:
        """The positions that are not over, of all accounts: also of those that are absent."""
        return [position for desk in self.desks.values() for position in desk.open_positions()]

    # ── the loop ────────────────────────────────────────────────────────────────────────────────────────────

    def _post(self, message: Message) -> None:
        self._queue.put_nowait(message)

    async def _consume(self) -> None:
        while True:
            message = await self._queue.get()
            under_way = len(self.dispatcher.tasks)
            self._handle(message)
            if len(self.dispatcher.tasks) > under_way:
                # A full queue never waits: what was just asked for, a stop perhaps, must not wait for its end.
                await asyncio.sleep(0)

    def _handle(self, message: Message) -> None:
        match message:
            case Happened():
                self._happened(message.position_id, message.happening)
            case VenueSpoke():
                desk = self.desks[message.account]
                if not desk.absent or isinstance(
                    message.event, (VenueNotice, SilenceAsked)
                ):  # all else is read back when it joins
                    self.news.take(desk, message.event)
            case BatchArrived():
                self._batch_arrived(message)
            case CandidatesReady():
                self.waves.candidates_ready(message)
            case BalanceRead():
                self.waves.balance_read(message)
            case WaveDue():
                self._wave_due(message.wave_id)
            case AccountRead():
                self.reconciler.take(message)
            case CloseAll():
                self._close_all(message)

    def _close_all(self, message: CloseAll) -> None:
        """Close what is open on accounts that are connected; the others are closed when they join."""
        absent = {account for account in message.accounts if self.desks[account].absent}
        self._missed.update({account: evolve(message, accounts=frozenset({account})) for account in absent})
        message = evolve(message, accounts=message.accounts - absent)
        for position in (p for p in self.open_positions() if p.account in message.accounts):
            self._happened(position.id, CloseWanted(message.reason))
        self.reconciler.close_all(message)

    def _take_over(self, desk: Desk) -> None:
        """Go on with the positions of an earlier run. Those that are settled are only remembered: streams repeat."""
        for position in desk.unsettled():
            self._take_step(desk, position, taken_over(position, desk.policy), None)
        self.news.compare_rules(desk)

    def _happened(self, position_id: str, happening: Happening) -> None:
        desk = self.desks[self._accounts[position_id]]
        before = desk.positions.get(position_id)
        if before is None or desk.absent:  # nothing can be asked there now; all is read when it joins
            return
        try:
            step = advance(before, happening, desk.policy, self.clock.now_ns())
        except Exception as error:  # a bug of ours must not take the other positions down with it
            text = f"{before.account} {before.symbol}: {type(error).__name__}: {error}"
            self._event("error", "protocol_error", text, before)
            desk.keep(before)  # it goes on asking for its prices
            self.dispatcher.run(desk, before, look_at(before, SECOND_NS))
            return
        self._take_step(desk, before, step, happening)

    def _take_step(self, desk: Desk, before: Position | None, step: Step, happening: Happening | None) -> None:
        after, commands = step
        self._accounts[after.id] = desk.account
        desk.keep(after)
        self._write(records_of(before, after, happening, commands, self.clock.now_ns()))
        self.dispatcher.run(desk, after, commands)
        self.asking.later(after)
        self.asking.at_once(before, after)
        if before is None or before.state.is_final != after.state.is_final:
            self._watch()
        self.waves.position_changed(before, after)

    # ── signals ─────────────────────────────────────────────────────────────────────────────────────────────

    def _batch_arrived(self, message: BatchArrived) -> None:
        records, touched = self.inbox.take(message.batch, self.clock.now_ns())
        self.store.append(*records).add_done_callback(lambda done: pass_on(done, message.durable))
        self._closing.touched(touched, whole=message.batch.complete)

    def _wave_due(self, wave_id: str) -> None:
        if wave_id in self.inbox.waves:
            self.waves.start(wave_id, self.inbox.close(wave_id))

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────

    def _watch(self) -> None:
        for desk in self.desks.values():
            if not desk.absent:
                desk.exchange.watch(desk.watched())

    def _event(self, level: str, code: str, message: str, position: Position | None = None) -> None:
        now_ns = self.clock.now_ns()
        if position is None:
            self._write([Event(now_ns, level, code, message)])
        else:
            p = position
            self._write([Event(now_ns, level, code, message, p.account, p.symbol, p.id, p.signal_id)])

    def _write(self, records: Sequence[Record]) -> None:
        if records:
            self.store.append(*records).add_done_callback(retrieve)
