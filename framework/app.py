"""Puts a deployment together and runs it: journal, exchanges, engine, sources, observers, in order and back."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections.abc import Callable, Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from attrs import define, field, frozen

from . import __version__
from .components import Checkable, Checkup, Clock, ExchangeLink, PlaysRecordings
from .config import ConfiguredExchange, Deployment
from .core.decide import Rulebook
from .core.feed import Batch, MarketUpdate, Timeline
from .core.position import Position
from .core.records import Event, Record, SessionEnded, SessionStarted
from .core.steering import SECOND_NS, Policy
from .engine.clock import SystemClock, VirtualClock
from .engine.desk import Desk
from .engine.engine import Engine, Limits
from .engine.inbox import Inbox
from .engine.observers import Gallery
from .engine.snapshot import thaw
from .engine.virtual import VirtualLoop, run_virtual
from .errors import ConfigError, ExchangeError, FrameworkError, Problem
from .journal import Journal, WriterKind, rotate

T = TypeVar("T")

SETTLE_S = 600
"""How long, in the session's own time, the end of a recording waits for what is still under way."""

OBSERVERS_S = 2.0
"""How long observers may take at the end to see what is queued for them."""


@frozen
class SessionStart:
    """A session that came up. `set_aside` is where the journal of an earlier recorded session was moved to."""

    accounts: tuple[str, ...]
    sources: tuple[str, ...]
    recorded: bool
    journal: Path
    set_aside: Path | None


@frozen
class OpenLine:
    """A position that stays open when a session ends. `stop_price` is that of its live stop."""

    account: str
    symbol: str
    side: str
    quantity: Decimal
    stop_price: Decimal | None


@frozen
class SessionEnd:
    """How a session ended: ``recording ended``, ``interrupted`` or ``failed: …``, and what stays open."""

    reason: str
    open_positions: tuple[OpenLine, ...]
    failed: bool


def journal_path(state: Path) -> Path:
    """Where the journal of a state directory lives."""
    return state / "journal.sqlite"


def run_session(
    deployment: Deployment,
    *,
    on_start: Callable[[SessionStart], None] = lambda start: None,
    on_record: Callable[[Record], None] = lambda record: None,
) -> SessionEnd:
    """Run a deployment until its recording ends, or a signal (SIGINT, SIGTERM) ends it. Blocks.

    Raises `ConfigError` for what the components themselves find wrong, `ExchangeError` when a venue can't be
    reached at the start, `JournalError` when the journal can't be opened.
    """
    timeline = timeline_of(deployment)
    path = journal_path(deployment.state)
    set_aside = _prepare_journal(path, recorded=timeline is not None)
    kind = WriterKind.THREAD if timeline is None else WriterKind.INLINE

    async def main(clock: Clock) -> SessionEnd:
        session = _Session(deployment, clock, Journal.open(path, writer=kind), timeline is not None, on_record)
        start = SessionStart(
            tuple(each.name for each in deployment.enabled_exchanges),
            tuple(each.use for each in deployment.enabled_sources),
            timeline is not None,
            path,
            set_aside,
        )
        return await session.run(lambda: on_start(start))

    return _on_loop(timeline, main)


def check_deployment(deployment: Deployment) -> tuple[Checkup, ...]:
    """Ask every enabled component that can be asked about its readiness; venues are connected to. Blocks.

    Raises `ConfigError` for what the components themselves find wrong. A venue that can't be reached is a checkup
    that failed, not an exception.
    """
    timeline = timeline_of(deployment)

    async def main(clock: Clock) -> tuple[Checkup, ...]:
        checkups: list[Checkup] = []
        for each in (*deployment.enabled_sources, *deployment.enabled_observers):
            if isinstance(each.component, Checkable):
                checkups.extend(await each.component.checkup())
        for account in deployment.enabled_exchanges:
            checkups.extend(await _check_exchange(account, clock))
        return tuple(checkups)

    return _on_loop(timeline, main)


def timeline_of(deployment: Deployment) -> Timeline | None:
    """The clock of the recorded session that the deployment plays; None for live sources.

    Raises `ConfigError`: a recording that can't be read, two of them, or one beside a live source or a real venue.
    """
    problems: list[Problem] = []
    lines: list[tuple[str, Timeline | None]] = []
    for source in deployment.enabled_sources:
        try:
            lines.append((source.where, source.component.timeline()))
        except ConfigError as error:
            problems.extend(error.problems)
    recorded = [(where, line) for where, line in lines if line is not None]
    if not deployment.enabled_sources:
        problems.append(Problem(f"{deployment.path} [[signals]]", "no signal source is enabled; enable one"))
    if recorded and len(lines) > 1:
        text = "a recorded session brings its own clock and is played alone; disable the other sources"
        problems.append(Problem(recorded[0][0], text))
    for account in deployment.enabled_exchanges:
        if recorded and not account.component.capabilities.simulated:
            text = f"a recorded session must not trade on a real venue; use a simulated exchange for {account.name}"
            problems.append(Problem(account.where, text))
    if not deployment.enabled_exchanges:
        problems.append(Problem(f"{deployment.path} [exchanges]", "no exchange is enabled; enable one"))
    if problems:
        raise ConfigError(problems)
    return recorded[0][1] if recorded else None


def _on_loop(timeline: Timeline | None, main: Callable[[Clock], Coroutine[Any, Any, T]]) -> T:
    if timeline is None:
        return asyncio.run(main(SystemClock()))
    loop = VirtualLoop(timeline.speed)
    return run_virtual(main(VirtualClock(timeline.start_ns, loop)), loop=loop)


def _prepare_journal(path: Path, *, recorded: bool) -> Path | None:
    """Make room for this session's journal; recorded and live sessions never share one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError([Problem(str(path.parent), f"cannot be made: {error.strerror}")]) from error
    if not path.exists():
        return None
    from .journal import JournalReader

    with JournalReader.open(path) as reader:
        sessions = reader.sessions()
    if sessions and sessions[-1].recorded != recorded:
        was, now = ("a recorded", "a live") if sessions[-1].recorded else ("a live", "a recorded")
        text = f"is the journal of {was} session; {now} one needs a state directory of its own (--state DIR)"
        raise ConfigError([Problem(str(path), text)])
    return rotate(path, path.parent / "sessions") if recorded else None


async def _check_exchange(account: ConfiguredExchange, clock: Clock) -> list[Checkup]:
    exchange = account.component
    link = ExchangeLink(account.name, clock, random.Random(account.name), _ignore_event, _ignore_quote)  # noqa: S311
    checkups: list[Checkup] = []
    try:
        await exchange.start(link)
        try:
            markets = await exchange.markets()
            checkups.append(Checkup(account.name, bool(markets), f"{len(markets)} markets listed"))
            if isinstance(exchange, Checkable):
                checkups.extend(await exchange.checkup())
        finally:
            await exchange.stop()
    except ExchangeError as error:
        checkups.append(Checkup(account.name, False, str(error)))
    return checkups


def _ignore_event(event: object) -> None:
    """Nothing is traded during a check, so nothing that is told matters."""


def _ignore_quote(symbol: str, quote: object) -> None:
    """As for events."""


@define
class _Session:
    """One run, from the first connection to the last."""

    deployment: Deployment
    clock: Clock
    journal: Journal
    recorded: bool
    on_record: Callable[[Record], None]
    engine: Engine = field(init=False)
    gallery: Gallery = field(init=False)
    stopped: asyncio.Event = field(factory=asyncio.Event, init=False)
    failures: list[str] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        deployment = self.deployment
        desks = {each.name: Desk(each.name, each.max_positions_per_wave, each.component, self._policy(each))
                 for each in deployment.enabled_exchanges}  # fmt: skip
        settings = deployment.framework
        self.engine = Engine(
            clock=self.clock,
            store=self.journal,
            desks=desks,
            inbox=Inbox(tuple(desks), frozenset(settings.signal_may_set)),
            filters=[each.component for each in deployment.enabled_filters],
            rulebook=Rulebook(
                [each.component for each in deployment.enabled_protections],
                deployment.sizer.component,
                [each.component for each in deployment.enabled_risk],
            ),
            limits=Limits(settings.max_quote_age_s, settings.data_timeout_s, settings.wave_settle_s),
        )
        observers = [each.component for each in deployment.enabled_observers]
        self.gallery = Gallery(self.clock, observers, self.journal.append)
        self.journal.on_durable.append(self.on_record)
        self.journal.on_durable.append(self.gallery.show)
        self.journal.on_failed.append(self._journal_failed)

    async def run(self, on_start: Callable[[], None]) -> SessionEnd:
        """Bring everything up, wait for the end, take everything down in reverse."""
        try:
            started = await self._start_exchanges()
            try:
                await self._begin()
                on_start()
                reason = await self._until_the_end()
                return await self._end(reason)
            finally:
                await self.engine.aclose()
                await asyncio.gather(*(each.component.stop() for each in started), return_exceptions=True)
        finally:
            await self.gallery.aclose(OBSERVERS_S)
            await self.journal.aclose()

    def _policy(self, account: ConfiguredExchange) -> Policy:
        settings, able = self.deployment.framework, account.component.capabilities
        return Policy(
            protections=[each.component for each in self.deployment.enabled_protections],
            execution=self.deployment.execution.component,
            attaches_stops=able.attaches_stops,
            amends_stops=able.amends_stops,
            stop_tries=settings.stop_tries,
            protect_within_ns=settings.protect_within_s * SECOND_NS,
            entry_deadline_ns=settings.entry_deadline_s * SECOND_NS,
        )

    # ── up ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _start_exchanges(self) -> list[ConfiguredExchange]:
        """Connect to all venues at once. If one fails, the others are let go again and the first failure is raised."""
        accounts = self.deployment.enabled_exchanges
        results = await asyncio.gather(*(self._start_exchange(each) for each in accounts), return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            await asyncio.gather(*(each.component.stop() for each in accounts), return_exceptions=True)
            raise failures[0]
        return list(accounts)

    async def _start_exchange(self, account: ConfiguredExchange) -> None:
        seed = account.name if self.recorded else None
        link = ExchangeLink(
            account=account.name,
            clock=self.clock,
            random=random.Random(seed),  # noqa: S311 - for jitter, not for secrets
            emit=lambda event: self.engine.exchange_event(account.name, event),
            quote=lambda symbol, quote: self.engine.quote(account.name, symbol, quote),
        )
        try:
            await account.component.start(link)
            self.engine.desks[account.name].markets = await account.component.markets()
        except FrameworkError:
            raise
        except Exception as error:
            raise ExchangeError(account.name, f"could not start: {type(error).__name__}: {error}") from error

    async def _begin(self) -> None:
        deployment = self.deployment
        accounts = tuple(each.name for each in deployment.enabled_exchanges)
        await self.journal.append(
            SessionStarted(self.clock.now_ns(), __version__, deployment.digest, accounts, self.recorded)
        )
        self.gallery.start()
        restored = [] if self.recorded else self._restore()
        self.engine.start(restored)

    def _restore(self) -> list[Position]:
        """The positions that an earlier run left open, and the signals it has taken already."""
        state_types = {each.use: each.component.state_type for each in self.deployment.protections}
        with self.journal.reader() as reader:
            self.engine.inbox.known.update(reader.known_signal_ids())
            self.engine.inbox.decided.update(w.wave_id for w in reader.waves() if w.decided_ns is not None)
            positions = [thaw(row.snapshot, state_types) for row in reader.open_snapshots()]
        return [position for position in positions if position.account in self.engine.desks]

    # ── until the end ───────────────────────────────────────────────────────────────────────────────────────

    async def _until_the_end(self) -> str:
        loop = asyncio.get_running_loop()
        sources = [loop.create_task(self._run_source(each.use, each.component)) for each in
                   self.deployment.enabled_sources]  # fmt: skip
        stop = loop.create_task(self.stopped.wait())
        consumer = self.engine.consumer
        with self._signals():
            everything = asyncio.gather(*sources)
            ends: set[asyncio.Future[Any]] = {everything, stop, consumer}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if everything.done() and not self.failures and not consumer.done():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SETTLE_S):
                        await self.engine.idle()
        for task in (*sources, stop):
            task.cancel()
        await asyncio.gather(*sources, stop, return_exceptions=True)
        if self.engine.failure is not None:
            error = self.engine.failure
            self.failures.append(f"the engine stopped: {type(error).__name__}: {error}")
        if self.failures:
            return "failed: " + "; ".join(self.failures)
        return "interrupted" if self.stopped.is_set() else "recording ended"

    async def _run_source(self, name: str, source: Any) -> None:
        try:
            await source.run(_SourceLink(self.clock, self.engine, self._publish))
        except Exception as error:  # one source that ends must not end the others
            text = f"signal source {name} ended: {type(error).__name__}: {error}"
            self.failures.append(text)
            self.journal.append(Event(self.clock.now_ns(), "error", "source_failed", text))

    def _publish(self, update: MarketUpdate) -> None:
        for each in self.deployment.enabled_exchanges:
            if isinstance(each.component, PlaysRecordings):
                each.component.play(update)

    def _journal_failed(self, error: Exception) -> None:
        self.engine.entries_stopped = f"the journal failed: {error}"
        self.failures.append(f"the journal failed: {error}")

    @contextlib.contextmanager
    def _signals(self) -> Any:
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
        lines = tuple(_line(position) for position in self.engine.open_positions())
        with contextlib.suppress(FrameworkError):  # a broken journal has been reported already
            await self.journal.append(SessionEnded(self.clock.now_ns(), reason, len(lines)))
        return SessionEnd(reason, lines, bool(self.failures))


@frozen
class _SourceLink:
    clock: Clock
    engine: Engine
    publish: Callable[[MarketUpdate], None]

    async def submit(self, batch: Batch) -> None:
        await self.engine.submit(batch)


def _line(position: Position) -> OpenLine:
    live = position.live_stop
    return OpenLine(
        position.account,
        position.symbol,
        position.side.value,
        position.open_quantity,
        None if live is None else live.trigger_price,
    )
