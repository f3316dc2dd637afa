"""Puts a deployment together and runs it: journal, exchanges, engine, sources, observers, in order and back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from attrs import evolve, frozen

from .components import Checkable, Checkup, Clock, ExchangeLink
from .config import ConfiguredExchange, Deployment
from .core.feed import Timeline
from .core.records import Record
from .engine.clock import SystemClock, VirtualClock
from .engine.session import OpenLine, Session, SessionEnd
from .engine.virtual import VirtualLoop, run_virtual
from .errors import ConfigError, ExchangeError, Problem
from .journal import Journal, JournalReader, WriterKind, journal_path, rotate

__all__ = ["OpenLine", "SessionEnd", "SessionStart", "check_deployment", "run_session", "timeline_of"]

T = TypeVar("T")


@frozen
class SessionStart:
    """A session that came up. `set_aside` is where the journal of an earlier recorded session was moved to."""

    accounts: tuple[str, ...]
    sources: tuple[str, ...]
    recorded: bool
    journal: Path
    set_aside: Path | None


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
        session = Session(deployment, clock, Journal.open(path, writer=kind), timeline is not None, on_record)
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
                found = await exchange.checkup()
                checkups.extend(evolve(each, subject=f"{account.name} {each.subject}") for each in found)
        finally:
            await exchange.stop()
    except ExchangeError as error:
        checkups.append(Checkup(account.name, False, str(error)))
    return checkups


def _ignore_event(event: object) -> None:
    """Nothing is traded during a check, so nothing that is told matters."""


def _ignore_quote(symbol: str, quote: object) -> None:
    """As for events."""
