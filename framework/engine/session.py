"""One session of a deployment: everything is brought up in order, runs until its end, and is taken down in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from attrs import define, field

from .. import __version__
from ..components import Clock, PlaysRecordings, TellsState
from ..config import ConfiguredExchange, Deployment
from ..core.alerts import SOURCE
from ..core.decide import Rulebook
from ..core.feed import MarketUpdate
from ..core.health import Health
from ..core.position import Position
from ..core.records import Event, Record, SessionEnded, SessionMode, SessionStarted
from ..core.steering import SECOND_NS, Policy
from ..errors import FrameworkError, JournalError
from ..journal import Control, Journal, JournalReader, Pulse, Silences
from ..stages import Halting, Stage
from .attendance import Attendance
from .bringing import Bringing
from .clock import SystemClock
from .connecting import disconnect
from .desk import DAY_NS, Desk
from .ending import EndUnwrittenError, SessionEnd, lines_of, unended
from .engine import Engine, Limits
from .inbox import Inbox
from .leaping import Leaping, LeapingClock, sleep_until
from .links import Links
from .listening import Listening, numbered
from .memory import set_memory_aside
from .obeying import Obedience
from .observers import Gallery
from .rebuilding import Unreadable, left_behind
from .redaction import Redactor, secrets_of
from .undecided import never_decided
from .watchman import Watchman

SETTLE_S = 600
"""How long, in the session's own time, the end of a recording waits for what is still under way."""

REST_S = 10.0
"""How long an interrupted or failed session waits for positions that are just being opened, protected or closed."""

OBSERVERS_S = 2.0
"""How long observers may take at the end to see what is queued for them."""


@define
class Session:
    """One run, from the first connection to the last. `stage`: what stands in for real venues in a rehearsal.

    `entries_stopped`: why no position may be opened, from the start to the end; empty: they may. `seed`: what chance
    follows, so that a run can be repeated; empty: nothing, unless the session is a recorded one.
    """

    deployment: Deployment
    clock: Clock
    journal: Journal
    recorded: bool
    on_record: Callable[[Record], None]
    mode: SessionMode
    stage: Stage | None = None
    entries_stopped: str = ""
    seed: str = ""
    pulse: Pulse | None = None
    engine: Engine = field(init=False)
    gallery: Gallery = field(init=False)
    watchman: Watchman = field(init=False)
    stopped: asyncio.Event = field(factory=asyncio.Event, init=False)
    failures: list[str] = field(factory=list, init=False)
    _bringing: Bringing = field(init=False)
    _attendance: Attendance = field(init=False)
    _obedience: Obedience = field(init=False)
    _obeying: asyncio.Task[None] | None = field(default=None, init=False)
    _watching: asyncio.Task[None] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        deployment = self.deployment
        desks = {each.name: Desk(each.name, each.max_positions_per_wave, each.component, self._policy(each))
                 for each in deployment.enabled_exchanges}  # fmt: skip
        settings = deployment.framework
        observers = [each.component for each in deployment.enabled_observers]
        redactor = Redactor(secrets_of(deployment.components()))
        self.gallery = Gallery(self.clock, observers, self.journal.append, redactor)
        self.watchman = Watchman(
            self.clock,
            self.journal.append,
            self.gallery.show,
            lambda: self.engine.stopped,
            self.journal.lease_trouble,
            self._stop_entries,
            self.pulse,
        )
        self.engine = Engine(
            clock=self.clock,
            store=self.journal,
            desks=desks,
            inbox=Inbox(tuple(desks), frozenset(settings.signal_may_set), settings.max_signal_age_s * SECOND_NS),
            filters=[each.component for each in deployment.enabled_filters],
            rulebook=Rulebook(
                deployment.protectors,
                deployment.sizer.component,
                [each.component for each in deployment.enabled_risk],
            ),
            limits=Limits(
                settings.max_quote_age_s,
                settings.data_timeout_s,
                settings.wave_settle_s,
                settings.reconcile_every_s,
                settings.foreign_positions,
                settings.wave_deadline_s,
            ),
            entries_stopped=self.entries_stopped,
            report=self.watchman.report,
            saw=self.gallery.saw,
        )
        self._attendance = Attendance(self.engine, self.clock, self.journal.append)
        silences = None if self.recorded else Silences(deployment.state)
        seed = self.seed if self.recorded or self.seed else None
        links = Links(self.engine, self.clock, self.gallery, silences, seed, self.journal.found_ns)
        self._bringing = Bringing(
            deployment.enabled_exchanges,
            links.of,
            settings.start_timeout_s,
            self._attendance.is_up,
            self._attendance.is_down,
            at_once=self.recorded,
        )
        self._obedience = Obedience(Control(deployment.state), self.engine, self.clock, self.journal.append)
        self.journal.on_durable.append(self.on_record)
        self.journal.on_durable.append(self.gallery.show)
        self.journal.on_durable.append(self.watchman.see)
        self.journal.on_failed.append(self._journal_failed)

    async def run(self, on_start: Callable[[], None]) -> SessionEnd:
        """Bring everything up, wait for the end, take everything down in reverse.

        SIGINT and SIGTERM end it in order at any time, also while a venue takes long to be ready. Raises
        `EndUnwrittenError`, with what is known of the end, when the journal broke on the way.
        """
        end: SessionEnd | None = None
        try:
            with self._signals():
                try:
                    if not await self._connect():
                        return SessionEnd("interrupted", lines_of(self._left_open()), failed=False)
                    await self._begin()
                    if self._bringing.refusal is not None:
                        await self._end(f"failed: {self._bringing.refusal}")
                        raise self._bringing.refusal
                    on_start()
                    end = await self._end(await self._until_the_end())
                    return end
                finally:
                    for task in (self._obeying, self._watching):
                        if task is not None:
                            task.cancel()
                    await self._bringing.aclose()
                    await self.engine.aclose()
                    await self._disconnect()
        finally:
            await self.gallery.aclose(OBSERVERS_S)
            await self._close_journal(end)

    def _policy(self, account: ConfiguredExchange) -> Policy:
        settings, able = self.deployment.framework, account.component.capabilities
        return Policy(
            protections=self.deployment.protectors,
            execution=self.deployment.execution.component,
            attaches_stops=able.attaches_stops,
            amends_stops=able.amends_stops,
            rests_targets=able.rests_targets,
            stop_tries=settings.stop_tries,
            protect_within_ns=settings.protect_within_s * SECOND_NS,
            entry_deadline_ns=settings.entry_deadline_s * SECOND_NS,
        )

    # ── up ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _connect(self) -> bool:
        """Connect to all venues at once, until there is something to begin with. False: interrupted before that."""
        loop = asyncio.get_running_loop()
        first, stop = loop.create_task(self._bringing.first()), loop.create_task(self.stopped.wait())
        try:
            await asyncio.wait({first, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not first.done():
                return False
            first.result()
            return True
        finally:
            first.cancel()
            stop.cancel()
            await asyncio.gather(first, stop, return_exceptions=True)

    async def _begin(self) -> None:
        deployment = self.deployment
        accounts = tuple(each.name for each in deployment.enabled_exchanges)
        self.gallery.start()
        await self.journal.append(
            SessionStarted(self.clock.now_ns(), __version__, deployment.digest, accounts, self.recorded, self.mode)
        )
        if self.entries_stopped:
            text = f"no position is opened: {self.entries_stopped}"
            self.journal.append(Event(self.clock.now_ns(), "error", "entries_stopped", text))
        restored = [] if self.recorded else self._restore()
        self._obedience.begin()
        self.watchman.beat()
        self._attendance.begin()
        self.engine.start(restored)
        if isinstance(self.clock, SystemClock):
            set_memory_aside()
        await self._know_accounts()
        if not self.recorded:  # a recorded session decides the same, whatever is asked for meanwhile
            loop = asyncio.get_running_loop()
            self._obeying = loop.create_task(self._obedience.keep())
            self._watching = loop.create_task(self.watchman.keep())

    async def _know_accounts(self) -> None:
        """Wait for a first reading of every account: until then nothing is opened there, and signals are refused."""
        loop = asyncio.get_running_loop()
        ends = [loop.create_task(self.stopped.wait()), loop.create_task(self._bringing.refused())]
        within_s = self.deployment.framework.data_timeout_s
        await self._patiently(within_s, self.engine.reconciler.first_round(), *ends, self.engine.consumer)
        for end in ends:
            end.cancel()
        await asyncio.gather(*ends, return_exceptions=True)
        self._attendance.tell_all()

    def _left_open(self) -> list[Position]:
        """The positions that an earlier run left open or closed lately, as the journal knows them."""
        if self.recorded:
            return []
        with self.journal.reader() as reader:
            return self._told(self._left_behind(reader))

    def _left_behind(self, reader: JournalReader) -> tuple[list[Position], list[Unreadable]]:
        return left_behind(reader, self.deployment.protection_states, self.clock.now_ns() - 2 * DAY_NS)

    def _told(self, found: tuple[list[Position], list[Unreadable]]) -> list[Position]:
        positions, troubles = found
        self.journal.append(*(trouble.event(self.clock.now_ns()) for trouble in troubles))
        return positions

    def _restore(self) -> list[Position]:
        """The positions of an earlier run that are looked after; and the signals and waves it has taken are known."""
        with self.journal.reader() as reader:
            self.engine.inbox.known.update(reader.known_signal_ids())
            since_ns = self.clock.now_ns() - self.engine.inbox.max_age_ns
            for row in reader.signals_taken_since(since_ns):
                self.engine.inbox.remember(
                    row.source, row.signal_id, (row.account, row.symbol, row.side, row.bar_time_ns)
                )
            self.engine.inbox.decided.update(w.wave_id for w in reader.waves() if w.decided_ns is not None)
            undecided = reader.signals(outcome="received")
            before = unended(reader.sessions(), self.pulse, self.clock.now_ns())
            found = self._left_behind(reader)
        told = [never_decided(row, self.clock.now_ns()) for row in undecided]
        self.journal.append(*([] if before is None else [before]), *told)
        positions = self._told(found)
        for left in (p for p in positions if p.account not in self.engine.desks and not p.is_settled):
            text = f"{left.account} {left.symbol}: this account is not enabled: nobody looks after its open position"
            self.journal.append(
                Event(self.clock.now_ns(), "error", "account_missing", text, left.account, left.symbol, left.id)
            )
        return [position for position in positions if position.account in self.engine.desks]

    # ── until the end ───────────────────────────────────────────────────────────────────────────────────────

    async def _until_the_end(self) -> str:
        loop = asyncio.get_running_loop()
        listened_to = () if self.stopped.is_set() else self.deployment.enabled_sources
        names = numbered(each.use for each in listened_to)
        sources = [
            loop.create_task(self._run_source(name, each.component))
            for name, each in zip(names, listened_to, strict=True)
        ]
        stop = loop.create_task(self.stopped.wait())
        consumer = self.engine.consumer
        everything = asyncio.gather(*sources)
        ends: set[asyncio.Future[Any]] = {everything, stop, consumer}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if everything.done() and not self.failures and not consumer.done():
            await self._patiently(SETTLE_S, self.engine.idle(), stop)
        for task in sources:
            task.cancel()
        await asyncio.gather(everything, *sources, return_exceptions=True)
        if self.stopped.is_set() or self.failures:  # half-open is finished first; a second signal does not wait
            self.engine.entries_stopped = self.engine.entries_stopped or "the session is ending"
            await self._patiently(REST_S, self.engine.rest())
        stop.cancel()
        if self.engine.failure is not None:
            error = self.engine.failure
            self.failures.append(f"the engine stopped: {type(error).__name__}: {error}")
        if self.failures:
            return "failed: " + "; ".join(self.failures)
        if self.stopped.is_set():
            return "interrupted"
        return "recording ended" if self.recorded else "sources ended"

    async def _patiently(self, within_s: float, rest: Coroutine[Any, Any, None], *others: asyncio.Future[Any]) -> None:
        """Wait until the engine rests, one of the others is done, or the time is over."""
        task = asyncio.get_running_loop().create_task(rest)
        await asyncio.wait({task, *others}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _run_source(self, name: str, source: Any) -> None:
        part = f"{SOURCE}{name}"
        report = self.watchman.report
        report(part, "running", Health.HEALTHY)
        try:
            if isinstance(source, TellsState):
                self.watchman.sources[part] = source
            link = Listening(name, self.clock, self.engine, self._publish, self._until, self.journal.append)
            await source.run(link)
        except Exception as error:  # one source that ends must not end the others
            text = f"signal source {name} ended: {type(error).__name__}: {error}"
            self.failures.append(text)
            self.journal.append(Event(self.clock.now_ns(), "error", "source_failed", text))
            report(part, "running", Health.DOWN, text, told=True)

    def _publish(self, update: MarketUpdate) -> None:
        if self.stage is not None:
            self.stage.play(update)
        for each in self.deployment.enabled_exchanges:
            if isinstance(each.component, PlaysRecordings):
                each.component.play(update)

    async def _until(self, t_ns: int) -> None:
        if self.stage is not None and isinstance(self.clock, LeapingClock):
            components = (each.component for each in self.deployment.enabled_exchanges)
            others = [each for each in components if isinstance(each, Halting)]
            await Leaping(self.clock, self.stage, self.engine, others).until(t_ns)
        else:
            await sleep_until(self.clock, t_ns)

    def _stop_entries(self, why: str) -> None:
        self.engine.entries_stopped = self.engine.entries_stopped or why

    def _journal_failed(self, error: Exception) -> None:
        self.engine.entries_stopped = f"the journal failed: {error}"
        self.failures.append(f"the journal failed: {error}")
        self.watchman.journal_failed(error)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """End in order at SIGINT and SIGTERM; a second one ends at once."""
        loop = asyncio.get_running_loop()
        installed = []
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):  # not in the main thread
                loop.add_signal_handler(number, self._interrupt, number)
                installed.append(number)
        try:
            yield
        finally:
            for number in installed:
                loop.remove_signal_handler(number)

    def _interrupt(self, number: int) -> None:
        asyncio.get_running_loop().remove_signal_handler(number)
        self.stopped.set()

    # ── down ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _end(self, reason: str) -> SessionEnd:
        lines = lines_of(self.engine.open_positions())
        with contextlib.suppress(FrameworkError):  # a broken journal has been reported already
            await self.journal.append(SessionEnded(self.clock.now_ns(), reason, len(lines)))
        self.watchman.beat(ended=reason)
        unreached = tuple(f"{name}: {why}" for name, why in self._attendance.absent().items())
        return SessionEnd(reason, lines, bool(self.failures), unreached)

    async def _close_journal(self, end: SessionEnd | None) -> None:
        try:
            await self.journal.aclose()
        except JournalError as error:
            if end is None:
                raise
            raise EndUnwrittenError(error, end) from error

    async def _disconnect(self) -> None:
        """Let go of all venues at once, of those that were not ready yet as well."""
        accounts = self.deployment.enabled_exchanges
        troubles = await asyncio.gather(*(disconnect(each.component) for each in accounts))
        for name, trouble in zip((each.name for each in accounts), troubles, strict=True):
            if trouble is not None:
                text = f"{name}: {trouble}"
                self.journal.append(Event(self.clock.now_ns(), "warning", "disconnect_failed", text, name))
